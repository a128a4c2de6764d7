"""A world in which a leak shows: two state bureaus, three counties, four schools, and canaries in every text.

Four estates: `home`, a second school of the same county, a second county of the same state, another state. Each has
its offices, a person of every role, a pupil and a case for every place a case can stand in, files with real objects,
register loads, entries, remarks and preferences. Every text of an estate begins with the estate's own two rare
characters, every file of it carries the estate's own word, so that one glance at an answer tells whose text is in it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import audit, tasks
from portal.cases import claims, items, starting
from portal.cases.access import Actor
from portal.cases.remarks import Reason
from portal.cases.stored_files import EVIDENCE, LOAD, STAMPED
from portal.extensions import db
from portal.models import (
    Account,
    Case,
    EvidenceFile,
    EvidencePage,
    Item,
    Level,
    NationalEntry,
    Office,
    Postponement,
    Preference,
    Pupil,
    RegisterLoad,
    RegisterLoadRow,
    Role,
    StampedBatch,
    StampedPage,
)
from portal.models.types import new_id, utcnow
from portal.workflows import workflow
from storage.objects import Sealed, new_key
from tests.builders import (
    KEY_CHANGE,
    a_pupil,
    a_stored_file,
    act,
    an_account,
    an_id_number,
    an_office,
    sign_in,
)
from tests.conftest import EMBEDDED, SERVICES
from tests.exports import as_csv, rows_of
from tests.web import intake_world
from tests.web.canaries import Canaries
from tests.web.installation import installed, running

PLACES = (
    "draft",
    "ready",
    "county_review",
    "state_approval",
    "returned",
    "returned_twice",
    "approved",
    "entered",
    "rejected",
    "withdrawn",
)
WITH_NUMBER = ("ready", "county_review", "returned", "approved")
SLOTS = ("change_certificate", "household_book")


@dataclass
class Estate:
    """One line of offices as far as it is not another estate's, and everything in it."""

    name: str
    canaries: Canaries
    state: Office
    county: Office
    school: Office
    people: dict[str, Account] = field(default_factory=dict)
    pupils: list[Pupil] = field(default_factory=list)
    cases: dict[str, Case] = field(default_factory=dict)
    files: dict[str, list[EvidenceFile]] = field(default_factory=dict)  # by the place of their case
    loads: dict[str, RegisterLoad] = field(default_factory=dict)  # "school:checked", "county:applied", ...
    items: dict[str, Item] = field(default_factory=dict)  # what waits for an office: "county", "state"
    batches: dict[str, StampedBatch] = field(default_factory=dict)  # of stamped forms: "school", ...
    sheets: dict[str, StampedPage] = field(default_factory=dict)  # "school:landed", "county:tray", ...
    rosters: dict[str, Case] = field(
        default_factory=dict
    )  # "sent" to the province, "approved", "draft", "review"
    roster_rows: dict[str, list[str]] = field(default_factory=dict)  # ids, by the name of their roster
    postponements: list[Postponement] = field(default_factory=list)
    return_rows: list[str] = field(default_factory=list)  # ids of rows of the province's return that wait
    own_offices: list[Office] = field(default_factory=list)
    own_people: list[Account] = field(default_factory=list)

    def actor(self, person: str) -> Actor:
        return Actor.of(self.people[person])


@dataclass
class World:
    app: Flask
    home: Estate
    neighbours: dict[str, Estate]  # next_school, next_county, next_state

    @property
    def estates(self) -> list[Estate]:
        return [self.home, *self.neighbours.values()]

    def client(self, person: str | None) -> FlaskClient:
        """A client of the home line, signed in; None for nobody."""
        client = self.app.test_client()
        if person:
            sign_in(client, self.home.actor(person))
        return client

    def beyond(self, person: str | None) -> list[Estate]:
        """The estates that this person has no business with; nobody has business with any."""
        if person is None:
            return self.estates
        reach = self.home.people[person].office.path
        return [one for one in self.neighbours.values() if not one.school.path.startswith(reach)]


