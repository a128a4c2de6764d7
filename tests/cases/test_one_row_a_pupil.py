"""Of rows that may be about one pupil none overwrites the other, and nobody is taken for somebody else by a number."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from sqlalchemy import update

from portal.cases.loads import proposals, renumbering
from portal.cases.loads.reading import Unreadable, open_table
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import NationalEntry, Pupil, RegisterLoad, RosterRow
from tests import exports
from tests.builders import Cast, a_case, a_pupil, an_id_number
from tests.cases.test_loads import apply, apply_and_confirm, as_exported, check, findings, settle
from tests.cases.test_proposals import stored
from tests.cases.test_renumbering import BORN, confirm_all, formal

pytestmark = pytest.mark.both_pairs


@pytest.fixture
def cast(app: Flask) -> Cast:
    return Cast()


def renumbered(cast: Cast) -> tuple[Pupil, str]:
    """A pupil who has a G number by now, and the L number of before."""
    pupil = a_pupil(cast.school)
    former = str(pupil.student_number)
    apply(
        confirm_all(check(cast.reviewer, [as_exported(pupil, student_number=formal(pupil))])), cast.reviewer
    )
    db.session.refresh(pupil)
    assert pupil.student_number == formal(pupil)
    return pupil, former


@pytest.mark.parametrize("stale_first", [True, False])
def test_a_row_under_the_former_number_yields_to_the_present_one(cast: Cast, stale_first: bool) -> None:
    pupil, former = renumbered(cast)
    rows = [
        as_exported(pupil, student_number=former, class_name="1班"),
        as_exported(pupil, class_name="9班"),
    ]
    load = check(cast.reviewer, rows if stale_first else rows[::-1], complete=True)
    (fault,) = findings(load, "faulty")
    assert fault.student_number == former and "以前的学籍号" in fault.faults[0]["reason"]
    apply(load, cast.reviewer)
    kept = stored(pupil)
    assert load.status == "applied" and (kept["class_name"], kept["gone_since"]) == ("9班", None)


def test_the_number_within_a_g_number_takes_nobody_by_itself(cast: Cast) -> None:
    """Two had one identity number once; the G number kept it, the person has another."""
    shared, own = an_id_number(BORN), an_id_number(BORN)
    there = a_pupil(cast.school, name="王芳", id_number=shared, student_number=None)
    row = as_exported(there, student_number=f"G{shared}", name="李四", id_number=own)
    load = check(cast.reviewer, [row])
    assert [one.pupil_id for one in findings(load, "renumber")] == [there.id]
    assert not findings(load, "changed")
    assert (stored(there)["name"], stored(there)["id_number"]) == ("王芳", shared)


def test_who_stands_in_the_file_with_an_error_is_not_missing(cast: Cast) -> None:
    pupil, absent = a_pupil(cast.school), a_pupil(cast.school)
    rows = [as_exported(cast.pupil), as_exported(pupil, student_number=formal(pupil), grade="#N/A")]
    load = check(cast.reviewer, rows, complete=True)
    assert len(findings(load, "faulty")) == 1
    missing = {row.pupil_id for row in findings(load, "missing")}
    assert absent.id in missing and pupil.id not in missing


def test_who_moved_since_the_check_is_not_confirmed_with_all(cast: Cast) -> None:
    pupil = a_pupil(cast.school)
    load = check(cast.reviewer, [as_exported(pupil, student_number=formal(pupil))])
    assert renumbering.agreeing(load) == 1
    moved = update(Pupil).where(Pupil.id == pupil.id).values(name="马改名", version=Pupil.version + 1)
    db.session.execute(moved)
    db.session.commit()
    (row,) = findings(load, "renumber")
    with pytest.raises(Refused, match="重新核对"):
        renumbering.confirm(load, row.id, pupil.id)
    db.session.rollback()
    with pytest.raises(Refused, match="重新核对"):
        renumbering.confirm_agreeing(db.session.get_one(RegisterLoad, load.id))


def test_one_pupil_gets_one_number(cast: Cast) -> None:
    """The doubtful row is said to be about the pupil of the row that agrees; written differently they are twins all the same."""
    pupil = a_pupil(cast.school, name="王芳", birth_date=BORN, id_number=an_id_number(BORN))
    other = an_id_number(BORN)
    rows = [
        as_exported(pupil, student_number=formal(pupil)),
        as_exported(pupil, student_number=f"G{other}", name="王 芳", birth_date="2010/5/6", id_number=""),
    ]
    load = check(cast.reviewer, rows)
    asked = {row.row: row for row in findings(load, "renumber")}
    assert len(asked) == 2 and renumbering.agreeing(load) == 0, "two of one name and birth date"
    second = max(asked)
    renumbering.confirm(load, asked[second].id, pupil.id)
    load = settle(load)
    with pytest.raises(Refused, match="只能换成一个"):
        renumbering.confirm(load, asked[min(asked)].id, pupil.id)


def test_a_number_that_is_somebodys_by_now_leaves_out_its_row_alone(cast: Cast) -> None:
    first, second = a_pupil(cast.school), a_pupil(cast.school)
    rows = [as_exported(one, student_number=formal(one)) for one in (first, second)]
    load = apply(confirm_all(check(cast.registrar, rows)), cast.registrar)
    thief = a_pupil(cast.school, student_number=formal(first))
    db.session.commit()
    load = apply_and_confirm_waiting(load, cast)
    assert stored(second)["student_number"] == formal(second)
    assert stored(first)["student_number"] != stored(thief)["student_number"]
    assert len(findings(load, "moved")) == 1


def apply_and_confirm_waiting(load: RegisterLoad, cast: Cast) -> RegisterLoad:
    """The county says yes to what waits of an applied load."""
    item = proposals.of_load(load)
    assert item is not None
    proposals.accept(item, cast.reviewer, item.version)
    return settle(load)


def test_what_is_told_as_not_written_lands_nowhere(cast: Cast) -> None:
    """A pupil of a roster with a case without receipt: the county's yes leaves the row out, the roster's entry waits too."""
    case = a_case(cast, "approved")
    entry = RosterRow(case_id=case.id, position=1, pupil_id=case.pupil_id)
    db.session.add(entry)
    db.session.commit()
    load = apply_and_confirm(check(cast.registrar, [as_exported(case.pupil)]), cast)
    db.session.expire_all()
    assert len(findings(load, "moved")) == 1
    assert db.session.get_one(NationalEntry, case.id).confirmed_at is None
    assert db.session.get_one(RosterRow, entry.id).landed_load_id is None


def test_a_quotation_without_end_swallows_nobody() -> None:
    row = exports.a_row(1, "3162900001")
    rows = [row | {"name": name, "problem": ""} for name in ("甲一", "甲二", "甲三", "甲四")]
    data = exports.as_csv(rows, exports.EVERY_COLUMN, exports.EVERY_HEADING).decode("utf-8-sig")
    lines = data.splitlines()
    lines[1] += ',"没有结束'
    with (
        pytest.raises(Unreadable, match="引号没有结束"),
        open_table(io.BytesIO("\n".join(lines).encode())) as table,
    ):
        list(table.rows())
    lines[1] = lines[1].removesuffix(',"没有结束') + ',"两行的\n备注, 有, 逗号"'
    with open_table(io.BytesIO("\n".join(lines).encode())) as table:
        assert len(list(table.rows())) == 4
