"""How much somebody has said: what counts of a reason are its letters and figures."""

from __future__ import annotations

import unicodedata


def visible_in(text: str) -> int:
    """Characters that leave a trace on paper."""
    return sum(unicodedata.category(one)[0] not in "CZ" for one in text)


def letters_in(text: str) -> int:
    """Letters, characters and figures of a text. Marks, blanks and characters that nobody sees say nothing."""
    return sum(unicodedata.category(one)[0] in "LN" for one in text)
