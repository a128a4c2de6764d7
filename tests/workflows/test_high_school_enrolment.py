"""普通高中新生学籍注册 without a database: what stops a roster and a row of it, and what the forms say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from portal.policies import policy
from portal.workflows.facts import (
    EvidenceFact,
    Facts,
    NumberRange,
    Opinion,
    Quota,
    RosterRow,
    SchoolFacts,
    Strike,
)
from portal.workflows.high_school_enrolment import LETTER, WORKFLOW, form_names, register_rows

ROSTER = WORKFLOW.roster
assert ROSTER is not None
SCHOOL = "青禾县第一中学"
VALUES = {
    "name": "马晓明",
    "exam_number": "226200000001",
    "sex": "1",
    "ethnicity": "03",
    "birth_date": "2010-05-06",
    "id_number": "622999201005060037",
    "exam_score": "612",
    "class_name": "3班",
    "school": "",
}
STRIKE = Strike("county_review", "青禾县教育局", "李思敏", date(2026, 9, 20), "录取信息待核")


def row(position: int = 1, admitted: dict[str, str] | None = None, **values: Any) -> RosterRow:
    """A row that agrees with the list of the admitted, but for what the test changes."""
    more = {
        key: values.pop(key) for key in ("strike", "elsewhere", "twice", "faults", "number") if key in values
    }
    known = {"exam_county": "青禾县"}
    exam_number = f"2262{position:08d}"
    said = {**VALUES, "exam_number": exam_number, **(admitted or {})}
    return RosterRow(
        f"row{position}",
        position,
        {**VALUES, "exam_number": exam_number, **values},
        admitted=said if admitted != {"nobody": ""} else None,
        **known,
        **more,
    )


def facts(*rows: RosterRow, quota: Quota | None = None, **more: Any) -> Facts:
    found: dict[str, Any] = {
        "school": SchoolFacts(
            SCHOOL, "3462000002", {"county": "青禾县教育局", "state": "云岭州教育局"}, ("高中",)
        ),
        "answers": {"actual": 400},
        **more,
    }
    return Facts(
        workflow=WORKFLOW.id,
        number="XS2026000001",
        today=date(2026, 9, 25),
        policy=policy("gs-linxia-2022"),
        roster=rows,
        quota=quota or Quota(2026, "云州教基发〔2026〕12号", 400, 380, 900, 3000),
        **found,
    )


def stopped(found: Facts) -> list[str]:
    return [refusal.rule for refusal in WORKFLOW.refusals(found)]


def test_a_roster_as_admitted_and_within_the_plan_is_not_stopped() -> None:
    assert stopped(facts(row(1), row(2))) == []


NOBODY = {"nobody": ""}


@pytest.mark.parametrize(
    ("changed", "rules"),
    [
        ({"admitted": NOBODY}, ["not_admitted"]),
        ({"admitted": {"name": "马小明"}}, ["differs_name"]),
        ({"admitted": {"exam_score": "600"}}, ["differs_exam_score"]),
        (
            {"id_number": "622999201005060011", "admitted": {"id_number": "622999201005060011"}},
            ["id_number_wrong"],
        ),
        ({"elsewhere": "该生已在白石县民族中学高一注册学籍"}, ["registered_elsewhere"]),
        ({"twice": (7,)}, ["twice"]),
        ({"faults": {"name": ("没有填写姓名", "请补填姓名")}}, [""]),
    ],
)
def test_what_stops_a_row(changed: dict[str, Any], rules: list[str]) -> None:
    found = facts(row(1, **changed), row(2))
    stops = [one for one in ROSTER.findings(found) if one.level == "stop"]  # type: ignore[union-attr]
    assert [one.rule for one in stops] == rules
    assert {one.row.position for one in stops} == {1}
    assert "rows" in stopped(found)


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"id_number": "", "admitted": {"id_number": ""}}, "id_number_unusual"),
        ({"birth_date": "2010-05-07", "admitted": {"birth_date": "2010-05-07"}}, "birth_date_disagrees"),
        ({"sex": "2", "admitted": {"sex": "2"}}, "sex_disagrees"),
    ],
)
def test_what_is_only_asked(changed: dict[str, Any], rule: str) -> None:
    found = facts(row(1, **changed))
    assert [(one.rule, one.level) for one in ROSTER.findings(found)] == [(rule, "ask")]  # type: ignore[union-attr]
    assert stopped(found) == []


def test_who_is_younger_than_six_and_nine_years_is_asked_about() -> None:
    young = {"birth_date": "2011-09-01", "id_number": "622999201109010034"}
    found = facts(row(1, admitted=young, **young))
    told = [one for one in ROSTER.findings(found) if one.rule == "too_young"]  # type: ignore[union-attr]
    assert told and "只满 14 周岁" in told[0].text and told[0].level == "ask"


def test_a_letter_of_the_county_of_the_examination_settles_a_difference() -> None:
    differing = row(1, admitted={"name": "马小明"})
    without = facts(differing)
    (slot,) = WORKFLOW.slots(without)
    assert slot.id == f"{LETTER}-226200000001" and slot.issuer == "青禾县教育局"
    assert f"{LETTER}_missing" in stopped(without)
    letter = EvidenceFact(slot.id, "便函.jpg", "0" * 64, 1, "pass", "")
    settled = replace(without, evidence=(letter,))
    assert stopped(settled) == []
    assert [one.rule for one in ROSTER.findings(settled)] == ["corrected_name"]  # type: ignore[union-attr]


def test_a_letter_for_one_row_does_not_settle_another() -> None:
    found = facts(row(1, admitted={"name": "马小明"}), row(2, admitted={"name": "马小红"}))
    letter = EvidenceFact(f"{LETTER}-226200000001", "便函.jpg", "0" * 64, 1, "pass", "")
    stops = stopped(replace(found, evidence=(letter,)))
    assert "rows" in stops and f"{LETTER}_missing" in stops


@pytest.mark.parametrize(
    ("quota", "actual", "rule"),
    [
        (Quota(2026, "x", None, 3), 2, "no_plan"),
        (Quota(2026, "x", 400, None), 2, "no_list"),
        (Quota(2026, "x", 1, 3), 1, "over_plan"),
        (Quota(2026, "x", 400, 3, applied=399), 400, "over_plan"),
        (Quota(2026, "x", 400, 3), 401, "actual_over_plan"),
        (Quota(2026, "x", 400, 3), 1, "applied_over_actual"),
    ],
)
def test_plan_and_figures(quota: Quota, actual: int, rule: str) -> None:
    assert rule in stopped(facts(row(1), row(2), quota=quota, answers={"actual": actual}))


def test_a_struck_row_counts_no_more() -> None:
    found = facts(
        row(1), row(2, strike=STRIKE, admitted=NOBODY), quota=Quota(2026, "x", 1, 3), answers={"actual": 1}
    )
    assert stopped(found) == []


def test_only_a_high_school_and_no_empty_roster() -> None:
    junior = SchoolFacts("青禾县城关初级中学", "3162000003", {"county": "a", "state": "b"}, ("初中",))
    assert "not_such_a_school" in stopped(facts(row(1), school=junior))
    assert "empty_roster" in stopped(facts())


def test_a_school_run_by_the_state_skips_the_county() -> None:
    own = SchoolFacts("云岭州第一中学", "3462000001", {"state": "云岭州教育局"}, ("高中",))
    assert [step.id for step in WORKFLOW.steps(facts(row(1), school=own))] == ["state_approval"]
    assert [step.id for step in WORKFLOW.steps(facts(row(1)))] == ["county_review", "state_approval"]


def test_the_form_says_the_figures_of_each_office_once_it_has_spoken() -> None:
    rows = (row(1, number="261300000001"), row(2, strike=STRIKE), row(3, number="261300000002"))
    found = facts(*rows, numbers=NumberRange("261300000001", "261300000003"))
    names = form_names(found)
    assert (names["year_title"], names["county_title"], names["state_title"]) == (
        "2026届",
        "青禾县",
        "云岭州",
    )
    assert (names["places"], names["actual"], names["applied"]) == ("400", "400", "3")
    assert (names["first"], names["last"]) == ("261300000001", "261300000003")
    assert names["county_agreed"] == "" and names["state_first"].strip() == ""
    said = tuple(
        Opinion(step, "x", "y", date(2026, 9, 26), "approved", "")
        for step in ("county_review", "state_approval")
    )
    names = form_names(replace(found, opinions=said))
    assert (names["graduates"], names["county_places"], names["county_agreed"]) == ("3000", "900", "2")
    assert (names["state_agreed"], names["state_first"], names["state_last"]) == (
        "2",
        "261300000001",
        "261300000002",
    )


def test_whom_the_state_struck_the_county_had_agreed_to() -> None:
    by_state = replace(STRIKE, step="state_approval")
    found = facts(row(1, number="261300000001"), row(2, strike=STRIKE), row(3, strike=by_state))
    said = tuple(
        Opinion(step, "x", "y", date(2026, 9, 26), "approved", "")
        for step in ("county_review", "state_approval")
    )
    names = form_names(replace(found, numbers=NumberRange("261300000001", "261300000003"), opinions=said))
    assert (names["county_agreed"], names["state_agreed"]) == ("2", "1")


def test_the_register_lists_standing_rows_by_number() -> None:
    rows = (row(1, number="261300000002"), row(2, strike=STRIKE), row(3, number="261300000001"))
    printed = register_rows(facts(*rows))["pupils"]
    assert [one["number"] for one in printed] == ["261300000001", "261300000002"]
    assert printed[0]["sex"] == "男" and printed[0]["ethnicity"] == "回族" and printed[0]["school"] == SCHOOL


@pytest.mark.parametrize(
    ("pack", "offered"),
    [("gs-linxia-2022", True), ("cn-2025", True), ("ha-2022", False), ("ha-anyang-beiguan", False)],
)
def test_where_it_is_offered(pack: str, offered: bool) -> None:
    assert WORKFLOW.offered(policy(pack)) is offered
