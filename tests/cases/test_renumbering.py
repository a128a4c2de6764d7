"""Numbers of pupils: whose row an export's row is, L that becomes G, and every number that somebody had."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.cases import pupil_numbers, roster
from portal.cases.loads import proposals, renumbering
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import NationalEntry, Pupil, PupilNumber, RegisterLoad
from tests.builders import Cast, a_case, a_pupil, a_school, an_id_number
from tests.cases.test_loads import apply, as_exported, check, findings, settle, undo

BORN = date(2010, 5, 6)


@pytest.fixture
def cast(app: Flask) -> Cast:
    return Cast()


def formal(pupil: Pupil) -> str:
    """The G number that the ministry makes of a pupil's identity number."""
    return f"G{pupil.id_number}"


def numbers_of(pupil: Pupil) -> list[tuple[str, str, bool]]:
    """(kind, number, whether it holds), oldest first."""
    rows = db.session.scalars(
        select(PupilNumber).where(PupilNumber.pupil_id == pupil.id).order_by(PupilNumber.id)
    )
    return [(one.kind, one.number, one.until is None) for one in rows]


def pupils() -> int:
    return db.session.scalar(select(func.count()).select_from(Pupil)) or 0


def confirm_all(load: RegisterLoad) -> RegisterLoad:
    renumbering.confirm_agreeing(load)
    return settle(load)


