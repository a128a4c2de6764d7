"""Whatever an export says of whatever stands in the register: applying and undoing it restores every row."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from portal.extensions import db
from portal.models import Office, Pupil, PupilNumber, RegisterLoadRow, Role
from tests import exports
from tests.builders import a_county, a_pupil, a_school, an_actor
from tests.cases.test_loads import apply, check, snapshot, undo

HAN = st.text(st.sampled_from("马王李玥\uf9dc\U00030edd\ue863"), min_size=1, max_size=4)
NAMES = st.one_of(
    HAN,
    st.tuples(HAN, st.sampled_from("·•"), HAN).map("".join),
    st.text(st.sampled_from("ab"), min_size=2, max_size=6),
)
TEXTS = st.text(st.sampled_from("甲乙1号 村=+'\"\\{}"), max_size=8).map(str.strip)
LOOSE = st.dictionaries(
    st.sampled_from(("address", "household", "guardian1_name", "guardian2_phone", "political")), TEXTS
)


@st.composite
def standing(draw: Any) -> dict[str, Any]:
    """What the register holds of a pupil before the load."""
    return {
        "name": draw(NAMES),
        "former_name": draw(TEXTS),
        "class_name": draw(st.sampled_from(("1班", "2班"))),
        "particulars": draw(LOOSE),
        "version": draw(st.integers(0, 9)),
        "gone_since": draw(st.sampled_from((None, date(2026, 9, 1)))),
    }


@st.composite
def told(draw: Any) -> dict[str, Any]:
    """What the export says of a pupil; `seen` is whether it lists the pupil at all, `school` which of two."""
    return {
        "seen": draw(st.booleans()),
        "school": draw(st.integers(0, 1)),
        "name": draw(NAMES),
        "class_name": draw(st.sampled_from(("1班", "3班"))),
        "address": draw(TEXTS),
        "former_name": draw(TEXTS),
    }


class Place:
    """One county with two schools, made once; each example has pupils of its own."""

    def __init__(self) -> None:
        county = a_county()
        self.schools: list[Office] = [a_school(county), a_school(county)]
        self.actor = an_actor(Role.REVIEWER, county)
        db.session.commit()


@pytest.fixture
def place(app: Flask) -> Place:
    return Place()


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    pupils=st.lists(st.tuples(standing(), told()), max_size=5),
    added=st.integers(0, 3),
    complete=st.booleans(),
)
def test_undo_restores_every_row(place: Place, pupils: list[Any], added: int, complete: bool) -> None:
    db.session.rollback()
    db.session.execute(delete(RegisterLoadRow))
    db.session.execute(delete(PupilNumber))
    db.session.execute(delete(Pupil))
    codes = [school.code for school in place.schools]
    rows = list(exports.rows_of(added, codes, start=5000))
    for number, (values, export) in enumerate(pupils):
        pupil = a_pupil(place.schools[number % 2], **values)
        if export["seen"]:
            rows.append(
                exports.a_row(number, codes[export["school"]])
                | {"student_number": pupil.student_number}
                | {key: export[key] for key in ("name", "class_name", "address", "former_name")}
            )
    db.session.commit()
    before = snapshot()
    load = check(place.actor, rows or exports.rows_of(1, codes, start=9000), complete=complete)
    assert "faulty" not in load.counts, load.counts
    apply(load, place.actor)
    assert load.status == "applied", load.message
    undo(load, place.actor)
    assert load.status == "undone", load.message
    assert snapshot() == before
