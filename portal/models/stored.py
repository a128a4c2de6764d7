"""Files in the store: one row each, whatever names them."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import db
from portal.models.types import UtcDateTime, new_id, utcnow


class StoredFile(db.Model):
    """A file on its way into the store or there: staged, kept, dropped, reaping, gone. `expires_at` says from when the sweep
    may clear it up, of a kept one when its term is over, and of one that is gone until when the sweep looks again."""

    __tablename__ = "stored_files"
    __table_args__ = (
        Index("ix_stored_files_status", "status", "expires_at"),
        Index("ix_stored_files_sha256", "sha256"),
        Index("ix_stored_files_retain_until", "retain_until"),
        Index("ix_stored_files_lock_mode", "lock_mode"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(20))  # of cases.stored_files.KINDS
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    status: Mapped[str] = mapped_column(String(10))
    key: Mapped[str] = mapped_column(String(200), unique=True)
    version_id: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    sha256: Mapped[str] = mapped_column(String(64), default="", server_default=text("''"))
    size: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))  # bytes
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    # What the store was told to hold it by, and until when at least; a file that nobody locked may go at any time.
    lock_mode: Mapped[str] = mapped_column(String(12), default="", server_default=text("''"))
    retain_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
