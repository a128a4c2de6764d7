"""Classes as schools write them: 2, （2）班, 第2班, 高一2班 and 二班 are one class."""

from __future__ import annotations

import re
import unicodedata

from portal.standards import grades
from portal.standards.words import plain

_CLASS = re.compile(r"[(]?第?(?P<number>[0-9]{1,2}|[一二三四五六七八九十]{1,3})[)]?(?P<word>班)?")
_TENS = re.compile(r"(?P<tens>[一二三四五六七八九]?)(?P<ten>十?)(?P<ones>[一二三四五六七八九]?)")


def one_form(text: str, stage: str, grade: str, system: str = grades.USUAL) -> str:
    """A class of a grade in one form where there is no doubt, so that counts by class do not split; else as written.

    Understood as 2班: 2, ２, 02, 2班, 02班, 第2班, (2)班, （2）班, (2), 二班, （二）班, 第二班, and each of them behind the
    grade, e.g. 高一2班, 高一年级（2）班, 七（2）班 in 初一; from 1 to 99, spaces aside. Everything else is kept: another grade
    (高二2班), a year or a code (2026级2班, 2601班), names (火箭班, A班, 2班文科), a Chinese number without 班 (二).
    """
    folded = "".join(unicodedata.normalize("NFKC", plain(text)).split())
    found = _CLASS.fullmatch(_without_grade(folded, stage, grade, system))
    if found is None or folded.count("(") != folded.count(")"):
        return text
    number = found["number"]
    count = int(number) if number.isdecimal() else _counted(number) if found["word"] else 0
    return f"{count}班" if count else text


def same(one: str, other: str, stage: str, grade: str, system: str = grades.USUAL) -> bool:
    """Whether two texts name one class of a grade."""
    return key(one, stage, grade, system) == key(other, stage, grade, system)


def key(text: str, stage: str, grade: str, system: str = grades.USUAL) -> str:
    """By which writings of one class fall together."""
    form = one_form(text, stage, grade, system)
    return "".join(unicodedata.normalize("NFKC", plain(form)).split()).casefold()


def _without_grade(text: str, stage: str, grade: str, system: str) -> str:
    """The class without the grade before it, where that is the grade of its pupils: 七(2)班 and 初一2班 in 七年级."""
    own = grades.of(stage, grade, system)
    before = grades.BEFORE_A_CLASS.match(text)
    if own is None or before is None:
        return text
    said = grades.of(own.stage, before["grade"], system) or grades.of(
        own.stage, f"{before['grade']}年级", system
    )
    return text[before.end() :] if said == own else text


def _counted(text: str) -> int:
    """一 to 九十九 as a number, 0 for what is none."""
    found = _TENS.fullmatch(text)
    if found is None or (found["tens"] and found["ones"] and not found["ten"]):
        return 0
    digits = "零一二三四五六七八九"
    tens, ones = (digits.index(found[part]) if found[part] else 0 for part in ("tens", "ones"))
    return (tens or 1) * 10 + ones if found["ten"] else tens or ones
