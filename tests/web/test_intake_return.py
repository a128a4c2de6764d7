"""The province's return over HTTP: rows that cannot be used stay until they are settled, and a wrong 学籍辅号 is put right."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select

from portal.cases import clock
from portal.cases.intake import province_unsettled
from portal.extensions import db
from portal.models import (
    AuditRecord,
    ProvinceReturnRow,
    Pupil,
    RegisterChange,
    RosterRow,
    SecondaryNumberCorrection,
)
from portal.standards.school_year import year_of_entry
from portal.workflows.facts import ANOTHER
from tests.builders import act, an_actor
from tests.cases.forms import enter
from tests.cases.test_sheets_as_people_have_them import book
from tests.intakes import a_list, a_roster, people
from tests.web.test_intake import Intake, cells, look, soup, xlsx

pytestmark = pytest.mark.pages

PAGE = "/intake/province"


def sent(app: Flask) -> tuple[Intake, Any, list[RosterRow]]:
    """Three approved people of the first school, sent to the province; the state's client, and their rows."""
    cast, ones = Intake(), people(3)
    cast.plan(10, 8, 0, 5, year=year_of_entry(clock.today()))
    a_list(cast.state, cast.approver, {cast.school: ones})
    case = cast.approved(ones, 3)
    client = enter(app, cast.approver)
    form = {"case": str(case.id), "document": "云州教报〔2026〕3号", "sent_on": clock.today().isoformat()}
    assert client.post(f"{PAGE}/send", data=form).status_code == 303
    rows = select(RosterRow).where(RosterRow.case_id == case.id).order_by(RosterRow.position)
    return cast, client, list(db.session.scalars(rows))


def sent_from_another_county(cast: Intake, client: Any) -> RosterRow:
    """One approved person of the second county's school, sent to the province as well."""
    ones = people(1, 700)
    a_list(cast.state, cast.approver, {cast.third: ones})
    registrar = an_actor("registrar", cast.third)  # type: ignore[arg-type]
    case = a_roster(registrar, ones, 1)
    act(case, registrar, "submit")
    act(case, cast.reviewer_2, "approve")
    act(case, cast.approver, "approve")
    db.session.commit()
    form = {"case": str(case.id), "document": "云州教报〔2026〕4号", "sent_on": clock.today().isoformat()}
    assert client.post(f"{PAGE}/send", data=form).status_code == 303
    return db.session.scalars(select(RosterRow).where(RosterRow.case_id == case.id)).one()


def load(client: Any, *lines: tuple[str, ...], titles: tuple[str, ...] = ("学号", "学籍辅号", "姓名")) -> Any:
    answer = client.post(f"{PAGE}/return", data={"file": (xlsx(titles, *lines), "返回.xlsx")})
    assert answer.status_code == 200, answer.text[:2000]
    return soup(answer)


def unsettled(page: Any) -> list[list[str]]:
    section = page.select_one("section[aria-labelledby=unsettled]")
    return cells(section) if section else []


def kept() -> list[tuple[str, str]]:
    rows = db.session.scalars(select(ProvinceReturnRow).order_by(ProvinceReturnRow.row))
    return [(one.number, one.fault) for one in rows]


