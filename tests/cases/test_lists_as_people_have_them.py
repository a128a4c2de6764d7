"""What the cells of a list mean: lost digits, errors, dates; headings, totals, notes and the sheet, for loads and rosters alike."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date

import openpyxl
import pytest

from portal.cases.intake import admitted_rows, plan_sheet, province_return
from portal.cases.loads import mapping
from portal.cases.loads.heads import told
from portal.cases.loads.reading import NotThisSheet, open_table, sheets_of
from portal.cases.rosters.cells import Judge
from portal.cases.rosters.sheet import read_sheet, unread_in
from portal.standards import id_number
from portal.standards.columns import BY_KEY
from portal.standards.dates import fault_in, read_date
from portal.standards.spreadsheet import lost_digits, without_result
from portal.workflows.high_school_enrolment import ROSTER_LAW
from tests.builders import Cast
from tests.cases.test_loads import as_exported, check, findings
from tests.cases.test_sheets_as_people_have_them import book, cast  # noqa: F401 - a fixture

JUDGE = Judge(ROSTER_LAW, "青禾一中", date(2026, 9, 21))
LOST = (
    *(
        "6.22999E+17",
        "622.999E+15",
        "622999E+12",
        "6，2E+17",
        "6,22999e+017",
        "６.２E＋１７",
        "6.2E17",
        "1e15",
        "1E+15",
    ),
    *(
        "1.38930E+10",
        "1234567890123456.0",
        "622999198001010000",
        "6229991980010100000",
        "\u202d6.2E+17\u202c",
    ),
)
KEPT = (
    "7E0123",
    "3E2",
    "7E12",
    "622999200001010013",
    "13893000050",
    "226200000001",
    "1234567890123450",
    "E+17",
    "",
)
ERRORS = (
    *(
        "#N/A",
        "#n/a",
        "＃N/A",
        "#REF!",
        "#SPILL!",
        "#CALC!",
        "#GETTING_DATA",
        "#BUSY!",
        "#FIELD!",
        "#BLOCKED!",
    ),
    *(
        "#CONNECT!",
        "#UNKNOWN!",
        "#NAME?",
        "#名称?",
        "#名称？",
        "Err:502",
        "err:502",
        "########",
        "#公式没有结果",
        " #VALUE! ",
    ),
)


@pytest.mark.parametrize("text", LOST)
def test_a_number_without_its_last_digits_is_told_as_such(text: str) -> None:
    assert lost_digits(text)


@pytest.mark.parametrize("text", KEPT)
def test_a_number_that_is_whole_is_not(text: str) -> None:
    assert lost_digits(text) is None


def test_an_identity_number_that_ends_in_noughts_by_itself_is_whole() -> None:
    numbers = (f"622999198001{day:02}{digit}00" for day in range(1, 29) for digit in range(10))
    sound = next(number for number in numbers if id_number.check_digit(number) == "0") + "0"
    assert len(sound) == 18 and lost_digits(sound) is None


@pytest.mark.parametrize("text", ERRORS)
def test_an_error_is_no_value(text: str) -> None:
    assert without_result(text)


@pytest.mark.parametrize("text", ["#", "1#楼", "# 3班", "#3", "王芳", "Error", "N/A"])
def test_a_value_is_no_error(text: str) -> None:
    assert without_result(text) is None


def test_every_number_column_of_the_register_asks_and_no_other() -> None:
    asking = {key for key, column in BY_KEY.items() if column.is_number}
    assert asking == {
        *("student_number", "school_code", "id_number", "school_number", "secondary_number"),
        *(f"guardian{one}_{key}" for one in (1, 2) for key in ("id_number", "phone")),
    }


def test_a_load_refuses_lost_digits_and_keeps_a_class_that_looks_like_a_power(cast: Cast) -> None:  # noqa: F811
    pupil = cast.pupil
    load = check(cast.reviewer, [as_exported(pupil, class_name="7E0123")])
    assert "faulty" not in load.counts and findings(load, "changed")[0].after["class_name"] == "7E0123"
    told: dict[tuple[str, str], str] = {}
    for text in ("622.999E+15", "#SPILL!"):
        row = as_exported(pupil, id_number=text, guardian1_phone=text)
        faults = findings(check(cast.reviewer, [row]), "faulty")[0].faults
        told |= {(text, fault["column"]): fault["reason"] for fault in faults}
    assert (
        "已经丢失" in told[("622.999E+15", "id_number")]
        and "没有结果" in told[("#SPILL!", "guardian1_phone")]
    )


def test_a_roster_refuses_them_too() -> None:
    for text, said in (
        ("６.２E＋１７", "已经丢失"),
        ("622999198001010000", "已经丢失"),
        ("Err:502", "没有结果"),
    ):
        _, faults = JUDGE.row({"id_number": text, "exam_number": text})
        assert said in faults["id_number"][0] and said in faults["exam_number"][0]
    values, faults = JUDGE.row({"class_name": "7E0123", "name": "#名称?"})
    assert "class_name" not in faults and values["class_name"] == "7E0123" and "没有结果" in faults["name"][0]


def test_so_do_the_province_s_return_the_plan_and_the_list_of_the_admitted() -> None:
    returned = {"number": "221300000001", "secondary": "6.2E+17", "name": "", "id_number": ""}
    assert province_return._fault(returned, None, set(), {})[0] == "unread"
    assert (
        "身份证号"
        in province_return._fault(returned | {"secondary": "A1", "id_number": "#N/A"}, None, set(), {})[1]
    )
    assert "学校标识码" in unread_in({"code": "6.23E+09", "places": "3"}, plan_sheet.COLUMNS)
    asked = {column.key: column for column in admitted_rows.columns(ROSTER_LAW)}
    assert asked["exam_number"].is_number and asked["id_number"].is_number and asked["admitted_to"].is_number


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2010-5-6",
            "2010/5/6",
            "20100506",
            "2010.5.6",
            "2010年5月6日",
            "2010 年 5 月 6 日",
            "2010。5。6",
            "2010. 5. 6",
        ),
        *(
            "2010—5—6",
            "2010–5–6",
            "2010——5——6",
            "2010-05-06T00:00:00",
            "2010/05/06 0:00",
            "2010-05-06 00:00:00",
        ),
        *("20100506.0", "２０１０．５．６", " 2010-5-6 ", "\u202d2010-05-06\u202c", "2010年5月6号"),
    ],
)
def test_the_spellings_of_a_day_are_one_day(text: str) -> None:
    assert read_date(text) == date(2010, 5, 6)
    assert JUDGE.row({"birth_date": text})[0]["birth_date"] == "2010-05-06"


@pytest.mark.parametrize(
    "text", ["10-5-6", "10.5.6", "5/6/2010", "2010年5月", "2010-13-1", "40304", "2010-05-05T16:00:00Z"]
)
def test_what_names_no_day_for_certain_is_refused(text: str) -> None:
    assert read_date(text) is None
    assert "birth_date" in JUDGE.row({"birth_date": text})[1]


def test_a_year_of_two_places_is_told_as_such() -> None:
    assert "年份只有两位" in fault_in("10-5-6").reason
    assert "年份只有两位" in JUDGE.row({"birth_date": "10-5-6"})[1]["birth_date"][0]
    for far in ("1899-12-31", "0010-05-06", "2027-01-01"):
        assert "日期不合理" in JUDGE.row({"birth_date": far})[1]["birth_date"][0]


# --- headings, totals, notes, the sheet: loads and rosters alike -----------------------------------------------------

TITLES = ("姓名", "准考证号", "性别", "民族", "出生日期", "中考成绩", "班级")
ROW = ("马一春", "226200000001", "男", "回族", "2011-02-03", "612", "1班")


def both(*rows: Sequence[object]) -> tuple[list[int], dict[int, str], list[int], dict[int, str]]:
    """Row numbers and passed-over rows of one list as a load and as a roster read it: only the headings differ."""
    register = [["学籍号" if cell == "准考证号" else cell for cell in row] for row in rows]
    with open_table(io.BytesIO(book(("名单", register)))) as table:
        numbers = [number for number, _ in table.rows()]
        passed = table.passed()
    found = read_sheet(io.BytesIO(book(("名单", rows))), ROSTER_LAW.columns)
    return numbers, passed, [number for number, _ in found.rows], dict(found.passed)


@pytest.mark.parametrize(
    "line",
    [
        *(
            ["小计"],
            ["合计", "", 1],
            ["合计：", 1],
            ["合计:"],
            ["合计（人）", 1],
            ["总 计"],
            ["共 3 人"],
            ["合计3人"],
        ),
        *(
            ["本页合计", 1],
            ["年级小计"],
            ["总人数", 3],
            ["合  计"],
            ["", "合计", 1],
            [2, "小计", "", 1],
            ["合", "计", 1],
        ),
    ],
)
def test_totals_are_known_by_what_they_say_wherever_it_stands(line: list[object]) -> None:
    numbers, passed, rows, roster_passed = both(TITLES, ROW, line)
    assert numbers == rows == [2] and passed == roster_passed == {3: "totals"}


@pytest.mark.parametrize(
    "line",
    [
        *(
            ["填表人：张三", "", "审核人：李四"],
            ["审核人:"],
            ["备注：民族以户口簿为准"],
            ["说明：按学号由小到大排列。"],
        ),
        *(
            ["制表日期：2026-09-01"],
            ["第 1 页 共 3 页"],
            ["注：1. 不得涂改"],
            ["校长签字："],
            ["请各校核对，无误后盖章。"],
        ),
    ],
)
def test_notes_below_a_list_are_told_and_stop_nothing(line: list[object]) -> None:
    numbers, passed, rows, roster_passed = both(TITLES, ROW, line)
    assert numbers == rows == [2] and passed == roster_passed == {3: "notes"}
    assert "第 3 行是备注或落款，没有读入" in told(passed)


@pytest.mark.parametrize("name", ["合计", "小计", "备注：", "说明", "共三人"])
def test_a_row_with_numbers_of_somebody_is_a_person_whatever_the_name(name: str) -> None:
    lines = [(name, *ROW[1:]), ROW, (name, "", "男", "", "2011-02-03")]
    numbers, passed, rows, _ = both(TITLES, *lines)
    assert numbers == rows == [2, 3, 4] and not passed


def test_headings_of_each_printed_page_are_skipped_and_said() -> None:
    numbers, passed, rows, _ = both(["名单"], TITLES, ROW, ["名单"], TITLES, ROW)
    assert numbers == rows == [3, 6] and passed == {4: "repeated", 5: "repeated"}


def test_three_rows_of_headings_are_one() -> None:
    lines = [
        ["2026 年名单"],
        ["学籍号", "姓名", "家庭", None, "班级"],
        [None, None, "监护人一", None, None],
        [None, None, "姓名", "联系电话", None],
        ["L622999200001010001", "马明", "马父", "13900000001", "1班"],
    ]
    with open_table(io.BytesIO(book(("名单", lines)))) as table:
        assert len(mapping.propose(table.head.headings)) == 5 and [number for number, _ in table.rows()] == [
            5
        ]
        assert mapping.propose(table.head.headings)["3"] == "guardian1_phone"
    upper, lower = ["姓名", "考试", None, None], [None, "准考证号", "中考成绩", "备考"]
    found = read_sheet(
        io.BytesIO(book(("s", [upper, lower, ["马一春", "226200000001", "612"]]))), ROSTER_LAW.columns
    )
    assert found.rows == [(3, {"name": "马一春", "exam_number": "226200000001", "exam_score": "612"})]


def test_headings_stand_deep_below_a_long_preface() -> None:
    numbers, _, rows, _ = both(*[[f"第 {n} 条说明"] for n in range(20)], TITLES, ROW)
    assert numbers == rows == [22]


def test_a_sheet_that_speaks_of_the_headings_does_not_win_over_the_list() -> None:
    notes = ("说明", [["姓名", "准考证号", "填写说明"], ["与户口簿一致", "12位", "必填"]])
    found = read_sheet(
        io.BytesIO(book(notes, ("名单", [TITLES, ROW]), ("旧", [TITLES, ROW]))), ROSTER_LAW.columns
    )
    assert (found.sheet.sheet, found.sheet.others) == ("名单", ["说明", "旧"])
    headings, pupil = (
        ["学籍号", "姓名", "身份证件号", "班级"],
        ["L622999200001010001", "马明", "622999200001010013", "1班"],
    )
    notes = ("说明", [["学籍号", "姓名", "填写说明"], ["L622999200001010001", "张三", "示例"]])
    with open_table(io.BytesIO(book(notes, ("名单", [headings, pupil])))) as table:
        assert table.sheet.sheet == "名单", "one example is not the list"


def test_a_roster_names_its_sheet_and_reads_another() -> None:
    def hide(made: openpyxl.Workbook) -> None:
        made["甲"].row_dimensions[2].hidden = True

    data = book(("甲", [TITLES, ROW]), ("乙", [TITLES, ("马二春", *ROW[1:])]), edit=hide)
    found = read_sheet(io.BytesIO(data), ROSTER_LAW.columns)
    assert found.told() == "读取的是工作表“甲”，另有“乙”没有读；其中 1 行在表中是隐藏的，也已读入。"
    assert read_sheet(io.BytesIO(data), ROSTER_LAW.columns, "乙").rows[0][1]["name"] == "马二春"
    with pytest.raises(NotThisSheet, match="没有工作表“丙”") as refused:
        read_sheet(io.BytesIO(data), ROSTER_LAW.columns, "丙")
    assert sheets_of(refused.value) == ["甲", "乙"]


def test_a_load_says_which_rows_it_passed_over(cast: Cast) -> None:  # noqa: F811
    rows = [
        as_exported(cast.pupil),
        {"student_number": "合计", "name": "1"},
        {"student_number": "填表人：张三"},
    ]
    load = check(cast.reviewer, rows)
    assert load.counts["rows"] == 1 and "faulty" not in load.counts
    assert load.sheet["passed"] == "第 3 行是合计，第 4 行是备注或落款，没有读入。"
