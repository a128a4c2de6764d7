"""Loads of the register as the engine sees them: cells, comparison, applying and undoing, landing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from portal import tasks
from portal.cases import entries, landings, stored_files
from portal.cases.access import Actor
from portal.cases.entries import STAGES
from portal.cases.loads import lifecycle, proposals, work
from portal.cases.loads.lifecycle import LoadRefused
from portal.extensions import db
from portal.models import (
    AuditRecord,
    NationalEntry,
    Pupil,
    RegisterChange,
    RegisterLoad,
    RegisterLoadRow,
    Role,
)
from portal.models.types import utcnow
from portal.workflows.facts import ANOTHER
from tests import exports
from tests.builders import Cast, a_case, a_pupil, a_school, act, an_actor, an_id_number

WAITING = STAGES["waiting"]

Row = dict[str, str]


@pytest.fixture
def cast(app: Flask) -> Cast:
    return Cast()


def check(
    actor: Actor, rows: Iterable[Mapping[str, str]], *, complete: bool = False, data: bytes = b""
) -> RegisterLoad:
    """Upload and check; every column of the register unless `data` is given."""
    data = data or exports.as_xlsx(rows, exports.EVERY_COLUMN, exports.EVERY_HEADING)
    db.session.commit()
    load = lifecycle.begin(actor, "名单.xlsx", receive(data, actor))
    lifecycle.start_check(load, actor, load.mapping, complete=complete)
    return settle(load)


def receive(data: bytes, actor: Actor) -> lifecycle.Received:
    """Read a load's file and store it under the key of a committed row, as the page of uploads does."""
    examined = lifecycle.examine(data)
    key = stored_files.expect(stored_files.LOAD, actor.office_id, actor)
    db.session.commit()
    return lifecycle.keep(tasks.store(), key, data, examined)


def settle(load: RegisterLoad) -> RegisterLoad:
    db.session.commit()
    tasks.wait()
    db.session.expire_all()
    return load


def apply(load: RegisterLoad, actor: Actor) -> RegisterLoad:
    lifecycle.ask_apply(load, actor, without_faulty=True)
    return settle(load)


def apply_and_confirm(load: RegisterLoad, cast: Cast) -> RegisterLoad:
    """The school applies its load, and the county says yes to what waits."""
    item = proposals.of_load(apply(load, cast.registrar))
    proposals.accept(item, cast.reviewer, item.version)
    return settle(load)


def undo(load: RegisterLoad, actor: Actor) -> RegisterLoad:
    lifecycle.ask_undo(load, actor)
    return settle(load)


def findings(load: RegisterLoad, kind: str) -> list[RegisterLoadRow]:
    query = select(RegisterLoadRow).where(RegisterLoadRow.load_id == load.id, RegisterLoadRow.kind == kind)
    return list(db.session.scalars(query.order_by(RegisterLoadRow.id)))


def as_exported(pupil: Pupil, **changes: str) -> Row:
    """The row that the national system would export of a pupil of ours."""
    row = exports.a_row(1, pupil.school.code)
    own = {
        "student_number": pupil.student_number, "name": pupil.name, "sex": pupil.sex, "stage": pupil.stage,
        "birth_date": pupil.birth_date.isoformat() if pupil.birth_date else "", "grade": pupil.grade,
        "class_name": pupil.class_name, "id_number": pupil.id_number, "id_type": pupil.id_type,
        "ethnicity": pupil.ethnicity, "overseas": pupil.overseas, "nationality": pupil.nationality,
    }  # fmt: skip
    return row | own | changes


def snapshot() -> dict[str, dict[str, Any]]:
    """Every pupil's whole row but its version and digest, by student number."""
    db.session.rollback()
    rows = db.session.execute(select(Pupil.__table__)).mappings().all()
    db.session.rollback()
    return {
        row["student_number"]: {k: v for k, v in row.items() if k not in ("version", "row_digest")}
        for row in rows
    }


# --- cells ----------------------------------------------------------------------------------------------------------

