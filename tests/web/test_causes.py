"""Cause, ground, guardian and former name as a school meets them: offered, stopped at the field, carried to the register."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask

from portal.cases import actions, starting
from portal.cases.facts import read_facts
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Case, RegisterChange
from portal.workflows import workflow
from tests.builders import FATHER, KEY_CHANGE, NEW_NAME, Cast, a_case, a_file, a_pupil, act, an_id_number
from tests.cases.forms import enter
from tests.withdrawals import ENDS

pytestmark = pytest.mark.pages


@pytest.fixture
def cast(app: Flask) -> Cast:
    made = Cast()
    db.session.commit()
    return made


@pytest.fixture
def beiguan(app: Flask) -> Cast:
    made = Cast("ha-anyang-beiguan")
    db.session.commit()
    return made


class Desk:
    """A registrar at the pages of one case."""

    def __init__(self, app: Flask, cast: Cast, law: str = KEY_CHANGE, **pupil: Any) -> None:
        who = a_pupil(cast.school, **pupil) if pupil else cast.pupil
        self.case = starting.start(cast.registrar, workflow(law), who)
        db.session.commit()
        self.client = enter(app, cast.registrar)

    def post(self, page: str = "what", **answers: Any) -> Any:
        db.session.expire_all()
        address = f"/cases/{self.case.id}/fill/{page}"
        return self.client.post(address, data={"version": actions.stamp(self.case), **answers})

    def look(self, **answers: Any) -> BeautifulSoup:
        return BeautifulSoup(self.post(go="look", **answers).text, "html.parser")


def values(page: BeautifulSoup, name: str) -> set[str]:
    found = {str(one["value"]) for one in page.select(f"input[name={name}]")}
    return found | {str(one["value"]) for one in page.select(f"select[name={name}] option") if one["value"]}


def at_field(page: BeautifulSoup, name: str) -> str:
    shown = page.select_one(f"#{name}-error")
    return shown.get_text(" ", strip=True) if shown else ""


def test_the_page_offers_the_causes_of_what_is_ticked(app: Flask, cast: Cast) -> None:
    desk = Desk(app, cast)
    page = desk.look(fields="name")
    assert "renamed" in values(page, "cause")
    assert len(page.select("[data-steers]")) == 2 and len(page.select("[data-steers] button")) == 1
    page = desk.look(fields=["name", "id_number"])
    assert values(page, "cause") == {"household_corrected", "duplicate_cancelled", "entered_wrongly"}
    unnumbered = Desk(app, cast, id_number="")
    assert "number_obtained" in values(unnumbered.look(fields="id_number"), "cause")


def test_a_request_made_by_hand_is_stopped_at_the_cause_with_its_clause(app: Flask, cast: Cast) -> None:
    desk = Desk(app, cast)
    answer = desk.post(fields="name", cause="number_obtained", explanation="现已取得身份证号")
    page = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 422 and "该生学籍已登记身份证件号" in at_field(page, "cause")
    assert "居民身份证法" in page.get_text() and "先办结一件再办另一件" in page.get_text()
    assert page.select_one("input[name=cause][checked]")["value"] == "number_obtained"  # type: ignore[index]
    db.session.expire_all()
    act(desk.case, cast.registrar, "edit", answers={"new_name": "马晓明"})
    a_file(desk.case, "change_certificate", cast.registrar)
    with pytest.raises(Refused) as refused:
        act(desk.case, cast.registrar, "submit")
    assert [one.rule for one in refused.value.refusals] == ["cause_misfit"]


def test_an_explanation_that_nobody_can_see_is_none(app: Flask, cast: Cast) -> None:
    desk = Desk(app, cast)
    for said in ("\u200b" * 8, "\u3000误\u2060\u2060\u2060"):
        answer = desk.post(fields="name", cause="household_corrected", explanation=said)
        page = BeautifulSoup(answer.text, "html.parser")
        assert answer.status_code == 422 and "4 到 300 个字" in at_field(page, "explanation")


def test_grounds_follow_the_register_and_reasons_follow_the_ground(app: Flask, cast: Cast) -> None:
    desk = Desk(app, cast, ENDS)
    page = desk.look(kind="退学")
    assert values(page, "ground") == {"applied"} and "31" not in values(page, "reason")
    told = "休学期满，多次通知仍未办理复学手续。"
    answer = desk.post(kind="退学", ground="leave_expired", reason="31", explanation=told)
    page = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 422 and "“在读”，不符合条件" in at_field(page, "ground")
    assert "异动原因不能是" in at_field(page, "reason") and "第三十三条" in page.get_text()
    mixed = desk.post(kind="退学", ground="applied", reason="31", explanation=told)
    assert mixed.status_code == 422 and "不相符" in mixed.text
    on_leave = Desk(app, cast, ENDS, enrolment_status="02")
    page = on_leave.look(kind="退学", ground="leave_expired")
    assert values(page, "ground") == {"applied", "leave_expired"} and values(page, "reason") == {"31"}


def test_one_of_three_papers_is_enough_and_the_page_says_so(app: Flask, beiguan: Cast) -> None:
    desk = Desk(app, beiguan, id_number="")
    answers = {
        "fields": ["birth_date"],
        "cause": "household_corrected",
        "explanation": "户口簿登记有误，已更正",
    }
    act(desk.case, beiguan.registrar, "edit", answers={**answers, **FATHER, "new_birth_date": "2010-05-07"})
    db.session.commit()

    def text() -> str:
        return BeautifulSoup(desk.client.get(f"/cases/{desk.case.id}/papers").text, "html.parser").get_text()

    assert text().count("3 种中交一种，还缺") == 3 and "居民身份证" in text()
    check = desk.client.get(f"/cases/{desk.case.id}/check").text
    assert "中任意一种" in check and "不必都交" in check
    a_file(desk.case, "identity_card", beiguan.registrar)
    assert "3 种中交一种" not in text() and text().count("可不交") >= 2
    act(desk.case, beiguan.registrar, "submit")
    assert desk.case.step == "county_review"


def test_name_and_number_need_the_certificate_in_beiguan(app: Flask, beiguan: Cast) -> None:
    case = starting.start(beiguan.registrar, workflow(KEY_CHANGE), beiguan.pupil)
    act(case, beiguan.registrar, "edit", answers=NEW_NAME)
    a_file(case, "household_book", beiguan.registrar)
    a_file(case, "identity_card", beiguan.registrar)
    (refusal,) = actions.refusals_now(case, read_facts(case))
    assert refusal.rule == "change_certificate_missing" and "290号" in refusal.article.cited
    assert "第二十五条" in refusal.article.cited


def test_who_asks_is_needed_while_the_school_has_the_case_and_not_afterwards(
    app: Flask, beiguan: Cast
) -> None:
    """A case that was sent before anybody asked for it is decided as it stands; returned, it is filled in."""
    silent = dict.fromkeys(FATHER, "")
    answer = Desk(app, beiguan).post(
        fields="name", cause="household_corrected", explanation="户口簿登记有误", **silent
    )
    assert answer.status_code == 422 and "请填写申请人姓名" in answer.text
    case = a_case(beiguan, "county_review", pupil=a_pupil(beiguan.school))
    case.answers = {name: text for name, text in case.answers.items() if name not in FATHER}
    db.session.flush()
    act(case, beiguan.reviewer, "approve")
    assert case.step == "state_approval"
    act(case, beiguan.approver, "approve")
    assert case.status == "approved"
    back = a_case(beiguan, "returned", pupil=a_pupil(beiguan.school))
    back.answers = {name: text for name, text in back.answers.items() if name not in FATHER}
    db.session.flush()
    fields = {one.field for one in actions.refusals_now(back, read_facts(back))}
    assert fields == set(FATHER)


def test_the_old_name_goes_to_the_register_with_the_approval(app: Flask, cast: Cast) -> None:
    cast.pupil.former_name, old = "马二", cast.pupil.name
    db.session.commit()
    desk = Desk(app, cast)
    desk.post(fields="name", cause="renamed", explanation="依法更改姓名", **FATHER)
    page = BeautifulSoup(desk.client.get(f"/cases/{desk.case.id}/fill/values").text, "html.parser")
    assert page.select_one("input[name=new_former_name][checked]")["value"] == "keep"  # type: ignore[index]
    assert "马二" in page.get_text()
    assert desk.post("values", new_name="马晓明", new_former_name="both").status_code == 303
    a_file(desk.case, "change_certificate", cast.registrar)
    check = BeautifulSoup(desk.client.get(f"/cases/{desk.case.id}/check").text, "html.parser").get_text()
    assert f"马二、{old}" in check and "马建国" in check and "父亲" in check
    db.session.expire_all()
    act(desk.case, cast.registrar, "submit")
    desk_page = enter(app, cast.reviewer).get(f"/cases/{desk.case.id}/desk").text
    assert "曾用名" in desk_page and "马建国" in desk_page
    act(desk.case, cast.reviewer, "approve")
    act(desk.case, cast.approver, "approve")
    assert (cast.pupil.name, cast.pupil.former_name) == ("马晓明", f"马二、{old}")
    rows = db.session.scalars(db.select(RegisterChange).where(RegisterChange.case_id == desk.case.id))
    assert {(row.column, row.before, row.after) for row in rows} == {
        ("name", old, "马晓明"),
        ("former_name", "马二", f"马二、{old}"),
    }


def test_open_cases_that_a_corrected_pack_touches_are_listed(app: Flask, cast: Cast, beiguan: Cast) -> None:
    decided = a_case(beiguan, "approved", pupil=a_pupil(beiguan.school))
    wrong = a_case(beiguan, "county_review", pupil=a_pupil(beiguan.school))
    wrong.answers = {**wrong.answers, "cause": "number_obtained"}
    case = starting.start(beiguan.registrar, workflow(KEY_CHANGE), beiguan.pupil)
    number = an_id_number(serial=77)
    told = {
        **NEW_NAME,
        "fields": ["id_number"],
        "new_id_number": number,
        "guardian_name": "",
        "guardian_day": "",
    }
    act(case, beiguan.registrar, "edit", answers={**told, "guardian_relation": ""})
    plain = starting.start(cast.registrar, workflow(KEY_CHANGE), cast.pupil)
    untouched = starting.start(cast.registrar, workflow(ENDS), a_pupil(cast.school))
    act(plain, cast.registrar, "edit", answers=NEW_NAME)
    db.session.commit()
    answer = app.test_cli_runner().invoke(args=["policies", "open-cases"])
    assert answer.exit_code == 0, answer.output
    of = _by_number(answer.output)
    assert of[case.number][1:] == [
        "户籍登记项目变更证明：可以交 → 必须交，还没有",
        "户口簿（首页和本人页）：必须交 → 可以交",
        "居民身份证：不用交 → 可以交",
        *(line for line in of[case.number] if "申请" in line and "请补填" in line),
    ]
    assert sum("请补填" in line for line in of[case.number]) == 3
    assert any("变更原因不能是" in line for line in of[wrong.number])
    assert of[plain.number][1:] == ["户口簿（首页和本人页）：必须交 → 可以交"]
    assert decided.number not in of and untouched.number not in of
    assert answer.output.endswith("共 3 件未办结的业务受影响\n")
    assert NEW_NAME["new_name"] not in answer.output and number not in answer.output


def _by_number(output: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in output.splitlines():
        if not line.startswith((" ", "共")):
            number = line.split("　")[0]
            found[number] = []
        if not line.startswith("共"):
            found[number].append(line.strip())
    return found


def test_nothing_is_listed_where_nothing_is_touched(app: Flask, cast: Cast) -> None:
    answer = app.test_cli_runner().invoke(args=["policies", "open-cases"])
    assert answer.output == "没有受影响的未办结业务\n"
    assert db.session.scalars(db.select(Case)).all() == []
