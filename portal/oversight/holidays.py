"""The holiday table: days off and make-up working days by year, entered by the state bureau.

What never belongs here: how working days are counted (portal.standards.workdays), HTTP.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, select

from portal.cases import clock
from portal.extensions import db
from portal.forms import read_date
from portal.models import Holiday
from portal.standards import codes
from portal.standards.workdays import OFF, WORK

COLUMNS = ("date", "name", "kind", "official_notice")
KINDS = {OFF: "放假", WORK: "调休上班"}
SHIPPED = codes.FOLDER / "cn_holiday_2021_2026.csv"
FIRST_YEAR, LAST_YEAR = 2000, 2100
NOTICE_SEASON = 11  # the State Council's notice for the next year comes out in October or November


@dataclass(frozen=True)
class Row:
    """One line of an uploaded table, as it will be stored."""

    day: date
    name: str
    kind: str
    notice: str


@dataclass(frozen=True)
class Fault:
    """What is wrong in a line (the heading is line 1) and what to do."""

    line: int
    text: str


def days_of(year: int) -> list[Holiday]:
    """The entries of a year in order."""
    span = Holiday.day.between(date(year, 1, 1), date(year, 12, 31))
    return list(db.session.scalars(select(Holiday).where(span).order_by(Holiday.day)))


def known(year: int) -> bool:
    """Whether anything has been entered for a year."""
    span = Holiday.day.between(date(year, 1, 1), date(year, 12, 31))
    return db.session.scalar(select(Holiday.day).where(span).limit(1)) is not None


def unknown_text(year: int) -> str:
    return f"{year} 年放假安排未录入，暂按周末计算"


def missing_years(today: date) -> list[int]:
    """Years whose holidays should be here by now and are not: this one, and from November on the next one."""
    due = [today.year, today.year + 1] if today.month >= NOTICE_SEASON else [today.year]
    return [year for year in due if not known(year)]


def fault_in_day(day: date, kind: str) -> str:
    """Why a day cannot be entered with this kind, "" when it can."""
    if kind not in KINDS:
        return f"类型应为 {OFF}（放假）或 {WORK}（调休上班）"
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return f"年份应在 {FIRST_YEAR} 到 {LAST_YEAR} 之间"
    if kind == WORK and day.weekday() < 5:
        return "这一天本来就是工作日，调休上班只能是周六或周日"
    return ""


def put(row: Row) -> None:
    """Enter a day, or replace what was entered for it, in the running transaction."""
    db.session.merge(Holiday(day=row.day, kind=row.kind, name=row.name, notice=row.notice))
    db.session.flush()


def remove(day: date) -> bool:
    """Take a day out; False when it was not in the table."""
    return bool(db.session.execute(delete(Holiday).where(Holiday.day == day)).rowcount)  # type: ignore[attr-defined]


def replace_years(rows: list[Row]) -> list[int]:
    """Put the rows in place of everything entered for their years. Returns the years."""
    years = sorted({row.day.year for row in rows})
    for year in years:
        span = Holiday.day.between(date(year, 1, 1), date(year, 12, 31))
        db.session.execute(delete(Holiday).where(span))
    db.session.add_all(Holiday(day=row.day, kind=row.kind, name=row.name, notice=row.notice) for row in rows)
    db.session.flush()
    return years


def move_due_dates() -> int:
    """After a change of the table: how many running cases got another due date."""
    return clock.recompute_due_dates()


def read_csv(content: bytes) -> tuple[list[Row], list[Fault]]:
    """Rows and faults of an uploaded table with the columns date, name, kind, official_notice.

    UTF-8 or GB 18030, as Excel writes either. A table with a fault gives its rows too, but should not be stored.
    """
    text = _decoded(content)
    if text is None:
        return [], [Fault(1, "文件不是文本表格（CSV），请另存为 CSV 后再上传")]
    try:
        lines = list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error:
        return [], [Fault(1, "文件不是完整的 CSV，请检查引号后再上传")]
    if not lines or tuple(cell.strip() for cell in lines[0][: len(COLUMNS)]) != COLUMNS:
        return [], [Fault(1, f"第一行应为列名：{','.join(COLUMNS)}")]
    return _read_lines(lines[1:])


def enter_shipped() -> None:
    """Into an empty table, the years that this program was shipped with; in the running transaction."""
    if db.session.scalar(select(Holiday.day).limit(1)) is None:
        rows, _faults = read_csv(SHIPPED.read_bytes())
        replace_years(rows)


def _read_lines(lines: list[list[str]]) -> tuple[list[Row], list[Fault]]:
    rows: list[Row] = []
    faults: list[Fault] = []
    seen: set[date] = set()
    for number, cells in enumerate(lines, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        when, name, kind, notice = ([cell.strip() for cell in cells] + [""] * 4)[:4]
        day = read_date(when)
        if day is None:
            faults.append(Fault(number, f"日期“{when[:20]}”应写成 2026-10-01"))
        elif day in seen:
            faults.append(Fault(number, f"{day.isoformat()} 重复出现"))
        elif fault := fault_in_day(day, kind) or _fault_in_texts(name, notice):
            faults.append(Fault(number, f"{day.isoformat()}：{fault}"))
        else:
            rows.append(Row(day, name, kind, notice))
        if day:
            seen.add(day)
    if not rows and not faults:
        faults.append(Fault(2, "表中没有任何日期"))
    return rows, faults


def _fault_in_texts(name: str, notice: str) -> str:
    if len(name) > 40 or len(notice) > 200:
        return "名称不超过 40 字，通知不超过 200 字"
    return "有不能使用的控制字符" if any(ord(sign) < 32 for sign in name + notice) else ""


def _decoded(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None
