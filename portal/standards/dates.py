"""A calendar date as people and programs write one: one reader for form, roster and load."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from portal.standards.id_number import Fault
from portal.standards.words import plain

FIRST_YEAR = 1900  # nobody who is or brings up a pupil was born before
_DASH = "‐‑‒–—―−─-"
_PARTED = re.compile(
    rf"([0-9]+)\s*(?:年|/|[.。]|[{_DASH}]{{1,2}})\s*([0-9]+)\s*(?:月|/|[.。]|[{_DASH}]{{1,2}})\s*([0-9]+)\s*[日号]?"
)
_RUN = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:\.0+)?")
_CLOCK = re.compile(r"(?<=[0-9日号])(?:\s+|T)[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?")


def read_date(text: str) -> date | None:
    """The day that a text names with a year of four places, whatever time of day stands behind it; None for any other."""
    parts = _parts(text)
    if parts is None or len(parts[0]) != 4 or len(parts[1]) > 2 or len(parts[2]) > 2:
        return None
    try:
        return date(*map(int, parts))
    except ValueError:
        return None


def fault_in(text: str) -> Fault:
    """Why read_date() makes nothing of a text."""
    parts = _parts(text)
    if parts is not None and len(parts[0]) == 2 and len(parts[2]) <= 2:
        return Fault("年份只有两位，不能确定是哪一年", "年份请写四位，例如 2010-05-06")
    return Fault("不是有效的日期", "日期应写成 20120901 或 2012-09-01，并且日历上有这一天")


def fault_of_birth(day: date, today: date) -> Fault | None:
    """A day on which nobody can have been born whom these lists are about."""
    if day > today or day.year < FIRST_YEAR:
        return Fault(f"日期不合理（晚于今天或早于 {FIRST_YEAR} 年）", "请对照证件核对出生日期")
    return None


def _parts(text: str) -> tuple[str, str, str] | None:
    """Year, month and day as they are written."""
    folded = _CLOCK.sub("", unicodedata.normalize("NFKC", plain(text)).strip()).strip()
    found = _RUN.fullmatch(folded) or _PARTED.fullmatch(folded)
    return (found[1], found[2], found[3]) if found else None
