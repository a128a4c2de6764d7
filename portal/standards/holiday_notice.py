"""A State Council notice read from its own sentences or from lines of a table: which days are off, which are worked.

    二、春节：2月15日（农历腊月二十八、周日）至23日放假调休，共9天。2月14日（周六）、2月28日（周六）上班。
    2027-02-05至2027-02-11 春节 放假

What never belongs here: files, the database.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from portal.standards.statutory_days import SEVEN, statutory_days
from portal.standards.workdays import OFF, ONE_DAY, WORK

LONGEST = 15  # days in one range; the longest holiday so far had nine
NAME_MOST = 40
WORK_WORDS = ("调休上班", "上班", "补班", "工作日", "work", "班")
OFF_WORDS = ("放假调休", "放假", "休假", "休息", "补休", "假期", "节假日", "假日", "调休", "off", "休", "假")
_PARENTHESES = re.compile(r"[（(][^（）()]*[)）]")
_SPAN_MARK = r"\s*(?:至|到|—+|－|–|~|～|―|-)\s*"
_DAY = r"(?:(?:(\d{4})\s*[年/.\-]\s*)?(\d{1,2})\s*[月/.\-]\s*)?(\d{1,2})\s*(?:日|号|(?![\d天年月/.\-]))"
_FIRST = r"(?:(\d{4})\s*[年/.\-]\s*)?(\d{1,2})\s*[月/.\-]\s*(\d{1,2})\s*[日号]?"
_SPAN = re.compile(rf"{_FIRST}(?:{_SPAN_MARK}{_DAY})?")
_NUMBERING = re.compile(r"^\s*(?:[（(]?[一二三四五六七八九十\d]{1,2}[)）]?\s*[、．])\s*")
_PIECES = re.compile(r"[。；;，,\n]")
_COUNT = re.compile(r"共?\s*\d+\s*天")
_FRAME = ("通知", "〔", "[20")  # title, introduction and number of a notice, which name no day


@dataclass(frozen=True)
class Row:
    """One day as a notice arranges it."""

    day: date
    name: str
    kind: str


@dataclass(frozen=True)
class Fault:
    """What is wrong and where; `place` is "" for the notice as a whole."""

    place: str
    text: str


def read_text(text: str, year: int) -> tuple[list[Row], list[Fault]]:
    """Every line of a pasted notice of a year."""
    rows: list[Row] = []
    faults: list[Fault] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            found, wrong = _read_line(line, year)
            rows += found
            faults += [Fault(f"第 {number} 行", one) for one in wrong]
    if not rows and not faults:
        faults.append(Fault("", "没有任何日期，请粘贴通知正文或逐行填写"))
    return rows, faults + doubled(rows)


def _read_line(line: str, year: int) -> tuple[list[Row], list[str]]:
    plain = _NUMBERING.sub("", _PARENTHESES.sub("", line)).strip()
    if _frames(plain, year):
        return [], []
    name, mark, rest = plain.replace(":", "：").partition("：")
    if not mark or any(sign.isdigit() for sign in name):
        name, rest = _name_in(plain), plain
    rows: list[Row] = []
    faults: list[str] = []
    dated: list[list[date]] = []
    for piece in _PIECES.split(rest):
        days, wrong = spans_in(piece, year)
        faults += wrong
        kind, left = kind_of(_SPAN.sub(" ", piece)), _COUNT.sub("", _SPAN.sub(" ", piece))
        if days and any(sign.isdigit() for sign in left):
            faults.append(f"“{_short(piece)}”没有全部读懂，日期应写成 {year}-10-01 或 10月1日至7日")
        if days:
            dated.append(days)
        if kind and dated:
            rows += [Row(day, name[:NAME_MOST], kind) for many in dated for day in many]
            dated = []
    if dated and not faults:
        faults.append(f"“{_short(rest)}”没有写明是放假还是上班")
    if not rows and not dated and not faults and any(sign.isdigit() for sign in rest):
        faults.append(f"“{_short(rest)}”没有认出日期，应写成 {year}-10-01 或 10月1日至7日")
    return rows, faults


def _frames(line: str, year: int) -> bool:
    """Whether a line is the frame of a notice: its title, number or introduction, or the day under its signature."""
    if any(word in line for word in _FRAME) and not _SPAN.search(line):
        return True
    signed = _SPAN.fullmatch(line)
    return bool(signed and signed[1] == str(year - 1) and not signed[6] and int(signed[2]) < 12)


def _name_in(line: str) -> str:
    """What is left of a line without its dates and its kind."""
    words = re.split(r"[\s，,。；;、]+", _SPAN.sub(" ", line))
    return next((word for word in words if word and not kind_of(word) and not word.isdigit()), "") or next(
        (one for one in SEVEN if one in line), ""
    )


def kind_of(text: str) -> str:
    """off, work, or "" where the words say neither. 调休上班 is worked, 放假调休 is off."""
    lowered = text.strip().lower()
    if any(word in lowered for word in WORK_WORDS):
        return WORK
    return OFF if any(word in lowered for word in OFF_WORDS) else ""


def spans_in(text: str, year: int) -> tuple[list[date], list[str]]:
    """Days of all dates and ranges in a text; what the second date leaves out, it has from the first."""
    days: list[date] = []
    faults: list[str] = []
    for found in _SPAN.finditer(text):
        written = found.group(0).strip()
        parts = [int(part) if part else 0 for part in found.groups()]
        start = _date(parts[0] or year, parts[1], parts[2])
        end = _date(parts[3] or parts[0] or year, parts[4] or parts[1], parts[5]) if parts[5] else start
        if start is None or end is None:
            faults.append(f"“{written}”不是日历上的日期")
        elif end < start or (end - start).days >= LONGEST:
            faults.append(f"“{written}”的起止日期不对：应由前到后，一段不超过 {LONGEST} 天")
        elif fault := year_fault(start, end, year):
            faults.append(f"“{written}”{fault}")
        else:
            days += [start + timedelta(days=n) for n in range((end - start).days + 1)]
    return days, faults


def year_fault(start: date, end: date, year: int) -> str:
    """A year's notice may begin in the December before and never reaches beyond its year."""
    early = start.year == year - 1 and start.month == 12
    if (start.year == year or early) and end.year in (year, start.year):
        return ""
    return f"不在 {year} 年内，请核对年份"


