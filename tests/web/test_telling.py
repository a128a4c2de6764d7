"""Another office's pupil is told by one plain sentence, on every way in by which somebody brings a number along."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook

from portal import tasks
from portal.cases.facts import read_facts
from portal.cases.rosters import editing
from portal.cases.telling import PLAIN_REMEDY
from portal.extensions import db
from portal.models import Case, Role
from portal.workflows.facts import ANOTHER
from tests import papers
from tests.builders import NEW_NAME, Cast, a_case, a_county, a_pupil, a_school, act, an_actor
from tests.cases.forms import enter
from tests.cases.test_loads import check, findings
from tests.exports import rows_of as export_of
from tests.intakes import a_list, a_plan, a_roster, people
from tests.withdrawals import a_withdrawal

pytestmark = pytest.mark.pages

NUMBER = {**NEW_NAME, "fields": ["id_number"], "cause": "id_number_corrected"}


class Two:
    """Two counties of one state: `here` asks, `there` has the pupils: one withdrawn by a case, one at school."""

    def __init__(self) -> None:
        self.here = Cast()
        self.there = Cast.__new__(Cast)
        self.there.state, self.there.approver = self.here.state, self.here.approver
        self.there.county = a_county(self.here.state)
        self.there.school = a_school(self.there.county, name="金丝雀第二中学")
        self.there.registrar = an_actor(Role.REGISTRAR, self.there.school)
        self.there.reviewer = an_actor(Role.REVIEWER, self.there.county)
        ones = people(4)
        self.gone, self.living = (
            a_pupil(
                self.there.school, name=name, id_number=one["id_number"], sex="1" if one["sex"] == "男" else "2",
                birth_date=date.fromisoformat(one["birth_date"]),
            )
            for name, one in zip(("金丝雀甲", "金丝雀乙"), ones, strict=False)
        )  # fmt: skip
        self.case = a_withdrawal(self.there, pupil=self.gone)
        self.ones = ones
        db.session.commit()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody here may read, wherever it stands."""
        day = self.case.ended_at.date() if self.case.ended_at else date.min
        return (
            *(self.case.number, self.there.school.name, self.there.county.name, self.there.school.code),
            *("金丝雀", self.gone.student_number, self.living.student_number, f"于 {day}"),
        )

    def tells_nothing(self, texts: Iterable[str]) -> None:
        for text in texts:
            assert not [one for one in self.secrets if one in text]


@pytest.fixture
def two(app: Flask) -> Two:
    return Two()


def pages(client: FlaskClient, *addresses: str) -> list[str]:
    answers = [client.get(address) for address in addresses]
    assert {answer.status_code for answer in answers} <= {200}, addresses
    return [answer.text for answer in answers]


def a_change_to(cast: Cast, number: str) -> Case:
    return a_case(cast, "ready", answers={**NUMBER, "new_id_number": number}, pupil=a_pupil(cast.school))


def test_a_form_that_names_their_number(app: Flask, two: Two) -> None:
    """Ended or living, the sentence is the same; who may see the pupil reads whose it is."""
    for pupil in (two.gone, two.living):
        case = a_change_to(two.here, pupil.id_number)
        db.session.commit()
        seen = pages(
            enter(app, two.here.registrar), f"/cases/{case.id}/check", f"/cases/{case.id}/fill/values"
        )
        assert ANOTHER in seen[0]
        two.tells_nothing(seen)
        taken = [one for one in _stops(case, None) if ANOTHER in one]
        assert taken == [ANOTHER] and _stops(case, two.here.reviewer) == _stops(case, None)
        assert any(
            f"{two.there.school.name}学生{pupil.name}" in one for one in _stops(case, two.here.approver)
        )


def _stops(case: Case, actor: object) -> list[str]:
    from portal.cases import actions

    return [one.text for one in actions.refusals_now(case, read_facts(case, actor))]  # type: ignore[arg-type]


