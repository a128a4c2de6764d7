"""Whether the very same bytes came before: returned once, or used in another case. Pictures that are only alike: likeness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select

from portal.cases import clock
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Case, EvidenceFile, Remark


@dataclass(frozen=True)
class Same:
    """What is said of an upload that came before, and how bad that is."""

    level: Any  # storage.measurement.Verdict
    text: str


def same_content(case: Case, slot: str, sha256: str) -> Same | None:
    """Whether the same bytes came before: returned once to this school (refuse), or used in another case (advise); what became
    of another office's case is not said. Raises Refused for a file that stands in the slot already."""
    query = select(EvidenceFile).where(EvidenceFile.sha256 == sha256, EvidenceFile.status == "committed")
    earlier = list(db.session.scalars(query.order_by(EvidenceFile.uploaded_at)))
    for other in earlier:
        if other.case_id == case.id and other.slot == slot and other.removed_at is None:
            raise Refused("这个文件已经在本栏中，不用再传一次")
    own = select(Case.id).where(
        Case.id.in_({other.case_id for other in earlier}), Case.owner_office_id == case.owner_office_id
    )
    ours = set(db.session.scalars(own)) if earlier else set()
    for other in earlier:
        if other.case_id in ours and (returned := _returned_on(other)):
            return Same("refuse", f"该图片已于 {returned:%m月%d日} 被退回，请重新拍摄")
    elsewhere = next((other for other in earlier if other.case_id != case.id), None)
    if elsewhere is None:
        return None
    used = db.session.get_one(Case, elsewhere.case_id)
    where = f" {used.number}" if used.id in ours else "其他单位的业务"
    return Same("advise", f"该图片已用于{where}，请确认没有传错")


def _returned_on(file: EvidenceFile) -> Any:
    """The local date on which a return named this file's slot while the file stood in it, or None."""
    query = select(Remark.round).where(
        Remark.case_id == file.case_id,
        Remark.target == "evidence",
        Remark.key == file.slot,
        Remark.round > file.round,
        or_(Remark.file_id.is_(None), Remark.file_id == file.id),  # a marked picture stands for itself alone
    )
    rounds = [
        number
        for number in db.session.scalars(query)
        if file.removed_round is None or number <= file.removed_round
    ]
    if not rounds:
        return None
    case = db.session.get_one(Case, file.case_id)
    events = [event for event in case.events if event.verb == "returned" and event.round == rounds[0]]
    return clock.local(events[-1].at).date() if events else None
