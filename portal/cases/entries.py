"""Entering what was approved into the national system: the receipt that says it was done, and what still waits.

What never belongs here: whether it has landed there (portal/cases/landings.py).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, select, true, tuple_, update
from sqlalchemy.orm import selectinload

from portal import audit
from portal.cases import landings
from portal.cases.access import Actor, visible_to
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Case, Decision, NationalEntry, Role
from portal.models.types import utcnow

# Days after approval from which a case counts as stuck. No source sets a limit for the entry itself: an export a month is what
# the seeds' monthly comparisons of two registers come to, so one that missed it shows up in the next.
STUCK_AFTER_DAYS = 30
PAGE = 50
RECEIPT = re.compile(r"[0-9A-Za-z-]{4,60}")
CORRECT_RECEIPT = "受理号为 4 到 60 位字母、数字或短横线，请照全国学籍系统显示的填写"


@dataclass(frozen=True)
class Stage:
    """A part of the list: which entries, in which order."""

    id: str
    title: str
    condition: Callable[[], ColumnElement[bool]]
    column: Any
    descending: bool
    empty: str


def _open() -> ColumnElement[bool]:
    return NationalEntry.confirmed_at.is_(None)


def stuck_before() -> datetime:
    """What was approved before this moment and has not landed is stuck."""
    return utcnow() - timedelta(days=STUCK_AFTER_DAYS)


STAGES: dict[str, Stage] = {
    stage.id: stage
    for stage in (
        Stage(
            "waiting",
            "待录入",
            lambda: and_(_open(), NationalEntry.entered_at.is_(None)),
            NationalEntry.approved_at,
            False,
            "没有等待录入的业务。业务经最后一级同意后会出现在这里。",
        ),
        Stage(
            "entered",
            "已录入待确认",
            lambda: and_(_open(), NationalEntry.entered_at.is_not(None)),
            NationalEntry.approved_at,
            False,
            "没有等待确认的业务。登记受理号后，下一次导入全国学籍系统数据时自动确认。",
        ),
        Stage(
            "stuck",
            f"超过 {STUCK_AFTER_DAYS} 天未落地",
            lambda: and_(_open(), NationalEntry.approved_at < stuck_before()),
            NationalEntry.approved_at,
            False,
            f"没有批准后超过 {STUCK_AFTER_DAYS} 天仍未在全国学籍系统生效的业务。",
        ),
        Stage(
            "confirmed",
            "已确认",
            lambda: NationalEntry.confirmed_at.is_not(None),
            NationalEntry.confirmed_at,
            True,
            "还没有经导入数据确认的业务。",
        ),
    )
}


@dataclass(frozen=True)
class Listing:
    """One page of a stage; `next` is the key of the page after it, "" on the last one."""

    entries: list[NationalEntry]
    next: str
    total: int


def count(actor: Actor, stage: Stage) -> int:
    """How many entries of the stage the actor may see."""
    query = select(func.count()).select_from(NationalEntry).join(Case)
    return db.session.execute(query.where(visible_to(actor), stage.condition())).scalar_one()


def page(actor: Actor, stage: Stage, after: str = "", size: int = PAGE) -> Listing:
    """Entries of a stage that the actor may see: what has waited longest first, what landed last first. `after` is a key
    of a former page; one that cannot be read gives the first page."""
    query = select(NationalEntry).join(Case).where(visible_to(actor), stage.condition())
    query = query.options(selectinload(NationalEntry.entered_by))
    place = tuple_(stage.column, NationalEntry.case_id)
    if key := _read_key(after):
        bound = tuple_(literal(key[0], stage.column.type), literal(key[1], NationalEntry.case_id.type))
        query = query.where(place < bound if stage.descending else place > bound)
    orders = [one.desc() if stage.descending else one.asc() for one in (stage.column, NationalEntry.case_id)]
    found = list(db.session.scalars(query.order_by(*orders).limit(size + 1)))
    entries = found[:size]
    more = make_key(entries[-1], stage) if len(found) > size else ""
    return Listing(entries, more, count(actor, stage))


def make_key(entry: NationalEntry, stage: Stage) -> str:
    """The place of an entry in its stage, as text for an address."""
    return f"{getattr(entry, stage.column.key).isoformat()}~{entry.case_id.hex}"


def _read_key(text: str) -> tuple[datetime, uuid.UUID] | None:
    moment, _, case_id = text.partition("~")
    try:
        read = datetime.fromisoformat(moment)
        return (read.astimezone(UTC), uuid.UUID(case_id)) if read.tzinfo else None
    except (ValueError, OverflowError):
        return None


def entry_of(case: Case) -> NationalEntry | None:
    """The entry of an approved case; None before approval."""
    return db.session.get(NationalEntry, case.id)


def landed_by_receipt(entry: NationalEntry) -> bool:
    """Whether it landed with its receipt, as no export shows what the case changed."""
    return bool(entry.confirmed_at and entry.receipt and entry.confirmed_load_id is None)


def may_mark(case: Case, actor: Actor) -> bool:
    """The registrar of the school, or a person of the office that decided last: they are who works in the national system."""
    return case.id in markable([case], actor)


def markable(cases: Collection[Case], actor: Actor) -> set[uuid.UUID]:
    """The ids of those cases whose receipt the actor may note; one query for all of them."""
    if actor.role is Role.REGISTRAR:
        return {case.id for case in cases if case.owner_office_id == actor.office_id}
    if actor.role not in (Role.REVIEWER, Role.APPROVER):
        return set()
    query = select(Decision.case_id, Decision.office_id).where(
        Decision.case_id.in_([case.id for case in cases])
    )
    last = {row.case_id: row.office_id for row in db.session.execute(query.order_by(Decision.at))}
    return {case_id for case_id, office_id in last.items() if office_id == actor.office_id}


def tidy_receipt(text: str) -> str:
    """A receipt number as typed or pasted, without white space and in half-width characters."""
    folded = text.translate({code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)})
    return "".join(folded.split())


def mark_entered(case: Case, actor: Actor, receipt: str, seen: str = "") -> None:
    """Note that the case was entered in the national system, in the running transaction. Raises Refused.

    `seen` is the receipt that the page showed ("" for none): a second mark is a correction of that one and no other, and none is
    possible once an export has confirmed the change. What no export shows has landed with its receipt.
    """
    receipt = tidy_receipt(receipt)
    if not RECEIPT.fullmatch(receipt):
        raise Refused(CORRECT_RECEIPT)
    if not may_mark(case, actor):
        raise Refused("受理号由学生所在学校或最后一级审批机关登记")
    unconfirmed = NationalEntry.confirmed_at.is_(None) if landings.is_exported(case.id) else true()
    done = db.session.execute(
        update(NationalEntry)
        .where(
            NationalEntry.case_id == case.id,
            unconfirmed,
            NationalEntry.receipt == seen,
        )
        .values(receipt=receipt, entered_at=utcnow(), entered_by_id=actor.id),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused(_why_not(case), conflict=True)
    action = "case.entry_corrected" if seen else "case.entered"
    audit.append(action, "case", case.id, receipt=receipt, before=seen)
    landings.confirm_unseen(case.id)


def _why_not(case: Case) -> str:
    entry = entry_of(case)
    if entry is None:
        return "业务还没有批准，不能登记受理号"
    db.session.refresh(entry)
    if entry.confirmed_at:
        return "导入的数据已确认这项变更，受理号不能再改"
    return (
        f"受理号已登记为 {entry.receipt}，请刷新页面核对" if entry.receipt else "页面已过期，请刷新后再登记"
    )
