"""The tree of offices by supervision: who stands above a school, and which policy rules there."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from portal.extensions import db
from portal.models import Level, Office
from portal.policies import Policy, PolicyError, policy
from portal.standards import grades


def line_of(office: Office) -> list[Office]:
    """The office and its supervisors, nearest first."""
    ids = [uuid.UUID(part) for part in office.path.strip("/").split("/")]
    found = {one.id: one for one in db.session.scalars(select(Office).where(Office.id.in_(ids)))}
    return [found[one] for one in reversed(ids)]


def supervisor(office: Office, level: str) -> Office | None:
    """The nearest office of a level in the line (the office itself included), or None: a state-run school has no county."""
    return next((one for one in line_of(office) if one.level == level), None)


def policy_of(office: Office) -> Policy:
    """The pack named by the office or the nearest supervisor that names one.

    Raises PolicyError where nobody in the line does.
    """
    for one in line_of(office):
        if one.policy:
            return policy(one.policy)
    raise PolicyError(f"no office above {office.code} names a policy pack")


def school_system(office: Office) -> str:
    """How the nine years of compulsory schooling are split there (standards.grades); the usual way where no policy is named."""
    try:
        return str(policy_of(office).value("grades.system"))
    except PolicyError:
        return grades.USUAL


def place_below(office: Office, parent: Office | None) -> None:
    """Hang an office (with an id) under its supervisor: the path follows."""
    office.parent_id = parent.id if parent else None
    office.path = f"{parent.path if parent else ''}{office.id.hex}/"


SUPERVISED_BY: dict[Level, frozenset[Level]] = {
    Level.STATE: frozenset(),
    Level.COUNTY: frozenset({Level.STATE}),
    Level.DISTRICT: frozenset({Level.COUNTY}),
    Level.SCHOOL: frozenset({Level.DISTRICT, Level.COUNTY, Level.STATE}),
}
