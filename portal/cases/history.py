"""What has been done to a case: one event for each act, and what the last one tells a person who comes too late."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from portal.cases import clock
from portal.cases.access import Actor
from portal.cases.remarks import Reason
from portal.extensions import db
from portal.models import Case, CaseEvent

EVENT_TEXT = {
    "started": "发起",
    "edited": "修改",
    "submitted": "提交",
    "approved": "同意",
    "returned": "退回",
    "rejected": "不同意",
    "withdrawn": "撤回",
    "struck": "退回名单中的行",
    "put_back": "恢复名单中的行",
}


def append_event(
    case: Case,
    actor: Actor,
    verb: str,
    step: str,
    note: str = "",
    reasons: Sequence[Reason] = (),
    to: str = "",
    papers_words: str = "",
) -> CaseEvent:
    """Write down what was just done, at which step; of a return also the coded reasons and where it went, and what was
    said of papers that say otherwise (it stands in the note too)."""
    coded = [vars(reason) for reason in reasons]
    returned = {"reasons": coded, "to": to} if coded or to else {}
    event = CaseEvent(
        case_id=case.id,
        seq=case.version,
        verb=verb,
        status=case.status,
        step=step,
        round=case.round,
        actor_id=actor.id,
        office_id=actor.office_id,
        note=note.strip(),
        data=returned | ({"papers_words": papers_words} if papers_words else {}),
    )
    db.session.add(event)
    db.session.flush()
    return event


def told_what_happened(case: Case) -> str:
    """For a stale page: who did what, and when."""
    query = select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.seq.desc()).limit(1)
    last = db.session.scalars(query).one_or_none()
    if last is None or case.version != last.seq:
        return "此业务已在另一个窗口被修改，请刷新页面后再办"
    at = clock.local(last.at).strftime("%m月%d日 %H:%M")
    return f"已由{last.office.name}{last.actor.name}于 {at} {EVENT_TEXT[last.verb]}，请刷新页面查看"
