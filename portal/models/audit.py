"""The audit chain: append-only, each record sealed by the hash of the one before."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Float, Index, Integer, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import db
from portal.models.keyed_rows import KeyedRow
from portal.models.types import Json, UtcDateTime, new_id, utcnow

MAIN = "main"


class AuditRecord(db.Model):
    """One act or view. Persons and objects stand as ids only, so that erasing a person leaves the chain whole."""

    __tablename__ = "audit_records"
    __table_args__ = (
        Index("ix_audit_records_actor_at", "actor_id", "at"),
        Index("ix_audit_records_object", "object_kind", "object_id", "at"),
        Index("ix_audit_records_action_at", "action", "at"),
        # The key of a record is (stream, seq). `seq` stays the primary key while there is one stream: another one cannot be
        # had on SQLite without making the table anew, which drops its guards and rewrites every record.
        Index("uq_audit_records_stream_seq", "stream", "seq", unique=True),
    )

    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[uuid.UUID | None] = mapped_column()
    office_id: Mapped[uuid.UUID | None] = mapped_column()
    action: Mapped[str] = mapped_column(String(40))
    object_kind: Mapped[str] = mapped_column(String(20), default="")
    object_id: Mapped[str] = mapped_column(String(60), default="")
    result: Mapped[str] = mapped_column(String(12), default="ok")
    address: Mapped[str] = mapped_column(String(60), default="")
    session_id: Mapped[uuid.UUID | None] = mapped_column()
    request_id: Mapped[str] = mapped_column(String(40), default="")
    body: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    alg: Mapped[str] = mapped_column(String(10), default="sha256")
    # The name of the key by which this record is sealed; "": of the time before there was one.
    key_id: Mapped[str] = mapped_column(String(12), default="", server_default=text("''"))
    stream: Mapped[str] = mapped_column(String(20), default=MAIN, server_default=MAIN)
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class AuditHead(db.Model):
    """The single row (id 1) that names the newest record; locking it puts writers in line."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(Integer, default=0)
    digest: Mapped[str] = mapped_column(String(64), default="0" * 64)
    keyed_since: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # 0: no keyed record yet
    # Every row that can carry a digest carries one: from the first record on, or since `flask audit seal`.
    rows_sealed: Mapped[bool] = mapped_column(default=False, server_default=false())
    anchored_seq: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # noted in the store
    anchor_due: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when the next anchor is wanted


class Walk(KeyedRow, db.Model):
    """One walk through everything that is kept, and what it found. The newest tells how the installation stands."""

    __tablename__ = "walks"
    __table_args__ = (Index("ix_walks_kind_at", "kind", "at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(10))  # evidence, audit
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)  # when it ended
    seconds: Mapped[float] = mapped_column(Float, default=0.0)
    checked: Mapped[int] = mapped_column(Integer, default=0)  # objects, or records
    faults: Mapped[int] = mapped_column(Integer, default=0)
    first: Mapped[str] = mapped_column(Text, default="")  # the first fault, in words


GUARDS = {
    "sqlite": tuple(
        f"CREATE TRIGGER audit_records_no_{act.lower()} BEFORE {act} ON audit_records "
        "BEGIN SELECT RAISE(ABORT, 'the audit chain is append-only'); END"
        for act in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit chain is append-only'; END $$",
        "CREATE TRIGGER audit_records_guard BEFORE UPDATE OR DELETE ON audit_records "
        "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()",
        "CREATE TRIGGER audit_records_guard_truncate BEFORE TRUNCATE ON audit_records "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()",
    ),
}
"""Statements by which the database itself refuses to change the chain; the migration runs them."""
