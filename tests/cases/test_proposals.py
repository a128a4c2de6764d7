"""A school's load is a proposal: what it may write alone, what waits for the bureau above, and what its yes and no do."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DatabaseError

from portal import tasks
from portal.cases import items
from portal.cases.loads import lifecycle, proposals, waiting
from portal.cases.loads.lifecycle import LoadRefused
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import AuditRecord, Case, Item, ItemEvent, Level, NationalEntry, Pupil, RegisterLoad
from portal.models.types import utcnow
from tests import exports
from tests.builders import Cast, a_case, a_county, a_pupil, a_school, an_id_number, an_office
from tests.cases.test_loads import (
    apply,
    apply_and_confirm,
    as_exported,
    check,
    findings,
    settle,
    snapshot,
    undo,
)

KEY_VALUES = {
    "name": "马晓明",
    "sex": "2",
    "birth_date": "2008-01-02",
    "id_number": an_id_number(serial=871),
    "enrolment_status": "07",
}


@pytest.fixture
def cast(app: Flask) -> Cast:
    return Cast()


def stored(pupil: Pupil) -> dict[str, Any]:
    db.session.rollback()
    return dict(db.session.execute(select(Pupil.__table__).where(Pupil.id == pupil.id)).mappings().one())


def entered(case: Case) -> Case:
    """The case with the receipt of its entry in the national system."""
    own = update(NationalEntry).where(NationalEntry.case_id == case.id)
    db.session.execute(own.values(receipt="GQ-1", entered_at=utcnow()))
    db.session.commit()
    return case


def test_a_schools_sheet_changes_no_key_column_adds_nobody_and_confirms_nothing(cast: Cast) -> None:
    """Everything at once: key columns, a new pupil, a pupil who is missing, a landing; the rest is written."""
    case, other = a_case(cast, "approved"), a_pupil(cast.school)
    db.session.refresh(cast.pupil)
    landed = case.pupil
    (new,) = exports.rows_of(1, [cast.school.code])
    rows = [as_exported(other, class_name="9班", **KEY_VALUES), new, as_exported(landed)]
    missing = a_pupil(cast.school)
    db.session.commit()
    before = {pupil.id: stored(pupil) for pupil in (other, landed, missing)}
    load = apply(check(cast.registrar, rows, complete=True), cast.registrar)
    assert load.status == "applied", load.message
    assert {row.waits_as for row in findings(load, "waiting")} >= {"added", "changed", "missing", "landed"}
    after = {pupil.id: stored(pupil) for pupil in (other, landed, missing)}
    assert after[other.id]["class_name"] == "9班"
    for key in (*KEY_VALUES, "student_number", "school_id", "gone_since"):
        assert all(after[one][key] == before[one][key] for one in before), key
    assert not db.session.scalar(select(func.count()).where(Pupil.student_number == new["student_number"]))
    assert db.session.get_one(NationalEntry, case.id).confirmed_at is None


def test_the_county_says_yes_and_what_waits_is_written_once(cast: Cast) -> None:
    case, other = entered(a_case(cast, "approved")), a_pupil(cast.school)
    (new,) = exports.rows_of(1, [cast.school.code])
    rows = [as_exported(other, class_name="9班", **KEY_VALUES), new, as_exported(case.pupil)]
    load = apply_and_confirm(check(cast.registrar, rows), cast)
    kept = stored(other)
    assert (kept["name"], kept["id_number"]) == (KEY_VALUES["name"], KEY_VALUES["id_number"])
    assert kept["initials"] == "mxm"
    assert db.session.scalar(select(func.count()).where(Pupil.student_number == new["student_number"])) == 1
    assert db.session.get_one(NationalEntry, case.id).confirmed_load_id == load.id
    item = proposals.of_load(load)
    assert item.status == "accepted" and findings(load, "waiting") == []
    assert [one.verb for one in items.events_of(item)] == ["opened", "accepted", "written"]
    written = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "load.accepted")).one()
    assert written.actor_id == cast.reviewer.id
    version = stored(other)["version"]
    proposals.write_accepted(str(item.id))
    assert stored(other)["version"] == version, "a task may run twice"
    with pytest.raises(LoadRefused, match="不能整批撤销"):
        lifecycle.ask_undo(load, cast.registrar)


def test_the_county_says_no_with_a_reason(cast: Cast) -> None:
    load = apply(check(cast.registrar, exports.rows_of(2, [cast.school.code])), cast.registrar)
    item, before = proposals.of_load(load), snapshot()
    with pytest.raises(Refused) as refused:
        proposals.refuse(item, cast.reviewer, item.version, " ")
    assert refused.value.field == "reason"
    proposals.refuse(item, cast.reviewer, item.version, "没有转入手续")
    settle(load)
    assert item.status == "closed" and item.cause == "没有转入手续" and snapshot() == before
    with pytest.raises(Refused):
        proposals.accept(item, cast.reviewer, item.version)


def test_rows_that_moved_while_they_waited_are_left_out_and_told(cast: Cast) -> None:
    moved, still = a_pupil(cast.school), a_pupil(cast.school)
    (new,) = exports.rows_of(1, [cast.school.code])
    rows = [as_exported(moved, name="马一"), as_exported(still, name="马二"), new]
    load = apply(check(cast.registrar, rows), cast.registrar)
    apply(check(cast.reviewer, [as_exported(moved, name="马三"), new]), cast.reviewer)
    item = proposals.of_load(load)
    proposals.accept(item, cast.reviewer, item.version)
    settle(load)
    assert stored(moved)["name"] == "马三" and stored(still)["name"] == "马二"
    assert {row.waits_as for row in findings(load, "moved")} == {"added", "changed"}
    assert items.events_of(item)[-1].answer == "2"
    assert db.session.scalar(select(func.count()).where(Pupil.student_number == new["student_number"])) == 1


def test_who_left_the_school_while_the_row_waited_is_not_changed(cast: Cast) -> None:
    """Neither a key column nor 不在名单 is written over a pupil who is another county's by now."""
    renamed, absent, stays = a_pupil(cast.school), a_pupil(cast.school), a_pupil(cast.school)
    rows = [as_exported(renamed, name="马一"), as_exported(stays, name="马二")]
    load = apply(check(cast.registrar, rows, complete=True), cast.registrar)
    elsewhere = a_school(a_county())
    left = update(Pupil).where(Pupil.id.in_((renamed.id, absent.id)))
    db.session.execute(left.values(school_id=elsewhere.id, version=Pupil.version + 1))
    db.session.commit()
    before = [stored(one) for one in (renamed, absent)]
    item = proposals.of_load(load)
    proposals.accept(item, cast.reviewer, item.version)
    settle(load)
    assert [stored(one) for one in (renamed, absent)] == before and stored(stays)["name"] == "马二"
    assert items.events_of(item)[-1].answer == str(len(findings(load, "moved"))) != "0"


