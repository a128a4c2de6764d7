"""What cannot be taken back, over HTTP: where it stops, what is typed, what is never lost, and where it is not offered."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import select

from portal.cases import actions, starting
from portal.cases.local_conditions import history, key_of
from portal.cases.offices import policy_of
from portal.extensions import db
from portal.models import Case, Office, Pupil, Status
from portal.workflows import workflow
from tests.builders import FATHER, Cast, a_pupil
from tests.cases.forms import enter
from tests.withdrawals import ENDS, REVERSES, a_withdrawal

pytestmark = pytest.mark.pages

CONDITION = {
    "list": f"{ENDS}.grounds",
    "seen": "0",
    "scope": "退学",
    "title": "连续旷课满一学期",
    "document": "云州教发〔2026〕1号",
    "clause": "第十二条",
    "reason": "按本州文件补充",
}


def text_of(page: Any) -> str:
    return BeautifulSoup(page.text, "html.parser").get_text(" ", strip=True)


@pytest.fixture
def cast(app: Flask) -> Cast:
    made = Cast()
    db.session.commit()
    return made


def test_a_compulsory_pupil_is_stopped_on_the_first_page_and_by_hand(app: Flask, cast: Cast) -> None:
    child = a_pupil(cast.school, stage="初中", grade="初二")
    client = enter(app, cast.registrar)
    page = text_of(client.get(f"/cases/new?pupil={child.id}"))
    for words in ("只适用于普通高中", "义务教育法", "不得开除", "劝返", "申请休学"):
        assert words in page, words
    assert client.post("/cases/start", data={"pupil": child.id, "workflow": ENDS}).status_code == 303
    assert db.session.scalars(select(Case)).all() == []


def fields_of(page: Any) -> set[str]:
    form = BeautifulSoup(page.text, "html.parser").select_one("#fill")
    return {one["name"] for one in form.select("input, select, textarea") if one.get("type") != "hidden"}


def test_the_form_asks_for_the_kind_chosen_and_loses_nothing_on_the_way_back(app: Flask, cast: Cast) -> None:
    case = starting.start(cast.registrar, workflow(ENDS), cast.pupil)
    db.session.commit()
    client = enter(app, cast.registrar)
    address = f"/cases/{case.id}/fill/what"

    def post(go: str = "look", **answers: str) -> Any:
        db.session.expire_all()
        return client.post(address, data={"version": actions.stamp(case), "go": go, **answers})

    assert fields_of(client.get(address)) == {"kind", "explanation"}
    page = post(kind="退学", explanation="学生十一月提出")
    assert page.status_code == 200 and "请选择符合的条件" not in page.text  # looking is not leaving
    assert fields_of(page) == {"kind", "explanation", "ground", "reason", *FATHER}
    assert "受开除学籍（除名）处分" not in page.text and "触犯刑法" not in page.text
    page = post(kind="除名", ground="applied", reason="21", explanation="学生十一月提出")
    assert fields_of(page) == {"kind", "explanation", "dismissal_ground", "dismissal_reason"}
    assert "书面申请退学" not in page.text and "自动退学" not in page.text
    page = post(kind="退学", dismissal_ground="dismissed", dismissal_reason="23", explanation="")
    shown = BeautifulSoup(page.text, "html.parser")
    assert shown.select_one("input[name=ground][checked]")["value"] == "applied"
    assert shown.select_one("select[name=reason] option[selected]")["value"] == "21"
    page = post(kind="除名", ground="applied", reason="21", explanation="受处分，见决定书，已申辩。")
    shown = BeautifulSoup(page.text, "html.parser")
    assert shown.select_one("input[name=dismissal_ground][checked]")["value"] == "dismissed"
    assert shown.select_one("select[name=dismissal_reason] option[selected]")["value"] == "23"
    assert post("", kind="除名").status_code == 303
    incomplete = post("", kind="退学", reason="")
    assert incomplete.status_code == 422 and "请选择异动原因" in incomplete.text


def test_the_papers_are_held_against_the_pupils_name_not_against_the_status(app: Flask, cast: Cast) -> None:
    case = a_withdrawal(cast, "county_review")
    db.session.commit()
    page = BeautifulSoup(enter(app, cast.reviewer).get(f"/cases/{case.id}/desk").text, "html.parser")
    rows = {row.th.get_text(strip=True): row for row in page.select("#comparison tbody tr") if row.th}
    assert cast.pupil.name in rows["姓名"].get_text() and "未识别" in rows["姓名"].get_text()
    for title in ("学生状态", "学籍异动类别", "学籍异动原因"):
        assert "由批准写入，无需与材料比对" in rows[title].get_text(), title
    assert "无需与材料比对" not in rows["姓名"].get_text()
    assert "一致" not in rows["学生状态"].get_text() and "更正识读" not in rows["学生状态"].get_text()
    answer = enter(app, cast.reviewer).post(f"/cases/{case.id}/readings/name", data={"value": "马别人"})
    assert answer.status_code == 303
    page = BeautifulSoup(enter(app, cast.reviewer).get(f"/cases/{case.id}/desk").text, "html.parser")
    assert "不一致" in page.select_one("#comparison").get_text()
    answer = enter(app, cast.reviewer).post(
        f"/cases/{case.id}/readings/enrolment_status", data={"value": "退学"}
    )
    assert answer.status_code == 422


@pytest.mark.parametrize("pack", ["ha-2022", "ha-anyang-beiguan", "ah-lixin-2015"])
def test_where_it_is_not_offered_the_school_reads_why(app: Flask, pack: str) -> None:
    cast = Cast(pack)
    client = enter(app, cast.registrar)
    page = text_of(client.get(f"/cases/new?pupil={cast.pupil.id}"))
    article = workflow(ENDS).closed_by(policy_of(db.session.get_one(Office, cast.school.id)))
    assert "本地未开放这项业务" in page and article and article.text in page and article.cited in page
    client.post("/cases/start", data={"pupil": cast.pupil.id, "workflow": ENDS})
    assert db.session.scalars(select(Case)).all() == []


def test_a_wrong_name_is_told_at_the_field_and_nothing_is_lost(app: Flask, cast: Cast) -> None:
    case = a_withdrawal(cast, "ready")
    school, state = enter(app, cast.registrar), enter(app, cast.approver)
    refused = school.post(
        f"/cases/{case.id}/submit", data={"version": actions.stamp(case), "confirmation": "马小"}
    )
    field = BeautifulSoup(refused.text, "html.parser").select_one("#confirmation")
    assert refused.status_code == 422 and field and field["value"] == "马小" and field["aria-invalid"]
    db.session.expire_all()
    sent = {"version": actions.stamp(case), "confirmation": cast.pupil.name}
    assert school.post(f"/cases/{case.id}/submit", data=sent).status_code == 303
    db.session.expire_all()
    desk = enter(app, cast.reviewer)
    assert "请键入学生姓名" not in desk.get(f"/cases/{case.id}/desk").text
    done = desk.post(f"/cases/{case.id}/decide", data={"verb": "approve", "seen": actions.stamp(case)})
    assert done.status_code == 303
    db.session.expire_all()
    wrong = {"verb": "approve", "seen": actions.stamp(case), "note": "已逐页核对", "confirmation": "马"}
    refused = state.post(f"/cases/{case.id}/decide", data=wrong)
    page = BeautifulSoup(refused.text, "html.parser")
    assert refused.status_code == 422 and "与登记不一致" in page.select_one("#confirmation-error").get_text()  # type: ignore[union-attr]
    assert page.select_one("#note").get_text() == "已逐页核对"  # type: ignore[union-attr]
    db.session.expire_all()
    assert case.status == Status.IN_REVIEW
    assert (
        state.post(f"/cases/{case.id}/decide", data=wrong | {"confirmation": cast.pupil.name}).status_code
        == 303
    )
    db.session.expire_all()
    assert case.status == Status.APPROVED
    assert db.session.get_one(Pupil, cast.pupil.id).enrolment_status == "03"


def test_afterwards_search_finds_the_pupil_and_the_class_does_not(app: Flask, cast: Cast) -> None:
    ended = a_withdrawal(cast)
    client = enter(app, cast.registrar)
    name = cast.pupil.name
    listed = client.get(f"/register/class?school={cast.school.id}&grade=高一&class_name=1班")
    assert str(cast.pupil.id) not in listed.text
    client.post("/register", data={"q": name})
    found = client.get("/register/results").text
    assert str(cast.pupil.id) in found and "退学" in found
    page = text_of(client.get(f"/cases/new?pupil={cast.pupil.id}"))
    assert ended.number in page and "一律不得复学" in page
    again = client.post("/cases/start", data={"pupil": cast.pupil.id, "workflow": ENDS})
    assert again.status_code == 303 and len(db.session.scalars(select(Case)).all()) == 1


def test_a_reversal_is_offered_where_something_can_be_reversed(app: Flask, cast: Cast) -> None:
    client = enter(app, cast.registrar)
    title = workflow(REVERSES).title
    assert title not in client.get(f"/cases/new?pupil={cast.pupil.id}").text
    client.post("/cases/start", data={"pupil": cast.pupil.id, "workflow": REVERSES})
    assert db.session.scalars(select(Case)).all() == []
    a_withdrawal(cast)
    assert title in client.get(f"/cases/new?pupil={cast.pupil.id}").text


def test_the_state_adds_and_retires_a_condition(app: Flask, cast: Cast) -> None:
    client = enter(app, cast.approver)
    bad = client.post("/policy/local/add", data=CONDITION | {"clause": ""})
    page = BeautifulSoup(bad.text, "html.parser")
    assert bad.status_code == 422 and "请填写条款号" in page.select_one("#clause-error").get_text()  # type: ignore[union-attr]
    assert page.select_one("#document")["value"] == CONDITION["document"]  # type: ignore[index]
    assert client.post("/policy/local/add", data=CONDITION).status_code == 303
    stale = client.post("/policy/local/add", data=CONDITION)
    assert stale.status_code == 409 and CONDITION["title"] in stale.text
    reader = enter(app, cast.reviewer)
    seen = reader.get("/policy/local")
    assert "第十二条" in seen.text and "保存为新版本" not in seen.text
    for who in (cast.reviewer, cast.registrar, cast.auditor, cast.administrator):
        assert enter(app, who).post("/policy/local/add", data=CONDITION).status_code == 404
    retire = {"list": CONDITION["list"], "code": "local-1", "seen": "1", "reason": ""}
    assert client.post("/policy/local/retire", data=retire).status_code == 422
    assert (
        client.post("/policy/local/retire", data=retire | {"code": "x", "reason": "文件已废止"}).status_code
        == 404
    )
    assert client.post("/policy/local/retire", data=retire | {"reason": "文件已废止"}).status_code == 303
    law = workflow(ENDS)
    state = db.session.get_one(Office, cast.state.id)
    assert [one.number for one in history(state, key_of(law, law.supplements[0]))] == [2, 1]
    assert client.post("/policy/local/add", data=CONDITION | {"list": "no.such"}).status_code == 404
