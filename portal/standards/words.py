"""What a text says: its letters and figures, and what of it nobody sees."""

from __future__ import annotations

import re
import unicodedata

_SEEN = re.compile(
    "[\x00-\x7f\u3001-\u3029\u3400-\u9fff\uff01-\uff5e·“”]*"
)  # nearly every text: nothing to look for
_FILLERS = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u3164\uffa0"  # Default_Ignorable_Code_Point outside Cf
)


def visible_in(text: str) -> int:
    """Characters that leave a trace on paper."""
    return sum(unicodedata.category(one)[0] not in "CZ" for one in text)


def letters_in(text: str) -> int:
    """Letters, characters and figures of a text. Marks, blanks and characters that nobody sees say nothing."""
    return sum(unicodedata.category(one)[0] in "LN" for one in text)


def unseen(character: str) -> bool:
    """Whether nobody sees a character on a page: zero width, bidirectional marks and other format characters (Cf), variation
    selectors, fillers. White space is not meant."""
    return unicodedata.category(character) == "Cf" or character in _FILLERS or _selects_a_form(ord(character))


def _selects_a_form(point: int) -> bool:
    return 0xFE00 <= point <= 0xFE0F or 0xE0100 <= point <= 0xE01EF


def plain(text: str) -> str:
    """The text without what nobody sees: copied from a page or typed, both are one value."""
    return text if _SEEN.fullmatch(text) else "".join(one for one in text if not unseen(one))


def code_points(characters: str) -> str:
    """U+200B、U+FE00: what a person is told of characters that cannot be seen or are taken for others."""
    return "、".join(dict.fromkeys(f"U+{ord(one):04X}" for one in characters))
