"""关键信息变更: a table of facts -> the rules that stop, and what the policies say. No database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from portal.policies import all_policies, policy
from portal.workflows._guardian import FIELDS
from portal.workflows._key_causes import RECORDS
from portal.workflows._key_items import CHANGEABLE, new_values
from portal.workflows.facts import EvidenceFact, Facts, Holder, OtherCase, PupilFacts, SchoolFacts
from portal.workflows.key_information_change import WORKFLOW, KeyInformationForm
from tests.builders import an_id_number
from tests.workflows.choices import choices_of

BORN = date(2010, 5, 6)
NUMBER = an_id_number(BORN, "1", serial=1)
OTHER_BOY = an_id_number(BORN, "1", serial=2)
GIRL = an_id_number(BORN, "2", serial=3)
NEXT_DAY = an_id_number(date(2010, 5, 7), "1", serial=4)
NEXT_BORN = {"new_birth_date": date(2010, 5, 7)}
FATHER = {"guardian_name": "马建国", "guardian_relation": "51", "guardian_day": date(2026, 11, 16)}
NAMED = {"new_name": "马晓明", **FATHER}
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
            "fields": [key.removeprefix("new_") for key in new if key.startswith("new_")],
            "cause": cause,
            "explanation": "派出所已更正",
            **new,
        },
        evidence=tuple(EvidenceFact(slot, "a.jpg", "0" * 64, 1, verdict, reason) for slot in papers),
        **more,
    )


def beiguan(new: dict[str, Any], *papers: str, **more: Any) -> Facts:
    return facts(new, papers=papers, pack="ha-anyang-beiguan", **more)


def stopped_by(case: Facts) -> set[str]:
    return {refusal.rule for refusal in WORKFLOW.refusals(case)}


OPEN_CASE = OtherCase("GJ2026000009", WORKFLOW.id, "关键信息变更", "审核中", frozenset({"name"}))
TABLE = [
    ("complete", facts(), set()),
    ("name unchanged", facts({"new_name": "马小明"}), {"value_unchanged"}),
    ("name with a blank added", facts({"new_name": "马 小明"}), {"value_unchanged"}),
    (
        "name with another dot",
        facts({"new_name": "买买提.艾力"}, pupil={"name": "买买提·艾力"}),
        {"value_unchanged"},
    ),
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
    ("no paper at all", facts(papers=()), {"change_certificate_missing"}),
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
    *(
        (
            f"Beiguan asks for the certificate of {key}",
            beiguan({key: value}, "household_book"),
            {"change_certificate_missing"},
        )
        for key, value in (("new_name", "马晓明"), ("new_id_number", OTHER_BOY))
    ),
    *(
        (
            f"Beiguan takes {paper} for the birth date",
            beiguan(NEXT_BORN, paper, pupil={"id_number": ""}),
            set(),
        )
        for paper in ("household_book", "identity_card", "change_certificate")
    ),
    ("Beiguan takes none of three", beiguan(NEXT_BORN, pupil={"id_number": ""}), {"one_of_several_missing"}),
    (
        "Beiguan with the number among the changes asks for the certificate and no choice besides",
        beiguan({"new_id_number": NEXT_DAY, **NEXT_BORN}),
        {"change_certificate_missing"},
    ),
    (
        "Linxia asks for the certificate",
        facts(papers=("household_book",), pack="gs-linxia-2022"),
        {"change_certificate_missing"},
    ),
    (
        "Linxia asks for nothing besides",
        facts(papers=("change_certificate",), pack="gs-linxia-2022"),
        set(),
    ),
    ("a name because a number came", facts(cause="number_obtained"), {"cause_misfit"}),
    (
        "a number obtained by one who has one",
        facts({"new_id_number": OTHER_BOY}, cause="number_obtained"),
        {"cause_misfit"},
    ),
    (
        "a number obtained",
        facts({"new_id_number": OTHER_BOY}, cause="number_obtained", pupil={"id_number": ""}),
        set(),
    ),
    (
        "a birth date that came with the number",
        facts({"new_id_number": NEXT_DAY, **NEXT_BORN}, cause="number_obtained", pupil={"id_number": ""}),
        set(),
    ),
    (
        "a birth date because a number came, without the number",
        facts(NEXT_BORN, cause="number_obtained", pupil={"id_number": ""}),
        {"cause_misfit"},
    ),
    (
        "a name beside the number that came",
        facts(
            {"new_name": "马晓明", "new_id_number": OTHER_BOY},
            cause="number_obtained",
            pupil={"id_number": ""},
        ),
        {"cause_misfit"},
    ),
    (
        "name and number at the first registration",
        facts(
            {"new_name": "马晓明", "new_id_number": OTHER_BOY},
            cause="first_registered",
            pupil={"id_number": ""},
        ),
        set(),
    ),
    (
        "a number because of another name",
        facts({"new_id_number": OTHER_BOY}, cause="renamed"),
        {"cause_misfit"},
    ),
    (
        "renamed does not explain every item",
        facts({"new_name": "马晓明", "new_id_number": OTHER_BOY}, cause="renamed"),
        {"cause_misfit"},
    ),
    ("name and number corrected together", facts({"new_name": "马晓明", "new_id_number": OTHER_BOY}), set()),
    (
        "a resident's number of a pupil with a passport",
        facts({"new_id_number": OTHER_BOY}, pupil={"id_type": "A"}),
        {"number_of_another_paper"},
    ),
    (
        "the request is of tomorrow",
        facts({**NAMED, "guardian_day": date(2026, 11, 21)}),
        {"guardian_day_wrong"},
    ),
    (
        "the request is older than the pupil",
        facts({**NAMED, "guardian_day": date(2010, 5, 5)}),
        {"guardian_day_wrong"},
    ),
    (
        "the request came after it was sent",
        facts(
            {**NAMED, "guardian_day": date(2026, 11, 20)}, with_school=False, submitted_on=date(2026, 11, 19)
        ),
        {"guardian_day_wrong"},
    ),
    (
        "the pupil asks at fifteen",
        facts({**NAMED, "guardian_relation": "01"}, pupil={"birth_date": "2010-11-21", "id_number": ""}),
        {"guardian_is_a_child"},
    ),
]


@pytest.mark.parametrize(("case", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_rules(case: Facts, expected: set[str]) -> None:
    assert stopped_by(case) == expected


def test_every_rule_can_stop() -> None:
    """A rule that no row of the table trips would be a rule that nobody has seen work."""
    seen = set().union(*(row[2] for row in TABLE))
    rest = {rule.id for rule in WORKFLOW.rules} - seen
    assert rest == {"cancellation_certificate_illegible", "identity_card_illegible", *NOT_ASKED_FOR}


NOT_ASKED_FOR = {"household_book_missing", "identity_card_missing"}  # by no shipped pack; a bureau may


def test_the_remaining_rules_stop_too() -> None:
    more = (*PAPERS, "cancellation_certificate", "identity_card")
    case = beiguan({"new_id_number": OTHER_BOY}, *more, verdict="refuse")
    assert {"cancellation_certificate_illegible", "identity_card_illegible"} <= stopped_by(case)
    rows = [
        {"field": "name", "cause": "*", "slot": slot.removesuffix("_missing"), "required": True}
        for slot in NOT_ASKED_FOR
    ]
    case = facts(papers=())
    values = case.policy.values | {"key_information_change.proofs": (rows, "household_proof")}
    assert stopped_by(replace(case, policy=replace(case.policy, values=values))) == NOT_ASKED_FOR


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
        ("ha-anyang-beiguan", ["name", "id_number", "birth_date", "sex"]),
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


def offered(picked: list[str], answered: str = "", **more: Any) -> set[str]:
    form = KeyInformationForm.from_raw({"fields": picked, "cause": answered}, facts({}, **more))
    return set(choices_of(form, "cause"))


HAS_A_NUMBER = {"household_corrected", "duplicate_cancelled", "entered_wrongly"}


@pytest.mark.parametrize(
    ("picked", "pupil", "causes"),
    [
        ([], {}, HAS_A_NUMBER | {"renamed"}),
        (["name"], {}, HAS_A_NUMBER | {"renamed"}),
        (["id_number"], {}, HAS_A_NUMBER),
        (["name", "birth_date"], {}, HAS_A_NUMBER),
        (["name"], {"id_number": ""}, HAS_A_NUMBER | {"renamed"}),
        (["id_number"], {"id_number": ""}, HAS_A_NUMBER | {"number_obtained", "first_registered"}),
        (["id_number", "sex"], {"id_number": ""}, HAS_A_NUMBER | {"number_obtained", "first_registered"}),
        (["name", "id_number"], {"id_number": ""}, HAS_A_NUMBER | {"first_registered"}),
    ],
)
def test_only_causes_that_fit_are_offered(picked: list[str], pupil: dict[str, str], causes: set[str]) -> None:
    assert offered(picked, pupil=pupil) == causes


def test_a_cause_that_no_longer_fits_stays_in_sight_until_another_is_chosen() -> None:
    assert "number_obtained" in offered(["name"], "number_obtained")
    assert "no-such-cause" not in offered(["name"], "no-such-cause")


def test_the_stop_stands_at_the_cause_with_the_clause_of_that_cause() -> None:
    (refusal,) = WORKFLOW.refusals(facts(cause="number_obtained"))
    assert refusal.field == "cause" and "该生学籍已登记身份证件号" in refusal.text
    assert refusal.article.cited == "中华人民共和国居民身份证法 第三条" and "先办结一件" in refusal.remedy
    (refusal,) = WORKFLOW.refusals(facts({"new_id_number": OTHER_BOY}, cause="renamed"))
    assert "不能说明身份证件号为什么变更" in refusal.text and "户口登记条例 第十八条" in refusal.article.cited


@pytest.mark.parametrize("pack", sorted(all_policies()))
def test_the_table_of_causes_knows_its_words(pack: str) -> None:
    rows = policy(pack).value("key_information_change.causes")
    for row in rows:
        assert {*row["fields"], *row["along"]} <= set(CHANGEABLE) and row["record"] in RECORDS
        assert policy(pack).article(row["article"]).text
    for key in policy(pack).value("key_information_change.key_fields"):  # nobody is left without a cause
        assert any(key in row["fields"] and row["record"] == "*" for row in rows)


@pytest.mark.parametrize(
    ("present", "answer", "becomes"),
    [
        ("", "old", "马小明"),
        ("", "keep", None),
        ("", "", None),
        ("马二", "keep", None),
        ("马二", "old", "马小明"),
        ("马二", "both", "马二、马小明"),
        ("马小明", "old", None),
    ],
)
def test_what_becomes_of_the_old_name(present: str, answer: str, becomes: str | None) -> None:
    case = facts({"new_name": "马晓明", "new_former_name": answer}, pupil={"former_name": present})
    assert WORKFLOW.changes(case).get("former_name") == becomes


def test_no_other_change_touches_the_former_name() -> None:
    case = facts({"new_id_number": OTHER_BOY, "new_former_name": "old"})
    assert WORKFLOW.changes(case) == {"id_number": OTHER_BOY}
    assert "new_former_name" not in WORKFLOW.asked(case) and "new_former_name" in WORKFLOW.asked(facts())


@pytest.mark.parametrize(
    ("cause", "present", "proposed", "choices"),
    [
        ("renamed", "", "old", ["old", "keep"]),
        ("entered_wrongly", "", "keep", ["old", "keep"]),
        ("household_corrected", "", "keep", ["old", "keep"]),
        ("renamed", "马二", "keep", ["keep", "both", "old"]),
        ("renamed", "马小明", "keep", ["keep"]),
        ("renamed", "马" * 78, "keep", ["keep", "old"]),
    ],
)
def test_what_is_proposed_for_the_former_name(
    cause: str, present: str, proposed: str, choices: list[str]
) -> None:
    """A proposal counts only once it has been sent, and never replaces what stands there."""
    raw = {"fields": ["name"], "cause": cause, "new_name": "马晓明"}
    case = facts({}, pupil={"former_name": present})
    form = KeyInformationForm.from_raw(raw, case)
    assert form["new_former_name"].data == proposed and form.typed()["new_former_name"] == ""
    assert list(choices_of(form, "new_former_name")) == choices
    sent = KeyInformationForm.from_raw({**raw, "new_former_name": proposed}, case)
    assert sent.typed()["new_former_name"] == proposed
    forged = KeyInformationForm.from_raw({**raw, "new_former_name": "other"}, case)
    assert forged.errors_in({"new_former_name"}) == {"new_former_name": ["请从列出的选项中选择"]}


def guardian_errors(
    raw: dict[str, str], *, pack: str = "ha-anyang-beiguan", cause: str = "household_corrected", **more: Any
) -> dict[str, list[str]]:
    form = KeyInformationForm.from_raw(
        {"fields": ["name"], "cause": cause, **raw}, facts({}, pack=pack, **more)
    )
    return form.errors_in(FIELDS)


def test_who_asks_is_told_where_the_policy_says_so_and_never_in_parts() -> None:
    told = {"guardian_name": "马建国", "guardian_relation": "51", "guardian_day": "2026年11月16日"}
    assert set(guardian_errors({})) == set(FIELDS)
    assert guardian_errors(told) == {}
    assert guardian_errors({}, cause="entered_wrongly") == {}  # the school mends its own mistake unasked
    for pack in ("cn-2025", "gs-linxia-2022", "ha-2022"):
        assert guardian_errors({}, pack=pack) == {}
        assert guardian_errors({"guardian_name": "马建国"}, pack=pack) == {
            "guardian_relation": ["请选择申请人与学生的关系"],
            "guardian_day": ["请填写申请日期"],
        }
    assert guardian_errors({**told, "guardian_relation": "20"}) == {
        "guardian_relation": ["请从列出的选项中选择"]
    }
    assert "不能使用的字符" in guardian_errors({**told, "guardian_name": "马建国<b>"})["guardian_name"][0]


def test_a_case_that_has_left_the_school_is_not_asked_for_more() -> None:
    assert guardian_errors({}, with_school=False) == {}


def test_what_nobody_sees_is_left_out_of_what_was_typed() -> None:
    raw = {"fields": ["name"], "cause": "renamed", "explanation": "依法更名", "new_name": "马晓\u200b明 "}
    form = KeyInformationForm.from_raw(raw, facts())
    assert not form.errors_in({"new_name"})
    given = facts(form.typed() | FATHER | {"cause": "renamed"})
    assert new_values(given)["name"] == "马晓明"


@pytest.mark.parametrize("name", ["马 晓明", "·", "-", "李··四", "马4"])
def test_a_name_that_is_none_is_refused_at_its_field_with_a_remedy(name: str) -> None:
    raw = {"fields": ["name"], "cause": "renamed", "explanation": "依法更名", "new_name": name}
    (message,) = KeyInformationForm.from_raw(raw, facts()).errors_in({"new_name"})["new_name"]
    assert message.startswith("姓名") and "。" in message
