"""The bureaus' side of a year's intake over HTTP: ledger, plan, list of the admitted, who did not come, the province."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import pytest
import time_machine
import xlsxwriter  # type: ignore[import-untyped]
from bs4 import BeautifulSoup
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.cases.remarks import CASE, Reason
from portal.extensions import db
from portal.models import (
    AuditRecord,
    Holiday,
    IntakePlan,
    IntakeReminder,
    Office,
    Postponement,
    ProvinceFiling,
    Pupil,
    RosterRow,
)
from tests.builders import Cast, a_county, a_school, act, an_actor
from tests.cases.forms import enter
from tests.intakes import a_list, a_plan, a_roster, people

pytestmark = pytest.mark.pages

YEAR = 2026


@pytest.fixture(autouse=True)
def september() -> Iterator[Any]:
    with time_machine.travel("2026-09-21T02:00:00Z", tick=True) as clock:  # a Monday
        yield clock


class Intake(Cast):
    """A county with two high schools, one of the state's own, a second county with one."""

    def __init__(self) -> None:
        super().__init__()
        self.second = a_school(self.county)
        self.own_school = a_school(self.state)
        self.county2 = a_county(self.state)
        self.third = a_school(self.county2)
        self.reviewer_2 = an_actor("reviewer", self.county2)  # type: ignore[arg-type]
        self.auditor_county = an_actor("auditor", self.county)  # type: ignore[arg-type]
        self.registrar_2 = an_actor("registrar", self.second)  # type: ignore[arg-type]
        self.junior = an_actor("registrar", a_school(self.county, ("初中",)))  # type: ignore[arg-type]

    def plan(self, *places: int, year: int = YEAR) -> IntakePlan:
        every = (self.school, self.second, self.own_school, self.third)
        plan = a_plan(self.state, self.approver, dict(zip(every, places, strict=False)), year)
        db.session.commit()
        return plan

    def admit(self, count: int = 5) -> list[dict[str, str]]:
        """A list with `count` for the first school and two for the second."""
        ones = people(count)
        a_list(self.state, self.approver, {self.school: ones, self.second: people(2, 500)})
        db.session.commit()
        return ones

    def approved(self, rows: list[dict[str, str]], actual: int) -> Any:
        case = a_roster(self.registrar, rows, actual)
        act(case, self.registrar, "submit")
        act(case, self.reviewer, "approve")
        act(case, self.approver, "approve")
        db.session.commit()
        return case


def soup(answer: TestResponse) -> BeautifulSoup:
    return BeautifulSoup(answer.text, "html.parser")


def look(app: Flask, who: Any, address: str) -> BeautifulSoup:
    answer = enter(app, who).get(address)
    assert answer.status_code == 200, answer.text[:2000]
    return soup(answer)


def cells(page: BeautifulSoup, place: int = 0) -> list[list[str]]:
    return [
        [cell.get_text(" ", strip=True) for cell in row.select("td, th")]
        for row in page.select("table")[place].select("tbody tr")
    ]


def xlsx(*lines: Sequence[str]) -> io.BytesIO:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        page = book.add_worksheet()
        for row, texts in enumerate(lines):
            for column, text in enumerate(texts):
                page.write_string(row, column, text)
    out.seek(0)
    return out


# --- 台账 -----------------------------------------------------------------------------------------------------------


@pytest.mark.both_pairs
def test_the_ledger_shows_each_their_own_and_its_totals_are_sums(app: Flask) -> None:
    cast = Intake()
    cast.plan(10, 8, 6, 4)
    ones = cast.admit()
    case = cast.approved(ones[:3], 4)
    lines = cells(look(app, cast.approver, "/intake"))
    county = next(line for line in lines if line[0] == cast.county.name)
    assert county[:7] == [cast.county.name, "18", "7", "4", "3", "3", "15"]
    first = next(line for line in lines if line[0].startswith(cast.school.name))
    assert first[1:7] == ["10", "5", "4", "3", "3", "7"] and case.number in first[7]
    assert lines[-1][:7] == ["合计", "28", "7", "4", "3", "3", "25"]
    schools = [line for line in lines if line[0].split()[0] in _names(cast)]
    for column in (1, 2, 4, 5):
        total = sum(int(line[column]) for line in schools if line[column] != "—")
        assert total == int(lines[-1][column])
    mine = look(app, cast.reviewer, "/intake")
    assert cast.third.name not in mine.get_text() and cast.second.name in mine.get_text()
    own = cells(look(app, cast.registrar_2, "/intake"))
    assert len(own) == 1 and own[0][0] == cast.second.name and own[0][1] == "8"
    for who in (cast.administrator, cast.head, cast.junior):
        assert enter(app, who).get("/intake").status_code == 404
    for who in (cast.auditor, cast.auditor_county):
        assert enter(app, who).get("/intake").status_code == 200


