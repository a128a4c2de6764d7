"""A case, what happened to it, and who decided."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import db
from portal.models.people import Account, Office
from portal.models.register import Pupil
from portal.models.types import Json, UtcDateTime, new_id, utcnow


class Status(StrEnum):
    """Where a case stands. Only cases.actions.perform() writes it."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    RETURNED = "returned"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


OPEN = (Status.DRAFT, Status.IN_REVIEW, Status.RETURNED)


class Case(db.Model):
    """One piece of business. `holder_office_id` is the office whose turn it is, None when nobody's."""

    __tablename__ = "cases"
    __table_args__ = (
        CheckConstraint(
            "status in ('draft', 'in_review', 'returned', 'approved', 'rejected', 'withdrawn')", name="status"
        ),
        # Each queue is one range of one of these, in the order of the page: the cost does not grow with depth.
        Index("ix_cases_holder_queue", "holder_office_id", "status", "due_on", "id"),
        Index("ix_cases_holder_newest", "holder_office_id", "status", "submitted_at", "id"),
        Index("ix_cases_owner_queue", "owner_office_id", "status", "due_on", "id"),
        Index("ix_cases_owner_newest", "owner_office_id", "submitted_at", "id"),
        Index("ix_cases_owner_changed", "owner_office_id", "changed_at", "id"),
        # A bureau's wide boxes are walked in their order until a page is full.
        Index("ix_cases_newest", "submitted_at", "id"),
        Index("ix_cases_changed", "changed_at", "id"),
        Index("ix_cases_status_due", "status", "due_on", "id"),
        Index("ix_cases_status_changed", "status", "changed_at", "id"),
        Index("ix_cases_pupil", "pupil_id", "status"),
        Index("ix_cases_intake", "intake_year", "owner_office_id", "status"),
        Index("ix_cases_holder_legibility", "holder_office_id", "status", "legibility", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(String(30), unique=True)
    workflow: Mapped[str] = mapped_column(String(60))
    policy: Mapped[str] = mapped_column(String(40))
    pupil_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("pupils.id"))
    intake_year: Mapped[int | None] = mapped_column(Integer)  # of a roster: the year of entry of its people
    pupil_version: Mapped[int] = mapped_column(Integer, default=0)  # what the owner saw when starting
    owner_office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))
    holder_office_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("offices.id"))
    status: Mapped[str] = mapped_column(String(12), default=Status.DRAFT)
    step: Mapped[str] = mapped_column(String(40), default="")  # "" before submission and after the end
    round: Mapped[int] = mapped_column(Integer, default=0)  # number of submissions
    version: Mapped[int] = mapped_column(Integer, default=1)  # of the whole case; every act adds one
    answers: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    doubtful: Mapped[bool] = mapped_column(default=False)  # 质量存疑: evidence went on by the way out
    legibility: Mapped[int] = mapped_column(
        Integer, default=100, server_default="100"
    )  # 0 to 100: the poorest of its standing pages at the last submission
    created_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    submitted_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("accounts.id"))
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_on: Mapped[date | None] = mapped_column()  # 9999-12-31: no limit; None: paused or ended
    clock_from: Mapped[date | None] = mapped_column()  # the running span began; None while paused
    clock_used: Mapped[int] = mapped_column(Integer, default=0)  # working days used before clock_from
    clock_limit: Mapped[int] = mapped_column(Integer, default=0)  # working days allowed; 0: no limit
    claimed_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("accounts.id"))
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    pupil: Mapped[Pupil | None] = relationship(lazy="joined")
    owner: Mapped[Office] = relationship(foreign_keys=[owner_office_id], lazy="joined")
    holder: Mapped[Office | None] = relationship(foreign_keys=[holder_office_id], lazy="joined")
    created_by: Mapped[Account] = relationship(foreign_keys=[created_by_id])
    submitted_by: Mapped[Account | None] = relationship(foreign_keys=[submitted_by_id])
    claimed_by: Mapped[Account | None] = relationship(foreign_keys=[claimed_by_id])
    events: Mapped[list[CaseEvent]] = relationship(order_by="CaseEvent.seq", back_populates="case")
    remarks: Mapped[list[Remark]] = relationship(order_by="Remark.position", back_populates="case")


