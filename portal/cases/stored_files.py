"""Files in the store that are no evidence, by one protocol: a row names the key before anything lies there, so that whatever a
dead process leaves is found and deleted by `flask sweep`.

A file is staged until its upload is committed, waiting while somebody needs it, then dropped. No transaction that writes is
open while bytes travel: expect() is committed before they do, settle() comes after.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from sqlalchemy import and_, delete, or_, select, update

from portal.cases.access import Actor
from portal.cases.evidence import STAGED_FOR
from portal.cases.evidence_keeping import TOMBSTONE_FOR, delete_all, free_later
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import StoredFile
from portal.models.types import new_id, utcnow
from storage.objects import ObjectStore, new_key

INTAKE, LOAD = "intake", "load"
FOLDERS = {INTAKE: "intake", LOAD: "loads"}  # of the store
LATE = timedelta(hours=1)


def expect(kind: str, office_id: uuid.UUID, actor: Actor) -> str:
    """The intent row; returns the key under which the file may be put once this is committed."""
    file = StoredFile(
        id=new_id(),
        kind=kind,
        office_id=office_id,
        account_id=actor.id,
        status="staged",
        key=new_key(FOLDERS[kind]),
        expires_at=utcnow() + STAGED_FOR,
    )
    db.session.add(file)
    db.session.flush()
    return file.key


def settle(key: str) -> None:
    """The file counts, in the transaction that names it. Raises Refused when it came too late."""
    done = db.session.execute(
        update(StoredFile)
        .where(StoredFile.key == key, StoredFile.status == "staged")
        .values(status="waiting", expires_at=None),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused("上传中断的时间太长，请重新导入这个文件")


def drop(key: str) -> None:
    """The file is of no more use, in the transaction that forgets it; it is deleted after the commit, else by the sweep."""
    db.session.execute(
        update(StoredFile).where(StoredFile.key == key).values(status="dropped", expires_at=utcnow()),
        execution_options={"synchronize_session": False},
    )


def forget(key: str) -> None:
    """The dropped file has been deleted."""
    db.session.execute(
        delete(StoredFile).where(StoredFile.key == key, StoredFile.status == "dropped"),
        execution_options={"synchronize_session": False},
    )


def give_up(store: ObjectStore, key: str) -> None:
    """A file whose upload failed or was refused half-way frees its space at once; one that waits is left alone. Commits."""
    db.session.rollback()
    with free_later(key):
        row = update(StoredFile).where(StoredFile.key == key)
        claimed = db.session.execute(
            row.where(StoredFile.status == "staged").values(status="dropped", expires_at=utcnow()),
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
    late = or_(
        and_(StoredFile.status.in_(("staged", "reaping")), StoredFile.expires_at < now - LATE),
        and_(StoredFile.status == "dropped", StoredFile.expires_at <= now),  # no upload writes there any more
    )
    buried = and_(StoredFile.status == "gone", StoredFile.expires_at.is_not(None))
    found = db.session.execute(
        select(StoredFile.id, StoredFile.key, StoredFile.status).where(or_(late, buried))
    ).all()
    db.session.rollback()
    reaped = 0
    for file_id, key, status in found:
        of = update(StoredFile).where(StoredFile.id == file_id)
        if status == "gone":
            delete_all(store, key)
            db.session.execute(of.where(StoredFile.expires_at <= now).values(expires_at=None))
            db.session.commit()
            continue
        # Claimed again by its status: an upload that finished since the rows were read is a file that waits.
        claimed = db.session.execute(of.where(late).values(status="reaping"))
        db.session.commit()
        if claimed.rowcount != 1:  # type: ignore[attr-defined]
            continue
        delete_all(store, key)
        db.session.execute(of.values(status="gone", expires_at=utcnow() + TOMBSTONE_FOR))
        db.session.commit()
        reaped += 1
    return reaped