def doubled(rows: Sequence[Row]) -> list[Fault]:
    """Days that stand twice, whatever is said of them."""
    seen: dict[date, Row] = {}
    faults = []
    for row in rows:
        if row.day in seen:
            other = seen[row.day]
            words = "重复出现" if other.kind == row.kind else "既写了放假又写了上班"
            faults.append(Fault("", f"{row.day.isoformat()} {words}，请只留一处"))
        seen[row.day] = row
    return faults


def lacking(rows: Sequence[Row], year: int) -> list[Fault]:
    """Why these days cannot be the whole notice of a year: a statutory day that is not off, a weekday "made up"."""
    off = {row.day for row in rows if row.kind == OFF}
    faults = [
        Fault("", f"{row.day.isoformat()} 本来就是工作日，调休上班只能是周六或周日")
        for row in rows
        if row.kind == WORK and row.day.weekday() < 5
    ]
    missing: dict[str, list[str]] = {}
    for day, name in statutory_days(year).items():
        if day not in off:
            missing.setdefault(name, []).append(f"{day.month} 月 {day.day} 日")
    for name, days in missing.items():
        faults.append(Fault("", f"缺少法定节日{name}：{'、'.join(days)}没有放假，不是完整的通知"))
    return faults


def doubts(rows: Sequence[Row], year: int) -> list[str]:
    """What a person should look at once more: weekdays off are as many as the law's days and the days made up together."""
    weekdays = sum(row.kind == OFF and row.day.weekday() < 5 for row in rows)
    made_up = sum(row.kind == WORK for row in rows)
    law = len(statutory_days(year))
    if weekdays == law + made_up:
        return []
    return [
        f"放假的周一至周五共 {weekdays} 天，按法定节日 {law} 天加调休上班 {made_up} 天应为 {law + made_up} 天，请与通知再核对一遍"
    ]


def as_text(rows: Sequence[Row]) -> str:
    """The days as lines that read_text() reads again, neighbouring days in one range."""
    titles = {OFF: "放假", WORK: "上班"}
    lines: list[tuple[date, date, str, str]] = []
    for row in sorted(rows, key=lambda one: one.day):
        if lines and lines[-1][1] + ONE_DAY == row.day and lines[-1][2:] == (row.name, row.kind):
            lines[-1] = (lines[-1][0], row.day, row.name, row.kind)
        else:
            lines.append((row.day, row.day, row.name, row.kind))
    return "\n".join(
        " ".join(
            part
            for part in (
                f"{first.isoformat()}至{last.isoformat()}" if last > first else first.isoformat(),
                name,
                titles[kind],
            )
            if part
        )
        for first, last, name, kind in lines
    )


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _short(text: str) -> str:
    return text.strip()[:30]
