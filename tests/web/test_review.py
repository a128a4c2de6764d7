"""The desk over HTTP: what is shown, deciding, claims, stale pages, and that nothing typed is ever lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from sqlalchemy import func, select

from portal.cases import claims
from portal.cases.access import Actor
from portal.cases.actions import stamp
from portal.cases.remarks import Reason
from portal.extensions import db
from portal.models import AuditRecord, Case, Decision, EvidenceFile, Pupil, RegisterChange, Remark, Status
from portal.models.types import utcnow
from tests.builders import FATHER, NEW_NAME, Cast, a_case, a_file, a_pupil, a_reason, act, an_id_number
from tests.cases.forms import enter
from tests.withdrawals import a_withdrawal

pytestmark = pytest.mark.pages


def at_desk(app: Flask, who: Actor, case: Case, args: str = "", status: int = 200) -> BeautifulSoup:
    answer = enter(app, who).get(f"/cases/{case.id}/desk{args}")
    assert answer.status_code == status, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def form_of(page: BeautifulSoup) -> dict[str, str]:
    """What a browser would post of the decision form as the page stands."""
    form = page.select_one("form.decide")
    assert isinstance(form, Tag)
    values = {
        one["name"]: one.get("value", "") for one in form.select("input[name]") if one.get("type") != "radio"
    }
    values |= {one["name"]: one.get_text() for one in form.select("textarea[name]")}
    for one in form.select("select[name]"):
        chosen = one.select_one("option[selected]") or one.select_one("option")
        values[one["name"]] = chosen["value"]
    return values


def decide(app: Flask, who: Actor, case: Case, verb: str, args: str = "", **fields: str) -> Any:
    """Post a decision from a fresh page."""
    db.session.commit()
    db.session.expire_all()
    posted = {"seen": stamp(db.session.get_one(Case, case.id)), "verb": verb, **fields}
    return enter(app, who).post(f"/cases/{case.id}/decide{args}", data=posted)


def text_of(answer: Any) -> str:
    return BeautifulSoup(answer.text, "html.parser").get_text(" ", strip=True)


def count(model: Any, *where: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def fresh(case: Case) -> Case:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Case, case.id)


# --- what the desk shows --------------------------------------------------------------------------------------------


def test_the_desk_shows_the_difference_the_clauses_the_papers_and_the_way_it_came(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review", pupil=a_pupil(cast.school, name="马晓光"))
    page = at_desk(app, cast.reviewer, case)
    assert len(page.select("h1")) == 1 and case.number in page.h1.get_text()
    old, new, read = page.select("table.comparison tbody td")
    assert "未识别" in read.get_text()
    assert (old.get_text(strip=True), new.get_text(strip=True)) == ("马晓光", "马晓明")
    assert [mark.get_text() for mark in page.select("table.comparison mark")] == ["光", "明"]
    clauses = page.select(".clause")
    assert len(clauses) >= 5 and all(
        "通过" in one.get_text() and "不通过" not in one.get_text() for one in clauses
    )
    assert any("GB 11643-1999" in one.get_text() for one in clauses)
    assert len(page.select("[data-viewer] [data-file]")) == 2 and len(page.select(".paper")) == 2
    assert "提交" in page.select_one(".history").get_text()
    assert "户口簿登记姓名有误，已更正" in page.get_text()


def test_every_view_is_recorded_before_it_is_shown(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    for who in (cast.reviewer, cast.auditor, cast.head):
        at_desk(app, who, case)
    seen = select(AuditRecord.actor_id).where(
        AuditRecord.action == "case.viewed", AuditRecord.object_id == str(case.id)
    )
    assert list(db.session.scalars(seen.order_by(AuditRecord.seq))) == [
        cast.reviewer.id,
        cast.auditor.id,
        cast.head.id,
    ]


def test_numbers_are_masked_until_somebody_asks_and_asking_is_recorded(app: Flask) -> None:
    cast = Cast()
    pupil = a_pupil(cast.school, id_number=an_id_number(serial=11))
    wanted = an_id_number(serial=12)
    answers = {
        "fields": ["id_number"],
        "cause": "household_corrected",
        "explanation": "号码登记有误",
        "new_id_number": wanted,
    }
    case = a_case(cast, "county_review", answers=answers, pupil=pupil)
    page = at_desk(app, cast.reviewer, case)
    assert not re.search(r"\d{17}[\dX]", page.get_text()) and "622999************" in page.get_text()
    different = [n for n, (a, b) in enumerate(zip(pupil.id_number, wanted, strict=True), 1) if a != b]
    assert f"{len(different)} 位不同：第 {'、'.join(map(str, different))} 位" in page.get_text()
    client = enter(app, cast.reviewer)
    answer = client.post(f"/cases/{case.id}/desk/numbers", data={"note": "先写在这里"})
    shown = BeautifulSoup(answer.text, "html.parser")
    cells = [cell.get_text() for cell in shown.select("table.comparison tbody td .value")]
    assert answer.status_code == 200 and cells == [pupil.id_number, wanted]
    marked = "".join(mark.get_text() for mark in shown.select("table.comparison td:nth-of-type(2) mark"))
    assert marked == "".join(wanted[n - 1] for n in different)
    assert "先写在这里" in shown.select_one("#note").get_text()
    part = client.post(f"/cases/{case.id}/desk/numbers", headers={"HX-Request": "true"})
    assert wanted in BeautifulSoup(part.text, "html.parser").get_text() and "<h1" not in part.text
    assert (
        count(AuditRecord, AuditRecord.action == "case.revealed", AuditRecord.actor_id == cast.reviewer.id)
        == 2
    )


def test_a_paper_that_went_on_by_the_way_out_shows_the_schools_reason(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "draft")
    act(case, cast.registrar, "edit", answers=NEW_NAME)
    a_file(
        case,
        "change_certificate",
        cast.registrar,
        verdict="refuse",
        override_reason="派出所只给了这一份扫描件",
    )
    a_file(case, "household_book", cast.registrar)
    act(case, cast.registrar, "submit")
    page = at_desk(app, cast.reviewer, case).get_text(" ", strip=True)
    assert "质量存疑" in page and "派出所只给了这一份扫描件" in page


@pytest.mark.parametrize("person", ["registrar", "head", "approver", "auditor"])
def test_others_read_the_same_desk_without_buttons(app: Flask, person: str) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    page = at_desk(app, getattr(cast, person), case)
    assert page.select_one("table.comparison") and not page.select("form.decide, form[action$=claim]")


@pytest.mark.parametrize("place", ["approved", "rejected", "withdrawn", "returned"])
def test_a_case_that_is_over_or_away_can_still_be_read(app: Flask, place: str) -> None:
    cast = Cast()
    case = a_case(cast, place)
    page = at_desk(app, cast.reviewer, case)
    assert not page.select("form.decide")
    cells = [cell.get_text(strip=True) for cell in page.select("table.comparison tbody td")]
    assert cells[1] == "马晓明" and cells[0] != cells[1], (
        "after the change the old value comes from the record"
    )


def test_strangers_drafts_and_administrators_get_404(app: Flask) -> None:
    cast, stranger = Cast(), Cast()
    case, draft = a_case(cast, "county_review"), a_case(cast, "draft", pupil=a_pupil(cast.school))
    for who, one in (
        (stranger.reviewer, case),
        (stranger.approver, case),
        (cast.administrator, case),
        (cast.reviewer, draft),
    ):
        client = enter(app, who)
        for address in ("desk", "desk/status", f"compare/{case.id}/{case.id}"):
            assert client.get(f"/cases/{one.id}/{address}").status_code == 404, (who.role, address)
        for address in ("decide", "claim", "release", "take-over", "desk/numbers", "desk/reasons"):
            answer = client.post(f"/cases/{one.id}/{address}", data={"verb": "approve", "seen": "2.0"})
            assert answer.status_code == 404, (who.role, address)
    assert fresh(case).status == Status.IN_REVIEW and count(Decision) == 0


# --- deciding -------------------------------------------------------------------------------------------------------


def test_the_county_approves_the_state_approves_and_the_register_changes(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review", pupil=a_pupil(cast.school, name="马晓光"))
    county = at_desk(app, cast.reviewer, case).select_one("#panel-approve").get_text(" ", strip=True)
    assert f"同意后转{cast.state.name}办理“州级审批”" in county and "不能撤销" not in county
    assert decide(app, cast.reviewer, case, "approve", note="已核对户口簿").status_code == 303
    state = at_desk(app, cast.approver, case)
    panel = state.select_one("#panel-approve").get_text(" ", strip=True)
    assert "姓名由“马晓光”改为“马晓明”" in panel and "不能撤销，只能另行变更" in panel
    assert "已核对户口簿" in state.select_one(".history").get_text()
    assert decide(app, cast.approver, case, "approve").status_code == 303
    done = fresh(case)
    assert done.status == Status.APPROVED and done.pupil and done.pupil.name == "马晓明"
    assert count(RegisterChange, RegisterChange.case_id == case.id) == 1


def test_after_a_decision_comes_the_next_case_of_the_same_box_and_at_the_end_the_box(app: Flask) -> None:
    cast = Cast()
    cases = [a_case(cast, "county_review", pupil=a_pupil(cast.school)) for _ in range(3)]
    cases[1].doubtful = True
    db.session.commit()
    page = at_desk(app, cast.reviewer, cases[0], "?box=todo&sort=newest")
    assert (
        "第 3 / 3 件" in page.get_text()
        and page.select_one("a[aria-label=上一件]")
        and not page.select_one("a[aria-label=下一件]")
    )
    args = "?box=todo&sort=newest"
    answer = decide(app, cast.reviewer, cases[2], "approve", args)
    assert answer.headers["Location"] == f"/cases/{cases[1].id}/desk{args}"
    narrowed = "?box=todo&doubtful=1"
    client = enter(app, cast.reviewer)
    posted = {"seen": stamp(cases[1]), "verb": "approve"}
    answer = client.post(f"/cases/{cases[1].id}/decide{narrowed}", data=posted)
    assert answer.headers["Location"] == "/queue/todo?doubtful=1"
    told = client.get(answer.headers["Location"]).text
    assert "没有待您办的业务了" in told and f"已同意：{cases[1].number}" in told


def test_the_next_case_is_one_of_the_same_procedure_and_the_page_says_which(app: Flask) -> None:
    """Within the filter that the queue was opened with; the others come when there is none left."""
    cast = Cast()
    first, other, last = (
        a_case(cast, "county_review", pupil=a_pupil(cast.school)),
        a_withdrawal(cast, "county_review"),
        a_case(cast, "county_review", pupil=a_pupil(cast.school)),
    )
    db.session.commit()
    args = "?box=todo&sort=newest"  # newest first: last, other, first
    client = enter(app, cast.reviewer)

    def decided(case: Case, args: str = args) -> str:
        posted = {"seen": stamp(fresh(case)), "verb": "approve"}
        return str(client.post(f"/cases/{case.id}/decide{args}", data=posted).headers["Location"])

    assert decided(last) == f"/cases/{first.id}/desk{args}"
    told = client.get(f"/cases/{first.id}/desk{args}").text
    assert f"已同意：{last.number}" in told and f"下一件：关键信息变更 {first.number}。" in told
    assert decided(first) == f"/cases/{other.id}/desk{args}"
    told = client.get(f"/cases/{other.id}/desk{args}").text
    assert f"没有待您办的关键信息变更了。下一件：普通高中退学、除名 {other.number}。" in told


def test_a_filter_by_procedure_is_never_left(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review", pupil=a_pupil(cast.school))
    a_withdrawal(cast, "county_review")
    answer = decide(app, cast.reviewer, case, "approve", f"?box=todo&workflow={case.workflow}")
    assert answer.headers["Location"] == f"/queue/todo?workflow={case.workflow}"


def test_several_coded_reasons_return_the_case_as_a_list(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    page = at_desk(app, cast.reviewer, case)
    assert f"退回学校（{cast.school.name}）" in page.select_one("#panel-return").get_text()
    offered = {option["value"] for option in page.select("#reason-0-about option")}
    assert offered == {
        "",
        "evidence:change_certificate",
        "evidence:household_book",
        "field:fields",
        "field:cause",
        "field:explanation",
        "field:new_name",
        "field:new_former_name",
        *(f"field:{name}" for name in FATHER),
        "case:",
    }
    fields = form_of(page) | {
        "verb": "return",
        "note": "请一并改好",
        "reason-0-code": "image_unclear",
        "reason-0-about": "evidence:change_certificate",
        "reason-0-note": "红章看不清",
        "reason-2-code": "differs_from_proof",
        "reason-2-about": "field:new_name",
    }
    answer = enter(app, cast.reviewer).post(f"/cases/{case.id}/decide", data=fields)
    assert answer.status_code == 303
    rows = db.session.scalars(select(Remark).order_by(Remark.position)).all()
    assert [(row.position, row.code, row.target, row.key, row.note) for row in rows] == [
        (1, "image_unclear", "evidence", "change_certificate", "红章看不清"),
        (2, "differs_from_proof", "field", "new_name", ""),
    ]
    assert fresh(case).status == Status.RETURNED


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "请至少选择一条退回原因"),
        ({"reason-1-code": "image_unclear"}, "没有指明是哪一份证明材料"),
        ({"reason-1-code": "typing_error"}, "没有指明是哪一项"),
        ({"reason-1-note": "只写了话"}, "请重新选择"),
        ({"reason-1-code": "other", "reason-1-about": "case:"}, "须写明具体要求"),
        ({"reason-1-code": "invented", "reason-1-about": "case:", "reason-1-note": "x"}, "请重新选择"),
    ],
)
def test_a_return_that_cannot_be_sent_says_why_and_keeps_everything(
    app: Flask, fields: dict[str, str], told: str
) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    answer = decide(
        app, cast.reviewer, case, "return", note="写了很久的意见", **{"reason-0-code": "", **fields}
    )
    page = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 422 and told in page.select_one("[role=alert]").get_text()
    assert (
        page.select_one("#panel-return").has_attr("open")
        and page.select_one("#note").get_text() == "写了很久的意见"
    )
    kept = form_of(page)
    assert all(kept[key] == value for key, value in fields.items() if value != "invented")
    assert fresh(case).status == Status.IN_REVIEW and count(Decision) == 0


def test_a_rejection_needs_its_reason(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    answer = decide(app, cast.reviewer, case, "reject", note="不行")
    assert answer.status_code == 422 and "不同意须写明理由" in text_of(answer)
    assert decide(app, cast.reviewer, case, "reject", note="证明与本人不符").status_code == 303
    assert fresh(case).status == Status.REJECTED


def test_one_more_row_keeps_what_was_typed_and_writes_nothing(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    typed = form_of(at_desk(app, cast.reviewer, case)) | {"reason-2-note": "第三条", "note": "意见"}
    client = enter(app, cast.reviewer)
    whole = BeautifulSoup(client.post(f"/cases/{case.id}/desk/reasons", data=typed).text, "html.parser")
    assert len(whole.select(".reason")) == 4 and whole.select_one("#panel-return").has_attr("open")
    assert form_of(whole)["reason-2-note"] == "第三条" and whole.select_one("#note").get_text() == "意见"
    part = client.post(f"/cases/{case.id}/desk/reasons", data=form_of(whole), headers={"HX-Request": "true"})
    assert len(BeautifulSoup(part.text, "html.parser").select(".reason")) == 5 and "<h1" not in part.text
    assert fresh(case).version == case.version and count(Decision) == 0


def test_the_state_can_return_one_level_down(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "state_approval")
    page = at_desk(app, cast.approver, case)
    values = [one["value"] for one in page.select("#panel-return input[name=to]")]
    assert values == ["", "county_review"]
    fields = {"reason-0-code": "wrong_issuer", "reason-0-about": "evidence:change_certificate"}
    assert decide(app, cast.approver, case, "return", to="county_review", **fields).status_code == 303
    back = fresh(case)
    assert back.status == Status.IN_REVIEW and back.holder_office_id == cast.county.id
    answer = decide(app, cast.reviewer, back, "return", to="state_approval", **fields)
    assert answer.status_code == 422 and "不能退回到所选的环节" in text_of(answer)


def test_a_rule_that_began_to_stop_shows_at_the_approval_with_its_clause(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    db.session.get_one(Pupil, case.pupil_id).problem = "一人多籍"
    page = at_desk(app, cast.reviewer, case)
    assert (
        "不通过" in page.select_one(".clause").get_text()
        and "问题学籍" in page.select_one(".clause").get_text()
    )
    answer = decide(app, cast.reviewer, case, "approve")
    stop = BeautifulSoup(answer.text, "html.parser").select_one(".stop")
    assert answer.status_code == 422 and "教基一厅〔2015〕2号" in stop.get_text()


@pytest.mark.parametrize("verb", ["", "edit", "submit", "withdraw", "invented"])
def test_only_decisions_go_through_this_door(app: Flask, verb: str) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    assert decide(app, cast.reviewer, case, verb).status_code == 400
    assert fresh(case).status == Status.IN_REVIEW


# --- somebody was quicker -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["approve", "return", "reject"])
def test_a_stale_page_is_refused_told_who_did_what_and_keeps_the_note(app: Flask, verb: str) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    seen = stamp(case)
    act(case, cast.reviewer2, "approve")
    fields = {
        "reason-0-code": "image_unclear",
        "reason-0-about": "evidence:household_book",
        "reason-0-note": "看不清",
    }
    answer = decide(app, cast.reviewer, case, verb, note="我写的意见", **fields, seen=seen)
    text = text_of(answer)
    assert (
        answer.status_code == 409
        and f"已由{cast.county.name}{cast.reviewer2.name}于" in text
        and "同意" in text
    )
    assert "我写的意见" in text and (verb != "return" or "看不清" in text)
    assert count(Decision) == 1 and fresh(case).step == "state_approval"


def test_a_changed_register_refuses_the_decision_and_shows_the_new_value(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    seen = stamp(case)
    pupil = db.session.get_one(Pupil, case.pupil_id)
    pupil.name, pupil.version = "马新名", pupil.version + 1
    answer = decide(app, cast.reviewer, case, "approve", seen=seen, note="核对过")
    page = BeautifulSoup(answer.text, "html.parser")
    assert (
        answer.status_code == 409
        and "核对原值" in page.get_text()
        and "马新名" in page.select_one("table.comparison").get_text()
    )
    again = form_of(page)
    assert again["note"] == "核对过" and again["seen"] != seen


# --- claims ---------------------------------------------------------------------------------------------------------


def status_of(app: Flask, who: Actor, case: Case, seen: str, beat: int = 1) -> str:
    address = f"/cases/{case.id}/desk/status?seen={seen}&beat={beat}"
    return str(enter(app, who).get(address, headers={"HX-Request": "true"}).text)


def test_claiming_is_seen_by_colleagues_who_then_cannot_decide(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    seen = stamp(case)
    assert (
        enter(app, cast.reviewer).post(f"/cases/{case.id}/claim?box=todo").headers["Location"]
        == f"/cases/{case.id}/desk?box=todo"
    )
    assert fresh(case).claimed_by_id == cast.reviewer.id
    page = at_desk(app, cast.reviewer2, case)
    assert f"{cast.reviewer.name} 正在办理" in page.get_text(" ", strip=True)
    assert not page.select("form.decide") and page.select_one("#take-over")
    answer = decide(app, cast.reviewer2, case, "approve", seen=seen)
    assert answer.status_code == 409 and "正在办理" in text_of(answer) and count(Decision) == 0
    assert enter(app, cast.reviewer2).post(f"/cases/{case.id}/claim").status_code == 409


def test_the_loser_of_a_take_over_learns_it_on_the_open_page(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    seen = stamp(case)
    enter(app, cast.reviewer).post(f"/cases/{case.id}/claim")
    assert "我 正在办理" in status_of(app, cast.reviewer, case, seen) and "hx-get" in status_of(
        app, cast.reviewer, case, seen
    )
    part = enter(app, cast.reviewer2).post(
        f"/cases/{case.id}/take-over", data={"seen": seen, "note": ""}, headers={"HX-Request": "true"}
    )
    assert part.status_code == 200 and "我 正在办理" in part.text and "<h1" not in part.text
    assert f"{cast.reviewer2.name} 正在办理" in status_of(app, cast.reviewer, case, seen)
    assert decide(app, cast.reviewer, case, "approve", seen=seen).status_code == 409
    assert decide(app, cast.reviewer2, case, "approve", seen=seen).status_code == 303
    told = status_of(app, cast.reviewer, case, seen)
    assert f"已由{cast.county.name}{cast.reviewer2.name}于" in told and "hx-get" not in told


def test_who_takes_over_without_buttons_to_decide_with_gets_them(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    enter(app, cast.reviewer).post(f"/cases/{case.id}/claim")
    assert not at_desk(app, cast.reviewer2, case).select("form.decide")
    answer = enter(app, cast.reviewer2).post(
        f"/cases/{case.id}/take-over?box=todo", data={"seen": stamp(case)}, headers={"HX-Request": "true"}
    )
    assert answer.headers["HX-Redirect"] == f"/cases/{case.id}/desk?box=todo"
    assert at_desk(app, cast.reviewer2, case).select("form.decide")


def test_an_open_page_stops_asking_after_a_while(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    assert "beat=45" in status_of(app, cast.reviewer, case, stamp(case), 44)
    assert "hx-get" not in status_of(app, cast.reviewer, case, stamp(case), 45)
    assert (
        enter(app, cast.reviewer).get(f"/cases/{case.id}/desk/status?box=todo").headers["Location"]
        == f"/cases/{case.id}/desk?box=todo"
    )


def test_releasing_gives_the_case_back(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    claims.claim(case, cast.reviewer)
    assert enter(app, cast.reviewer2).post(f"/cases/{case.id}/release").status_code == 409
    assert enter(app, cast.reviewer).post(f"/cases/{case.id}/release").status_code == 303
    assert fresh(case).claimed_by_id is None


# --- the second round -----------------------------------------------------------------------------------------------


def test_after_mending_the_desk_shows_what_was_changed_and_old_beside_new(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    act(
        case,
        cast.reviewer,
        "return",
        reasons=(a_reason(), Reason("typing_error", "field", "new_name", "逐字核对")),
    )
    old = next(file for file in db.session.scalars(select_files(case)) if file.slot == "change_certificate")
    old.removed_at, old.removed_round = utcnow(), case.round
    new = a_file(case, "change_certificate", cast.registrar, name="重拍.jpg")
    act(case, cast.registrar, "edit", answers={"new_name": "马小明"})
    act(case, cast.registrar, "submit")
    page = at_desk(app, cast.reviewer2, case)
    items = page.select(".remark")
    assert len(items) == 2 and all("已改动" in item.get_text() for item in items)
    assert "原填“马晓明”，现填“马小明”" in items[1].get_text() and "重拍.jpg" in items[0].get_text()
    link = items[0].select_one("a")["href"]
    assert link.startswith(f"/cases/{case.id}/compare/{old.id}/{new.id}")
    compare = BeautifulSoup(enter(app, cast.reviewer2).get(link).text, "html.parser")
    assert [one["data-file"] for one in compare.select("[data-file]")] == [str(old.id), str(new.id)]
    other = a_file(
        a_case(cast, "county_review", pupil=a_pupil(cast.school)), "household_book", cast.registrar
    )
    foreign = f"/cases/{case.id}/compare/{old.id}/{other.id}"
    assert enter(app, cast.reviewer2).get(foreign).status_code == 404


def select_files(case: Case) -> Any:
    return select(EvidenceFile).where(EvidenceFile.case_id == case.id)
