"""Case -> Facts: the one reading on which rules, steps and printouts rest."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.cases import clock, local_conditions
from portal.cases.access import Actor
from portal.cases.endings import endings_of
from portal.cases.offices import line_of
from portal.cases.rosters import reading
from portal.cases.telling import Reader
from portal.extensions import db
from portal.models import OPEN, Case, Decision, EvidenceFile, Office, Pupil, Status
from portal.policies import Policy, policy
from portal.standards.columns import COLUMNS
from portal.standards.school_year import year_of_entry
from portal.workflows import workflow
from portal.workflows.facts import EvidenceFact, Facts, Holder, Opinion, OtherCase, PupilFacts, SchoolFacts
from portal.workflows.vocabulary import Workflow

STATUS_TEXT = {
    "draft": "草稿",
    "in_review": "审核中",
    "returned": "待补正",
    "approved": "已同意",
    "rejected": "不同意",
    "withdrawn": "已撤回",
}


def read_facts(case: Case, actor: Actor | None = None) -> Facts:
    """Everything that may be judged about a case, as the database stands now. What it says of other pupils is for the eyes of
    `actor`; without one for those of the school that keeps the case. The judgement is the same for all."""
    law, pack = workflow(case.workflow), policy(case.policy)
    reader = Reader.of(actor) if actor else Reader.of_school(case.owner)
    if law.roster:
        found = reading.read(case, law.roster, reader)
        facts = replace(
            facts_of_school(law, pack, case.owner),
            roster=found.rows,
            quota=found.quota,
            numbers=found.numbers,
        )
    elif case.pupil is None:
        raise ValueError(f"case {case.number} has no pupil")
    else:
        facts = facts_before_start(law, pack, case.pupil, without=case.id)
        # The school that began it stays its school, though the pupil may have gone on to another meanwhile.
        facts = replace(facts, school=school_facts(case.owner))
    facts = replace(facts, with_school=case.status in (Status.DRAFT, Status.RETURNED))
    form = law.form.from_raw(case.answers, facts)
    facts = replace(
        facts,
        number=case.number,
        answers=form.typed(),
        evidence=_evidence(case.id),
        opinions=_opinions(case, law),
        applicant=case.submitted_by.name if case.submitted_by else case.created_by.name,
        submitted_on=clock.local(case.submitted_at).date() if case.submitted_at else None,
    )
    if law.roster:
        return replace(facts, findings=tuple(law.roster.findings(facts)))
    if case.pupil is None:
        return facts
    return replace(facts, held_elsewhere=_held_elsewhere(law, law.changes(facts), case.pupil, reader))


def facts_before_start(law: Workflow, pack: Policy, pupil: Pupil, without: uuid.UUID | None = None) -> Facts:
    """What is known when a pupil is chosen and nothing has been answered yet."""
    return Facts(
        workflow=law.id,
        number="",
        today=clock.today(),
        policy=pack,
        school=school_facts(pupil.school),
        pupil=pupil_facts(pupil),
        other_cases=_other_cases(pupil, without),
        endings=endings_of(pupil.id),
        local=local_conditions.of_school(law, pupil.school),
    )


def facts_of_school(law: Workflow, pack: Policy, school: Office) -> Facts:
    """What is known of a school, before a case about many has any rows."""
    return Facts(workflow=law.id, number="", today=clock.today(), policy=pack, school=school_facts(school))


def facts_before_roster(law: Workflow, pack: Policy, school: Office) -> Facts:
    """What is known when a school begins a roster."""
    year = year_of_entry(clock.today())
    return replace(facts_of_school(law, pack, school), quota=reading.quota_before_start(school, year))


def pupil_values(pupil: Pupil) -> dict[str, str]:
    """{column key: stored text} of every register column."""
    values = {key: str(value) for key, value in pupil.particulars.items()}
    for column in COLUMNS:
        if column.stored:
            value = getattr(pupil, column.key)
            values[column.key] = value.isoformat() if isinstance(value, date) else value or ""
    return values | {"school_code": pupil.school.code}


def pupil_facts(pupil: Pupil) -> PupilFacts:
    return PupilFacts(str(pupil.id), pupil_values(pupil), pupil.version)


def school_facts(school: Office) -> SchoolFacts:
    above = {one.level: one.name for one in reversed(line_of(school)) if one.id != school.id}
    return SchoolFacts(school.name, school.code, above, tuple(school.stages))


def _other_cases(pupil: Pupil, without: uuid.UUID | None) -> tuple[OtherCase, ...]:
    query = select(Case).where(Case.pupil_id == pupil.id, Case.status.in_(OPEN)).order_by(Case.number)
    found = [case for case in db.session.scalars(query) if case.id != without]
    return tuple(
        OtherCase(
            case.number,
            case.workflow,
            workflow(case.workflow).title,
            STATUS_TEXT[case.status],
            workflow(case.workflow).may_change,
        )
        for case in found
    )


def _held_elsewhere(
    law: Workflow, new: Mapping[str, str], pupil: Pupil, reader: Reader
) -> dict[str, tuple[Holder, ...]]:
    held: dict[str, tuple[Holder, ...]] = {}
    for column in law.unique & new.keys():
        attribute: Any = getattr(Pupil, column)
        query = select(Pupil).where(attribute == new[column], Pupil.id != pupil.id).limit(5)
        others = db.session.scalars(query).all()
        seen = reader.pupils_among([other.id for other in others])
        if others:
            held[column] = tuple(_holder(one, pupil) if one.id in seen else Holder("", "") for one in others)
    return held


def _holder(other: Pupil, pupil: Pupil) -> Holder:
    return Holder(other.name, "本校" if other.school_id == pupil.school_id else other.school.name)


def _evidence(case_id: uuid.UUID) -> tuple[EvidenceFact, ...]:
    query = (
        select(EvidenceFile)
        .where(
            EvidenceFile.case_id == case_id,
            EvidenceFile.status == "committed",
            EvidenceFile.removed_at.is_(None),
        )
        .options(selectinload(EvidenceFile.pages))
        .order_by(EvidenceFile.uploaded_at, EvidenceFile.id)
    )
    return tuple(
        EvidenceFact(
            file.slot, file.name, file.sha256, file.written_pages, file.verdict, file.override_reason
        )
        for file in db.session.scalars(query)
    )


def _opinions(case: Case, law: Workflow) -> tuple[Opinion, ...]:
    query = select(Decision).where(Decision.case_id == case.id).order_by(Decision.at, Decision.id)
    return tuple(
        Opinion(one.step, one.office.name, one.actor.name, clock.local(one.at).date(), one.verb, one.note)
        for one in db.session.scalars(query)
    )
