"""关键信息变更: a table of facts -> the rules that stop, and what the policies say. No database."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from portal.policies import all_policies, policy
from portal.workflows.facts import EvidenceFact, Facts, Holder, OtherCase, PupilFacts, SchoolFacts
from portal.workflows.key_information_change import WORKFLOW, KeyInformationForm
from tests.builders import an_id_number
from tests.workflows.choices import choices_of

BORN = date(2010, 5, 6)
NUMBER = an_id_number(BORN, "1", serial=1)
OTHER_BOY = an_id_number(BORN, "1", serial=2)
GIRL = an_id_number(BORN, "2", serial=3)
NEXT_DAY = an_id_number(date(2010, 5, 7), "1", serial=4)
PAPERS = ("change_certificate", "household_book")


def facts(
    new: dict[str, Any] | None = None,
    *,
    pupil: dict[str, str] | None = None,
    papers: tuple[str, ...] = PAPERS,
    verdict: str = "pass",
    reason: str = "",
    cause: str = "household_corrected",
    pack: str = "cn-2025",
    supervisors: tuple[str, ...] = ("county", "state"),
    **more: Any,
) -> Facts:
    """Facts of a grade-10 boy whose case is complete, but for what the test changes."""
    new = {"new_name": "马晓明"} if new is None else new
    values = {
        "name": "马小明",
        "sex": "1",
        "birth_date": BORN.isoformat(),
        "id_type": "1",
        "id_number": NUMBER,
        "stage": "高中",
        "enrolment_status": "01",
        "student_number": "G" + NUMBER,
    }
    return Facts(
        workflow=WORKFLOW.id,
        number="GJ2026000001",
        today=date(2026, 11, 20),
        policy=policy(pack),
        school=SchoolFacts("青禾一中", supervisors={level: level for level in supervisors}),
        pupil=PupilFacts("p", values | (pupil or {}), 0),
        answers={
            "fields": [key.removeprefix("new_") for key in new],
            "cause": cause,
            "explanation": "派出所已更正",
            **new,
        },
        evidence=tuple(EvidenceFact(slot, "a.jpg", "0" * 64, 1, verdict, reason) for slot in papers),
        **more,
    )


def stopped_by(case: Facts) -> set[str]:
    return {refusal.rule for refusal in WORKFLOW.refusals(case)}


OPEN_CASE = OtherCase("GJ2026000009", WORKFLOW.id, "关键信息变更", "审核中", frozenset({"name"}))
TABLE = [
    ("complete", facts(), set()),
    ("name unchanged", facts({"new_name": "马小明"}), {"value_unchanged"}),
    (
        "check digit",
        facts({"new_id_number": NUMBER[:17] + ("0" if NUMBER[17] != "0" else "1")}),
        {"id_number_wrong"},
    ),
    ("15 digits", facts({"new_id_number": "622999100506001"}), {"id_number_wrong"}),
    ("sound new number", facts({"new_id_number": OTHER_BOY}), set()),
    ("number of a girl", facts({"new_id_number": GIRL}), {"sex_disagrees"}),
    ("number of a girl, sex changed too", facts({"new_id_number": GIRL, "new_sex": "2"}), set()),
    ("number of another day", facts({"new_id_number": NEXT_DAY}), {"birth_date_disagrees"}),
    (
        "number and day together",
        facts({"new_id_number": NEXT_DAY, "new_birth_date": date(2010, 5, 7)}),
        set(),
    ),
    ("day alone against the number", facts({"new_birth_date": date(2010, 5, 7)}), {"birth_date_disagrees"}),
    ("sex alone against the number", facts({"new_sex": "2"}), {"sex_disagrees"}),
    ("full-width and lower case number", facts({"new_id_number": " " + OTHER_BOY.lower()}), set()),
    (
        "passport is not judged as a number",
        facts({"new_id_number": "E12345678"}, pupil={"id_type": "A"}),
        set(),
    ),
    ("pupil without a number changes the name", facts(pupil={"id_number": ""}), set()),
    ("open case", facts(other_cases=(OPEN_CASE,)), {"open_case"}),
    (
        "an open case of another kind",
        facts(other_cases=(OtherCase("X1", "transfer", "转学", "审核中", frozenset()),)),
        set(),
    ),
    ("problem record", facts(pupil={"problem": "一人多籍（待认定）"}), {"problem_record"}),
    ("wrong number is no stop: the change is its remedy", facts(pupil={"problem": "身份证号错误"}), set()),
    ("graduated", facts(pupil={"enrolment_status": "07"}), {"not_enrolled"}),
    ("on leave", facts(pupil={"enrolment_status": "02"}), set()),
    (
        "number held elsewhere",
        facts({"new_id_number": OTHER_BOY}, held_elsewhere={"id_number": (Holder("", False),)}),
        {"id_number_taken"},
    ),
    ("no certificate", facts(papers=("household_book",)), {"change_certificate_missing"}),
    ("no paper at all", facts(papers=()), {"change_certificate_missing", "household_book_missing"}),
    (
        "refused picture",
        facts(verdict="refuse"),
        {"change_certificate_illegible", "household_book_illegible"},
    ),
    ("warned picture", facts(verdict="advise"), {"change_certificate_illegible", "household_book_illegible"}),
    ("warned picture with its reason", facts(verdict="advise", reason="窗口只让拍这一张"), set()),
    ("mended picture", facts(verdict="mend"), set()),
    (
        "cancelled household",
        facts({"new_id_number": OTHER_BOY}, cause="duplicate_cancelled"),
        {"cancellation_certificate_missing"},
    ),
    ("Henan asks for no household book", facts(papers=("change_certificate",), pack="ha-2022"), set()),
    (
        "Beiguan accepts the household book alone",
        facts(papers=("household_book",), pack="ha-anyang-beiguan"),
        set(),
    ),
    (
        "Linxia asks for both",
        facts(papers=("household_book",), pack="gs-linxia-2022"),
        {"change_certificate_missing"},
    ),
]


@pytest.mark.parametrize(("case", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_rules(case: Facts, expected: set[str]) -> None:
    assert stopped_by(case) == expected


def test_every_rule_can_stop() -> None:
    """A rule that no row of the table trips would be a rule that nobody has seen work."""
    seen = set().union(*(row[2] for row in TABLE))
    assert {rule.id for rule in WORKFLOW.rules} - seen == {"cancellation_certificate_illegible"}


def test_the_remaining_rule_stops_too() -> None:
    case = facts({"new_id_number": OTHER_BOY}, papers=(*PAPERS, "cancellation_certificate"), verdict="refuse")
    assert "cancellation_certificate_illegible" in stopped_by(case)


@pytest.mark.parametrize("pack", sorted(all_policies()))
def test_every_refusal_cites_its_clause(pack: str) -> None:
    for rule in WORKFLOW.rules:
        article = rule.article_in(policy(pack))
        assert article.document and article.text


def test_the_legibility_clause_of_linxia() -> None:
    refusal = next(r for r in WORKFLOW.refusals(facts(verdict="refuse", pack="gs-linxia-2022")))
    assert refusal.article.cited == "临州教学管发〔2022〕5号 三（一）1"


@pytest.mark.parametrize(
    ("pack", "fields"),
    [
        ("cn-2025", ["name", "id_number", "birth_date", "sex"]),
        ("gs-linxia-2022", ["name", "id_number", "birth_date", "sex"]),
        ("ha-2022", ["name", "id_number"]),
        ("ha-anyang-beiguan", ["name", "id_number"]),
    ],
)
def test_key_fields_follow_the_policy(pack: str, fields: list[str]) -> None:
    form = KeyInformationForm()
    form.prepare(facts(pack=pack))
    assert list(choices_of(form, "fields")) == fields


@pytest.mark.parametrize(
    ("pack", "stage", "supervisors", "steps"),
    [
        ("cn-2025", "小学", ("county", "state"), ["county_review"]),
        ("cn-2025", "高中", ("county", "state"), ["county_review", "state_approval"]),
        ("gs-linxia-2022", "初中", ("county", "state"), ["county_review"]),
        ("ha-2022", "小学", ("county", "state"), ["county_review", "state_approval"]),
        ("cn-2025", "高中", ("state",), ["state_approval"]),
        ("cn-2025", "小学", ("state",), ["state_approval"]),
        ("cn-2025", "小学", ("district", "county", "state"), ["county_review"]),
    ],
)
def test_the_chain(pack: str, stage: str, supervisors: tuple[str, ...], steps: list[str]) -> None:
    """Compulsory stages end at the county, high schools at the state; Henan sends all to both; state-run skips the county."""
    case = facts(pack=pack, pupil={"stage": stage}, supervisors=supervisors)
    assert [step.id for step in WORKFLOW.steps(case)] == steps


def test_slots_follow_the_answers() -> None:
    assert [slot.id for slot in WORKFLOW.slots(facts())] == ["change_certificate", "household_book"]
    number = [slot.id for slot in WORKFLOW.slots(facts({"new_id_number": OTHER_BOY}))]
    assert number == ["change_certificate", "cancellation_certificate", "household_book"]


def test_changes_touch_chosen_columns_only() -> None:
    case = facts({"new_id_number": OTHER_BOY.lower()})
    assert WORKFLOW.changes(case) == {"id_number": OTHER_BOY}
    assert "student_number" not in WORKFLOW.may_change


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("买买提·阿不都热依木", True),
        ("𬭛𮧵", True),  # extension E and F
        ("\U0002ebf1", True),  # extension I, where str.isalpha() of Python 3.11 says no
        ("\ue5d2小明", True),  # private use
        ("Ана Иванова", True),
        ("马小明1", False),
        ("马 小明 ", False),
        ("马小明\u0000", False),
        ("马小明<b>", False),
        ("", False),
        ("马" * 51, False),
    ],
)
def test_names(name: str, good: bool) -> None:
    form = KeyInformationForm.from_raw(
        {"fields": ["name"], "cause": "renamed", "explanation": "依法更名", "new_name": name}, facts()
    )
    assert ("new_name" not in form.errors_in({"new_name"})) is good
    if good:
        assert form.typed()["new_name"] == name
