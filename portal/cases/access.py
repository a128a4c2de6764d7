"""Who may see what. The check is also the filter: one condition serves the single row and the list."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, false, select

from portal.extensions import db
from portal.models import Account, Case, Level, Office, Pupil, Role, Status


@dataclass(frozen=True)
class Actor:
    """A person acting: one role at one office."""

    id: uuid.UUID
    name: str
    role: Role
    office_id: uuid.UUID
    office_name: str
    office_level: Level
    office_path: str

    @classmethod
    def of(cls, account: Account) -> Actor:
        office = account.office
        return cls(
            account.id,
            account.name,
            Role(account.role),
            office.id,
            office.name,
            Level(office.level),
            office.path,
        )

    @property
    def decides(self) -> bool:
        return self.role in (Role.HEAD, Role.REVIEWER, Role.APPROVER)


def offices_under(path: str) -> Select[uuid.UUID]:
    """The ids of an office and everything it supervises."""
    return select(Office.id).where(Office.path.startswith(path, autoescape=True))


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Cases that the actor may read: the own school's; those below a bureau once they have been submitted; none for
    an administrator, who keeps accounts and settings (separation of duties, GB/T 22239-2019)."""
    if actor.role in (Role.REGISTRAR, Role.HEAD):
        return Case.owner_office_id == actor.office_id
    if actor.role in (Role.REVIEWER, Role.APPROVER, Role.AUDITOR):
        return and_(Case.round > 0, Case.owner_office_id.in_(offices_under(actor.office_path)))
    return false()


def waiting_for(actor: Actor) -> ColumnElement[bool]:
    """Cases whose turn is the actor's: a part of visible_to, written so that one index range answers it."""
    if actor.role is Role.REGISTRAR:
        return and_(Case.owner_office_id == actor.office_id, Case.status == Status.RETURNED)
    if actor.decides:
        return and_(Case.holder_office_id == actor.office_id, Case.status == Status.IN_REVIEW)
    return false()


def pupils_visible_to(actor: Actor) -> ColumnElement[bool]:
    """Pupils that the actor may read: of the own school, or of schools below the bureau."""
    if actor.role in (Role.REGISTRAR, Role.HEAD):
        return Pupil.school_id == actor.office_id
    if actor.role in (Role.REVIEWER, Role.APPROVER, Role.AUDITOR):
        return Pupil.school_id.in_(offices_under(actor.office_path))
    return false()


def find_case(actor: Actor, case_id: uuid.UUID) -> Case | None:
    """The case if the actor may see it; None otherwise, whether or not it exists."""
    return db.session.scalars(select(Case).where(Case.id == case_id, visible_to(actor))).one_or_none()


def find_pupil(actor: Actor, pupil_id: uuid.UUID) -> Pupil | None:
    """The pupil if the actor may see them; None otherwise."""
    return db.session.scalars(
        select(Pupil).where(Pupil.id == pupil_id, pupils_visible_to(actor))
    ).one_or_none()
