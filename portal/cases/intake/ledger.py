"""台账: a year's figures by county and school, as far as a person may see. Every total is the sum of its rows."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.cases.access import visible_to
from portal.cases.intake import plans
from portal.cases.intake.plans import SPOKEN_FOR
from portal.cases.intake.scope import County, Scope, counties
from portal.cases.intake.sheets import Cell, workbook
from portal.extensions import db
from portal.models import Case, Office, PlanFigure

HEADINGS = (
    "县（市）",
    "学校",
    "学校标识码",
    "招生计划",
    "录取",
    "实际",
    "申请注册",
    "同意注册",
    "剩余计划",
    "名单",
)
WIDTHS = (22, 30, 16, 10, 10, 10, 10, 10, 10, 30)


@dataclass(frozen=True)
class Figures:
    """People: 计划, 录取, 实际, 申请, 同意. None is not known (yet), and counts nothing in a total."""

    places: int | None = None
    admitted: int | None = None
    actual: int | None = None
    applied: int = 0
    approved: int = 0

    @property
    def left(self) -> int | None:
        return None if self.places is None else self.places - self.applied

    @property
    def cells(self) -> tuple[int | None, ...]:
        return (self.places, self.admitted, self.actual, self.applied, self.approved, self.left)


@dataclass(frozen=True)
class Line:
    """One school: its figures and those of its rosters that the person may see."""

    school: Office
    figures: Figures
    cases: tuple[Case, ...]

    @property
    def sent(self) -> bool:
        """已上报: a roster of the school is in review or approved."""
        return any(case.status in SPOKEN_FOR for case in self.cases)

    @property
    def expected(self) -> bool:
        """Whether the school has anybody to register this year."""
        return bool(self.figures.places or self.figures.admitted)


@dataclass(frozen=True)
class Group:
    """The schools of one county, or those of the state itself (no county)."""

    county: Office | None
    lines: tuple[Line, ...]
    total: Figures
    own: PlanFigure | None  # what the plan gives the county as a whole

    @property
    def undistributed(self) -> int:
        return (self.own.places if self.own else 0) - (self.total.places or 0)


@dataclass(frozen=True)
class Ledger:
    groups: tuple[Group, ...]
    total: Figures

    @property
    def lines(self) -> list[Line]:
        return [line for group in self.groups for line in group.lines]

    @property
    def missing(self) -> list[Line]:
        """未上报的学校."""
        return [line for line in self.lines if line.expected and not line.sent]


def read(scope: Scope) -> Ledger:
    """The ledger of the scope's year: six queries, however many schools."""
    path = scope.actor.office_path
    plan = plans.plan_of(scope.state.id, scope.year)
    figures = plans.figures_of(plan)
    admitted = plans.list_of(scope.state.id, scope.year)
    known = _Known(
        figures,
        plans.admitted_below(admitted, path) if admitted else None,
        plans.spoken_for_below(path, scope.year),
        _cases(scope),
    )
    groups = tuple(group for county in counties(scope) if (group := _group(county, known, figures)).lines)
    return Ledger(groups, total_of(line.figures for group in groups for line in group.lines))


@dataclass(frozen=True)
class _Known:
    figures: dict[uuid.UUID, PlanFigure]
    admitted: dict[uuid.UUID, int] | None
    spoken: dict[uuid.UUID, tuple[int, int]]
    cases: dict[uuid.UUID, list[Case]]

    def line(self, school: Office) -> Line:
        plan, cases = self.figures.get(school.id), self.cases.get(school.id, [])
        applied, approved = self.spoken.get(school.id, (0, 0))
        return Line(
            school,
            Figures(
                plan.places if plan else None,
                self.admitted.get(school.id, 0) if self.admitted is not None else None,
                _actual(cases),
                applied,
                approved,
            ),
            tuple(cases),
        )


def _group(county: County, known: _Known, figures: dict[uuid.UUID, PlanFigure]) -> Group:
    every = (known.line(school) for school in county.schools)
    lines = tuple(line for line in every if line.school.active or line.expected or line.cases)
    own = figures.get(county.office.id) if county.office else None
    return Group(county.office, lines, total_of(line.figures for line in lines), own)


def _cases(scope: Scope) -> dict[uuid.UUID, list[Case]]:
    """The year's rosters that the person may see, by school, the newest first."""
    query = (
        select(Case)
        .where(Case.intake_year == scope.year, Case.workflow == scope.law.id, visible_to(scope.actor))
        .order_by(Case.submitted_at.desc(), Case.id.desc())
    )
    found: dict[uuid.UUID, list[Case]] = defaultdict(list)
    for case in db.session.scalars(query):
        found[case.owner_office_id].append(case)
    return found


def _actual(cases: Iterable[Case]) -> int | None:
    """学校实际招生人数, as the newest roster that stands with a bureau says."""
    standing = next((case for case in cases if case.status in SPOKEN_FOR), None)
    text = str(standing.answers.get("actual", "")) if standing else ""
    return int(text) if text.isascii() and text.isdecimal() else None


def total_of(several: Iterable[Figures]) -> Figures:
    """The sum of the rows; a column in which no row knows anything is not known."""
    rows = list(several)
    return Figures(
        _sum(one.places for one in rows),
        _sum(one.admitted for one in rows),
        _sum(one.actual for one in rows),
        sum(one.applied for one in rows),
        sum(one.approved for one in rows),
    )


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def sheet(ledger: Ledger, status_text: dict[Any, str]) -> bytes:
    """The ledger as a workbook; `status_text` says a case's status in words."""
    lines: list[tuple[Cell, ...]] = []
    for group in ledger.groups:
        name = group.county.name if group.county else "州直属"
        for line in group.lines:
            said = "；".join(f"{case.number} {status_text[case.status]}" for case in line.cases)
            lines.append((name, line.school.name, line.school.code, *line.figures.cells, said or "未上报"))
        if len(ledger.groups) > 1 or len(group.lines) > 1:
            lines.append((name, "小计", None, *group.total.cells, None))
    lines.append(("合计", None, None, *ledger.total.cells, None))
    return workbook("台账", HEADINGS, lines, WIDTHS)
