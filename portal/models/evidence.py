"""Files sealed as evidence, our own renditions of their pages, and what was read on them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from portal.extensions import db
from portal.models.keyed_rows import KeyedRow
from portal.models.people import Account
from portal.models.stored import StoredFile
from portal.models.types import Json, UtcDateTime, new_id, utcnow


class EvidenceFile(
    KeyedRow,
    db.Model,
    covers=("id", "case_id", "slot", "store_key", "version_id", "sha256", "size", "media_type"),
):
    """An original, byte for byte, whose bytes are a StoredFile's: committed, or refused and not kept. A committed one only
    leaves a draft by `removed_at`, its object stays. A read goes by (key, version_id) and is checked against sha256."""

    __tablename__ = "evidence_files"
    __table_args__ = (
        CheckConstraint("status in ('staged', 'committed', 'refused', 'reaping', 'gone')", name="status"),
        Index("ix_evidence_files_case_slot", "case_id", "slot"),
        Index("ix_evidence_files_sha256", "sha256"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    slot: Mapped[str] = mapped_column(String(60))
    # staged, reaping and gone are uploads from before stored files had rows of their own; they say nothing any more
    status: Mapped[str] = mapped_column(String(10), default="committed")
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
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    removed_round: Mapped[int | None] = mapped_column(Integer)
    round: Mapped[int] = mapped_column(Integer, default=0)  # the case's round when it came

    stored: Mapped[StoredFile | None] = relationship(
        primaryjoin=lambda: foreign(EvidenceFile.store_key) == StoredFile.key, viewonly=True
    )
    pages: Mapped[list[EvidencePage]] = relationship(order_by="EvidencePage.page", back_populates="file")

    @property
    def written_pages(self) -> int:
        """How many pages bear anything: the blank back of a sheet is no page of a paper."""
        return sum(not page.blank for page in self.pages)


class EvidencePage(KeyedRow, db.Model, covers=("id", "file_id", "page", "view", "thumb", "plain")):
    """One page of a file: its measurements and where the re-encoded view and thumbnail lie (a cache, never evidence)."""

    __tablename__ = "evidence_pages"
    __table_args__ = (
        UniqueConstraint("file_id", "page"),
        CheckConstraint("shown in ('mended', 'plain')", name="shown"),
        Index("ix_evidence_pages_likeness", "likeness"),
    )

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
    plain: Mapped[dict[str, Any]] = mapped_column(
        Json, default=dict, server_default="{}"
    )  # a sealed object: the page only set upright, {} where the view is just that
    shown: Mapped[str] = mapped_column(
        String(8), default="mended", server_default="mended"
    )  # which of the two the person chose
    mending: Mapped[dict[str, Any]] = mapped_column(
        Json, default=dict, server_default="{}"
    )  # what makes the view of the upright page: storage.judge.Mending as a mapping
    likeness: Mapped[str | None] = mapped_column(String(16))  # perceptual hash, 64 bits in hexadecimal
    codes: Mapped[list[dict[str, Any]]] = mapped_column(
        Json, default=list, server_default="[]"
    )  # QR and bar codes: text, box
    seals: Mapped[list[dict[str, Any]]] = mapped_column(
        Json, default=list, server_default="[]"
    )  # red seals: box, score

    @property
    def blank(self) -> bool:
        """Whether it is a blank page beside others, of which is told without refusing it."""
        return any(
            one["name"] == "blank" and one["verdict"] == "pass" and one["message"]
            for one in self.measurements
        )

    file: Mapped[EvidenceFile] = relationship(back_populates="pages")
    reading: Mapped[PageReading | None] = relationship(back_populates="page", cascade="all, delete-orphan")


class PageReading(db.Model):
    """What the machine read on the shown view of a page. A help: it may ask for words, never stop a case."""

    __tablename__ = "page_readings"
    __table_args__ = (
        CheckConstraint("status in ('waiting', 'done', 'failed')", name="status"),
        Index("ix_page_readings_status", "status"),
    )

    page_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("evidence_pages.id", ondelete="CASCADE"), primary_key=True
    )
    status: Mapped[str] = mapped_column(String(8), default="waiting")
    engine: Mapped[str] = mapped_column(String(40), default="")
    lines: Mapped[list[dict[str, Any]]] = mapped_column(
        Json, default=list
    )  # text, box (four corners in shares of the view), confidence
    seconds: Mapped[float] = mapped_column(Float, default=0.0)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    page: Mapped[EvidencePage] = relationship(back_populates="reading")


class ReadingCorrection(db.Model):
    """A reviewer's own reading of one value of a case's papers. The newest of a field counts; the others stay."""

    __tablename__ = "reading_corrections"
    __table_args__ = (Index("ix_reading_corrections_case", "case_id", "field", "at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    field: Mapped[str] = mapped_column(String(60))  # the column of the register
    read: Mapped[str] = mapped_column(Text, default="")  # what the machine had read, "" for nothing
    value: Mapped[str] = mapped_column(Text)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    account: Mapped[Account] = relationship(lazy="joined")


class ThresholdSet(db.Model):
    """One version of the picture checks' thresholds, as a state bureau set them. The newest of an office counts."""

    __tablename__ = "threshold_sets"
    __table_args__ = (UniqueConstraint("office_id", "number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))
    number: Mapped[int] = mapped_column(Integer)  # 1, 2, ...
    changes: Mapped[dict[str, dict[str, float]]] = mapped_column(
        Json, default=dict
    )  # kind of paper ("" for all) -> threshold -> value, only what differs from the standard
    note: Mapped[str] = mapped_column(Text, default="")  # why
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    account: Mapped[Account] = relationship(lazy="joined")
