"""Names are found by the index, and the index follows every door through which a name is written."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.cases import name_index, roster
from portal.cases.roster import Narrowed, Place
from portal.extensions import db
from portal.models import Level, NameGram, Pupil, Role
from tests import exports
from tests.builders import NEW_NAME, Cast, a_case, a_pupil, a_school, act, an_actor, an_office
from tests.cases.test_loads import apply, as_exported, check, findings, undo


@pytest.fixture
def cast(app: Flask) -> Cast:
    return Cast()


def kept() -> set[tuple[Any, ...]]:
    return {tuple(row) for row in db.session.execute(select(NameGram.__table__))}


def due() -> set[tuple[Any, ...]]:
    """What the pupils there are must have in the index, made anew."""
    pupils = db.session.execute(select(Pupil.id, Pupil.name, Pupil.school_id)).all()
    counties = name_index.counties_of({one.school_id for one in pupils})
    return {
        (gram, counties[one.school_id], order, one.id)
        for one in pupils
        for gram, order in name_index.entries(one.name)
    }


def found(actor: Any, text: str, **more: Any) -> list[str]:
    return [one.name for one in roster.search(actor, text, **more).pupils]


def test_a_load_enters_renames_moves_and_takes_back(cast: Cast) -> None:
    elsewhere = a_school(an_office(Level.COUNTY, cast.state))
    approver = cast.approver
    db.session.commit()
    before = kept()
    assert before == due() and before
    moved = as_exported(cast.pupil, name="马·改名", school_code=elsewhere.code)
    load = apply(check(approver, [moved, *exports.rows_of(3, [cast.school.code])]), approver)
    assert load.status == "applied", load.message
    assert kept() == due() and kept() != before
    assert found(an_actor(Role.REVIEWER, elsewhere.parent), "改名") == ["马·改名"]
    assert found(cast.reviewer, "改名") == []
    db.session.commit()
    undo(load, approver)
    assert load.status == "undone", load.message
    assert kept() == before == due()


def test_an_approved_case_renames_and_the_session_follows(cast: Cast) -> None:
    case = a_case(cast, "county_review")
    act(case, cast.reviewer, "approve")
    act(case, cast.approver, "approve")
    db.session.flush()
    new = NEW_NAME["new_name"]
    assert found(cast.reviewer, new) == [new] and kept() == due()
    db.session.expire_all()
    cast.pupil.name = "张三丰"
    db.session.flush()
    assert found(cast.reviewer, "zsf") == ["张三丰"] and kept() == due()
    lone = a_pupil(cast.school, name="欧阳无忌")
    db.session.delete(lone)
    db.session.flush()
    assert found(cast.reviewer, "欧阳") == [] and kept() == due()


QUERIES: tuple[tuple[str, list[str]], ...] = (
    *(
        ("曾晓", ["曾晓慧"]),
        ("晓慧", ["曾晓慧", "马晓慧"]),
        ("曾晓慧\u200b", ["曾晓慧"]),
        ("曾 晓慧", ["曾晓慧"]),
    ),
    *(("曾", ["曾晓慧"]), ("慧", []), ("zxh", ["曾晓慧"]), ("ZX", ["曾晓慧"]), ("cxh", ["曾晓慧"])),
    *(("zengxiao", ["曾晓慧"]), ("zeng xiaohui", ["曾晓慧"]), ("ceng", ["曾晓慧"]), ("xiaohui", [])),
    *(
        ("提．艾", ["买买提·艾力"]),
        ("买买提•艾力", ["买买提·艾力"]),
        ("mmt", ["买买提·艾力"]),
        ("提艾", ["买买提·艾力"]),
    ),
    *(
        ("smith", ["Anna Smith"]),
        ("anna s", ["Anna Smith"]),
        ("nna", []),
        ("⻢晓", ["马晓慧"]),
        ("吕", ["吕布"]),
    ),
    *(("lv", ["吕布"]), ("lyu", ["吕布"]), ("%", []), ("_晓", []), ("·", []), ("\u200b", [])),
)


def test_two_characters_one_initials_and_pinyin(cast: Cast) -> None:
    for name in ("曾晓慧", "马晓慧", "买买提·艾力", "Anna Smith", "吕布"):
        a_pupil(cast.school, name=name)
    a_pupil(name="曾晓慧")  # of another state
    for actor in (cast.registrar, cast.reviewer, cast.approver):
        for text, names in QUERIES:
            assert sorted(found(actor, text)) == sorted(names), (actor.office_level, text)


def test_pages_go_on_from_the_last_pupil_and_back(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster, "PAGE", 3)
    other = a_school(an_office(Level.COUNTY, cast.state))
    for number, given in enumerate("安宝晨丹恩方刚"):
        a_pupil((cast.school, other)[number % 2], name=f"童{given}{given}")
    one = roster.search(cast.approver, "童")
    two = roster.search(cast.approver, "童", place=Place(2, after=one.pupils[-1].id))
    three = roster.search(cast.approver, "童", place=Place(3, after=two.pupils[-1].id))
    pages = [[pupil.name[1] for pupil in page.pupils] for page in (one, two, three)]
    assert pages == [list("安宝晨"), list("丹恩方"), ["刚"]]
    assert (one.more, two.more, three.more) == (True, True, False) and three.page == 3
    back = roster.search(cast.approver, "童", place=Place(2, before=three.pupils[0].id))
    assert [pupil.name[1] for pupil in back.pupils] == list("丹恩方") and back.more
    lost = roster.search(cast.approver, "童", place=Place(7, after=uuid.uuid4()))
    assert lost.page == 1 and lost.pupils == one.pupils, "a place that is gone begins anew"


def test_results_are_narrowed_by_school_grade_class_and_status(cast: Cast) -> None:
    junior = a_school(cast.county, stages=("初中",))
    for grade, class_name, status in (
        ("七年级", "4班", "01"),
        ("初一", "（四）班", "02"),
        ("初二", "4", "01"),
    ):
        a_pupil(
            junior,
            name="丁" + grade[0] + grade[1],
            stage="初中",
            grade=grade,
            class_name=class_name,
            enrolment_status=status,
        )
    a_pupil(cast.school, name="丁高一")
    assert len(found(cast.reviewer, "丁")) == 4
    assert sorted(found(cast.reviewer, "丁", narrowed=Narrowed(grade="七年级"))) == ["丁七年", "丁初一"]
    assert found(cast.reviewer, "丁", narrowed=Narrowed(status="02")) == ["丁初一"]
    assert found(cast.reviewer, "丁", narrowed=Narrowed(cast.school)) == ["丁高一"]
    assert sorted(found(cast.reviewer, "丁", narrowed=Narrowed(junior, "初一", "4班"))) == [
        "丁七年",
        "丁初一",
    ]


def test_one_class_in_every_writing_is_one_list_in_the_order_asked_for(cast: Cast) -> None:
    school = a_school(cast.county, stages=("初中",))
    rows = (
        ("张三", "七年级", "4班", "L2"),
        ("艾力", "初一", "（4）班", "L1"),
        ("安宁", "7年级", "四班", "L3"),
    )
    for name, grade, class_name, number in rows:
        a_pupil(school, name=name, stage="初中", grade=grade, class_name=class_name, student_number=number)
    a_pupil(school, name="李四", stage="初中", grade="初二", class_name="4班")
    counted = [(one.pupils, one.class_name) for one in roster.classes(cast.reviewer, school.id)]
    assert [number for number, _ in counted] == [3, 1]
    listed = roster.in_class(cast.reviewer, school.id, "初一", "4班")
    assert [one.name for one in listed.pupils] == ["艾力", "安宁", "张三"], "by pinyin"
    by_number = roster.in_class(cast.reviewer, school.id, "七年级", "4", order="number")
    assert [one.name for one in by_number.pupils] == ["艾力", "张三", "安宁"]


# --- a load and the one guard ----------------------------------------------------------------------------------------


def test_a_load_takes_other_writings_for_no_change(cast: Cast) -> None:
    pupil = a_pupil(cast.school, name="买买提·艾力", grade="高一", class_name="4班")
    writings = {
        "name": "买买提.艾力",
        "grade": "高中一年级",
        "class_name": "（四）班",
        "id_number": pupil.id_number + "\u200b",
    }
    load = check(cast.registrar, [as_exported(pupil, **writings)])
    written = {column for row in findings(load, "changed") for column in row.after}
    assert not written & writings.keys() and "faulty" not in load.counts, written
    other = check(cast.registrar, [as_exported(pupil, class_name="5班")])
    assert [row.after.get("class_name") for row in findings(other, "changed")] == ["5班"]


def test_a_load_tells_what_it_put_right_in_a_name(cast: Cast) -> None:
    rows = list(exports.rows_of(3, [cast.school.code]))
    for row, name in zip(rows, ("李 四", "周\u200b八", "\ue000中"), strict=True):
        row["name"] = name
    load = apply(check(cast.reviewer, rows), cast.reviewer)
    assert load.counts["added"] == 3 and load.counts["warning"] == 3 and "faulty" not in load.counts
    numbers = [row["student_number"] for row in rows]
    stored = dict(db.session.execute(select(Pupil.student_number, Pupil.name)).all())
    assert [stored[one] for one in numbers] == ["李四", "周八", "\ue000中"]
