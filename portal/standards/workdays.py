"""Working days: Monday to Friday, corrected by the State Council's yearly notice. The day of the event is not counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

OFF, WORK = "off", "work"
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Calendar:
    """Days that differ from their weekday: date -> "off" or "work". A year with no entry at all is unknown."""

    days: Mapping[date, str]
    years: frozenset[int]

    @classmethod
    def of(cls, days: Mapping[date, str]) -> Calendar:
        return cls(dict(days), frozenset(day.year for day in days))

    def works(self, day: date) -> bool:
        """Whether offices work on this day; an unknown year goes by weekday alone."""
        kind = self.days.get(day)
        return kind == WORK if kind else day.weekday() < 5

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
        """Years touched by the span whose holidays nobody has entered."""
        return tuple(year for year in range(start.year, end.year + 1) if year not in self.years)
