"""The guided pages of a case as steps: green is only what holds, and what does not says what is missing."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask

from portal.cases import starting
from portal.extensions import db
from portal.models import Case
from portal.workflows import workflow
from tests.builders import Cast, a_case, a_file, a_reason, act
from tests.cases.forms import enter
from tests.intakes import a_list, a_plan, a_roster, people
from tests.withdrawals import ENDS

pytestmark = pytest.mark.pages


@pytest.fixture
def cast(app: Flask) -> Cast:
    made = Cast()
    db.session.commit()
    return made


def steps(app: Flask, cast: Cast, case: Case, page: str = "check") -> dict[str, tuple[str, str]]:
    """{title of a step: (state, what it says on hovering)}, and that a screen reader is told the same."""
    db.session.commit()
    text = enter(app, cast.registrar).get(f"/cases/{case.id}/{page}").text
    found: dict[str, tuple[str, str]] = {}
    for item in BeautifulSoup(text, "html.parser").select("ol[aria-label=填写进度] > li"):
        title = item.select_one(".stepper-title")
        assert isinstance(title, Tag)
        state = next(one.removeprefix("is-") for one in item["class"] if one.startswith("is-"))
        said = str(item.get("title", ""))
        assert said in title.get_text()
        found[str(title.contents[0])] = (state, said)
    return found


def states(found: dict[str, tuple[str, str]]) -> list[str]:
    return [state for state, _ in found.values()]


def test_a_draft_turns_green_step_by_step(app: Flask, cast: Cast) -> None:
    case = starting.start(cast.registrar, workflow(ENDS), cast.pupil)
    before = steps(app, cast, case, "fill/what")
    assert states(before) == ["done", "current", "todo", "todo"]
    empty = steps(app, cast, case)
    assert states(empty) == ["done", "lacking", "lacking", "current"]
    assert empty["退学或除名"][1].startswith("待完善：“办理哪一类”：请选择退学或除名；“情况说明”")
    assert "还缺“学校报告”" in empty["证明材料"][1]
    answers: dict[str, Any] = {"kind": "退学", "ground": "applied", "reason": "21", "explanation": "短"}
    act(case, cast.registrar, "edit", answers=answers)
    wrong = steps(app, cast, case)
    assert wrong["退学或除名"] == ("lacking", "待完善：“情况说明”：请用 10 到 300 个字写明情况")
    assert wrong["证明材料"][0] == "lacking" and wrong["证明材料"][1].count("还缺") == 3
    act(case, cast.registrar, "edit", answers={"explanation": "学生和监护人于十一月提出退学，家访未能挽回。"})
    for slot in ("application", "school_report", "guardian_identity"):
        a_file(case, slot, cast.registrar)
    assert states(steps(app, cast, case)) == ["done", "done", "done", "current"]


def test_what_a_return_named_is_open_until_it_has_changed(app: Flask, cast: Cast) -> None:
    case = a_case(cast, "county_review")
    act(case, cast.reviewer, "return", reasons=(a_reason(),))
    found = steps(app, cast, case)
    assert found["证明材料"][0] == "lacking" and "退回意见" in found["证明材料"][1]
    assert states(found)[:-2] == ["done"] * (len(found) - 2)


def test_a_roster_with_a_faulty_row_is_not_done(app: Flask, cast: Cast) -> None:
    a_plan(cast.state, cast.approver, {cast.school: 40})
    a_list(cast.state, cast.approver, {cast.school: people(3)})
    rows = people(3)
    rows[1] = {**rows[1], "id_number": "12345"}
    case = a_roster(cast.registrar, rows)
    assert steps(app, cast, case)["学生名单"][0] == "lacking"
    good = a_roster(cast.registrar, people(3))
    assert steps(app, cast, good)["学生名单"] == ("done", "")


def test_a_stop_that_came_up_since_stands_at_the_pupil(app: Flask, cast: Cast) -> None:
    case = starting.start(cast.registrar, workflow(ENDS), cast.pupil)
    cast.pupil.stage = "初中"
    found = steps(app, cast, case)
    assert found["选择学生"][0] == "lacking" and "只适用于普通高中" in found["选择学生"][1]
