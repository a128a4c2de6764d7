"""What a pupil's page shows, as plain values for its templates.

What never belongs here: whether the pupil may be seen (loaded through access), a change.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy import select

from portal.cases import clock, pupil_numbers
from portal.cases.access import Actor, visible_to
from portal.cases.facts import STATUS_TEXT, pupil_values
from portal.cases.intake import roster_entries
from portal.cases.intake.roster_entries import RosterEntry
from portal.cases.loads.comparing import ADDED, CHANGED, MISSING, WRITTEN
from portal.extensions import db
from portal.models import OPEN, Case, Decision, Pupil, RegisterChange, RegisterLoad, RegisterLoadRow, Role
from portal.models.numbers import NUMBER_KINDS
from portal.standards import id_number, school_numbers
from portal.standards.columns import BY_KEY, COLUMNS, DECIDED, EVERY, Column
from portal.workflows import workflow

HIDDEN = "********"
SPECIAL = ("disability", "special_study")
GROUPS = (
    ("学生个人信息", lambda key: not key.startswith("guardian") and key not in SPECIAL),
    ("监护人一", lambda key: key.startswith("guardian1_")),
    ("监护人二", lambda key: key.startswith("guardian2_")),
    ("特殊教育", lambda key: key in SPECIAL),
)
LOAD_VERBS = {ADDED: "新增", CHANGED: "更改", MISSING: "名单中已没有该生"}
RECENT_LOADS = 20


def page(pupil: Pupil, actor: Actor, *, revealed: bool) -> dict[str, Any]:
    """The context of register/pupil.html."""
    values = pupil_values(pupil)
    return {
        "pupil": pupil,
        "groups": [
            (title, pairs) for title, holds in GROUPS if (pairs := _pairs(values, holds, revealed=revealed))
        ],
        "revealed": revealed,
        "something_private": any(values.get(c.key) for c in COLUMNS if c.private),
        "status": BY_KEY["enrolment_status"].shown(pupil.enrolment_status),
        "numbers": _numbers(pupil, revealed=revealed),
        "changes": _changes(pupil, actor, revealed=revealed),
        "loads": _loads(pupil, actor),
        "open_cases": _open_cases(pupil, actor),
        "may_start": actor.role is Role.REGISTRAR and pupil.school_id == actor.office_id,
    }


def shown(column: Column, value: str | None, *, revealed: bool) -> str:
    """A value as people read it; private ones masked unless revealed."""
    text = column.shown(value)
    if column.key == "student_number":
        return school_numbers.shown(text, revealed=revealed)
    if not text or revealed:
        return text
    if column.key.endswith("id_number"):
        return id_number.masked(text)
    return HIDDEN if column.private else text


def _pairs(values: dict[str, str], holds: Any, *, revealed: bool) -> list[tuple[str, str]]:
    columns = [
        column for column in EVERY if holds(column.key) and (column not in DECIDED or values.get(column.key))
    ]
    if not any(values.get(column.key) for column in columns):
        return []
    return [(_title(column), shown(column, values.get(column.key), revealed=revealed)) for column in columns]


@dataclass(frozen=True)
class NumberItem:
    """A number that the pupil had before, and until when."""

    title: str
    number: str
    until: str


def _numbers(pupil: Pupil, *, revealed: bool) -> list[NumberItem]:
    """Former numbers, the latest first; what holds now stands among the particulars."""
    return [
        NumberItem(
            NUMBER_KINDS[one.kind],
            school_numbers.shown(one.number, revealed=revealed),
            one.until.isoformat(),
        )
        for one in pupil_numbers.history(pupil.id)
        if one.until is not None
    ]


def _title(column: Column) -> str:
    return column.title.removeprefix("监护人一").removeprefix("监护人二")


@dataclass(frozen=True)
class ChangeItem:
    """One column that an approved case changed; `note` says why, where it was put right afterwards."""

    title: str
    before: str
    after: str
    at: str
    number: str
    url: str
    approved_by: str
    note: str = ""


@dataclass(frozen=True)
class EntryItem:
    """All that a roster wrote when its pupil entered the register, as one line. `said` are pairs from the list of the
    admitted, empty for somebody who may not see the roster."""

    title: str
    written: list[ChangeItem]
    at: str
    number: str
    url: str
    approved_by: str
    said: tuple[tuple[str, str], ...]


def _changes(pupil: Pupil, actor: Actor, *, revealed: bool) -> list[ChangeItem | EntryItem]:
    query = (
        select(RegisterChange, Case)
        .join(Case, Case.id == RegisterChange.case_id)
        .where(RegisterChange.pupil_id == pupil.id)
        .order_by(RegisterChange.at.desc(), RegisterChange.column)
    )
    rows = db.session.execute(query).all()
    ids = {case.id for _, case in rows}
    readable = set(db.session.scalars(select(Case.id).where(Case.id.in_(ids), visible_to(actor))))
    approvers = _approvers(ids)
    entered = roster_entries.of(pupil, {case.id: case for _, case in rows if case.intake_year})
    items: list[ChangeItem | EntryItem] = []
    folded: dict[uuid.UUID, EntryItem] = {}
    for change, case in rows:
        entry = entered.get(case.id)
        why = entry.corrections.get(change.correction) if entry and case.id in readable else None
        item = ChangeItem(
            title=BY_KEY[change.column].title,
            before=shown(BY_KEY[change.column], change.before, revealed=revealed),
            after=shown(BY_KEY[change.column], change.after, revealed=revealed),
            at=clock.local(change.at).strftime("%Y-%m-%d %H:%M"),
            number=case.number,
            url=url_for("cases.show", case_id=case.id) if case.id in readable else "",
            approved_by=approvers.get(case.id, ""),
            note=f"{why.reason}（{why.document}，{why.account.name}更正）" if why else "",
        )
        if entry is None or change.pupil_version != entry.version:
            items.append(item)
            continue
        if case.id not in folded:
            folded[case.id] = _entry(case, entry, item, readable=case.id in readable)
            items.append(folded[case.id])
        folded[case.id].written.append(item)
    return items


def _entry(case: Case, entry: RosterEntry, item: ChangeItem, *, readable: bool) -> EntryItem:
    place = f"，登记表第 {entry.place} 行" if entry.place else ""
    said: tuple[tuple[str, str], ...] = ()
    if readable and entry.admitted is not None:
        one = entry.admitted
        school = case.owner.name
        said = (("准考证号", one.exam_number), ("中考成绩", one.exam_score), ("录取学校", school))
    title = f"{workflow(case.workflow).title}，案件号 {case.number}{place}"
    return EntryItem(title, [], item.at, item.number, item.url, item.approved_by, said)


def _approvers(case_ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Who gave the last approval of each case."""
    query = select(Decision).where(Decision.case_id.in_(case_ids)).order_by(Decision.at, Decision.id)
    return {one.case_id: f"{one.office.name} {one.actor.name}" for one in db.session.scalars(query)}


