"""A class as schools write it, in one form where there is no doubt."""

from __future__ import annotations

from datetime import date

import pytest

from portal.cases.rosters.cells import Judge
from portal.workflows.high_school_enrolment import ROSTER_LAW

JUDGE = Judge(ROSTER_LAW, "青禾一中", date(2026, 9, 21))


def read(text: str) -> tuple[str, bool]:
    """(class as kept, whether it is faulty)."""
    values, faults = JUDGE.row({"class_name": text})
    return values["class_name"], "class_name" in faults


@pytest.mark.parametrize(
    "text",
    [
        *("2", "２", "02", "2班", "２班", "02班", "第2班", " 2 班 ", "(2)班", "（2）班", "（２）班", "(2)"),
        *(
            "二班",
            "（二）班",
            "(二)班",
            "第二班",
            "高一2班",
            "高一２班",
            "高一（2）班",
            "高一(2)班",
            "高一二班",
        ),
        *("高一年级2班", "高一年级（二）班", "高一 2 班", "高一(2)"),
    ],
)
def test_one_class_is_written_one_way(text: str) -> None:
    assert read(text) == ("2班", False)
    assert read(read(text)[0]) == ("2班", False), "judging a stored value again gives the same"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        *(("10", "10班"), ("十班", "10班"), ("十二班", "12班"), ("二十班", "20班"), ("高一二十一班", "21班")),
        ("99班", "99班"),
        ("高一1班", "1班"),
        ("高一一班", "1班"),
    ],
)
def test_other_numbers(text: str, kept: str) -> None:
    assert read(text) == (kept, False)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "高二2班",
            "初一2班",
            "2026级2班",
            "2601班",
            "100班",
            "火箭班",
            "A班",
            "2班文科",
            "二",
            "（二）",
            "高一",
        ),
        *(
            "0",
            "0班",
            "一二班",
            "十十班",
            "2-3班",
            "2、3班",
            "（2班",
            "2）班",
            "高一班",
            "-2班",
            "2.5",
            "②班文",
        ),
    ],
)
def test_what_is_in_doubt_is_kept_as_typed(text: str) -> None:
    assert read(text) == (text, False)


def test_an_empty_class_and_one_that_the_register_cannot_hold() -> None:
    assert read("")[0] == "" and read("班" * 41)[1] and read("2\n班")[1]
