"""Quality as data, over the cases that a bureau sees: what passed at once, and what became of pictures near a threshold.

Bounded: a period of at most a year by the day of submission, counted in SQL; the scores are read page by page, of the
newest MOST_PAGES pages only. What never belongs here: who may see the page, HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select

from portal.cases import clock
from portal.cases.access import Actor, visible_to
from portal.cases.quality import distance
from portal.extensions import db
from portal.models import Case, EvidenceFile, EvidencePage, Office, Remark, Status
from portal.workflows import workflow
from storage.measurement import Verdict

LONGEST = timedelta(days=366)
USUAL = timedelta(days=90)
MOST_PAGES = 4000
MOST_SCHOOLS = 500
UNCLEAR = ("image_unclear",)
GOOD: tuple[Verdict, ...] = ("pass", "mend")
NEAR = 1.25
FAR = 1.5

BINS = ("合格，离界线较远", "合格，离界线 25% 以内", "越线 25% 以内", "越线 25%–50%", "越线 50% 以上")


@dataclass(frozen=True)
class Period:
    """Days of submission, the last one included."""

    first: date
    last: date

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """From the first moment of the first day to the first one after the last."""
        after = self.last + timedelta(days=1)
        return datetime.combine(self.first, time(), clock.ZONE), datetime.combine(after, time(), clock.ZONE)


def period(first: date | None, last: date | None) -> Period:
    """What was asked for, brought into order: not in the future, at most a year, the last 90 days by default."""
    today = clock.today()
    end = min(last or today, today)
    start = min(first or end - USUAL, end)
    return Period(max(start, end - LONGEST), end)


@dataclass(frozen=True)
class Rate:
    """How many of the first pictures of each paper were good at once."""

    title: str
    cases: int
    first: int
    passed: int
    doubtful: int

    @property
    def percent(self) -> str:
        return f"{100 * self.passed / self.first:.1f}%" if self.first else "—"


def _in_scope(actor: Actor, when: Period) -> ColumnElement[bool]:
    start, end = when.moments
    return and_(visible_to(actor), Case.submitted_at >= start, Case.submitted_at < end)


def _firsts(actor: Actor, when: Period) -> Any:
    """Of every paper of every case the file that came first, also where it was no picture at all."""
    place = func.row_number().over(
        partition_by=(EvidenceFile.case_id, EvidenceFile.slot),
        order_by=(EvidenceFile.uploaded_at, EvidenceFile.id),
    )
    query = (
        select(
            Case.id.label("case_id"),
            Case.owner_office_id,
            Case.workflow,
            Case.doubtful,
            EvidenceFile.slot,
            EvidenceFile.verdict,
            place.label("place"),
        )
        .join(EvidenceFile, EvidenceFile.case_id == Case.id)
        .where(_in_scope(actor, when), EvidenceFile.status.in_(("committed", "refused")))
    )
    return query.subquery()


def _counted(firsts: Any) -> tuple[Any, ...]:
    good = case((firsts.c.verdict.in_(GOOD), 1), else_=0)
    doubtful = case((firsts.c.doubtful, firsts.c.case_id), else_=None)
    return (
        func.count(firsts.c.case_id.distinct()),
        func.count(),
        func.sum(good),
        func.count(doubtful.distinct()),
    )


def by_school(actor: Actor, when: Period) -> list[Rate]:
    """The rate of each school, the lowest first; at most MOST_SCHOOLS."""
    firsts = _firsts(actor, when)
    good = func.sum(case((firsts.c.verdict.in_(GOOD), 1), else_=0))
    query = (
        select(Office.name, *_counted(firsts))
        .join(Office, Office.id == firsts.c.owner_office_id)
        .where(firsts.c.place == 1)
        .group_by(Office.id, Office.name)
        .order_by(1.0 * good / func.count(), Office.name)
        .limit(MOST_SCHOOLS)
    )
    return [Rate(*row) for row in db.session.execute(query)]


def by_paper(actor: Actor, when: Period) -> list[Rate]:
    """The rate of each kind of paper, by procedure."""
    firsts = _firsts(actor, when)
    query = (
        select(firsts.c.workflow, firsts.c.slot, *_counted(firsts))
        .where(firsts.c.place == 1)
        .group_by(firsts.c.workflow, firsts.c.slot)
        .order_by(firsts.c.workflow, firsts.c.slot)
    )
    return [Rate(_paper(name, slot), *counts) for name, slot, *counts in db.session.execute(query)]


def _paper(name: str, slot: str) -> str:
    law = workflow(name)
    found = law.slot(slot)
    return f"{law.title}：{found.title if found else slot}"


@dataclass
class Bin:
    """Pages whose score lies in one range, and what became of them."""

    title: str
    pages: int = 0
    overridden: int = 0
    approved: int = 0
    unclear: int = 0


@dataclass
class CheckFigures:
    """One check: its bins from good to bad."""

    name: str
    bins: list[Bin] = field(default_factory=lambda: [Bin(title) for title in BINS])

    @property
    def overridden(self) -> int:
        return sum(one.overridden for one in self.bins)


@dataclass(frozen=True)
class Scores:
    """The table of overrides. `read` pages were read; `more` says that there are older ones in the period."""

    checks: list[CheckFigures]
    read: int
    more: bool


def scores(actor: Actor, when: Period) -> Scores:
    """Per check, how near to its threshold the pages lay and what school and reviewers did with them."""
    rows = db.session.execute(_pages(actor, when).limit(MOST_PAGES + 1)).all()
    found: dict[str, CheckFigures] = {}
    for measurements, overridden, approved, unclear in rows[:MOST_PAGES]:
        for measured in measurements:
            place = bin_of(measured)
            if place is None:
                continue
            one = found.setdefault(measured["name"], CheckFigures(measured["name"])).bins[place]
            one.pages += 1
            # The school's reason is for the file: it counts for the checks that made it necessary.
            one.overridden += bool(overridden) and place >= 2
            one.approved += bool(approved)
            one.unclear += bool(unclear)
    ordered = sorted(found.values(), key=lambda one: (-one.overridden, one.name))
    return Scores(ordered, min(len(rows), MOST_PAGES), len(rows) > MOST_PAGES)


def bin_of(measured: Mapping[str, Any]) -> int | None:
    """Which of BINS a measurement falls into; None for what the program put right itself, which nobody had to judge."""
    beyond = distance(float(measured["value"]), float(measured["threshold"]))
    if measured["verdict"] == "mend":
        return None
    if measured["verdict"] == "pass":
        return 1 if beyond <= NEAR else 0
    return 2 if beyond <= NEAR else 3 if beyond <= FAR else 4


def _pages(actor: Actor, when: Period) -> Select[Any]:
    """Measurements of each page with what became of its file, the newest submissions first."""
    stood = or_(EvidenceFile.removed_round.is_(None), Remark.round <= EvidenceFile.removed_round)
    meant = or_(Remark.file_id.is_(None), Remark.file_id == EvidenceFile.id)
    unclear = exists().where(
        Remark.case_id == EvidenceFile.case_id,
        Remark.target == "evidence",
        Remark.key == EvidenceFile.slot,
        Remark.code.in_(UNCLEAR),
        Remark.round > EvidenceFile.round,
        stood,
        meant,
    )
    approved = and_(Case.status == Status.APPROVED, EvidenceFile.removed_at.is_(None))
    return (
        select(EvidencePage.measurements, EvidenceFile.override_reason != "", approved, unclear)
        .join(EvidenceFile, EvidenceFile.id == EvidencePage.file_id)
        .join(Case, Case.id == EvidenceFile.case_id)
        .where(_in_scope(actor, when), EvidenceFile.status == "committed")
        .order_by(Case.submitted_at.desc(), Case.id)
    )
