"""Grades as schools write them: 七年级, 7年级, 初一 and 初中一年级 are one grade.

Nine years of compulsory schooling are split 6-3 or, in some places, 5-4 (六三学制, 五四学制), and then 初一 is 六年级. Which of
them a place has is a value of its policy.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from portal.standards.words import plain

USUAL = "6-3"
LAST_OF_PRIMARY = {"6-3": 6, "5-4": 5}
PRIMARY, JUNIOR, SENIOR = "小学", "初中", "高中"
_WORDS = {"小": PRIMARY, "初": JUNIOR, "高": SENIOR}
_NUMBERS = {
    **{one: number for number, one in enumerate("一二三四五六七八九十", start=1)},
    **{"十一": 11, "十二": 12, **{str(number): number for number in range(1, 13)}},
}
_NUMBER = "1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九]"
_OF_STAGE = re.compile(rf"(?P<word>小学?|初中?|高中?)(?P<number>{_NUMBER})(?:年级)?")
_OVERALL = re.compile(rf"(?P<number>{_NUMBER})年级")
# 高一2班, 七(2)班: what may stand before a class. A bare number needs a bracket behind it.
BEFORE_A_CLASS = re.compile(
    rf"(?P<grade>(?:小学?|初中?|高中?)(?:1[0-2]|[1-9](?=[年(第])|十[一二]?|[一二三四五六七八九])(?:年级)?|(?:{_NUMBER})年级|(?:{_NUMBER})(?=\())"
)


@dataclass(frozen=True)
class Grade:
    """A year of schooling, counted from the first of primary school; whether it begins or ends its stage."""

    stage: str
    year: int
    first: bool
    final: bool

    @property
    def title(self) -> str:
        """The usual word: 七年级, 高一."""
        return f"高{_chinese(self.year - 9)}" if self.stage == SENIOR else f"{_chinese(self.year)}年级"

    @classmethod
    def of(cls, stage: str, text: str, system: str = USUAL) -> Grade | None:
        """The grade that a text names, None where it names none, or one that its stage does not have. `stage` is what the
        register says, "" where it is unknown: it settles what 一年级 of a high school is."""
        return of(stage, text, system)


@lru_cache(maxsize=4096)
def of(stage: str, text: str, system: str = USUAL) -> Grade | None:
    """See Grade.of."""
    folded = "".join(unicodedata.normalize("NFKC", plain(text)).split())
    primary = LAST_OF_PRIMARY[system]
    firsts = {PRIMARY: 1, JUNIOR: primary + 1, SENIOR: 10}
    if found := _OF_STAGE.fullmatch(folded):
        said = _WORDS[found["word"][0]]
        if stage in firsts and stage != said:
            return None
        number = _NUMBERS[found["number"]]
        year = number + firsts[said] - 1
        # 初中七年级 counts from primary school, 初中一年级 from the stage.
        return _grade(year, said, primary) or _grade(number, said, primary)
    if not (found := _OVERALL.fullmatch(folded)):
        return None
    number = _NUMBERS[found["number"]]
    for one in (stage,) if stage in firsts else firsts:
        if grade := _grade(number, one, primary):
            return grade
    return _grade(number + firsts[stage] - 1, stage, primary) if stage in firsts else None


def _grade(year: int, stage: str, primary: int) -> Grade | None:
    first, final = {PRIMARY: (1, primary), JUNIOR: (primary + 1, 9), SENIOR: (10, 12)}[stage]
    return Grade(stage, year, year == first, year == final) if first <= year <= final else None


def same(one: str, other: str, stage: str, system: str = USUAL) -> bool:
    """Whether two texts name one grade."""
    return key(one, stage, system) == key(other, stage, system)


def key(text: str, stage: str, system: str = USUAL) -> str:
    """By which writings of one grade fall together; what names none is itself."""
    grade = of(stage, text, system)
    return grade.title if grade else "".join(unicodedata.normalize("NFKC", plain(text)).split())


def every(system: str = USUAL) -> tuple[Grade, ...]:
    """The twelve grades of a system in their order."""
    primary = LAST_OF_PRIMARY[system]
    stages = ((PRIMARY, range(1, primary + 1)), (JUNIOR, range(primary + 1, 10)), (SENIOR, range(10, 13)))
    return tuple(
        grade for stage, years in stages for year in years if (grade := _grade(year, stage, primary))
    )


def titled(title: str, system: str = USUAL) -> Grade | None:
    """The grade of this usual word."""
    return next((grade for grade in every(system) if grade.title == title), None)


def spellings(grade: Grade, system: str = USUAL) -> tuple[str, ...]:
    """The usual writings of a grade, for a list that a database narrows: 七年级, 7年级, 初一, 初中一年级, …"""
    within = grade.year - {PRIMARY: 0, JUNIOR: LAST_OF_PRIMARY[system], SENIOR: 9}[grade.stage]
    found = []
    for number, words in ((grade.year, ("",)), (within, ("", grade.stage, grade.stage[0]))):
        if number > 10 and grade.stage != SENIOR:
            continue
        for one in (_chinese(number), str(number)):
            found += [f"{word}{one}年级" for word in words] + [f"{word}{one}" for word in words if word]
    return tuple(one for one in dict.fromkeys(found) if of(grade.stage, one, system) == grade)


def _chinese(number: int) -> str:
    return "零一二三四五六七八九十"[number] if number <= 10 else f"十{'零一二'[number - 10]}"
