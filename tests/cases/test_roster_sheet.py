"""Sheets as schools and examination offices write them become rows of {column: text}."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pytest
import xlsxwriter  # type: ignore[import-untyped]

from portal.cases.loads.reading import Unreadable
from portal.cases.rosters.sheet import read_sheet
from portal.workflows.high_school_enrolment import COLUMNS

HEADINGS = ("学号", "姓名", "准考证号", "性别", "民族", "出生日期", "身份证号", "高中就读学校", "中考成绩")
PERSON = ("221300000001", "马一春", "226200000001", "男", "回族", "2011-02-03", "", "青禾一中", "612")
KEYS = {
    "name",
    "exam_number",
    "sex",
    "ethnicity",
    "birth_date",
    "id_number",
    "school",
    "exam_score",
}


def a_sheet(*lines: Sequence[str]) -> io.BytesIO:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        page = book.add_worksheet()
        for row, cells in enumerate(lines):
            for column, text in enumerate(cells):
                if text:
                    page.write_string(row, column, text)
    out.seek(0)
    return out


def test_the_form_is_read_below_its_title_with_its_own_row_numbers() -> None:
    """附件2: a title, the office that fills it in, the headings, blank lines between, a remark at the foot."""
    sheet = a_sheet(
        ("2022届云岭州普通高中学生学籍注册登记表",),
        ("填表单位（盖章）",),
        HEADINGS,
        PERSON,
        (),
        (" ", " "),
        PERSON,
        ("说明：按学号顺序由小到大排列。",),
    )
    found = read_sheet(sheet, COLUMNS)
    assert [number for number, _texts in found.rows] == [4, 7]
    assert found.rows[0][1].keys() == KEYS
    assert found.rows[0][1]["exam_number"] == "226200000001"
    assert found.missing == ()
    assert found.ignored == ("学号",)


def test_row_numbers_count_blank_rows_above() -> None:
    found = read_sheet(a_sheet((), (), HEADINGS, (), PERSON), COLUMNS)
    assert [number for number, _texts in found.rows] == [5]


def test_headings_go_by_title_alias_and_marks() -> None:
    sheet = a_sheet(
        ("*学生姓名", "中考\n准考证号（必填）", " 性 别 ", "籍贯", "民族", "出生年月", "考号"),
        ("马一春", "226200000001", "男", "青禾", "回族", "20110203", "9"),
    )
    found = read_sheet(sheet, COLUMNS)
    assert found.rows == [
        (
            2,
            {
                "name": "马一春",
                "exam_number": "226200000001",
                "sex": "男",
                "ethnicity": "回族",
                "birth_date": "20110203",
            },
        )
    ]
    assert found.missing == ("中考成绩",)
    assert found.ignored == ("籍贯", "考号")


def test_csv_is_read_too() -> None:
    out = io.StringIO()
    csv.writer(out).writerows([HEADINGS, PERSON])
    found = read_sheet(io.BytesIO(out.getvalue().encode("gb18030")), COLUMNS)
    assert found.rows[0][1]["name"] == "马一春"


def test_short_and_long_rows_keep_to_the_headings() -> None:
    found = read_sheet(a_sheet(("姓名", "性别"), ("马一春",), ("马二春", "女", "多余")), COLUMNS)
    assert [texts for _number, texts in found.rows] == [
        {"name": "马一春", "sex": ""},
        {"name": "马二春", "sex": "女"},
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (a_sheet(("籍贯", "住址"), ("青禾", "一村")).getvalue(), "没有找到列标题（如“姓名”“准考证号”）"),
        (a_sheet().getvalue(), "没有找到列标题"),
        (b"PK\x03\x04 no workbook", "打不开"),
        (b"\xd0\xcf\x11\xe0", "旧格式"),
    ],
)
def test_what_cannot_be_read_is_told(data: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        read_sheet(io.BytesIO(data), COLUMNS)
