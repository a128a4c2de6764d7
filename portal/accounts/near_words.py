"""Words that stand too near to a person to be part of a password: login, name, telephone, office, and their pinyin.

What never belongs here: what else a password must be (portal.accounts.passwords).
"""

from __future__ import annotations

from collections.abc import Iterable

from pypinyin import lazy_pinyin

PLACE = 2  # characters of an office's name that name its place: 青禾县第一中学 -> qinghe
LEAST_PINYIN = 4


def near_words(
    login: str, name: str, phone: str = "", offices: Iterable[str] = (), code: str = ""
) -> list[str]:
    """All of them that are long enough to mean something."""
    words = [login, name, phone, code, *offices]
    spelt = [_pinyin(name), _pinyin(name[1:]), *(_pinyin(one[:PLACE]) for one in offices)]
    words += [one for one in spelt if len(one) >= LEAST_PINYIN]
    return list(dict.fromkeys(word for word in words if counts(word)))


def counts(word: str) -> bool:
    """Two characters of Chinese are a name; two letters are an accident."""
    return len(word) >= (3 if word.isascii() else 2)


def _pinyin(text: str) -> str:
    return "".join(lazy_pinyin(text, errors="ignore"))
