"""录取名单 cell by cell, and at the size of a state."""

from __future__ import annotations

import csv
import io
import time

import pytest
from flask import Flask

from portal.cases.intake import admissions, admitted_rows
from portal.cases.intake.admitted_rows import Schools, columns, judge
from portal.cases.intake.scope import scope_of
from portal.cases.refusing import Refused
from portal.cases.rosters.sheet import SheetRows
from portal.models import Office
from portal.models.types import new_id
from portal.workflows.high_school_enrolment import ROSTER_LAW
from tests.builders import Cast, a_school
from tests.intakes import a_person, receive_list

FIRST, TWIN_1, TWIN_2 = (
    Office(id=new_id(), name=name, code=code)
    for name, code in (("青禾一中", "3462000001"), ("同名中学", "3462000002"), ("同名中学", "3462000003"))
)
SCHOOLS = Schools.of([FIRST, TWIN_1, TWIN_2])


def a_row(number: int = 1, **values: str) -> dict[str, str]:
    return {**a_person(number), "admitted_to": "青禾一中", "exam_county": "青禾县", **values}


def judged(*rows: dict[str, str]) -> admitted_rows.Judged:
    return judge(ROSTER_LAW, SheetRows(list(enumerate(rows, start=2))), SCHOOLS)


def test_a_sound_row_is_kept_in_codes() -> None:
    found = judged(a_row(exam_county="青禾县教育局", admitted_to="3462000002"))
    assert not found.faults
    (row,) = found.rows
    assert (row["sex"], row["ethnicity"], row["exam_county"]) == ("1", "26", "青禾县")
    assert row["school_id"] == TWIN_1.id and row["birth_date"].year == 2011


@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        ("name", "", "没有填写姓名"),
        ("sex", "公", "没有这个名称"),
        ("ethnicity", "外星族", "没有这个名称"),
        ("birth_date", "2011-13-01", "不是有效的日期"),
        ("birth_date", "2999-01-01", "日期不合理"),
        ("exam_number", "12", "准考证号应为"),
        ("exam_score", "优", "成绩应是数字"),
        ("id_number", "6.22999E+17", "末几位已经丢失"),
        ("admitted_to", "没有的中学", "没有这所高中"),
        ("admitted_to", "同名中学", "有两所同名的高中"),
        ("admitted_to", "", "没有填写录取学校"),
        ("exam_county", "", "没有填写中考报名县市"),
    ],
)
def test_what_is_wrong_is_told_with_its_row_and_column(column: str, text: str, said: str) -> None:
    found = judged(a_row(1), a_row(2, **{column: text}))
    (fault,) = found.faults
    title = {one.key: one.title for one in columns(ROSTER_LAW)}[column]
    assert (fault.row, fault.title) == (3, title) and said in fault.reason and fault.remedy


def test_a_person_without_a_number_is_taken_and_nobody_twice() -> None:
    assert not judged(a_row(1, id_number=""), a_row(2, id_number="")).faults
    found = judged(
        a_row(1),
        a_row(2, id_number=a_person(1)["id_number"]),
        a_row(3, exam_number=a_person(1)["exam_number"]),
    )
    assert [(one.row, one.title, one.reason) for one in found.faults] == [
        (3, "身份证号", "与第 2 行相同"),
        (4, "准考证号", "与第 2 行相同"),
    ]


def test_twenty_thousand_people_become_a_list(app: Flask) -> None:
    """Read, judged, stored and compared: well within a request."""
    cast = Cast()
    schools = [a_school(cast.county) for _ in range(5)]
    scope = scope_of(cast.approver)
    assert scope is not None
    titles = [column.title for column in columns(ROSTER_LAW)]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(titles)
    for number in range(20_000):
        one = a_row(number, admitted_to=schools[number % 5].code, id_number="")
        writer.writerow([one[column.key] for column in columns(ROSTER_LAW)])
    begun = time.monotonic()
    known = Schools.of(schools)
    received = receive_list(scope, known, "名单.csv", out.getvalue().encode())
    admissions.stage(scope, received)
    waiting = admissions.staged(scope)
    assert waiting and (waiting.people, waiting.faulty, waiting.changes) == (20_000, 0, {})
    again = admissions.read_again(scope.roster, known, waiting)
    made = admissions.confirm(scope, waiting.sealed.sha256, again, "")
    assert made.people == 20_000 and admissions.staged(scope) is None
    assert time.monotonic() - begun < 60
    with pytest.raises(Refused, match="换过"):
        admissions.confirm(scope, waiting.sealed.sha256, again, "重复确认")


def test_a_list_that_came_meanwhile_is_not_replaced_unseen(app: Flask) -> None:
    cast = Cast()
    scope = scope_of(cast.approver)
    assert scope is not None
    known = Schools.of([cast.school])
    titles = ",".join(column.title for column in columns(ROSTER_LAW))

    def stage(number: int) -> str:
        one = a_row(number, admitted_to=cast.school.code)
        line = ",".join(one[column.key] for column in columns(ROSTER_LAW))
        data = f"{titles}\n{line}\n".encode()
        admissions.stage(scope, receive_list(scope, known, "名单.csv", data))
        waiting = admissions.staged(scope)
        assert waiting is not None
        return waiting.sealed.sha256

    first, second = stage(1), stage(2)
    waiting = admissions.staged(scope)
    assert waiting is not None
    rows = admissions.read_again(scope.roster, known, waiting)
    with pytest.raises(Refused, match="换过") as told:
        admissions.confirm(scope, first, rows, "")
    assert told.value.conflict
    assert admissions.confirm(scope, second, rows, "").number == 1
