"""撤销退学（除名）: the one way to open an ended record, and only where a decision of this portal stands. No database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portal.policies import all_policies, policy
from portal.workflows.facts import Facts
from portal.workflows.withdrawal_reversal import WORKFLOW, ReversalForm, form_names
from tests.workflows.choices import choices_of
from tests.workflows.test_withdrawal import ending, facts, other

ANSWERS = {
    "decision": "TX2026000001",
    "authority": "云州教复〔2026〕3号",
    "explanation": "同名学生的材料误交为该生，现予更正。",
}
PAPERS = ("statement", "authority_document")
STANDS = (ending(),)


def reversal(
    answers: dict[str, Any] | None = None, *, papers: tuple[str, ...] = PAPERS, **more: Any
) -> Facts:
    given: dict[str, Any] = {"pupil": {"enrolment_status": "03"}, "endings": STANDS} | more
    made = facts(ANSWERS if answers is None else answers, papers=papers, **given)
    return replace(made, workflow=WORKFLOW.id, number="CX2026000001")


TABLE = [
    ("complete", reversal(), set()),
    ("a dismissal before", reversal(pupil={"enrolment_status": "14"}), set()),
    ("ended as the register was loaded", reversal({}, endings=()), {"nothing_decided_here"}),
    (
        "not ended at all",
        reversal({}, endings=(), pupil={"enrolment_status": "01"}),
        {"nothing_decided_here"},
    ),
    (
        "ended by another kind of case",
        reversal({}, endings=(ending(workflow="another"),)),
        {"nothing_decided_here", "record_ended"},
    ),
    (
        "taken back already",
        reversal(endings=(ending(stands=False),), pupil={"enrolment_status": "01"}),
        {"nothing_decided_here", "not_the_standing_one"},
    ),
    ("an open case about the status", reversal(other_cases=(other({"enrolment_status"}),)), {"open_case"}),
    *(
        (f"without {slot}", reversal(papers=tuple(p for p in PAPERS if p != slot)), {f"{slot}_missing"})
        for slot in PAPERS
    ),
    ("poor pictures", reversal(verdict="refuse"), {f"{slot}_illegible" for slot in PAPERS}),
]


@pytest.mark.parametrize(("case", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_rules(case: Facts, expected: set[str]) -> None:
    assert {refusal.rule for refusal in WORKFLOW.refusals(case)} == expected


def test_every_rule_can_stop() -> None:
    assert {rule.id for rule in WORKFLOW.every_rule} == set().union(*(row[2] for row in TABLE))


def test_it_restores_what_stood_before_and_names_the_case() -> None:
    before = {"enrolment_status": "02", "change_type": "", "change_reason": ""}
    case = reversal(endings=(ending(before=before),))
    assert dict(WORKFLOW.changes(case)) == {
        "enrolment_status": "02",
        "change_type": "17",
        "change_reason": "",
    }
    assert form_names(case)["decision"].startswith("TX2026000001")
    form = ReversalForm()
    form.prepare(case)
    assert list(choices_of(form, "decision")) == ["TX2026000001"]
    assert WORKFLOW.changes(reversal({**ANSWERS, "decision": "TX2026999999"})) == {}


def test_only_the_state_decides_finally_and_the_policy_says_on_what() -> None:
    assert [step.id for step in WORKFLOW.steps(reversal())] == ["county_review", "state_approval"]
    assert [step.id for step in WORKFLOW.steps(reversal(supervisors=("state",)))] == ["state_approval"]
    assert "没有规定" in policy("gs-linxia-2022").source("withdrawal_reversal.offered").text
    for pack in all_policies().values():
        assert WORKFLOW.closed_by(pack)
