"""Of two open cases that would change one column the second is not submitted; and what a decided case writes and lands."""

from __future__ import annotations

import dataclasses
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from portal.cases import actions, entries, holds, register
from portal.cases.facts import read_facts
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Case, Hold, NationalEntry, Pupil, RegisterChange, Role
from portal.models.types import new_id
from portal.policies import all_policies
from portal.printouts import FOLDER
from portal.standards import columns
from portal.workflows import WORKFLOWS, WorkflowError, check_workflows, workflow
from tests.builders import KEY_CHANGE, Cast, a_case, act, an_actor
from tests.cases.forms import enter

pytestmark = pytest.mark.pages


@pytest.fixture
def cast(app: Flask) -> Cast:
    return Cast()


def held(case: Case) -> set[str]:
    return set(db.session.scalars(select(Hold.column).where(Hold.case_id == case.id)))


def other(case: Case) -> Case:
    """A second draft of the same pupil that would change the same, as two procedures without a rule for it could have."""
    values = {
        column.name: getattr(case, column.name)
        for column in Case.__table__.columns
        if column.name not in ("id", "number")
    }
    second = Case(id=new_id(), number=f"{case.number[:-1]}9", **values)
    db.session.add(second)
    db.session.flush()
    return second


@pytest.mark.both_pairs
def test_a_case_holds_from_its_submission_to_its_end(cast: Cast) -> None:
    case = a_case(cast, "ready")
    assert held(case) == set()
    act(case, cast.registrar, "submit")
    db.session.commit()
    assert held(case) == set(workflow(case.workflow).changes(read_facts(case)))
    act(case, cast.registrar, "withdraw")
    db.session.commit()
    assert held(case) == set()


