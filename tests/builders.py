"""Offices, people, pupils and cases for tests, all fictional.

Every builder adds irrelevant neighbours by default where a forgotten filter would otherwise go unnoticed.
"""

from __future__ import annotations

import io
import itertools
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from flask import current_app

from portal.accounts.sessions import SignedIn, begin
from portal.cases import actions, starting
from portal.cases.access import Actor
from portal.cases.offices import place_below
from portal.cases.stored_files import EVIDENCE
from portal.extensions import db
from portal.models import Account, Case, EvidenceFile, EvidencePage, Level, Office, Pupil, Role, StoredFile
from portal.models.types import new_id
from portal.standards import id_number, names
from portal.workflows import workflow
from storage.objects import ObjectStore, Sealed, new_key

KEY_CHANGE = "key_information_change"
PASSWORD = "Quiet-River-2048"
_serial = itertools.count(1)


def an_id_number(born: date = date(2010, 5, 6), sex: str = "1", serial: int | None = None) -> str:
    """A fictional identity number: unassigned division code 622999, valid check digit."""
    order = (next(_serial) if serial is None else serial) % 499 * 2 + (1 if sex == "1" else 0)
    first = f"622999{born:%Y%m%d}{order:03d}"
    return first + id_number.check_digit(first)


def an_office(level: Level, parent: Office | None = None, name: str = "", **values: Any) -> Office:
    number = next(_serial)
    kind = {
        Level.STATE: "云岭州教育局",
        Level.COUNTY: "县教育局",
        Level.DISTRICT: "学区中心学校",
        Level.SCHOOL: "学校",
    }
    office = Office(
        id=new_id(),
        name=name or f"青禾{number}{kind[level]}",
        level=level,
        code=values.pop("code", f"3462{number:06d}" if level == Level.SCHOOL else f"OFFICE{number}"),
        **values,
    )
    place_below(office, parent)
    db.session.add(office)
    db.session.flush()
    return office


def a_state(policy: str = "gs-linxia-2022") -> Office:
    return an_office(Level.STATE, policy=policy)


def a_county(state: Office | None = None) -> Office:
    return an_office(Level.COUNTY, state or a_state())


def a_school(parent: Office | None = None, stages: tuple[str, ...] = ("高中",), **values: Any) -> Office:
    return an_office(Level.SCHOOL, parent or a_county(), stages=list(stages), **values)


def an_account(role: Role, office: Office, **values: Any) -> Account:
    number = next(_serial)
    account = Account(
        id=new_id(),
        login=values.pop("login", f"{role}{number}"),
        name=values.pop("name", f"测试{number}"),
        role=role,
        office=office,
        office_id=office.id,
        password_hash=values.pop("password_hash", "not a password"),
        must_change_password=values.pop("must_change_password", False),
        **values,
    )
    db.session.add(account)
    db.session.flush()
    return account


def an_actor(role: Role, office: Office) -> Actor:
    return Actor.of(an_account(role, office))


def a_pupil(school: Office | None = None, **values: Any) -> Pupil:
    """A grade-10 boy by default, born 2010-05-06, with a valid fictional identity number."""
    school = school or a_school()
    number = next(_serial)
    born = values.pop("birth_date", date(2010, 5, 6))
    sex = values.pop("sex", "1")
    identity = values.pop("id_number", an_id_number(born, sex))
    name = values.pop("name", f"马小{'一二三四五六七八九十'[number % 10]}")
    pupil = Pupil(
        id=new_id(),
        student_number=values.pop("student_number", f"L622999{born:%Y%m%d}{number % 10_000:04d}"),
        school=school,
        school_id=school.id,
        name=name,
        name_key=names.name_key(name),
        initials=names.initials(name),
        sex=sex,
        birth_date=born,
        ethnicity=values.pop("ethnicity", "03"),
        id_type=values.pop("id_type", "1"),
        id_number=identity,
        stage=values.pop("stage", "高中"),
        grade=values.pop("grade", "高一"),
        class_name=values.pop("class_name", "1班"),
        **values,
    )
    db.session.add(pupil)
    db.session.flush()
    return pupil


def a_stored_file(kind: str, sealed: Sealed, office_id: UUID, account_id: UUID) -> StoredFile:
    """The row of a file that lies in the store, kept without a term."""
    file = StoredFile(
        id=new_id(), kind=kind, office_id=office_id, account_id=account_id, status="kept", **asdict(sealed)
    )
    db.session.add(file)
    db.session.flush()
    return file


