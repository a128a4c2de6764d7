"""Working days: Monday to Friday, corrected by the State Council's yearly notice and by local days off. The day of the event
is not counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from portal.standards.statutory_days import statutory_days

OFF, WORK = "off", "work"
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Calendar:
    """Days that differ from their weekday: date -> "off" or "work". `years` are those whose whole notice was entered; of any
    other year the days that the law fixes are off until the notice says more."""

    days: Mapping[date, str]
    years: frozenset[int]

    @classmethod
    def of(cls, days: Mapping[date, str], years: Collection[int] = ()) -> Calendar:
        return cls(dict(days), frozenset(years))

    def works(self, day: date) -> bool:
        """Whether offices work on this day."""
        kind = self.days.get(day)
        if kind:
            return kind == WORK
        if day.weekday() >= 5:
            return False
        return day.year in self.years or day not in statutory_days(day.year)

    def after(self, start: date, count: int) -> date:
        """The working day that is `count` working days after `start`."""
        day = start
        while count > 0:
            day += ONE_DAY
            count -= self.works(day)
        return day

    def between(self, start: date, end: date) -> int:
        """Working days after `start` up to and with `end`; negative when `end` lies before `start`."""
        if end < start:
            return -self.between(end, start)
        return sum(self.works(start + ONE_DAY * n) for n in range(1, (end - start).days + 1))

    def unknown_years(self, start: date, end: date) -> tuple[int, ...]:
        """Years touched by the span whose notice nobody has entered."""
        return tuple(year for year in range(start.year, end.year + 1) if year not in self.years)


def unknown_text(year: int) -> str:
    """What is said of a date that hangs on a year without its notice."""
    return f"{year} 年放假安排未录入，暂按法定节日计算"


def yearly_day(day: date, year: int, *, moves: bool) -> date:
    """A day that comes back each year, in this one. `moves`: on a weekend it is the Monday after. 29 February is 28 where
    there is none."""
    try:
        found = day.replace(year=year)
    except ValueError:
        found = date(year, 2, 28)
    if moves and found.weekday() >= 5:
        found += ONE_DAY * (7 - found.weekday())
    return found