def _names(cast: Intake) -> set[str]:
    return {one.name for one in (cast.school, cast.second, cast.own_school, cast.third)}


def test_a_bureau_never_sees_a_draft_and_the_workbook_says_the_same(app: Flask) -> None:
    cast = Intake()
    cast.plan(10, 8, 6, 4)
    ones = cast.admit()
    draft = a_roster(cast.registrar, ones[:2])
    db.session.commit()
    assert draft.number not in look(app, cast.reviewer, "/intake").get_text()
    assert draft.number in look(app, cast.registrar, "/intake").get_text()
    answer = enter(app, cast.reviewer).get("/intake/ledger.xlsx")
    sheet = load_workbook(io.BytesIO(answer.data)).active
    rows = [tuple(cell.value for cell in row) for row in sheet.iter_rows(min_row=2)]
    assert rows[0][:5] == (cast.county.name, cast.school.name, cast.school.code, 10, 5)
    assert rows[-1][0] == "合计" and rows[-1][3] == 18


def test_the_deadline_is_counted_in_days(app: Flask, september: Any) -> None:
    cast = Intake()
    cast.plan(10, 8)
    assert "9 月 30 日截止，还有 9 天" in look(app, cast.reviewer, "/intake").get_text()
    september.move_to("2026-10-12T02:00:00Z")
    assert "已超期 12 天" in look(app, cast.reviewer, "/intake").get_text()
    assert "就是今天" not in look(app, cast.reviewer, "/intake").get_text()


def test_ledger_queue_and_case_tell_a_time_limit_in_the_same_words(app: Flask) -> None:
    cast = Intake()
    cast.plan(10, 8)
    case = a_roster(cast.registrar, cast.admit()[:2])
    db.session.commit()
    until = "9 月 30 日截止，还有 9 天"
    for page in ("/intake", "/queue/drafts", f"/cases/{case.id}/check", f"/cases/{case.id}/roster"):
        assert look(app, cast.registrar, page).get_text().count(until) == 1, page
    unlimited = "没有规定办理时限"
    then = look(app, cast.registrar, f"/cases/{case.id}/check").select_one("section[aria-labelledby=then]")
    assert then is not None and unlimited in then.get_text()
    act(case, cast.registrar, "submit")
    db.session.commit()
    for who, page in (
        (cast.registrar, "/queue/started"),
        (cast.registrar, f"/cases/{case.id}"),
        (cast.reviewer, "/queue/todo"),
        (cast.reviewer, f"/cases/{case.id}/desk"),
    ):
        assert unlimited in look(app, who, page).get_text(), page
    act(case, cast.reviewer, "return", reasons=(Reason("other", CASE, "", "请核对名单"),))
    db.session.commit()
    assert until in look(app, cast.registrar, "/queue/returned").get_text()


def test_a_school_is_reminded_once_a_day_and_told_until_it_sends(app: Flask, september: Any) -> None:
    cast = Intake()
    cast.plan(10, 8)
    ones = cast.admit()
    db.session.commit()
    client = enter(app, cast.reviewer)
    path = f"/intake/schools/{cast.school.id}/remind"
    assert client.post(path).status_code == 303
    said = f"9 月 21 日 {cast.county.name}催报"
    assert said in look(app, cast.registrar, "/").get_text()
    assert said in look(app, cast.registrar, "/intake").get_text()
    assert said not in look(app, cast.registrar_2, "/").get_text()
    again = enter(app, cast.approver).post(path)
    assert again.status_code == 422 and "一天只催一次" in again.text
    case = a_roster(cast.registrar, ones[:2])
    act(case, cast.registrar, "submit")
    db.session.commit()
    assert said not in look(app, cast.registrar, "/").get_text()
    assert "已经上报" in client.post(path).text
    db.session.add(Holiday(office_id=cast.state.id, day=date(2026, 9, 22), kind="off", name="试", notice=""))
    db.session.commit()
    september.move_to("2026-09-22T02:00:00Z")
    client = enter(app, cast.reviewer)  # yesterday's session has ended
    other = client.post(f"/intake/schools/{cast.second.id}/remind")
    assert other.status_code == 422 and "休息日" in other.text
    assert client.post(f"/intake/schools/{cast.third.id}/remind").status_code == 404
    assert enter(app, cast.registrar).post(path).status_code == 404
    assert len(list(db.session.scalars(select(IntakeReminder)))) == 1


