"""The audit chain: append-only, each record sealed by the hash of the one before."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import db
from portal.models.types import Json, UtcDateTime


class AuditRecord(db.Model):
    """One act or view. Persons and objects stand as ids only, so that erasing a person leaves the chain whole."""

    __tablename__ = "audit_records"
    __table_args__ = (
        Index("ix_audit_records_actor_at", "actor_id", "at"),
        Index("ix_audit_records_object", "object_kind", "object_id", "at"),
        Index("ix_audit_records_action_at", "action", "at"),
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
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class AuditHead(db.Model):
    """The single row (id 1) that names the newest record; locking it puts writers in line."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(Integer, default=0)
    digest: Mapped[str] = mapped_column(String(64), default="0" * 64)


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
