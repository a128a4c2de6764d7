"""The roster over HTTP: loading, picking, mending in place, striking; nothing typed or loaded is lost to an error."""

from __future__ import annotations

import io
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask

from portal.cases.access import Actor
from portal.cases.actions import stamp
from portal.extensions import db
from portal.models import Case, RosterRow, Status
from portal.workflows.high_school_enrolment import ROSTER_LAW
from tests.builders import Cast, a_case, act
from tests.cases.forms import enter
from tests.cases.test_sheets_as_people_have_them import book
from tests.intakes import ENROLMENT, a_list, a_plan, a_roster, as_sheet, people, series

pytestmark = pytest.mark.pages


@pytest.fixture
def cast(app: Flask) -> Cast:
    found = Cast()
    a_plan(found.state, found.approver, {found.school: 5})
    a_list(found.state, found.approver, {found.school: people(6)})
    db.session.commit()
    return found


def page_of(answer: Any, status: int = 200) -> BeautifulSoup:
    assert answer.status_code == status, answer.text[:2000]
    return BeautifulSoup(answer.text, "html.parser")


def post(app: Flask, who: Actor, case: Case, path: str, **fields: Any) -> Any:
    db.session.commit()
    db.session.expire_all()
    return enter(app, who).post(
        f"/cases/{case.id}/roster/{path}",
        data={"version": stamp(db.session.get_one(Case, case.id)), **fields},
        content_type="multipart/form-data",
    )


def rows_of(case: Case) -> list[RosterRow]:
    db.session.rollback()
    query = db.select(RosterRow).where(RosterRow.case_id == case.id).order_by(RosterRow.position)
    return list(db.session.scalars(query))


def begin(app: Flask, cast: Cast) -> Case:
    answer = enter(app, cast.registrar).post("/cases/start", data={"workflow": ENROLMENT})
    assert answer.status_code == 303 and answer.location.endswith("/roster")
    return db.session.scalars(db.select(Case)).one()


def load(app: Flask, cast: Cast, case: Case, rows: Any, **fields: Any) -> Any:
    data = as_sheet(rows) if isinstance(rows, list) else rows
    return post(app, cast.registrar, case, "load", file=(io.BytesIO(data), "登记表.xlsx"), **fields)


def test_the_procedure_is_offered_to_a_high_school_and_begins_with_the_roster(app: Flask, cast: Cast) -> None:
    page = page_of(enter(app, cast.registrar).get("/cases/new"))
    assert "普通高中新生学籍注册" in page.get_text()
    case = begin(app, cast)
    page = page_of(enter(app, cast.registrar).get(f"/cases/{case.id}/roster"))
    assert "名单还是空的" in page.get_text() and page.select_one("#file")


def test_without_a_plan_the_first_page_stops_with_the_clause(app: Flask) -> None:
    cast = Cast()
    db.session.commit()
    page = page_of(enter(app, cast.registrar).get("/cases/new")).get_text()
    assert "还没有给本校下达今年的普通高中招生计划" in page and "计划外不建一个学籍" in page
    enter(app, cast.registrar).post("/cases/start", data={"workflow": ENROLMENT})
    assert db.session.scalars(db.select(Case)).all() == []


