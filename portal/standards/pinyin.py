"""How a name is read aloud: pinyin and its initials, by which people look for it.

A character may have several readings: a surname's own one comes first, the common one is kept beside it.
"""

from __future__ import annotations

from portal.standards.names import name_key
from portal.standards.readings import lazy_pinyin

# 姓 -> the reading as a surname, where it differs from the common one (GB/T 28039-2011 names the principle).
SURNAMES = {
    **{
        "曾": "zeng",
        "单": "shan",
        "單": "shan",
        "解": "xie",
        "仇": "qiu",
        "查": "zha",
        "区": "ou",
        "盖": "ge",
    },
    **{"朴": "piao", "缪": "miao", "乐": "yue", "覃": "qin", "翟": "zhai", "尉迟": "yuchi", "万俟": "moqi"},
    **{"尹": "yin", "黑": "he", "折": "she", "种": "chong", "繁": "po", "员": "yun", "都": "du", "隗": "wei"},
    **{
        "召": "shao",
        "洗": "xian",
        "宓": "mi",
        "秘": "bi",
        "句": "gou",
        "那": "na",
        "祭": "zhai",
        "长孙": "zhangsun",
    },
}


def ways(name: str) -> tuple[tuple[str, str], ...]:
    """(full pinyin, initials) of every way in which a name may be read, the likeliest first. Latin letters are read as they
    are; characters without a reading are left out. ü is v, and yu as passports write it."""
    key = name_key(name)
    syllables = [_letters(one) for one in lazy_pinyin(key)]
    readings = [_joined(key, syllables)]
    for length in (2, 1):
        if own := SURNAMES.get(key[:length]):
            common = readings[0]
            first = own[:1] if length == 1 else own[:1] + syllables[1][:1]
            rest = syllables[length:]
            readings = [(own + "".join(rest), first + "".join(one[:1] for one in rest)), common]
            break
    passport = [
        (full.replace("v", "yu"), short) for full, short in readings if "v" in full and not key.isascii()
    ]
    return tuple(dict.fromkeys((*readings, *passport)))


def _joined(key: str, syllables: list[str]) -> tuple[str, str]:
    if key.isascii():
        return key.replace("-", ""), ""
    return "".join(syllables), "".join(one[:1] for one in syllables)


def _letters(text: str) -> str:
    return "".join(one for one in text.lower() if "a" <= one <= "z")