PEOPLE = {
    "registrar": (Role.REGISTRAR, "school"),
    "head": (Role.HEAD, "school"),
    "reviewer": (Role.REVIEWER, "county"),
    "auditor_county": (Role.AUDITOR, "county"),
    "administrator_county": (Role.ADMINISTRATOR, "county"),
    "approver": (Role.APPROVER, "state"),
    "auditor_state": (Role.AUDITOR, "state"),
    "administrator_state": (Role.ADMINISTRATOR, "state"),
}


def build(app: Flask) -> World:
    """Fill an empty database. Every case comes to its place by the engine's own acts."""
    home = _line("home", 0)
    neighbours = {
        "next_school": _line("next_school", 1, beside=home, share="county"),
        "next_county": _line("next_county", 2, beside=home, share="state"),
        "next_state": _line("next_state", 3),
    }
    world = World(app, home, neighbours)
    for estate in world.estates:
        _fill(estate)
    intake_world.fill(world.estates)
    db.session.commit()
    tasks.wait()
    audit.origin.set(audit.Origin())
    _let_go()
    return world


def _let_go() -> None:
    """Read every object once more and detach it, so that looking at the world never opens a transaction again."""
    for one in list(db.session):
        db.session.refresh(one)
    db.session.expunge_all()
    db.session.rollback()


def _line(name: str, number: int, beside: Estate | None = None, share: str = "") -> Estate:
    words = Canaries(name, number)
    own: list[Office] = []

    def made(level: Level, parent: Office | None, ending: str, **values: Any) -> Office:
        office = an_office(level, parent, words.text(ending), **values)
        own.append(office)
        return office

    if beside is None:
        state = made(Level.STATE, None, "州教育局", policy="gs-linxia-2022")
        county = made(Level.COUNTY, state, "县教育局")
    elif share == "state":
        state, county = beside.state, made(Level.COUNTY, beside.state, "县教育局")
    else:
        state, county = beside.state, beside.county
    school = made(Level.SCHOOL, county, "中学", stages=["高中"])
    estate = Estate(name, words, state, county, school, own_offices=own)
    for person, (role, level) in PEOPLE.items():
        office: Office = getattr(estate, level)
        if office in own:
            account = an_account(
                role, office, name=words.text(), login=f"p{new_id().hex[:10]}", phone=_phone(words)
            )
            estate.own_people.append(account)
        else:
            assert beside is not None
            account = beside.people[person]
        estate.people[person] = account
    words.ids |= {one.id.hex for one in own} | {one.id.hex for one in estate.own_people}
    words.numbers |= {one.login for one in estate.own_people} | {one.phone for one in estate.own_people}
    return estate


def _phone(words: Canaries) -> str:
    return f"1990{words._random.randrange(10**7):07d}"


def _fill(estate: Estate) -> None:
    for place in PLACES:
        pupil = _pupil(estate)
        case = _case(estate, pupil, place)
        estate.cases[place] = case
    _pupil(estate, problem=estate.canaries.text())
    for level in ("school", "county", "state"):
        office = getattr(estate, level)
        if office in estate.own_offices:
            _loads(estate, level, office)
            _stamped(estate, level, office)
    for level in ("county", "state"):
        if level == "county" or getattr(estate, level) in estate.own_offices:
            _item(estate, level)  # a neighbouring school's waits for the county that both have
    for person in estate.own_people:
        _preferences(estate, person)
    for office in estate.own_offices:
        value: dict[str, object] = {"mapping": {estate.canaries.text(): "name"}}
        db.session.add(Preference(owner_id=office.id, key="load.mapping", value=value))
    db.session.flush()
    estate.canaries.ids |= {case.id.hex for case in estate.cases.values()}
    estate.canaries.ids |= {pupil.id.hex for pupil in estate.pupils}
    estate.canaries.ids |= {file.id.hex for files in estate.files.values() for file in files}
    estate.canaries.ids |= {load.id.hex for load in estate.loads.values()}
    estate.canaries.ids |= {one.id.hex for one in estate.items.values()}
    estate.canaries.ids |= {one.id.hex for one in estate.batches.values()}
    estate.canaries.ids |= {one.id.hex for one in estate.sheets.values()}
    estate.canaries.numbers |= {case.number for case in estate.cases.values()}