def test_a_sheet_is_read_and_faults_stand_beside_their_cells(app: Flask, cast: Cast) -> None:
    case = begin(app, cast)
    rows = people(4)
    rows[1] = rows[1] | {"birth_date": "二〇一一年"}
    rows[2] = rows[2] | {"name": "马春春"}
    answer = load(app, cast, case, rows)
    assert answer.status_code == 303 and "show=stop" in answer.location
    page = page_of(enter(app, cast.registrar).get(answer.location))
    found = page.select("tbody tr")
    assert [row.select_one("[data-label=行]").get_text(strip=True)[0] for row in found] == ["2", "3"]
    assert "不是有效的日期" in found[0].select_one("[data-label=出生日期]").get_text()
    assert "录取名单为" in found[1].select_one("[data-label=姓名]").get_text()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"no workbook", "文件开头是“no workbook”"),
        (b"%PDF-1.7\n", "这是 PDF 文件，不是 XLSX 或 CSV 工作表"),
        ("马一春,622999201005060017\n".encode(), "文件开头是“马一春”。"),
        (as_sheet([]), "没有内容"),
    ],
)
def test_a_sheet_that_cannot_be_used_says_why_and_takes_nothing_away(
    app: Flask, cast: Cast, data: bytes, told: str
) -> None:
    case = begin(app, cast)
    load(app, cast, case, people(2))
    page = page_of(load(app, cast, case, data), 422)
    error = page.select_one("#file-error")
    assert told in error.get_text() and "622999" not in error.get_text()
    assert "全国学籍系统" not in error.get_text()
    assert error.a["href"] == f"/cases/{case.id}/roster/blank.xlsx"
    top = page.select_one("main [data-focus]")  # below fifty rows nobody would see the field
    assert told in top.get_text() and top.a["href"] == "#file"
    assert len(rows_of(case)) == 2


def test_missing_columns_are_named(app: Flask, cast: Cast) -> None:
    from tests.exports import as_xlsx

    case = begin(app, cast)
    data = as_xlsx(people(1), ("name", "sex"), ("姓名", "性别"))
    page = page_of(load(app, cast, case, data), 422)
    error = page.select_one("#file-error").get_text()
    assert "没有找到这些列：准考证号、" in error and "文件里的列是“姓名”、“性别”。" in error
    assert "登记表要有这些列：姓名、准考证号、" in error


def test_an_export_of_the_national_system_is_told_from_a_roster_by_its_columns(
    app: Flask, cast: Cast
) -> None:
    from tests.exports import as_xlsx

    case = begin(app, cast)
    data = as_xlsx(people(1), ("student_number", "name", "sex"), ("学籍号", "姓名", "性别"))
    error = page_of(load(app, cast, case, data), 422).select_one("#file-error").get_text()
    assert "文件里的列是“学籍号”、“姓名”、“性别”。" in error and "登记表要有这些列" in error


def test_a_row_is_mended_in_its_place(app: Flask, cast: Cast) -> None:
    case = begin(app, cast)
    rows = people(2)
    rows[0] = rows[0] | {"name": "马春春"}
    load(app, cast, case, rows)
    row = rows_of(case)[0]
    client = enter(app, cast.registrar)
    inline = page_of(client.get(f"/cases/{case.id}/roster/rows/{row.id}", headers={"HX-Request": "true"}))
    assert inline.select_one("tr > td > form") and "录取名单" in inline.get_text()
    whole = page_of(client.get(f"/cases/{case.id}/roster/rows/{row.id}"))
    assert whole.select_one("h1")
    fields = {f"cell-{key}": text for key, text in people(1)[0].items()}
    answer = post(app, cast.registrar, case, f"rows/{row.id}", **fields, show="stop")
    assert answer.status_code == 303 and "show=stop" in answer.location
    assert rows_of(case)[0].values["name"] == people(1)[0]["name"]


@pytest.mark.both_pairs
def test_a_stale_row_is_refused_and_what_was_typed_stays(app: Flask, cast: Cast) -> None:
    case = begin(app, cast)
    load(app, cast, case, people(2))
    row = rows_of(case)[0]
    answer = enter(app, cast.registrar).post(
        f"/cases/{case.id}/roster/rows/{row.id}", data={"version": "1.0", "cell-name": "马新名"}
    )
    page = page_of(answer, 409)
    assert page.select_one("input[name=cell-name]")["value"] == "马新名"
    assert rows_of(case)[0].values["name"] == people(1)[0]["name"]


