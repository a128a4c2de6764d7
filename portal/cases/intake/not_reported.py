"""未报到: people admitted to a school who stand on none of its rosters, and the postponements that keep their places.

Before the deadline they may still come. After it, without a postponement, not coming is giving up (article not_reported).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from portal import audit
from portal.cases import clock
from portal.cases.access import visible_to
from portal.cases.intake import plans
from portal.cases.intake.scope import Scope
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Admitted, Case, Office, Postponement, Role, RosterRow, Status
from portal.models.types import new_id, utcnow
from portal.standards.dates import read_date
from portal.standards.words import letters_in

REASON_LEAST, REASON_MOST = 4, 200
LONGEST = timedelta(days=366)
OUT = (Status.WITHDRAWN, Status.REJECTED)  # rosters that register nobody


@dataclass(frozen=True)
class Person:
    """Somebody admitted and not on a roster. `struck` is why a bureau took them off one, "" when none did."""

    admitted: Admitted
    postponement: Postponement | None
    struck: str
    over: bool  # the deadline has passed

    @property
    def postponed(self) -> bool:
        """延期注册 holds up to and with its day."""
        return self.postponement is not None and self.postponement.until >= clock.today()

    @property
    def forfeits(self) -> bool:
        return self.over and not self.postponed and not self.struck


def people(scope: Scope, school: Office) -> list[Person]:
    """By exam number. A bureau counts the rosters that were sent to it, a school its drafts as well."""
    admitted = plans.list_of(scope.state.id, scope.year)
    if admitted is None:
        return []
    standing, struck = _on_rosters(scope, school)
    kept = {one.exam_number: one for one in db.session.scalars(_postponements(scope, school))}
    over = scope.deadline is not None and clock.today() > scope.deadline
    query = select(Admitted).where(Admitted.list_id == admitted.id, Admitted.school_id == school.id)
    return [
        Person(one, kept.get(one.exam_number), struck.get(one.exam_number, ""), over)
        for one in db.session.scalars(query.order_by(Admitted.exam_number))
        if one.exam_number not in standing
    ]


def _on_rosters(scope: Scope, school: Office) -> tuple[set[str], dict[str, str]]:
    """(exam numbers that stand on a roster, {exam number: why it was struck})."""
    query = (
        select(RosterRow.exam_number, RosterRow.struck_at, RosterRow.struck_reason)
        .join(Case, Case.id == RosterRow.case_id)
        .where(
            Case.owner_office_id == school.id,
            Case.intake_year == scope.year,
            Case.status.not_in(OUT),
            visible_to(scope.actor),
        )
    )
    rows: list[Any] = list(db.session.execute(query))
    return (
        {row.exam_number for row in rows if row.struck_at is None},
        {row.exam_number: row.struck_reason for row in rows if row.struck_at is not None},
    )


def may_postpone(scope: Scope, school: Office) -> bool:
    return scope.actor.role is Role.REGISTRAR and scope.actor.office_id == school.id


def postponement_faults(form: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with a form of `reason` and `until`: {field: sentence}."""
    faults, until = {}, read_date(form.get("until", ""))
    reason = _tidy(form.get("reason", ""))
    if letters_in(reason) < REASON_LEAST or len(reason) > REASON_MOST:
        faults["reason"] = f"请写明延期的原因（{REASON_LEAST} 到 {REASON_MOST} 个字）"
    if until is None:
        faults["until"] = "请填延期到哪一天，例如 2026-10-31"
    elif not clock.today() <= until <= clock.today() + LONGEST:
        faults["until"] = "日期应从今天起，一年以内"
    return faults


def postpone(scope: Scope, school: Office, form: Mapping[str, str]) -> Postponement:
    """Record that somebody reports later, or until another day; the form must be without faults. Raises Refused."""
    exam_number, until = form.get("exam_number", ""), read_date(form.get("until", ""))
    if not may_postpone(scope, school) or until is None:
        raise Refused("只有录取学校的学籍管理员可以登记延期注册")
    if not any(one.admitted.exam_number == exam_number for one in people(scope, school)):
        raise Refused("该生已在名单上，或已不在录取名单中，请刷新页面核对", conflict=True)
    query = _postponements(scope, school).where(Postponement.exam_number == exam_number)
    kept = db.session.scalars(query).one_or_none()
    if kept is None:
        kept = Postponement(
            id=new_id(),
            school_id=school.id,
            year=scope.year,
            exam_number=exam_number,
            account_id=scope.actor.id,
        )
        db.session.add(kept)
    kept.reason, kept.until = _tidy(form.get("reason", "")), until
    kept.account_id, kept.made_at = scope.actor.id, utcnow()
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Refused("刚刚已有人为该生登记延期，请刷新页面核对", conflict=True) from error
    audit.append("intake.postponed", "postponement", kept.id, year=scope.year, until=until.isoformat())
    return kept


def find_postponement(school: Office, postponement_id: uuid.UUID) -> Postponement | None:
    """The postponement if it is one of this school; of another year too."""
    query = select(Postponement).where(
        Postponement.id == postponement_id, Postponement.school_id == school.id
    )
    return db.session.scalars(query).one_or_none()


def withdraw(scope: Scope, school: Office, kept: Postponement) -> None:
    """Take a postponement back. Raises Refused."""
    if not may_postpone(scope, school):
        raise Refused("只有录取学校的学籍管理员可以撤销延期注册")
    gone = kept.id
    db.session.delete(kept)
    db.session.flush()
    audit.append("intake.postponement_withdrawn", "postponement", gone, year=kept.year)


def _postponements(scope: Scope, school: Office) -> Select[Any]:
    return select(Postponement).where(Postponement.school_id == school.id, Postponement.year == scope.year)


def _tidy(text: str) -> str:
    return " ".join(text.split())
