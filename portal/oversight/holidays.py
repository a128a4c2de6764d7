"""The calendar of days off: whole notices of a year, entered by the topmost office, and local days by the office they are for.

What never belongs here: how working days are counted (portal.standards.workdays), how a table is read, HTTP.
"""

from __future__ import annotations

import csv
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, select

from portal.cases import clock
from portal.cases.access import Actor
from portal.cases.calendars import ids_of, occurrences, topmost
from portal.extensions import db
from portal.models import CalendarNotice, Holiday, Office, Role
from portal.models.types import new_id, utcnow
from portal.standards import codes
from portal.standards.holiday_notice import Row
from portal.standards.statutory_days import statutory_days
from portal.standards.workdays import OFF, WORK, unknown_text

__all__ = ["OFF", "WORK", "Row", "unknown_text"]

KINDS = {OFF: "放假", WORK: "调休上班"}
SHIPPED = codes.FOLDER / "cn_holiday_2021_2026.csv"
FIRST_YEAR, LAST_YEAR = 2014, 2099  # of the rules of holidays that the portal knows
NOTICE_SEASON = 11  # the State Council's notice for the next year comes out in October or November
BY_NOTICE, LOCAL, BY_LAW = "notice", "local", "law"


@dataclass(frozen=True)
class Entry:
    """A day of a year as an office has it. `source` is whose word it is: a notice's, a local document's, or, before the
    notice, the law's. `row_id` is of a local day."""

    day: date
    kind: str
    name: str
    document: str
    source: str
    office: str = ""
    office_id: uuid.UUID | None = None
    row_id: uuid.UUID | None = None
    yearly: bool = False


def entries(office: Office, year: int) -> list[Entry]:
    """The days of a year that are not what their weekday says, for an office, in order."""
    notices = _notices(office)
    query = select(Holiday).where(Holiday.office_id.in_(ids_of(office.path)))
    found = [
        _entry(row, day, notices)
        for row in db.session.scalars(query)
        for day in occurrences(row, year)
        if day.year == year
    ]
    if not known(office, year):
        found += [
            Entry(day, OFF, name, "", BY_LAW)
            for day, name in statutory_days(year).items()
            if day not in {one.day for one in found}
        ]
    return sorted(found, key=lambda one: (one.day, one.source))


def _entry(row: Holiday, day: date, notices: dict[uuid.UUID, str]) -> Entry:
    if row.notice_id:
        return Entry(day, row.kind, row.name, notices.get(row.notice_id, ""), BY_NOTICE, row.office.name)
    return Entry(
        day, row.kind, row.name, row.notice, LOCAL, row.office.name, row.office_id, row.id, row.yearly
    )


def _notices(office: Office) -> dict[uuid.UUID, str]:
    query = select(CalendarNotice.id, CalendarNotice.document)
    own = db.session.execute(query.where(CalendarNotice.office_id == topmost(office.path)))
    return {row.id: row.document for row in own}


def notice_of(office: Office, year: int) -> CalendarNotice | None:
    """The standing notice of a year for an office."""
    return db.session.scalars(
        select(CalendarNotice).where(
            CalendarNotice.office_id == topmost(office.path),
            CalendarNotice.year == year,
            CalendarNotice.withdrawn_at.is_(None),
        )
    ).one_or_none()


def known(office: Office, year: int) -> bool:
    """Whether the whole notice of a year was entered; single days do not make it known."""
    return notice_of(office, year) is not None


def may_enter(actor: Actor) -> bool:
    """Whether somebody enters notices: the administrator of a topmost office."""
    return actor.role is Role.ADMINISTRATOR and len(ids_of(actor.office_path)) == 1


def tops() -> list[Office]:
    """The offices above which there is none, in use."""
    query = select(Office).where(Office.parent_id.is_(None), Office.active).order_by(Office.code)
    return list(db.session.scalars(query))


def missing_years(today: date, office: Office) -> list[int]:
    """Years whose notice should be here by now and is not: this one, and from November on the next one."""
    due = [today.year, today.year + 1] if today.month >= NOTICE_SEASON else [today.year]
    return [year for year in due if not known(office, year)]


