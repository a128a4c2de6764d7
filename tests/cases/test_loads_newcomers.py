"""Who entered the register between the check of a load and its writing is not added a second time."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.cases.loads import lifecycle, proposals, renumbering
from portal.extensions import db
from portal.models import Item, Pupil, RegisterLoad
from tests import exports
from tests.builders import Cast, a_pupil, act
from tests.cases.test_loads import apply, as_exported, check, findings, receive, settle
from tests.intakes import a_list, a_plan, a_roster, people

pytestmark = pytest.mark.pages


@pytest.fixture
def cast(app: Flask) -> Cast:
    found = Cast()
    a_plan(found.state, found.approver, {found.school: 9})
    return found


def row_about(cast: Cast, one: Mapping[str, str], identity: str | None = None) -> dict[str, str]:
    """What the national system exports of a person of a roster once it knows an identity number."""
    identity = one["id_number"] if identity is None else identity
    row = exports.a_row(1, cast.school.code) | {key: one[key] for key in ("name", "birth_date")}
    sex = {"男": "1", "女": "2"}[one["sex"]]
    return row | {"student_number": f"G{identity}", "id_number": identity, "id_type": "1", "sex": sex}


def entered(cast: Cast, one: Mapping[str, str]) -> None:
    """A roster with this person, who was admitted, through the chain."""
    a_list(cast.state, cast.approver, {cast.school: [one]})
    case = a_roster(cast.registrar, [one])
    for who, verb in ((cast.registrar, "submit"), (cast.reviewer, "approve"), (cast.approver, "approve")):
        act(case, who, verb)
    db.session.commit()


def named(one: Mapping[str, str]) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(Pupil.name == one["name"])) or 0


def accepted(load: RegisterLoad, cast: Cast) -> Item:
    item = proposals.of_load(load)
    assert item is not None
    proposals.accept(item, cast.reviewer, item.version)
    settle(load)
    return db.session.get_one(Item, item.id)


@pytest.mark.parametrize("known", [True, False], ids=["by identity number", "by name and birth date"])
def test_a_preview_that_a_roster_has_outrun_is_not_applied(cast: Cast, known: bool) -> None:
    (one,) = people(1)
    load = check(cast.reviewer, [row_about(cast, one)])
    assert load.counts["added"] == 1
    entered(cast, one if known else one | {"id_number": ""})
    apply(load, cast.reviewer)
    assert load.status == "checked" and "重新核对" in load.message and named(one) == 1
    lifecycle.start_check(load, cast.reviewer, load.mapping, complete=False)
    settle(load)
    assert not load.counts.get("added")
    apply(load, cast.reviewer)
    (pupil,) = db.session.scalars(select(Pupil).where(Pupil.name == one["name"]))
    assert load.status == "applied" and pupil.student_number == f"G{one['id_number']}"


@pytest.mark.parametrize("known", [True, False], ids=["by identity number", "by name and birth date"])
@pytest.mark.both_pairs
def test_what_waits_for_the_county_is_not_added_either(cast: Cast, known: bool) -> None:
    first, second = people(2)
    load = apply(check(cast.registrar, [row_about(cast, first), row_about(cast, second)]), cast.registrar)
    entered(cast, first if known else first | {"id_number": ""})
    item = accepted(load, cast)
    assert item.status == "accepted" and (named(first), named(second)) == (1, 1)
    assert [row.name for row in findings(load, "moved")] == [first["name"]]
    assert [row.name for row in findings(load, "added")] == [second["name"]]


def test_who_was_said_to_be_somebody_new_is_added(cast: Cast) -> None:
    """Two of one name and birth date entered after the file came and before it was checked."""
    (one,) = people(1)
    data = exports.as_xlsx([row_about(cast, one)], exports.EVERY_COLUMN, exports.EVERY_HEADING)
    db.session.commit()
    load = lifecycle.begin(cast.reviewer, "名单.xlsx", receive(data, cast.reviewer))
    db.session.commit()
    entered(cast, one | {"id_number": ""})
    (there,) = db.session.scalars(select(Pupil).where(Pupil.name == one["name"]))
    a_pupil(
        cast.school, name=one["name"], birth_date=there.birth_date, student_number=None, id_number="", id_type=""
    )  # fmt: skip
    lifecycle.start_check(load, cast.reviewer, load.mapping, complete=False)
    settle(load)
    (asked,) = findings(load, "renumber")
    renumbering.confirm(load, asked.id, None)
    apply(settle(load), cast.reviewer)
    assert load.status == "applied" and named(one) == 3


def test_a_number_that_became_anothers_while_it_waited_is_not_written(cast: Cast) -> None:
    pupil, other = cast.pupil, a_pupil(cast.school)
    old, new = pupil.student_number, f"G{pupil.id_number}"
    load = check(cast.registrar, [as_exported(pupil, student_number=new)])
    renumbering.confirm_agreeing(load)
    apply(settle(load), cast.registrar)
    other.student_number = new
    db.session.commit()
    item = accepted(load, cast)
    assert item.status == "accepted" and [row.pupil_id for row in findings(load, "moved")] == [pupil.id]
    db.session.refresh(pupil)
    assert pupil.student_number == old


def test_a_former_number_is_not_given_to_somebody_new(cast: Cast) -> None:
    """The number was another's for a while between the check and the county's yes."""
    rows = list(exports.rows_of(2, [cast.school.code]))
    load = apply(check(cast.registrar, rows), cast.registrar)
    other = a_pupil(cast.school)
    for number in (rows[0]["student_number"], f"G{other.id_number}"):
        other.student_number = number
        db.session.commit()
    accepted(load, cast)
    assert [row.student_number for row in findings(load, "moved")] == [rows[0]["student_number"]]
    assert [row.student_number for row in findings(load, "added")] == [rows[1]["student_number"]]


def test_what_one_load_has_added_the_other_does_not_add_under_another_number(cast: Cast) -> None:
    (one,) = people(1)
    again = row_about(cast, one) | {"student_number": "L622999201105060017"}
    first, second = check(cast.reviewer, [again]), check(cast.reviewer, [row_about(cast, one)])
    apply(first, cast.reviewer)
    apply(second, cast.reviewer)
    assert first.status == "applied" and second.status == "checked" and named(one) == 1
