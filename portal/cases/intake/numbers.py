"""Ranges of 学号: one contiguous range a roster, none overlapping, put together as the policy says.

A series is counted through for the whole state and year. A number that was once asked for is never given to another range.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from portal.cases.offices import supervisor
from portal.extensions import db
from portal.models import Case, Level, NumberRange
from portal.policies import policy
from portal.workflows import facts


class NoNumbersLeft(Exception):
    """The serial of the policy's pattern has no room for a range of this size."""


def allot(case: Case, count: int) -> NumberRange:
    """The range for the `count` standing people of a roster that is being submitted; flushed.

    A roster that comes again keeps its first number where it has become shorter; a longer one gets a new range.
    Raises NoNumbersLeft.
    """
    held = db.session.get(NumberRange, case.id)
    if held is not None and held.last - held.first + 1 >= count:
        held.last = held.first + count - 1
        db.session.flush()
        return held
    series, width = _series(case)
    last = _count_on(series, count)
    if last >= 10**width:
        raise NoNumbersLeft(f"{series} has no {count} numbers left")
    if held is None:
        held = NumberRange(case_id=case.id, series=series, first=last - count + 1, last=last)
        db.session.add(held)
    else:
        held.series, held.first, held.last = series, last - count + 1, last
    db.session.flush()
    return held


def shown(case: Case) -> facts.NumberRange | None:
    """The range of a roster as its numbers are written, None before the first submission."""
    held = db.session.get(NumberRange, case.id)
    if held is None:
        return None
    prefix, width = held.series.partition(":")[2], _width(_pattern(case))
    return facts.NumberRange(f"{prefix}{held.first:0{width}d}", f"{prefix}{held.last:0{width}d}")


def _count_on(series: str, count: int) -> int:
    """The last of the next `count` numbers of a series; the row lock lasts until the transaction ends."""
    statement = text(
        "INSERT INTO number_series (name, last) VALUES (:name, :count) "
        "ON CONFLICT (name) DO UPDATE SET last = number_series.last + :count RETURNING last"
    )
    return int(db.session.execute(statement, {"name": series, "count": count}).scalar_one())


def _series(case: Case) -> tuple[str, int]:
    """(name of the series, digits of its serial). The name is the state's code and what stands before the serial."""
    state = supervisor(case.owner, Level.STATE)
    pattern = _pattern(case)
    prefix = "".join(_fixed(part, case.intake_year or 0) for part in pattern if part["part"] != "serial")
    return f"{state.code if state else case.owner.code}:{prefix}", _width(pattern)


def _pattern(case: Case) -> list[dict[str, Any]]:
    pattern: list[dict[str, Any]] = policy(case.policy).value(f"{case.workflow}.numbers")
    return pattern


def _fixed(part: dict[str, Any], year: int) -> str:
    return str(part["text"]) if part["part"] == "fixed" else str(year)[-int(part["digits"]) :]


def _width(pattern: list[dict[str, Any]]) -> int:
    return int(next(part["digits"] for part in pattern if part["part"] == "serial"))
