"""招生计划 as the state's approver writes it: one form for all offices, checked as a whole, saved as a new version.

A form is {field: text}: "places-ID" and, of a county, "graduates-ID", ID being the office's.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal import audit
from portal.cases import clock, digests
from portal.cases.intake import plans
from portal.cases.intake.scope import County, Scope, counties, names_of
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import IntakePlan, Office, PlanFigure
from portal.models.types import new_id
from portal.standards.words import letters_in

MOST = 99_999
REASON_LEAST, REASON_MOST = 4, 500
DOCUMENT_MOST = 80
TITLES = {"places": "招生计划", "graduates": "初中毕业生总人数"}
TOLD = 6  # changes named in one sentence
Figures = dict[uuid.UUID, tuple[int | None, int | None]]  # places, graduates


@dataclass(frozen=True)
class Difference:
    """What a version changed for one office; None is no figure."""

    office: str
    title: str
    old: int | None
    new: int | None

    def __str__(self) -> str:
        return f"{self.office}{self.title} {_shown(self.old)} → {_shown(self.new)}"


def form_of(scope: Scope, plan: IntakePlan | None) -> dict[str, str]:
    """A version as the form that would make it."""
    found = {}
    for office_id, one in plans.figures_of(plan).items():
        found[f"places-{office_id}"] = str(one.places)
        if one.graduates is not None:
            found[f"graduates-{office_id}"] = str(one.graduates)
    return found


def history(scope: Scope) -> list[IntakePlan]:
    """Every version of the year, the newest first."""
    query = select(IntakePlan).where(IntakePlan.office_id == scope.state.id, IntakePlan.year == scope.year)
    return list(db.session.scalars(query.order_by(IntakePlan.number.desc())))


def read(scope: Scope, form: Mapping[str, str]) -> tuple[Figures, dict[str, str]]:
    """(the figures, {field: what is wrong with it}) of a form. Offices without any figure are left out."""
    figures: Figures = {}
    faults: dict[str, str] = {}
    lines = counties(scope)
    for office, kinds in _fields(lines):
        values = []
        for kind in kinds:
            value, fault = _number(form.get(f"{kind}-{office.id}", ""))
            values.append(value)
            if fault:
                faults[f"{kind}-{office.id}"] = fault
        if values[0] is not None:
            figures[office.id] = (values[0], values[1] if len(values) > 1 else None)
        elif len(values) > 1 and values[1] is not None:
            faults.setdefault(f"places-{office.id}", "填了毕业生人数的，请同时填招生计划")
    if not faults:
        faults = {**_beyond_county(lines, figures), **_below_approved(scope, lines, figures)}
    return figures, faults


def _fields(lines: Sequence[County]) -> list[tuple[Office, tuple[str, ...]]]:
    found: list[tuple[Office, tuple[str, ...]]] = []
    for county in lines:
        if county.office:
            found.append((county.office, ("places", "graduates")))
        found += [(school, ("places",)) for school in county.schools]
    return found


def _number(text: str) -> tuple[int | None, str]:
    text = text.strip()
    if not text:
        return None, ""
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and int(text) <= MOST):
        return None, f"请填 0 到 {MOST} 的整数"
    return int(text), ""


def _beyond_county(lines: Sequence[County], figures: Figures) -> dict[str, str]:
    """计划 are handed down: what a county's schools have together cannot be more than the county has."""
    faults = {}
    for county in lines:
        if county.office is None:
            continue
        given = sum(figures[one.id][0] or 0 for one in county.schools if one.id in figures)
        own = figures.get(county.office.id, (None, None))[0]
        if own is None and given:
            faults[f"places-{county.office.id}"] = f"所辖学校合计 {given} 人，请填本县（市）的招生计划"
        elif own is not None and given > own:
            faults[f"places-{county.office.id}"] = (
                f"所辖学校合计 {given} 人，超出本县（市）计划 {given - own} 人"
            )
    return faults


def _below_approved(scope: Scope, lines: Sequence[County], figures: Figures) -> dict[str, str]:
    """计划外不建一个学籍: who is registered already keeps a place."""
    spoken = plans.spoken_for_below(scope.state.path, scope.year)
    faults = {}
    for school in (one for county in lines for one in county.schools):
        approved = spoken.get(school.id, (0, 0))[1]
        if approved > (figures.get(school.id, (0, None))[0] or 0):
            faults[f"places-{school.id}"] = f"已同意注册 {approved} 人，计划不能少于这个数"
    return faults


