"""Dates as they are printed on papers: 2013年5月6日, 2013-05-06, 2013.5.6, 二〇一三年五月六日."""

from __future__ import annotations

import re
from datetime import date

_DIGITS = {**{c: n for n, c in enumerate("〇一二三四五六七八九")}, "零": 0, "○": 0, "O": 0, "Ｏ": 0}
_NUMERAL = "〇零○一二三四五六七八九十"
PATTERN = re.compile(
    r"(?<!\d)(?:19|20)\d{2}\s*(?:年|[-./])\s*\d{1,2}\s*(?:月|[-./])\s*\d{1,2}(?!\d)\s*日?"
    rf"|[一二][{_NUMERAL}]{{3}}年[{_NUMERAL}]{{1,2}}月[{_NUMERAL}]{{1,3}}日"
)


def read_date(text: str) -> date | None:
    """The calendar date that a printed text says, or None."""
    parts = re.findall(r"\d+", text)
    if len(parts) != 3:
        numerals = re.fullmatch(rf"([{_NUMERAL}]+)年([{_NUMERAL}]+)月([{_NUMERAL}]+)日", text.strip())
        if not numerals:
            return None
        parts = [
            "".join(str(_DIGITS.get(c, "")) for c in numerals[1]),
            *(_small(n) for n in numerals.groups()[1:]),
        ]
    try:
        return date(int(parts[0]), int(parts[1]), int(parts[2]))
    except ValueError:
        return None


def _small(text: str) -> str:
    """A numeral up to thirty-one: 五, 十, 十二, 二十, 三十一, 〇五."""
    if "十" not in text:
        return "".join(str(_DIGITS[c]) for c in text)
    tens, _, ones = text.partition("十")
    return str((_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0))
