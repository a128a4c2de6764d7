"""学年 (1 September to 31 August) and the year of entry that a day's business is about."""

from __future__ import annotations

from datetime import date

FIRST_MONTH_OF_AN_INTAKE = (
    6  # the entrance examination; from here on people speak of the coming autumn's intake
)


def year_of_entry(day: date) -> int:
    """The year of the intake that is being prepared, registered or corrected on a day."""
    return day.year if day.month >= FIRST_MONTH_OF_AN_INTAKE else day.year - 1


def age_on(birth: date, day: date) -> int:
    """Whole years; a birthday counts from its own day on (满周岁), of 29 February from 1 March."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