@pytest.mark.parametrize("waits", [True, False])
def test_a_landing_without_receipt_is_confirmed_by_no_schools_load(
    cast: Cast, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by the county's yes nor where a policy lets landings through; a bureau's own load confirms it."""
    case = a_case(cast, "approved")
    monkeypatch.setattr(waiting, "KINDS", waiting.KINDS if waits else frozenset())
    load = check(cast.registrar, [as_exported(case.pupil)])
    load = apply_and_confirm(load, cast) if waits else apply(load, cast.registrar)
    assert db.session.get_one(NationalEntry, case.id).confirmed_at is None
    assert len(findings(load, "moved")) == waits
    bureaus = apply(check(cast.reviewer, [as_exported(case.pupil)]), cast.reviewer)
    assert db.session.get_one(NationalEntry, case.id).confirmed_load_id == bureaus.id


def test_what_an_office_below_the_county_loads_waits(cast: Cast) -> None:
    district = an_office(Level.DISTRICT, cast.county)
    assert waiting.Gate.of(district).kinds == waiting.Gate.of(cast.school).kinds == waiting.KINDS
    assert not waiting.Gate.of(cast.county).kinds


def test_undoing_a_load_takes_its_proposal_back(cast: Cast) -> None:
    row = as_exported(cast.pupil, class_name="9班", name="马一")
    db.session.commit()
    before = snapshot()
    load = undo(apply(check(cast.registrar, [row]), cast.registrar), cast.registrar)
    assert load.status == "undone" and snapshot() == before
    item = proposals.of_load(load)
    assert (item.status, item.cause) == ("closed", proposals.WITHDRAWN)


def test_only_the_office_that_is_asked_answers_the_version_that_it_saw(cast: Cast) -> None:
    stranger = Cast()
    load = apply(check(cast.registrar, exports.rows_of(1, [cast.school.code])), cast.registrar)
    item = proposals.of_load(load)
    assert [one.id for one in items.waiting(cast.reviewer)] == [item.id]
    for who in (cast.registrar, cast.head, stranger.reviewer, cast.approver):
        assert items.find(who, item.id) is None and items.count_waiting(who) == 0
        with pytest.raises(Refused):
            proposals.accept(item, who, item.version)
    with pytest.raises(Refused):
        proposals.accept(item, cast.reviewer, item.version - 1)


def test_two_reviewers_at_once_answer_once(app: Flask, cast: Cast) -> None:
    load = apply(check(cast.registrar, exports.rows_of(3, [cast.school.code])), cast.registrar)
    item = proposals.of_load(load)
    item_id, version, told = item.id, item.version, []
    db.session.rollback()
    gate = threading.Barrier(2)

    def say(verb: str) -> None:
        with app.app_context():
            one = db.session.get_one(Item, item_id)
            db.session.rollback()
            gate.wait(20)
            try:
                if verb == "yes":
                    proposals.accept(one, cast.reviewer, version)
                else:
                    proposals.refuse(one, cast.reviewer2, version, "没有转入手续")
                db.session.commit()
                told.append(verb)
            except Refused:
                db.session.rollback()

    threads = [threading.Thread(target=say, args=(verb,)) for verb in ("yes", "no")]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    tasks.wait()
    db.session.expire_all()
    assert len(told) == 1
    status = db.session.get_one(Item, item_id).status
    assert status == {"yes": "accepted", "no": "closed"}[told[0]]
    count = db.session.scalar(select(func.count()).where(Pupil.load_id == load.id))
    assert count == (3 if told == ["yes"] else 0)


def test_what_a_dead_process_left_answered_is_written_by_the_next(app: Flask, cast: Cast) -> None:
    load = apply(check(cast.registrar, exports.rows_of(2, [cast.school.code])), cast.registrar)
    item = proposals.of_load(load)
    items.answer(item, cast.reviewer, "accepted", "answered", item.version)
    db.session.commit()
    tasks.resume(app)
    tasks.wait()
    db.session.expire_all()
    assert proposals.of_load(load).status == "accepted"
    assert db.session.scalar(select(func.count()).where(Pupil.load_id == load.id)) == 2


def test_a_bureaus_load_waits_for_nobody_and_a_policy_may_open_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = apply(check(cast.reviewer, [as_exported(cast.pupil, name="马一")]), cast.reviewer)
    assert proposals.of_load(load) is None and stored(cast.pupil)["name"] == "马一"
    monkeypatch.setattr(waiting.Gate, "of", classmethod(lambda cls, _office: cls(frozenset({"added"}))))
    load = apply(check(cast.registrar, [as_exported(cast.pupil, name="马二")]), cast.registrar)
    assert proposals.of_load(load) is None and stored(cast.pupil)["name"] == "马二"


@pytest.mark.parametrize(
    ("before", "after", "waits"),
    [("01", "02", False), ("01", "03", True), ("01", "10", True), ("10", "01", True), ("07", "08", False)],
)
def test_a_status_waits_where_it_ends_or_opens_a_record(before: str, after: str, waits: bool) -> None:
    gate = waiting.Gate(waiting.KINDS)
    change = {"kind": "changed", "before": {"enrolment_status": before}, "after": {"enrolment_status": after}}
    (part,) = gate.part([change])
    assert part["kind"] == ("waiting" if waits else "changed")


def test_events_of_an_item_are_not_rewritten(cast: Cast) -> None:
    apply(check(cast.registrar, exports.rows_of(1, [cast.school.code])), cast.registrar)
    assert db.session.scalar(select(func.count()).select_from(ItemEvent)) == 1
    db.session.rollback()
    for statement in ("UPDATE item_events SET verb = 'refused'", "DELETE FROM item_events"):
        with pytest.raises(DatabaseError, match="append-only"):
            db.session.execute(text(statement))
        db.session.rollback()


def test_a_county_is_not_asked_twice_by_one_load(cast: Cast) -> None:
    load = apply(check(cast.registrar, exports.rows_of(1, [cast.school.code])), cast.registrar)
    assert db.session.scalar(select(func.count()).select_from(Item)) == 1
    assert db.session.get_one(RegisterLoad, load.id).counts["waiting"] == 1