BAD_CELLS = (
    ("student_number", "X62299920080909", "19 位"),
    ("student_number", "", "没有填写"),
    ("student_number", "G622999200809080013", "校验码"),
    ("student_number", "6.22999200809E+17", "末几位已经丢失"),
    ("student_number", "6.22999200809e+17", "末几位已经丢失"),
    ("school_code", "3462999999", "不是本校"),
    ("name", "", "没有填写"),
    ("name", "李··明", "连在一起"),
    ("name", "马①明", "不能使用的字符"),
    ("name", "⻩明", "U+2EE9"),
    ("sex", "男生", "没有这个代码或名称"),
    ("birth_date", "20100230", "不是有效的日期"),
    ("birth_date", "2099-01-01", "不合理"),
    ("ethnicity", "火星族", "没有这个代码或名称"),
    ("id_number", "622999200809080013", "校验码"),
    ("id_number", "62299920080908001", "18 位"),
    ("id_number", "622999080908001", "15 位"),
    ("enrolment_status", "在家", "没有这个代码或名称"),
    ("stage", "大学", "没有这个学段"),
    ("grade", "", "没有填写"),
    ("class_name", "一" * 41, "超过 40 个字"),
)


@pytest.mark.pages
def test_each_bad_cell_is_named_with_row_column_value_reason_and_remedy(cast: Cast) -> None:
    good = list(exports.rows_of(len(BAD_CELLS) + 2, [cast.school.code]))
    for number, (column, value, _) in enumerate(BAD_CELLS):
        good[number][column] = value
    load = check(cast.registrar, good)
    assert load.status == "checked", load.message
    assert load.counts["faulty"] == len(BAD_CELLS) and load.counts["waiting"] == 2
    for row, (column, value, words) in zip(findings(load, "faulty"), BAD_CELLS, strict=True):
        (fault,) = [one for one in row.faults if one["column"] == column]
        assert row.row == BAD_CELLS.index((column, value, words)) + 2
        assert fault["value"] == value.replace("\x00", "")
        assert words in fault["reason"], (column, value, fault)
        assert fault["remedy"] and fault["heading"] and fault["level"] == "error"


@pytest.mark.pages
def test_values_that_disagree_are_loaded_and_pointed_at(cast: Cast) -> None:
    rows = list(exports.rows_of(3, [cast.school.code]))
    rows[0]["birth_date"] = "20100101"
    rows[1]["sex"] = "男" if rows[1]["sex"] == "女" else "女"
    rows[2]["guardian1_relation"] = "干爹"
    load = check(cast.reviewer, rows)
    assert load.counts == {"added": 3, "warning": 3, "rows": 3}
    columns = [row.faults[0]["column"] for row in findings(load, "warning")]
    assert columns == ["birth_date", "sex", "guardian1_relation"]
    apply(load, cast.reviewer)
    loaded = db.session.scalars(select(Pupil).where(Pupil.student_number == rows[2]["student_number"])).one()
    assert loaded.particulars["guardian1_relation"] == "干爹"


@pytest.mark.pages
def test_a_pupil_without_a_number_is_not_refused(cast: Cast) -> None:
    (row,) = exports.rows_of(1, [cast.school.code])
    row |= {"id_number": "", "id_type": "", "former_name": ""}
    load = apply(check(cast.reviewer, [row]), cast.reviewer)
    assert load.status == "applied" and load.counts["added"] == 1


def test_names_stay_byte_for_byte(cast: Cast) -> None:
    names = [*exports.RARE_NAMES, "阿依古丽·买买提", "王\uf9dc", "〇一", "Anna-Marie O'Neil"]
    rows = list(exports.rows_of(len(names), [cast.school.code]))
    for row, name in zip(rows, names, strict=True):
        row["name"] = name
    apply(check(cast.reviewer, rows), cast.reviewer)
    stored = dict(db.session.execute(select(Pupil.student_number, Pupil.name)).all())
    for row, name in zip(rows, names, strict=True):
        assert stored[row["student_number"]].encode() == name.encode()


@pytest.mark.pages
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_in_either_encoding_and_in_the_forms_headings(cast: Cast, encoding: str) -> None:
    rows = list(exports.rows_of(60, [cast.school.code]))
    load = apply(check(cast.reviewer, [], data=exports.as_csv(rows, encoding=encoding)), cast.reviewer)
    assert load.counts["added"] == 60, load.message
    for row in rows:
        pupil = db.session.scalars(select(Pupil).where(Pupil.student_number == row["student_number"])).one()
        assert pupil.name == row["name"]
        assert pupil.particulars["guardian1_name"] == row["guardian1_name"]
        assert pupil.particulars["guardian2_id_number"] == row["guardian2_id_number"]
        assert pupil.stage == "高中"