class CaseEvent(db.Model):
    """What happened, in the past tense, in order. `data` holds what the act carried."""

    __tablename__ = "case_events"
    __table_args__ = (UniqueConstraint("case_id", "seq"), Index("ix_case_events_actor", "actor_id", "at"))

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    seq: Mapped[int] = mapped_column(Integer)  # the case's version after the act
    verb: Mapped[str] = mapped_column(String(20))  # started, edited, submitted, approved, returned, ...
    status: Mapped[str] = mapped_column(String(12))
    step: Mapped[str] = mapped_column(String(40), default="")  # the step at which it happened
    round: Mapped[int] = mapped_column(Integer, default=0)
    actor_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    note: Mapped[str] = mapped_column(Text, default="")
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)

    case: Mapped[Case] = relationship(back_populates="events")
    actor: Mapped[Account] = relationship(lazy="joined")
    office: Mapped[Office] = relationship(lazy="joined")


class Decision(db.Model):
    """Who decided which step of which round, and exactly which files were seen. One row a step, by constraint."""

    __tablename__ = "decisions"
    __table_args__ = (
        UniqueConstraint("case_id", "round", "step"),
        Index("ix_decisions_actor", "actor_id", "at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    round: Mapped[int] = mapped_column(Integer)
    step: Mapped[str] = mapped_column(String(40))
    verb: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    # Of each file: {file, original, views}, the hashes of the sealed original and of every picture of it that could be
    # looked at, the shown one of each page first. Older rows hold the hashes of the originals alone, as texts.
    seen: Mapped[list[Any]] = mapped_column(Json, default=list)
    note: Mapped[str] = mapped_column(Text, default="")

    actor: Mapped[Account] = relationship(lazy="joined")
    office: Mapped[Office] = relationship(lazy="joined")


class Remark(db.Model):
    """One item of a 补正 list: a coded reason tied to a field, an evidence slot or a file."""

    __tablename__ = "remarks"
    __table_args__ = (UniqueConstraint("case_id", "round", "position"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    round: Mapped[int] = mapped_column(Integer)  # the round that was returned
    position: Mapped[int] = mapped_column(Integer)
    target: Mapped[str] = mapped_column(String(10))  # field, evidence, case
    key: Mapped[str] = mapped_column(String(60), default="")  # the field's or slot's name
    file_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("evidence_files.id"))
    code: Mapped[str] = mapped_column(String(40))
    note: Mapped[str] = mapped_column(Text, default="")
    page: Mapped[int | None] = mapped_column(Integer)  # of the file, where a place on it is marked
    box: Mapped[dict[str, float] | None] = mapped_column(
        Json
    )  # x, y, width, height in shares of the shown view, unturned
    before: Mapped[str] = mapped_column(Text, default="")  # what stood there when it was returned
    explanation: Mapped[str] = mapped_column(Text, default="")  # the school's reason for leaving it as it is

    case: Mapped[Case] = relationship(back_populates="remarks")


class NationalEntry(db.Model):
    """What became of an approved case in the national system: entered with a receipt, confirmed by a later load."""

    __tablename__ = "national_entries"

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    approved_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    receipt: Mapped[str] = mapped_column(String(60), default="")
    entered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    entered_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("accounts.id"))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    confirmed_load_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("register_loads.id"))

    case: Mapped[Case] = relationship(lazy="joined")
    entered_by: Mapped[Account | None] = relationship()


class NumberSeries(db.Model):
    """The last number given out of a series, e.g. case numbers of one year."""

    __tablename__ = "number_series"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    last: Mapped[int] = mapped_column(Integer, default=0)
