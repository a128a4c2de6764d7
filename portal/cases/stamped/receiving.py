"""A batch comes in as a stored file (cases.stored_files): stage(), then within receiving() keep() and settle(); only then the
person reads "received". It has a row here from then on, or when it was turned away."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, BinaryIO

from portal import audit, tasks
from portal.cases import stored_files
from portal.cases.access import Actor
from portal.cases.evidence import shown_name
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Role, StampedBatch
from portal.models.types import new_id
from storage import intake
from storage.objects import ObjectStore, Sealed

MAX_BYTES = 100 * 1024 * 1024  # of one batch; the only place
UPLOADERS = (Role.REGISTRAR, Role.REVIEWER, Role.APPROVER)
SORT_TASK = "stamped.sort"
HEAD = 64 * 1024  # bytes by which a file's kind is told
TOO_LARGE = (
    f"文件超过 {MAX_BYTES // 2**20} MB 的上限，没有收下；请降低扫描分辨率（200 dpi 即可），或分成几个文件上传"
)


@dataclass(frozen=True)
class Coming:
    """A batch on its way in, with the key that its staged row names."""

    key: str
    name: str
    office_id: uuid.UUID
    account_id: uuid.UUID


def stage(actor: Actor, name: str) -> Coming:
    """The intent row. Raises Refused when the role brings no stamped forms."""
    if actor.role not in UPLOADERS:
        raise Refused("盖章表由学籍管理员、审核人或审批人上传")
    key = stored_files.expect(stored_files.STAMPED, actor.office_id, actor)
    return Coming(key, shown_name(name), actor.office_id, actor.id)


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


def settle(coming: Coming, sealed: Sealed, media_type: str) -> StampedBatch:
    """The second write: the batch is there, and its pages are to be sorted. Raises Refused when it came too late."""
    stored_files.settle(sealed)
    batch = _new(
        coming,
        status="sorting",
        version_id=sealed.version_id,
        sha256=sealed.sha256,
        size=sealed.size,
        media_type=media_type,
    )
    tasks.enqueue(SORT_TASK, batch_id=str(batch.id))
    audit.append("stamped.received", "stamped_batch", batch.id, sha256=sealed.sha256)
    return batch


def _new(coming: Coming, **values: Any) -> StampedBatch:
    batch = StampedBatch(
        id=new_id(),
        office_id=coming.office_id,
        account_id=coming.account_id,
        name=coming.name,
        store_key=coming.key,
        **values,
    )
    db.session.add(batch)
    db.session.flush()
    return batch


def turn_away(coming: Coming, why: str) -> None:
    """Note that a file was not taken as a batch; nothing of it is kept."""
    batch = _new(coming, status="refused", refusal=why)
    audit.append("stamped.unreadable", "stamped_batch", batch.id, result="refused")


def refuse(batch: StampedBatch, why: str) -> None:
    """Note that a file that was received is no batch of forms; stored_files.clear() deletes it after the commit, else the sweep."""
    batch.status, batch.refusal = "refused", why
    stored_files.drop(batch.store_key)
    audit.append("stamped.unreadable", "stamped_batch", batch.id, result="refused")


def sealed_original(batch: StampedBatch) -> Sealed:
    return Sealed(batch.store_key, batch.version_id, batch.sha256, batch.size)
