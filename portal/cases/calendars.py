"""The working days of an office: the notices of its topmost office, and local days of every office on the way down to it.

What never belongs here: how days are counted (portal.standards.workdays), who may enter them (portal.oversight.holidays).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import date

from sqlalchemy import select

from portal.extensions import db
from portal.models import CalendarNotice, Holiday, Office
from portal.models.types import utcnow
from portal.standards.workdays import Calendar, yearly_day

AHEAD = 10  # years for which days that come back are reckoned ahead


def ids_of(path: str) -> list[uuid.UUID]:
    """The offices from the topmost one down to the office with this path."""
    return [uuid.UUID(part) for part in path.strip("/").split("/")]


class Calendars:
    """The calendars of all offices as they stand now, read once; offices with the same days share one."""

    def __init__(self) -> None:
        self._days: dict[uuid.UUID, list[Holiday]] = {}
        query = select(Holiday).order_by(Holiday.notice_id.is_(None), Holiday.day)
        for row in db.session.scalars(query):
            self._days.setdefault(row.office_id, []).append(row)
        standing = select(CalendarNotice.office_id, CalendarNotice.year)
        self._years: dict[uuid.UUID, set[int]] = {}
        for office_id, year in db.session.execute(standing.where(CalendarNotice.withdrawn_at.is_(None))):
            self._years.setdefault(office_id, set()).add(year)
        self._last = utcnow().year + AHEAD
        self._made: dict[tuple[uuid.UUID, ...], Calendar] = {}

    def of(self, office: Office) -> Calendar:
        """The calendar of an office."""
        return self.at(office.path)

    def at(self, path: str) -> Calendar:
        """The calendar of the office with this path; a nearer office's word goes before a farther one's."""
        line = ids_of(path)
        own = tuple(one for one in line if one in self._days or one in self._years)
        if own not in self._made:
            days: dict[date, str] = {}
            for office_id in own:
                for row in self._days.get(office_id, ()):
                    days.update((day, row.kind) for day in occurrences(row, self._last))
            self._made[own] = Calendar.of(days, self._years.get(line[0], ()))
        return self._made[own]

    @property
    def offices(self) -> set[uuid.UUID]:
        """Offices that have days or notices of their own."""
        return self._days.keys() | self._years.keys()


def occurrences(row: Holiday, last: int) -> Iterator[date]:
    """The days of an entry: itself, or one in each year from its own to the last one."""
    if not row.yearly:
        yield yearly_day(row.day, row.day.year, moves=row.moves)
        return
    for year in range(row.day.year, last + 1):
        yield yearly_day(row.day, year, moves=row.moves)


def topmost(path: str) -> uuid.UUID:
    """The office whose notices count for the office with this path."""
    return ids_of(path)[0]


def nested(offices: Sequence[Office], top: Office) -> Iterator[tuple[Office, list[Office]]]:
    """Each of the offices at or below `top`, with those of them that lie deeper: the parts into which `top` falls by calendar."""
    inside = [one for one in offices if one.path.startswith(top.path)]
    for one in inside:
        yield one, [other for other in inside if other is not one and other.path.startswith(one.path)]
