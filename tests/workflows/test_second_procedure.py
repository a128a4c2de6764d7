"""A second procedure is one file, one line in WORKFLOWS, one blank and its policy values: nothing else is touched, and it is
walked over HTTP from the pupil to the changed register, the printed form and the entry pack."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

import portal
from portal import policies, tasks
from portal.cases import actions, printing, versions
from portal.cases.access import Actor
from portal.extensions import db
from portal.models import Case, NationalEntry, Pupil, RegisterChange, RegisterLoad, Status
from portal.printouts import FOLDER as BLANKS
from portal.workflows import WORKFLOWS, WorkflowError, check_workflows
from tests import invariants, papers
from tests.builders import Cast, sign_in
from tests.cases.forms import texts
from tests.services import fresh_bucket_url
from tests.web.housekeeping import CheckingClient
from tests.workflows import class_change
from tests.workflows.added import added
from tests.workflows.class_change import POLICY, WORKFLOW

REASON = "家长申请，两班均已同意"


@pytest.fixture
def second_procedure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The portal's own rooms with the second procedure added: its blank, its policy pack, its line in WORKFLOWS."""
    blanks = tmp_path / "blanks"
    shutil.copytree(BLANKS, blanks, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    draw_blank(blanks / "class_change.docx")
    monkeypatch.setattr(portal, "BLANKS", blanks)
    for room in (printing, versions):
        monkeypatch.setattr(room, "FOLDER", blanks)
    with added(WORKFLOW, POLICY, class_change.PACK, tmp_path, monkeypatch):
        yield blanks


def draw_blank(path: Path) -> None:
    document = Document()
    document.add_heading("校内换班登记表", 1)
    document.add_paragraph("第 «version» 版 «status» «anchor» «qr»")
    table = document.add_table(5, 2)
    for row, (left, right) in enumerate(
        (
            ("编号", "«case_number»"),
            ("姓名", "«pupil.name»"),
            ("变更", "«changes:title»：«changes:before» 换到 «changes:after»"),
            ("理由", "«reason»"),
            ("县级意见", "«county_opinion»"),
        )
    ):
        table.cell(row, 0).text, table.cell(row, 1).text = left, right
    document.save(str(path))


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> str:
    return fresh_bucket_url(request.getfixturevalue("s3_url"))


@pytest.fixture
def cast(second_procedure: Path, app: Flask) -> Cast:
    return Cast(POLICY)


class Desk(CheckingClient):
    """A browser held to the house rules. The test's own transaction ends before each request."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        db.session.remove()
        return super().open(*args, **kwargs)


def desk_of(app: Flask, who: Actor) -> Desk:
    app.test_client_class = Desk
    client: Any = app.test_client()
    sign_in(client, who)
    return client


def the_case() -> Case:
    db.session.remove()
    return db.session.scalars(select(Case)).one()


def test_it_is_walked_from_the_pupil_to_the_corrected_register(app: Flask, cast: Cast) -> None:
    pupil_id, other_name = cast.pupil.id, cast.pupil.name
    school, county = desk_of(app, cast.registrar), desk_of(app, cast.reviewer)
    fill(school, pupil_id)
    bring_papers_and_submit(school)
    return_and_mend(school, county)
    approve(county)
    pupil = db.session.get_one(Pupil, pupil_id)
    assert (pupil.class_name, pupil.version, pupil.name) == ("6班", 1, other_name)
    change = db.session.scalars(select(RegisterChange)).one()
    assert (change.column, change.before, change.after) == ("class_name", "1班", "6班")
    hand_over(school, county)
    assert invariants.everything() == []


def fill(school: Desk, pupil_id: Any) -> None:
    offered = school.get(f"/cases/new?pupil={pupil_id}").text
    assert "校内换班" in offered and "关键信息变更" in offered
    started = school.post("/cases/start", data={"pupil": pupil_id, "workflow": WORKFLOW.id})
    assert started.status_code == 303
    page = started.location
    case = the_case()
    assert case.number.startswith("HB") and page.endswith("/fill/what")
    assert "1班" in school.get(page).text, "the old value stands beside the new one"
    for answers, message in (
        ({}, "请填写新班级"),
        ({"new_class": "1班", "reason": REASON}, "该生现在就在1班"),
        ({"new_class": "五" * 21, "reason": REASON}, "最多 20 个字"),
    ):
        refused = school.post(page, data={**answers, "version": actions.stamp(the_case())})
        assert refused.status_code == 422 and message in refused.text
    kept = school.post(
        page, data={"new_class": "5班", "reason": REASON, "version": actions.stamp(the_case())}
    )
    assert kept.status_code == 303 and kept.location.endswith("/papers")


def bring_papers_and_submit(school: Desk) -> None:
    case = the_case()
    missing = school.get(f"/cases/{case.id}/check").text
    assert "还缺“家长申请书”" in missing and "虚构县学籍细则" in missing
    assert "家长申请书" in school.get(f"/cases/{case.id}/papers").text
    paper = papers.as_jpeg(papers.household_page("林小雨", "622999201305060023"))
    sent = school.post(
        f"/cases/{case.id}/evidence/application", data={"files": [(io.BytesIO(paper), "申请书.jpg")]}
    )
    assert sent.status_code == 303
    done = school.post(f"/cases/{case.id}/submit", data={"version": actions.stamp(the_case())})
    assert done.status_code == 303
    tasks.wait()
    case = the_case()
    assert (case.status, case.step, case.clock_limit) == (Status.IN_REVIEW, "county_consent", 5)


def return_and_mend(school: Desk, county: Desk) -> None:
    case = the_case()
    box = county.get("/queue/todo").text
    assert case.number in box and "校内换班" in box
    assert case.number not in county.get("/queue/todo?workflow=key_information_change").text
    desk = county.get(f"/cases/{case.id}/desk").text
    for text in ("校内换班", "1班", "5班", "县级核准", "家长申请书", "虚构县学籍细则", REASON):
        assert text in desk, text
    reason = {
        "reason-0-code": "typing_error",
        "reason-0-about": "field:new_class",
        "reason-0-note": "应为 6 班",
    }
    returned = county.post(
        f"/cases/{case.id}/decide", data={"verb": "return", "seen": actions.stamp(the_case()), **reason}
    )
    assert returned.status_code == 303
    assert "应为 6 班" in school.get(f"/cases/{case.id}").text
    mended = school.post(
        f"/cases/{case.id}/fill/what",
        data={"new_class": "6班", "reason": REASON, "version": actions.stamp(the_case())},
    )
    assert mended.status_code == 303
    again = school.post(f"/cases/{case.id}/submit", data={"version": actions.stamp(the_case())})
    assert again.status_code == 303
    tasks.wait()


def approve(county: Desk) -> None:
    case = the_case()
    assert "应为 6 班" in county.get(f"/cases/{case.id}/desk").text
    done = county.post(
        f"/cases/{case.id}/decide",
        data={"verb": "approve", "seen": actions.stamp(the_case()), "note": "同意换班"},
    )
    assert done.status_code == 303
    tasks.wait()
    assert the_case().status == Status.APPROVED


def hand_over(school: Desk, county: Desk) -> None:
    case = the_case()
    for page in (f"/cases/{case.id}", "/landings", "/queue/started", f"/register/pupils/{case.pupil_id}"):
        assert "校内换班" in school.get(page).text or case.number in school.get(page).text, page
    form = school.get(f"/cases/{case.id}/printouts/class-slip.docx")
    cells = texts(form.data)
    assert "班级：1班 换到 6班" in cells and REASON in cells
    assert any("同意换班" in cell for cell in cells)
    assert any(case.number in cell for cell in cells)
    pack = zipfile.ZipFile(io.BytesIO(county.get(f"/cases/{case.id}/entry-pack.zip").data))
    assert {"录入单.xlsx", "录入单.txt", "01_家长申请书_1.jpg"} <= set(pack.namelist())
    said = pack.read("录入单.txt").decode("utf-8-sig")
    assert "6班" in said and REASON in said
    noted = school.post(f"/cases/{case.id}/entered", data={"receipt": "GW2026110001", "seen": ""})
    assert noted.status_code == 303
    assert db.session.get_one(NationalEntry, case.id).receipt == "GW2026110001"
    assert db.session.scalars(select(RegisterLoad)).all() == []


def test_a_place_whose_policy_says_nothing_of_it_does_not_offer_it(
    second_procedure: Path, app: Flask
) -> None:
    elsewhere = Cast("gs-linxia-2022")
    pupil_id = elsewhere.pupil.id
    client = desk_of(app, elsewhere.registrar)
    page = client.get(f"/cases/new?pupil={pupil_id}")
    assert page.status_code == 200 and "未开放这项业务" in page.text
    client.post("/cases/start", data={"pupil": pupil_id, "workflow": WORKFLOW.id})
    assert db.session.scalars(select(Case)).all() == []


def test_it_does_not_start_without_its_blank_or_its_policy(second_procedure: Path) -> None:
    both, packs = (*WORKFLOWS, WORKFLOW), policies.all_policies()
    check_workflows(both, packs, second_procedure)
    with pytest.raises(WorkflowError, match="no policy says"):
        check_workflows(
            both, {code: pack for code, pack in packs.items() if code != POLICY}, second_procedure
        )
    with pytest.raises(WorkflowError, match="duplicate workflow"):
        check_workflows((*both, WORKFLOW), packs, second_procedure)
    (second_procedure / "class_change.docx").unlink()
    with pytest.raises(WorkflowError, match=r"class_change\.docx is missing"):
        check_workflows(both, packs, second_procedure)
