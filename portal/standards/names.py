"""Names as certified: what may stand in one, which writings are one name, and the folded key by which people look.

A name is stored as it is written, without what nobody sees and without the blanks by which lists line up names of two
characters. str.isalpha() refuses CJK extensions H to J, and Unicode normalisation changes compatibility ideographs, so the
allow-list goes by code-point ranges and folding is for comparison only.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from pypinyin import Style

from portal.standards.id_number import Fault, Note
from portal.standards.readings import lazy_pinyin
from portal.standards.words import code_points, plain, unseen

MAX_LENGTH = 50
DOTS = "·•・．‧∙⋅﹒●･․ꞏ◦⸱"
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
    (0x100000, 0x10FFFD),
)
PRIVATE_RANGES = ((0xE000, 0xF8FF), (0xF0000, 0xFFFFD), (0x100000, 0x10FFFD))
# Radicals that are taken for the character and that NFKC leaves alone (Unicode EquivalentUnifiedIdeograph.txt).
RADICALS = dict(
    zip(
        "⻁⻄⻅⻆⻉⻋⻓⻔⻘⻙⻚⻛⻜⻝⻢⻥⻦⻨⻩⻬⻮⻰⻳⻤⻣⺠⺟⼾",
        "虎西见角贝车长门青韦页风飞食马鱼鸟麦黄齐齿龙龟鬼骨民母户",
        strict=True,
    )
)
_RADICALS = str.maketrans(RADICALS)
_HAN = "".join(f"{chr(low)}-{chr(high)}" for low, high in HAN_RANGES)
_DOT = re.escape(DOTS)
_LINED_UP = re.compile(rf"(?<=[{_HAN}])\s+(?=[{_HAN}{_DOT}.])|(?<=[{_DOT}.])\s+(?=[{_HAN}])")
_USUAL = re.compile(
    "[\u3400-\u4dbf\u4e00-\u9fff]{1,20}"
)  # nearly every name: nothing to fold, nothing to judge
_DROPPED_FROM_KEY = str.maketrans("", "", DOTS + ".'’")
_MIXED = ("LATIN", "CYRILLIC", "GREEK")  # scripts whose letters are taken for each other


@dataclass(frozen=True)
class Name:
    """A name as it is read: `value` is what would be stored, `fault` what forbids that, `note` what was put right or is
    unusual and is pointed at."""

    value: str
    fault: Fault | None = None
    note: Note | None = None


def read(text: str) -> Name:
    """A name as a person or a sheet writes it. Latin letters keep their single spaces, for foreign pupils."""
    if _USUAL.fullmatch(text):
        return Name(text)
    bare = " ".join(plain(text).split())
    value = _LINED_UP.sub("", bare)
    return Name(value, _fault(value), _note(text, bare, value))


def tidy(text: str) -> str:
    """The name that would be stored."""
    return read(text).value


def name_fault(text: str) -> Fault | None:
    """The first thing wrong with a name that somebody types, or None: there a blank within is a slip, too."""
    name = read(text)
    spaced = name.value != " ".join(plain(text).split())
    return name.fault or (name.note if spaced else None)


def _fault(name: str) -> Fault | None:
    if not name:
        return Fault("姓名没有填写", "请按户口簿填写姓名")
    if len(name) > MAX_LENGTH:
        return Fault(f"姓名超过 {MAX_LENGTH} 个字", "请核对是否把其他内容填入了姓名栏")
    return next(filter(None, map(_strange, name)), None) or _structure_fault(name)


def _strange(character: str) -> Fault | None:
    if _is_letter(character) or _is_mark(character) or _joins(character):
        return None
    meant = RADICALS.get(character) or unicodedata.normalize("NFKC", character)
    remedy = "请按户口簿逐字核对；少数民族姓名间隔号用“·”"
    if character in "○◯⭘０0":
        remedy = "如是“〇”（U+3007），请用输入法重新输入"
    elif meant != character and len(meant) == 1 and _is_letter(meant):
        remedy = f"应是“{meant}”（{code_points(meant)}），请用输入法重新输入"
    shown = (
        f"“{character}”（{code_points(character)}）" if character.isprintable() else code_points(character)
    )
    return Fault(f"姓名中有不能使用的字符{shown}", remedy)


def _structure_fault(name: str) -> Fault | None:
    """A name is letters, with single dots, blanks, hyphens or apostrophes between them. A dot of initials may be followed
    by a blank."""
    if not any(map(_is_letter, name)):
        return Fault("姓名中没有文字", "请按户口簿填写姓名")
    if not _is_letter(name[0]) or _joins(name[-1]):
        return Fault("姓名不能以符号开头或结尾", "间隔号只写在两部分姓名之间，如“买买提·艾力”")
    for one, other in pairwise(name):
        if _joins(one) and _joins(other) and (one, other) != (".", " "):
            return Fault("姓名中的符号连在一起", "间隔号每处只写一个，如“买买提·艾力”")
    scripts = {
        script: one for one in name for script in _MIXED if unicodedata.name(one, "").startswith(script)
    }
    if len(scripts) > 1:
        odd = next(one for script, one in scripts.items() if script != "LATIN")
        return Fault(f"姓名中混有形似的外文字母“{odd}”（{code_points(odd)}）", "请用同一种文字的字母重新输入")
    return None


def _note(text: str, bare: str, value: str) -> Note | None:
    if hidden := [one for one in text if unseen(one)]:
        reason = f"姓名中有看不见的字符 {code_points(''.join(hidden))}，已经去掉"
        return Note(reason, f"按“{value}”登记；请核对来源文件")
    if value != bare:
        return Note(f"姓名“{bare}”中有空格", f"应写成“{value}”，字间不留空格")
    if private := [one for one in value if _within(one, PRIVATE_RANGES)]:
        reason = f"姓名中有自造字 {code_points(''.join(private))}，别的电脑上可能显示不出"
        return Note(reason, "照原样登记；请查对户口簿，公安系统已改用标准字的，发起更正的业务")
    return None


def _within(character: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    point = ord(character)
    return any(low <= point <= high for low, high in ranges)


def _is_letter(character: str) -> bool:
    if _within(character, HAN_RANGES):
        return True
    return unicodedata.category(character) in ("Lu", "Ll", "Lo") and ord(character) < 0x2000


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) == "Mn" and ord(character) < 0x2000


def _joins(character: str) -> bool:
    return character in DOTS or character in " -'’."


def spelling(name: str) -> str:
    """One text for the writings of one name: blanks and unseen characters aside, every dot the same, full-width letters
    folded. Characters are never changed, since another character is another name."""
    if _USUAL.fullmatch(name):
        return name
    value = "".join("·" if one in DOTS or one == "." else one for one in tidy(name))
    return "".join(chr(ord(one) - 0xFEE0) if "！" <= one <= "～" else one for one in value)


def name_key(name: str) -> str:
    """A key under which look-alikes fall together: dots, spaces, compatibility forms, radicals, case, what nobody sees.
    Never stored as the name."""
    if _USUAL.fullmatch(name):
        return name
    folded = unicodedata.normalize("NFKC", plain(name).translate(_DROPPED_FROM_KEY).translate(_RADICALS))
    return "".join(folded.translate(_DROPPED_FROM_KEY).split()).casefold()


@lru_cache(maxsize=65536)
def initials(name: str) -> str:
    """Pinyin initials in lower case, e.g. 买买提·阿不都 -> mmtabd; characters without a reading are left out."""
    letters = lazy_pinyin(name_key(name), style=Style.FIRST_LETTER, errors="ignore")
    return "".join(letter[:1] for letter in letters if letter[:1].isascii()).lower()
