"""An effect that cannot be taken back: its typed word, what it does to the register, and that no route undoes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal import tasks
from portal.cases import actions, register, roster, starting
from portal.cases.endings import endings_of
from portal.cases.facts import read_facts
from portal.cases.refusing import Refused
from portal.cases.remarks import Reason
from portal.extensions import db
from portal.models import EvidenceFile, NationalEntry, Pupil, RegisterChange, RegisterLoadRow, Status
from portal.models.types import utcnow
from portal.workflows import workflow
from tests import invariants
from tests.builders import Cast, a_case, a_pupil, act
from tests.cases.test_loads import apply, as_exported, check, findings
from tests.withdrawals import ENDS, REVERSES, a_reversal, a_withdrawal
from tests.workflows import returning
from tests.workflows.added import added

pytestmark = pytest.mark.pages


@pytest.fixture
def cast(app: Flask) -> Cast:
    return Cast()


# --- the typed word -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["", "  ", "马", "王五", "同意"])
def test_nothing_is_submitted_or_granted_without_the_pupils_name(cast: Cast, word: str) -> None:
    case = a_withdrawal(cast, "ready")
    for verb, who, place in (("submit", cast.registrar, ""), ("approve", cast.approver, "state_approval")):
        if place:
            act(case, cast.registrar, "submit", confirmation=cast.pupil.name)
            act(case, cast.reviewer, "approve")  # not the last: no word is asked
            assert case.step == place
        before = (case.status, case.version)
        with pytest.raises(Refused) as refused:
            act(case, who, verb, note="已核对", confirmation=word)
        assert refused.value.field == actions.CONFIRMATION and "学生姓名" in refused.value.message
        assert (case.status, case.version) == before and not refused.value.conflict
    assert cast.pupil.enrolment_status == "01"


def test_the_name_is_compared_as_people_see_it(cast: Cast) -> None:
    pupil = a_pupil(cast.school, name="买买提·阿不都")
    case = a_withdrawal(cast, "ready", pupil)
    act(case, cast.registrar, "submit", confirmation=" 买买提•阿不都 ")
    assert case.status == Status.IN_REVIEW


def test_a_return_asks_for_the_word_again(cast: Cast) -> None:
    case = a_withdrawal(cast, "county_review")
    act(case, cast.reviewer, "return", reasons=(Reason("typing_error", "field", "explanation", "写清时间"),))
    act(
        case,
        cast.registrar,
        "edit",
        answers={"explanation": "学生十一月三日提出退学，学校三次家访未能挽回。"},
    )
    with pytest.raises(Refused):
        act(case, cast.registrar, "submit")
    act(case, cast.registrar, "submit", confirmation=cast.pupil.name)


# --- what it does ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dismissed", "status", "change"), [(False, "03", "31"), (True, "14", "42")])
def test_the_record_ends_and_the_pupil_leaves_the_class(
    cast: Cast, dismissed: bool, status: str, change: str
) -> None:
    (before,) = roster.classes(cast.registrar, cast.school.id)
    a_withdrawal(cast, dismissed=dismissed)
    db.session.flush()
    assert cast.pupil.enrolment_status == status and cast.pupil.particulars["change_type"] == change
    (after,) = roster.classes(cast.registrar, cast.school.id)
    assert after.pupils == before.pupils - 1
    listed = roster.in_class(cast.registrar, cast.school.id, "高一", "1班").pupils
    assert cast.pupil not in listed and len(listed) == after.pupils
    assert cast.pupil in roster.search(cast.registrar, cast.pupil.name).pupils
    history = select(RegisterChange.column, RegisterChange.after).where(
        RegisterChange.pupil_id == cast.pupil.id
    )
    assert {"enrolment_status": status, "change_type": change}.items() <= dict(
        db.session.execute(history).all()
    ).items()  # type: ignore[arg-type]
    db.session.commit()
    assert invariants.cheap() == []


@pytest.mark.both_pairs
def test_the_papers_are_archived_with_the_decision(cast: Cast) -> None:
    case = a_withdrawal(cast)
    db.session.commit()
    tasks.wait()
    files = db.session.scalars(select(EvidenceFile).where(EvidenceFile.case_id == case.id)).all()
    assert len(files) == 3 and {file.stored and file.stored.lock_mode for file in files} == {"COMPLIANCE"}


def test_on_leave_is_still_in_class(cast: Cast) -> None:
    a_pupil(cast.school, enrolment_status="02")
    a_pupil(cast.school, enrolment_status="07")
    (only,) = roster.classes(cast.registrar, cast.school.id)
    assert only.pupils == 3


# --- no way back ----------------------------------------------------------------------------------------------------


@pytest.fixture
def returning_cast(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    with added(returning.WORKFLOW, returning.POLICY, returning.PACK, tmp_path, monkeypatch):
        yield Cast(returning.POLICY)


def test_no_procedure_brings_the_pupil_back(returning_cast: Cast) -> None:
    """One that knows nothing of withdrawals cannot be started, and one begun before is stopped when it is decided."""
    cast, law = returning_cast, returning.WORKFLOW
    begun = a_case(cast, "ready", pupil=cast.pupil)
    ended = a_withdrawal(cast)
    for other in (law, workflow(ENDS)):
        with pytest.raises(Refused) as refused:
            starting.start(cast.registrar, other, cast.pupil)
        (stop,) = [one for one in refused.value.refusals if one.rule == "record_ended"]
        assert ended.number in stop.text and stop.article.cited == "临州教学管发〔2022〕5号 三（二）3"
    with pytest.raises(Refused) as stopped:
        act(begun, cast.registrar, "submit")
    assert [one.rule for one in stopped.value.refusals] == ["not_enrolled"]


def test_a_case_begun_before_is_stopped_too(returning_cast: Cast) -> None:
    cast = returning_cast
    early = starting.start(cast.registrar, returning.WORKFLOW, cast.pupil)
    act(early, cast.registrar, "edit", answers={"explanation": "病愈回校"})
    with pytest.raises(Refused):  # one change of the status at a time
        starting.start(cast.registrar, workflow(ENDS), cast.pupil)
    act(early, cast.registrar, "withdraw")
    ended = a_withdrawal(cast)
    late = starting.start(cast.registrar, returning.WORKFLOW, a_pupil(cast.school))
    late.pupil_id = cast.pupil.id  # as no request could make it
    db.session.flush()
    db.session.expire(late)
    act(late, cast.registrar, "edit", answers={"explanation": "病愈回校"})
    with pytest.raises(Refused) as refused:
        act(late, cast.registrar, "submit")
    assert ended.number in refused.value.refusals[0].text


@pytest.mark.both_pairs
def test_the_register_itself_refuses(returning_cast: Cast) -> None:
    """Beneath the rule: also for a record that ended before it came here, and for a reversal of nothing."""
    cast = returning_cast
    case = a_case(cast, "ready")
    ended = a_pupil(cast.school, enrolment_status="14")
    a_withdrawal(cast)
    for pupil in (cast.pupil, ended):
        case.pupil_id = pupil.id
        db.session.flush()
        db.session.expire(case)
        with pytest.raises(ValueError, match="may not open the ended record"):
            register.apply(case, returning.WORKFLOW, {"enrolment_status": "01"})
    with pytest.raises(ValueError, match="nothing to reverse"):
        register.apply(case, workflow(REVERSES), {"enrolment_status": "01"})
    db.session.refresh(ended)
    assert ended.enrolment_status == "14"


# --- taken back -----------------------------------------------------------------------------------------------------


def test_a_wrong_approval_is_taken_back_by_a_case_of_its_own(cast: Cast) -> None:
    pupil = a_pupil(cast.school, enrolment_status="02")
    ended = a_withdrawal(cast, pupil=pupil)
    with pytest.raises(Refused):
        starting.start(cast.registrar, workflow(REVERSES), cast.pupil)
    back = a_reversal(cast, ended)
    assert (pupil.enrolment_status, pupil.particulars["change_type"]) == ("02", "17")
    (one,) = endings_of(pupil.id)
    assert one.number == ended.number and not one.stands
    assert read_facts(back).answer("decision") == ended.number
    rows = select(RegisterChange.case_id).where(RegisterChange.pupil_id == pupil.id)
    assert set(db.session.scalars(rows)) == {ended.id, back.id}
    with pytest.raises(Refused):
        starting.start(cast.registrar, workflow(REVERSES), pupil)
    again = a_withdrawal(cast, pupil=pupil)
    assert [one.number for one in endings_of(pupil.id) if one.stands] == [again.number]
    db.session.commit()
    assert invariants.cheap() == []


# --- loads ----------------------------------------------------------------------------------------------------------


def landed(case: Any) -> None:
    db.session.execute(
        update(NationalEntry).where(NationalEntry.case_id == case.id).values(confirmed_at=utcnow())
    )


@pytest.mark.parametrize("confirmed", [False, True], ids=["not landed", "landed"])
@pytest.mark.parametrize("shown", ["在读", "复学", "休学", ""])
def test_a_load_never_opens_an_ended_record(cast: Cast, shown: str, confirmed: bool) -> None:
    ended = a_withdrawal(cast)
    if confirmed:
        landed(ended)
    load = check(cast.registrar, [as_exported(cast.pupil, enrolment_status=shown, class_name="5班")])
    (held,) = findings(load, "held")
    (fault,) = held.faults
    assert ended.number in fault["reason"] and "不得恢复学籍" in fault["reason"]
    apply(load, cast.registrar)
    pupil = db.session.get_one(Pupil, cast.pupil.id)
    assert (pupil.enrolment_status, pupil.class_name) == ("03", "5班")
    assert pupil not in roster.in_class(cast.registrar, cast.school.id, "高一", "5班").pupils


@pytest.mark.both_pairs
def test_the_same_person_under_another_number_is_not_taken_in(cast: Cast) -> None:
    ended = a_withdrawal(cast)
    row = as_exported(cast.pupil, student_number="L622999201005069999", enrolment_status="在读")
    load = check(cast.registrar, [row])
    (faulty,) = findings(load, "faulty")
    assert ended.number in faulty.faults[-1]["reason"]
    assert not findings(load, "added") and not findings(load, "changed")


@pytest.mark.both_pairs
def test_an_ending_lands_when_the_export_shows_the_status(cast: Cast) -> None:
    """What no export carries (the kind and reason of the change) is not waited for."""
    ended = a_withdrawal(cast)
    load = check(cast.reviewer, [as_exported(cast.pupil, enrolment_status="退学")])
    assert findings(load, "landed") and not findings(load, "held")
    apply(load, cast.reviewer)
    assert db.session.get_one(NationalEntry, ended.id).confirmed_at is not None
    pupil = db.session.get_one(Pupil, cast.pupil.id)
    assert pupil.particulars["change_type"] == "31"


@pytest.mark.both_pairs
def test_after_the_reversal_loads_are_free_again(cast: Cast) -> None:
    ended = a_withdrawal(cast)
    landed(ended)
    landed(a_reversal(cast, ended))
    load = check(cast.registrar, [as_exported(cast.pupil, enrolment_status="休学")])
    assert not findings(load, "held") and findings(load, "changed")
    faults = [row.faults for row in db.session.scalars(select(RegisterLoadRow)) if row.faults]
    assert faults == []


@pytest.mark.both_pairs
def test_a_load_checked_before_the_decision_is_not_applied_after_it(cast: Cast) -> None:
    case = a_withdrawal(cast, "state_approval")
    load = check(cast.registrar, [as_exported(cast.pupil, enrolment_status="复学")])
    act(case, cast.approver, "approve", confirmation=cast.pupil.name)
    apply(load, cast.registrar)
    assert load.status == "checked" and "预览已经过时" in load.message
    assert db.session.get_one(Pupil, cast.pupil.id).enrolment_status == "03"
