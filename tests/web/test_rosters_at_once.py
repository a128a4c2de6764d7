"""Two rosters at the same moment, over real HTTP against several workers: ranges never overlap, no plan is exceeded,
nobody gets an error page. ROSTER_PAIRS=500 is the full run."""

from __future__ import annotations

import itertools
import os
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import func, select

from portal import audit
from portal.cases.access import Actor
from portal.cases.actions import stamp
from portal.extensions import db
from portal.models import Case, NumberRange, Office, Pupil, PupilNumber, Role, RosterRow, Status
from portal.settings import Settings
from tests.builders import Cast, a_school, act, an_actor
from tests.intakes import a_list, a_plan, a_roster, people, series
from tests.web.live import Answer, Visitor, serving

PAIRS = int(os.environ.get("ROSTER_PAIRS", "12"))
EACH = 2  # people on a roster
BOTH_WIN, ONE_WINS = [303, 303], [303, 422]


@dataclass(frozen=True)
class Meeting:
    """Two people with one roster each, who act at once."""

    cases: tuple[uuid.UUID, uuid.UUID]
    who: tuple[Actor, Actor]


def schools_of(cast: Cast, number: int) -> list[tuple[Office, Actor, Actor]]:
    """State-run schools with two registrars each: what is decided of their rosters, the state decides."""
    found = []
    for _ in range(number):
        school = a_school(cast.state)
        found.append((school, an_actor(Role.REGISTRAR, school), an_actor(Role.REGISTRAR, school)))
    return found


def prepare(cast: Cast, places: int, schools: int) -> list[tuple[uuid.UUID, uuid.UUID, Actor, Actor]]:
    """For each school two drafts of EACH people of its list, under a plan of so many places."""
    made = schools_of(cast, schools)
    a_plan(cast.state, cast.approver, {school: places for school, _, _ in made})
    everybody = {
        school: people(2 * EACH, 1 + 2 * EACH * number) for number, (school, _, _) in enumerate(made)
    }
    a_list(cast.state, cast.approver, everybody)
    return [
        (
            a_roster(one, everybody[school][:EACH], EACH).id,
            a_roster(other, everybody[school][EACH:], 2 * EACH).id,
            one,
            other,
        )
        for school, one, other in made
    ]


def at_once(app: Flask, port: int, meeting: Meeting, verb: str) -> list[Answer]:
    """Both read their page, then both press."""
    visitors = [Visitor.signed_in(app, port, who) for who in meeting.who]
    path = "check" if verb == "submit" else "desk"
    for visitor, case_id in zip(visitors, meeting.cases, strict=True):
        assert (page := visitor.get(f"/cases/{case_id}/{path}")).status == 200, page.text
    seen = [stamp(db.session.get_one(Case, case_id)) for case_id in meeting.cases]
    db.session.rollback()  # SQLite: the test must not hold the write lock meanwhile
    barrier = threading.Barrier(2)

    def press(visitor: Visitor, case_id: object, version: str) -> Answer:
        barrier.wait(30)
        if verb == "submit":
            return visitor.post(f"/cases/{case_id}/submit", {"version": version})
        return visitor.post(f"/cases/{case_id}/decide", {"seen": version, "verb": "approve"})

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(press, *one) for one in zip(visitors, meeting.cases, seen, strict=True)]
        return [one.result(120) for one in running]


def check_ranges(wanted: int) -> None:
    """Every range has the length that was asked for, and no number stands in two."""
    db.session.rollback()
    ranges = sorted((one.first, one.last) for one in db.session.scalars(select(NumberRange)))
    assert len(ranges) == wanted and all(last - first + 1 == EACH for first, last in ranges)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(ranges))


def test_of_two_rosters_beyond_the_plan_one_is_taken(app: Flask, settings: Settings) -> None:
    cast = Cast()
    made = prepare(cast, EACH, PAIRS)
    db.session.commit()
    with serving(settings) as port:
        for first, second, one, other in made:
            answers = at_once(app, port, Meeting((first, second), (one, other)), "submit")
            assert sorted(answer.status for answer in answers) == ONE_WINS
            loser = next(answer for answer in answers if answer.status == 422)
            assert "超出招生计划" in loser.text
    check_ranges(PAIRS)


def test_ranges_of_two_schools_never_overlap_and_numbers_are_given_once(
    app: Flask, settings: Settings
) -> None:
    cast = Cast()
    made = prepare(cast, 2 * EACH, 2 * PAIRS)
    second_approver = an_actor(Role.APPROVER, cast.state)
    db.session.commit()
    with serving(settings) as port:
        for (first, _, one, _), (second, _, other, _) in zip(made[::2], made[1::2], strict=True):
            answers = at_once(app, port, Meeting((first, second), (one, other)), "submit")
            assert [answer.status for answer in answers] == BOTH_WIN
            approvers = (cast.approver, second_approver)
            answers = at_once(app, port, Meeting((first, second), approvers), "approve")
            assert [answer.status for answer in answers] == BOTH_WIN
    check_ranges(2 * PAIRS)
    numbers = list(db.session.scalars(select(RosterRow.number).where(RosterRow.number.is_not(None))))
    assert len(numbers) == len(set(numbers)) == 2 * PAIRS * EACH
    assert audit.verify().fault == ""


def test_when_the_plan_shrank_of_two_approvals_one_is_taken(app: Flask, settings: Settings) -> None:
    cast = Cast()
    made = prepare(cast, 2 * EACH, PAIRS)
    second_approver = an_actor(Role.APPROVER, cast.state)
    for first, second, one, other in made:
        act(db.session.get_one(Case, first), one, "submit")
        act(db.session.get_one(Case, second), other, "submit")
    shrunk = {db.session.get_one(Office, one.office_id): EACH for _, _, one, _ in made}
    a_plan(cast.state, cast.approver, shrunk)
    db.session.commit()
    with serving(settings) as port:
        for first, second, _, _ in made:
            approvers = (cast.approver, second_approver)
            answers = at_once(app, port, Meeting((first, second), approvers), "approve")
            assert sorted(answer.status for answer in answers) == ONE_WINS
    db.session.rollback()
    numbered = select(PupilNumber.pupil_id).where(PupilNumber.number.like(f"{series()}%"))
    entered = select(func.count()).where(Pupil.grade == "高一", Pupil.id.in_(numbered))
    assert db.session.scalar(entered.select_from(Pupil)) == PAIRS * EACH
    approved = select(func.count()).select_from(Case).where(Case.status == Status.APPROVED)
    assert db.session.scalar(approved) == PAIRS
