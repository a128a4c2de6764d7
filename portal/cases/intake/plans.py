"""招生计划: versions of a year's places by county and school, and what of them is spoken for."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from portal.cases.access import offices_under
from portal.cases.offices import supervisor
from portal.extensions import db
from portal.models import (
    Admitted,
    AdmittedList,
    Case,
    IntakePlan,
    Level,
    Office,
    PlanFigure,
    RosterRow,
    Status,
)
from portal.workflows.facts import Quota

SPOKEN_FOR = (Status.IN_REVIEW, Status.APPROVED)  # rosters whose people take places


def plan_of(state_id: uuid.UUID, year: int, at: datetime | None = None) -> IntakePlan | None:
    """The plan in force for a year, or the one that was at a moment."""
    query = select(IntakePlan).where(IntakePlan.office_id == state_id, IntakePlan.year == year)
    if at is not None:
        query = query.where(IntakePlan.made_at <= at)
    return db.session.scalars(query.order_by(IntakePlan.number.desc()).limit(1)).one_or_none()


def list_of(state_id: uuid.UUID, year: int, at: datetime | None = None) -> AdmittedList | None:
    """The list of the admitted in force for a year, or the one that was at a moment."""
    query = select(AdmittedList).where(AdmittedList.office_id == state_id, AdmittedList.year == year)
    if at is not None:
        query = query.where(AdmittedList.made_at <= at)
    return db.session.scalars(query.order_by(AdmittedList.number.desc()).limit(1)).one_or_none()


def hold(school_id: uuid.UUID) -> None:
    """Let nobody else submit or approve a roster of this school until the transaction ends: of two at one moment the second
    waits here, and then counts the first one's people. SQLite has one writer and needs no lock."""
    hold_all([school_id])


def hold_all(school_ids: Iterable[uuid.UUID]) -> None:
    """The same for several schools, always in one order."""
    query = select(Office.id).where(Office.id.in_(list(school_ids))).order_by(Office.id)
    db.session.execute(query.with_for_update(key_share=True))


def quota_of(
    school: Office,
    year: int,
    admitted: int | None,
    without: uuid.UUID | None = None,
    at: datetime | None = None,
) -> Quota:
    """What the year's plan gives to a school and its county. `admitted` is counted by the caller, `without` is the roster
    that asks, `at` the moment of its decision."""
    state, county = supervisor(school, Level.STATE), supervisor(school, Level.COUNTY)
    plan = plan_of(state.id, year, at) if state else None
    applied, approved = spoken_for(school.id, year, without)
    if plan is None:
        return Quota(year, admitted=admitted, applied=applied, approved=approved)
    wanted = [office.id for office in (school, county) if office]
    query = select(PlanFigure).where(PlanFigure.plan_id == plan.id, PlanFigure.office_id.in_(wanted))
    figures = {one.office_id: one for one in db.session.scalars(query)}
    own, above = figures.get(school.id), figures.get(county.id) if county else None
    return Quota(
        year,
        plan.document,
        own.places if own else None,
        admitted,
        above.places if above else None,
        above.graduates if above else None,
        applied,
        approved,
    )


def spoken_for(school_id: uuid.UUID, year: int, without: uuid.UUID | None = None) -> tuple[int, int]:
    """(people on the school's rosters under way or approved, those approved), struck ones not counted."""
    query = _spoken(year).where(Case.owner_office_id == school_id)
    if without is not None:
        query = query.where(Case.id != without)
    return _sums(db.session.execute(query)).get(school_id, (0, 0))


def spoken_for_below(path: str, year: int) -> dict[uuid.UUID, tuple[int, int]]:
    """The same of every school under an office."""
    return _sums(db.session.execute(_spoken(year).where(Case.owner_office_id.in_(offices_under(path)))))


def _spoken(year: int) -> Select[uuid.UUID, str, int]:
    return (
        select(Case.owner_office_id, Case.status, func.count())
        .select_from(RosterRow)
        .join(Case, Case.id == RosterRow.case_id)
        .where(Case.intake_year == year, Case.status.in_(SPOKEN_FOR), RosterRow.struck_at.is_(None))
        .group_by(Case.owner_office_id, Case.status)
    )


def _sums(counted: Iterable[Any]) -> dict[uuid.UUID, tuple[int, int]]:
    found: dict[uuid.UUID, tuple[int, int]] = {}
    for school_id, status, count in counted:
        applied, approved = found.get(school_id, (0, 0))
        found[school_id] = (applied + count, approved + (count if status == Status.APPROVED else 0))
    return found


def admitted_below(admitted: AdmittedList | None, path: str) -> dict[uuid.UUID, int]:
    """How many people a list holds for each school under an office."""
    if admitted is None:
        return {}
    query = (
        select(Admitted.school_id, func.count())
        .where(Admitted.list_id == admitted.id, Admitted.school_id.in_(offices_under(path)))
        .group_by(Admitted.school_id)
    )
    return dict(db.session.execute(query).all())


def figures_of(plan: IntakePlan | None, path: str | None = None) -> dict[uuid.UUID, PlanFigure]:
    """A plan's figures by office, all of them or those for the offices under one."""
    if plan is None:
        return {}
    query = select(PlanFigure).where(PlanFigure.plan_id == plan.id)
    if path is not None:
        query = query.where(PlanFigure.office_id.in_(offices_under(path)))
    return {one.office_id: one for one in db.session.scalars(query)}