@pytest.mark.both_pairs
def test_rows_that_cannot_be_used_wait_until_a_later_load_settles_them(app: Flask) -> None:
    cast, client, rows = sent(app)
    one, two, three = (str(row.number) for row in rows)
    page = load(client, (one, "F1", "别人"), (two, "F2", ""), ("261399999999", "F3", ""), ("", "F4", ""))
    assert [line[:2] for line in unsettled(page)] == [["2", one], ["4", "261399999999"], ["5", "（空）"]]
    again = soup(client.get(PAGE))
    assert unsettled(again) == unsettled(page), "not only on the answer"
    assert "姓名不符" in unsettled(again)[0][4] and "核对是不是同一人" in unsettled(again)[0][4]
    assert "返回.xlsx" in unsettled(again)[0][5]
    county = look(app, cast.reviewer, PAGE)
    assert [line[1] for line in unsettled(county)] == [one] and not county.select("main form")
    assert unsettled(look(app, cast.reviewer_2, PAGE)) == []
    load(client, (one, "F1", ""), (three, "F3", ""))
    assert kept() == [("", "empty")], "the number was mistyped, and stands under the right one now"
    load(client, (one, "F1", "别人"))
    assert kept() == [(one, "differs"), ("", "empty")], "a later load judges the person anew"
    load(client, (one, "F1", ""))
    row = db.session.scalars(select(ProvinceReturnRow)).one()
    assert enter(app, cast.reviewer).post(f"{PAGE}/set-aside", data={"row": row.id}).status_code == 404
    assert client.post(f"{PAGE}/set-aside", data={"row": row.id}).status_code == 303
    assert client.post(f"{PAGE}/set-aside", data={"row": row.id}).status_code == 409
    assert client.post(f"{PAGE}/set-aside", data={"row": "x"}).status_code == 409
    assert kept() == [] and unsettled(soup(client.get(PAGE))) == []


@pytest.mark.both_pairs
def test_the_same_file_again_keeps_its_rows_once(app: Flask) -> None:
    _cast, client, rows = sent(app)
    number = str(rows[0].number)
    for _ in range(2):
        load(client, ("", "F4", ""), ("", "", "某人"), (number, "F1", ""), (number, "F5", ""))
    assert [fault for _number, fault in kept()] == ["empty", "empty", "twice", "twice"]


def test_another_number_is_put_right_with_reason_and_document(app: Flask) -> None:
    cast, client, rows = sent(app)
    one, two = (str(row.number) for row in rows[:2])
    load(client, (one, "F1", ""), (two, "F2", ""))
    page = load(client, (one, "F9", ""))
    assert "更正学籍辅号" in unsettled(page)[0][-1]
    row = str(db.session.scalars(select(ProvinceReturnRow.id)).one())
    form = {"row": row, "reason": "省厅重号", "document": ""}
    wrong = client.post(f"{PAGE}/correct", data=form)
    assert wrong.status_code == 422 and "请填省厅的文号" in wrong.text and 'value="省厅重号"' in wrong.text
    form["document"] = "省教基函〔2026〕88号"
    assert enter(app, cast.reviewer).post(f"{PAGE}/correct", data=form).status_code == 404
    assert client.post(f"{PAGE}/correct", data=form).status_code == 303
    assert client.post(f"{PAGE}/correct", data=form).status_code == 409
    told = look(app, cast.reviewer, PAGE).get_text()
    assert "F1 → F9" in told and "省教基函〔2026〕88号" in told and "省厅重号" in told
    db.session.expire_all()
    entered = db.session.get_one(RosterRow, rows[0].id)
    pupil = db.session.get_one(Pupil, entered.pupil_id)
    assert entered.secondary_number == pupil.particulars["secondary_number"] == "F9"
    history = select(RegisterChange).where(
        RegisterChange.pupil_id == pupil.id, RegisterChange.column == "secondary_number"
    )
    steps = db.session.scalars(history.order_by(RegisterChange.pupil_version))
    assert [(step.before, step.after, step.correction) for step in steps] == [("", "F1", 0), ("F1", "F9", 1)]
    assert pupil.version == 3
    shown = look(app, cast.registrar, f"/register/pupils/{pupil.id}").get_text()
    assert "省厅重号（省教基函〔2026〕88号" in shown and "F9" in shown
    made = db.session.scalars(select(SecondaryNumberCorrection)).one()
    assert (made.before, made.after, made.account_id) == ("F1", "F9", cast.approver.id)
    record = select(AuditRecord).where(AuditRecord.action == "intake.secondary_corrected")
    assert len(list(db.session.scalars(record))) == 1
    page = load(client, (one, "F9", ""))
    assert "已有相同辅号 1 人" in page.get_text() and kept() == []


