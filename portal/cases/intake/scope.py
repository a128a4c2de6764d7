"""Where a person stands in an intake: the state and year it is about, the law and policy of its rosters, the schools in reach.

Every page of an intake begins here, so that nobody is shown a school that is not below their own office.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, select

from portal.cases import clock
from portal.cases.access import Actor, offices_under
from portal.cases.offices import line_of, policy_of
from portal.extensions import db
from portal.models import AdmittedList, Case, IntakePlan, Level, Office, Role
from portal.policies import Article, Policy
from portal.standards.school_year import year_of_entry
from portal.workflows import WORKFLOWS
from portal.workflows.roster import Roster
from portal.workflows.vocabulary import Workflow


@dataclass(frozen=True)
class Scope:
    """What one person's pages of one year are about. `state` is the bureau whose plan and list count there."""

    actor: Actor
    own: Office
    state: Office
    year: int
    law: Workflow
    roster: Roster
    policy: Policy

    @property
    def may_set(self) -> bool:
        """The state's approver alone keeps plan and list and deals with the province."""
        return self.actor.role is Role.APPROVER and self.actor.office_level is Level.STATE

    @property
    def deadline(self) -> date | None:
        """The day by which a roster must have been sent; None where the policy names none."""
        return clock.deadline_of(self.policy, self.law.id, self.year)

    @property
    def due(self) -> clock.Due:
        """The same in words."""
        return clock.until_deadline(self.policy, self.law.id, self.year)

    def article(self, article_id: str) -> Article | None:
        return self.policy.articles.get(article_id)


@dataclass(frozen=True)
class County:
    """A county's bureau with its schools; `office` is None for schools that the state runs itself."""

    office: Office | None
    schools: tuple[Office, ...]


def concerns(actor: Actor) -> bool:
    """Whether an intake is this person's business at all."""
    return scope_of(actor) is not None


def scope_of(actor: Actor, year: int | None = None) -> Scope | None:
    """None for a school without the stage, an office without a state, and where the policy does not offer rosters."""
    own = db.session.get_one(Office, actor.office_id)
    law = next((law for law in WORKFLOWS if law.roster), None)
    if (
        law is None
        or law.roster is None
        or (own.level == Level.SCHOOL and law.roster.stage not in own.stages)
    ):
        return None
    state = next((one for one in line_of(own) if one.level == Level.STATE), None)
    pack = policy_of(own) if state else None
    if state is None or pack is None or not law.offered(pack):
        return None
    return Scope(actor, own, state, year or year_of_entry(clock.today()), law, law.roster, pack)


def years(scope: Scope) -> list[int]:
    """This year, the one in hand, and every other that has a plan, a list or a roster in reach; the newest first."""
    found = {scope.year, year_of_entry(clock.today())}
    for model in (IntakePlan, AdmittedList):
        found |= set(
            db.session.scalars(select(model.year).where(model.office_id == scope.state.id).distinct())
        )
    cases = select(Case.intake_year).where(Case.intake_year.is_not(None), reach(scope)).distinct()
    found |= {year for year in db.session.scalars(cases) if year}
    return sorted(found, reverse=True)


def reach(scope: Scope) -> ColumnElement[bool]:
    """Cases of the schools in reach, whatever their status; who may see one is access.visible_to()."""
    return Case.owner_office_id.in_(offices_under(scope.actor.office_path))


def schools(scope: Scope) -> list[Office]:
    """The schools of the roster's stage in the person's reach, closed ones too, by county and name."""
    return [one for county in counties(scope) for one in county.schools]


def counties(scope: Scope) -> list[County]:
    """Every county in reach with its schools, those of the state itself last. A school's person has one line."""
    below = offices_under(scope.actor.office_path)
    found = list(db.session.scalars(select(Office).where(Office.id.in_(below)).order_by(Office.code)))
    bureaus = {one.id: one for one in (*found, *line_of(scope.own)) if one.level == Level.COUNTY}
    sorted_in: dict[uuid.UUID | None, list[Office]] = {key: [] for key in bureaus}
    for one in found:
        if one.level == Level.SCHOOL and scope.roster.stage in one.stages:
            sorted_in.setdefault(_county_of(one, bureaus), []).append(one)
    lines = [County(bureaus[key] if key else None, tuple(several)) for key, several in sorted_in.items()]
    return sorted(lines, key=lambda one: (one.office is None, one.office.code if one.office else ""))


def find_school(scope: Scope, school_id: uuid.UUID) -> Office | None:
    """The school if it is in the person's reach and sends rosters; None otherwise, whether or not it exists."""
    return next((one for one in schools(scope) if one.id == school_id), None)


def _county_of(school: Office, bureaus: dict[uuid.UUID, Office]) -> uuid.UUID | None:
    ids = [uuid.UUID(part) for part in school.path.strip("/").split("/")]
    return next((one for one in reversed(ids) if one in bureaus), None)


def names_of(offices: Sequence[Office]) -> dict[uuid.UUID, str]:
    return {one.id: one.name for one in offices}
