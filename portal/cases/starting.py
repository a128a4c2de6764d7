"""How a case begins: a draft of the actor's own school, about a pupil or about many, with its number."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select, text

from portal import audit
from portal.cases import clock, digests
from portal.cases.access import Actor
from portal.cases.facts import facts_before_roster, facts_before_start
from portal.cases.history import append_event
from portal.cases.offices import policy_of
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Case, Office, Pupil, Role, Status
from portal.models.types import new_id
from portal.policies import Policy
from portal.workflows.vocabulary import Workflow


def start(actor: Actor, law: Workflow, pupil: Pupil) -> Case:
    """Begin a draft about a pupil of the actor's own school. Raises Refused with every stop known at this point."""
    if actor.role is not Role.REGISTRAR or pupil.school_id != actor.office_id:
        raise Refused("只有学生所在学校的学籍管理员可以发起业务")
    # Of two starts at one moment the second waits here, and then sees the first one's case.
    db.session.execute(select(Pupil.id).where(Pupil.id == pupil.id).with_for_update(key_share=True))
    pack = policy_of(pupil.school)
    if not law.offered(pack):
        why = law.closed_by(pack)
        raise Refused(
            f"本地政策（{pack.title}）未开放“{law.title}”" + (f"：{why.text}（{why.cited}）" if why else "")
        )
    refusals = law.refusals(facts_before_start(law, pack, pupil), "start")
    if refusals:
        raise Refused("该生现在不能发起这项业务", refusals)
    return _begin(actor, law, pack, pupil_id=pupil.id, pupil_version=pupil.version)


def start_roster(actor: Actor, law: Workflow) -> Case:
    """Begin a draft about many pupils of the actor's own school, for the year of entry that is in hand. Raises Refused."""
    if actor.role is not Role.REGISTRAR or law.roster is None:
        raise Refused("只有学校的学籍管理员可以发起这项业务")
    school = db.session.get_one(Office, actor.office_id)
    pack = policy_of(school)
    if not law.offered(pack):
        raise Refused(f"本地政策（{pack.title}）未开放“{law.title}”")
    facts = facts_before_roster(law, pack, school)
    refusals = law.refusals(facts, "start")
    if refusals or facts.quota is None:
        raise Refused("现在不能发起这项业务", refusals)
    return _begin(actor, law, pack, intake_year=facts.quota.year)


def _begin(actor: Actor, law: Workflow, pack: Policy, **about: Any) -> Case:
    case = Case(
        id=new_id(),
        number=next_number(law, clock.today()),
        workflow=law.id,
        policy=pack.code,
        owner_office_id=actor.office_id,
        status=Status.DRAFT,
        created_by_id=actor.id,
        round=0,
        version=1,
        answers={},
        **about,
    )
    db.session.add(case)
    db.session.flush()
    event = append_event(case, actor, "started", "")
    audit.append(
        "case.started",
        "case",
        case.id,
        version=case.version,
        status=str(case.status),
        event=digests.of_event(event),
        answers=digests.of_answers(case.id, case.answers),
        about=digests.of_case(case),
    )
    return case


def next_number(law: Workflow, day: date) -> str:
    """The next case number of a procedure and year, e.g. GJ2026000123. Never given twice (a row lock per series)."""
    series = f"{law.number_prefix}{day.year}"
    statement = text(
        "INSERT INTO number_series (name, last) VALUES (:name, 1) "
        "ON CONFLICT (name) DO UPDATE SET last = number_series.last + 1 RETURNING last"
    )
    return f"{series}{db.session.execute(statement, {'name': series}).scalar_one():06d}"
