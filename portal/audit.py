"""The audit chain: what cannot be recorded does not happen.

Each record's digest covers the one before it; the head row is locked in the transaction of the act itself. Personal
data stand in records only as ids and keyed hashes.

What never belongs here: who may do a thing, a request.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal import keyed_digests
from portal.extensions import db, reading_only
from portal.models import AuditHead, AuditRecord
from portal.models.audit import MAIN
from portal.models.types import utcnow

START = "0" * 64
BATCH = 5000
SEALED = "audit.sealed"
ANCHOR_DUE = "anchor_due"
ANCHOR_EVERY = timedelta(hours=1)  # while there is activity


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
    if not head.keyed_since:
        _begin_keys(target, head)
    return _write(target, head, action, kind, str(object_id), result, body)


def _write(
    session: Any, head: AuditHead, action: str, kind: str, object_id: str, result: str, body: dict[str, Any]
) -> AuditRecord:
    where = origin.get()
    record = AuditRecord(
        seq=head.seq + 1,
        at=utcnow(),
        actor_id=where.actor_id,
        office_id=where.office_id,
        action=action,
        object_kind=kind,
        object_id=object_id,
        result=result,
        address=where.address,
        session_id=where.session_id,
        request_id=where.request_id,
        body=body,
        alg="sha256",
        key_id=keyed_digests.keys().current,
        stream=MAIN,
        previous=head.digest,
    )
    record.digest = digest(record)
    head.seq, head.digest = record.seq, record.digest
    if head.anchor_due is None or record.at >= head.anchor_due:
        if head.anchor_due is not None:
            session.info[ANCHOR_DUE] = True  # oversight.anchors takes it up after the commit
        head.anchor_due = record.at + ANCHOR_EVERY
    session.add(record)
    session.flush()
    return record


def _begin_keys(session: Any, head: AuditHead) -> None:
    """From the next record on every one is keyed. An older chain is sealed by a record of its own, whose number is noted
    outside the database at once; what stands before it has no digests of contents."""
    head.keyed_since, head.rows_sealed = head.seq + 1, head.seq == 0
    if head.seq:
        head.anchor_due = utcnow()
        _write(session, head, SEALED, "audit", str(head.seq), "ok", {})


def _locked_head(session: Any) -> AuditHead:
    """The head row, locked and as it stands in the database, not as this session may remember it."""
    query = (
        select(AuditHead).where(AuditHead.id == 1).with_for_update().execution_options(populate_existing=True)
    )
    head: AuditHead | None = session.execute(query).scalar_one_or_none()
    if head is None:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        first = insert(AuditHead).values(
            id=1, seq=0, digest=START, keyed_since=0, rows_sealed=False, anchored_seq=0
        )
        session.execute(first.on_conflict_do_nothing())
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
    """The hash that seals a record: over the previous digest and the record's canonical JSON, keyed by the record's key.

    "" where this installation does not have that key; a record without one is of the time before there were keys.
    """
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
    if not record.key_id:
        text = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.new(record.alg, (record.previous + text).encode()).hexdigest()
    key = keyed_digests.keys().of(record.key_id)
    if key is None:
        return ""
    named = fields | {"key": record.key_id, "stream": record.stream}
    return keyed_digests.mac(record.previous.encode() + keyed_digests.canonical(named), key, record.alg)


def keyed_hash(key: str, text: str) -> str:
    """A hash by which the same text is recognised without being readable, e.g. a login that failed."""
    return keyed_digests.mac(text.encode(), key.encode())


@dataclass(frozen=True)
class Anchor:
    """What was noted of the chain outside the database: the digest of a record or its first digits, and, where it was noted,
    since which record every one is keyed."""

    seq: int
    digest: str
    keyed_since: int = 0


@dataclass(frozen=True)
class Verdict:
    """What a verification found: the number of records, the first fault, "" when there is none, the last sound digest, and
    from which record on contents are covered by keyed digests (0: none yet)."""

    records: int
    fault: str
    head: str
    keyed_since: int = field(default=0, compare=False)


def verify(*anchors: Anchor) -> Verdict:
    """Walk the whole chain. With anchors noted outside a cut tail is found too.

    Reads in a session of its own and up to the head as it stood at the start, so writers may go on meanwhile.
    """
    with reading_only(), Session(db.engine) as session:
        newest = select(func.max(AuditRecord.seq)).scalar_subquery()
        head = session.execute(
            select(AuditHead.seq, AuditHead.digest, newest, AuditHead.keyed_since).where(AuditHead.id == 1)
        ).one_or_none()
        last, head_digest, highest, keyed_since = head or (0, START, session.scalar(select(newest)), 0)
        walk = _Walk(anchors)
        for record in records(session, last):
            if fault := walk.fault_in(record):
                return Verdict(walk.sound, fault, walk.previous, walk.keyed_since)
    if (last, head_digest) != (walk.sound, walk.previous) or (highest or 0) > last:
        fault = f"链尾记为 {last}，与最后一条记录 {highest or 0} 不符"
    elif keyed_since != walk.keyed_since:
        fault = f"登记为自第 {keyed_since} 条起用密钥封存，实际自第 {walk.keyed_since} 条起：封存被改写"
    else:
        fault = walk.fault_at_the_end()
    return Verdict(walk.sound, fault, walk.previous, walk.keyed_since)


def tail_fault(number: int, *anchors: Anchor) -> str:
    """What is wrong with the newest records, "" for nothing: what can be asked at any time, in the time of a page."""
    with reading_only(), Session(db.engine) as session:
        head = session.execute(select(AuditHead.__table__)).one_or_none()
        if head is None:
            return ""
        first = max(0, head.seq - number)
        walk = _Walk(anchors)
        walk.sound = first
        walk.keyed_since = head.keyed_since if head.keyed_since <= first else 0
        if first:
            walk.previous = session.scalar(select(AuditRecord.digest).where(AuditRecord.seq == first)) or ""
        for record in records(session, head.seq, first):
            if fault := walk.fault_in(record):
                return fault
    if (walk.sound, walk.previous) != (head.seq, head.digest):
        return f"链尾记为 {head.seq}，与最后一条记录 {walk.sound} 不符"
    return walk.fault_at_the_end()


class _Walk:
    """Where a verification stands; it says what is wrong with the next record."""

    def __init__(self, anchors: tuple[Anchor, ...]) -> None:
        self.anchors = anchors
        self.previous, self.sound, self.keyed_since = START, 0, 0

    def fault_in(self, record: Any) -> str:
        if record.seq != self.sound + 1:
            return f"记录 {self.sound + 1} 缺失（其后是 {record.seq}）"
        if self.keyed_since and not record.key_id:
            return f"记录 {record.seq} 没有用密钥封存，而自第 {self.keyed_since} 条起每条都应有：被改写"
        found = digest(record)
        if not found:
            return f"记录 {record.seq} 用的密钥 {record.key_id} 本机没有：请在 XUEJI_AUDIT_OLD_KEYS 中给出"
        if record.previous != self.previous or record.digest != found:
            return f"记录 {record.seq} 的内容或次序被改动"
        for anchor in self.anchors:
            if record.seq == anchor.seq and not record.digest.startswith(anchor.digest):
                return f"记录 {record.seq} 与外部留存的锚点不符"
        self.previous, self.sound = record.digest, record.seq
        if record.key_id and not self.keyed_since:
            self.keyed_since = record.seq
        return ""

    def fault_at_the_end(self) -> str:
        for anchor in self.anchors:
            if anchor.seq > self.sound:
                return f"外部留存的锚点是第 {anchor.seq} 条，现在只有 {self.sound} 条：链尾被截去"
            if anchor.keyed_since and anchor.keyed_since != self.keyed_since:
                return (
                    f"外部留存的锚点记着自第 {anchor.keyed_since} 条起用密钥封存，现在自第 {self.keyed_since} 条起："
                    "记录被改写成未封存的样子"
                )
        return ""


def records(session: Session, last: int, after: int = 0) -> Iterator[Any]:
    """Rows after one number up to `last` in batches, as plain rows: no object is kept for each of a million records."""
    columns, seq = list(AuditRecord.__table__.columns), after
    while True:
        query = select(*columns).where(AuditRecord.seq > seq, AuditRecord.seq <= last)
        batch = session.execute(query.order_by(AuditRecord.seq).limit(BATCH)).all()
        if not batch:
            return
        yield from batch
        seq = batch[-1].seq
