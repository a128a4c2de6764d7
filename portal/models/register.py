"""The working copy of the register and the loads that made it."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import db
from portal.models.keyed_rows import KeyedRow
from portal.models.people import Office
from portal.models.types import Json, UtcDateTime, by_code_point, new_id, utcnow


class Pupil(KeyedRow, db.Model):
    """One pupil's particulars as the national system's export shows them.

    Columns are the items of the 2022 采集表 (JY/T 1002 names in the comments) that rules, lists or checks use;
    the other items stand in `particulars` under their column keys. `version` = number of applied changes.
    """

    __tablename__ = "pupils"
    __table_args__ = (
        Index("ix_pupils_school_class", "school_id", "grade", "class_name"),
        Index("ix_pupils_school_name", "school_id", "name"),
        Index("ix_pupils_school_id_id", "school_id", "id"),  # who is of a school, from the index alone
        Index("ix_pupils_name_key", "name_key"),
        Index("ix_pupils_initials", "initials"),
        Index("ix_pupils_id_number", "id_number"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    # 学籍号 (G, L or J), None until the national system gives one. Every number that there was stands in pupil_numbers.
    student_number: Mapped[str | None] = mapped_column(String(20), unique=True, active_history=True)
    # Of school and name the former value is always known: the index of names forgets by it.
    school_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"), active_history=True)
    name: Mapped[str] = mapped_column(String(80), active_history=True)  # 姓名, byte for byte as certified
    name_key: Mapped[str] = mapped_column(String(80), default="")  # folded for comparison only
    initials: Mapped[str] = mapped_column(String(80), default="")  # pinyin initials for search
    former_name: Mapped[str] = mapped_column(String(80), default="")
    sex: Mapped[str] = mapped_column(String(1), default="")  # GB/T 2261.1
    birth_date: Mapped[date | None] = mapped_column()
    nationality: Mapped[str] = mapped_column(String(40), default="")
    overseas: Mapped[str] = mapped_column(String(2), default="")  # 港澳台侨外
    ethnicity: Mapped[str] = mapped_column(String(2), default="")  # GB/T 3304
    id_type: Mapped[str] = mapped_column(String(1), default="")  # SFZJLX
    id_number: Mapped[str] = mapped_column(String(20), default="")
    stage: Mapped[str] = mapped_column(String(10), default="")  # 小学, 初中, 高中, 特教
    grade: Mapped[str] = mapped_column(String(20), default="")
    class_name: Mapped[str] = mapped_column(String(40), default="")
    enrolment_status: Mapped[str] = mapped_column(String(2), default="01")  # XSDQZT
    problem: Mapped[str] = mapped_column(String(200), default="")  # 问题学籍: why; "" is none
    particulars: Mapped[dict[str, str]] = mapped_column(Json, default=dict, active_history=True)
    version: Mapped[int] = mapped_column(Integer, default=0)
    load_id: Mapped[uuid.UUID | None] = mapped_column(index=True)  # the load that added it
    gone_since: Mapped[date | None] = mapped_column()  # missing from a full load since

    school: Mapped[Office] = relationship(lazy="joined")


class NameGram(db.Model):
    """One thing by which a pupil's name is looked for in a county: see portal/cases/name_index.py. `name` is the whole
    name as it is read and written, by which results are in order.

    Compared by code points on both databases, so that a prefix is a range. No foreign key to the pupil: each deletion of
    one would look through the whole table.
    """

    __tablename__ = "name_grams"
    __table_args__ = {"sqlite_with_rowid": False}

    gram: Mapped[str] = mapped_column(by_code_point(4), primary_key=True)
    county_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(by_code_point(600), primary_key=True)
    pupil_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


class RegisterLoad(db.Model):
    """One export read into the working copy: previewed, applied and undone as a whole."""

    __tablename__ = "register_loads"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"), index=True)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    filename: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64), default="")
    stored: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # where the sealed file lies
    status: Mapped[str] = mapped_column(String(12), default="uploaded")
    headings: Mapped[list[str]] = mapped_column(Json, default=list)
    sheet: Mapped[dict[str, Any]] = mapped_column(
        Json, default=dict, server_default="{}"
    )  # loads.reading.Sheet, and rows of totals
    mapping: Mapped[dict[str, str]] = mapped_column(
        Json, default=dict
    )  # position of the heading -> column key
    counts: Mapped[dict[str, int]] = mapped_column(Json, default=dict)
    message: Mapped[str] = mapped_column(Text, default="")
    done_rows: Mapped[int] = mapped_column(Integer, default=0)
    total_rows: Mapped[int] = mapped_column(Integer, default=0)
    complete: Mapped[bool] = mapped_column(default=False)  # the export holds every pupil of the office
    worker: Mapped[str] = mapped_column(
        String(32), default=""
    )  # who is at it; a dead one is known by worker_seen_at
    worker_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    office: Mapped[Office] = relationship(lazy="joined")


class RegisterLoadRow(db.Model):
    """A finding about a row of a load: added, changed, missing, held, landed, warning, faulty, renumber (a known pupil
    under another number, which a person confirms), waiting for a bureau, or moved while it waited. One row of the sheet may
    have several; equal rows are only counted. `before` and `after` are {column
    key: stored text}. `waits_as` says what a bureau's yes makes or made of it: added, changed, missing or landed."""

    __tablename__ = "register_load_rows"
    __table_args__ = (
        Index("ix_register_load_rows_load_kind_row", "load_id", "kind", "row"),
        Index("ix_register_load_rows_pupil", "pupil_id"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    load_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("register_loads.id", ondelete="CASCADE"))
    row: Mapped[int] = mapped_column(Integer)  # the row in the sheet as Excel counts; 0 for a missing pupil
    kind: Mapped[str] = mapped_column(String(8))
    pupil_id: Mapped[uuid.UUID | None] = mapped_column()
    pupil_version: Mapped[int] = mapped_column(Integer, default=0)  # of the pupil when the row was compared
    student_number: Mapped[str] = mapped_column(String(20), default="")
    name: Mapped[str] = mapped_column(String(80), default="")
    before: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    faults: Mapped[list[dict[str, str]]] = mapped_column(Json, default=list)
    waits_as: Mapped[str] = mapped_column(String(8), default="", server_default=text("''"))
    # Of a row that may be about a known pupil under another number: its values, and the pupils it may be about.
    asked: Mapped[dict[str, Any]] = mapped_column(Json, default=dict, server_default="{}")
    agrees: Mapped[bool] = mapped_column(default=False, server_default=false())  # in name, birth and identity


class RegisterChange(db.Model):
    """One column of one pupil changed by one approved case, before and after. Written only by cases.register."""

    __tablename__ = "register_changes"
    __table_args__ = (UniqueConstraint("case_id", "pupil_id", "column", "correction"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    pupil_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pupils.id"), index=True)
    column: Mapped[str] = mapped_column(String(40))
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    pupil_version: Mapped[int] = mapped_column(Integer)
    correction: Mapped[int] = mapped_column(Integer, default=0)  # 1, 2, …: what was noted later, put right
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
