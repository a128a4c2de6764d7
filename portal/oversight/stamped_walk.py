"""Where each page of a stamped scan lies, held against the audit chain: a page makes the stamped form of a case by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.models import AuditRecord, StampedPage
from portal.oversight.findings import Findings

ROWS = 500
OUTCOMES = {"accepted": "placed", "taken_back": "tray"}
WHERE = tuple(
    f"stamped.{one}" for one in ("landed", "refused", "tray", "placed", "discarded", *OUTCOMES)
)  # the last one says where a page lies


def walk_stamped(session: Session, findings: Findings) -> None:
    for pages in _pages(session):
        last = _last(session, pages)
        for page in pages:
            record = last.get(str(page.id))
            if record is None:
                findings.fault(f"盖章表的一页 {page.id}：审计链中没有它的记录，不是由本系统写入的")
            elif not _fits(page, record):
                findings.fault(
                    f"盖章表的一页 {page.id}：所在的业务或办理结果与记录 {record.seq} 不符，被改动"
                )
        findings.went_on(len(pages), "盖章表的页")


def _fits(page: Any, record: Any) -> bool:
    verb = record.action.removeprefix("stamped.")
    if page.outcome != OUTCOMES.get(verb, verb):
        return False
    if verb == "discarded":  # it says nothing of a case
        return True
    wanted = "" if verb == "taken_back" else record.body.get("case", "")
    return bool((page.case_id.hex if page.case_id else "") == wanted)


def _last(session: Session, pages: Sequence[Any]) -> dict[str, Any]:
    table = AuditRecord.__table__
    query = select(table).where(
        table.c.object_kind == "stamped_page",
        table.c.object_id.in_([str(page.id) for page in pages]),
        table.c.action.in_(WHERE),
    )
    return {one.object_id: one for one in session.execute(query.order_by(table.c.seq))}


def _pages(session: Session) -> Iterator[Sequence[Any]]:
    table, last = StampedPage.__table__, None
    while True:
        query = select(table) if last is None else select(table).where(table.c.id > last)
        rows = session.execute(query.order_by(table.c.id).limit(ROWS)).all()
        if not rows:
            return
        yield rows
        last = rows[-1].id
