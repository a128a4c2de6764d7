"""What becomes of files afterwards: the store is told to hold what a reviewer could see, and what never arrived is swept."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from portal import tasks
from portal.cases.evidence_rows import sealed_original
from portal.extensions import db
from portal.models import Case, EvidenceFile, Status
from portal.models.types import utcnow
from portal.policies import policy
from storage.objects import LockMode, Missing, ObjectStore, StoreError

log = logging.getLogger(__name__)

TOMBSTONE_FOR = timedelta(days=30)
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
    query = select(EvidenceFile).join(Case).where(Case.id == case.id, _submitted())
    waiting = db.session.scalars(query.where(EvidenceFile.lock_mode.in_(weaker)))
    originals = [(file.id, sealed_original(file)) for file in waiting]
    db.session.rollback()
    for _, sealed in originals:
        tasks.store().lock(sealed, utcnow() + span, mode)
    # The store never weakens a lock; nor does the row, should a decision have overtaken this task.
    held = update(EvidenceFile).where(EvidenceFile.id.in_([one for one, _ in originals]))
    db.session.execute(held.where(EvidenceFile.lock_mode.in_(weaker)).values(lock_mode=mode))
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
    too_weak = and_(Case.status.in_(DECIDED), EvidenceFile.lock_mode == "GOVERNANCE")
    due = (
        select(Case.id)
        .join(EvidenceFile, EvidenceFile.case_id == Case.id)
        .where(
            EvidenceFile.lock_mode.in_(("", "GOVERNANCE")),
            _submitted(),
            or_(EvidenceFile.lock_mode == "", too_weak),
        )
        .distinct()
    )
    return [(LOCK_TASK, {"case_id": str(one)}) for one in db.session.scalars(due)]


def reap(store: ObjectStore) -> int:
    """Clear up uploads that never finished: claim the row, delete whatever reached the store, mark it gone. What was
    still on its way to the store then is deleted a next time: see _sweep_graves.

    Commits for itself, a row at a time. Returns the number of rows cleared up for the first time.
    """
    _sweep_graves(store)
    late = (
        EvidenceFile.status.in_(("staged", "reaping")),
        EvidenceFile.expires_at < utcnow() - timedelta(hours=1),
    )
    found = db.session.execute(select(EvidenceFile.id, EvidenceFile.store_key).where(*late)).all()
    db.session.rollback()
    reaped = 0
    for file_id, key in found:
        # Claimed again by its status: an upload that finished since the list was read is evidence.
        reaped += _bury(store, file_id, key, *late)
    return reaped


def give_up(store: ObjectStore, file_id: uuid.UUID, key: str) -> None:
    """An upload that failed or was refused half-way frees its space at once. What cannot be deleted now, the sweep takes.

    Only a row that is still staged is given up: where the answer of a commit was lost, the file may be evidence.
    """
    db.session.rollback()
    with free_later(key):
        _bury(store, file_id, key, EvidenceFile.status == "staged")


def _bury(store: ObjectStore, file_id: uuid.UUID, key: str, *standing: ColumnElement[bool]) -> bool:
    """Claim a row that stands so, delete what lies under its key, mark it gone; whether it was claimed. Commits."""
    claimed = db.session.execute(
        update(EvidenceFile).where(EvidenceFile.id == file_id, *standing).values(status="reaping")
    )
    db.session.commit()
    if claimed.rowcount != 1:  # type: ignore[attr-defined]
        return False
    delete_all(store, key)
    buried = update(EvidenceFile).where(EvidenceFile.id == file_id)
    db.session.execute(buried.values(status="gone", expires_at=utcnow() + TOMBSTONE_FOR))
    db.session.commit()
    return True


@contextmanager
def free_later(key: str) -> Iterator[None]:
    """Freeing space is never the answer to a person: where it fails the log says so and the sweep does it."""
    try:
        yield
    except (StoreError, SQLAlchemyError) as error:
        db.session.rollback()
        log.warning("space under %s is freed by the next sweep: %s", key, type(error).__name__)


def _sweep_graves(store: ObjectStore) -> None:
    """Delete what came late under the key of a row that is gone, until 30 days after its burial.

    The 30 days end with a sweep and not by themselves: a clock that jumps, or a portal that stood still for months, skips
    none of it.
    """
    now = utcnow()
    buried = (EvidenceFile.status == "gone", EvidenceFile.expires_at.is_not(None))
    graves = db.session.scalars(select(EvidenceFile.store_key).where(*buried)).all()
    db.session.rollback()
    for key in graves:
        delete_all(store, key)
    db.session.execute(
        update(EvidenceFile).where(*buried, EvidenceFile.expires_at <= now).values(expires_at=None)
    )
    db.session.commit()


def delete_all(store: ObjectStore, key: str) -> None:
    """Every version of an original and of its renditions."""
    for name, version in store.keys(key):
        try:
            store.delete(name, version)
        except Missing:
            continue
