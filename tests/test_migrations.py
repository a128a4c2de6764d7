"""A step back of the schema with rows that only its later form allows, and forward again; on both pairs of services."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import DBAPIError

from portal import audit, tasks
from portal.cases import clock, evidence, register, roster, stored_files
from portal.cases.loads import lifecycle
from portal.cases.stamped import receiving
from portal.extensions import db
from portal.models import AdmittedList, Pupil, RegisterChange, RegisterLoad, RosterRow, StampedPage
from portal.models.types import new_id, utcnow
from portal.oversight import audit_walk, holidays
from portal.oversight.findings import Findings
from portal.standards.school_year import year_of_entry
from storage.objects import Sealed
from tests import exports
from tests.builders import Cast, a_case, a_pupil, a_state
from tests.cases import test_loads as loads
from tests.intakes import a_list, people
from tests.web.test_intake import Intake

COLUMN = "secondary_number"
CONSTRAINT = "uq_register_changes_case_id_pupil_id_column"
GIVEN = (("F1", "F2", "F3"), ("G1", "G2"), ("H1",))  # at first, put right once, put right twice


def corrected() -> None:
    """Three people of an approved roster, with the numbers of GIVEN."""
    cast, ones = Intake(), people(3)
    cast.plan(10, 8, year=year_of_entry(clock.today()))
    a_list(cast.state, cast.approver, {cast.school: ones})
    case = cast.approved(ones, 3)
    query = select(RosterRow.pupil_id).where(RosterRow.case_id == case.id).order_by(RosterRow.position)
    pupils = [one for one in db.session.scalars(query) if one]
    for correction, numbers in enumerate(GIVEN):
        register.note_later(case, COLUMN, dict(zip(pupils, numbers, strict=False)), correction)
    db.session.commit()


def stored(sql: str) -> list[tuple[Any, ...]]:
    """Rows as they lie in the database, whatever the models know of it; nothing stays open on it."""
    found = [tuple(row) for row in db.session.execute(text(sql), {"column": COLUMN})]
    let_go()
    return found


def let_go() -> None:
    db.session.remove()
    db.engine.dispose()


def unique_constraints() -> set[str | None]:
    found = {one["name"] for one in inspect(db.engine).get_unique_constraints("register_changes")}
    let_go()
    return found


def test_back_from_0005_a_corrected_number_is_one_change_to_what_holds(app: Flask) -> None:
    corrected()
    others = """SELECT COUNT(*) FROM register_changes WHERE "column" <> :column"""
    numbers = """SELECT "before", "after" FROM register_changes WHERE "column" = :column ORDER BY "after" """
    before = stored(others)
    downgrade(revision="0004")
    assert stored(numbers) == [("", "F3"), ("", "G2"), ("", "H1")]
    assert stored(others) == before and before[0][0] > 0
    assert unique_constraints() == {CONSTRAINT}
    upgrade()
    assert unique_constraints() == {f"{CONSTRAINT}_correction"}
    query = select(RegisterChange.after, RegisterChange.correction).where(RegisterChange.column == COLUMN)
    again = [tuple(row) for row in db.session.execute(query.order_by(RegisterChange.after))]
    assert again == [("F3", 0), ("G2", 0), ("H1", 0)]
    assert [one.changes for one in db.session.scalars(select(AdmittedList))] == [{}]


def test_0011_knows_only_the_years_of_a_whole_notice_and_goes_back(app: Flask) -> None:
    """One table for all becomes each topmost office's own; a year with some days only stays unknown."""
    tops = [a_state(), a_state()]
    db.session.commit()
    let_go()
    downgrade(revision="0010")
    with holidays.SHIPPED.open(encoding="utf-8-sig", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["date"] >= "2026"]
    rows.append({"date": "2027-01-01", "kind": "off", "name": "元旦", "official_notice": ""})
    for row in rows:
        insert = (
            "INSERT INTO holidays (day, kind, name, notice) VALUES (:date, :kind, :name, :official_notice)"
        )
        db.session.execute(text(insert), row | {"date": date.fromisoformat(row["date"]).isoformat()})
    db.session.commit()
    let_go()
    upgrade()
    for top in tops:
        assert [holidays.known(top, year) for year in (2025, 2026, 2027)] == [False, True, False]
        assert len([one for one in holidays.entries(top, 2026) if one.source == holidays.BY_NOTICE]) == 39
        assert holidays.entries(top, 2027)[0].source == holidays.LOCAL
        notice = holidays.notice_of(top, 2026)
        assert notice is not None and notice.document.startswith("https://www.gov.cn/")
    let_go()
    downgrade(revision="0010")
    assert stored("SELECT COUNT(*) FROM holidays") == [(40,)]
    assert stored("SELECT kind FROM holidays WHERE day = '2026-10-10'") == [("work",)]
    upgrade()


