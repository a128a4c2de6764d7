"""退学、除名: a table of facts -> the rules that stop, what it changes, and what the policies say. No database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from portal.policies import all_policies, policy
from portal.standards import codes
from portal.workflows._withdrawal_grounds import KINDS
from portal.workflows.facts import (
    Ending,
    EvidenceFact,
    Facts,
    LocalCondition,
    OtherCase,
    PupilFacts,
    SchoolFacts,
)
from portal.workflows.withdrawal import EVIDENCE, WORKFLOW, WithdrawalForm, form_names, notice_names
from tests.workflows.choices import choices_of

LEAVING = {
    "kind": "退学",
    "ground": "applied",
    "reason": "21",
    "explanation": "学生和监护人于十一月提出退学，学校多次家访未能挽回。",
}
DISMISSAL = {**LEAVING, "kind": "除名", "dismissal_ground": "dismissed", "dismissal_reason": "99"}
PAPERS = ("application", "school_report", "guardian_identity")
MORE_PAPERS = ("school_report", "guardian_identity", "school_decision", "hearing_record")
FATHER = {"guardian_name": "马建国", "guardian_relation": "51", "guardian_day": date(2026, 11, 3)}
LOCAL = LocalCondition("local-1", "连续旷课满一学期", "退学", "云州教发〔2026〕1号", "第十二条")


def ending(**changes: Any) -> Ending:
    before = {"enrolment_status": "01", "change_type": "", "change_reason": ""}
    one = Ending("TX2026000001", WORKFLOW.id, WORKFLOW.title, date(2026, 11, 2), before, True)
    return replace(one, **changes)


def facts(
    answers: dict[str, Any] | None = None,
    *,
    papers: tuple[str, ...] = PAPERS,
    pupil: dict[str, str] | None = None,
    pack: str = "gs-linxia-2022",
    supervisors: tuple[str, ...] = ("county", "state"),
    verdict: str = "pass",
    **more: Any,
) -> Facts:
    """Facts of a high-school pupil whose case is complete, but for what the test changes."""
    values = {
        "name": "马小明",
        "stage": "高中",
        "enrolment_status": "01",
        "student_number": "L622999201005060001",
    }
    return Facts(
        workflow=WORKFLOW.id,
        number="TX2026000007",
        today=date(2026, 11, 20),
        policy=policy(pack),
        school=SchoolFacts("青禾一中", supervisors={level: level for level in supervisors}),
        pupil=PupilFacts("p", values | (pupil or {}), 0),
        answers=LEAVING if answers is None else answers,
        evidence=tuple(EvidenceFact(slot, "a.jpg", "0" * 64, 1, verdict, "") for slot in papers),
        **more,
    )


def narrowed() -> Facts:
    """A dismissal under a pack that has a status and a reason for its ground, which shipped packs have not."""
    case = facts(DISMISSAL, papers=MORE_PAPERS)
    row = {"code": "dismissed", "title": "除名", "kind": "除名", "statuses": ["06"], "reasons": ["23"]}
    values = case.policy.values | {"withdrawal.grounds": ([row], "gansu_33")}
    return replace(case, policy=replace(case.policy, values=values))


def other(columns: set[str]) -> OtherCase:
    return OtherCase("X1", "another", "另一业务", "审核中", frozenset(columns))


TABLE = [
    ("a withdrawal", facts(), set()),
    ("a dismissal", facts(DISMISSAL, papers=MORE_PAPERS), set()),
    ("primary school", facts(pupil={"stage": "小学"}), {"wrong_stage"}),
    ("junior high school", facts(pupil={"stage": "初中"}), {"wrong_stage"}),
    ("special school", facts(pupil={"stage": "特教"}), {"wrong_stage"}),
    ("stage unknown", facts(pupil={"stage": ""}), {"wrong_stage"}),
    ("on leave", facts(pupil={"enrolment_status": "02"}), set()),
    (
        "a leave that ran out",
        facts({**LEAVING, "ground": "leave_expired", "reason": "31"}, pupil={"enrolment_status": "02"}),
        set(),
    ),
    (
        "a leave that ran out, of a pupil who sits in class",
        facts({**LEAVING, "ground": "leave_expired", "reason": "31"}),
        {"ground_contradicted", "reason_misfit"},
    ),
    (
        "a reason that does not follow the ground",
        facts({**LEAVING, "reason": "31"}, pupil={"enrolment_status": "02"}),
        {"reason_misfit"},
    ),
    (
        "the other way round",
        facts({**LEAVING, "ground": "leave_expired"}, pupil={"enrolment_status": "02"}),
        {"reason_misfit"},
    ),
    (
        "a local ground with a reason that the register contradicts",
        facts({**LEAVING, "ground": "local-1", "reason": "31"}, local={"grounds": (LOCAL,)}),
        {"reason_misfit"},
    ),
    (
        "what is kept of the other kind stops nothing",
        facts(
            {**DISMISSAL, "ground": "leave_expired", "reason": "31", "guardian_day": date(2026, 11, 21)},
            papers=MORE_PAPERS,
        ),
        set(),
    ),
    (
        "a dismissal against the register",
        narrowed(),
        {"dismissal_ground_contradicted", "dismissal_reason_misfit"},
    ),
    ("a guardian asks", facts(LEAVING | FATHER), set()),
    (
        "the request is of tomorrow",
        facts({**LEAVING, **FATHER, "guardian_day": date(2026, 11, 21)}),
        {"guardian_day_wrong"},
    ),
    (
        "the pupil asks at fifteen",
        facts({**LEAVING, **FATHER, "guardian_relation": "01"}, pupil={"birth_date": "2010-11-04"}),
        {"guardian_is_a_child"},
    ),
    (
        "the pupil asks at sixteen",
        facts({**LEAVING, **FATHER, "guardian_relation": "01"}, pupil={"birth_date": "2010-11-03"}),
        set(),
    ),
    ("graduated", facts(pupil={"enrolment_status": "07"}), {"not_open"}),
    ("withdrawn, as loaded", facts(pupil={"enrolment_status": "03"}), {"record_ended"}),
    ("dismissed by a case", facts(pupil={"enrolment_status": "14"}, endings=(ending(),)), {"record_ended"}),
    ("ended by a case, whatever the register shows", facts(endings=(ending(),)), {"record_ended"}),
    ("ended once, taken back", facts(endings=(ending(stands=False),)), set()),
    ("an open case about the status", facts(other_cases=(other({"enrolment_status"}),)), {"open_case"}),
    ("an open case about the name", facts(other_cases=(other({"name"}),)), set()),
    ("a local ground", facts({**LEAVING, "ground": "local-1"}, local={"grounds": (LOCAL,)}), set()),
    (
        "a local ground that was retired",
        facts({**LEAVING, "ground": "local-1"}, local={"grounds": (replace(LOCAL, retired=True),)}),
        {"ground_retired"},
    ),
    (
        "a local ground of a dismissal that was retired",
        facts(
            {**DISMISSAL, "dismissal_ground": "local-1"},
            papers=MORE_PAPERS,
            local={"grounds": (replace(LOCAL, scope="除名", retired=True),)},
        ),
        {"dismissal_ground_retired"},
    ),
    *(
        (f"without {slot}", facts(papers=tuple(p for p in PAPERS if p != slot)), {f"{slot}_missing"})
        for slot in PAPERS
    ),
    *(
        (
            f"dismissal without {slot}",
            facts(DISMISSAL, papers=tuple(p for p in MORE_PAPERS if p != slot)),
            {f"{slot}_missing"},
        )
        for slot in MORE_PAPERS[2:]
    ),
    ("poor pictures", facts(verdict="refuse"), {f"{slot}_illegible" for slot in PAPERS}),
    (
        "poor pictures of a dismissal",
        facts(DISMISSAL, papers=MORE_PAPERS, verdict="advise"),
        {f"{slot}_illegible" for slot in MORE_PAPERS},
    ),
]


@pytest.mark.parametrize(("case", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_rules(case: Facts, expected: set[str]) -> None:
    assert {refusal.rule for refusal in WORKFLOW.refusals(case)} == expected


def test_every_rule_can_stop() -> None:
    seen = set().union(*(row[2] for row in TABLE))
    assert {rule.id for rule in WORKFLOW.every_rule} == seen


def test_a_compulsory_pupil_is_told_the_clause_and_what_is_lawful_at_the_start() -> None:
    (refusal,) = WORKFLOW.refusals(facts({}, pupil={"stage": "初中"}, papers=()), "start")
    assert "义务教育法" in refusal.article.cited and "不得开除" in refusal.article.text
    assert "劝返" in refusal.remedy and "休学" in refusal.remedy


def test_an_ended_record_is_told_with_clause_and_number() -> None:
    (refusal,) = WORKFLOW.refusals(facts({}, papers=(), endings=(ending(),)), "start")
    assert "TX2026000001" in refusal.text
    assert (
        refusal.article.cited == "临州教学管发〔2022〕5号 三（二）3"
        and "一律不得复学" in refusal.article.text
    )


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (LEAVING, {"enrolment_status": "03", "change_type": "31", "change_reason": "21"}),
        (DISMISSAL, {"enrolment_status": "14", "change_type": "42", "change_reason": "99"}),
        ({}, {}),
        ({"kind": "转学"}, {}),
    ],
)
def test_what_the_register_gets(answers: dict[str, Any], expected: dict[str, str]) -> None:
    assert dict(WORKFLOW.changes(facts(answers))) == expected
    assert expected.keys() <= WORKFLOW.may_change


@pytest.mark.parametrize(
    ("supervisors", "steps"),
    [
        (("county", "state"), ["county_review", "state_approval"]),
        (("district", "county", "state"), ["county_review", "state_approval"]),
        (("state",), ["state_approval"]),
    ],
)
def test_the_chain(supervisors: tuple[str, ...], steps: list[str]) -> None:
    assert [step.id for step in WORKFLOW.steps(facts(supervisors=supervisors))] == steps


def test_local_grounds_are_offered_with_their_clause_and_retired_ones_are_not() -> None:
    retired = replace(LOCAL, code="local-2", title="旧条件", retired=True)
    form = WithdrawalForm()
    form.prepare(facts(local={"grounds": (LOCAL, retired)}))
    labels = choices_of(form, "ground")
    assert "云州教发〔2026〕1号 第十二条" in labels["local-1"] and "local-2" not in labels
    assert "甘教厅〔2018〕12号 第三十三条" in labels["applied"]


@pytest.mark.parametrize(("answers", "own"), [(LEAVING, "退学"), (DISMISSAL, "除名"), ({}, "")])
def test_only_what_belongs_to_the_kind_is_asked_and_counts(answers: dict[str, Any], own: str) -> None:
    """Though the answers of both kinds are kept."""
    both = {**LEAVING, **DISMISSAL, **answers, "kind": own}
    who = {"guardian_name", "guardian_relation", "guardian_day"}
    asked = {"退学": {"ground", "reason", *who}, "除名": {"dismissal_ground", "dismissal_reason"}, "": set()}
    assert WORKFLOW.asked(facts(both)) == {"kind", "explanation"} | asked[own]
    names = form_names(facts(both))
    titles = {"退学": ("自动退学", "申请退学"), "除名": ("其他", "除名"), "": ("", "")}
    assert names["reason"] == titles[own][0] and titles[own][1] in names["ground"]


def test_a_dismissal_in_the_fields_of_a_withdrawal_is_read_as_one() -> None:
    shared = {**LEAVING, "kind": "除名", "ground": "dismissed", "reason": "99"}
    form = WithdrawalForm.from_raw(shared, facts())
    assert form.errors_in(WORKFLOW.asked(facts(shared))) == {}
    assert form_names(facts(form.typed()))["ground"] == "受开除学籍（除名）处分"
    switched = WithdrawalForm.from_raw({**LEAVING, "kind": "除名"}, facts())
    assert switched.errors_in(["dismissal_ground"]) == {"dismissal_ground": ["请选择符合的条件"]}


@pytest.mark.parametrize(
    ("field", "code"),
    [("ground", "dismissed"), ("reason", "23"), ("dismissal_ground", "applied"), ("dismissal_reason", "21")],
)
def test_a_choice_of_the_other_kind_is_none(field: str, code: str) -> None:
    form = WithdrawalForm.from_raw({**LEAVING, **DISMISSAL, field: code}, facts())
    assert form.errors_in([field]) == {field: ["请从列出的选项中选择"]}


def test_the_unknown_article_says_so() -> None:
    article = policy("gs-linxia-2022").source("withdrawal.grounds")
    assert article.cited == "甘教厅〔2018〕12号 第三十三条" and "条文未能取得" in article.text


@pytest.mark.parametrize("pack", sorted(all_policies()))
def test_where_it_is_offered_and_why_not(pack: str) -> None:
    offered = WORKFLOW.offered(policy(pack))
    assert offered == (pack in ("cn-2025", "gs-linxia-2022"))
    article = WORKFLOW.closed_by(policy(pack))
    assert article and article.document and article.text
    if offered:
        limit = policy(pack).value("clock.withdrawal")
        assert limit["days"] == 10 and limit["mode"] == ("total" if pack == "gs-linxia-2022" else "per_stage")
        assert {row["kind"] for row in policy(pack).value("withdrawal.grounds")} == set(KINDS)


def test_codes_stand_in_their_tables() -> None:
    for kind in KINDS.values():
        assert kind.status in codes.table(codes.ENROLMENT_STATUS) and kind.change in codes.table(
            codes.CHANGE_TYPE
        )
    for row in policy("gs-linxia-2022").value("withdrawal.reasons"):
        assert codes.table(codes.CHANGE_REASON)[row["code"]] == row["title"]
    slots = {row["slot"] for row in policy("cn-2025").value("withdrawal.papers")}
    assert slots == {slot.id for slot in EVIDENCE}


def test_what_is_typed_is_the_pupils_name_after_the_consequences() -> None:
    terminal = WORKFLOW.terminal
    assert terminal and terminal.word(facts()) == "马小明"
    assert "凡退学、除名的学生，一律不得复学。" in terminal.follows(facts())


def test_a_notice_printed_too_early_says_that_it_must_not_be_served() -> None:
    assert "尚未批准" in notice_names(facts())["decision"]
