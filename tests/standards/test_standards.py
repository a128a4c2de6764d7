"""Identity numbers, student numbers, names, code tables, working days, against the standards' own examples."""

from __future__ import annotations

import csv
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.standards import codes, id_number, names, school_numbers
from portal.standards.words import letters_in
from portal.standards.workdays import Calendar

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_the_examples_of_gb11643(number: str) -> None:
    fault = id_number.fault_in(number, TODAY)
    assert fault is None or "出生日期" in fault.reason  # 1880 lies before our bound of 1900
    assert id_number.check_digit(number[:17]) == number[17]


@pytest.mark.parametrize(
    ("number", "word"),
    [
        ("11010519491231002", "18 位"),
        ("110105491231002", "15 位"),
        ("110105194912310021", "校验码"),
        ("110105194913310021", "出生日期"),
        ("11010520991231002X", "出生日期"),
        ("1101051949123100XX", "18 位"),
    ],
)
def test_faults_are_named(number: str, word: str) -> None:
    fault = id_number.fault_in(number, TODAY)
    assert fault and word in fault.reason and fault.remedy


@given(
    st.dates(date(1950, 1, 1), date(2025, 12, 31)), st.integers(0, 999), st.integers(0, 17), st.integers(1, 9)
)
def test_one_wrong_digit_is_always_found(born: date, order: int, place: int, add: int) -> None:
    first = f"622999{born:%Y%m%d}{order:03d}"
    number = first + id_number.check_digit(first)
    assert id_number.fault_in(number, TODAY) is None
    if number[place] != "X":
        wrong = number[:place] + str((int(number[place]) + add) % 10) + number[place + 1 :]
        assert id_number.fault_in(wrong, TODAY) is not None


def test_masking_leaves_nothing_to_recover() -> None:
    assert id_number.masked("62299920100506001X") == "622999************"
    assert school_numbers.masked("G62299920100506001X") == "G622999************"


@pytest.mark.parametrize(
    ("number", "good"),
    [
        ("G11010519491231002X", True),
        ("G110105194912310021", False),
        ("L622999201005060017", True),
        ("622999201005060017", False),
    ],
)
def test_student_numbers(number: str, good: bool) -> None:
    assert (school_numbers.student_number_fault(number, TODAY) is None) is good


def test_a_name_is_folded_for_comparison_only() -> None:
    assert (
        names.name_key("买买提·阿不都") == names.name_key("买买提•阿不都") == names.name_key("买买提．阿不都")
    )
    assert names.name_key("\uf900") == names.name_key("\u8c48")
    assert names.initials("买买提·阿不都") == "mmtabd"


def test_codes_read_names_and_codes() -> None:
    assert codes.code_of(codes.ETHNICITY, "东乡") == codes.code_of(codes.ETHNICITY, "东乡族") == "26"
    assert codes.code_of(codes.SEX, "男") == "1" == codes.code_of(codes.SEX, "1")
    assert codes.code_of(codes.SEX, "公") is None
    assert codes.label(codes.OVERSEAS, "00") == "否"


def the_calendar() -> Calendar:
    with (codes.FOLDER / "cn_holiday_2021_2026.csv").open(encoding="utf-8-sig", newline="") as lines:
        days = {date.fromisoformat(row["date"]): row["kind"] for row in csv.DictReader(lines)}
    return Calendar.of(days, {day.year for day in days})


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ((2026, 9, 1), 10, (2026, 9, 15)),
        ((2026, 9, 23), 10, (2026, 10, 14)),  # 中秋, 国庆 off; Saturday 10 October works
        ((2026, 9, 24), 10, (2026, 10, 15)),
        ((2026, 2, 12), 10, (2026, 3, 4)),  # Saturdays 14 and 28 February work
        ((2026, 4, 30), 10, (2026, 5, 18)),
        ((2026, 11, 20), 3, (2026, 11, 25)),
        ((2026, 11, 20), 10, (2026, 12, 4)),
        ((2026, 11, 20), 5, (2026, 11, 27)),
        # 2027 before its notice: the days that the law fixes are off
        ((2026, 12, 18), 10, (2027, 1, 4)),
        ((2027, 1, 25), 10, (2027, 2, 10)),
        ((2027, 4, 2), 1, (2027, 4, 6)),
        ((2027, 6, 8), 1, (2027, 6, 10)),
        ((2027, 9, 14), 1, (2027, 9, 16)),
    ],
)
def test_working_days(start: tuple[int, int, int], days: int, end: tuple[int, int, int]) -> None:
    calendar = the_calendar()
    assert calendar.after(date(*start), days) == date(*end)
    assert calendar.between(date(*start), date(*end)) == days


def test_an_unknown_year_is_named_not_guessed() -> None:
    calendar = the_calendar()
    assert calendar.unknown_years(date(2026, 12, 28), calendar.after(date(2026, 12, 28), 10)) == (2027,)
    assert calendar.unknown_years(date(2026, 9, 1), date(2026, 9, 15)) == ()


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("同意，已核对。", 5),
        ("……！！", 0),
        ("\u200b\u2060\ufeff\u00ad", 0),
        ("\u3000 \n", 0),
        ("2026年3月", 7),
        ("㐖ab", 3),
    ],
)
def test_what_says_something_are_letters_and_figures(text: str, letters: int) -> None:
    assert letters_in(text) == letters
