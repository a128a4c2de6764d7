"""What becomes of evidence afterwards: the store is told to hold what a reviewer could see."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, or_, select

from portal import tasks
from portal.cases import stored_files
from portal.cases.evidence_rows import sealed_original
from portal.extensions import db
from portal.models import Case, EvidenceFile, Status, StoredFile
from portal.models.types import utcnow
from portal.policies import policy
from storage.objects import LockMode

DECIDED = (Status.APPROVED, Status.REJECTED)
LOCK_TASK = "evidence.lock"


@tasks.task(LOCK_TASK)
def lock_files(case_id: str) -> None:
    """Tell the store to hold the files that a reviewer could see, also those replaced since: GOVERNANCE once submitted,
    COMPLIANCE once decided. Safe to repeat."""
    case = db.session.get_one(Case, uuid.UUID(case_id))
    pack = policy(case.policy)
    mode: LockMode = "GOVERNANCE"
    span = timedelta(days=pack.value("evidence.hold_days_submitted"))
    if case.status in DECIDED:
        mode, span = "COMPLIANCE", timedelta(days=365 * pack.value("evidence.keep_years_decided"))
    weaker = ("",) if mode == "GOVERNANCE" else ("", "GOVERNANCE")
    query = select(EvidenceFile).join(Case).join(EvidenceFile.stored).where(Case.id == case.id, _submitted())
    waiting = db.session.scalars(query.where(StoredFile.lock_mode.in_(weaker)))
    originals = [sealed_original(file) for file in waiting]
    db.session.rollback()
    until = utcnow() + span
    for sealed in originals:
        tasks.store().lock(sealed, until, mode)
    stored_files.note_lock([sealed.key for sealed in originals], mode, until)
    db.session.commit()


def _submitted() -> ColumnElement[bool]:
    """Files, joined with their cases, that went to a bureau with some submission. What came after a return has not yet,
    and what was taken out again before the submission never did."""
    replaced = EvidenceFile.removed_round > EvidenceFile.round
    sent = or_(Case.status != Status.RETURNED, EvidenceFile.round < Case.round)
    standing = and_(EvidenceFile.removed_at.is_(None), sent)
    return and_(EvidenceFile.status == "committed", Case.round > 0, or_(replaced, standing))


@tasks.unfinished
def unlocked_cases() -> Iterable[tuple[str, dict[str, str]]]:
    """Submitted or decided cases with a file that the store was not told to hold as it should."""
    too_weak = and_(Case.status.in_(DECIDED), StoredFile.lock_mode == "GOVERNANCE")
    due = (
        select(Case.id)
        .join(EvidenceFile, EvidenceFile.case_id == Case.id)
        .join(EvidenceFile.stored)
        .where(
            StoredFile.lock_mode.in_(("", "GOVERNANCE")),
            _submitted(),
            or_(StoredFile.lock_mode == "", too_weak),
        )
        .distinct()
    )
    return [(LOCK_TASK, {"case_id": str(one)}) for one in db.session.scalars(due)]
