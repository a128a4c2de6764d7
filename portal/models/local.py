"""What a bureau adds to the policy that came with the program."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import db
from portal.models.people import Account
from portal.models.types import Json, UtcDateTime, new_id, utcnow


class LocalConditionSet(db.Model):
    """A version of the conditions that a state bureau adds to one list of the policy, e.g. "workflow.list". The newest is
    in force; a condition is retired, never rewritten or deleted."""

    __tablename__ = "local_condition_sets"
    __table_args__ = (UniqueConstraint("office_id", "key", "number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))
    key: Mapped[str] = mapped_column(String(80))
    number: Mapped[int] = mapped_column(Integer)  # 1, 2, ...
    conditions: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)  # LocalCondition's fields
    note: Mapped[str] = mapped_column(Text, default="")  # why
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    account: Mapped[Account] = relationship(lazy="joined")
