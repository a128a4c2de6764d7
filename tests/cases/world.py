"""The small world in which the state machine acts: two lines of offices, a state-run school, and a clock to push about.

What never belongs here: a rule of the machine, an expectation.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import time_machine
from flask import Flask

from portal import create_app, tasks
from portal.accounts import sessions
from portal.cases.access import Actor
from portal.extensions import db
from portal.models import Account, Office, Pupil, Role
from portal.settings import Settings
from storage.judge import Judgement, PageJudgement
from storage.measurement import Verdict
from tests.builders import Cast, a_case, a_pupil, a_school, an_actor, an_id_number

START = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)
FOREVER = timedelta(days=10_000)  # sessions end by an act only, so that jumps of the clock end none


class Installation(Protocol):
    """Opens a portal on a fresh copy of the world's database and store.

    It is one application every time, on a database of the same name: a new one would compile each statement anew, which
    takes longer than all that the machine does.
    """

    def __call__(self) -> AbstractContextManager[Flask]: ...


@dataclass(frozen=True)
class World:
    """Who and what there is, by id: names of people -> (account, session token), pupils, offices."""

    people: dict[str, tuple[uuid.UUID, str]]
    pupils: tuple[uuid.UUID, ...]
    cases: dict[
        uuid.UUID, list[str]
    ]  # at the state, at a county, returned, a draft; with every stamp that a page may show
    offices: dict[str, uuid.UUID]
    wanted_number: str  # an identity number that no pupil holds and several will ask for
    held_number: str  # one that a pupil holds


def build() -> World:
    """Make the world in the present database and commit."""
    first, second = Cast("gs-linxia-2022"), Cast("ha-2022")
    people = {f"first {name}": actor for name, actor in first.everybody().items()}
    people |= {f"second {name}": actor for name, actor in second.everybody().items()}
    people["first approver2"] = an_actor(Role.APPROVER, first.state)
    people["first registrar2"] = an_actor(Role.REGISTRAR, first.school)
    direct = a_school(first.state, name="云岭州第一中学")
    people["direct registrar"] = an_actor(Role.REGISTRAR, direct)
    younger = a_pupil(first.school, stage="初中", grade="初一")
    pupils = (first.pupil, younger, second.pupil, a_pupil(direct))
    alone = Cast.__new__(Cast)
    alone.registrar, alone.pupil = people["direct registrar"], pupils[3]
    cases = (
        a_case(first, "state_approval"),
        a_case(first, "county_review", pupil=younger),
        a_case(second, "returned"),
        a_case(alone),
    )
    tokens = {
        name: sessions.begin(db.session.get_one(Account, actor.id), "127.0.0.1", "machine").token
        for name, actor in people.items()
    }
    world = World(
        {name: (actor.id, tokens[name]) for name, actor in people.items()},
        tuple(pupil.id for pupil in pupils),
        {case.id: [f"{version}.0" for version in range(1, case.version + 1)] for case in cases},
        {"county": first.county.id, "state": first.state.id},
        an_id_number(serial=498),
        younger.id_number,
    )
    assert not db.session.query(Pupil).filter_by(id_number=world.wanted_number).count()
    db.session.commit()
    db.session.remove()
    return world


def make_template(settings: Settings) -> World:
    """The world in the database of these settings, with no connection left open, so that it can be copied."""
    app = create_app(settings)
    with app.app_context(), time_machine.travel(START - timedelta(days=30), tick=True):
        world = build()
        tasks.wait()
        db.session.remove()
        db.engine.dispose()
    return world


@contextmanager
def running(app: Flask) -> Iterator[time_machine.Traveller]:
    """In the portal's application context, at START by its clock; no connection and no task outlives it."""
    with app.app_context(), time_machine.travel(START, tick=True) as clock:
        try:
            yield clock
        finally:
            db.session.remove()
            tasks.wait()
            db.engine.dispose()


def signed_in(token: str) -> Actor | None:
    """The person as the door would let them in now, or None."""
    found = sessions.resume(token, FOREVER, FOREVER)
    return Actor.of(found.account) if found else None


def move(account_id: uuid.UUID, role: Role, office_id: uuid.UUID) -> None:
    """A person takes up another post."""
    account = db.session.get_one(Account, account_id)
    account.role, account.office_id = role, office_id
    account.office = db.session.get_one(Office, office_id)


def judged(verdict: Verdict, content: bytes) -> Judgement:
    """What the judge would say of a one-page JPEG."""
    picture = b"\xff\xd8" + hashlib.sha256(content).digest()
    page = PageJudgement(1, 2480, 3508, (), verdict, picture + b"view", picture + b"thumb", (1697, 2400))
    return Judgement("image/jpeg", (page,), verdict, None, 0.0)
