"""Files in the store that are no evidence."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import db
from portal.models.types import UtcDateTime, new_id, utcnow


class StoredFile(db.Model):
    """A file on its way into the store or there: staged, waiting, dropped, reaping, gone. `expires_at` says from when the
    sweep may clear it up, and of one that is gone until when it looks again."""

    __tablename__ = "stored_files"
    __table_args__ = (Index("ix_stored_files_status", "status", "expires_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(
        String(20)
    )  # intake: a list of the admitted; load: an export of the register
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    status: Mapped[str] = mapped_column(String(10))
    key: Mapped[str] = mapped_column(String(200), unique=True)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