@pytest.mark.both_pairs
def test_a_cohort_becomes_formal_with_one_confirmation_and_the_doubtful_are_left(cast: Cast) -> None:
    """A thousand of one school; twins who share an identity number in the register, and two whose particulars differ."""
    cohort = [
        a_pupil(cast.school, name=f"马明{chr(0x4E00 + n)}", id_number=an_id_number(date(2008 + n // 499, 1, 1), serial=n % 499))
        for n in range(996)
    ]  # fmt: skip
    for n, one in enumerate(cohort):
        one.birth_date = date(2008 + n // 499, 1, 1)
    shared = an_id_number(date(2009, 3, 3))
    twins = [
        a_pupil(cast.school, name=f"张{x}", birth_date=date(2009, 3, 3), id_number=shared) for x in "文武"
    ]
    renamed, reborn = (a_pupil(cast.school) for _ in "ab")
    rows = [as_exported(one, student_number=formal(one)) for one in cohort]
    rows += [
        as_exported(twins[0], student_number=f"G{shared}"),
        as_exported(
            twins[1],
            student_number=f"G{(other := an_id_number(date(2009, 3, 3)))}",
            id_number=other,
        ),
        as_exported(renamed, student_number=formal(renamed), name="马改名"),
        as_exported(reborn, student_number=formal(reborn), birth_date="2010-05-07"),
    ]
    db.session.commit()
    before = pupils()
    load = check(cast.reviewer, rows, complete=True)
    assert load.counts["renumber"] == 1000 and not load.counts.get("added"), load.counts
    asked = {row.pupil_id for row in findings(load, "renumber")} | {one.id for one in twins}
    gone = {row.pupil_id for row in findings(load, "missing")}
    assert cast.pupil.id in gone and not gone & asked
    confirm_all(load)
    assert load.counts["renumber"] == 4 and load.counts["changed"] == 996
    apply(load, cast.reviewer)
    db.session.expire_all()
    assert load.status == "applied" and pupils() == before
    assert all(db.session.get_one(Pupil, one.id).student_number == formal(one) for one in cohort)
    left = [*twins, renamed, reborn]
    assert all((db.session.get_one(Pupil, one.id).student_number or "")[0] == "L" for one in left)
    old = numbers_of(cohort[0])[0][1]
    assert numbers_of(cohort[0]) == [("temporary", old, False), ("national", formal(cohort[0]), True)]
    assert roster.search(cast.registrar, old).pupils == [db.session.get_one(Pupil, cohort[0].id)]
    undo(load, cast.reviewer)
    assert load.status == "undone", load.message
    assert numbers_of(cohort[0]) == [("temporary", old, True)]


@pytest.mark.pages
def test_a_doubtful_row_is_said_to_be_the_same_or_somebody_new(cast: Cast) -> None:
    renamed, other = a_pupil(cast.school), a_pupil(cast.school)
    rows = [
        as_exported(renamed, student_number=formal(renamed), name="马改名"),
        as_exported(other, student_number=formal(other), name="马另人"),
    ]
    load = check(cast.reviewer, rows)
    first, second = findings(load, "renumber")
    answered = second.id
    assert not first.agrees and renamed.name in first.faults[0]["reason"]
    renumbering.confirm(load, first.id, renamed.id)
    renumbering.confirm(load, answered, None)
    settle(load)
    assert load.counts["changed"] == 1 and load.counts["added"] == 1 and "renumber" not in load.counts
    with pytest.raises(Refused):
        renumbering.confirm(load, answered, other.id)
    db.session.rollback()
    apply(load, cast.reviewer)
    db.session.expire_all()
    assert db.session.get_one(Pupil, renamed.id).student_number == formal(renamed)
    assert db.session.get_one(Pupil, renamed.id).name == "马改名"
    assert (db.session.get_one(Pupil, other.id).student_number or "")[0] == "L"


def test_of_two_candidates_one_is_chosen_and_serves_once(cast: Cast) -> None:
    same = {"name": "马双", "birth_date": BORN, "id_number": "", "id_type": ""}
    one, two = a_pupil(cast.school, **same), a_pupil(cast.school, **same)
    identity, another = an_id_number(BORN), an_id_number(BORN)
    rows = [
        as_exported(one, student_number=f"G{number}", id_number=number, id_type="1")
        for number in (identity, another)
    ]
    load = check(cast.reviewer, rows)
    first, second = findings(load, "renumber")
    assert {*first.asked["pupils"]} == {one.id.hex, two.id.hex} and not first.agrees
    renumbering.confirm(load, first.id, two.id)
    settle(load)
    with pytest.raises(Refused, match="已对应"):
        renumbering.confirm(load, second.id, two.id)
    db.session.rollback()
    renumbering.confirm(load, second.id, one.id)
    apply(settle(load), cast.reviewer)
    db.session.expire_all()
    assert db.session.get_one(Pupil, two.id).student_number == f"G{identity}"
    assert db.session.get_one(Pupil, one.id).student_number == f"G{another}"


@pytest.mark.both_pairs
def test_who_entered_without_any_number_is_not_added_again(cast: Cast) -> None:
    """By school, name and birth date, where one only is without a number; of two namesakes a person says which."""
    entered = {"student_number": None, "id_number": "", "id_type": "", "birth_date": BORN}
    alone = a_pupil(cast.school, name="马独", particulars={"school_number": "261300000001"}, **entered)
    doubles = [a_pupil(cast.school, name="马双", **entered) for _ in "ab"]
    a_pupil(a_school(cast.county), name="马独", **entered)
    identity, other = an_id_number(BORN), an_id_number(BORN)
    rows = [
        as_exported(alone, student_number=f"G{identity}", id_number=identity, id_type="1"),
        as_exported(doubles[0], student_number=f"G{other}", id_number=other, id_type="1"),
    ]
    load = check(cast.reviewer, rows)
    assert [row.pupil_id for row in findings(load, "changed")] == [alone.id]
    assert {*findings(load, "renumber")[0].asked["pupils"]} == {one.id.hex for one in doubles}
    assert not load.counts.get("added")
    apply(load, cast.reviewer)
    db.session.refresh(alone)
    assert (alone.student_number, alone.id_number) == (f"G{identity}", identity)
    assert numbers_of(alone) == [("school", "261300000001", True), ("national", f"G{identity}", True)]
    assert roster.search(cast.registrar, "261300000001").pupils == [alone]


def test_an_export_that_still_shows_the_old_number_takes_nothing_back(cast: Cast) -> None:
    pupil, old = cast.pupil, str(cast.pupil.student_number)
    apply(
        confirm_all(check(cast.reviewer, [as_exported(pupil, student_number=formal(pupil))])), cast.reviewer
    )
    load = check(cast.reviewer, [as_exported(pupil, student_number=old, class_name="9班")], complete=True)
    (held,) = findings(load, "held")
    assert held.after == {"student_number": old} and "以前的学籍号" in held.faults[0]["reason"]
    assert pupil.id not in {row.pupil_id for row in findings(load, "missing")}
    apply(load, cast.reviewer)
    db.session.refresh(pupil)
    assert (pupil.student_number, pupil.class_name) == (formal(pupil), "9班")


def test_a_schools_confirmation_waits_for_the_county(cast: Cast) -> None:
    pupil, old = cast.pupil, cast.pupil.student_number
    load = confirm_all(check(cast.registrar, [as_exported(pupil, student_number=formal(pupil))]))
    (waiting,) = findings(load, "waiting")
    assert waiting.after == {"student_number": formal(pupil)} and waiting.waits_as == "changed"
    apply(load, cast.registrar)
    db.session.refresh(pupil)
    assert pupil.student_number == old
    item = proposals.of_load(load)
    assert item is not None
    proposals.accept(item, cast.reviewer, item.version)
    settle(load)
    db.session.refresh(pupil)
    assert pupil.student_number == formal(pupil) and numbers_of(pupil)[0][2] is False


def test_what_nobody_answers_is_not_loaded_and_nothing_is_asked_of_others_pupils(cast: Cast) -> None:
    foreign = a_pupil(a_school(), id_number=an_id_number(BORN))
    load = check(cast.reviewer, [as_exported(cast.pupil, student_number=formal(cast.pupil))])
    assert load.counts == {"renumber": 1, "rows": 1}
    row = as_exported(foreign, student_number=formal(foreign), school_code=cast.school.code)
    load = check(cast.reviewer, [row])
    assert load.counts == {"faulty": 1, "rows": 1}
    assert foreign.name not in str(findings(load, "faulty")[0].faults)


def test_cases_and_their_landing_follow_the_pupil(cast: Cast) -> None:
    case = a_case(cast, "approved")
    pupil = cast.pupil
    db.session.refresh(pupil)
    row = as_exported(pupil, student_number=f"G{pupil.id_number}")
    load = confirm_all(check(cast.reviewer, [row]))
    assert [one.pupil_id for one in findings(load, "landed")] == [pupil.id]
    apply(load, cast.reviewer)
    assert db.session.get_one(NationalEntry, case.id).confirmed_load_id == load.id


def test_a_number_once_given_is_nobody_elses(cast: Cast) -> None:
    pupil, old = cast.pupil, str(cast.pupil.student_number)
    pupil.student_number = formal(pupil)
    db.session.commit()
    assert pupil_numbers.holders([old]) == {old: pupil.id}
    newcomer = as_exported(a_pupil(cast.school), student_number=old, name="马新来")
    load = check(cast.reviewer, [newcomer])
    assert not load.counts.get("added") and load.counts.get("held") == 1
