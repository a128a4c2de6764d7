"""Names as certified: what may stand in one, and the folded key by which look-alikes are found.

A name is stored byte for byte. str.isalpha() refuses CJK extensions H to J, and Unicode normalisation changes
compatibility ideographs, so the allow-list goes by code-point ranges and folding is for comparison only.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from pypinyin import Style, lazy_pinyin

from portal.standards.id_number import Fault

MAX_LENGTH = 50
DOTS = "·•・．‧∙⋅"
HAN_RANGES = (
    (0x3007, 0x3007),  # 〇
    (0x3400, 0x4DBF),  # extension A
    (0x4E00, 0x9FFF),
    (0xE000, 0xF8FF),  # private use: characters that older population systems coded themselves
    (0xF900, 0xFAFF),  # compatibility ideographs
    (0x20000, 0x2EE5F),  # extensions B to F, I
    (0x2F800, 0x2FA1F),
    (0x30000, 0x3347F),  # extensions G, H, J
    (0xF0000, 0xFFFFD),
)


def name_fault(name: str) -> Fault | None:
    """The first thing wrong with a pupil's name, or None. Latin letters and inner spaces are for foreign pupils."""
    if not name:
        return Fault("姓名没有填写", "请按户口簿填写姓名")
    if len(name) > MAX_LENGTH:
        return Fault(f"姓名超过 {MAX_LENGTH} 个字", "请核对是否把其他内容填入了姓名栏")
    if name != name.strip():
        return Fault("姓名前后有空格", "请删去姓名前后的空格")
    for character in name:
        if not _may_stand(character):
            return Fault(
                f"姓名中有不能使用的字符“{_shown(character)}”", "请按户口簿逐字核对；少数民族姓名间隔号用“·”"
            )
    return None


def _may_stand(character: str) -> bool:
    point = ord(character)
    return (
        any(low <= point <= high for low, high in HAN_RANGES)
        or character in DOTS
        or character in " -'’."
        or (unicodedata.category(character) in ("Lu", "Ll", "Lo", "Mn") and point < 0x2000)
    )


def _shown(character: str) -> str:
    return character if character.isprintable() else f"U+{ord(character):04X}"


def name_key(name: str) -> str:
    """A key under which look-alikes fall together: dots, spaces, compatibility forms, case. Never stored as the name."""
    folded = unicodedata.normalize("NFKC", name)
    return "".join(c for c in folded if c not in DOTS + "." and not c.isspace()).casefold()


@lru_cache(maxsize=65536)
def initials(name: str) -> str:
    """Pinyin initials in lower case, e.g. 买买提·阿不都 -> mmtabd; characters without a reading are left out."""
    letters = lazy_pinyin(name_key(name), style=Style.FIRST_LETTER, errors="ignore")
    return "".join(letter[:1] for letter in letters if letter[:1].isascii()).lower()
