"""The numbers that a pupil has or had, and the columns that an open case holds."""

from __future__ import annotations

import uuid
from datetime import date

from sqlalchemy import ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import db

NATIONAL, TEMPORARY, SCHOOL, SECONDARY = "national", "temporary", "school", "secondary"
NUMBER_KINDS = {NATIONAL: "学籍号", TEMPORARY: "临时学籍号", SCHOOL: "学号", SECONDARY: "学籍辅号"}


class PupilNumber(db.Model):
    """One number of a pupil from a day on, until another took its place. Written only by cases.pupil_numbers.

    `scope` is "" for numbers of the whole country, which are one pupil's for ever; of a 学号 the school, of a 学籍辅号 the
    province. `since` is None where it was not kept.
    """

    __tablename__ = "pupil_numbers"
    __table_args__ = (
        Index(
            "uq_pupil_numbers_nationwide",
            "kind",
            "scope",
            "number",
            unique=True,
            sqlite_where=text("scope = ''"),
            postgresql_where=text("scope = ''"),
        ),
        Index(
            "uq_pupil_numbers_current",
            "pupil_id",
            "kind",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
        Index("ix_pupil_numbers_number", "number"),
        Index("ix_pupil_numbers_pupil_id", "pupil_id"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    pupil_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pupils.id"))
    kind: Mapped[str] = mapped_column(String(10))
    scope: Mapped[str] = mapped_column(String(40), default="")
    number: Mapped[str] = mapped_column(String(40))
    since: Mapped[date | None] = mapped_column()
    until: Mapped[date | None] = mapped_column()
    source_kind: Mapped[str] = mapped_column(String(10), default="")  # load, case; "" for neither
    source_id: Mapped[uuid.UUID | None] = mapped_column()


class Hold(db.Model):
    """A column of a pupil that an open case will change: no other case may be submitted that changes it too."""

    __tablename__ = "holds"

    pupil_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pupils.id"), primary_key=True)
    column: Mapped[str] = mapped_column(String(40), primary_key=True)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"), index=True)