@pytest.mark.both_pairs
def test_a_number_that_somebody_has_is_never_taken_by_a_correction(app: Flask) -> None:
    _cast, client, rows = sent(app)
    one, two, three = (str(row.number) for row in rows)
    load(client, (one, "F1", ""), (two, "F2", ""))
    load(client, (one, "F3", ""))
    row = str(db.session.scalars(select(ProvinceReturnRow.id)).one())
    load(client, (three, "F3", ""))
    form = {"row": row, "reason": "省厅重号", "document": "省教基函〔2026〕88号"}
    answer = client.post(f"{PAGE}/correct", data=form)
    assert answer.status_code == 409 and f"已经给了学号 {three}，" in answer.text
    assert 'value="省厅重号"' in answer.text
    load(client, (one, "F2", ""))
    assert kept() == [(one, "taken")]
    row = str(db.session.scalars(select(ProvinceReturnRow.id)).one())
    assert client.post(f"{PAGE}/correct", data=form | {"row": row}).status_code == 409
    assert db.session.get_one(RosterRow, rows[0].id, populate_existing=True).secondary_number == "F1"


def test_a_county_is_not_told_whom_of_another_county_a_row_names(app: Flask) -> None:
    cast, client, rows = sent(app)
    other = sent_from_another_county(cast, client)
    one, two, theirs = str(rows[0].number), str(rows[1].number), str(other.number)
    name = other.values["name"]
    load(client, (theirs, "F7", ""))
    page = load(client, (one, "F7", ""), (two, "F8", name))
    assert theirs in unsettled(page)[0][4] and name in unsettled(page)[1][4], "the state reads it whole"
    county = look(app, cast.reviewer, PAGE)
    assert [line[1] for line in unsettled(county)] == [one, two]
    assert ANOTHER in unsettled(county)[0][4] and "姓名或身份证号与名单不符" in unsettled(county)[1][4]
    assert theirs not in county.get_text() and name not in county.get_text()
    assert unsettled(look(app, cast.reviewer_2, PAGE)) == []


def views() -> list[tuple[Any, str, int]]:
    """(account, office, year) of every look at people of a return, in their order."""
    query = select(AuditRecord).where(AuditRecord.action == "intake.return_viewed").order_by(AuditRecord.seq)
    return [(one.actor_id, one.object_id, one.body["year"]) for one in db.session.scalars(query)]


def test_a_look_at_people_of_a_return_is_recorded(app: Flask) -> None:
    cast, client, rows = sent(app)
    one, year = str(rows[0].number), year_of_entry(clock.today())
    client.get(PAGE)
    assert views() == [], "nobody was listed"
    of_state, of_county = str(cast.approver.office_id), str(cast.reviewer.office_id)
    load(client, (one, "F1", "别人"))
    assert views() == [(cast.approver.id, of_state, year)], "the answer to a form lists them too"
    look(app, cast.reviewer, PAGE)
    look(app, cast.reviewer_2, PAGE)
    assert views()[1:] == [(cast.reviewer.id, of_county, year)], "the second county has seen nobody"
    load(client, (one, "F1", ""))
    load(client, (one, "F9", ""))
    row = str(db.session.scalars(select(ProvinceReturnRow.id)).one())
    form = {"row": row, "reason": "省厅重号", "document": ""}
    assert client.post(f"{PAGE}/correct", data=form).status_code == 422
    client.post(f"{PAGE}/correct", data=form | {"document": "省教基函〔2026〕88号"})
    before = len(views())
    assert before == 4
    look(app, cast.reviewer, PAGE)
    assert views()[before:] == [(cast.reviewer.id, of_county, year)], "only a correction is listed"


def test_a_row_waits_on_the_page_of_the_persons_year(app: Flask) -> None:
    _cast, client, rows = sent(app)
    one, year = str(rows[0].number), year_of_entry(clock.today())
    load(client, (one, "F1", ""))
    file = xlsx(("学号", "学籍辅号"), (one, "F9"), ("261399999999", "F3"))
    answer = client.post(f"{PAGE}/return", data={"year": year - 1, "file": (file, "返回.xlsx")})
    page = soup(answer)
    assert [line[1] for line in unsettled(page)] == ["261399999999"], "nobody's row stays where it was loaded"
    told = page.select_one(f'section[aria-labelledby=report] a[href="{PAGE}?year={year}"]')
    assert told and "1 行是" in told.parent.get_text()
    assert [line[1] for line in unsettled(soup(client.get(f"{PAGE}?year={year}")))] == [one]