def _pupil(estate: Estate, **values: Any) -> Pupil:
    words = estate.canaries
    born = date(2009, 1, 1 + len(estate.pupils))
    number = an_id_number(born)
    guardian = an_id_number(date(1980, 2, 3), "2")
    formal = len(estate.pupils) % 2 == 0
    if formal:
        values["student_number"] = "G" + number
    pupil = a_pupil(
        estate.school,
        name=words.text(),
        former_name=words.text(),
        birth_date=born,
        id_number=number,
        class_name=words.text("班"),
        nationality=words.text(),
        particulars={
            "address": words.text("村"),
            "household": words.text("村"),
            "guardian1_name": words.text(),
            "guardian1_id_number": guardian,
            "guardian1_phone": _phone(words),
            "guardian1_work": words.text(),
        },
        **values,
    )
    words.numbers |= {number, guardian, pupil.student_number, pupil.particulars["guardian1_phone"]}
    estate.pupils.append(pupil)
    return pupil


def _as(estate: Estate, person: str) -> Actor:
    """Act as somebody of the line, so that the audit trail says so."""
    who = estate.actor(person)
    audit.set_origin(actor_id=who.id, office_id=who.office_id, address="192.0.2.1")
    return who


def _case(estate: Estate, pupil: Pupil, place: str) -> Case:
    words = estate.canaries
    case = starting.start(_as(estate, "registrar"), workflow(KEY_CHANGE), pupil)
    estate.files[place] = []
    if place == "draft":
        return case
    answers = {
        "fields": ["name"],
        "cause": "household_corrected",
        "explanation": words.text("，户口簿已更正"),
        "new_name": words.text(),
        "guardian_name": words.text(),
        "guardian_relation": "52",
        "guardian_day": "2025-09-01",
    }
    if place in WITH_NUMBER:
        answers["fields"] = ["name", "id_number"]
        answers["new_id_number"] = _another_number(pupil)
        words.numbers.add(answers["new_id_number"])
    act(case, estate.actor("registrar"), "edit", answers=answers)
    for slot in SLOTS:
        _paper(estate, case, place, slot)
    if place == "ready":
        return case
    act(case, estate.actor("registrar"), "submit")
    _decide(estate, case, place)
    return case


def _another_number(pupil: Pupil) -> str:
    assert pupil.birth_date is not None
    return an_id_number(pupil.birth_date, pupil.sex)


def _decide(estate: Estate, case: Case, place: str) -> None:
    words = estate.canaries
    reviewer = estate.actor("reviewer")
    if place == "county_review":
        claims.claim(case, _as(estate, "reviewer"))
    if place in ("state_approval", "approved", "entered"):
        act(case, _as(estate, "reviewer"), "approve", note=words.text())
    if place in ("approved", "entered"):
        act(case, _as(estate, "approver"), "approve", note=words.text())
    if place == "entered":
        entry = db.session.get_one(NationalEntry, case.id)
        entry.receipt, entry.entered_at = f"R{words._random.randrange(10**9):09d}", utcnow()
        entry.entered_by_id = estate.people["registrar"].id
        words.numbers.add(entry.receipt)
    if place in ("returned", "returned_twice"):
        marked = str(estate.files[place][0].id)
        box = {"x": 0.2, "y": 0.3, "width": 0.4, "height": 0.1}
        reason = Reason("image_unclear", "evidence", SLOTS[0], words.text(), marked, 1, box)
        _as(estate, "reviewer")
        act(case, reviewer, "return", reasons=(reason,), note=words.text())
    if place == "returned_twice":
        old = estate.files[place][0]
        old.removed_at, old.removed_round = utcnow(), case.round
        _paper(estate, case, place, SLOTS[0])
    if place == "rejected":
        act(case, _as(estate, "reviewer"), "reject", note=words.text("，不同意"))
    if place == "withdrawn":
        act(case, _as(estate, "registrar"), "withdraw", note=words.text())


