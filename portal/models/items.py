"""What waits for a person's answer, thing by thing, outside a case: rows of a load that a bureau confirms, and their like."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import db
from portal.models.people import Account, Office
from portal.models.types import Json, UtcDateTime, new_id, utcnow


class Item(db.Model):
    """One thing that waits for an office. `scope_office_id` is whom it is about, `owner_office_id` who answers; the line of
    the scope stands beside it, so that what an office may see is an equality. `key` makes it one of its kind: what comes
    again is this row, opened again."""

    __tablename__ = "items"
    __table_args__ = (
        CheckConstraint("status in ('open', 'answered', 'accepted', 'closed')", name="status"),
        UniqueConstraint("kind", "scope_office_id", "key"),
        Index("ix_items_owner", "owner_office_id", "status", "due_on", "id"),
        Index("ix_items_county", "county_id", "status", "due_on", "id"),
        Index("ix_items_state", "state_id", "status", "due_on", "id"),
        Index("ix_items_source", "source_kind", "source_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(20))  # "load"
    source_kind: Mapped[str] = mapped_column(String(20))  # what it came from: "load"
    source_id: Mapped[uuid.UUID] = mapped_column()
    scope_office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))
    key: Mapped[str] = mapped_column(String(80))
    category: Mapped[str] = mapped_column(String(20), default="")
    owner_office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))
    district_id: Mapped[uuid.UUID | None] = mapped_column()
    county_id: Mapped[uuid.UUID | None] = mapped_column()
    state_id: Mapped[uuid.UUID | None] = mapped_column()
    pupil_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    other_pupil_id: Mapped[uuid.UUID | None] = mapped_column()
    before: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # of a load: rows of each kind
    status: Mapped[str] = mapped_column(String(10), default="open")
    cause: Mapped[str] = mapped_column(Text, default="")  # why it was closed, in the words of who closed it
    due_on: Mapped[date | None] = mapped_column()
    first_run: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)  # since when it waits
    last_run: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    closed_by_case: Mapped[uuid.UUID | None] = mapped_column()
    version: Mapped[int] = mapped_column(Integer, default=0)

    scope: Mapped[Office] = relationship(foreign_keys=scope_office_id, lazy="joined")
    owner: Mapped[Office] = relationship(foreign_keys=owner_office_id, lazy="joined")


class ItemEvent(db.Model):
    """What happened to an item; the database refuses to change or delete it."""

    __tablename__ = "item_events"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    item_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("items.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    verb: Mapped[str] = mapped_column(String(20))  # opened, accepted, refused, withdrawn, written
    actor_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("accounts.id"))
    answer: Mapped[str] = mapped_column(Text, default="")

    actor: Mapped[Account | None] = relationship(lazy="joined")


ITEM_GUARDS = {
    "sqlite": tuple(
        f"CREATE TRIGGER item_events_no_{act.lower()} BEFORE {act} ON item_events "
        "BEGIN SELECT RAISE(ABORT, 'item events are append-only'); END"
        for act in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        "CREATE FUNCTION refuse_item_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'item events are append-only'; END $$",
        "CREATE TRIGGER item_events_guard BEFORE UPDATE OR DELETE ON item_events "
        "FOR EACH ROW EXECUTE FUNCTION refuse_item_change()",
    ),
}
"""Statements by which the database itself keeps the events; the migration runs them."""