# --- 招生计划 --------------------------------------------------------------------------------------------------------


def plan_form(cast: Intake, *places: int | str, **more: str) -> dict[str, str]:
    """County, first and second school."""
    offices: tuple[Office, ...] = (cast.county, cast.school, cast.second)
    form = {f"places-{one.id}": str(count) for one, count in zip(offices, places, strict=False)}
    base = {"year": str(YEAR), "seen": "0", "document": "云州教基发〔2026〕12号", "note": ""}
    return base | form | {f"graduates-{cast.county.id}": "40"} | more


def test_the_approver_writes_a_plan_and_each_reads_their_part(app: Flask) -> None:
    cast = Intake()
    db.session.commit()
    client = enter(app, cast.approver)
    assert "还没有录入招生计划" in client.get("/intake/plan").text
    assert client.post("/intake/plan/edit", data=plan_form(cast, 20, 12, 8)).status_code == 303
    page = look(app, cast.reviewer, "/intake/plan")
    assert (
        cells(page)[0][:3] == [cast.county.name, "20", "40"] and "云州教基发〔2026〕12号" in page.get_text()
    )
    own = cells(look(app, cast.registrar, "/intake/plan"))
    assert own == [[cast.school.name, "12", "—", "0", "0"]]
    other = look(app, cast.reviewer_2, "/intake/plan").get_text()
    assert cast.school.name not in other and "没有改动本单位的数" in other
    second = plan_form(cast, 20, 11, 9, seen="1", note="按报名人数调整")
    assert client.post("/intake/plan/edit", data=second).status_code == 303
    told = look(app, cast.approver, "/intake/plan").get_text()
    assert f"{cast.school.name}招生计划 12 → 11" in told and "按报名人数调整" in told
    assert [one.number for one in db.session.scalars(select(IntakePlan))] == [1, 2]
    for who in (cast.reviewer, cast.auditor, cast.registrar, cast.administrator):
        assert enter(app, who).post("/intake/plan/edit", data=second).status_code == 404
    records = select(AuditRecord.body).where(AuditRecord.action == "intake.plan_set")
    assert [one["number"] for one in db.session.scalars(records.order_by(AuditRecord.seq))] == [1, 2]


def test_what_is_wrong_with_a_plan_is_told_at_the_field(app: Flask) -> None:
    cast = Intake()
    db.session.commit()
    client = enter(app, cast.approver)
    answer = client.post("/intake/plan/edit", data=plan_form(cast, "20", "1e3", "-1", document=""))
    page = soup(answer)
    assert answer.status_code == 422
    assert "整数" in page.select_one(f"#fault-places-{cast.school.id}").get_text()  # type: ignore[union-attr]
    assert page.select_one(f"#places-{cast.school.id}")["value"] == "1e3"  # type: ignore[index]
    assert page.select_one("#fault-document")
    answer = client.post("/intake/plan/edit", data=plan_form(cast, 20, 15, 8))
    assert answer.status_code == 422 and "超出本县（市）计划 3 人" in answer.text
    assert client.post("/intake/plan/edit", data=plan_form(cast, 23, 15, 8)).status_code == 303
    unexplained = client.post("/intake/plan/edit", data=plan_form(cast, 23, 15, 7, seen="1"))
    assert unexplained.status_code == 422 and "请写明为什么调整" in unexplained.text
    same = client.post("/intake/plan/edit", data=plan_form(cast, 23, 15, 8, seen="1", note="没有变化的"))
    assert same.status_code == 422 and "没有改动" in same.text


@pytest.mark.both_pairs
def test_a_plan_is_never_less_than_what_is_registered(app: Flask) -> None:
    cast = Intake()
    cast.plan(10, 8)
    ones = cast.admit()
    cast.approved(ones[:3], 3)
    client = enter(app, cast.approver)
    answer = client.post("/intake/plan/edit", data=plan_form(cast, 18, 2, 8, seen="1", note="压缩计划人数"))
    assert answer.status_code == 422 and "已同意注册 3 人" in answer.text
    fine = plan_form(cast, 18, 3, 8, seen="1", note="压缩计划人数")
    assert client.post("/intake/plan/edit", data=fine).status_code == 303