def _paper(estate: Estate, case: Case, place: str, slot: str) -> EvidenceFile:
    """A committed file of one page: original, view and thumbnail are real objects of the store."""
    words = estate.canaries
    original, view, thumb = (
        _put(prefix, words.picture(), "image/jpeg") for prefix in ("evidence", "views", "views")
    )
    a_stored_file(EVIDENCE, original, case.owner_office_id, estate.people["registrar"].id)
    file = EvidenceFile(
        id=new_id(),
        case_id=case.id,
        slot=slot,
        status="committed",
        name=words.text(".jpg"),
        store_key=original.key,
        version_id=original.version_id,
        sha256=original.sha256,
        size=original.size,
        media_type="image/jpeg",
        verdict="advise" if slot == SLOTS[0] else "pass",
        override_reason=words.text("，只能拍成这样") if slot == SLOTS[0] else "",
        notice=words.text(),
        uploaded_by_id=estate.people["registrar"].id,
        round=case.round,
    )
    db.session.add(file)
    db.session.flush()
    measured = {
        "name": "sharpness",
        "value": 1.0,
        "unit": "",
        "threshold": 2.0,
        "verdict": "advise",
        "message": words.text(),
    }
    db.session.add(
        EvidencePage(
            file_id=file.id,
            page=1,
            width=64,
            height=80,
            verdict=file.verdict,
            measurements=[measured],
            view=vars_of(view),
            thumb=vars_of(thumb),
            plain=vars_of(view),
        )
    )
    db.session.flush()
    words.numbers.add(file.sha256)
    estate.files[place].append(file)
    return file


def vars_of(sealed: Sealed) -> dict[str, Any]:
    return {
        "key": sealed.key,
        "version_id": sealed.version_id,
        "sha256": sealed.sha256,
        "size": sealed.size,
    }


def _put(prefix: str, data: bytes, media_type: str) -> Sealed:
    return tasks.store().put(new_key(prefix), io.BytesIO(data), size_limit=10**6, media_type=media_type)


LOAD_STATUSES = ("uploaded", "checked", "applied", "failed")


def _loads(estate: Estate, level: str, office: Office) -> None:
    """A load in each standing, by the person of the office who loads; with a finding of every kind."""
    words = estate.canaries
    person = {"school": "registrar", "county": "reviewer", "state": "approver"}[level]
    sheet = as_csv(rows_of(2, [estate.school.code]))
    for status in LOAD_STATUSES:
        exported = _put("loads", sheet + words.word.encode(), "text/csv")
        a_stored_file(LOAD, exported, office.id, estate.people[person].id)
        load = RegisterLoad(
            id=new_id(),
            office_id=office.id,
            account_id=estate.people[person].id,
            filename=words.text(".csv"),
            stored=vars_of(exported),
            status=status,
            headings=["学籍号", "姓名", words.text()],
            sheet={},
            mapping={"0": "student_number", "1": "name"},
            counts={"added": 1, "changed": 1, "faulty": 1, "rows": 3} if status != "uploaded" else {},
            message=words.text() if status == "failed" else "",
            total_rows=3,
            done_rows=3,
            applied_at=utcnow() if status == "applied" else None,
        )
        db.session.add(load)
        db.session.flush()
        estate.loads[f"{level}:{status}"] = load
        if status in ("checked", "applied"):
            _findings(estate, load)


