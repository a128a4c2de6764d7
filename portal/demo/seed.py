"""What the demonstration holds: offices, people and pupils at once, then story after story by the portal's own acts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from portal import audit
from portal.accounts import passwords
from portal.cases import clock, digests, evidence, starting
from portal.cases.access import Actor
from portal.cases.actions import Act
from portal.cases.offices import place_below
from portal.cases.remarks import Reason
from portal.demo import intake, loads
from portal.demo.acts import PAPERS, act, cast, reread, upload, who
from portal.demo.chapters import Chapter, note
from portal.demo.people import ACCOUNTS, OFFICES, PASSWORD
from portal.demo.pupils import LEAVING, STORIES, DemoPupil, Leaving, Story, pupils
from portal.extensions import db
from portal.models import Account, Case, CaseEvent, NationalEntry, Office, Pupil
from portal.models.types import new_id, utcnow
from portal.oversight import holidays
from portal.standards import names
from portal.workflows import WORKFLOWS

PER_SCHOOL = 120
SLOTS = {"certificate": "change_certificate", "household": "household_book"}
OTHERS = ("draft", "withdrawn", "rejected")
LEAVING_SLOTS = {"application": "application", "report": "school_report", "household": "guardian_identity"}
CORRECTION, LEAVES = WORKFLOWS[:2]


def is_empty() -> bool:
    """Whether nobody has an account yet."""
    return db.session.execute(select(func.count()).select_from(Account)).scalar_one() == 0


def begin() -> None:
    """Make offices, people and pupils, in the running transaction: with them the portal can be used."""
    audit.set_origin(address="demo")
    offices = _offices()
    holidays.enter_shipped(next(one for one in offices.values() if one.parent_id is None))
    _accounts(offices)
    _pupils(offices)
    note(len(chapters()))


def chapters() -> list[Chapter]:
    """Every story of the demonstration, in the order in which it is told."""
    return [
        *(_correction(story) for story in STORIES),
        *(_withdrawal(leaving) for leaving in LEAVING),
        *(_other(number, end) for number, end in enumerate(OTHERS)),
        *intake.chapters(),
        *loads.chapters(),
    ]


def _correction(story: Story) -> Chapter:
    papers = [PAPERS / f"{story.key}-{kind}.jpg" for kind in SLOTS]
    papers += [PAPERS / "try-blurred.jpg"] * (story.ends == "county_doubtful")
    return Chapter(f"correction.{story.key}", story.name, lambda: _play(story), tuple(papers))


def _withdrawal(leaving: Leaving) -> Chapter:
    papers = tuple(PAPERS / f"{leaving.key}-{kind}.jpg" for kind in LEAVING_SLOTS)
    return Chapter(f"withdrawal.{leaving.key}", leaving.name, lambda: _leave(leaving), papers)


def _other(number: int, end: str) -> Chapter:
    papers = tuple(PAPERS / f"s1-{kind}.jpg" for kind in SLOTS) if end == "rejected" else ()
    return Chapter(f"other.{end}", end, lambda: _others(number, end), papers)


def _offices() -> dict[str, Office]:
    made: dict[str, Office] = {}
    for one in OFFICES:
        office = Office(
            id=new_id(),
            name=one.name,
            level=one.level,
            code=one.code,
            policy=one.policy,
            stages=list(one.stages),
        )
        place_below(office, made.get(one.parent))
        db.session.add(office)
        db.session.flush()
        made[one.key] = office
    return made


def _accounts(offices: dict[str, Office]) -> dict[str, Account]:
    hashed = passwords.hash_password(PASSWORD)
    made = {}
    for one in ACCOUNTS:
        office = offices[one.office]
        account = Account(
            login=one.login,
            name=one.name,
            role=one.role,
            office_id=office.id,
            office=office,
            password_hash=hashed,
            must_change_password=False,
        )
        db.session.add(account)
        made[one.login] = account
    db.session.flush()
    return made


def _pupils(offices: dict[str, Office]) -> None:
    schools = [one for one in OFFICES if one.level == "school"]
    for number, school in enumerate(schools, start=1):
        rows: Iterable[DemoPupil] = pupils(school.stages[0], PER_SCHOOL, number)
        for row in rows:
            db.session.add(_pupil(offices[school.key], row))
    for story in (*STORIES, *LEAVING):
        stage = next(one.stages[0] for one in OFFICES if one.key == story.office)
        row = DemoPupil(story.name, story.sex, story.born, story.identity, stage, story.grade, "1班")
        db.session.add(_pupil(offices[story.office], row))


def _pupil(school: Office, row: DemoPupil) -> Pupil:
    return Pupil(
        student_number="G" + row.identity,
        school_id=school.id,
        school=school,
        name=row.name,
        name_key=names.name_key(row.name),
        initials=names.initials(row.name),
        sex=row.sex,
        birth_date=row.born,
        nationality="中国",
        overseas="00",
        ethnicity=row.ethnicity,
        id_type="1",
        id_number=row.identity,
        stage=row.stage,
        grade=row.grade,
        class_name=row.klass,
        particulars=row.particulars,
    )


def _play(story: Story) -> None:
    """Start the story's case and bring it to where it ends."""
    offices, accounts = cast()
    school = offices[story.office]
    registrar = who(accounts, "registrar", school)
    pupil = db.session.scalars(select(Pupil).where(Pupil.student_number == "G" + story.identity)).one()
    case = starting.start(registrar, CORRECTION, pupil)
    answers: dict[str, Any] = {
        "fields": list(story.new),
        "cause": story.cause,
        "explanation": story.explanation,
        **_asked_by(pupil.name),
    }
    answers |= {f"new_{column}": text for column, text in story.new.items()}
    if "name" in story.new:
        answers["new_former_name"] = "old" if story.cause == "renamed" else "keep"
    act(case, registrar, "edit", Act(answers=answers))
    reread()
    for kind, slot in SLOTS.items():
        upload(case, registrar, slot, PAPERS / f"{story.key}-{kind}.jpg")
    if story.ends == "county_doubtful":
        poor = upload(case, registrar, "change_certificate", PAPERS / "try-blurred.jpg")
        poor.verdict = "advise"  # as if the judge had only warned: a refusal needs three tries
        evidence.override(case, registrar, poor, "原件在派出所存档，窗口只让拍这一张")
    act(case, registrar, "submit")
    reread()
    _decide(case, story, school, accounts)