@dataclass(frozen=True)
class LoadItem:
    """A load that wrote this pupil's record."""

    at: str
    filename: str
    text: str
    undone: bool
    url: str


def _loads(pupil: Pupil, actor: Actor) -> list[LoadItem]:
    query = (
        select(RegisterLoadRow, RegisterLoad)
        .join(RegisterLoad, RegisterLoad.id == RegisterLoadRow.load_id)
        .where(
            RegisterLoadRow.pupil_id == pupil.id,
            RegisterLoadRow.kind.in_(WRITTEN),
            RegisterLoad.applied_at.is_not(None),
        )
        .order_by(RegisterLoad.applied_at.desc())
        .limit(RECENT_LOADS)
    )
    return [_load_item(row, load, actor) for row, load in db.session.execute(query)]


def _load_item(row: RegisterLoadRow, load: RegisterLoad, actor: Actor) -> LoadItem:
    columns = [BY_KEY[key].title for key in row.after if key in BY_KEY] if row.kind == CHANGED else []
    text = LOAD_VERBS[row.kind] + (f"：{'、'.join(columns)}" if columns else "")
    mine = load.office_id == actor.office_id and actor.role is not Role.AUDITOR
    return LoadItem(
        at=clock.local(load.applied_at).strftime("%Y-%m-%d %H:%M") if load.applied_at else "",
        filename=load.filename if mine else load.office.name,
        text=text,
        undone=load.status == "undone",
        url=url_for("loads.show", load_id=load.id) if mine and actor.role is not Role.HEAD else "",
    )


@dataclass(frozen=True)
class OpenCase:
    number: str
    title: str
    status: str
    status_text: str
    url: str


def _open_cases(pupil: Pupil, actor: Actor) -> list[OpenCase]:
    query = select(Case).where(Case.pupil_id == pupil.id, Case.status.in_(OPEN), visible_to(actor))
    return [
        OpenCase(
            case.number,
            workflow(case.workflow).title,
            case.status,
            STATUS_TEXT[case.status],
            url_for("cases.show", case_id=case.id),
        )
        for case in db.session.scalars(query.order_by(Case.created_at.desc()))
    ]