def test_back_from_0010_a_page_in_doubt_waits_without_a_case(app: Flask) -> None:
    """And forward again with none in doubt: it is placed by its number, as before."""
    cast = Cast()
    case = a_case(cast, "county_review")
    coming = receiving.stage(cast.registrar, "批.pdf")
    batch = receiving.settle(coming, Sealed(coming.key, "", "0" * 64, 1), "application/pdf")
    batch.status = "sorted"
    for number, outcome in enumerate(("landed", "tray"), start=1):
        about = {"case_id": case.id, "printout": "approval-form", "version": 3, "doubts": {"seal": "page"}}
        db.session.add(StampedPage(batch_id=batch.id, page=number, outcome=outcome, **about))
    db.session.commit()
    let_go()
    downgrade(revision="0007")
    told = "SELECT outcome, printout, case_id IS NULL FROM stamped_pages ORDER BY page"
    assert [tuple(map(str, row[:2])) for row in stored(told)] == [("landed", "approval-form"), ("tray", "")]
    assert [bool(row[2]) for row in stored(told)] == [False, True]
    upgrade()
    assert {tuple(page.doubts) for page in db.session.scalars(select(StampedPage))} == {()}


def test_back_from_0006_and_forth_the_chain_still_verifies_and_rows_wait_to_be_sealed(app: Flask) -> None:
    """No record is touched either way, so that the guards of the chain stay as they are."""
    a_case(Cast())
    db.session.commit()
    records = stored("SELECT seq, digest, key_id FROM audit_records ORDER BY seq")
    downgrade(revision="0005")
    assert "row_digest" not in {one["name"] for one in inspect(db.engine).get_columns("pupils")}
    let_go()
    upgrade()
    assert stored("SELECT seq, digest, key_id FROM audit_records ORDER BY seq") == records
    assert audit.verify().fault == ""
    let_go()
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text("UPDATE audit_records SET action = 'x'"))
    let_go()
    assert all(one == ("",) for one in stored("SELECT row_digest FROM pupils"))
    assert app.test_cli_runner().invoke(args=["audit", "seal"]).exit_code == 0
    assert all(one != ("",) for one in stored("SELECT row_digest FROM pupils"))
    assert audit_walk.walk(Findings()).told == []


def test_0016_makes_the_index_of_names_and_goes_back(app: Flask) -> None:
    """For the pupils that are there."""
    cast = Cast()
    pupil = a_pupil(cast.school, name="曾晓慧")
    db.session.commit()
    kept = stored("SELECT gram, name FROM name_grams ORDER BY gram, name, pupil_id")
    assert ("晓慧", "zengxiaohui 曾晓慧 zxh") in kept
    let_go()
    downgrade(revision="0012")
    assert "name_grams" not in inspect(db.engine).get_table_names()
    let_go()
    upgrade()
    assert stored("SELECT gram, name FROM name_grams ORDER BY gram, name, pupil_id") == kept
    assert roster.search(cast.reviewer, "zxh").pupils == [db.session.get_one(Pupil, pupil.id)]


def test_back_to_0012_and_forth_every_file_keeps_its_row_and_what_waits_is_let_go(app: Flask) -> None:
    """A waiting proposal, an export of the register, one thrown away, and a list of the admitted on its way."""
    cast = Cast()
    db.session.commit()
    applied = loads.apply(loads.check(cast.registrar, exports.rows_of(2, [cast.school.code])), cast.registrar)
    thrown = loads.check(cast.registrar, exports.rows_of(1, [cast.school.code]))
    thrown_key, thrown_id, applied_id = thrown.stored["key"], thrown.id, applied.id
    stored_files.expect(stored_files.INTAKE, cast.state.id, cast.approver)
    db.session.commit()
    kept = stored("SELECT kind, status, key FROM stored_files ORDER BY key")
    assert sorted(one[:2] for one in kept) == [("intake", "staged"), ("load", "kept"), ("load", "kept")]
    lifecycle.discard(db.session.get_one(RegisterLoad, thrown_id))
    db.session.get_one(RegisterLoad, thrown_id).stored = {
        "key": thrown_key
    }  # as it was before files had rows
    db.session.commit()
    let_go()
    downgrade(revision="0012")
    there = {one[0] for one in stored("SELECT store_key FROM intake_files")}
    assert there == {thrown_key} | {one[2] for one in kept if one[0] == "intake"}, (
        "what the sweep is to delete"
    )
    assert stored("SELECT count(*) FROM register_load_rows WHERE kind = 'waiting'") == [(0,)]
    upgrade()
    again = stored("SELECT kind, status, key FROM stored_files ORDER BY key")
    assert again == [(kind, "dropped" if key == thrown_key else state, key) for kind, state, key in kept]
    assert stored("SELECT count(*) FROM items") == [(0,)]
    assert db.session.get_one(RegisterLoad, applied_id).sheet == {}


