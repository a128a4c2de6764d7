"""A batch comes in by the intent protocol, and what never arrived is swept.

stage() -> commit -> keep() -> settle() -> commit -> only then the person reads "received".
"""

from __future__ import annotations

import uuid
from typing import BinaryIO

from sqlalchemy import and_, or_, select, update

from portal import audit, tasks
from portal.cases.access import Actor
from portal.cases.evidence import STAGED_FOR, shown_name
from portal.cases.evidence_keeping import TOMBSTONE_FOR, delete_all, free_later
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Role, StampedBatch, keyed_rows
from portal.models.types import new_id, utcnow
from storage import intake
from storage.objects import ObjectStore, Sealed, new_key

MAX_BYTES = 100 * 1024 * 1024  # of one batch; the only place
UPLOADERS = (Role.REGISTRAR, Role.REVIEWER, Role.APPROVER)
SORT_TASK = "stamped.sort"
HEAD = 64 * 1024  # bytes by which a file's kind is told
TOO_LARGE = (
    f"文件超过 {MAX_BYTES // 2**20} MB 的上限，没有收下；请降低扫描分辨率（200 dpi 即可），或分成几个文件上传"
)


def stage(actor: Actor, name: str) -> StampedBatch:
    """The intent row. Raises Refused when the role brings no stamped forms."""
    if actor.role not in UPLOADERS:
        raise Refused("盖章表由学籍管理员、审核人或审批人上传")
    batch = StampedBatch(
        id=new_id(),
        office_id=actor.office_id,
        account_id=actor.id,
        status="staged",
        name=shown_name(name),
        store_key=new_key("stamped"),
    )
    db.session.add(batch)
    db.session.flush()
    return batch


def kind_of(stream: BinaryIO) -> str:
    """The media type of a file by its first bytes; the stream is set back. Raises Refused."""
    head = stream.read(HEAD)
    stream.seek(0)
    if not head:
        raise Refused("文件是空的，请重新选择文件")
    try:
        return intake.media_type_of(head)
    except intake.Refused as refused:
        raise Refused(refused.sentence) from refused


def keep(store: ObjectStore, key: str, stream: BinaryIO, media_type: str) -> Sealed:
    """Put the original into the store, byte for byte. No database. Raises storage.objects.StoreError."""
    sealed = store.put(key, stream, size_limit=MAX_BYTES, media_type=media_type)
    return sealed


def settle(batch_id: uuid.UUID, sealed: Sealed, media_type: str) -> StampedBatch:
    """The second write: the staged row counts, and its pages are to be sorted. Raises Refused when it came too late."""
    staged = db.session.get_one(StampedBatch, batch_id)
    received = {
        "version_id": sealed.version_id,
        "sha256": sealed.sha256,
        "size": sealed.size,
        "media_type": media_type,
    }
    done = db.session.execute(
        update(StampedBatch)
        .where(StampedBatch.id == batch_id, StampedBatch.status == "staged")
        .values(
            **keyed_rows.keyed(StampedBatch.__tablename__, keyed_rows.values_of(staged), received),
            status="sorting",
        ),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused("上传中断的时间太长，请重新上传这个文件")
    batch = db.session.get_one(StampedBatch, batch_id, populate_existing=True)
    tasks.enqueue(SORT_TASK, batch_id=str(batch_id))
    audit.append("stamped.received", "stamped_batch", batch_id, sha256=sealed.sha256)
    return batch


def give_up(store: ObjectStore, batch_id: uuid.UUID, key: str) -> None:
    """A batch that failed or came too late frees its space at once; one that is being sorted is left alone. Commits."""
    db.session.rollback()
    with free_later(key):
        claimed = update(StampedBatch).where(StampedBatch.id == batch_id, StampedBatch.status == "staged")
        db.session.execute(claimed.values(status="gone"), execution_options={"synchronize_session": False})
        db.session.commit()
        standing = db.session.scalar(select(StampedBatch.status).where(StampedBatch.id == batch_id))
        db.session.rollback()
        if standing in ("gone", "refused"):
            delete_all(store, key)


def refuse(batch_id: uuid.UUID, why: str) -> None:
    """Note that a file was no batch of forms; give_up() frees its space after the commit, else the sweep."""
    waiting = StampedBatch.status.in_(("staged", "sorting"))
    values = {"status": "refused", "refusal": why}
    db.session.execute(
        update(StampedBatch).where(StampedBatch.id == batch_id, waiting).values(**values),
        execution_options={"synchronize_session": "fetch"},
    )
    audit.append("stamped.unreadable", "stamped_batch", batch_id, result="refused")


def sealed_original(batch: StampedBatch) -> Sealed:
    return Sealed(batch.store_key, batch.version_id, batch.sha256, batch.size)


def reap(store: ObjectStore) -> int:
    """Clear up batches that never arrived and files that were no batch: the row is claimed first, then everything under its
    key deleted, again for 30 days. Commits for itself. Returns the number of rows cleared up for the first time."""
    now = utcnow()
    late = and_(StampedBatch.status == "staged", StampedBatch.created_at < now - STAGED_FOR)
    buried = and_(
        StampedBatch.status.in_(("gone", "refused")),
        StampedBatch.created_at > now - STAGED_FOR - TOMBSTONE_FOR,
    )
    found = db.session.execute(
        select(StampedBatch.id, StampedBatch.store_key, StampedBatch.status).where(or_(late, buried))
    ).all()
    db.session.rollback()
    reaped = 0
    for batch_id, key, status in found:
        if status == "staged":
            claimed = db.session.execute(
                update(StampedBatch).where(StampedBatch.id == batch_id, late).values(status="gone"),
                execution_options={"synchronize_session": False},
            )
            db.session.commit()
            if claimed.rowcount != 1:  # type: ignore[attr-defined]
                continue
            reaped += 1
        delete_all(store, key)
    return reaped