def words_faults(document: str, note: str, *, first: bool) -> dict[str, str]:
    """What is wrong with the document number and the reason; the first version of a year needs no reason."""
    faults = {}
    if not document.strip() or len(document.strip()) > DOCUMENT_MOST or not document.isprintable():
        faults["document"] = f"请填下达计划的文号（最多 {DOCUMENT_MOST} 个字）"
    if not first and (letters_in(note) < REASON_LEAST or len(" ".join(note.split())) > REASON_MOST):
        faults["note"] = f"请写明为什么调整（{REASON_LEAST} 到 {REASON_MOST} 个字）"
    return faults


def save(
    scope: Scope, form: Mapping[str, str], document: str, note: str, seen: int
) -> tuple[IntakePlan | None, dict[str, str]]:
    """A new version, or what is wrong with the form. `seen` is the number of the version that the page was drawn from, 0
    for none. Raises Refused, with `conflict` when somebody saved meanwhile."""
    if not scope.may_set:
        raise Refused("只有州级审批人员可以录入招生计划")
    # No roster may be submitted or approved meanwhile: its rules would go by the former plan.
    plans.hold_all(one.id for county in counties(scope) for one in county.schools)
    before = plans.plan_of(scope.state.id, scope.year)
    if (before.number if before else 0) != seen:
        raise Refused(_told(before), conflict=True)
    figures, faults = read(scope, form)
    faults |= words_faults(document, note, first=before is None)
    if faults:
        return None, faults
    if not figures:
        raise Refused("还没有填写任何一个单位的招生计划")
    document, note = document.strip(), " ".join(note.split())
    if before and before.document == document and not _changes(scope, figures, before):
        raise Refused("没有改动，不用保存")
    plan = _add(scope, figures, document, note, seen + 1)
    audit.append(
        "intake.plan_set",
        "intake_plan",
        plan.id,
        year=plan.year,
        number=plan.number,
        content=digests.of_version(plan),
    )
    return plan, {}


def _add(scope: Scope, figures: Figures, document: str, note: str, number: int) -> IntakePlan:
    plan = IntakePlan(
        id=new_id(),
        office_id=scope.state.id,
        year=scope.year,
        number=number,
        document=document,
        note=note,
        account_id=scope.actor.id,
    )
    db.session.add(plan)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Refused("招生计划刚被别人保存过，请刷新页面核对", conflict=True) from error
    for office_id, (places, graduates) in figures.items():
        db.session.add(
            PlanFigure(plan_id=plan.id, office_id=office_id, places=places or 0, graduates=graduates)
        )
    db.session.flush()
    return plan


def _changes(scope: Scope, figures: Figures, before: IntakePlan) -> bool:
    old = {key: (one.places, one.graduates) for key, one in plans.figures_of(before).items()}
    return old != figures


def _told(before: IntakePlan | None) -> str:
    if before is None:
        return "页面已过期，请核对现在的计划后再保存"
    changed = differences_of(before)
    named = "；".join(map(str, changed[:TOLD])) + ("等" if len(changed) > TOLD else "")
    at = f"{clock.local(before.made_at):%m-%d %H:%M}"
    return (
        f"{before.account.name}在 {at} 已存为第 {before.number} 版（{before.document}）"
        f"{'：' + named if named else ''}。您填的还在下面，核对后可以再保存"
    )


def differences_of(plan: IntakePlan, path: str | None = None) -> list[Difference]:
    """What a version changed against the one before, for all offices or those under one."""
    query = select(IntakePlan).where(
        IntakePlan.office_id == plan.office_id,
        IntakePlan.year == plan.year,
        IntakePlan.number == plan.number - 1,
    )
    before = db.session.scalars(query).one_or_none()
    new, old = plans.figures_of(plan, path), plans.figures_of(before, path)
    offices = names_of(list(db.session.scalars(select(Office).where(Office.id.in_(new.keys() | old.keys())))))
    found = []
    for office_id, name in sorted(offices.items(), key=lambda one: one[1]):
        for kind, title in TITLES.items():
            then = getattr(old.get(office_id), kind, None)
            now = getattr(new.get(office_id), kind, None)
            if then != now:
                found.append(Difference(name, title, then, now))
    return found


def _shown(value: int | None) -> str:
    return "无" if value is None else str(value)
