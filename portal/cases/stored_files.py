"""Every file in the store by one protocol: a row names the key before anything lies there, then the bytes travel, then the
row is made final in the transaction that names the file. Whatever a dead process leaves is found and deleted by `flask sweep`.

A file is staged until that transaction, kept while a row needs it or its term runs (KINDS), then dropped, then gone. What lies
beside it under its key and a suffix (pictures of its pages) goes with it. No transaction is open while bytes travel.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from portal.cases.access import Actor
from portal.cases.offices import policy_of
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.faults import reach
from portal.models import Office, StoredFile
from portal.models.types import new_id, utcnow
from storage.objects import LockMode, Missing, ObjectStore, Sealed, StoreError, new_key

log = logging.getLogger(__name__)

EVIDENCE, STAMPED, INTAKE, LOAD = "evidence", "stamped", "intake", "load"
STAGED_FOR = timedelta(hours=24)
LATE = timedelta(hours=1)
TOMBSTONE_FOR = timedelta(days=30)


@dataclass(frozen=True)
class Kind:
    """What is told of a kind: its folder in the store, what the points of its upload are called in portal.faults, and the
    policy value that says for how many days a file is kept at most ("": as long as the row that names it)."""

    folder: str
    act: str
    most_days: str = ""


KINDS = {  # evidence and stamped forms stay; how long the store must hold them is cases.evidence_keeping's and sorting's
    EVIDENCE: Kind("evidence", "upload"),
    STAMPED: Kind("stamped", "batch"),
    INTAKE: Kind("intake", "list", "keeping.intake_days"),
    LOAD: Kind("loads", "export", "keeping.load_days"),
}
ACTS = {kind.folder: kind.act for kind in KINDS.values()}
Ending = Callable[[str], None]
_endings: dict[str, Ending] = {}


class Guarded:
    """A store into which nothing is put while a transaction is open: on SQLite it would hold the one write lock."""

    def __init__(self, store: ObjectStore, act: str = "") -> None:
        self._store, self._act = store, act

    def put(self, key: str, stream: BinaryIO, *, size_limit: int, media_type: str) -> Sealed:
        """Raises RuntimeError in a transaction, else what the store raises."""
        if db.session().in_transaction():
            raise RuntimeError("bytes travel to the store while a transaction is open")
        sealed = self._store.put(key, stream, size_limit=size_limit, media_type=media_type)
        reach(f"{self._act}.after_put")
        return sealed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@dataclass(frozen=True)
class Upload:
    """A file on its way in: the key that its committed row names, and the store to put it into."""

    key: str
    store: ObjectStore


@contextmanager
def receiving(key: str, store: ObjectStore) -> Iterator[Upload]:
    """The one way in, with the key of expect(). The staged row is committed before the block; the block puts the bytes and
    names the file by settle(); then all is committed at once. Where it raises or settles nothing, the file is given up."""
    act = ACTS[key.partition("/")[0]]
    db.session.commit()
    reach(f"{act}.after_stage")
    try:
        yield Upload(key, Guarded(store, act))
        settled = db.session.scalar(select(StoredFile.status).where(StoredFile.key == key)) == "kept"
        reach(f"{act}.before_commit")
        db.session.commit()
    except Exception:  # whatever it was: the space is freed, the answer is the error's
        give_up(store, key)
        raise
    if not settled:
        give_up(store, key)
    reach(f"{act}.after_commit")


def expect(kind: str, office_id: uuid.UUID, actor: Actor) -> str:
    """The intent row; returns the key under which the file may be put once this is committed."""
    file = StoredFile(
        id=new_id(),
        kind=kind,
        office_id=office_id,
        account_id=actor.id,
        status="staged",
        key=new_key(KINDS[kind].folder),
        expires_at=utcnow() + STAGED_FOR,
    )
    db.session.add(file)
    db.session.flush()
    return file.key


def settle(sealed: Sealed) -> None:
    """The file counts, in the transaction that names it; its term begins. Raises Refused when it came too late."""
    done = db.session.execute(
        update(StoredFile)
        .where(StoredFile.key == sealed.key, StoredFile.status == "staged")
        .values(
            status="kept",
            version_id=sealed.version_id,
            sha256=sealed.sha256,
            size=sealed.size,
            expires_at=_term_ends(sealed.key),
        ),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused("上传中断的时间太长，请重新上传这个文件")


def keep_on(key: str) -> None:
    """The term of a kept file begins anew, in the transaction of the act after which it does."""
    db.session.execute(
        update(StoredFile)
        .where(StoredFile.key == key, StoredFile.status == "kept")
        .values(expires_at=_term_ends(key)),
        execution_options={"synchronize_session": False},
    )


def _term_ends(key: str) -> datetime | None:
    of = db.session.execute(
        select(StoredFile.kind, Office).join(Office, Office.id == StoredFile.office_id).filter_by(key=key)
    ).one_or_none()
    if of is None or not KINDS[of[0]].most_days:
        return None
    return utcnow() + timedelta(days=policy_of(of[1]).value(KINDS[of[0]].most_days))


def note_lock(keys: Sequence[str], mode: LockMode, until: datetime) -> None:
    """Keep what the store was told to hold files by, and until when. A lock only grows, there and here."""
    weaker = ("",) if mode == "GOVERNANCE" else ("", "GOVERNANCE")
    of = update(StoredFile).where(StoredFile.key.in_(keys))
    stronger = of.where(StoredFile.lock_mode.in_(weaker)).values(lock_mode=mode)
    shorter = or_(StoredFile.retain_until.is_(None), StoredFile.retain_until < until)
    for one in (stronger, of.where(shorter).values(retain_until=until)):
        db.session.execute(one, execution_options={"synchronize_session": False})


def drop(key: str) -> None:
    """The file is of no more use, in the transaction that forgets it; clear() deletes it after the commit, else the sweep."""
    db.session.execute(
        update(StoredFile).where(StoredFile.key == key).values(status="dropped", expires_at=utcnow()),
        execution_options={"synchronize_session": False},
    )


def clear(store: ObjectStore, key: str) -> None:
    """Delete a dropped file at once; what fails, the sweep does. Commits."""
    with free_later(key):
        _bury(store, key, StoredFile.status == "dropped")


def give_up(store: ObjectStore, key: str) -> None:
    """A file whose upload failed or was refused half-way frees its space at once. Only one that is still staged: where the
    answer of a commit was lost, it may be needed. Commits."""
    with free_later(key):
        db.session.rollback()
        _bury(store, key, StoredFile.status == "staged")


def _bury(store: ObjectStore, key: str, standing: ColumnElement[bool]) -> bool:
    """Claim a row that stands so, delete what lies under its key, mark it gone; whether it was claimed. Commits."""
    row = update(StoredFile).where(StoredFile.key == key)
    # Claimed again by its status: an upload that finished since the row was read is a file that somebody needs.
    claimed = db.session.execute(
        row.where(standing).values(status="reaping", expires_at=utcnow()),
        execution_options={"synchronize_session": False},
    )
    db.session.commit()
    if claimed.rowcount != 1:  # type: ignore[attr-defined]
        return False
    delete_all(store, key)
    buried = row.values(status="gone", expires_at=utcnow() + TOMBSTONE_FOR)
    db.session.execute(buried, execution_options={"synchronize_session": False})
    db.session.commit()
    return True


def delete_all(store: ObjectStore, key: str) -> None:
    """Every version of a file and of what lies beside it."""
    for name, version in store.keys(key):
        try:
            store.delete(name, version)
        except Missing:
            continue


@contextmanager
def free_later(key: str) -> Iterator[None]:
    """Freeing space is never the answer to a person: where it fails the log says so and the sweep does it."""
    try:
        yield
    except (StoreError, SQLAlchemyError) as error:
        db.session.rollback()
        log.warning("space under %s is freed by the next sweep: %s", key, type(error).__name__)


# --- the sweep ------------------------------------------------------------------------------------------------------


def ends(kind: str) -> Callable[[Ending], Ending]:
    """Register what lets go of a kept file of this kind when its term is over: given the key, it forgets what names the file
    and drops it, in the running transaction. Raises Refused where that cannot be done now."""

    def register(ending: Ending) -> Ending:
        _endings[kind] = ending
        return ending

    return register


def expire() -> int:
    """Let go of kept files whose term is over. Commits, file by file. Returns how many."""
    over = select(StoredFile.kind, StoredFile.key).where(
        StoredFile.status == "kept", StoredFile.expires_at <= utcnow()
    )
    found = db.session.execute(over.order_by(StoredFile.expires_at)).all()
    db.session.rollback()
    return sum(_end(kind, key) for kind, key in found)


def _end(kind: str, key: str) -> bool:
    """False where somebody acted on it since, which the next sweep sees."""
    over = select(StoredFile.id).where(
        StoredFile.key == key, StoredFile.status == "kept", StoredFile.expires_at <= utcnow()
    )
    if db.session.scalar(over.with_for_update()) is None:  # its term began anew
        db.session.rollback()
        return False
    try:
        _endings[kind](key)
    except Refused:
        db.session.rollback()
        return False
    db.session.commit()
    return True


def reap(store: ObjectStore) -> int:
    """Clear up uploads that never finished and dropped files that are still there, and look again into the graves. Commits,
    file by file. Returns the number of rows cleared up for the first time."""
    _sweep_graves(store)
    now = utcnow()
    late = or_(
        and_(StoredFile.status == "staged", StoredFile.expires_at < now - LATE),
        and_(
            StoredFile.status.in_(("dropped", "reaping")), StoredFile.expires_at <= now
        ),  # nobody uploads there now
    )
    keys = db.session.scalars(select(StoredFile.key).where(late)).all()
    db.session.rollback()
    return sum(_bury(store, key, late) for key in keys)


def _sweep_graves(store: ObjectStore) -> None:
    """Delete what came late under the key of a row that is gone, until 30 days after its burial.

    The 30 days end with a sweep and not by themselves: a clock that jumps, or a portal that stood still for months, skips
    none of it.
    """
    now = utcnow()
    buried = (StoredFile.status == "gone", StoredFile.expires_at.is_not(None))
    graves = db.session.scalars(select(StoredFile.key).where(*buried)).all()
    db.session.rollback()
    for key in graves:
        delete_all(store, key)
    db.session.execute(
        update(StoredFile).where(*buried, StoredFile.expires_at <= now).values(expires_at=None),
        execution_options={"synchronize_session": False},
    )
    db.session.commit()


def learn_locks(store: ObjectStore) -> int:
    """Ask the store until when it holds files that were locked before rows said so. Commits. Returns how many were told."""
    unknown = (StoredFile.lock_mode != "", StoredFile.retain_until.is_(None), StoredFile.status == "kept")
    columns = (StoredFile.key, StoredFile.version_id, StoredFile.sha256, StoredFile.size)
    told, last = 0, ""
    while True:
        some = select(*columns).where(*unknown, StoredFile.key > last).order_by(StoredFile.key)
        found = [Sealed(*row) for row in db.session.execute(some.limit(500))]
        db.session.rollback()
        if not found:
            return told
        told += sum(_learn_lock(store, sealed) for sealed in found)
        last = found[-1].key


def _learn_lock(store: ObjectStore, sealed: Sealed) -> bool:
    try:
        until = store.locked_until(sealed)
    except Missing:  # a walk finds it
        return False
    if until is None:
        return False
    row = update(StoredFile).where(StoredFile.key == sealed.key, StoredFile.retain_until.is_(None))
    db.session.execute(row.values(retain_until=until), execution_options={"synchronize_session": False})
    db.session.commit()
    return True