def test_a_correction_leads_to_the_page_on_which_it_stands(app: Flask) -> None:
    _cast, client, rows = sent(app)
    one, year = str(rows[0].number), year_of_entry(clock.today())
    load(client, (one, "F1", ""))
    load(client, (one, "F9", ""))
    waiting = db.session.scalars(select(ProvinceReturnRow)).one()
    waiting.year = year - 1  # as rows were kept that a load on another year's page has left
    row = str(waiting.id)
    db.session.commit()
    form = {"row": row, "year": year - 1, "reason": "省厅重号", "document": "省教基函〔2026〕88号"}
    answer = client.post(f"{PAGE}/correct", data=form)
    assert answer.status_code == 303 and answer.location == f"{PAGE}?year={year}"
    assert "F1 → F9" in client.get(answer.location).text


def workbook(client: Any) -> list[tuple[Any, ...]]:
    answer = client.get(f"{PAGE}/unsettled.xlsx")
    assert answer.status_code == 200
    return list(load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True))


def test_every_row_is_in_the_workbook_beyond_those_on_the_page(app: Flask) -> None:
    cast, client, rows = sent(app)
    one, name = str(rows[0].number), rows[0].values["name"]
    strangers = [(f"2613999{number:05d}", f"G{number}", "") for number in range(province_unsettled.SHOWN)]
    page = load(client, *strangers, (one, "F1", "别人"))
    assert (
        len(unsettled(page)) == province_unsettled.SHOWN and f"下载全部 {len(strangers) + 1} 行" in page.text
    )
    heading, *lines = workbook(client)
    assert heading == ("学号", "姓名", "表中的学籍辅号", "原因", "办法") and len(lines) == len(strangers) + 1
    assert (
        lines[-1][:3] == (one, name, "F1")
        and "表中是别人" in str(lines[-1][3])
        and "同一人" in str(lines[-1][4])
    )
    (mine,) = workbook(enter(app, cast.reviewer))[1:]
    assert mine[:4] == (one, name, "F1", "表中的姓名或身份证号与名单不符")
    assert workbook(enter(app, cast.reviewer_2))[1:] == []
    assert enter(app, cast.auditor_county).get(f"{PAGE}/unsettled.xlsx").status_code == 404
    assert not look(app, cast.auditor_county, PAGE).select('a[href*="unsettled.xlsx"]')
    taken = select(AuditRecord).where(AuditRecord.action == "intake.return_rows_exported")
    counts = [record.body["rows"] for record in db.session.scalars(taken.order_by(AuditRecord.seq))]
    assert counts == [len(strangers) + 1, 1, 0]


