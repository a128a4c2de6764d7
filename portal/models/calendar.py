"""Days off and make-up working days, as the yearly State Council notice sets them; editable by the bureau."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import db


class Holiday(db.Model):
    """One day that is not what its weekday says: `off`, or `work` for a 调休 working day."""

    __tablename__ = "holidays"
    __table_args__ = (CheckConstraint("kind in ('off', 'work')", name="kind"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(4))
    name: Mapped[str] = mapped_column(String(40), default="")
    notice: Mapped[str] = mapped_column(String(200), default="")
