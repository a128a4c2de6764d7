"""Papers that come by another way than the registrar's own page: from a phone, and stamped forms scanned in a batch."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import db
from portal.models.case import Case
from portal.models.keyed_rows import KeyedRow
from portal.models.people import Account, Office
from portal.models.types import Json, UtcDateTime, new_id, utcnow


class PhoneCapture(db.Model):
    """One evidence slot of one case handed to one phone for ten minutes. Only hashes of its secrets are kept."""

    __tablename__ = "phone_captures"
    __table_args__ = (Index("ix_phone_captures_case", "case_id", "slot"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    slot: Mapped[str] = mapped_column(String(60))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))  # in whose name the files come
    session_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("sign_in_sessions.id", ondelete="CASCADE")
    )  # it ends with that session
    ticket_hash: Mapped[str] = mapped_column(String(64), unique=True)  # of what the QR code holds; taken once
    phone_hash: Mapped[str] = mapped_column(
        String(64), default=""
    )  # of the secret given to the phone that took it
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    case: Mapped[Case] = relationship()
    account: Mapped[Account] = relationship()


class StampedBatch(
    KeyedRow,
    db.Model,
    covers=("id", "office_id", "store_key", "version_id", "sha256", "size", "media_type"),
):
    """A scan of many stamped forms in one file, sealed like any original; its pages go to their cases one by one."""

    __tablename__ = "stamped_batches"
    __table_args__ = (
        CheckConstraint("status in ('staged', 'sorting', 'sorted', 'refused', 'gone')", name="status"),
        Index("ix_stamped_batches_office", "office_id", "created_at"),
        Index("ix_stamped_batches_status", "status", "created_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    # staged and gone are uploads from before stored files had rows of their own; they say nothing any more
    status: Mapped[str] = mapped_column(String(8), default="sorting")
    name: Mapped[str] = mapped_column(String(200))
    store_key: Mapped[str] = mapped_column(String(200), unique=True)
    version_id: Mapped[str] = mapped_column(String(100), default="")
    sha256: Mapped[str] = mapped_column(String(64), default="")
    size: Mapped[int] = mapped_column(Integer, default=0)  # bytes
    media_type: Mapped[str] = mapped_column(String(40), default="")
    refusal: Mapped[str] = mapped_column(Text, default="")
    page_count: Mapped[int] = mapped_column(Integer, default=0)
    done_pages: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    office: Mapped[Office] = relationship()
    account: Mapped[Account] = relationship()
    pages: Mapped[list[StampedPage]] = relationship(order_by="StampedPage.page", back_populates="batch")


class StampedPage(KeyedRow, db.Model, covers=("id", "batch_id", "page", "view", "thumb")):
    """One page of a batch: where it landed and why, or that it waits in the tray to be placed by hand."""

    __tablename__ = "stamped_pages"
    __table_args__ = (
        UniqueConstraint("batch_id", "page"),
        CheckConstraint("outcome in ('landed', 'placed', 'refused', 'tray', 'discarded')", name="outcome"),
        Index("ix_stamped_pages_case", "case_id", "printout"),
        Index("ix_stamped_pages_outcome", "outcome"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    batch_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("stamped_batches.id"))
    page: Mapped[int] = mapped_column(Integer)  # from 1
    outcome: Mapped[str] = mapped_column(String(9))
    message: Mapped[str] = mapped_column(Text, default="")  # why it was refused or lies in the tray
    code: Mapped[str] = mapped_column(String(120), default="")  # what its QR code held
    case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("cases.id"))
    printout: Mapped[str] = mapped_column(String(60), default="")
    version: Mapped[int | None] = mapped_column(
        Integer
    )  # of the printed form; None where no code of ours says it
    doubts: Mapped[dict[str, Any]] = mapped_column(
        Json, default=dict, server_default="{}"
    )  # why it did not land by itself
    view: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # a sealed object
    thumb: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    placed_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("accounts.id"))
    placed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    batch: Mapped[StampedBatch] = relationship(back_populates="pages")
    case: Mapped[Case | None] = relationship()
    placed_by: Mapped[Account | None] = relationship()
