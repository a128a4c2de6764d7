"""A roster through the chain: numbers, strikes, the register, and what of two at one moment is stopped."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from portal.cases import actions, register, roster
from portal.cases.facts import read_facts
from portal.cases.refusing import Refused
from portal.cases.rosters import editing
from portal.extensions import db
from portal.models import NumberRange, Pupil, RegisterChange, RosterRow, Status
from portal.workflows import workflow
from portal.workflows.facts import ANOTHER
from tests.builders import Cast, a_file, a_pupil, a_school, act, an_actor
from tests.cases.test_loads import apply, as_exported, check, undo
from tests.intakes import a_list, a_plan, a_roster, people, series

SEX = {"男": "1", "女": "2"}
pytestmark = [pytest.mark.usefixtures("app"), pytest.mark.pages]


@pytest.fixture
def cast(app: Flask) -> Cast:
    found = Cast()
    found.people = people(6)  # type: ignore[attr-defined]
    a_plan(found.state, found.approver, {found.school: 5})
    a_list(found.state, found.approver, {found.school: found.people})  # type: ignore[attr-defined]
    return found


def rows_of(case) -> list[RosterRow]:
    return list(
        db.session.scalars(
            db.select(RosterRow).where(RosterRow.case_id == case.id).order_by(RosterRow.position)
        )
    )


@pytest.mark.both_pairs
def test_from_the_school_to_the_register(cast: Cast) -> None:
    case = a_roster(cast.registrar, people(5))
    act(case, cast.registrar, "submit")
    facts = read_facts(case)
    assert facts.numbers and (facts.numbers.first, facts.numbers.last) == (
        f"{series()}00000001",
        f"{series()}00000005",
    )
    act(case, cast.reviewer, "approve")
    act(case, cast.approver, "approve")
    assert case.status == Status.APPROVED
    pupils = {row.pupil_id: row for row in rows_of(case)}
    entered = db.session.scalars(db.select(Pupil).where(Pupil.id.in_(pupils))).all()
    assert len(entered) == 5
    for pupil in entered:
        row = pupils[pupil.id]
        assert pupil.school_id == cast.school.id
        assert (pupil.stage, pupil.grade, pupil.enrolment_status) == ("高中", "高一", "01")
        assert pupil.class_name == row.values["class_name"] and pupil.name == row.values["name"]
        assert pupil.particulars["school_number"] == row.number
    assert sorted(row.number for row in pupils.values()) == [f"{series()}0000000{n}" for n in range(1, 6)]


def test_a_record_of_an_earlier_stage_goes_on(cast: Cast) -> None:
    texts = people(1)[0]
    junior = a_school(cast.county, ("初中",))
    earlier = a_pupil(junior, stage="初中", grade="初三", name=texts["name"], id_number=texts["id_number"])
    case = a_roster(cast.registrar, [texts])
    act(case, cast.registrar, "submit")
    act(case, cast.reviewer, "approve")
    act(case, cast.approver, "approve")
    db.session.refresh(earlier)
    assert earlier.school_id == cast.school.id and earlier.stage == "高中" and earlier.grade == "高一"
    (moved,) = db.session.scalars(
        db.select(RegisterChange).where(
            RegisterChange.case_id == case.id, RegisterChange.column == "school_code"
        )
    )
    assert (moved.before, moved.after, moved.pupil_id) == (junior.code, cast.school.code, earlier.id)
    assert rows_of(case)[0].pupil_id == earlier.id


def test_a_struck_row_stays_out_and_the_numbers_close_up(cast: Cast) -> None:
    case = a_roster(cast.registrar, people(4))
    act(case, cast.registrar, "submit")
    db.session.commit()
    struck = rows_of(case)[1]
    with pytest.raises(Refused, match="须写明理由"):
        act(case, cast.reviewer, "strike", rows=(str(struck.id),), note="无")
    db.session.rollback()
    act(case, cast.reviewer, "strike", rows=(str(struck.id),), note="录取信息待核")
    act(case, cast.reviewer, "approve")
    act(case, cast.approver, "approve")
    numbers = [row.number for row in rows_of(case)]
    assert numbers == [f"{series()}00000001", None, f"{series()}00000002", f"{series()}00000003"]
    assert (
        db.session.query(Pupil)
        .filter(Pupil.school_id == cast.school.id, Pupil.grade == "高一", Pupil.name == struck.values["name"])
        .count()
        == 0
    )
    (event,) = [one for one in case.events if one.verb == "struck"]
    assert "第 2 行" in event.note and "录取信息待核" in event.note


def test_a_strike_can_be_put_back_by_the_same_step_only(cast: Cast) -> None:
    case = a_roster(cast.registrar, people(3))
    act(case, cast.registrar, "submit")
    row = str(rows_of(case)[0].id)
    act(case, cast.reviewer, "strike", rows=(row,), note="录取信息待核")
    act(case, cast.reviewer, "put_back", rows=(row,))
    assert all(one.standing for one in read_facts(case).roster)
    act(case, cast.reviewer, "strike", rows=(row,), note="录取信息待核")
    act(case, cast.reviewer, "approve")
    with pytest.raises(Refused, match="本环节"):
        act(case, cast.approver, "put_back", rows=(row,))


def test_when_all_are_struck_nothing_is_left_to_approve(cast: Cast) -> None:
    case = a_roster(cast.registrar, people(2))
    act(case, cast.registrar, "submit")
    act(case, cast.reviewer, "strike", rows=tuple(str(row.id) for row in rows_of(case)), note="均未报到")
    with pytest.raises(Refused) as refused:
        act(case, cast.reviewer, "approve")
    assert [one.rule for one in refused.value.refusals] == ["empty_roster"]


@pytest.mark.both_pairs
def test_what_was_struck_comes_back_only_while_its_number_is_free(cast: Cast) -> None:
    case = a_roster(cast.registrar, people(4))
    act(case, cast.registrar, "submit")
    struck = [str(row.id) for row in rows_of(case)[:2]]
    act(case, cast.reviewer, "strike", rows=tuple(struck), note="录取信息待核")
    act(case, cast.reviewer, "return", reasons=(_reason(),))
    gone = rows_of(case)[3]
    editing.remove_rows(case, cast.registrar, actions.stamp(case), [gone.id])
    act(case, cast.registrar, "submit")
    assert read_facts(case).numbers.size == 1  # type: ignore[union-attr]
    with pytest.raises(Refused, match="学号只有 1 个"):
        act(case, cast.reviewer, "put_back", rows=tuple(struck))


@pytest.mark.both_pairs
def test_a_load_that_shows_the_former_school_takes_nothing_back(cast: Cast) -> None:
    texts = people(1)[0]
    junior = a_school(cast.county, ("初中",))
    earlier = a_pupil(
        junior, stage="初中", grade="初三", name=texts["name"], id_number=texts["id_number"], sex=SEX[texts["sex"]],
        birth_date=date.fromisoformat(texts["birth_date"]),
    )  # fmt: skip
    old = as_exported(earlier)
    case = a_roster(cast.registrar, [texts])
    for who, verb in ((cast.registrar, "submit"), (cast.reviewer, "approve"), (cast.approver, "approve")):
        act(case, who, verb)
    db.session.commit()
    load = apply(check(cast.reviewer, [old]), cast.reviewer)
    db.session.refresh(earlier)
    assert load.status == "applied" and earlier.school_id == cast.school.id and earlier.stage == "高中"
    assert rows_of(case)[0].landed_load_id is None
    load = apply(check(cast.reviewer, [as_exported(earlier)]), cast.reviewer)
    db.session.expire_all()
    assert rows_of(case)[0].landed_load_id == load.id
    undo(load, cast.reviewer)
    db.session.expire_all()
    assert rows_of(case)[0].landed_load_id is None


def test_a_school_learns_nothing_of_other_schools_people(cast: Cast) -> None:
    other = a_school(cast.county)
    theirs = a_pupil(other, name="马别校", id_number=people(1, 40)[0]["id_number"])
    a_plan(cast.state, cast.approver, {cast.school: 5, other: 5})
    a_list(cast.state, cast.approver, {cast.school: people(6), other: people(2, 30)})
    probe = people(1)[0]
    case = a_roster(
        cast.registrar,
        [
            probe | {"exam_number": people(1, 30)[0]["exam_number"]},
            people(1, 2)[0] | {"id_number": theirs.id_number},
        ],
    )
    rows = read_facts(case).roster
    assert rows[0].admitted is None and rows[1].elsewhere == ANOTHER
    told = " ".join(one.text for one in editing.roster_of(case).findings(read_facts(case)))
    assert other.name not in told and "本校的录取名单上没有这个准考证号" in told
    assert people(1, 30)[0]["name"] not in told and people(1, 30)[0]["id_number"] not in told


def test_an_ended_record_stops_the_row_with_or_without_a_number(cast: Cast) -> None:
    one, two = people(2)
    for texts in (one, two):
        a_pupil(
            cast.school, name=texts["name"], id_number=texts["id_number"], enrolment_status="03",
            birth_date=date.fromisoformat(texts["birth_date"]),
        )  # fmt: skip
    case = a_roster(cast.registrar, [one, two | {"id_number": ""}])
    told = [row.elsewhere for row in read_facts(case).roster]
    assert all("一律不得复学" in text for text in told)


def test_who_was_withdrawn_after_the_check_does_not_enter(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = people(1)[0]
    case = a_roster(cast.registrar, [texts])
    act(case, cast.registrar, "submit")
    act(case, cast.reviewer, "approve")
    db.session.commit()
    checked = read_facts(case)
    a_pupil(cast.school, id_number=texts["id_number"], enrolment_status="03")
    monkeypatch.setattr(actions, "read_facts", lambda *_about: checked)  # as if it were withdrawn just now
    with pytest.raises(Refused, match="登记刚有变动"):
        act(case, cast.approver, "approve")
    db.session.expire_all()
    assert case.status == Status.IN_REVIEW


def test_what_a_row_leaves_empty_takes_nothing_away(cast: Cast) -> None:
    texts = people(1)[0]
    junior = a_school(cast.county, ("初中",))
    earlier = a_pupil(
        junior, stage="初中", class_name="9班", name=texts["name"], id_number=texts["id_number"]
    )
    case = a_roster(cast.registrar, [texts | {"class_name": ""}])
    for who, verb in ((cast.registrar, "submit"), (cast.reviewer, "approve"), (cast.approver, "approve")):
        act(case, who, verb)
    db.session.refresh(earlier)
    assert earlier.class_name == "9班" and earlier.grade == "高一"


def test_a_class_name_that_the_register_cannot_hold_is_a_fault_of_its_cell(cast: Cast) -> None:
    case = a_roster(cast.registrar, [people(1)[0] | {"class_name": "班" * 41}])
    assert "class_name" in read_facts(case).roster[0].faults


def test_a_struck_row_comes_back_mended_or_when_the_school_says_that_it_is_right(cast: Cast) -> None:
    case = a_roster(cast.registrar, people(2))
    act(case, cast.registrar, "submit")
    struck = rows_of(case)[0]
    act(case, cast.reviewer, "strike", rows=(str(struck.id),), note="录取信息待核")
    act(case, cast.reviewer, "return", reasons=(_reason(),))
    db.session.commit()
    texts = dict(struck.values)
    with pytest.raises(Refused, match="还没有改动"):
        editing.change_row(case, cast.registrar, actions.stamp(case), struck.id, texts)
    db.session.rollback()
    editing.change_row(case, cast.registrar, actions.stamp(case), struck.id, texts, unchanged=True)
    assert all(row.standing for row in read_facts(case).roster)


@pytest.mark.both_pairs
def test_who_entered_is_found_by_the_new_number(cast: Cast) -> None:
    case = a_roster(cast.registrar, people(2))
    for who, verb in ((cast.registrar, "submit"), (cast.reviewer, "approve"), (cast.approver, "approve")):
        act(case, who, verb)
    row = rows_of(case)[0]
    assert row.pupil_id
    register.note_later(case, "secondary_number", {row.pupil_id: "GS2026000001"})
    for text in (row.number, "GS2026000001"):
        assert [one.id for one in roster.search(cast.registrar, text).pupils] == [row.pupil_id]


@pytest.mark.both_pairs
def test_the_plan_holds_over_several_rosters(cast: Cast) -> None:
    first = a_roster(cast.registrar, people(3))
    act(first, cast.registrar, "submit")
    second = a_roster(cast.registrar, people(3, 4))
    with pytest.raises(Refused) as refused:
        act(second, cast.registrar, "submit")
    assert "over_plan" in {one.rule for one in refused.value.refusals}


@pytest.mark.both_pairs
def test_who_stands_on_another_roster_is_found(cast: Cast) -> None:
    first = a_roster(cast.registrar, people(2))
    act(first, cast.registrar, "submit")
    second = a_roster(cast.registrar, people(2, 2))
    told = [row.elsewhere for row in read_facts(second).roster]
    assert first.number in told[0] and told[1] == ""


def test_a_mended_roster_keeps_its_first_number_when_it_became_shorter(cast: Cast) -> None:
    case = a_roster(cast.registrar, people(4))
    act(case, cast.registrar, "submit")
    act(case, cast.reviewer, "return", reasons=(_reason(),))
    with pytest.raises(Refused, match="还没有改动"):
        act(case, cast.registrar, "submit")
    gone = rows_of(case)[0]
    editing.remove_rows(case, cast.registrar, actions.stamp(case), [gone.id])
    act(case, cast.registrar, "submit")
    held = db.session.get_one(NumberRange, case.id)
    assert (held.first, held.last) == (1, 3)


@pytest.mark.both_pairs
def test_a_longer_one_gets_numbers_that_nobody_had(cast: Cast) -> None:
    case = a_roster(cast.registrar, people(2))
    act(case, cast.registrar, "submit")
    act(case, cast.reviewer, "return", reasons=(_reason(),))
    editing.add_rows(case, cast.registrar, actions.stamp(case), people(1, 3))
    act(case, cast.registrar, "edit", answers={"actual": "3"})
    act(case, cast.registrar, "submit")
    held = db.session.get_one(NumberRange, case.id)
    assert (held.first, held.last) == (3, 5)


def test_nobody_strikes_from_a_case_about_one_pupil_or_out_of_turn(cast: Cast) -> None:
    case = a_roster(cast.registrar, people(2))
    act(case, cast.registrar, "submit")
    assert "strike" in actions.available(case, cast.reviewer)
    assert "strike" not in actions.available(case, cast.approver)
    assert "strike" not in actions.available(case, cast.registrar)


def test_a_letter_settles_a_difference(cast: Cast) -> None:
    wrong = people(1)[0] | {"name": "马春春"}
    case = a_roster(cast.registrar, [wrong])
    with pytest.raises(Refused) as refused:
        act(case, cast.registrar, "submit")
    assert {one.rule for one in refused.value.refusals} == {"rows", "correction_letter_missing"}
    a_file(case, f"correction_letter-{wrong['exam_number']}", cast.registrar)
    act(case, cast.registrar, "submit")


def test_texts_that_cannot_be_read_are_kept_as_typed(cast: Cast) -> None:
    case = a_roster(cast.registrar, [people(1)[0] | {"birth_date": "二〇一一年", "sex": "男生"}])
    (row,) = read_facts(case).roster
    assert row["birth_date"] == "二〇一一年" and row["sex"] == "男生"
    assert set(row.faults) == {"birth_date", "sex"}


@pytest.mark.both_pairs
def test_people_of_the_admitted_list_are_put_on_by_a_press(cast: Cast) -> None:
    case = a_roster(cast.registrar, [])
    assert editing.add_admitted(case, cast.registrar, actions.stamp(case)) == 6
    assert editing.not_on(case) == []
    facts = read_facts(case)
    assert not [one for one in workflow(case.workflow).roster.findings(facts) if one.level == "stop"]  # type: ignore[union-attr]


def test_a_state_run_school_needs_the_state_alone(cast: Cast) -> None:
    own = a_school(cast.state)
    registrar = an_actor(cast.registrar.role, own)
    a_plan(cast.state, cast.approver, {own: 9})
    a_list(cast.state, cast.approver, {own: people(2, 50)})
    case = a_roster(registrar, people(2, 50))
    act(case, registrar, "submit")
    assert case.step == "state_approval"
    act(case, cast.approver, "approve")
    assert case.status == Status.APPROVED


def _reason():
    from portal.cases.remarks import Reason

    return Reason("typing_error", "roster", "", "名单请再核对")
