"""Days that are not what their weekday says: of the State Council's yearly notice, and local ones with their own document."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import db
from portal.models.people import Account, Office
from portal.models.types import UtcDateTime, new_id, utcnow


class CalendarNotice(db.Model):
    """The whole notice of a year, entered by a topmost office for all offices below it. While it stands the year is known."""

    __tablename__ = "calendar_notices"
    __table_args__ = (
        Index(
            "uq_calendar_notices_standing",
            "office_id",
            "year",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))
    year: Mapped[int] = mapped_column(Integer)
    document: Mapped[str] = mapped_column(String(200))
    entered_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("accounts.id"))  # None: shipped
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    withdrawn_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("accounts.id"))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    entered_by: Mapped[Account | None] = relationship(foreign_keys=[entered_by_id])


class Holiday(db.Model):
    """One day, `off` or `work` (调休), for an office and all below it. With `notice_id` it is a notice's; without, a local day
    with its own document, which may come back `yearly` and then, where it `moves`, on the Monday after a weekend."""

    __tablename__ = "calendar_days"
    __table_args__ = (
        CheckConstraint("kind in ('off', 'work')", name="kind"),
        Index(
            "uq_calendar_days_national",
            "office_id",
            "day",
            unique=True,
            sqlite_where=text("notice_id IS NOT NULL"),
            postgresql_where=text("notice_id IS NOT NULL"),
        ),
        Index(
            "uq_calendar_days_local",
            "office_id",
            "day",
            unique=True,
            sqlite_where=text("notice_id IS NULL"),
            postgresql_where=text("notice_id IS NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))
    notice_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("calendar_notices.id"))
    day: Mapped[date] = mapped_column()
    kind: Mapped[str] = mapped_column(String(4))
    name: Mapped[str] = mapped_column(String(40), default="")
    notice: Mapped[str] = mapped_column(String(200), default="")  # the document of a local day
    yearly: Mapped[bool] = mapped_column(default=False)
    moves: Mapped[bool] = mapped_column(default=False)

    office: Mapped[Office] = relationship()
