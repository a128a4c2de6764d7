"""Numbers of pupils: whose row an export's row is, L that becomes G, and every number that somebody had."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import delete, func, insert, select

from portal.cases import (
    entries,
    entry_pack,
    name_index,
    printed,
    printing,
    pupil_numbers,
    roster,
    versions,
)
from portal.cases.loads import comparing, proposals, renumbering
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Case, NationalEntry, Pupil, PupilNumber, RegisterLoad
from portal.models.types import new_id
from portal.standards.columns import BY_KEY
from tests import exports
from tests.builders import Cast, a_case, a_pupil, a_school, an_id_number
from tests.cases.forms import enter
from tests.cases.test_loads import Row, apply, as_exported, check, findings, settle, undo
from tests.withdrawals import a_withdrawal

BORN = date(2010, 5, 6)
pytestmark = pytest.mark.pages


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


def a_cohort(cast: Cast, count: int) -> list[Row]:
    """So many pupils with L numbers, written as a load writes them; what the national system exports once they have G ones."""
    rows, made = [], []
    model = as_exported(cast.pupil)
    for n in range(count):
        born = date(2008 + n // 499, 1, 1)
        identity = an_id_number(born, serial=n % 499)
        own = {"name": f"马明{chr(0x4E00 + n)}", "birth_date": born.isoformat(), "id_number": identity}
        rows.append(model | own | {"student_number": f"G{identity}"})
        texts = rows[-1] | {"student_number": f"L622999{born:%Y%m%d}{n:04d}"}
        made.append(comparing.new_pupil(new_id(), new_id(), cast.school.id, texts))
    db.session.execute(insert(Pupil.__table__), made)
    name_index.enter(made)
    pupil_numbers.enter(made)
    return rows


@pytest.mark.both_pairs
def test_a_cohort_becomes_formal_with_one_confirmation_and_the_doubtful_are_left(
    app: Flask, cast: Cast
) -> None:
    """A thousand of one school, on the pages of its county; twins who share an identity number in the register, and two whose
    particulars differ. What is under way and what is done goes on under the new number."""
    rows = a_cohort(cast, 995)
    case = a_case(cast, "approved")
    entries.mark_entered(case, cast.registrar, "GW2026-0001")
    db.session.refresh(cast.pupil)
    shared, other = an_id_number(date(2009, 3, 3)), an_id_number(date(2009, 3, 3))
    twins = [
        a_pupil(cast.school, name=f"张{x}", birth_date=date(2009, 3, 3), id_number=shared) for x in "文武"
    ]
    renamed, reborn, missing = (a_pupil(cast.school) for _ in "abc")
    rows += [
        as_exported(cast.pupil, student_number=formal(cast.pupil)),
        as_exported(twins[0], student_number=f"G{shared}"),
        as_exported(twins[1], student_number=f"G{other}", id_number=other),
        as_exported(renamed, student_number=formal(renamed), name="马改名"),
        as_exported(reborn, student_number=formal(reborn), birth_date="2010-05-07"),
    ]
    old = {one.id: one.student_number for one in (cast.pupil, *twins, renamed, reborn)}
    db.session.commit()
    before = pupils()
    sheet = exports.as_csv(rows, exports.EVERY_COLUMN, exports.EVERY_HEADING)
    load = check(cast.reviewer, [], complete=True, data=sheet)
    assert load.counts["renumber"] == 1000 and not load.counts.get("added"), load.counts
    gone = {row.pupil_id for row in findings(load, "missing")}
    assert missing.id in gone and not gone & old.keys() and len(gone) < 3
    county, address = enter(app, cast.reviewer), f"/register/loads/{load.id}"
    asked = county.get(address).text
    assert "996 名全部换号" in asked and "1000 名学生有了新的学籍号，请先" in asked
    left = county.post(f"{address}/renumber", data={"pupil": "all"}, follow_redirects=True).text
    assert "张文" in left and "张武" in left and "马改名" in left and "全部换号" not in left
    settle(load)
    assert load.counts["renumber"] == 4 and load.counts["changed"] == 996
    assert county.post(f"{address}/apply").status_code == 303
    settle(load)
    assert load.status == "applied" and pupils() == before
    now = set(db.session.scalars(select(Pupil.student_number)))
    assert {row["student_number"] for row in rows[:996]} <= now
    assert {old[one.id] for one in (*twins, renamed, reborn)} <= now
    number = str(old[cast.pupil.id])
    assert numbers_of(cast.pupil) == [("temporary", number, False), ("national", formal(cast.pupil), True)]
    _follows_the_pupil(app, cast, case, number)
    undo(load, cast.reviewer)
    assert load.status == "undone", load.message
    assert numbers_of(cast.pupil) == [("temporary", number, True)]
    assert db.session.get_one(NationalEntry, case.id).confirmed_at is None


def _follows_the_pupil(app: Flask, cast: Cast, case: Case, former: str) -> None:
    """By the number that the pupil had: the search, the page, the case with its receipt, what is to be entered, the landing."""
    assert db.session.get_one(NationalEntry, case.id).confirmed_at is not None
    school = enter(app, cast.registrar)
    page = school.post("/register", data={"q": former}, follow_redirects=True).text
    assert "曾用号码" in page and cast.pupil.name in page and case.number in page
    assert "GW2026-0001" in school.get("/landings?stage=confirmed").text
    (line, *_) = entry_pack.plan(case).lines
    assert line[0] == formal(cast.pupil)
    assert school.get(f"/cases/{case.id}").status_code == 200


def test_a_form_printed_under_the_former_number_is_still_the_cases(cast: Cast) -> None:
    """It comes back stamped after the number was changed. Of another pupil's number it is not."""
    case = a_case(cast, "county_review")
    db.session.commit()
    (order,) = printed.orders(case)
    printed.record([order], "k")
    db.session.commit()
    text = printing.qr_text(order.printout, order.facts, version=order.version, key="k")
    code = versions.Code.read(text)
    assert code is not None

    def same() -> bool:
        return versions.examine(case, order.printout, code, printed.facts_on_paper(case), "k").same

    assert same()
    cast.pupil.student_number = formal(cast.pupil)
    db.session.commit()
    assert same()
    db.session.execute(delete(PupilNumber).where(PupilNumber.until.is_not(None)))
    assert not same()


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


@pytest.mark.both_pairs
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


def test_an_ended_record_gets_its_number_and_no_return_under_another(cast: Cast) -> None:
    a_withdrawal(cast, "approved")
    pupil = cast.pupil
    db.session.refresh(pupil)
    new = as_exported(pupil, student_number=formal(pupil), enrolment_status="在读")
    (faulty,) = findings(check(cast.reviewer, [new]), "faulty")
    assert "不得恢复学籍" in faulty.faults[0]["reason"]
    load = check(cast.reviewer, [new | {"enrolment_status": BY_KEY["enrolment_status"].shown("03")}])
    assert [row.pupil_id for row in findings(load, "renumber")] == [pupil.id]
    apply(confirm_all(load), cast.reviewer)
    db.session.refresh(pupil)
    assert (pupil.student_number, pupil.enrolment_status) == (formal(pupil), "03")