def a_file(case: Case, slot: str, uploader: Account | Actor, **values: Any) -> EvidenceFile:
    """A committed file: its rows, and a small object in the store (no picture)."""
    number = next(_serial)
    content = f"evidence {number} {new_id().hex}".encode()
    store: ObjectStore = current_app.extensions["store"]
    sealed = store.put(new_key("evidence"), io.BytesIO(content), size_limit=1000, media_type="image/jpeg")
    a_stored_file(EVIDENCE, sealed, case.owner_office_id, uploader.id)
    file = EvidenceFile(
        id=new_id(),
        case_id=case.id,
        slot=slot,
        status="committed",
        name=values.pop("name", f"证明{number}.jpg"),
        store_key=sealed.key,
        version_id=sealed.version_id,
        sha256=sealed.sha256,
        size=sealed.size,
        media_type="image/jpeg",
        verdict=values.pop("verdict", "pass"),
        uploaded_by_id=uploader.id,
        round=case.round,
        **values,
    )
    db.session.add(file)
    db.session.flush()
    db.session.add(EvidencePage(file_id=file.id, page=1, width=2480, height=3508, verdict=file.verdict))
    db.session.flush()
    return file


FATHER = {"guardian_name": "马建国", "guardian_relation": "51", "guardian_day": "2025-09-01"}
NEW_NAME = {
    "fields": ["name"],
    "cause": "household_corrected",
    "explanation": "户口簿登记姓名有误，已更正",
    "new_name": "马晓明",
    **FATHER,
}


class Cast:
    """One line of offices with the people who matter, and a stranger's line beside it."""

    def __init__(self, policy: str = "gs-linxia-2022") -> None:
        self.state = a_state(policy)
        self.county = a_county(self.state)
        self.school = a_school(self.county)
        self.registrar = an_actor(Role.REGISTRAR, self.school)
        self.head = an_actor(Role.HEAD, self.school)
        self.reviewer = an_actor(Role.REVIEWER, self.county)
        self.reviewer2 = an_actor(Role.REVIEWER, self.county)
        self.approver = an_actor(Role.APPROVER, self.state)
        self.auditor = an_actor(Role.AUDITOR, self.state)
        self.administrator = an_actor(Role.ADMINISTRATOR, self.state)
        self.pupil = a_pupil(self.school)
        a_pupil(self.school)

    def everybody(self) -> dict[str, Actor]:
        return {name: value for name, value in vars(self).items() if isinstance(value, Actor)}


def a_case(
    cast: Cast, at: str = "draft", answers: dict[str, Any] | None = None, pupil: Pupil | None = None
) -> Case:
    """A key-information case of the cast, moved by real acts to `at`: draft, ready, county_review, state_approval,
    returned, approved, rejected or withdrawn. The answers and files of "ready" make it submittable."""
    case = starting.start(cast.registrar, workflow(KEY_CHANGE), pupil or cast.pupil)
    if at == "draft":
        return case
    act(case, cast.registrar, "edit", answers=answers or NEW_NAME)
    for slot in ("change_certificate", "household_book"):
        a_file(case, slot, cast.registrar)
    if at == "ready":
        return case
    act(case, cast.registrar, "submit")
    if at in ("state_approval", "approved"):
        act(case, cast.reviewer, "approve")
    if at == "approved":
        act(case, cast.approver, "approve")
    if at == "returned":
        act(case, cast.reviewer, "return", reasons=(a_reason(),))
    if at == "rejected":
        act(case, cast.reviewer, "reject", note="证明与本人不符")
    if at == "withdrawn":
        act(case, cast.registrar, "withdraw")
    return case


def a_reason() -> Any:
    from portal.cases.remarks import Reason

    return Reason("image_unclear", "evidence", "change_certificate", "请重拍，红章要看得清")


def act(case: Case, actor: Actor, verb: str, **carried: Any) -> None:
    """Perform from a fresh page."""
    db.session.flush()
    actions.perform(case, actor, verb, actions.stamp(case), actions.Act(**carried))


def sign_in(client: Any, account: Account | Actor) -> SignedIn:
    """Sign a test client in by a real session row, without the cost of a password."""
    if isinstance(account, Actor):
        account = db.session.get(Account, account.id)  # type: ignore[assignment]
    signed_in = begin(account, "127.0.0.1", "test")  # type: ignore[arg-type]
    db.session.commit()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = signed_in.token
        cookie["_fresh"] = True
    return signed_in
