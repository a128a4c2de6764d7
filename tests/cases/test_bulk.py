"""Many rows at once are stored as an insert() would have stored them, and refused as it would have refused them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Table, insert, select
from sqlalchemy.exc import IntegrityError

from portal import bulk, json_texts
from portal.extensions import db
from portal.models import RegisterLoadRow
from portal.models.types import utcnow
from tests import exports
from tests.builders import Cast
from tests.cases.test_loads import check

pytestmark = pytest.mark.both_pairs

ROWS: Any = RegisterLoadRow.__table__
TEXTS = ["马晓明", "tab\tnewline\nback\\slash \\N", "引号\"和'", "", "𠮷·阿里", "null"]


@pytest.fixture
def cast(app: Flask) -> Cast:
    return Cast()


def rows(load_id: uuid.UUID) -> list[dict[str, Any]]:
    return [
        {
            "load_id": load_id,
            "row": number,
            "kind": "added",
            "pupil_id": uuid.uuid4() if number % 2 else None,
            "name": text,
            "after": {"name": text, "数": [number, None, True, 1.5]},
        }
        for number, text in enumerate(TEXTS)
    ]


def stored(load_id: uuid.UUID, first: int) -> list[dict[str, Any]]:
    query = select(ROWS).where(ROWS.c.load_id == load_id, ROWS.c.id > first).order_by(ROWS.c.id)
    return [
        {key: value for key, value in row.items() if key != "id"}
        for row in db.session.execute(query).mappings()
    ]


def last() -> int:
    return max(db.session.scalars(select(ROWS.c.id)), default=0)


def test_what_is_added_at_once_is_what_an_insert_stores(cast: Cast) -> None:
    load = check(cast.registrar, exports.rows_of(1, [cast.school.code]))
    new = rows(load.id)
    begun = last()
    full = [row | {"before": {}, "faults": [], "student_number": "", "pupil_version": 0} for row in new]
    db.session.execute(insert(ROWS), full)
    usual = stored(load.id, begun)
    begun = last()
    bulk.add(ROWS, full)
    assert stored(load.id, begun) == usual and len(usual) == len(TEXTS)
    assert usual[1]["name"] == TEXTS[1] and usual[0]["waits_as"] == ""  # the database's own default


def test_a_row_that_stands_already_is_refused_with_all_that_came_with_it(cast: Cast) -> None:
    pupils: Table = cast.pupil.__table__  # type: ignore[assignment]
    one = dict(db.session.execute(select(pupils).where(pupils.c.id == cast.pupil.id)).mappings().one())
    fresh = one | {"id": uuid.uuid4(), "student_number": None}
    with pytest.raises(IntegrityError) as refused, db.session.begin_nested():
        bulk.add(pupils, [fresh, one])
    assert one["name"] not in str(refused.value.statement)
    assert db.session.scalar(select(pupils.c.id).where(pupils.c.id == fresh["id"])) is None
    bulk.add(pupils, [])
    bulk.add(pupils, [fresh])
    assert db.session.scalar(select(pupils.c.id).where(pupils.c.id == fresh["id"])) == fresh["id"]


@pytest.mark.parametrize("value", [{"名": "马"}, {1: "数"}, ["\ud800"], 2**70, [1.5, None, True]])
def test_what_json_writes_is_written_and_read_again(value: Any) -> None:
    assert json.loads(json_texts.dumps(value)) == json.loads(json.dumps(value))


@pytest.mark.parametrize("value", [utcnow(), {"when": utcnow()}, {"one": object()}])
def test_what_json_does_not_know_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        json_texts.dumps(value)