@pytest.mark.both_pairs
def test_a_stale_plan_is_refused_with_what_they_did(app: Flask) -> None:
    cast = Intake()
    db.session.commit()
    client = enter(app, cast.approver)
    client.post("/intake/plan/edit", data=plan_form(cast, 20, 12, 8))
    answer = client.post("/intake/plan/edit", data=plan_form(cast, 20, 10, 8))
    page = soup(answer)
    assert answer.status_code == 409 and f"{cast.school.name}招生计划 无 → 12" in page.get_text()
    assert page.select_one(f"#places-{cast.school.id}")["value"] == "10"  # type: ignore[index]
    assert page.select_one("input[name=seen]")["value"] == "1"  # type: ignore[index]


def test_a_plan_comes_from_a_sheet_into_the_form(app: Flask) -> None:
    cast = Intake()
    cast.plan(10, 8)
    client = enter(app, cast.approver)
    sheet = load_workbook(io.BytesIO(client.get("/intake/plan/template.xlsx").data)).active
    lines = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert lines[0] == ["单位", "学校标识码", "招生计划", "初中毕业生总人数"]
    assert [cast.school.name, cast.school.code, 10, None] in lines
    filled = xlsx(
        ("2026年招生计划",),
        ("单位", "学校标识码", "招生计划", "初中毕业生总人数", "备注"),
        (cast.county.name, "", "30", "60", ""),
        ("写错的校名", cast.school.code, "12", "", ""),
        ("没有的学校", "", "9", "", ""),
    )
    answer = client.post("/intake/plan/sheet", data={"year": str(YEAR), "file": (filled, "计划.xlsx")})
    page = soup(answer)
    assert (
        answer.status_code == 200 and "第 5 行：没有这个单位" in page.get_text() and "备注" in page.get_text()
    )
    value = {one["name"]: one.get("value") for one in page.select("input.plan-figure")}
    assert value[f"places-{cast.school.id}"] == "12" and value[f"graduates-{cast.county.id}"] == "60"
    assert value[f"places-{cast.second.id}"] == "8"
    assert len(list(db.session.scalars(select(IntakePlan)))) == 1
    assert "读取的是工作表“" in page.get_text() and page.select_one("[name=sheet]")
    broken = client.post("/intake/plan/sheet", data={"file": (io.BytesIO(b"PK\x03\x04"), "x.xlsx")})
    assert broken.status_code == 422 and client.post("/intake/plan/sheet").status_code == 422


# --- 未报到 ----------------------------------------------------------------------------------------------------------


def test_who_did_not_come_gives_up_after_the_deadline_unless_postponed(app: Flask, september: Any) -> None:
    cast = Intake()
    cast.plan(10, 8)
    ones = cast.admit()
    cast.approved(ones[:3], 3)
    path = f"/intake/schools/{cast.school.id}"
    page = look(app, cast.registrar, f"{path}/not-reported")
    assert [line[4] for line in cells(page)] == ["未报到", "未报到"]
    assert ones[3]["id_number"] not in page.get_text()
    client = enter(app, cast.registrar)
    form = {"exam_number": ones[3]["exam_number"], "reason": "病", "until": "昨天"}
    wrong = client.post(f"{path}/postponements", data=form)
    assert wrong.status_code == 422 and 'value="病"' in wrong.text and "一年" not in wrong.text
    form |= {"reason": "因病住院", "until": "2026-10-20"}
    assert client.post(f"{path}/postponements", data=form).status_code == 303
    september.move_to("2026-10-12T02:00:00Z")
    told = [line[4] for line in cells(look(app, cast.reviewer, f"{path}/not-reported"))]
    assert told[0].startswith("延期注册至 2026-10-20") and told[1].startswith(
        "视为自动放弃入学资格，不予注册"
    )
    assert "除不可抗力等正当事由外" in enter(app, cast.reviewer).get(f"{path}/not-reported").text
    september.move_to("2026-10-21T02:00:00Z")
    page = look(app, cast.reviewer, f"{path}/not-reported")
    assert cells(page)[0][4].startswith("视为自动放弃") and "到期" in cells(page)[0][4]
    assert not page.select("main form")
    client = enter(app, cast.registrar)  # the session of September has ended
    on_roster = client.post(
        f"{path}/postponements", data=form | {"exam_number": ones[0]["exam_number"], "until": "2026-11-01"}
    )
    assert on_roster.status_code == 409
    kept = db.session.scalars(select(Postponement)).one()
    assert enter(app, cast.registrar_2).post(f"{path}/postponements", data=form).status_code == 404
    elsewhere = f"/intake/schools/{cast.second.id}/postponements/{kept.id}/withdraw"
    assert enter(app, cast.registrar_2).post(elsewhere).status_code == 404
    assert client.post(f"{path}/postponements/{kept.id}/withdraw").status_code == 303
    assert db.session.scalars(select(Postponement)).first() is None
    assert enter(app, cast.reviewer_2).get(f"{path}/not-reported").status_code == 404


