"""Files of an intake in the store, by the intent protocol of evidence: a row names the key before anything lies there, so that
whatever a dead process leaves is found and deleted by `flask sweep`.

A file is staged until its upload is committed, waiting until its list is confirmed or put aside, then dropped.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import and_, delete, or_, select, update

from portal.cases.evidence import STAGED_FOR
from portal.cases.evidence_keeping import TOMBSTONE_FOR, delete_all, free_later
from portal.cases.intake.scope import Scope
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import IntakeFile
from portal.models.types import new_id, utcnow
from storage.objects import ObjectStore, new_key

LATE = timedelta(hours=1)


def expect(scope: Scope) -> str:
    """The intent row; returns the key under which the file may be put once this is committed."""
    file = IntakeFile(
        id=new_id(),
        office_id=scope.state.id,
        account_id=scope.actor.id,
        status="staged",
        store_key=new_key("intake"),
        expires_at=utcnow() + STAGED_FOR,
    )
    db.session.add(file)
    db.session.flush()
    return file.store_key


def settle(key: str) -> None:
    """The file counts, in the transaction that names it. Raises Refused when it came too late."""
    done = db.session.execute(
        update(IntakeFile)
        .where(IntakeFile.store_key == key, IntakeFile.status == "staged")
        .values(status="waiting", expires_at=None),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused("上传中断的时间太长，请重新导入这个文件")


def drop(key: str) -> None:
    """The file is of no more use, in the transaction that forgets it; it is deleted after the commit, else by the sweep."""
    db.session.execute(
        update(IntakeFile).where(IntakeFile.store_key == key).values(status="dropped", expires_at=utcnow()),
        execution_options={"synchronize_session": False},
    )


def forget(key: str) -> None:
    """The dropped file has been deleted."""
    db.session.execute(
        delete(IntakeFile).where(IntakeFile.store_key == key, IntakeFile.status == "dropped"),
        execution_options={"synchronize_session": False},
    )


def give_up(store: ObjectStore, key: str) -> None:
    """A file whose upload failed or was refused half-way frees its space at once; one that waits is left alone. Commits."""
    db.session.rollback()
    with free_later(key):
        row = update(IntakeFile).where(IntakeFile.store_key == key)
        claimed = db.session.execute(
            row.where(IntakeFile.status == "staged").values(status="dropped", expires_at=utcnow()),
            execution_options={"synchronize_session": False},
        )
        db.session.commit()
        if claimed.rowcount == 1:  # type: ignore[attr-defined]
            delete_all(store, key)
            buried = row.values(status="gone", expires_at=utcnow() + TOMBSTONE_FOR)
            db.session.execute(buried, execution_options={"synchronize_session": False})
            db.session.commit()


def reap(store: ObjectStore) -> int:
    """Clear up uploads that never finished and dropped files that are still there: the row is claimed first, then everything
    under its key deleted, again until 30 days after. Commits for itself. Returns the number of rows cleared up for the
    first time."""
    now = utcnow()
    late = and_(IntakeFile.status.in_(("staged", "reaping", "dropped")), IntakeFile.expires_at < now - LATE)
    buried = and_(IntakeFile.status == "gone", IntakeFile.expires_at.is_not(None))
    found = db.session.execute(
        select(IntakeFile.id, IntakeFile.store_key, IntakeFile.status).where(or_(late, buried))
    ).all()
    db.session.rollback()
    reaped = 0
    for file_id, key, status in found:
        of = update(IntakeFile).where(IntakeFile.id == file_id)
        if status == "gone":
            delete_all(store, key)
            db.session.execute(of.where(IntakeFile.expires_at <= now).values(expires_at=None))
            db.session.commit()
            continue
        # Claimed again by its status: an upload that finished since the rows were read is a list that waits.
        claimed = db.session.execute(of.where(late).values(status="reaping"))
        db.session.commit()
        if claimed.rowcount != 1:  # type: ignore[attr-defined]
            continue
        delete_all(store, key)
        db.session.execute(of.values(status="gone", expires_at=utcnow() + TOMBSTONE_FOR))
        db.session.commit()
        reaped += 1
    return reaped
