"""A form writes the columns that it is for. Every column of every model is posted along with every form, under its own
name and with a value that would do harm; only what the table below declares may change."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal import tasks
from portal.extensions import db
from portal.models import Account, Case
from tests.web.forms import FORMS, UNSENT, Form, stamp_of, to
from tests.web.recorded import difference, rows
from tests.web.world import World

pytestmark = pytest.mark.pages

OF_THE_ROW = {"row_digest"}  # follows from the columns beside it

PROBE = "探针"
HARMFUL = {
    "status": "approved",
    "role": "administrator",
    "level": "state",
    "verdict": "pass",
    "kind": "off",
    "stages": "小学",
    "policy": "ha-2022",
    "workflow": "key_information_change",
    "login": "administrator-of-all",
}
BY_TYPE: tuple[tuple[type[Any], str], ...] = (
    (sa.Boolean, "1"),
    (sa.Integer, "77"),
    (sa.DateTime, "1999-09-09T00:00:00+00:00"),
    (sa.Date, "1999-09-09"),
    (sa.JSON, f'{{"x": "{PROBE}"}}'),
)


def columns() -> dict[str, sa.Column[Any]]:
    """Every column name of every model."""
    return {column.name: column for table in db.metadata.tables.values() for column in table.columns}


def probes(world: World) -> dict[str, str]:
    """A harmful value for each of them: somebody else's id, a decided status, a mark that nobody would write."""
    theirs = world.neighbours["next_state"]
    ids = {
        "pupil_id": theirs.pupils[0].id,
        "case_id": theirs.cases["county_review"].id,
        "school_id": theirs.school.id,
        "parent_id": theirs.county.id,
    }
    found = {}
    for name, column in columns().items():
        if isinstance(column.type, sa.Uuid):
            found[name] = str(ids.get(name, theirs.people["approver"].id))
        else:
            kind = next((value for known, value in BY_TYPE if isinstance(column.type, known)), "")
            found[name] = HARMFUL.get(name) or kind or f"{PROBE}{name}"
    return found


def test_every_form_is_declared(app: Flask) -> None:
    posts = {one.endpoint for one in app.url_map.iter_rules() if "POST" in (one.methods or set())}
    assert posts == set(FORMS)


@pytest.mark.parametrize("endpoint", FORMS)
def test_a_form_writes_only_what_it_is_for(world: World, endpoint: str) -> None:
    form = FORMS[endpoint]
    client = world.client(form.person)
    path, values = form.fill(world, client)
    if endpoint in ("auth.try_sign_in", "auth.first_administrator"):
        client = world.client(None)
    if endpoint == "review.take_over":
        client.post(path.replace("take-over", "claim"), data=values)
    tasks.wait()
    before = rows()
    answer = client.post(path, data=_all_fields(probes(world), values))
    tasks.wait()
    assert answer.status_code in (200, 201, 204, 303), f"{endpoint} was not taken: {answer.status_code}"
    _judge(world, form, before)


def _all_fields(harmful: dict[str, str], values: dict[str, Any]) -> dict[str, Any]:
    """The form with every column beside its own fields, which keep what a person would type."""
    return {**harmful, **values}


def _judge(world: World, form: Form, before: Any) -> None:
    theirs = {one.hex for one in (world.neighbours["next_state"].people["approver"].id,)}
    theirs |= world.neighbours["next_state"].canaries.ids
    own = _forms_of_ids(world.home.people[form.person].id)
    found = difference(before, rows())
    for one in found:
        now = " ".join(str(getattr(value, "hex", value)) for value in one.now.values())
        if one.table in UNSENT:  # keeps what is typed as it is typed, for its owner alone
            assert {(one.now or one.was)["account_id"]} & own, one
        else:
            assert PROBE not in now, one
            text = one.text if one.was and one.now else now
            assert not [value for value in theirs if value in text], one
        if not one.was:
            assert one.table in form.adds, f"added to {one.table}: {one.now}"
        elif not one.now:
            assert one.table in form.removes, f"removed from {one.table}: {one.was}"
        else:
            allowed = form.changes.get(one.table, set()) | OF_THE_ROW
            assert one.columns <= allowed, f"{one.table}: {sorted(one.columns - allowed)}"
    if form.nothing:
        assert not found
    elif form.changes or form.adds:
        assert found or "preferences" in form.changes, "the form did nothing"


def _forms_of_ids(one: uuid.UUID) -> set[Any]:
    """An id as either database gives it."""
    return {one, one.hex, str(one)}


def test_the_judge_can_find_fault(world: World) -> None:
    """A form that took a column by its name, as forms do that copy what is posted, is found out."""
    form = Form("registrar", to("/"), {"accounts": {"name"}})
    for column, value in (("role", "administrator"), ("name", f"{PROBE}name")):
        before = rows()
        account = db.session.get_one(Account, world.home.people["head"].id)
        kept = getattr(account, column)
        setattr(account, column, value)
        db.session.commit()
        with pytest.raises(AssertionError):
            _judge(world, form, before)
        setattr(account, column, kept)
        db.session.commit()


def test_a_pages_read_only_values_cannot_be_posted(world: World) -> None:
    """What an answer page does not ask is not kept, whatever it is called."""
    client, case = world.client("registrar"), world.home.cases["draft"]
    fields = {"version": stamp_of(world, "draft"), "fields": "name", "cause": "household_corrected"}
    answer: TestResponse = client.post(
        f"/cases/{case.id}/fill/what",
        data=fields
        | {"explanation": "户口簿写错", "id_number": PROBE, "student_number": PROBE, "new_sex": "2"},
    )
    assert answer.status_code == 303
    kept = db.session.get_one(Case, case.id, populate_existing=True).answers
    db.session.rollback()
    assert set(kept) <= {"fields", "cause", "explanation", "new_name", "new_former_name"}