# --- 报省 ------------------------------------------------------------------------------------------------------------


@pytest.mark.both_pairs
def test_to_the_province_and_back(app: Flask) -> None:
    cast = Intake()
    cast.plan(10, 8)
    ones = cast.admit()
    case = cast.approved(ones[:3], 3)
    client = enter(app, cast.approver)
    form = {
        "year": str(YEAR),
        "case": str(case.id),
        "document": "云州教报〔2026〕3号",
        "sent_on": "2026-09-21",
    }
    assert client.post("/intake/province/send", data=form | {"document": ""}).status_code == 422
    assert client.post("/intake/province/send", data=form | {"sent_on": "2026-09-25"}).status_code == 422
    assert client.post("/intake/province/send", data=form | {"case": "x"}).status_code == 409
    sheet = load_workbook(io.BytesIO(client.post("/intake/province/sheet.xlsx", data=form).data)).active
    lines = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert lines[0][:3] == ["学号", "姓名", "准考证号"] and lines[1][0] == "261300000001"
    assert lines[1][lines[0].index("性别")] in ("男", "女") and len(lines) == 4
    assert client.post("/intake/province/send", data=form).status_code == 303
    assert client.post("/intake/province/send", data=form).status_code == 409
    numbers = [line[0] for line in lines[1:]]
    first = xlsx(
        ("学号", "学籍辅号", "姓名"),
        (numbers[0], "F0001", lines[1][1]),
        (numbers[1], "F0002", "别人"),
        ("999999999999", "F0009", ""),
    )
    answer = client.post("/intake/province/return", data={"file": (first, "返回.xlsx")})
    assert answer.status_code == 200 and "写入学籍辅号 1 人" in answer.text
    assert "姓名不符" in answer.text and "没有这个学号" in answer.text and "已返回 1/3" in answer.text
    whole = xlsx(("学号", "学籍辅号"), *((one, f"F000{n}") for n, one in enumerate(numbers, start=1)))
    data = whole.getvalue()
    answer = client.post("/intake/province/return", data={"file": (whole, "返回.xlsx")})
    assert "写入学籍辅号 2 人，已有相同辅号 1 人" in answer.text and "已全部返回 3/3" in answer.text
    again = client.post("/intake/province/return", data={"file": (io.BytesIO(data), "返回.xlsx")})
    assert "写入学籍辅号 0 人，已有相同辅号 3 人" in again.text
    db.session.expire_all()
    rows = list(db.session.scalars(select(RosterRow).where(RosterRow.case_id == case.id)))
    pupils = {
        one.id: one
        for one in db.session.scalars(select(Pupil).where(Pupil.id.in_([r.pupil_id for r in rows])))
    }
    for row in rows:
        pupil = pupils[row.pupil_id]
        assert row.secondary_number and pupil.particulars["secondary_number"] == row.secondary_number
        assert pupil.version == 2
    assert db.session.get_one(ProvinceFiling, case.id).returned_on is not None
    assert enter(app, cast.reviewer).get("/intake/province").status_code == 200
    for who in (cast.registrar, cast.administrator, cast.head):
        assert enter(app, who).get("/intake/province").status_code == 404
    assert enter(app, cast.reviewer).post("/intake/province/send", data=form).status_code == 404


def test_other_years_are_a_page_away(app: Flask) -> None:
    cast = Intake()
    cast.plan(10, 8)
    a_plan(cast.state, cast.approver, {cast.school: 7}, 2025)
    db.session.commit()
    page = look(app, cast.registrar, "/intake/plan")
    link = next(one["href"] for one in page.select("main a") if one.get_text() == "2025 年")
    assert cells(look(app, cast.registrar, str(link)))[0][1] == "7"
    assert "2026 年入学" in look(app, cast.registrar, "/intake/plan?year=1").get_text()