def _stamped(estate: Estate, level: str, office: Office) -> None:
    """A batch of stamped forms: one page that landed in a case, one in the tray."""
    words = estate.canaries
    person = {"school": "registrar", "county": "reviewer", "state": "approver"}[level]
    original = _put("stamped", words.picture(), "image/jpeg")
    a_stored_file(STAMPED, original, office.id, estate.people[person].id)
    batch = StampedBatch(
        id=new_id(),
        office_id=office.id,
        account_id=estate.people[person].id,
        status="sorted",
        name=words.text(".jpg"),
        store_key=original.key,
        version_id=original.version_id,
        sha256=original.sha256,
        size=original.size,
        media_type="image/jpeg",
        page_count=2,
        done_pages=2,
    )
    db.session.add(batch)
    db.session.flush()
    estate.batches[level] = batch
    words.numbers.add(batch.sha256)
    for number, outcome in enumerate(("landed", "tray"), start=1):
        landed = outcome == "landed"
        view, thumb = (_put("stamped", words.picture(), "image/jpeg") for _ in range(2))
        page = StampedPage(
            id=new_id(),
            batch_id=batch.id,
            page=number,
            outcome=outcome,
            message=words.text(),
            case_id=estate.cases["county_review"].id if landed else None,
            printout="approval-form" if landed else "",
            version=1 if landed else None,
            view=asdict(view),
            thumb=asdict(thumb),
            placed_at=utcnow(),
        )
        db.session.add(page)
        estate.sheets[f"{level}:{outcome}"] = page
    db.session.flush()


def _findings(estate: Estate, load: RegisterLoad) -> None:
    words, pupil = estate.canaries, estate.pupils[-1]
    fault = {"column": "name", "heading": words.text(), "value": words.text(), "level": "error"}
    fault |= {"reason": words.text(), "remedy": words.text()}
    for row, kind in enumerate(
        ("added", "changed", "faulty", "missing", "held", "landed", "warning", "waiting", "renumber"), start=2
    ):
        values = {"student_number": f"G{pupil.id_number}", "school_code": pupil.school.code}
        asked = {"values": values, "faults": [], "pupils": [pupil.id.hex], "shared": False}
        db.session.add(
            RegisterLoadRow(
                load_id=load.id,
                row=row,
                kind=kind,
                pupil_id=None if kind in ("added", "faulty") else pupil.id,
                student_number=pupil.student_number,
                name=words.text(),
                waits_as="changed" if kind == "waiting" else "",
                before={"name": pupil.name} if kind in ("changed", "waiting") else {},
                after={"name": words.text()} if kind in ("added", "changed", "waiting") else {},
                faults=[fault] if kind in ("faulty", "warning", "held") else [],
                asked=asked if kind == "renumber" else {},
                agrees=kind == "renumber",
            )
        )
    db.session.flush()


def _item(estate: Estate, level: str) -> None:
    """What a load of the school proposes to an office above it."""
    load = estate.loads["school:applied"]
    item = items.open_item(
        "load",
        estate.school,
        f"{level}:{load.id.hex}"[:80],
        ("load", load.id),
        {"changed": 1},
        load.account_id,
    )
    item.owner_office_id, item.key = getattr(estate, level).id, f"{level}:{load.id.hex}"
    db.session.flush()
    estate.items[level] = item


def _preferences(estate: Estate, person: Account) -> None:
    for box in ("all", "todo"):
        key = f"queue.{box}"
        value: dict[str, object] = {"name": ""}
        db.session.add(Preference(owner_id=person.id, key=key, value=value, note=estate.canaries.text()))


@pytest.fixture(scope="module", params=[EMBEDDED, pytest.param(SERVICES, marks=pytest.mark.services)])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world, built once for the tests of a module: they leave it as they found it, or build their own."""
    folder = tmp_path_factory.mktemp("world")
    with installed(request, request.param, folder) as settings, running(settings) as app:
        yield build(app)
