"""The engine: the full matrix of status x step x actor, what an act must carry, what it leaves behind."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from portal import audit
from portal.cases import actions, claims, clock
from portal.cases.access import Actor
from portal.cases.actions import Act, available, perform, stamp
from portal.cases.facts import read_facts
from portal.cases.refusing import Refused
from portal.cases.remarks import Reason
from portal.extensions import db
from portal.models import (
    AuditRecord,
    Case,
    CaseEvent,
    Decision,
    NationalEntry,
    Pupil,
    RegisterChange,
    Role,
    Status,
)
from tests.builders import NEW_NAME, Cast, a_case, a_file, a_pupil, a_reason, a_school, act, an_actor

pytestmark = pytest.mark.pages

OWNER = {"edit", "submit", "withdraw"}
DECIDER = {"approve", "return", "reject"}
MATRIX = {
    "draft": {"registrar": OWNER},
    "returned": {"registrar": OWNER},
    "county_review": {"registrar": {"withdraw"}, "reviewer": DECIDER, "reviewer2": DECIDER},
    "state_approval": {"registrar": {"withdraw"}, "approver": DECIDER},
    "approved": {},
    "rejected": {},
    "withdrawn": {},
}
PEOPLE = ("registrar", "head", "reviewer", "reviewer2", "approver", "auditor", "administrator")


@pytest.mark.parametrize("place", sorted(MATRIX))
def test_the_matrix(app: Flask, place: str) -> None:
    """Each person of the line, and a stranger in each role, against every place a case can stand in: what is not
    listed can be neither seen nor done."""
    cast, strangers = Cast(), Cast()
    case = a_case(cast, place)
    for name in PEOPLE:
        expected = MATRIX[place].get(name, set())
        assert available(case, getattr(cast, name)) == expected, name
        assert available(case, getattr(strangers, name)) == set(), f"stranger {name}"
        for verb in actions.ACTIONS.keys() - expected:
            _is_refused(case, getattr(cast, name), verb)
        for verb in actions.ACTIONS:
            _is_refused(case, getattr(strangers, name), verb)
    assert not db.session.dirty and not db.session.new, "a refused act leaves nothing to be written"


def _is_refused(case: Case, actor: Actor, verb: str) -> None:
    before = stamp(case), case.status, case.step
    with pytest.raises(Refused):
        perform(case, actor, verb, stamp(case), Act(note="理由充分", reasons=(a_reason(),)))
    assert (stamp(case), case.status, case.step) == before


@pytest.mark.both_pairs
def test_the_whole_journey_changes_the_register_once(app: Flask) -> None:
    cast = Cast()
    pupil, number = cast.pupil, cast.pupil.student_number
    before = pupil.name
    case = a_case(cast, "state_approval")
    assert pupil.name == before, "nothing changes before the last approval"
    act(case, cast.approver, "approve", note="同意")
    db.session.commit()
    assert (pupil.name, pupil.version, pupil.student_number) == ("马晓明", 1, number)
    changes = db.session.scalars(select(RegisterChange).where(RegisterChange.case_id == case.id)).all()
    assert [(c.column, c.before, c.after) for c in changes] == [("name", before, "马晓明")]
    decisions = db.session.scalars(select(Decision).where(Decision.case_id == case.id)).all()
    assert {d.step for d in decisions} == {"county_review", "state_approval"}
    assert all(len(d.seen) == 2 for d in decisions), "a decision names the files that it saw"
    assert db.session.get(NationalEntry, case.id) is not None
    assert case.holder_office_id is None and case.due_on is None
    assert audit.verify().fault == ""


def test_every_event_has_its_audit_record(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "approved")
    events = [
        e.verb
        for e in db.session.scalars(
            select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.seq)
        )
    ]
    recorded = [
        r.action.removeprefix("case.")
        for r in db.session.scalars(
            select(AuditRecord).where(AuditRecord.object_id == str(case.id)).order_by(AuditRecord.seq)
        )
    ]
    assert events == ["started", "submitted", "approved", "approved"]
    assert recorded == ["started", "edited", "submitted", "approved", "approved"]


@pytest.mark.both_pairs
def test_a_stale_page_is_refused_and_told(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    old = stamp(case)
    act(case, cast.reviewer, "approve")
    with pytest.raises(Refused) as refused:
        perform(case, cast.reviewer2, "approve", old)
    assert refused.value.conflict
    assert cast.reviewer.name in refused.value.message and "同意" in refused.value.message


@pytest.mark.both_pairs
def test_a_page_older_than_the_register_is_refused(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    seen = stamp(case)
    cast.pupil.version += 1
    db.session.flush()
    with pytest.raises(Refused, match="学籍登记刚有变动"):
        perform(case, cast.reviewer, "approve", seen)


def test_nobody_decides_twice_in_one_chain(app: Flask) -> None:
    """A person who moved from the county to the state between the two steps has already decided."""
    cast = Cast()
    case = a_case(cast, "state_approval")
    decision = db.session.scalars(select(Decision).where(Decision.case_id == case.id)).one()
    decision.actor_id = cast.approver.id
    db.session.flush()
    assert available(case, cast.approver) == set()
    with pytest.raises(Refused, match="已在本轮办理过"):
        act(case, cast.approver, "approve")


def test_nobody_decides_what_they_submitted(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    case.submitted_by_id = cast.reviewer.id
    db.session.flush()
    assert available(case, cast.reviewer) == set()
    with pytest.raises(Refused, match="自己发起或提交"):
        act(case, cast.reviewer, "approve")


def test_rules_are_asked_again_at_every_approval(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    cast.pupil.enrolment_status = "07"
    db.session.flush()
    with pytest.raises(Refused) as refused:
        act(case, cast.reviewer, "approve")
    assert [r.rule for r in refused.value.refusals] == ["not_enrolled"]


def test_a_return_needs_a_reason_tied_to_a_place(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    for reasons in (
        (),
        (Reason("image_unclear", "evidence", "nowhere"),),
        (Reason("no_such_code"),),
        (Reason("other"),),
    ):
        with pytest.raises(Refused):
            act(case, cast.reviewer, "return", reasons=reasons)
        db.session.rollback()
        cast = Cast()
        case = a_case(cast, "county_review")
    act(case, cast.reviewer, "return", reasons=(a_reason(),))
    assert case.status == Status.RETURNED and case.holder_office_id == cast.school.id
    with pytest.raises(Refused):
        act(case, cast.reviewer2, "return", reasons=(a_reason(),))


def test_a_returned_case_is_mended_exactly_there(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "returned")
    act(case, cast.registrar, "edit", answers={"explanation": "另一处文字的改动"})
    with pytest.raises(Refused, match="补正清单第 1 项"):
        act(case, cast.registrar, "submit")
    db.session.rollback()
    cast = Cast()
    case = a_case(cast, "returned")
    a_file(case, "change_certificate", cast.registrar)
    act(case, cast.registrar, "submit")
    assert (case.status, case.round, case.step) == (Status.IN_REVIEW, 2, "county_review")


def test_a_school_may_explain_instead(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "returned")
    remark = case.remarks[0] if case.remarks else None
    db.session.refresh(case)
    remark = remark or case.remarks[0]
    act(case, cast.registrar, "submit", explanations={str(remark.id): "原件已由派出所收回，无法重拍"})
    assert case.status == Status.IN_REVIEW and remark.explanation


def test_the_state_may_return_to_the_county(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "state_approval")
    assert [value for value, _ in actions.return_targets(case, read_facts(case))] == ["", "county_review"]
    act(case, cast.approver, "return", reasons=(a_reason(),), to="county_review")
    assert (case.status, case.step, case.round) == (Status.IN_REVIEW, "county_review", 2)
    assert available(case, cast.reviewer) == DECIDER, "a new round may be decided by the same person"
    act(case, cast.reviewer, "approve")
    act(case, cast.approver, "approve")
    assert case.status == Status.APPROVED


@pytest.mark.both_pairs
def test_a_claim_keeps_others_from_deciding(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    assert claims.claim(case, cast.reviewer)
    assert available(case, cast.reviewer2) == set()
    with pytest.raises(Refused, match="正在办理"):
        act(case, cast.reviewer2, "approve")


def test_a_state_run_school_skips_the_county(app: Flask) -> None:
    cast = Cast()
    school = a_school(cast.state)
    registrar = an_actor(Role.REGISTRAR, school)
    cast.school, cast.registrar, cast.pupil = school, registrar, a_pupil(school)
    case = a_case(cast, "county_review")
    assert (case.step, case.holder_office_id) == ("state_approval", cast.state.id)
    assert available(case, cast.reviewer) == set()


def test_the_clock_stands_while_returned(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    assert case.clock_limit == 10 and case.due_on is not None
    act(case, cast.reviewer, "return", reasons=(a_reason(),))
    due = clock.read_clock(case, clock.today(), clock.load_calendar(case.owner))
    assert case.due_on is None and due is not None and due.tone == "paused"


def test_a_total_clock_runs_on_between_offices(app: Flask) -> None:
    """临州教学管发〔2022〕5号 一（一） counts the whole process; the national measures count each office (第十五条)."""
    for pack, same in (("gs-linxia-2022", True), ("cn-2025", False)):
        cast = Cast(pack)
        case = a_case(cast, "county_review")
        assert case.clock_from is not None
        case.clock_from = date(2026, 11, 2)
        db.session.flush()
        act(case, cast.reviewer, "approve")
        assert (case.clock_from == date(2026, 11, 2)) is same


@pytest.mark.both_pairs
def test_a_second_case_on_the_same_pupil_is_stopped_at_the_start(app: Flask) -> None:
    cast = Cast()
    a_case(cast, "draft")
    with pytest.raises(Refused) as refused:
        a_case(cast, "draft")
    assert [r.rule for r in refused.value.refusals] == ["open_case"]


def test_another_schools_pupil_cannot_be_chosen(app: Flask) -> None:
    cast, stranger = Cast(), Cast()
    with pytest.raises(Refused):
        a_case(cast, "draft", pupil=stranger.pupil)


def test_a_draft_keeps_what_cannot_be_read_yet(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "draft")
    act(
        case,
        cast.registrar,
        "edit",
        answers={**NEW_NAME, "fields": ["birth_date"], "new_birth_date": "二〇一〇年"},
    )
    assert case.answers["new_birth_date"] == "二〇一〇年"
    assert any(r.field == "new_birth_date" for r in actions.refusals_now(case, read_facts(case)))


@pytest.mark.both_pairs
def test_numbers_are_never_given_twice(app: Flask) -> None:
    cast = Cast()
    numbers = [a_case(cast, "draft", pupil=a_pupil(cast.school)).number for _ in range(5)]
    assert len(set(numbers)) == 5 and numbers == sorted(numbers)


@pytest.mark.both_pairs
def test_the_last_approval_moves_the_search_keys_too(app: Flask) -> None:
    cast = Cast()
    a_case(cast, "approved")
    pupil = db.session.get(Pupil, cast.pupil.id)
    assert pupil is not None and pupil.initials == "mxm"