def test_the_second_is_told_number_and_case_of_the_first(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beneath every rule: the procedure's own one, that there be no second case, is taken away."""
    _without_rules(monkeypatch)
    first = a_case(cast, "ready")
    second = other(first)
    act(first, cast.registrar, "submit")
    db.session.commit()
    facts = read_facts(second)
    (told,) = holds.told(second, cast.registrar, facts)
    assert told.case_id == first.id and first.number in told.text
    with pytest.raises(Refused) as refused:
        act(second, cast.registrar, "submit")
    assert refused.value.conflict and first.number in refused.value.message
    db.session.rollback()
    assert held(second) == set() and second.status == "draft"
    act(first, cast.registrar, "withdraw")
    db.session.commit()
    act(second, cast.registrar, "submit")
    db.session.commit()
    assert held(second)


@pytest.mark.both_pairs
def test_of_two_at_the_same_moment_one_is_submitted(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people, two transactions. On PostgreSQL both have looked before either writes; SQLite lets in one after the other."""
    _without_rules(monkeypatch)
    first = a_case(cast, "ready")
    cases = [first, other(first)]
    db.session.commit()
    versions = {case.id: str(case.version) for case in cases}
    looked, real = threading.Barrier(2), holds.busy
    beside = db.engine.dialect.name == "postgresql"

    def busy(case: Case, *given: Any) -> Any:
        found = real(case, *given)
        if beside and not found:
            looked.wait(20)
        return found

    monkeypatch.setattr(holds, "busy", busy)
    people = (cast.registrar, an_actor(Role.REGISTRAR, cast.school))
    db.session.commit()
    clients = {case.id: enter(app, who) for case, who in zip(cases, people, strict=True)}
    db.session.rollback()
    start = threading.Barrier(2)

    def press(case_id: uuid.UUID) -> Any:
        start.wait(20)
        with app.app_context():
            return clients[case_id].post(f"/cases/{case_id}/submit", data={"version": versions[case_id]})

    with ThreadPoolExecutor(2) as pool:
        answers = dict(zip(versions, pool.map(press, versions), strict=True))
    won, lost = sorted(answers, key=lambda one: answers[one].status_code)
    assert [answers[won].status_code, answers[lost].status_code] == [303, 409], answers[lost].headers
    db.session.expire_all()
    winner, loser = db.session.get_one(Case, won), db.session.get_one(Case, lost)
    assert (winner.status, loser.status) == ("in_review", "draft") and not held(loser)
    assert held(winner) and winner.number in answers[lost].text
    assert f'href="/cases/{won}"' in answers[lost].text and "打开那件业务" in answers[lost].text


def test_the_desk_links_the_case_that_holds(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both were under review before there were holds: whoever is decided first has the columns."""
    _without_rules(monkeypatch)
    first = a_case(cast, "ready")
    second = other(first)
    act(second, cast.registrar, "submit")
    db.session.execute(delete(Hold))
    act(first, cast.registrar, "submit")
    db.session.commit()
    seen = actions.stamp(second)
    page = enter(app, cast.reviewer).post(
        f"/cases/{second.id}/decide", data={"seen": seen, "verb": "approve", "note": "同意办理"}
    )
    assert page.status_code == 409 and first.number in page.text and "同意办理" in page.text
    assert f'href="/cases/{first.id}"' in page.text
    db.session.expire_all()
    assert second.step == "county_review" and not held(second)


def _without_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "refusals_now", lambda case, facts: ())


def test_what_does_not_change_is_not_written(cast: Cast) -> None:
    case = a_case(cast, "state_approval")
    law, name = workflow(case.workflow), cast.pupil.name
    wide = dataclasses.replace(law, may_change=law.may_change | {"name", "former_name"})
    register.apply(case, wide, {"name": name, "former_name": "马曾用"})
    written = select(RegisterChange.column).where(RegisterChange.case_id == case.id)
    assert db.session.scalars(written).all() == ["former_name"]


@pytest.mark.both_pairs
def test_a_day_beside_the_columns_of_the_table_is_written(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column of dates that is no attribute of a pupil."""
    column = columns.Column("left_on", "离校日期", "date")
    monkeypatch.setitem(columns.BY_KEY, "left_on", column)
    case = a_case(cast, "state_approval")
    law = dataclasses.replace(workflow(case.workflow), may_change=frozenset({"left_on"}))
    register.apply(case, law, {"left_on": "2026-11-30"})
    db.session.commit()
    db.session.expire_all()
    pupil = db.session.get_one(Pupil, cast.pupil.id)
    assert pupil.particulars["left_on"] == "2026-11-30"
    assert register.stored_text(pupil, "left_on") == "2026-11-30"


@pytest.mark.both_pairs
def test_what_no_export_shows_has_landed_with_its_receipt(app: Flask, cast: Cast) -> None:
    case = a_case(cast, "approved")
    for change in db.session.scalars(select(RegisterChange).where(RegisterChange.case_id == case.id)):
        change.column = "change_type"
    db.session.commit()
    entries.mark_entered(case, cast.registrar, "SL-2026-0001")
    db.session.commit()
    db.session.expire_all()
    entry = db.session.get_one(NationalEntry, case.id)
    assert entry.confirmed_at is not None and entry.confirmed_load_id is None
    assert entries.count(cast.registrar, entries.STAGES["entered"]) == 0
    page = enter(app, cast.registrar).get(f"/cases/{case.id}")
    assert "凭受理号" in page.text and "SL-2026-0001" in page.text
    client = enter(app, cast.registrar)
    assert "更正受理号" in client.get("/landings?stage=confirmed").text
    slip = {"receipt": "SL-2026-0002", "seen": "SL-2026-0001"}
    answer = client.post(f"/cases/{case.id}/entered", data=slip)
    assert answer.status_code == 303 and "stage=confirmed" in answer.headers["Location"]
    assert "以受理号为准" in client.get("/landings?stage=confirmed").text
    db.session.expire_all()
    assert db.session.get_one(NationalEntry, case.id).receipt == "SL-2026-0002"


def test_what_an_export_shows_waits_for_it(cast: Cast) -> None:
    case = a_case(cast, "approved")
    entries.mark_entered(case, cast.registrar, "SL-2026-0001")
    db.session.commit()
    db.session.expire_all()
    assert db.session.get_one(NationalEntry, case.id).confirmed_at is None


def test_a_procedure_that_would_move_a_pupil_without_moving_is_refused(app: Flask) -> None:
    law = next(one for one in WORKFLOWS if one.id == KEY_CHANGE)
    moving = dataclasses.replace(law, may_change=law.may_change | {"school_code"})
    others = [one for one in WORKFLOWS if one.id != KEY_CHANGE]
    check_workflows([law, *others], all_policies(), FOLDER)
    with pytest.raises(WorkflowError, match="moves pupils"):
        check_workflows([moving, *others], all_policies(), FOLDER)
