"""Somebody else's papers at the desk and at the school: said, stopped for want of words, and the words kept."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from werkzeug.test import TestResponse

from portal.cases import actions, evidence, page_readings, paper_advice
from portal.cases.actions import Act, stamp
from portal.cases.facts import read_facts
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import AuditRecord, Case, CaseEvent, Decision, PageReading, RosterRow, Status
from tests.builders import Cast, a_case, a_file, a_pupil, a_reason, act, an_id_number
from tests.cases.forms import enter
from tests.intakes import a_list, a_plan, a_roster, people
from tests.web.test_readings import desk, read_as
from tests.withdrawals import a_reversal, a_withdrawal

pytestmark = pytest.mark.pages

MINE = an_id_number(date(2010, 5, 6), "1", 31)
NEW = an_id_number(date(2010, 5, 6), "1", 34)
CHILD = an_id_number(date(2009, 9, 1), "2", 32)
FATHER = an_id_number(date(1985, 1, 2), "1", 33)
CERTIFICATE, BOOK = "change_certificate", "household_book"
WORDS = "是其改名前的材料，派出所已说明"


def a_name_case(cast: Cast, at: str) -> Case:
    """马晓光 becomes 马晓明."""
    case = a_case(cast, at, pupil=a_pupil(cast.school, name="马晓光", id_number=MINE))
    db.session.commit()
    return case


def papers_of_another(case: Case) -> None:
    read_as(
        case,
        CERTIFICATE,
        "户籍登记项目变更证明",
        "变更前：姓名 王晓芳",
        "变更后：姓名 王晓方",
        f"公民身份号码：{CHILD}",
    )
    read_as(case, BOOK, "常住人口登记卡", "姓名：王晓方", f"公民身份号码：{CHILD}")


def own_papers(case: Case) -> None:
    read_as(
        case,
        CERTIFICATE,
        "户籍登记项目变更证明",
        "变更前：姓名 马晓光",
        "变更后：姓名 马晓明",
        f"公民身份号码：{MINE}",
    )
    read_as(case, BOOK, "常住人口登记卡", "姓名：马晓明", f"公民身份号码：{MINE}")


def decide(app: Flask, who: Any, case: Case, **fields: str) -> TestResponse:
    db.session.commit()
    fresh = db.session.get_one(Case, case.id, populate_existing=True)
    return enter(app, who).post(
        f"/cases/{case.id}/decide", data={"verb": "approve", "seen": stamp(fresh), **fields}
    )


def text_of(page: Any) -> str:
    return " ".join(page.get_text(" ").split())


# --- the desk -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["county_review", "state_approval"])
def test_somebody_elses_papers_are_approved_with_words_only(app: Flask, step: str) -> None:
    cast = Cast()
    case = a_name_case(cast, step)
    papers_of_another(case)
    who = cast.reviewer if step == "county_review" else cast.approver
    page = desk(app, who, case)
    assert "写的不是该生" in text_of(page.select_one("#comparison .notice-late"))
    assert page.select_one("#panel-approve #papers-words")
    assert "同意可不填" not in page.select_one("#note")["placeholder"]
    before = db.session.query(Decision).count()
    for words in ("", "  ", "可以", "……。。", "\u200b" * 4, "是\u2060\u2060\u2060的"):
        answer = decide(app, who, case, papers_words=words, note="意见还在")
        again = BeautifulSoup(answer.text, "html.parser")
        assert (
            answer.status_code == 422 and "请写明理由" in again.select_one("#papers-words-error").get_text()
        )
        assert again.select_one("#panel-approve").has_attr("open")
        assert again.select_one("#note").get_text() == "意见还在"
        assert again.select_one("#papers-words").get_text() == words
    with pytest.raises(Refused, match="写的不是该生"):
        actions.perform(case, who, "approve", stamp(case), Act(note="手工提交"))
    db.session.rollback()
    assert db.session.query(Decision).count() == before
    assert decide(app, who, case, papers_words=WORDS).status_code == 303
    decision = db.session.query(Decision).filter_by(step=step).one()
    event = db.session.query(CaseEvent).filter_by(verb="approved", step=step).one()
    assert WORDS in decision.note and WORDS in event.note and event.data["papers_words"] == WORDS
    told = desk(app, cast.approver, case)
    assert WORDS in text_of(told.select_one(".history")) and WORDS in text_of(told.select_one("#identity"))


def test_own_papers_stay_at_two_keys(app: Flask) -> None:
    cast = Cast()
    case = a_name_case(cast, "county_review")
    own_papers(case)
    page = desk(app, cast.reviewer, case)
    assert not page.select("#papers-words, #comparison .notice-late")
    first = page.select_one("#panel-approve").select("input:not([type=hidden]), select, textarea, button")[0]
    assert first["value"] == "approve", "the key opens the panel and Enter confirms"
    assert decide(app, cast.reviewer, case).status_code == 303


def test_what_is_not_read_stops_nothing_and_a_misread_number_is_looked_at(app: Flask) -> None:
    cast = Cast()
    case = a_name_case(cast, "county_review")
    wrong = MINE[:16] + str((int(MINE[16]) + 1) % 10) + MINE[17]
    read_as(case, CERTIFICATE, "户籍登记项目变更证明", f"公民身份号码：{wrong}")
    page = desk(app, cast.reviewer, case)
    rows = page.select("#identity tbody tr")
    assert "存疑" in text_of(rows[1]) and "校验位" in text_of(rows[1]) and "未识别" in text_of(rows[2])
    assert decide(app, cast.reviewer, case).status_code == 303


def test_each_value_is_marked_framed_and_masked_until_somebody_asks(app: Flask) -> None:
    cast = Cast()
    case = a_name_case(cast, "county_review")
    papers_of_another(case)
    page = desk(app, cast.reviewer, case)
    register, certificate, book = page.select("#identity tbody tr")
    assert "马晓光" in text_of(register) and "2010-05-06" in text_of(register)
    assert "不是该生的" in text_of(certificate) and "王晓方" in text_of(certificate)
    assert len(certificate.select("[data-show-box]")) == 2 and "不是该生的" in text_of(book)
    assert MINE not in page.get_text() and CHILD not in page.get_text()
    assert page.select_one(f'.case-line a[href="/register/pupils/{case.pupil_id}"]')
    shown = enter(app, cast.reviewer).post(f"/cases/{case.id}/desk/numbers", headers={"HX-Request": "true"})
    told = BeautifulSoup(shown.text, "html.parser").select_one("#identity").get_text()
    assert MINE in told and CHILD in told
    assert (
        db.session.query(AuditRecord).filter_by(action="case.revealed", actor_id=cast.reviewer.id).count()
        == 1
    )


def test_a_correction_that_makes_a_number_the_pupils_takes_the_stop_away(app: Flask) -> None:
    cast = Cast()
    answers = {
        "fields": ["id_number"],
        "cause": "household_corrected",
        "explanation": "号码已更正",
        "new_id_number": NEW,
    }
    pupil = a_pupil(cast.school, name="马晓光", id_number=MINE)
    case = a_case(cast, "county_review", answers=answers, pupil=pupil)
    misread = an_id_number(date(2010, 5, 6), "1", 36)
    read_as(case, CERTIFICATE, "户籍登记项目变更证明", "姓名：马晓光", f"公民身份号码：{misread}")
    assert decide(app, cast.reviewer, case).status_code == 422
    page_readings.correct(case, cast.reviewer, read_facts(case), "id_number", NEW)
    assert decide(app, cast.reviewer, case).status_code == 303


@pytest.mark.parametrize("procedure", ["withdrawal", "reversal"])
def test_the_desk_of_every_procedure_asks_the_same(app: Flask, procedure: str) -> None:
    cast = Cast()
    cast.pupil.name = "马晓光"
    if procedure == "withdrawal":
        case, slot, who = a_withdrawal(cast, "county_review"), "application", cast.reviewer
    else:
        case, slot, who = a_reversal(cast, a_withdrawal(cast), "state_approval"), "statement", cast.approver
    read_as(case, slot, "退学申请书", "我是高二学生王晓方，因家庭原因", "学生：王晓方 监护人：王建设")
    assert "王晓方" in text_of(desk(app, who, case).select_one("#identity"))
    assert decide(app, who, case).status_code == 422
    assert decide(app, who, case, papers_words=WORDS).status_code == 303


GUARDIANS = (  # name and number in the register, who asks, what is said of a card of 马建国
    ("马建国", "", "冯建国", "与登记的监护人一致"),
    ("马建国", FATHER, "马建国", "与登记的监护人一致"),
    ("马建国", MINE, "马建国", "姓名与登记的监护人相同，证件号不同，请核对"),
    ("", "", "马建国", "与本件填写的申请人一致"),
    ("冯玉兰", "", "马建国", "与本件填写的申请人一致，学籍登记的监护人是别人，请核对与学生的关系"),
    ("冯玉兰", "", "冯玉兰", "与登记的监护人、本件填写的申请人不同，请核对与学生的关系"),
    ("", "", "冯玉兰", "与本件填写的申请人不同，请核对与学生的关系"),
)


def test_a_guardians_card_is_held_against_register_and_applicant(app: Flask) -> None:
    cast = Cast()
    case = a_withdrawal(cast, "county_review")
    read_as(case, "guardian_identity", "居民身份证", "姓名 马建国", f"公民身份号码 {FATHER}")
    for name, number, asks, note in GUARDIANS:
        known = {"guardian1_name": name, "guardian1_id_number": number}
        cast.pupil.particulars = {**cast.pupil.particulars, **known}
        case.answers = {**case.answers, "guardian_name": asks}
        db.session.commit()
        rows = desk(app, cast.reviewer, case).select("#identity tbody tr")
        row = next(one for one in rows if "马建国" in one.get_text())
        assert "监护人的材料" in text_of(row)
        assert note in [text_of(one) for one in row.select("small")]
    assert decide(app, cast.reviewer, case).status_code == 303, "it asks for no words"


def test_a_letter_about_another_row_of_a_roster_asks_for_words(app: Flask) -> None:
    cast = Cast()
    admitted = people(3)
    a_plan(cast.state, cast.approver, {cast.school: 10})
    a_list(cast.state, cast.approver, {cast.school: admitted})
    wrong = {**admitted[0], "name": "马大勇"}
    case = a_roster(cast.registrar, [wrong, *admitted[1:]])
    number = admitted[0]["exam_number"]
    a_file(case, f"correction_letter-{number}", cast.registrar)
    act(case, cast.registrar, "submit")
    read_as(
        case,
        f"correction_letter-{number}",
        "信息更正便函",
        f"录取学生王晓方（准考证号{admitted[1]['exam_number']}），",
    )
    page = desk(app, cast.reviewer, case)
    assert "王晓方" in text_of(page.select_one("#identity")) and page.select_one("#papers-words")
    assert decide(app, cast.reviewer, case).status_code == 422
    assert decide(app, cast.reviewer, case, papers_words=WORDS).status_code == 303
    assert db.session.query(RosterRow).count() == 3


def test_a_decided_case_is_held_against_what_the_register_held(app: Flask) -> None:
    cast = Cast()
    case = a_name_case(cast, "state_approval")
    read_as(case, CERTIFICATE, "户籍登记项目变更证明", "姓名：马晓光", f"公民身份号码：{MINE}")
    act(case, cast.approver, "approve")
    assert case.status == Status.APPROVED and case.pupil and case.pupil.name == "马晓明"
    assert [one.verdict for one in paper_advice.compare(case, read_facts(case)).named] == ["own", "unread"]


# --- the school -----------------------------------------------------------------------------------------------------


def submit(app: Flask, cast: Cast, case: Case, **fields: str) -> TestResponse:
    db.session.commit()
    fresh = db.session.get_one(Case, case.id, populate_existing=True)
    return enter(app, cast.registrar).post(
        f"/cases/{case.id}/submit", data={"version": stamp(fresh), **fields}
    )


def test_the_school_is_told_before_it_submits_and_says_one_sentence(app: Flask) -> None:
    cast = Cast()
    case = a_name_case(cast, "ready")
    papers_of_another(case)
    client = enter(app, cast.registrar)
    slots = BeautifulSoup(client.get(f"/cases/{case.id}/papers").text, "html.parser")
    assert "请核对" in text_of(slots.select_one(f"#slot-{CERTIFICATE}-state"))
    assert "已齐" not in text_of(slots.select_one(f"#slot-{CERTIFICATE}-state"))
    for name in ("papers", "check"):
        told = text_of(
            BeautifulSoup(client.get(f"/cases/{case.id}/{name}").text, "html.parser").select_one(
                "#papers-advice"
            )
        )
        assert "“户籍登记项目变更证明”上是王晓方，本件填的是马晓明" in told and "拿错" in told
        assert CHILD not in told and "不一致" in told
    answer = submit(app, cast, case)
    page = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 422 and "请写一句说明" in page.select_one("#papers-words-error").get_text()
    assert db.session.get_one(Case, case.id).status == Status.DRAFT
    assert submit(app, cast, case, papers_words=WORDS).status_code == 303
    assert WORDS in text_of(desk(app, cast.reviewer, case).select_one("#identity"))
    assert db.session.query(CaseEvent).filter_by(verb="submitted").one().data["papers_words"] == WORDS
    db.session.refresh(case)
    act(case, cast.reviewer, "return", reasons=(a_reason(),))
    db.session.commit()
    again = BeautifulSoup(enter(app, cast.registrar).get(f"/cases/{case.id}/check").text, "html.parser")
    assert again.select_one("#papers-words").get_text() == WORDS, "said once, offered again"
    evidence.remove(case, cast.registrar, evidence.files_of(case, CERTIFICATE)[0])
    a_file(case, CERTIFICATE, cast.registrar)
    read_as(case, CERTIFICATE, "户籍登记项目变更证明", "变更后：姓名 王晓方")
    again = BeautifulSoup(enter(app, cast.registrar).get(f"/cases/{case.id}/check").text, "html.parser")
    assert again.select_one("#papers-words").get_text() == "", "of another paper nothing was said yet"


ADVICE = {
    "a value of the form": (
        (
            CERTIFICATE,
            "户籍登记项目变更证明",
            "变更前：姓名 马晓光",
            "变更后：姓名 马晓朋",
            f"公民身份号码：{MINE}",
        ),
        "“户籍登记项目变更证明”上的姓名是马晓朋，本件填的是马晓明",
        True,
    ),
    "another kind of paper": (
        (BOOK, "户籍登记项目变更证明", "姓名：马晓明"),
        "这一页读到的标题是户籍登记项目变更证明，不是户口簿",
        True,
    ),
    "a kind of another procedure": (
        (CERTIFICATE, "情况说明", "我是学生马晓明的家长"),
        "这一页读到的标题是情况说明，不是户籍登记项目变更证明",
        True,
    ),
    "the value before the change": (
        (
            CERTIFICATE,
            "户籍登记项目变更证明",
            "变更前：姓名 马小刚",
            "变更后：姓名 马晓明",
            f"公民身份号码：{MINE}",
        ),
        "变更前的姓名是马小刚，学籍登记的是马晓光",
        True,
    ),
    "a word of another kind in the text": (
        (
            CERTIFICATE,
            "证明",
            "姓名：马晓明",
            "本证明与居民户口簿一并使用，请附户籍注销证明复印件和其他有关材料",
        ),
        "",
        False,
    ),
    "nothing to say": ((CERTIFICATE, "户籍登记项目变更证明", "变更后：姓名 马晓明"), "", False),
}


@pytest.mark.parametrize("kind", ADVICE)
def test_what_the_school_is_told(app: Flask, kind: str) -> None:
    (slot, *lines), text, asks = ADVICE[kind]
    cast = Cast()
    case = a_name_case(cast, "ready")
    read_as(case, slot, *lines)
    found = paper_advice.compare(case, read_facts(case)).advice
    assert [one.asks for one in found if text in one.text] == ([asks] if text else [])
    assert text or not found
    assert submit(app, cast, case).status_code == (422 if asks else 303)


def test_a_rare_character_may_be_misread_and_asks_for_nothing(app: Flask) -> None:
    cast = Cast()
    answers = {
        "fields": ["name"],
        "cause": "household_corrected",
        "explanation": "户口簿已更正",
        "new_name": "冯𠮷涵",
    }
    case = a_case(cast, "ready", answers=answers, pupil=a_pupil(cast.school, name="冯涵", id_number=MINE))
    read_as(case, CERTIFICATE, "户籍登记项目变更证明", "姓名：冯吉涵", f"公民身份号码：{MINE}")
    (one,) = paper_advice.compare(case, read_facts(case)).advice
    assert "冯吉涵" in one.text and "生僻字" in one.remedy and not one.asks
    assert submit(app, cast, case).status_code == 303


def test_what_is_still_being_read_is_said_stops_nothing_and_comes_by_itself(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_readings, "installed", lambda: True)
    cast = Cast()
    case = a_name_case(cast, "ready")
    file = read_as(case, CERTIFICATE, "户籍登记项目变更证明", "姓名：王晓方", f"公民身份号码：{CHILD}")
    row = db.session.get_one(PageReading, file.pages[0].id)
    row.status, lines = "waiting", row.lines
    db.session.commit()
    client = enter(app, cast.registrar)
    for page in ("papers", "check"):
        asking = BeautifulSoup(client.get(f"/cases/{case.id}/{page}").text, "html.parser").select_one(
            "#papers-reading"
        )
        assert "正在识读 1 页" in asking.get_text() and asking["hx-get"]
    assert not paper_advice.compare(case, read_facts(case)).advice
    row = db.session.get_one(PageReading, file.pages[0].id)
    row.status, row.lines = "done", lines
    db.session.commit()
    part = BeautifulSoup(client.get(asking["hx-get"], headers={"HX-Request": "true"}).text, "html.parser")
    assert "王晓方" in text_of(part.select_one("#papers-advice[hx-swap-oob]")) and not part.select("h1")
    assert "请核对" in text_of(part.select_one(f"#slot-{CERTIFICATE}-state[hx-swap-oob]"))


def test_the_school_sees_the_old_number_in_full_and_what_it_typed_stays(app: Flask) -> None:
    cast = Cast()
    answers = {
        "fields": ["id_number"],
        "cause": "household_corrected",
        "explanation": "号码已更正",
        "new_id_number": CHILD,
    }
    case = a_case(cast, "ready", answers=answers, pupil=a_pupil(cast.school, name="马晓光", id_number=MINE))
    db.session.commit()
    client = enter(app, cast.registrar)
    masked = client.get(f"/cases/{case.id}/fill/values")
    assert MINE not in masked.text and f"/cases/{case.id}/fill/values/numbers" in masked.text
    typed = {"version": stamp(case), "new_id_number": FATHER}
    for headers in ({}, {"HX-Request": "true"}):
        shown = client.post(f"/cases/{case.id}/fill/values/numbers", data=typed, headers=headers)
        page = BeautifulSoup(shown.text, "html.parser")
        assert MINE in page.select_one(".compare-old").get_text()
        assert page.select_one("#new_id_number")["value"] == FATHER
        assert "与已保存的不同" not in shown.text
    elsewhere = client.post(f"/cases/{case.id}/fill/values/numbers", data={**typed, "version": "1.999"})
    assert "与已保存的不同" in elsewhere.text
    check = client.post(f"/cases/{case.id}/check/numbers", data={"papers_words": WORDS})
    page = BeautifulSoup(check.text, "html.parser")
    assert MINE in page.select_one('td[data-label="原登记"]').get_text()
    assert page.select_one("#papers-words").get_text() == WORDS
    assert db.session.get_one(Case, case.id, populate_existing=True).answers["new_id_number"] == CHILD
    revealed = db.session.query(AuditRecord).filter_by(action="case.revealed", actor_id=cast.registrar.id)
    assert revealed.count() == 4
