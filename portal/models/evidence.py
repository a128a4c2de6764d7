"""Files sealed as evidence, and our own renditions of their pages."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import db
from portal.models.types import Json, UtcDateTime, new_id, utcnow


class EvidenceFile(db.Model):
    """An original, byte for byte. staged -> committed, or staged -> reaping -> gone; a committed one only leaves
    a draft by `removed_at`, its object stays. A read goes by (key, version_id) and is checked against sha256."""

    __tablename__ = "evidence_files"
    __table_args__ = (
        CheckConstraint("status in ('staged', 'committed', 'refused', 'reaping', 'gone')", name="status"),
        Index("ix_evidence_files_case_slot", "case_id", "slot"),
        Index("ix_evidence_files_sha256", "sha256"),
        Index("ix_evidence_files_status_expires", "status", "expires_at"),
        Index("ix_evidence_files_lock_mode", "lock_mode"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    slot: Mapped[str] = mapped_column(String(60))
    status: Mapped[str] = mapped_column(String(10), default="staged")
    name: Mapped[str] = mapped_column(String(200))  # as the person's computer called it, cleaned for display
    store_key: Mapped[str] = mapped_column(String(200), unique=True)
    version_id: Mapped[str] = mapped_column(String(100), default="")
    sha256: Mapped[str] = mapped_column(String(64), default="")
    size: Mapped[int] = mapped_column(Integer, default=0)  # bytes
    media_type: Mapped[str] = mapped_column(String(40), default="")
    verdict: Mapped[str] = mapped_column(String(8), default="")
    refusal: Mapped[str] = mapped_column(Text, default="")  # why the file as a whole is no evidence
    notice: Mapped[str] = mapped_column(Text, default="")  # the same content was used or returned before
    override_reason: Mapped[str] = mapped_column(Text, default="")
    uploaded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # of a staged row
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    removed_round: Mapped[int | None] = mapped_column(Integer)
    round: Mapped[int] = mapped_column(Integer, default=0)  # the case's round when it came
    lock_mode: Mapped[str] = mapped_column(
        String(12), default=""
    )  # what the store has been told to hold it by

    pages: Mapped[list[EvidencePage]] = relationship(order_by="EvidencePage.page", back_populates="file")


class EvidencePage(db.Model):
    """One page of a file: its measurements and where the re-encoded view and thumbnail lie (a cache, never evidence)."""

    __tablename__ = "evidence_pages"
    __table_args__ = (UniqueConstraint("file_id", "page"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    file_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("evidence_files.id", ondelete="CASCADE"))
    page: Mapped[int] = mapped_column(Integer)  # from 1
    width: Mapped[int] = mapped_column(Integer)  # pixels of the original page
    height: Mapped[int] = mapped_column(Integer)
    verdict: Mapped[str] = mapped_column(String(8))
    measurements: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    view: Mapped[dict[str, Any]] = mapped_column(
        Json, default=dict
    )  # a sealed object: key, version_id, sha256, size
    thumb: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)

    file: Mapped[EvidenceFile] = relationship(back_populates="pages")
