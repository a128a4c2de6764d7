"""The audit chain: what cannot be recorded does not happen.

Each record's digest covers the one before it; the head row is locked in the transaction of the act itself. Personal
data stand in records only as ids and keyed hashes.

What never belongs here: who may do a thing, a request.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal.extensions import db, reading_only
from portal.models import AuditHead, AuditRecord
from portal.models.types import utcnow

START = "0" * 64
BATCH = 5000


@dataclass(frozen=True)
class Origin:
    """Who acts and from where; the web sets it for each request, a command for its run."""

    actor_id: uuid.UUID | None = None
    office_id: uuid.UUID | None = None
    session_id: uuid.UUID | None = None
    address: str = ""
    request_id: str = ""


origin: ContextVar[Origin] = ContextVar("audit_origin", default=Origin())  # noqa: B039 - frozen


def set_origin(**changes: Any) -> None:
    """Replace parts of the current origin."""
    origin.set(replace(origin.get(), **changes))


def append(
    action: str,
    kind: str = "",
    object_id: object = "",
    *,
    result: str = "ok",
    session: Session | None = None,
    **body: Any,
) -> AuditRecord:
    """Add a record to the running transaction. Call it last: the head stays locked until the commit.

    `body` holds plain JSON values without names, numbers or texts of persons.
    """
    target: Any = session or db.session
    head = _locked_head(target)
    where = origin.get()
    record = AuditRecord(
        seq=head.seq + 1,
        at=utcnow(),
        actor_id=where.actor_id,
        office_id=where.office_id,
        action=action,
        object_kind=kind,
        object_id=str(object_id),
        result=result,
        address=where.address,
        session_id=where.session_id,
        request_id=where.request_id,
        body=body,
        alg="sha256",
        previous=head.digest,
    )
    record.digest = digest(record)
    head.seq, head.digest = record.seq, record.digest
    target.add(record)
    target.flush()
    return record


def _locked_head(session: Any) -> AuditHead:
    """The head row, locked and as it stands in the database, not as this session may remember it."""
    query = (
        select(AuditHead).where(AuditHead.id == 1).with_for_update().execution_options(populate_existing=True)
    )
    head: AuditHead | None = session.execute(query).scalar_one_or_none()
    if head is None:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        session.execute(insert(AuditHead).values(id=1, seq=0, digest=START).on_conflict_do_nothing())
        head = session.execute(query).scalar_one()
    return head


def append_now(
    action: str, kind: str = "", object_id: object = "", *, result: str = "ok", **body: Any
) -> None:
    """Record a view in a transaction of its own, committed before the thing is shown.

    Raises whatever the database raises: then nothing is shown.
    """
    with reading_only(False), Session(db.engine) as session:
        append(action, kind, object_id, result=result, session=session, **body)
        session.commit()


def digest(record: Any) -> str:
    """The hash that seals a record: sha256 over the previous digest and the record's canonical JSON."""
    fields = {
        "seq": record.seq,
        "at": record.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": record.actor_id and record.actor_id.hex,
        "office": record.office_id and record.office_id.hex,
        "action": record.action,
        "kind": record.object_kind,
        "object": record.object_id,
        "result": record.result,
        "address": record.address,
        "session": record.session_id and record.session_id.hex,
        "request": record.request_id,
        "body": record.body,
    }
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.new(record.alg, (record.previous + text).encode()).hexdigest()


def keyed_hash(key: str, text: str) -> str:
    """A hash by which the same text is recognised without being readable, e.g. a login that failed."""
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Verdict:
    """What a verification found: the number of records and the first fault, "" when there is none."""

    records: int
    fault: str
    head: str


def verify(anchor: tuple[int, str] | None = None) -> Verdict:
    """Walk the whole chain. `anchor` is a (seq, digest) noted outside; with it a cut tail is found too.

    Reads in a session of its own and up to the head as it stood at the start, so writers may go on meanwhile.
    """
    with reading_only(), Session(db.engine) as session:
        newest = select(func.max(AuditRecord.seq)).scalar_subquery()
        head = session.execute(
            select(AuditHead.seq, AuditHead.digest, newest).where(AuditHead.id == 1)
        ).one_or_none()
        last, head_digest, highest = head or (0, START, session.scalar(select(newest)))
        previous, sound, seen = START, 0, anchor is None or anchor == (0, START)
        for record in _records(session, last):
            if record.seq != sound + 1:
                return Verdict(sound, f"记录 {sound + 1} 缺失（其后是 {record.seq}）", previous)
            if record.previous != previous or digest(record) != record.digest:
                return Verdict(sound, f"记录 {record.seq} 的内容或次序被改动", previous)
            if anchor and record.seq == anchor[0]:
                if record.digest != anchor[1]:
                    return Verdict(sound, f"记录 {record.seq} 与外部留存的锚点不符", previous)
                seen = True
            previous, sound = record.digest, record.seq
    if (last, head_digest) != (sound, previous) or (highest or 0) > last:
        return Verdict(sound, f"链尾记为 {last}，与最后一条记录 {highest or 0} 不符", previous)
    if not seen:
        cut = f"外部留存的锚点是第 {anchor[0] if anchor else 0} 条，现在只有 {sound} 条：链尾被截去"
        return Verdict(sound, cut, previous)
    return Verdict(sound, "", previous)


def _records(session: Session, last: int) -> Iterator[Any]:
    """Rows up to `last` in batches, as plain rows: no object is kept for each of a million records."""
    columns, seq = list(AuditRecord.__table__.columns), 0
    while True:
        query = select(*columns).where(AuditRecord.seq > seq, AuditRecord.seq <= last)
        batch = session.execute(query.order_by(AuditRecord.seq).limit(BATCH)).all()
        if not batch:
            return
        yield from batch
        seq = batch[-1].seq
