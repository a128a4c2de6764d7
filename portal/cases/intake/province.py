"""报省: approved rosters go to the province under a document number, and come back with 学籍辅号 (province_return.py)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from portal import audit
from portal.cases import clock
from portal.cases.access import visible_to
from portal.cases.intake.planning import DOCUMENT_MOST
from portal.cases.intake.scope import Scope
from portal.cases.intake.sheets import workbook
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Case, ProvinceFiling, RosterRow, Status
from portal.standards.columns import BY_KEY
from portal.standards.dates import read_date

NUMBER = "学号"
SCHOOL = "school"
WIDTH = 16


@dataclass(frozen=True)
class Filing:
    """How far a roster has come at the province. `sent_on` is None while it was not sent; `numbered` of `people` have a
    学籍辅号."""

    case: Case
    people: int
    numbered: int
    filed: ProvinceFiling | None

    @property
    def sent_on(self) -> date | None:
        return self.filed.sent_on if self.filed else None

    @property
    def text(self) -> str:
        if self.filed is None:
            return "未报省" if self.case.status == Status.APPROVED else ""
        return f"已报省（{self.filed.document}），已返回 {self.numbered}/{self.people}"


def standing(case: Case) -> Filing:
    """How far one roster has come at the province."""
    return _filings([case])[0]


def filings(scope: Scope) -> tuple[list[Filing], list[Filing]]:
    """(approved rosters of the year that were not sent, those that were, the newest first), as far as the person may see."""
    query = select(Case).where(
        Case.workflow == scope.law.id,
        Case.intake_year == scope.year,
        Case.status == Status.APPROVED,
        visible_to(scope.actor),
    )
    found = _filings(list(db.session.scalars(query.order_by(Case.ended_at, Case.id))))
    sent = [one for one in found if one.filed]
    sent.sort(key=lambda one: one.sent_on or date.min, reverse=True)
    return [one for one in found if not one.filed], sent


def _filings(cases: Sequence[Case]) -> list[Filing]:
    ids = [case.id for case in cases]
    counted = select(RosterRow.case_id, func.count(), func.count(func.nullif(RosterRow.secondary_number, "")))
    counted = counted.where(RosterRow.case_id.in_(ids), RosterRow.struck_at.is_(None))
    counts = {
        case_id: (people, numbered)
        for case_id, people, numbered in db.session.execute(counted.group_by(RosterRow.case_id))
    }
    sent = select(ProvinceFiling).where(ProvinceFiling.case_id.in_(ids))
    filed = {one.case_id: one for one in db.session.scalars(sent)}
    return [Filing(case, *counts.get(case.id, (0, 0)), filed.get(case.id)) for case in cases]


def send_faults(form: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with a form of `document` and `sent_on`: {field: sentence}."""
    faults, document, day = {}, form.get("document", "").strip(), read_date(form.get("sent_on", ""))
    if not document or len(document) > DOCUMENT_MOST or not document.isprintable():
        faults["document"] = f"请填报送文号（最多 {DOCUMENT_MOST} 个字）"
    if day is None:
        faults["sent_on"] = "请填报送日期，例如 2026-10-12"
    elif day > clock.today():
        faults["sent_on"] = "报送日期不能晚于今天"
    return faults


def send(scope: Scope, ids: Iterable[uuid.UUID], document: str, day: date) -> list[ProvinceFiling]:
    """Record these approved rosters as sent. Raises Refused; nothing is recorded then."""
    chosen = set(ids)
    waiting, _sent = filings(scope)
    cases = [one.case for one in waiting if one.case.id in chosen]
    if not scope.may_set:
        raise Refused("只有州级审批人员可以登记报省")
    if not chosen:
        raise Refused("还没有选择名单，请先勾选")
    if len(cases) != len(chosen):
        raise Refused("所选的名单已有变动（可能刚被登记报送），请刷新页面后再办", conflict=True)
    for case in cases:
        if case.ended_at and day < clock.local(case.ended_at).date():
            raise Refused(f"{case.number} 在 {clock.local(case.ended_at):%Y-%m-%d} 才同意，报送日期不能更早")
    made = [
        ProvinceFiling(
            case_id=case.id, document=document.strip(), sent_on=day, sent_by_id=scope.actor.id, returned={}
        )
        for case in cases
    ]
    db.session.add_all(made)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Refused("所选的名单刚被登记报送，请刷新页面", conflict=True) from error
    for one in made:
        audit.append("intake.sent_to_province", "case", one.case_id)
    return made


def sheet(scope: Scope, ids: Iterable[uuid.UUID]) -> tuple[bytes, int]:
    """(the 登记表 of all these rosters in one workbook, by 学号; how many people). Raises Refused when none is chosen."""
    chosen = set(ids)
    waiting, sent = filings(scope)
    schools = {one.case.id: one.case.owner.name for one in (*waiting, *sent) if one.case.id in chosen}
    if not schools or len(schools) != len(chosen):
        raise Refused("请先勾选要报送的名单")
    query = select(RosterRow).where(RosterRow.case_id.in_(schools), RosterRow.struck_at.is_(None))
    rows = list(db.session.scalars(query.order_by(RosterRow.number)))
    columns = [column for column in scope.roster.columns if column.key != "class_name"]
    lines = [
        (
            row.number or "",
            *(
                schools[row.case_id]
                if column.key == SCHOOL
                else _shown(column.key, row.values.get(column.key, ""))
                for column in columns
            ),
        )
        for row in rows
    ]
    headings = [NUMBER, *(column.title for column in columns)]
    return workbook("登记表", headings, lines, [WIDTH] * len(headings)), len(rows)


def _shown(column: str, text: str) -> str:
    return BY_KEY[column].shown(text) if column in BY_KEY else text
