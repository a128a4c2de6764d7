"""pypinyin with a memory: what a word is read as does not change, and a register says the same few thousand characters.

The dictionary and the parting of a text into words are pypinyin's own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pypinyin import Style
from pypinyin.converter import DefaultConverter
from pypinyin.core import Pinyin

_convert = lru_cache(maxsize=65536)(DefaultConverter().convert)


class _Remembering(DefaultConverter):
    def convert(
        self,
        words: str,
        style: Style,
        heteronym: bool,
        errors: Callable[[str], str] | str,
        strict: bool = True,
        **_: Any,
    ) -> list[list[str]]:
        return _convert(words, style, heteronym, errors, strict)


lazy_pinyin = Pinyin(_Remembering()).lazy_pinyin
"""A text's syllables, with the arguments of pypinyin.lazy_pinyin."""
