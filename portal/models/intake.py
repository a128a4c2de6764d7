"""A year's intake: plan, list of the admitted, rosters with their numbers, and what became of them at the province."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import db
from portal.models.case import Case
from portal.models.people import Account, Office
from portal.models.types import Json, UtcDateTime, new_id, utcnow


class IntakePlan(db.Model):
    """One version of a state's enrolment plan for a year. The newest of a year counts; none is overwritten."""

    __tablename__ = "intake_plans"
    __table_args__ = (UniqueConstraint("office_id", "year", "number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))  # the state bureau
    year: Mapped[int] = mapped_column(Integer)  # of entry
    number: Mapped[int] = mapped_column(Integer)  # 1, 2, ...
    document: Mapped[str] = mapped_column(String(80))  # 文号, e.g. 临州教基发〔2022〕12号
    note: Mapped[str] = mapped_column(Text, default="")  # why this version
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    account: Mapped[Account] = relationship(lazy="joined")
    figures: Mapped[list[PlanFigure]] = relationship(back_populates="plan")


class PlanFigure(db.Model):
    """What a plan gives to one county or school: places, and of a county its 初中毕业生总人数."""

    __tablename__ = "plan_figures"

    plan_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("intake_plans.id"), primary_key=True)
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"), primary_key=True)
    places: Mapped[int] = mapped_column(Integer)
    graduates: Mapped[int | None] = mapped_column(Integer)

    plan: Mapped[IntakePlan] = relationship(back_populates="figures")
    office: Mapped[Office] = relationship(lazy="joined")


class AdmittedList(db.Model):
    """One list of the admitted as the examination authority gave it. The newest of a year counts as a whole."""

    __tablename__ = "admitted_lists"
    __table_args__ = (UniqueConstraint("office_id", "year", "number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))  # the state bureau
    year: Mapped[int] = mapped_column(Integer)
    number: Mapped[int] = mapped_column(Integer)
    filename: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    document: Mapped[str] = mapped_column(
        String(80), default="", server_default=text("''")
    )  # the authority's 文号 or letter, where there is one
    note: Mapped[str] = mapped_column(Text, default="")
    people: Mapped[int] = mapped_column(Integer)  # how many it holds
    # school id -> how many were added, removed, changed, moved_in, moved_out since the version before; {} where none was compared
    changes: Mapped[dict[str, dict[str, int]]] = mapped_column(Json, default=dict, server_default="{}")
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    account: Mapped[Account] = relationship(lazy="joined")


class Admitted(db.Model):
    """One person on a list of the admitted, values as stored in the register's codes."""

    __tablename__ = "admitted"
    __table_args__ = (
        UniqueConstraint("list_id", "exam_number"),
        Index("ix_admitted_school", "list_id", "school_id"),
        Index("ix_admitted_id_number", "list_id", "id_number"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    list_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("admitted_lists.id", ondelete="CASCADE"))
    school_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))  # 录取学校
    exam_county: Mapped[str] = mapped_column(String(120))  # 中考报名所在县市, by name
    exam_number: Mapped[str] = mapped_column(String(20))  # 准考证号
    name: Mapped[str] = mapped_column(String(80))
    sex: Mapped[str] = mapped_column(String(1))  # GB/T 2261.1
    ethnicity: Mapped[str] = mapped_column(String(2))  # GB/T 3304
    birth_date: Mapped[date] = mapped_column()
    id_number: Mapped[str] = mapped_column(String(20))
    exam_score: Mapped[str] = mapped_column(String(10))  # 中考成绩, as written


class RosterRow(db.Model):
    """One person on the roster of a case. `values` are {column key: text}, as stored where they can be read, else as
    typed. A struck row stays, with who struck it and why, and goes back to the school."""

    __tablename__ = "roster_rows"
    __table_args__ = (
        UniqueConstraint("number"),  # a 学号 is given once; NULL before it is
        Index("ix_roster_rows_case", "case_id", "position"),
        Index("ix_roster_rows_exam_number", "exam_number"),
        Index("ix_roster_rows_id_number", "id_number"),
        Index("ix_roster_rows_pupil", "pupil_id"),
        Index(
            "uq_roster_rows_secondary_number",
            "secondary_number",
            unique=True,
            sqlite_where=text("secondary_number <> ''"),
            postgresql_where=text("secondary_number <> ''"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    position: Mapped[int] = mapped_column(Integer)  # from 1, as the school ordered them; gaps are allowed
    values: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    exam_number: Mapped[str] = mapped_column(
        String(20), default=""
    )  # copies of two values, to be looked up by
    id_number: Mapped[str] = mapped_column(String(20), default="")
    number: Mapped[str | None] = mapped_column(String(20))  # 学号, written with the last approval
    secondary_number: Mapped[str] = mapped_column(String(40), default="")  # 学籍辅号, as the province gave it
    pupil_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("pupils.id"))  # whom it became
    landed_load_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("register_loads.id")
    )  # the export that first showed the entry
    struck_step: Mapped[str] = mapped_column(String(40), default="")
    struck_reason: Mapped[str] = mapped_column(Text, default="")
    struck_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("accounts.id"))
    struck_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    struck_by: Mapped[Account | None] = relationship()


class NumberRange(db.Model):
    """The 学号 that a roster asked for: first to last of one series, both included. No number of a series is given to
    two ranges (NumberSeries holds its end); numbers that a range gives up are never given again."""

    __tablename__ = "number_ranges"
    __table_args__ = (
        UniqueConstraint("series", "first"),
        UniqueConstraint("series", "last"),
        CheckConstraint("last >= first", name="order"),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    series: Mapped[str] = mapped_column(String(60))
    first: Mapped[int] = mapped_column(BigInteger)
    last: Mapped[int] = mapped_column(BigInteger)

    case: Mapped[Case] = relationship()


class Postponement(db.Model):
    """延期注册: an admitted person who reports later, by the school's record. Without one, not reporting is giving up."""

    __tablename__ = "postponements"
    __table_args__ = (UniqueConstraint("school_id", "year", "exam_number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    school_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))
    year: Mapped[int] = mapped_column(Integer)
    exam_number: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    until: Mapped[date] = mapped_column()
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    account: Mapped[Account] = relationship(lazy="joined")


class IntakeReminder(db.Model):
    """催报: a bureau asked a school to send its roster. At most one a school and day."""

    __tablename__ = "intake_reminders"
    __table_args__ = (UniqueConstraint("school_id", "year", "day"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    school_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))
    year: Mapped[int] = mapped_column(Integer)
    day: Mapped[date] = mapped_column()
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))  # whose reminder
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    account: Mapped[Account] = relationship(lazy="joined")
    office: Mapped[Office] = relationship(foreign_keys=[office_id], lazy="joined")


class ProvinceFiling(db.Model):
    """What was sent to the province of an approved roster, and what came back."""

    __tablename__ = "province_filings"

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    document: Mapped[str] = mapped_column(String(80))  # 报送文号
    sent_on: Mapped[date] = mapped_column()
    sent_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    returned_on: Mapped[date | None] = mapped_column()  # when the last 学籍辅号 had come
    returned: Mapped[dict[str, Any]] = mapped_column(
        Json, default=dict
    )  # filename, sha256, matched of the last file

    case: Mapped[Case] = relationship(lazy="joined")
    sent_by: Mapped[Account] = relationship()


class ProvinceReturnRow(db.Model):
    """A row of the province's return that could not be used; it stays until a later load settles it or the state puts it
    aside. Texts as the file had them."""

    __tablename__ = "province_return_rows"
    __table_args__ = (Index("ix_province_return_rows_number", "office_id", "number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))  # the state bureau
    year: Mapped[int] = mapped_column(
        Integer
    )  # of the person's intake; of the page of the load where nobody has the number
    row: Mapped[int] = mapped_column(Integer)  # as Excel counts
    number: Mapped[str] = mapped_column(String(40))  # 学号
    secondary_number: Mapped[str] = mapped_column(String(80))
    fault: Mapped[str] = mapped_column(String(20))  # a key of province_unsettled.REMEDIES
    reason: Mapped[str] = mapped_column(Text)
    row_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("roster_rows.id")
    )  # whom the number belongs to
    filename: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    loaded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


class SecondaryNumberCorrection(db.Model):
    """A 学籍辅号 that the province had changed afterwards: what stood before, by which document. Nothing is overwritten."""

    __tablename__ = "secondary_number_corrections"
    __table_args__ = (UniqueConstraint("row_id", "number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    row_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("roster_rows.id"))
    number: Mapped[int] = mapped_column(Integer)  # 1, 2, … of the row; RegisterChange.correction
    before: Mapped[str] = mapped_column(String(40))
    after: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(Text)
    document: Mapped[str] = mapped_column(String(80))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    account: Mapped[Account] = relationship(lazy="joined")
    roster_row: Mapped[RosterRow] = relationship(lazy="joined")