def enter_notice(top: Office, year: int, document: str, rows: Sequence[Row], by: uuid.UUID | None) -> int:
    """The whole notice of a year in place of an earlier one, in the running transaction. Returns how many cases moved."""
    earlier = notice_of(top, year)
    if earlier is not None:
        _take_out(earlier, by)
    notice = CalendarNotice(
        id=new_id(), office_id=top.id, year=year, document=document, entered_by_id=by, entered_at=utcnow()
    )
    db.session.add(notice)
    db.session.flush()
    # A notice can begin in the December before: its word is the newer one.
    same = (Holiday.office_id == top.id, Holiday.notice_id.is_not(None))
    db.session.execute(delete(Holiday).where(*same, Holiday.day.in_([row.day for row in rows])))
    db.session.add_all(
        Holiday(id=new_id(), office_id=top.id, notice_id=notice.id, day=row.day, kind=row.kind, name=row.name)
        for row in rows
    )
    db.session.flush()
    return clock.recompute_due_dates(top)


def withdraw_notice(top: Office, notice: CalendarNotice, by: uuid.UUID | None) -> int:
    """Take a notice out; who entered it and who withdrew it stays. Returns how many cases moved."""
    _take_out(notice, by)
    return clock.recompute_due_dates(top)


def _take_out(notice: CalendarNotice, by: uuid.UUID | None) -> None:
    notice.withdrawn_at, notice.withdrawn_by_id = utcnow(), by
    db.session.execute(delete(Holiday).where(Holiday.notice_id == notice.id))
    db.session.flush()


def fault_in_local(office: Office, day: date, kind: str, *, yearly: bool) -> tuple[str, str]:
    """(field, why) a local day cannot be entered, ("", "") when it can."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return "day", f"年份应在 {FIRST_YEAR} 到 {LAST_YEAR} 之间"
    if kind == WORK and yearly:
        return "yearly", "调休上班只能录入具体的某一天，请去掉“每年”"
    if kind == WORK and day.weekday() < 5:
        return "day", "这一天本来就是工作日，调休上班只能是周六或周日"
    own = (Holiday.office_id == office.id, Holiday.notice_id.is_(None), Holiday.day == day)
    if db.session.scalar(select(Holiday.id).where(*own)):
        return "day", "这一天已经录入过；需要改动时，请先在表中删除再录入"
    return "", ""


def add_local(
    office: Office, row: Row, document: str, *, yearly: bool = False, moves: bool = False
) -> tuple[Holiday, int]:
    """A local day for an office and all below it. Returns it and how many cases moved."""
    added = Holiday(
        id=new_id(),
        office_id=office.id,
        day=row.day,
        kind=row.kind,
        name=row.name,
        notice=document,
        yearly=yearly,
        moves=moves,
    )
    db.session.add(added)
    db.session.flush()
    return added, clock.recompute_due_dates(office)


def find_local(office: Office, row_id: uuid.UUID) -> Holiday | None:
    """A local day of this very office."""
    own = (Holiday.office_id == office.id, Holiday.notice_id.is_(None))
    return db.session.scalars(select(Holiday).where(Holiday.id == row_id, *own)).one_or_none()


def remove_local(office: Office, row: Holiday) -> int:
    """Take a local day out. Returns how many cases moved."""
    db.session.delete(row)
    db.session.flush()
    return clock.recompute_due_dates(office)


def enter_shipped(top: Office) -> None:
    """For a topmost office without any notice, those that this program was shipped with; in the running transaction."""
    if db.session.scalar(select(CalendarNotice.id).where(CalendarNotice.office_id == top.id).limit(1)):
        return
    with SHIPPED.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    for document in dict.fromkeys(row["official_notice"] for row in rows):
        own = [
            Row(date.fromisoformat(row["date"]), row["name"], row["kind"])
            for row in rows
            if row["official_notice"] == document
        ]
        year = Counter(row.day.year for row in own).most_common(1)[0][0]
        enter_notice(top, year, document, own, None)