@pytest.mark.both_pairs
def test_people_are_picked_added_and_taken_out(app: Flask, cast: Cast) -> None:
    case = begin(app, cast)
    page = page_of(enter(app, cast.registrar).get(f"/cases/{case.id}/roster/admitted"))
    assert len(page.select("tbody tr")) == 6
    assert "还没有选择" in page_of(post(app, cast.registrar, case, "admitted"), 422).get_text()
    wanted = [one["exam_number"] for one in people(2)]
    assert post(app, cast.registrar, case, "admitted", exam_number=wanted).status_code == 303
    fields = {f"cell-{key}": text for key, text in people(1, 3)[0].items()}
    assert post(app, cast.registrar, case, "rows/new", **fields).status_code == 303
    rows = rows_of(case)
    assert [row.exam_number for row in rows] == [one["exam_number"] for one in people(3)]
    assert post(app, cast.registrar, case, "remove", row=str(rows[1].id)).status_code == 303
    assert len(rows_of(case)) == 2


@pytest.mark.both_pairs
def test_the_ticked_people_are_put_into_a_class(app: Flask, cast: Cast) -> None:
    case = begin(app, cast)
    post(app, cast.registrar, case, "admitted", all="1")
    rows = rows_of(case)
    assert (
        "请填写班级" in page_of(post(app, cast.registrar, case, "class", row=str(rows[0].id)), 422).get_text()
    )
    fields = {"row": [str(row.id) for row in rows[:2]], "class_name": "3班"}
    assert post(app, cast.registrar, case, "class", **fields).status_code == 303
    assert [row.values["class_name"] for row in rows_of(case)] == ["3班", "3班", "", "", "", ""]


def test_beyond_the_plan_cannot_be_submitted_and_says_the_clause(app: Flask, cast: Cast) -> None:
    case = begin(app, cast)
    post(app, cast.registrar, case, "admitted", all="1")
    page = page_of(enter(app, cast.registrar).get(f"/cases/{case.id}/roster")).get_text()
    assert "超出招生计划 1 人" in page and "计划外不建一个学籍" in page
    client = enter(app, cast.registrar)
    version = stamp(db.session.get_one(Case, case.id))
    client.post(f"/cases/{case.id}/fill/figures", data={"version": version, "actual": "5"})
    db.session.expire_all()
    version = stamp(db.session.get_one(Case, case.id))
    page = page_of(client.post(f"/cases/{case.id}/submit", data={"version": version}), 422).get_text()
    assert "超出招生计划 1 人" in page
    db.session.expire_all()
    assert db.session.get_one(Case, case.id).status == Status.DRAFT


@pytest.mark.both_pairs
def test_the_county_strikes_a_row_and_the_school_sees_why(app: Flask, cast: Cast) -> None:
    case = a_roster(cast.registrar, people(3))
    act(case, cast.registrar, "submit")
    db.session.commit()
    row = rows_of(case)[0]
    page = page_of(enter(app, cast.reviewer).get(f"/cases/{case.id}/roster"))
    assert page.select_one("#note") and "*" in page.select_one("[data-label=身份证号]").get_text()
    page = page_of(post(app, cast.reviewer, case, "strike", row=str(row.id), note="短"), 422)
    assert "须写明理由" in page.get_text()
    assert page.select_one("#note")["value"] == "短" and page.select_one("[name=row][checked]")[
        "value"
    ] == str(row.id)
    assert post(app, cast.reviewer, case, "strike", row=str(row.id), note="录取信息待核").status_code == 303
    page = page_of(enter(app, cast.registrar).get(f"/cases/{case.id}/roster?show=struck"))
    assert "录取信息待核" in page.get_text()
    assert "退回 1 名学生" in page_of(enter(app, cast.registrar).get("/")).get_text()
    assert post(app, cast.reviewer, case, "put-back", row=str(row.id)).status_code == 303
    assert "退回 1 名学生" not in page_of(enter(app, cast.registrar).get("/")).get_text()
    assert rows_of(case)[0].struck_at is None