def test_the_count_of_corrections_is_the_true_one(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    cast, client, rows = sent(app)
    one = str(rows[0].number)
    load(client, (one, "F1", ""))
    for after in ("F2", "F3", "F4"):
        load(client, (one, after, ""))
        row = str(db.session.scalars(select(ProvinceReturnRow.id)).one())
        form = {"row": row, "reason": "省厅重号", "document": "省教基函〔2026〕88号"}
        assert client.post(f"{PAGE}/correct", data=form).status_code == 303
    monkeypatch.setattr(province_unsettled.corrections, "__defaults__", (2,))
    told = look(app, cast.reviewer, PAGE).select_one("details:has(.history)")
    assert told is not None and told.select_one(".count").get_text() == "3"  # type: ignore[union-attr]
    assert "F3 → F4" in told.text and "F1 → F2" not in told.text and "只列出最近 2 次" in told.text


@pytest.mark.both_pairs
def test_two_people_with_each_others_number_are_put_right_at_once(app: Flask) -> None:
    cast, client, rows = sent(app)
    one, two, three = (str(row.number) for row in rows)
    load(client, (one, "F1", ""), (two, "F2", ""), (three, "F3", ""))
    assert (
        "互换"
        not in load(client, (one, "F2", "")).select_one("section[aria-labelledby=unsettled] table").text
    )
    load(client, (one, "F2", "别人"), (two, "F1", ""))
    assert kept() == [(one, "differs"), (two, "taken")], "numbers of people in doubt are not exchanged"
    page = load(client, (one, "F2", ""), (two, "F1", ""), (three, "F1x", ""))
    assert kept() == [(one, "taken"), (two, "taken"), (three, "other")]
    assert [("互换" in line[-1]) for line in unsettled(page)] == [True, True, False]
    assert (
        "互换"
        not in look(app, cast.reviewer, PAGE).select_one("section[aria-labelledby=unsettled] thead").text
    )
    fields = {i["name"]: i["value"] for i in page.select("tbody form")[0].select("input[type=hidden]")}
    form = fields | {"reason": "省厅两人给反了", "document": ""}
    wrong = client.post(f"{PAGE}/correct", data=form)
    assert wrong.status_code == 422 and 'value="省厅两人给反了"' in wrong.text
    form["document"] = "省教基函〔2026〕90号"
    unrelated = page.select("tbody form input[name=row]")[-1]["value"]
    for bad in (unrelated, "x", fields["row"]):
        assert client.post(f"{PAGE}/correct", data=form | {"with": bad}).status_code == 409
    assert enter(app, cast.reviewer).post(f"{PAGE}/correct", data=form).status_code == 404
    assert client.post(f"{PAGE}/correct", data=form).status_code == 303
    assert client.post(f"{PAGE}/correct", data=form).status_code == 409
    db.session.expire_all()
    for row, before, after in ((rows[0], "F1", "F2"), (rows[1], "F2", "F1")):
        entered = db.session.get_one(RosterRow, row.id)
        pupil = db.session.get_one(Pupil, entered.pupil_id)
        assert entered.secondary_number == pupil.particulars["secondary_number"] == after
        made = select(SecondaryNumberCorrection).where(SecondaryNumberCorrection.row_id == row.id)
        correction = db.session.scalars(made).one()
        assert (correction.before, correction.after) == (before, after)
        assert (correction.reason, correction.document) == ("省厅两人给反了", "省教基函〔2026〕90号")
        steps = select(RegisterChange).where(
            RegisterChange.pupil_id == pupil.id, RegisterChange.column == "secondary_number"
        )
        found = db.session.scalars(steps.order_by(RegisterChange.pupil_version))
        assert [(step.before, step.after) for step in found] == [("", before), (before, after)]
    record = select(AuditRecord).where(AuditRecord.action == "intake.secondary_corrected")
    assert len(list(db.session.scalars(record))) == 2 and kept() == [(three, "other")]


def test_a_return_names_its_sheet_its_passed_rows_and_cells_that_hold_nothing(app: Flask) -> None:
    _cast, client, rows = sent(app)
    one, two, three = (str(row.number) for row in rows)
    titles = ("学号", "学籍辅号", "姓名")
    data = book(
        (
            "一批",
            [
                titles,
                (one, "F1", ""),
                (two, "6.2E+17", ""),
                (three, "F3", "#N/A"),
                ("合计", "", "3"),
                ("填表人：李四",),
            ],
        ),
        ("二批", [titles, (two, "F2", "")]),
    )

    def send(**fields: str) -> Any:
        posted = {"file": (io.BytesIO(data), "返回.xlsx"), **fields}
        return client.post(f"{PAGE}/return", data=posted)

    page = soup(send())
    told = page.select_one("section[aria-labelledby=report]").get_text()
    assert "读取的是工作表“一批”，另有“二批”没有读" in told
    assert "第 5 行是合计，第 6 行是备注或落款，没有读入" in told
    assert kept() == [(two, "unread"), (three, "unread")]
    assert [option["value"] for option in page.select("select[name=sheet] option")] == ["", "一批", "二批"]
    missing = send(sheet="三批")
    assert missing.status_code == 422 and "没有工作表“三批”" in missing.text
    send(sheet="二批")
    assert kept() == [(three, "unread")]
    assert db.session.get_one(RosterRow, rows[1].id, populate_existing=True).secondary_number == "F2"
