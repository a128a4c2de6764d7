"""Days off that the law itself fixes, before any notice: 全国年节及纪念日放假办法 (国务院令第795号, 2024-11-10) 第二条.

What the yearly notice adds, days moved to make longer holidays and days made up on a weekend, is in no rule and not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType

from lunar_python import Lunar

REVISED = 2025  # the first year under the revision: 除夕 and 2 May were added
NEW_YEAR, SPRING, QINGMING, LABOUR, DRAGON_BOAT, MID_AUTUMN, NATIONAL = (
    "元旦",
    "春节",
    "清明节",
    "劳动节",
    "端午节",
    "中秋节",
    "国庆节",
)
SEVEN = (NEW_YEAR, SPRING, QINGMING, LABOUR, DRAGON_BOAT, MID_AUTUMN, NATIONAL)


@lru_cache(maxsize=256)
def statutory_days(year: int) -> Mapping[date, str]:
    """{day: name} of a year. Where two holidays fall on one day both names stand there."""
    found: dict[date, str] = {}
    for day, name in _of(year):
        found[day] = f"{found[day]}、{name}" if day in found else name
    return MappingProxyType(dict(sorted(found.items())))


def _of(year: int) -> list[tuple[date, str]]:
    revised = year >= REVISED
    spring = _lunar(year, 1, 1)
    first = -1 if revised else 0  # 除夕
    return [
        (date(year, 1, 1), NEW_YEAR),
        *((spring + timedelta(days=n), SPRING) for n in range(first, 3)),
        (_qingming(year), QINGMING),
        *((date(year, 5, n), LABOUR) for n in range(1, 3 if revised else 2)),
        (_lunar(year, 5, 5), DRAGON_BOAT),
        (_lunar(year, 8, 15), MID_AUTUMN),
        *((date(year, 10, n), NATIONAL) for n in range(1, 4)),
    ]


def _lunar(year: int, month: int, day: int) -> date:
    solar = Lunar.fromYmd(year, month, day).getSolar()
    return date(solar.getYear(), solar.getMonth(), solar.getDay())


def _qingming(year: int) -> date:
    solar = Lunar.fromYmd(year, 1, 1).getJieQiTable()["清明"]
    return date(solar.getYear(), solar.getMonth(), solar.getDay())