def test_0019_keeps_every_number_and_goes_back(app: Flask) -> None:
    """A 学号 that stood in the place of a 学籍号 is a number of its own, and its row's digest goes on fitting."""
    cast, ones = Intake(), people(2)
    cast.plan(10, 8, year=year_of_entry(clock.today()))
    a_list(cast.state, cast.approver, {cast.school: ones})
    case = cast.approved(ones, 2)
    numbered = a_pupil(cast.school, student_number="L622999201005060001")
    formal = a_pupil(cast.school, student_number="G62299920100506001X")
    query = select(RosterRow.pupil_id, RosterRow.number).where(RosterRow.case_id == case.id)
    local = {str(number) for _, number in db.session.execute(query)}
    register.note_later(case, COLUMN, {row.pupil_id: f"F{row.number}" for row in db.session.execute(query)})
    db.session.commit()
    current = "SELECT kind, number FROM pupil_numbers WHERE until IS NULL ORDER BY kind, number"
    told = audit_walk.walk(Findings()).told  # of the numbers noted by hand here
    kept = stored(current)
    national = {("temporary", numbered.student_number), ("national", formal.student_number)}
    assert {*national, *(("school", one) for one in local), *(("secondary", f"F{one}") for one in local)} <= {
        *kept
    }
    downgrade(revision="0018")
    nulls = "SELECT student_number FROM pupils ORDER BY student_number"
    assert {*local, numbered.student_number, formal.student_number} <= {one[0] for one in stored(nulls)}
    let_go()
    with pytest.raises(DBAPIError):
        db.session.execute(text("UPDATE pupils SET student_number = NULL"))
    let_go()
    upgrade()
    assert stored(current) == kept
    assert stored("SELECT count(*) FROM pupils WHERE student_number IS NULL") == [(2,)]
    assert next(one for one in inspect(db.engine).get_columns("pupils") if one["name"] == "student_number")[
        "nullable"
    ]
    let_go()
    assert audit_walk.walk(Findings()).told == told
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text("UPDATE audit_records SET action = 'x'"))
    let_go()


def test_0020_gives_every_file_its_row_and_goes_back(app: Flask) -> None:
    """Papers of a draft and of a decided case, a batch that was sorted, a load; uploads on their way, before and after."""
    cast = Cast()
    a_case(cast, "ready", pupil=a_pupil(cast.school))
    decided = a_case(cast, "county_review")
    load = loads.check(cast.registrar, exports.rows_of(1, [cast.school.code]))
    coming = receiving.stage(cast.registrar, "批.pdf")
    receiving.settle(coming, Sealed(coming.key, "v1", "b" * 64, 7), "application/pdf").status = "sorted"
    papers = [file.store_key for file in evidence.files_of(decided)]
    stored_files.note_lock([*papers, coming.key], "GOVERNANCE", utcnow() + timedelta(days=9))
    late = [stored_files.expect(kind, cast.school.id, cast.registrar) for kind in stored_files.KINDS]
    db.session.commit()
    tasks.wait()
    every = "SELECT key, kind, status, version_id, sha256, size, lock_mode FROM stored_files ORDER BY key"
    load_key = load.stored["key"]
    kept = stored(every)
    term = stored(f"SELECT expires_at FROM stored_files WHERE key = '{load_key}'")
    let_go()
    downgrade(revision="0018")
    assert {one[0] for one in stored("SELECT key FROM stored_files")} == {*late, load_key}
    locked = stored("SELECT store_key FROM evidence_files WHERE lock_mode = 'GOVERNANCE'")
    assert {one[0] for one in locked} == set(papers)
    upgrade()
    assert stored(every) == kept
    assert stored(f"SELECT expires_at FROM stored_files WHERE key = '{load_key}'") != [(None,)] != term
    downgrade(revision="0018")
    interrupted = "evidence/ab/" + "ab" * 16
    copied = (
        "id, case_id, slot, name, sha256, version_id, size, media_type, verdict, refusal, notice, override_reason,"
        " uploaded_by_id, uploaded_at, round, row_digest, lock_mode"
    )
    values = copied.replace("id,", f"'{new_id().hex}',", 1)
    one = f"FROM evidence_files WHERE store_key = '{papers[0]}'"
    db.session.execute(
        text(
            f"INSERT INTO evidence_files ({copied}, status, store_key) SELECT {values}, 'staged', '{interrupted}' {one}"
        )
    )
    db.session.commit()
    let_go()
    upgrade()
    told = stored(f"SELECT status FROM stored_files WHERE key = '{interrupted}'")
    assert told == [("staged",)] and stored(
        f"SELECT status FROM evidence_files WHERE store_key = '{interrupted}'"
    ) == [("gone",)]
    guards = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
    if db.engine.dialect.name == "sqlite":
        assert stored(guards) != [(0,)]
    downgrade(revision="0012")
    there = {one[0] for one in stored("SELECT store_key FROM intake_files")}
    assert there == {*late, interrupted}, "what the sweep of a version before is to delete"
    upgrade()
    kinds = {tuple(row) for row in stored("SELECT kind, status FROM stored_files WHERE status = 'staged'")}
    assert kinds == {(kind, "staged") for kind in stored_files.KINDS}
