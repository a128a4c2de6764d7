"""The legal clock of a case: working days, paused while the case is returned.

The day of submission is not counted; the clock runs by Asia/Shanghai dates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select, update

from portal.cases.access import offices_under
from portal.cases.calendars import Calendars, nested
from portal.extensions import db
from portal.models import OPEN, Case, Office, Status
from portal.models.types import utcnow
from portal.policies import Policy, policy
from portal.standards.workdays import Calendar, unknown_text

ZONE = ZoneInfo("Asia/Shanghai")
NO_LIMIT = date(9999, 12, 31)
NO_LIMIT_TEXT = "没有规定办理时限"
SOON = 10  # days before a deadline from which it is told in another tone


def today() -> date:
    """The date in China now."""
    return utcnow().astimezone(ZONE).date()


def local(moment: datetime) -> datetime:
    """A stored moment on the wall clock in China."""
    return moment.astimezone(ZONE)


def load_calendar(office: Office) -> Calendar:
    """The working days of an office as they stand. The clock of a case goes by those of the school it belongs to."""
    return Calendars().of(office)


def clock_setting(case: Case) -> dict[str, Any]:
    """{mode: total|per_stage, days, soon} of the case's policy."""
    setting: dict[str, Any] = policy(case.policy).value(f"clock.{case.workflow}")
    return setting


def started(case: Case, day: date, calendar: Calendar, *, fresh: bool) -> dict[str, Any]:
    """Column values of a clock that runs from `day`. `fresh` forgets the days already used (a new stage)."""
    limit, used = int(clock_setting(case)["days"]), 0 if fresh else case.clock_used
    return {
        "clock_limit": limit,
        "clock_used": used,
        "clock_from": day,
        "due_on": due_date(day, limit, used, calendar),
    }


def stopped(case: Case, day: date, calendar: Calendar) -> dict[str, Any]:
    """Column values of a paused or ended clock: the days of the running span are added to those used."""
    span = max(0, calendar.between(case.clock_from, day)) if case.clock_from else 0
    return {"clock_used": case.clock_used + span, "clock_from": None, "due_on": None}


def due_date(start: date, limit: int, used: int, calendar: Calendar) -> date:
    """The last day of a span of `limit` working days of which `used` are gone; NO_LIMIT when limit is 0."""
    if not limit:
        return NO_LIMIT
    return calendar.after(start, max(0, limit - used))


@dataclass(frozen=True)
class Due:
    """What a person reads of a clock: text and tone (ok, soon, late, paused, neutral), and what is uncertain about it."""

    text: str
    tone: str
    day: date | None = None
    warning: str = ""


def read_clock(case: Case, day: date, calendar: Calendar) -> Due | None:
    """The clock of a case as of `day`, in the words of every page, or None where none runs (drafts, ended cases). Where the
    law sets no limit to the review, a roster that the school has still to send goes by the year's deadline."""
    draft = case.status == Status.DRAFT
    if (draft and not case.intake_year) or case.status not in OPEN:
        return None
    unlimited = not clock_setting(case)["days"]
    if unlimited and case.intake_year and case.status != Status.IN_REVIEW:
        return until_deadline(policy(case.policy), case.workflow, case.intake_year)
    if unlimited and not draft:
        return UNLIMITED
    if case.status == Status.RETURNED:
        return Due(f"暂停计时（已用 {case.clock_used} 个工作日）", "paused")
    if draft or case.due_on is None:
        return None
    if case.due_on == NO_LIMIT:
        return UNLIMITED
    left = calendar.between(day, case.due_on)
    unknown = calendar.unknown_years(case.clock_from or day, case.due_on)
    warning = "；".join(unknown_text(year) for year in unknown)
    if left < 0:
        return Due(f"已超期 {-left} 个工作日", "late", case.due_on, warning)
    if left == 0:
        return Due("今天到期", "soon", case.due_on, warning)
    tone = "soon" if left <= int(clock_setting(case)["soon"]) else "ok"
    return Due(f"剩 {left} 个工作日", tone, case.due_on, warning)


UNLIMITED = Due(NO_LIMIT_TEXT, "neutral")


def limit_text(case: Case) -> str:
    """The limit of a case's review in words, before it runs."""
    setting = clock_setting(case)
    if not setting["days"]:
        return NO_LIMIT_TEXT
    span = "全部环节合计" if setting["mode"] == "total" else "每个环节各"
    return f"{span} {setting['days']} 个工作日，退回补正期间不计时"


def deadline_of(pack: Policy, workflow: str, year: int) -> date | None:
    """The day by which a roster of a year must have been sent; None where the policy names none."""
    key = f"{workflow}.deadline"
    return date.fromisoformat(f"{year}-{pack.value(key)}") if key in pack.values else None


def until_deadline(pack: Policy, workflow: str, year: int) -> Due:
    """How far off the day is by which a year's roster must have been sent."""
    day = deadline_of(pack, workflow, year)
    return countdown(day) if day else UNLIMITED


def countdown(day: date) -> Due:
    """A deadline in words: calendar days, because the clause names a day."""
    left = (day - today()).days
    words = f"{day.month} 月 {day.day} 日"
    if left < 0:
        return Due(f"{words}截止，已超期 {-left} 天", "late", day)
    if left == 0:
        return Due(f"{words}截止，就是今天", "soon", day)
    return Due(f"{words}截止，还有 {left} 天", "soon" if left <= SOON else "ok", day)


def recompute_due_dates(top: Office) -> int:
    """After the days of an office changed: move every running clock at or below it. Returns the number of cases moved.

    Clocks of one calendar that began on one day with as much left move by one UPDATE, which passes over a case decided
    meanwhile.
    """
    calendars, moved = Calendars(), 0
    own = select(Office).where(Office.id.in_(calendars.offices | {top.id}))
    for office, deeper in nested(list(db.session.scalars(own)), top):
        here = [
            Case.status == Status.IN_REVIEW,
            Case.clock_from.is_not(None),
            Case.owner_office_id.in_(offices_under(office.path)),
            *(Case.owner_office_id.not_in(offices_under(one.path)) for one in deeper),
        ]
        moved += _move_spans(here, calendars.of(office))
    db.session.expire_all()
    return moved


def _move_spans(running: list[ColumnElement[bool]], calendar: Calendar) -> int:
    moved = 0
    spans = select(Case.clock_from, Case.clock_limit, Case.clock_used, Case.due_on).where(*running).distinct()
    for begun, limit, used, due_on in db.session.execute(spans).all():
        due = due_date(begun, limit, used, calendar) if begun else None
        if due is None or due == due_on:
            continue
        same = (
            Case.clock_from == begun,
            Case.clock_limit == limit,
            Case.clock_used == used,
            Case.due_on == due_on,
        )
        done = db.session.execute(
            update(Case).where(*running, *same).values(due_on=due),
            execution_options={"synchronize_session": False},
        )
        moved += done.rowcount  # type: ignore[attr-defined]
    return moved
