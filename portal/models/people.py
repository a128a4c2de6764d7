"""Offices, accounts, sessions: who there is."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.extensions import db
from portal.models.keyed_rows import KeyedRow
from portal.models.types import Json, UtcDateTime, new_id, utcnow


class Level(StrEnum):
    """What an office is. A district (学区中心学校) may stand between a school and its county."""

    SCHOOL = "school"
    DISTRICT = "district"
    COUNTY = "county"
    STATE = "state"


class Role(StrEnum):
    """What an account may do. One account has one role at one office."""

    REGISTRAR = "registrar"
    HEAD = "head"
    REVIEWER = "reviewer"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


ROLE_LEVELS: dict[Role, frozenset[Level]] = {
    Role.REGISTRAR: frozenset({Level.SCHOOL}),
    Role.HEAD: frozenset({Level.SCHOOL}),
    Role.REVIEWER: frozenset({Level.COUNTY}),
    Role.APPROVER: frozenset({Level.STATE}),
    Role.AUDITOR: frozenset({Level.COUNTY, Level.STATE}),
    Role.ADMINISTRATOR: frozenset({Level.COUNTY, Level.STATE}),
}


class Office(KeyedRow, db.Model):
    """A school, a district, a county bureau or the state bureau; a tree by supervising office.

    `path` is the ids from the root down to this office, each followed by "/": a subtree is one prefix.
    """

    __tablename__ = "offices"
    __table_args__ = (
        CheckConstraint("level in ('school', 'district', 'county', 'state')", name="level"),
        Index("ix_offices_path", "path"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    level: Mapped[str] = mapped_column(String(10))
    code: Mapped[str] = mapped_column(
        String(20), unique=True
    )  # 学校标识码 of a school, our own code of a bureau
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("offices.id"))
    path: Mapped[str] = mapped_column(String(400))
    policy: Mapped[str | None] = mapped_column(String(40))  # None: the supervising office's
    stages: Mapped[list[str]] = mapped_column(
        Json, default=list
    )  # 小学, 初中, 高中, 特教: what a school teaches
    active: Mapped[bool] = mapped_column(default=True)

    parent: Mapped[Office | None] = relationship(remote_side="Office.id")


class Account(
    KeyedRow,
    db.Model,
    covers=("id", "login", "name", "role", "office_id", "phone", "password_hash", "active"),
):
    """One person at one office in one role."""

    __tablename__ = "accounts"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    login: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    role: Mapped[str] = mapped_column(String(20))
    office_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offices.id"), index=True)
    phone: Mapped[str] = mapped_column(String(30), default="")
    password_hash: Mapped[str] = mapped_column(String(200))
    must_change_password: Mapped[bool] = mapped_column(default=True)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    created_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("accounts.id"))
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    office: Mapped[Office] = relationship(lazy="joined")


class SignInSession(db.Model):
    """A signed-in browser. The cookie carries a 256-bit token; only its SHA-256 is kept here."""

    __tablename__ = "sign_in_sessions"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_why: Mapped[str] = mapped_column(String(40), default="")
    address: Mapped[str] = mapped_column(String(60), default="")
    agent: Mapped[str] = mapped_column(String(200), default="")

    account: Mapped[Account] = relationship(lazy="joined")


class SignInAttempt(db.Model):
    """A failed sign-in, or one whose password is being weighed, kept by keyed hash of the login so that a guess at a name leaves no name behind."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (
        Index("ix_sign_in_attempts_login_hash_at", "login_hash", "at"),
        Index("ix_sign_in_attempts_address_at", "address", "at"),
        Index("ix_sign_in_attempts_browser_id_at", "browser_id", "at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    login_hash: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    browser_id: Mapped[uuid.UUID | None] = mapped_column()  # of the known browser it came from


class KnownBrowser(db.Model):
    """A browser in which an account has signed in. Its cookie carries a 256-bit token; only the SHA-256 is kept here."""

    __tablename__ = "known_browsers"
    __table_args__ = (
        Index("uq_known_browsers_token_hash_account_id", "token_hash", "account_id", unique=True),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    agent: Mapped[str] = mapped_column(String(200), default="")


class OneTimeCode(db.Model):
    """A code printed by `flask first-administrator`; it makes one administrator and is then spent."""

    __tablename__ = "one_time_codes"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(40))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Preference(db.Model):
    """What a person or an office chose to keep: a name searched for, the columns of a load."""

    __tablename__ = "preferences"
    __table_args__ = (Index("uq_preferences_owner_key", "owner_id", "key", unique=True),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    owner_id: Mapped[uuid.UUID] = mapped_column()  # an account's or an office's id
    key: Mapped[str] = mapped_column(String(80))
    value: Mapped[dict[str, object]] = mapped_column(Json, default=dict)
    note: Mapped[str] = mapped_column(Text, default="")
