"""The memory of readings says what pypinyin says."""

from __future__ import annotations

import pypinyin
import pytest
from pypinyin import Style

from portal.standards.readings import lazy_pinyin

TEXTS = [
    "重阳",
    "重庆",
    "曾乐",
    "单于昂",
    "尉迟恭",
    "买买提·艾力",
    "John Smith",
    "a马b",
    "𠮷田",
    "〇",
    "",
    "长孙无忌",
]


@pytest.mark.parametrize("arguments", [{}, {"style": Style.FIRST_LETTER, "errors": "ignore"}])
def test_a_remembered_reading_is_the_librarys(arguments: dict[str, object]) -> None:
    for text in [*TEXTS, *map(chr, range(0x4E00, 0x9FFF, 37))] * 2:  # the second time from memory
        assert lazy_pinyin(text, **arguments) == pypinyin.lazy_pinyin(text, **arguments)  # type: ignore[arg-type]
