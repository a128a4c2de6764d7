"""The State Council's notice as text and as a table, and the days that the law fixes before it."""

from __future__ import annotations

import csv
from datetime import date

import pytest

from portal.oversight import holiday_table
from portal.standards import codes
from portal.standards.holiday_notice import Row, as_text, doubts, lacking, read_text
from portal.standards.statutory_days import statutory_days
from portal.standards.workdays import Calendar, yearly_day
from tests.exports import as_xlsx

NOTICE_2026 = """国务院办公厅关于2026年部分节假日安排的通知
国办发明电〔2025〕7号
经国务院批准，现将2026年元旦、春节等放假调休日期的具体安排通知如下。
一、元旦：1月1日（周四）至3日（周六）放假调休，共3天。1月4日（周日）上班。
二、春节：2月15日（农历腊月二十八、周日）至23日（农历正月初七、周一）放假调休，共9天。2月14日（周六）、2月28日（周六）上班。
三、清明节：4月4日（周六）至6日（周一）放假，共3天。
四、劳动节：5月1日（周五）至5日（周二）放假调休，共5天。5月9日（周六）上班。
五、端午节：6月19日（周五）至21日（周日）放假，共3天。
六、中秋节：9月25日（周五）至27日（周日）放假，共3天。
七、国庆节：10月1日（周四）至7日（周三）放假调休，共7天。9月20日（周日）、10月10日（周六）上班。
2025年11月4日
"""


def shipped(year: int) -> set[tuple[str, str]]:
    with (codes.FOLDER / "cn_holiday_2021_2026.csv").open(encoding="utf-8-sig", newline="") as lines:
        return {(row["date"], row["kind"]) for row in csv.DictReader(lines) if row["date"][:4] == str(year)}


def short(rows: list[Row]) -> set[tuple[str, str]]:
    return {(row.day.isoformat(), row.kind) for row in rows}


def test_the_days_that_the_law_fixes_for_2027() -> None:
    """law_2026_11 section 4: 全国年节及纪念日放假办法, revision of 2024-11."""
    assert [f"{day:%m-%d}" for day in statutory_days(2027)] == [
        "01-01", "02-05", "02-06", "02-07", "02-08", "04-05", "05-01", "05-02",
        "06-09", "09-15", "10-01", "10-02", "10-03",
    ]  # fmt: skip
    assert statutory_days(2028)[date(2028, 10, 3)] == "中秋节、国庆节"


@pytest.mark.parametrize("year", [2021, 2022, 2023, 2024, 2025, 2026])
def test_every_notice_so_far_holds_the_days_of_the_law_and_the_sum_of_its_days(year: int) -> None:
    rows = [Row(date.fromisoformat(day), "", kind) for day, kind in shipped(year)]
    assert lacking(rows, year) == [] and doubts(rows, year) == []


def test_a_notice_is_read_as_it_was_published_and_its_lines_read_again() -> None:
    rows, faults = read_text(NOTICE_2026, 2026)
    assert faults == [] and short(rows) == shipped(2026)
    assert {row.name for row in rows} == {"元旦", "春节", "清明节", "劳动节", "端午节", "中秋节", "国庆节"}
    again, faults = read_text(as_text(rows), 2026)
    assert faults == [] and sorted(again, key=lambda one: one.day) == sorted(rows, key=lambda one: one.day)


@pytest.mark.parametrize(
    "line, days, kind",
    [
        ("2027/5/1~5/3 劳动节 休", ["2027-05-01", "2027-05-02", "2027-05-03"], "off"),
        ("10.1-10.3 国庆 放假", ["2027-10-01", "2027-10-02", "2027-10-03"], "off"),
        ("2027-02-05-2027-02-06 春节 放假", ["2027-02-05", "2027-02-06"], "off"),
        ("元旦：2026年12月31日至2027年1月1日放假", ["2026-12-31", "2027-01-01"], "off"),
        ("10月9日（周六）补班", ["2027-10-09"], "work"),
        ("2027年10月1日－2日 国庆节 放假", ["2027-10-01", "2027-10-02"], "off"),
    ],
)
def test_several_ways_of_writing_a_range(line: str, days: list[str], kind: str) -> None:
    rows, faults = read_text(line, 2027)
    assert faults == [] and short(rows) == {(day, kind) for day in days}