def test_a_roster_that_names_their_people(app: Flask, two: Two) -> None:
    """A number that was ended, one at school, one on another roster, and a namesake of somebody withdrawn."""
    a_plan(two.here.state, two.here.approver, {two.here.school: 40, two.there.school: 40})
    listed = {two.there.school: two.ones[2:3], two.here.school: people(5, 20)}
    a_list(two.here.state, two.here.approver, listed)
    theirs = a_roster(two.there.registrar, two.ones[2:3])
    act(theirs, two.there.registrar, "submit")
    mine = people(5, 20)
    for row, one in zip(mine, two.ones[:3], strict=False):
        row["id_number"] = one["id_number"]
    mine[3] |= {"id_number": "", "name": two.gone.name, "birth_date": two.ones[0]["birth_date"]}
    mine[4]["exam_number"] = two.ones[2]["exam_number"]
    case = a_roster(two.here.registrar, mine)
    db.session.commit()
    for reader in (None, two.here.registrar, two.here.reviewer):
        told = [row.elsewhere for row in read_facts(case, reader).roster]
        assert told == [ANOTHER] * 5, reader
    state = [row.elsewhere for row in read_facts(case, two.here.approver).roster]
    assert two.case.number in state[0] and "一律不得复学" in state[0] and two.there.school.name in state[1]
    assert theirs.number in state[2] and two.case.number in state[3]
    shown = pages(enter(app, two.here.registrar), f"/cases/{case.id}/roster", f"/cases/{case.id}/check")
    secrets = [one for one in (*two.secrets, theirs.number) if one != "金丝雀"]  # the namesake is typed here
    assert ANOTHER in shown[0] and not [one for one in secrets if any(one in text for text in shown)]
    told_rows = [one.text for one in editing.roster_of(case).findings(read_facts(case))]
    assert not [one for one in told_rows if "退学" in one or "复学" in one or "其他学校" in one]


@pytest.mark.both_pairs
def test_a_load_that_names_their_numbers(app: Flask, two: Two) -> None:
    """By the identity number, ended and living, and by the number of the record; the page, the faults as XLSX, the office above."""
    rows = list(export_of(3, [two.here.school.code]))
    rows[0]["id_number"], rows[1]["id_number"] = two.gone.id_number, two.living.id_number
    for row, pupil in zip(rows, (two.gone, two.living), strict=False):
        row["birth_date"], row["sex"] = str(pupil.birth_date), pupil.sex
    rows[2]["student_number"] = two.gone.student_number
    load = check(two.here.registrar, rows)
    found = [*findings(load, "faulty"), *findings(load, "warning")]
    faults = [fault for row in found for fault in row.faults if fault["reason"] == ANOTHER]
    assert len(faults) == 3 and {fault["remedy"] for fault in faults} == {PLAIN_REMEDY}
    theirs = {two.gone.id, two.living.id}
    assert not theirs & {row.pupil_id for row in found}
    client = enter(app, two.here.registrar)
    here = f"/register/loads/{load.id}"
    sent = {two.gone.student_number}
    texts = pages(client, here, f"{here}?kind=faulty", f"{here}?kind=warning")
    book = load_workbook(io.BytesIO(client.get(f"{here}/faults.xlsx").data))
    texts += [" ".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row)]
    for text in texts:
        assert not [one for one in two.secrets if one not in sent and one in text]
    by_state = check(two.here.approver, rows)
    told = [f["reason"] for row in findings(by_state, "faulty") for f in row.faults]
    assert any(two.case.number in one for one in told)


@pytest.mark.both_pairs
def test_search_and_pictures(app: Flask, two: Two) -> None:
    """A number that is theirs is answered like one that nobody has; a picture that they used says neither case nor day."""
    client = enter(app, two.here.registrar)
    for text in (two.gone.id_number, two.gone.student_number, two.case.number):
        answer = client.post("/register", data={"q": text})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/register/results")
        two.tells_nothing(page.replace(text, "") for page in pages(client, "/register/results"))
    picture = papers.as_jpeg(papers.household_page("马晓明", two.living.id_number, 5))
    returned = a_case(two.there, "ready", pupil=two.living)
    slot = f"/cases/{returned.id}/evidence/household_book"
    db.session.commit()
    upload = {"files": (io.BytesIO(picture), "a.jpg")}
    assert enter(app, two.there.registrar).post(slot, data=upload).status_code in (200, 303)
    tasks.wait()
    act(returned, two.there.registrar, "submit")
    act(returned, two.there.reviewer, "return", reasons=(_about_household(),))
    mine = a_case(two.here, "ready", pupil=a_pupil(two.here.school))
    db.session.commit()
    slot = f"/cases/{mine.id}/evidence/household_book"
    upload = {"files": (io.BytesIO(picture), "b.jpg")}
    assert client.post(slot, data=upload).status_code in (200, 303)
    tasks.wait()
    (page,) = pages(client, f"/cases/{mine.id}/papers")
    assert "被退回" not in page and returned.number not in page and "其他单位的业务" in page


def _about_household() -> object:
    from portal.cases.remarks import Reason

    return Reason("image_unclear", "evidence", "household_book", "请重拍")


def test_who_may_see_the_pupil_reads_everything(two: Two) -> None:
    """The own school of a withdrawn pupil, as before."""
    case = a_change_to(two.there, two.gone.id_number)
    assert any(f"本校学生{two.gone.name}" in one for one in _stops(case, None))
