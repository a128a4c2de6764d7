"""What people have typed and not sent."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import db
from portal.models.types import Json, UtcDateTime, new_id, utcnow


class UnsentText(db.Model):
    """What one person typed into one form about one thing. Nobody but its account ever reads or writes it."""

    __tablename__ = "unsent_texts"
    __table_args__ = (
        UniqueConstraint("account_id", "about", "about_id", "form"),
        Index("ix_unsent_texts_saved_at", "saved_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    about: Mapped[str] = mapped_column(String(10))  # case, load, item, office
    about_id: Mapped[uuid.UUID] = mapped_column()
    form: Mapped[str] = mapped_column(String(60))  # "decide", "row:ID"
    page: Mapped[str] = mapped_column(String(16))  # on which it was typed
    revision: Mapped[int] = mapped_column(Integer)  # 1, 2, ...: what a page was drawn from
    stamp: Mapped[str] = mapped_column(String(40), default="")  # of the thing as the page showed it
    fields: Mapped[dict[str, list[str]]] = mapped_column(Json, default=dict)
    # {page: what a row holds of it} of the other pages that are open on the same form
    others: Mapped[dict[str, dict[str, Any]]] = mapped_column(Json, default=dict)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