def test_reviewers_see_numbers_only_when_they_ask(app: Flask, cast: Cast) -> None:
    case = a_roster(cast.registrar, people(1))
    act(case, cast.registrar, "submit")
    number = people(1)[0]["id_number"]
    assert number not in enter(app, cast.reviewer).get(f"/cases/{case.id}/roster").text
    assert number in post(app, cast.reviewer, case, "numbers").text


def test_the_desk_shows_the_figures_and_the_last_approval_says_what_happens(app: Flask, cast: Cast) -> None:
    case = a_roster(cast.registrar, people(3))
    act(case, cast.registrar, "submit")
    act(case, cast.reviewer, "approve")
    db.session.commit()
    page = page_of(enter(app, cast.approver).get(f"/cases/{case.id}/desk")).get_text()
    assert f"同意后 3 名学生进入学籍登记，学号自 {series()}00000001 号起，至 {series()}00000003 号终" in page
    assert "名单人数" in page


def test_a_case_about_one_pupil_has_no_roster(app: Flask, cast: Cast) -> None:
    case = a_case(cast)
    db.session.commit()
    assert enter(app, cast.registrar).get(f"/cases/{case.id}/roster").status_code == 404
    assert post(app, cast.registrar, case, "strike", row="x").status_code == 404


def test_struck_people_go_into_a_roster_of_their_own(app: Flask, cast: Cast) -> None:
    case = a_roster(cast.registrar, people(3))
    act(case, cast.registrar, "submit")
    db.session.commit()
    act(case, cast.reviewer, "strike", rows=(str(rows_of(case)[1].id),), note="录取信息待核")
    act(case, cast.reviewer, "approve")
    act(case, cast.approver, "approve")
    db.session.commit()
    page = page_of(enter(app, cast.registrar).get(f"/cases/{case.id}"))
    assert "有 1 名学生被退回" in page.get_text() and "未报省" in page.get_text()
    answer = post(app, cast.registrar, case, "again")
    twice = post(app, cast.registrar, case, "again")
    assert twice.location == answer.location
    assert answer.status_code == 303
    (again,) = db.session.scalars(db.select(Case).where(Case.id != case.id))
    assert [row.exam_number for row in rows_of(again)] == [people(1, 2)[0]["exam_number"]]


def test_a_sheet_says_its_name_and_another_can_be_chosen(app: Flask, cast: Cast) -> None:
    case = begin(app, cast)
    columns = [column for column in ROSTER_LAW.columns if column.key in people(1)[0]]
    titles = [column.title for column in columns]
    first, second = ([person[column.key] for column in columns] for person in people(2))
    notes = ("说明", [["填写说明"], ["请逐项填写"]])
    data = book(notes, ("一班", [titles, first, ["合计", "1"]]), ("二班", [titles, second]))

    client = enter(app, cast.registrar)

    def send(**fields: Any) -> Any:
        db.session.expire_all()
        version = stamp(db.session.get_one(Case, case.id))
        posted = {"version": version, "mode": "replace", "file": (io.BytesIO(data), "登记表.xlsx"), **fields}
        address = f"/cases/{case.id}/roster/load"
        return client.post(address, data=posted, content_type="multipart/form-data", follow_redirects=True)

    page = page_of(send())
    told = page.select_one("#flashes").get_text()
    assert "读取的是工作表“一班”，另有“说明”“二班”没有读" in told and "第 3 行是合计，没有读入" in told
    assert [row.values["name"] for row in rows_of(case)] == [people(2)[0]["name"]]
    assert page.select_one("input[name=sheet]")
    page = page_of(send(sheet="三班"), 422)
    assert "没有工作表“三班”，文件里有" in page.select_one("#file-error").get_text()
    offered = [option["value"] for option in page.select("select[name=sheet] option")]
    assert sorted(offered) == sorted(["", "说明", "一班", "二班"])
    page_of(send(sheet="二班"))
    assert [row.values["name"] for row in rows_of(case)] == [people(2)[1]["name"]]