@pytest.mark.pages
def test_the_stage_comes_from_the_grade_where_the_school_has_several(app: Flask) -> None:
    school = a_school(stages=("小学", "初中", "高中"))
    bureau = an_actor(Role.REVIEWER, school.parent)
    grades = {
        "三年级": "小学",
        "七年级": "初中",
        "初二": "初中",
        "高三": "高中",
        "十一年级": "高中",
        "2025级": "",
    }
    rows = list(exports.rows_of(len(grades), [school.code]))
    for row, grade in zip(rows, grades, strict=True):
        row |= {"grade": grade, "stage": ""}
    load = apply(check(bureau, rows), bureau)
    assert load.counts["warning"] == 1
    stages = dict(db.session.execute(select(Pupil.grade, Pupil.stage)).all())
    assert stages == grades


def test_duplicates_in_the_file_are_both_left_out(cast: Cast) -> None:
    rows = list(exports.rows_of(3, [cast.school.code]))
    rows[2]["student_number"] = rows[0]["student_number"]
    load = check(cast.reviewer, rows)
    assert load.counts["faulty"] == 2 and load.counts["added"] == 1
    assert "第 2、4 行" in findings(load, "faulty")[0].faults[0]["reason"]


def test_one_identity_number_on_two_student_numbers_is_a_warning(cast: Cast) -> None:
    elsewhere = a_pupil(a_school())
    rows = list(exports.rows_of(3, [cast.school.code]))
    rows[1] |= {key: rows[0][key] for key in ("id_number", "birth_date", "sex")}
    born = elsewhere.birth_date
    assert born is not None
    rows[2] |= {"id_number": elsewhere.id_number, "birth_date": born.isoformat(), "sex": elsewhere.sex}
    load = check(cast.reviewer, rows)
    warned = findings(load, "warning")
    assert [row.row for row in warned] == [2, 3, 4]
    assert "文件中" in warned[0].faults[0]["reason"] and "登记中" in warned[2].faults[0]["reason"]
    assert elsewhere.name not in str(warned[2].faults) and elsewhere.school.name not in str(warned[2].faults)


# --- whose rows -----------------------------------------------------------------------------------------------------


def test_nobody_loads_rows_of_offices_that_are_not_below_them(cast: Cast) -> None:
    near, far = a_school(cast.county), a_school()
    db.session.commit()
    for actor, codes, good in (
        (cast.registrar, (cast.school.code, near.code, far.code), 1),
        (cast.reviewer, (cast.school.code, near.code, far.code), 2),
        (cast.approver, (cast.school.code, near.code, far.code), 2),
    ):
        load = check(actor, exports.rows_of(3, codes))
        new = load.counts.get("added", 0) + load.counts.get("waiting", 0)
        assert (new, load.counts["faulty"]) == (good, 3 - good), actor.role
        assert all(row.faults[0]["column"] == "school_code" for row in findings(load, "faulty"))


def test_a_student_number_held_outside_is_refused_without_naming_who(cast: Cast) -> None:
    foreign = a_pupil(a_school(), name="外校学生")
    (row,) = exports.rows_of(1, [cast.school.code])
    row["student_number"] = foreign.student_number
    db.session.commit()
    before = snapshot()
    load = check(cast.reviewer, [row])
    (fault,) = findings(load, "faulty")[0].faults
    assert fault["reason"] == ANOTHER
    assert foreign.name not in str(fault) and foreign.school.name not in str(fault)
    with pytest.raises(LoadRefused, match="没有需要写入"):
        lifecycle.ask_apply(load, cast.reviewer, without_faulty=True)
    assert snapshot() == before


# --- changed, missing, stale ----------------------------------------------------------------------------------------


def test_changes_show_old_and_new_and_bump_the_version(cast: Cast) -> None:
    load = apply(check(cast.reviewer, [as_exported(cast.pupil)]), cast.registrar)
    db.session.refresh(cast.pupil)
    version = cast.pupil.version
    again = check(cast.reviewer, [as_exported(cast.pupil, class_name="5班", address="新址")])
    (row,) = findings(again, "changed")
    assert row.before == {"class_name": "1班", "address": load and exports.a_row(1, "")["address"]}
    assert row.after == {"class_name": "5班", "address": "新址"}
    apply(again, cast.reviewer)
    db.session.refresh(cast.pupil)
    assert (cast.pupil.class_name, cast.pupil.version) == ("5班", version + 1)
    equal = check(cast.reviewer, [as_exported(cast.pupil, class_name="5班", address="新址")])
    assert equal.counts == {"rows": 1}


