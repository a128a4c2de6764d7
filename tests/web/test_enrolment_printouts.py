"""审批表 and 登记表 of a roster over HTTP: given out as DOCX and XLSX, recorded, and back again as a stamped scan."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal import tasks
from portal.cases import actions, row_marks
from portal.cases.rosters import editing
from portal.extensions import db
from portal.models import AuditRecord, Case, RosterRow, StampedBatch, StampedPage
from tests.builders import Cast, a_case, a_reason, act
from tests.cases.forms import enter, pdf_of
from tests.intakes import a_list, a_plan, a_roster, people
from tests.scans import in_one_file, scanned, sheet
from tests.scans import stamped as with_seal
from tests.services import calc_path, soffice_path
from tests.stamped import code_of

pytestmark = pytest.mark.pages

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMS = ("approval-form", "register-form")
UNREAD = {"text": None}  # without reading each page waits for a person, with its case named


@pytest.fixture
def cast(app: Flask) -> Cast:
    found = Cast()
    a_plan(found.state, found.approver, {found.school: 40})
    a_list(found.state, found.approver, {found.school: people(40)})
    return found


def submitted(cast: Cast, count: int) -> Case:
    case = a_roster(cast.registrar, people(count))
    act(case, cast.registrar, "submit")
    db.session.commit()
    return case


def brought(client: FlaskClient, scans: list[bytes]) -> list[StampedPage]:
    """Upload scans as one batch and wait until it is sorted."""
    answer = client.post("/stamped", data={"file": (io.BytesIO(in_one_file(scans)), "盖章表.pdf")})
    assert answer.status_code == 303, answer.text
    db.session.rollback()
    tasks.wait()
    db.session.expire_all()
    batch = db.session.get_one(StampedBatch, uuid.UUID(answer.headers["Location"].rsplit("/", 1)[1]))
    return list(batch.pages)


def row_id(case: Case, position: int) -> str:
    query = select(RosterRow.id).where(RosterRow.case_id == case.id, RosterRow.position == position)
    return str(db.session.scalars(query).one())


def test_the_sheet_is_recorded_before_it_is_given_out(app: Flask, cast: Cast) -> None:
    case = submitted(cast, 3)
    client = enter(app, cast.reviewer)
    answer = client.get(f"/cases/{case.id}/printouts/register-form.xlsx")
    assert (answer.status_code, answer.content_type) == (200, XLSX)
    name = f"{case.number}_普通高中学生学籍注册登记表_{cast.school.name}"
    assert unquote(answer.headers["Content-Disposition"].split("''")[1]) == f"{name}.xlsx"
    record = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "case.printed")).one()
    assert record.actor_id == cast.reviewer.id and record.object_id == str(case.id)
    page = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    last = page.cell(page.max_row, 1).value
    assert last.endswith(f"存证码：{record.seq}-{record.digest[:12]}")
    assert (
        record.body["digits"] and "|" not in last
    )  # the code itself is for machines: it stands as a picture
    docx = client.get(f"/cases/{case.id}/printouts/register-form.docx")
    assert unquote(docx.headers["Content-Disposition"].split("''")[1]) == f"{name}.docx"
    shown = enter(app, cast.registrar).get(f"/cases/{case.id}").text
    assert all(f"/printouts/{form}.{kind}" in shown for form in FORMS for kind in ("docx", "xlsx"))
    assert f"打印第 {case.version} 版" in shown
    for title in ("普通高中新生学籍注册审批表", "普通高中学生学籍注册登记表"):
        assert f"<span>{title}（Word）</span>" in shown
        assert f'<span class="visually-hidden">{title}</span>（Excel）' in shown


def test_a_form_that_is_no_table_and_others_cases_have_no_sheet(app: Flask, cast: Cast) -> None:
    plain, case = a_case(cast, "county_review"), submitted(cast, 2)
    client = enter(app, cast.registrar)
    assert client.get(f"/cases/{plain.id}/printouts/approval-form.xlsx").status_code == 404
    assert client.get(f"/cases/{case.id}/printouts/other-form.xlsx").status_code == 404
    shown = client.get(f"/cases/{plain.id}").text
    assert (
        "关键信息变更审批表（Word）" in shown
        and "（Excel）" not in shown
        and f"打印第 {plain.version} 版" in shown
    )
    stranger = enter(app, Cast().registrar)
    assert stranger.get(f"/cases/{case.id}/printouts/register-form.xlsx").status_code == 404
    assert not list(db.session.scalars(select(AuditRecord).where(AuditRecord.action == "case.printed")))


def test_both_forms_are_known_before_and_after_the_approvals(app: Flask, cast: Cast) -> None:
    case = submitted(cast, 4)
    codes = [code_of(case, form) for form in FORMS]
    act(case, cast.reviewer, "approve")
    act(case, cast.approver, "approve")
    db.session.commit()
    codes += [code_of(case, form) for form in FORMS]
    pages = brought(enter(app, cast.registrar), [scanned(sheet(code)) for code in codes])
    assert [(page.doubts, page.printout) for page in pages] == [(UNREAD, form) for form in FORMS * 2]
    assert {(page.outcome, page.case_id) for page in pages} == {("tray", case.id)}


OFFICES = pytest.mark.parametrize(("kind", "office"), [("docx", soffice_path), ("xlsx", calc_path)])


def scans_of(form: bytes, kind: str, office: Callable[[], str], folder: Path) -> list[bytes]:
    """The pages as office software prints them, the first one stamped, scanned on their side at 150 dpi."""
    papers = [
        np.asarray(page.render(scale=150 / 72).to_pil().convert("RGB"))
        for page in pdf_of(form, folder, office(), kind)
    ]
    papers[0] = with_seal(papers[0], (60, 40), 150)
    return [scanned(paper, skew=2.0, quarters=1) for paper in papers]


@OFFICES
def test_the_pages_of_a_list_are_one_copy(
    app: Flask, cast: Cast, tmp_path: Path, kind: str, office: Callable[[], str]
) -> None:
    """As office software prints it: every page bears the code, the first the seal; a person puts them in at once, and none is
    called an earlier copy of the other."""
    case = submitted(cast, 40)
    client = enter(app, cast.registrar)
    form = client.get(f"/cases/{case.id}/printouts/register-form.{kind}").data
    scans = scans_of(form, kind, office, tmp_path)
    pages = brought(client, scans)
    assert [page.doubts for page in pages] == [UNREAD, *({**UNREAD, "seal": "copy"} for _ in pages[1:])]
    assert len(pages) > 1 and {(page.outcome, page.case_id) for page in pages} == {("tray", case.id)}
    assert "盖章扫描件" not in client.get(f"/cases/{case.id}").text
    assert client.post(f"/stamped/pages/{pages[0].id}/accept", data={"copy": "1"}).status_code == 303
    db.session.expire_all()
    assert {(page.outcome, page.message) for page in pages} == {("placed", "")}
    (again, *_others) = brought(client, scans[:1])
    client.post(f"/stamped/pages/{again.id}/accept")
    db.session.expire_all()
    assert again.outcome == "placed" and "已有盖章扫描件" in again.message


def test_a_sheet_is_known_like_the_form_and_that_of_another_version_is_refused(
    app: Flask, cast: Cast, tmp_path: Path
) -> None:
    """Both forms as XLSX, printed before a row was struck: the list says which row, the approval form is what it was."""
    case = submitted(cast, 3)
    client = enter(app, cast.registrar)
    before: list[bytes] = []
    for form in FORMS:
        (tmp_path / form).mkdir()
        data = client.get(f"/cases/{case.id}/printouts/{form}.xlsx").data
        before += scans_of(data, "xlsx", calc_path, tmp_path / form)
    pages = brought(client, before)
    assert [(page.doubts, page.case_id, page.printout) for page in pages] == [
        (UNREAD, case.id, form) for form in FORMS
    ]
    act(case, cast.reviewer, "strike", rows=(row_id(case, 2),), note="录取信息待核")
    db.session.commit()
    approval, register = brought(client, before)
    assert (approval.doubts, register.outcome, register.case_id) == (UNREAD, "refused", None)
    assert "打印件第 2 行现已不在其中" in register.message and "请重新打印" in register.message


def test_a_list_printed_before_a_row_was_struck_is_refused_by_that_row(app: Flask, cast: Cast) -> None:
    case = submitted(cast, 12)
    approval, register = (code_of(case, form) for form in FORMS)
    act(case, cast.reviewer, "strike", rows=(row_id(case, 2), row_id(case, 5)), note="录取信息待核")
    db.session.commit()
    pages = brought(enter(app, cast.registrar), [scanned(sheet(code)) for code in (register, approval)])
    assert pages[0].outcome == "refused" and pages[0].case_id is None
    said = "名单打印时 12 行，现为 10 行，打印件第 2、5 行现已不在其中，名单的学号有变动。请重新打印"
    assert said in pages[0].message
    assert not any(one["name"] in pages[0].message for one in people(12))
    assert pages[1].doubts == UNREAD  # it says how many were applied for, which a strike does not change


def test_a_list_printed_before_a_return_is_refused_by_the_rows_that_were_mended(
    app: Flask, cast: Cast
) -> None:
    case = submitted(cast, 3)
    register = code_of(case, "register-form")
    act(case, cast.reviewer, "return", reasons=(a_reason_about_all(),))
    rows = people(3)
    rows[2] = {**rows[2], "ethnicity": "汉族" if rows[2]["ethnicity"] != "汉族" else "回族"}
    editing.replace_rows(case, cast.registrar, actions.stamp(case), rows)
    db.session.commit()
    (page,) = brought(enter(app, cast.registrar), [scanned(sheet(register))])
    assert page.outcome == "refused" and "第 3 行已改动" in page.message, page.message


def a_reason_about_all() -> Any:
    return a_reason().__class__("image_unclear", "case", "", "请核对民族")


def test_the_record_of_a_long_list_stays_small_and_names_nobody(app: Flask, cast: Cast) -> None:
    case = submitted(cast, 40)
    code_of(case, "register-form")
    record = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "case.printed")).one()
    parts = record.body["parts"]
    assert len(parts["pupils"]) == 40 * row_marks.DIGITS and len(parts) < 15
    assert not any(one["name"] in str(parts) or one["id_number"] in str(parts) for one in people(40))


def test_many_rows_are_named_shortly() -> None:
    old = row_marks.marks("pupils", [{"number": str(n), "name": str(n)} for n in range(3000)], "XS1", "k")
    new = row_marks.marks("pupils", [{"number": str(n), "name": f"{n}x"} for n in range(3000)], "XS1", "k")
    told = row_marks.difference("名单", "pupils", old, new).sentence
    assert told == "第 1、2、3、4、5、6 行等 3000 行已改动"
    assert row_marks.marks("pupils", [{"name": "0"}], "XS2", "k")["pupils"] != old["pupils"][:8]