def _asked_by(pupil: str) -> dict[str, str]:
    """The father, as the drawn applications name him; before the day to which the oldest story is put back."""
    day = clock.today() - timedelta(days=30)
    return {
        "guardian_name": f"{pupil[0]}建设",
        "guardian_relation": "51",
        "guardian_day": day.isoformat(),
    }


def _leave(story: Leaving) -> None:
    """A pupil leaves for good: the name is typed by the school and by the state."""
    offices, accounts = cast()
    registrar = who(accounts, "registrar", offices[story.office])
    pupil = db.session.scalars(select(Pupil).where(Pupil.student_number == "G" + story.identity)).one()
    case = starting.start(registrar, LEAVES, pupil)
    answers = {
        **{"kind": "退学", "ground": "applied", "reason": "21", "explanation": story.explanation},
        **_asked_by(story.name),
    }
    act(case, registrar, "edit", Act(answers=answers))
    reread()
    for kind, slot in LEAVING_SLOTS.items():
        upload(case, registrar, slot, PAPERS / f"{story.key}-{kind}.jpg")
    act(case, registrar, "submit", Act(confirmation=story.name))
    if case.step == "county_review":
        act(case, Actor.of(accounts["xianji"]), "approve", Act(note="申请和报告齐全，已与监护人核实"))
    if story.ends == "approved":
        act(case, Actor.of(accounts["zhouji"]), "approve", Act(confirmation=story.name))


def _decide(case: Case, story: Story, school: Office, accounts: dict[str, Account]) -> None:
    county = accounts["xianji"]
    if story.ends == "county_late":
        _backdate(case, 21)
    if story.ends == "returned":
        reason = Reason(
            "image_unclear", "evidence", "change_certificate", "红章压住的日期看不清，请平放后重拍"
        )
        act(case, Actor.of(county), "return", Act(reasons=(reason,), note="其余材料无误，只需补这一项。"))
    if story.ends in ("state", "approved") and case.step == "county_review":
        act(case, Actor.of(county), "approve", Act(note="证明与户口簿一致"))
    if story.ends == "approved":
        act(case, Actor.of(accounts["zhouji"]), "approve")
    if story.ends == "entered":
        act(case, Actor.of(county), "approve", Act(note="证明与户口簿一致"))
        entry = db.session.get_one(NationalEntry, case.id)
        entry.receipt, entry.entered_at = "GW20261118000231", utcnow()
        entry.entered_by_id = who(accounts, "registrar", school).id
        _backdate(case, 12)


def _others(number: int, end: str) -> None:
    """A draft, a withdrawn or a rejected case, so that every status can be seen."""
    offices, accounts = cast()
    school = offices["qinghe_high"]
    registrar = who(accounts, "registrar", school)
    query = select(Pupil).where(Pupil.school_id == school.id).order_by(Pupil.student_number)
    pupil = db.session.scalars(query.offset(number).limit(1)).one()
    case = starting.start(registrar, CORRECTION, pupil)
    answers: dict[str, Any] = {"fields": ["name"], "cause": "renamed", "explanation": "依法更改姓名"}
    if end != "draft":
        answers |= {"new_name": f"{pupil.name}华", "new_former_name": "old", **_asked_by(pupil.name)}
    act(case, registrar, "edit", Act(answers=answers))
    if end == "withdrawn":
        act(case, registrar, "withdraw", Act(note="家长暂不办理"))
    reread()
    if end == "rejected":
        for kind, slot in SLOTS.items():
            file = upload(case, registrar, slot, PAPERS / f"s1-{kind}.jpg")
            evidence.override(case, registrar, file, "家长暂时只带来这一份")
        act(case, registrar, "submit", Act(papers_words="家长暂时只带来这一份，已请其补办"))
        note_ = "证明上的姓名与该生不是同一人，不予变更"
        act(case, Actor.of(accounts["xianji"]), "reject", Act(note=note_))


def _backdate(case: Case, days: int) -> None:
    """Move a case's own dates into the past; the audit chain keeps the true times."""
    span = timedelta(days=days)
    case.submitted_at = (case.submitted_at or utcnow()) - span
    case.created_at -= span
    if case.clock_from:
        case.clock_from -= span
        case.due_on = clock.due_date(
            case.clock_from, case.clock_limit, case.clock_used, clock.load_calendar(case.owner)
        )
    if case.ended_at:
        case.ended_at -= span
    moved: uuid.UUID = case.id
    moved_events: dict[str, str] = {}
    for event in db.session.scalars(select(CaseEvent).where(CaseEvent.case_id == moved)):
        event.at -= span
        moved_events[str(event.seq)] = digests.of_event(event)
    db.session.execute(
        update(NationalEntry).where(NationalEntry.case_id == moved).values(approved_at=utcnow() - span)
    )
    db.session.flush()
    audit.append("case.backdated", "case", moved, events=moved_events)