@pytest.mark.parametrize(
    "line, said",
    [
        ("2027-02-30 春节 放假", "不是日历上的日期"),
        ("2027-01-01 元旦", "没有写明是放假还是上班"),
        ("国庆 放假7天", "没有认出日期"),
        ("2028-01-01 元旦 放假", "不在 2027 年内"),
        ("10月7日至1日 放假", "起止日期不对"),
        ("10月1日、3 放假", "没有全部读懂"),
        ("1月1日放假。1月1日上班。", "既写了放假又写了上班"),
        ("1月1日放假。1月1日放假。", "重复出现"),
        (" ", "没有任何日期"),
    ],
)
def test_what_cannot_be_read_is_said(line: str, said: str) -> None:
    _rows, faults = read_text(line, 2027)
    assert any(said in one.text for one in faults), faults


def test_a_part_of_a_notice_is_no_notice() -> None:
    rows, _faults = read_text(
        NOTICE_2026.replace("五、端午节：6月19日（周五）至21日（周日）放假，共3天。\n", ""), 2026
    )
    assert [one.text for one in lacking(rows, 2026)] == [
        "缺少法定节日端午节：6 月 19 日没有放假，不是完整的通知"
    ]
    weekday, _faults = read_text("2026-10-12 国庆节 上班", 2026)
    assert "本来就是工作日" in lacking(weekday, 2026)[0].text
    forgotten = [row for row in read_text(NOTICE_2026, 2026)[0] if row.day != date(2026, 10, 10)]
    assert "应为 18 天" in doubts(forgotten, 2026)[0]


SHEET = [
    ["2027年放假安排", "", "", ""],
    ["放假日期", "结束日期", "节日名称", "类型"],
    ["2027-05-01", "2027-05-05", "劳动节", "放假"],
    ["2月5日至11日", "", "春节", "休"],
    ["2027/5/8", "", "劳动节", "补班"],
]


def test_a_table_is_read_by_its_chinese_headings_from_workbook_and_csv() -> None:
    want = {(f"2027-05-0{n}", "off") for n in range(1, 6)} | {
        (f"2027-02-{n:02}", "off") for n in range(5, 12)
    }
    want.add(("2027-05-08", "work"))
    sheet = "\r\n".join(",".join(row) for row in SHEET)
    for content in (
        as_xlsx([], headings=SHEET[-1], above=SHEET[:-1]),
        sheet.encode("gb18030"),
        sheet.encode("utf-8-sig"),
    ):
        table = holiday_table.read_table(content, 2027)
        assert table.faults == [] and short(table.rows) == want
    old = b"date,name,kind,official_notice\n2027-01-01,x,off,http://example.test/7\n"
    found = holiday_table.read_table(old, 2027)
    assert short(found.rows) == {("2027-01-01", "off")} and found.document == "http://example.test/7"


def test_a_fault_names_its_cell() -> None:
    sheet = (
        "日期,名称,类型\n2027-02-30,春节,放假\n2027-01-01,元旦,看书\n2027-10-12,国庆节,上班\n,端午节,放假\n"
    )
    faults = holiday_table.read_table(sheet.encode(), 2027).faults
    assert [one.place for one in faults] == [
        "第 2 行 A 列（日期）",
        "第 3 行 C 列（类型）",
        "第 4 行 C 列（类型）",
        "第 5 行 A 列（日期）",
    ]
    assert "“2027-02-30”不是日历上的日期" in faults[0].text and "调休上班" in faults[1].text
    assert "“日期”和“类型”" in holiday_table.read_table(b"a,b\n1,2\n", 2027).faults[0].text


def test_the_template_reads_back_as_the_days_of_the_law() -> None:
    rows = holiday_table.template_rows((day.isoformat(), name) for day, name in statutory_days(2027).items())
    table = holiday_table.read_table(holiday_table.template(2027, rows), 2027)
    assert table.faults == [] and {row.day for row in table.rows} == set(statutory_days(2027))


def test_a_yearly_day_moves_from_a_weekend_to_monday() -> None:
    """临夏回族自治州自治条例: 19 November; on a weekend the Monday after."""
    founding = date(2026, 11, 19)
    assert [yearly_day(founding, year, moves=True).isoformat() for year in (2026, 2027, 2028)] == [
        "2026-11-19", "2027-11-19", "2028-11-20",
    ]  # fmt: skip
    assert yearly_day(date(2028, 2, 29), 2027, moves=False) == date(2027, 2, 28)


def test_a_single_day_of_an_unknown_year_leaves_it_unknown() -> None:
    calendar = Calendar.of({date(2027, 1, 4): "off"}, {2026})
    assert calendar.after(date(2026, 12, 31), 1) == date(2027, 1, 5)
    assert calendar.unknown_years(date(2026, 12, 31), date(2027, 1, 5)) == (2027,)