@pytest.mark.pages
def test_missing_pupils_only_when_the_export_is_complete(cast: Cast) -> None:
    other = a_pupil(cast.school)
    elsewhere = a_pupil(a_school(cast.county))
    partial = check(cast.registrar, [as_exported(cast.pupil)])
    assert "missing" not in partial.counts
    complete = check(cast.registrar, [as_exported(cast.pupil)], complete=True)
    gone = {row.student_number for row in findings(complete, "waiting")}
    assert other.student_number in gone and cast.pupil.student_number not in gone
    assert elsewhere.student_number not in gone
    apply_and_confirm(complete, cast)
    db.session.refresh(other)
    assert other.gone_since is not None
    back = check(cast.reviewer, [as_exported(other)])
    assert findings(back, "changed")[0].after["gone_since"] is None
    apply(back, cast.reviewer)
    db.session.refresh(other)
    assert other.gone_since is None


def test_a_pupil_who_entered_by_a_roster_gets_the_national_number_from_the_export(cast: Cast) -> None:
    new = a_pupil(cast.school, student_number=None, particulars={"school_number": "261300000001"})
    there = as_exported(cast.pupil)
    number = f"G{new.id_number}"
    load = check(cast.reviewer, [there], complete=True)
    assert new.id not in {row.pupil_id for row in findings(load, "missing")}
    load = check(cast.reviewer, [there, as_exported(new, student_number=number)], complete=True)
    assert new.id in {row.pupil_id for row in findings(load, "changed")}
    assert not findings(load, "warning")
    apply(load, cast.reviewer)
    db.session.refresh(new)
    assert new.student_number == number and new.particulars["school_number"] == "261300000001"


def test_a_preview_that_the_register_has_outrun_is_not_applied(cast: Cast) -> None:
    rows = [as_exported(cast.pupil, class_name="9班"), *exports.rows_of(2, [cast.school.code])]
    load = check(cast.reviewer, rows)
    db.session.execute(update(Pupil).where(Pupil.id == cast.pupil.id).values(version=Pupil.version + 1))
    db.session.commit()
    before = snapshot()
    apply(load, cast.reviewer)
    assert load.status == "checked" and "重新核对" in load.message
    assert snapshot() == before


def test_undo_takes_back_exactly_what_was_applied(cast: Cast) -> None:
    moved = a_pupil(cast.school, particulars={"address": "旧址", "guardian1_name": "甲"})
    second = a_school(cast.county)
    db.session.commit()
    before = snapshot()
    rows = [
        as_exported(moved, school_code=second.code, name="马·改名", address="新址"),
        *exports.rows_of(5, [second.code]),
    ]
    load = apply(check(cast.reviewer, rows, complete=True), cast.reviewer)
    assert load.status == "applied"
    during = snapshot()
    assert len(during) == len(before) + 5 and during[moved.student_number]["school_id"] == second.id
    undo(load, cast.reviewer)
    assert load.status == "undone"
    assert snapshot() == before


def test_undo_is_refused_when_cases_touched_the_pupils_since(cast: Cast) -> None:
    (row,) = exports.rows_of(1, [cast.school.code])
    load = apply(check(cast.reviewer, [row, as_exported(cast.pupil, class_name="9班")]), cast.registrar)
    db.session.refresh(cast.pupil)
    case = a_case(cast)
    db.session.commit()
    with pytest.raises(LoadRefused, match="1 名涉及的学生"):
        lifecycle.ask_undo(load, cast.reviewer)
    db.session.rollback()
    act(case, cast.registrar, "withdraw")
    db.session.commit()
    assert undo(load, cast.reviewer).status == "undone"


def test_undo_is_refused_after_a_later_load_of_the_same_pupils(cast: Cast) -> None:
    first = apply(check(cast.reviewer, [as_exported(cast.pupil, class_name="8班")]), cast.registrar)
    later = apply(check(cast.reviewer, [as_exported(cast.pupil, class_name="9班")]), cast.reviewer)
    with pytest.raises(LoadRefused, match="请先撤销那一批"):
        lifecycle.ask_undo(first, cast.reviewer)
    db.session.rollback()
    undo(later, cast.reviewer)
    assert undo(first, cast.reviewer).status == "undone"


# --- held and landed ------------------------------------------------------------------------------------------------


def test_an_approved_value_is_held_until_the_export_shows_it(cast: Cast) -> None:
    old = as_exported(cast.pupil)
    apply(check(cast.registrar, [old]), cast.reviewer)
    db.session.refresh(cast.pupil)
    case = a_case(cast, "approved")
    db.session.commit()
    assert [entry.case_id for entry in entries.page(cast.registrar, WAITING).entries] == [case.id]
    stranger = an_actor(Role.REGISTRAR, a_school(cast.county))
    db.session.commit()
    assert entries.count(stranger, WAITING) == 0 and entries.count(cast.approver, WAITING) == 1

    held = check(cast.reviewer, [old | {"class_name": "7班"}])
    assert held.counts == {"changed": 1, "held": 1, "rows": 1}
    assert findings(held, "held")[0].before == {"name": "马晓明"}
    apply(held, cast.reviewer)
    db.session.refresh(cast.pupil)
    assert (cast.pupil.name, cast.pupil.class_name) == ("马晓明", "7班")
    assert entry_of(case).confirmed_at is None

    landed = check(cast.reviewer, [old | {"class_name": "7班", "name": "马晓明"}])
    assert landed.counts == {"landed": 1, "rows": 1}
    apply(landed, cast.reviewer)
    assert entry_of(case).confirmed_load_id == landed.id
    assert entries.count(cast.registrar, WAITING) == 0
    undo(landed, cast.reviewer)
    assert entry_of(case).confirmed_at is None and entries.count(cast.registrar, WAITING) == 1


@pytest.mark.pages
def test_a_third_value_is_loaded_and_pointed_at(cast: Cast) -> None:
    old = as_exported(cast.pupil)
    apply(check(cast.registrar, [old]), cast.reviewer)
    db.session.refresh(cast.pupil)
    case = a_case(cast, "approved")
    load = check(cast.reviewer, [old | {"name": "马小民"}])
    assert load.counts == {"changed": 1, "warning": 1, "rows": 1}
    assert "马晓明" in findings(load, "warning")[0].faults[0]["reason"]
    apply(load, cast.reviewer)
    assert entry_of(case).confirmed_at is None


def test_a_change_of_two_columns_lands_only_when_both_show(cast: Cast) -> None:
    old = as_exported(cast.pupil)
    apply(check(cast.registrar, [old]), cast.reviewer)
    db.session.refresh(cast.pupil)
    case = a_case(cast, "approved")
    number = an_id_number(cast.pupil.birth_date, cast.pupil.sex)  # type: ignore[arg-type]
    db.session.add(
        RegisterChange(
            case_id=case.id, pupil_id=cast.pupil.id, column="id_number", before=old["id_number"], after=number,
            pupil_version=cast.pupil.version,
        )
    )  # fmt: skip
    db.session.commit()
    half = {cast.pupil.id: {"name": "马晓明", "id_number": old["id_number"]}}
    whole = {cast.pupil.id: {"name": "马晓明", "id_number": number}}
    load_id = db.session.scalars(select(RegisterLoad.id)).one()
    assert landings.confirm_landed(load_id, half) == []
    assert landings.confirm_landed(load_id, whole) == [case.id]


def entry_of(case: Any) -> NationalEntry:
    db.session.expire_all()
    return db.session.get_one(NationalEntry, case.id)


# --- dead processes and second runs ---------------------------------------------------------------------------------


def test_a_check_left_by_a_dead_process_starts_again_from_nothing(cast: Cast) -> None:
    load = check(cast.reviewer, exports.rows_of(20, [cast.school.code]))
    load.status, load.worker, load.worker_seen_at = "checking", "dead", utcnow() - timedelta(minutes=5)
    db.session.commit()
    assert list(work.unfinished()) == [("load.check", {"load_id": str(load.id)})]
    db.session.rollback()
    work.check(str(load.id))
    db.session.expire_all()
    assert load.status == "checked"
    assert len(findings(load, "added")) == load.counts["added"] == 20


def test_tasks_may_run_twice(cast: Cast) -> None:
    load = apply(check(cast.reviewer, exports.rows_of(5, [cast.school.code])), cast.registrar)
    before = snapshot()
    for task in (work.check, work.apply, work.undo):
        task(str(load.id))
    db.session.expire_all()
    assert load.status == "applied" and snapshot() == before
    applied = select(func.count()).where(AuditRecord.action == "load.applied")
    assert db.session.scalar(applied) == 1


def test_a_failing_apply_leaves_nothing_and_says_so(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    load = check(cast.reviewer, exports.rows_of(5, [cast.school.code]))
    before = snapshot()
    lifecycle.ask_apply(load, cast.reviewer, without_faulty=False)

    def broken(point: str) -> None:
        raise RuntimeError(point)

    monkeypatch.setattr(work, "reach", broken)
    db.session.commit()
    with pytest.raises(RuntimeError, match="before_commit"):
        tasks.wait()
    db.session.expire_all()
    assert load.status == "checked" and "没有写入任何数据" in load.message
    assert snapshot() == before
