"""Whom a sheet names: names, numbers, birth dates and sexes as they were read, each with what stands before it.

Pure functions. What is found says nothing of whose it should be (cases.whose). Papers write in cells (姓名|林小雨) and in
sentences (兹证明我辖区居民林小雨, …; 姓名由“林晓雨”变更为“林小雨”); a number may stand on the line below its label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from portal.cases.read_text import Found, ReadPage, Row, rows
from portal.cases.readings import AFTER, BEFORE, NUMBER, SEX, plain_name
from portal.standards import id_number, written_dates
from portal.standards.names import DOTS, HAN_RANGES

HAN = "".join(f"{chr(low)}-{chr(high)}" for low, high in HAN_RANGES)
_DOT = f"[{re.escape(DOTS)}.]"
ONE_NAME = rf"(?:[{HAN}]{{1,12}}(?:{_DOT}[{HAN}]{{1,12}})+|[{HAN}]{{2,6}}?)"
_END = (
    r"(?=[,，.。;；:：、“”\"(（)）|\s]|$|性别|公民|身份|出生|民族|籍贯|户口|的家长|的父|的母|的监护|监护人|家长|及其|"
    r"因|系|同学|长[子女]|[次三][子女]|户主|与户主)"
)
_CELL = re.compile(rf"(?:^|[|\s。；，,;(（])(?:学生)?姓[\s|]*名[\s|:：]*(?P<value>{ONE_NAME}){_END}")
_BECOMES = re.compile(
    rf"[“”\"]?(?P<old>{ONE_NAME})[“”\"]?(?:变更|更正|改)为[“”\"]?(?P<new>{ONE_NAME})(?=[“”\"，,。]|$)"
)
_BECAME = re.compile(
    rf"(?:变更|更正|改)为[“\"](?P<value>{ONE_NAME})[”\"]"
)  # where the line above names the old one
_OF_NAME = re.compile(r"名[\s|]*由[\s|“\"]*$")
_SIDE = re.compile(
    rf"(?P<side>{'|'.join(map(re.escape, (*AFTER, *BEFORE)))})(?:的?内容)?[\s|:：]*姓[\s|]*名[\s|:：]*(?P<value>{ONE_NAME}){_END}"
)
_SENTENCE = re.compile(rf"(?:居民|学生|考生|孩子|子女)(?:姓名)?[\s|:：]*(?P<value>{ONE_NAME}){_END}")
_WAYS = (  # pattern, its group, the side that it tells
    (_SIDE, "value", ""),
    (_BECOMES, "old", "before"),
    (_BECOMES, "new", "after"),
    (_CELL, "value", ""),
    (_SENTENCE, "value", ""),
    (_BECAME, "value", "after"),
)
# The commonest surnames: in a sentence 学生, 居民 is followed by many words that are no name.
SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任"
    "姜范石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊殷施陶洪翟颜倪严牛温芦季俞章鲁葛毕聂"
    "丛焦向柳邢骆岳齐尚梅莫庄辛管祝左涂谷祁时舒耿牟卜路詹关苗凌费纪靳盛童欧甄项曲柯裴霍"
)
_NO_NAME = re.compile(
    r"姓名|学[籍校生]|[证号码簿卡]|信息|情况|家长|监护|本人|变更|申请|[高初][一二三中]|年级|班级|以下|登记|户[口籍主]"
)
_NUMBER_LABEL = re.compile(r"(?:身份(?:证件|证明|证)?|证件)(?:号码?|编号)[\s|:：为是]*$")
_DIGITS = re.compile(r"(?<![0-9])[0-9](?:[0-9*?Xx ]{6,22})[0-9Xx*?](?![0-9])")
_OTHERS = (
    "监护人",
    "家长",
    "父亲",
    "母亲",
    "户主",
    "申请人",
    "经办",
    "承办",
    "联系人",
    "代办",
    "委托",
    "祖父",
    "祖母",
    "爷爷",
    "奶奶",
)
_PUPIL = ("学生", "孩子", "子女", "居民", "本人", "姓名", "考生")
_DATE_LABEL = re.compile(r"(?:出生日期|出生年月日?|出生|生于)[\s|:：于为]*$")
_SIDE_LABEL = re.compile(
    rf"(?:{'|'.join(map(re.escape, (*AFTER, *BEFORE)))})(?:的?内容)?[\s|:：]*(?:出生日期|出生年月日?|性[\s|]*别)?[\s|:：]*$"
)
_SEX_LABEL = re.compile(r"性[\s|]*别[\s|:：]*$")


@dataclass(frozen=True)
class Said:
    """One value on a sheet. `sure` says that a label gives it to the person whom the sheet is about; `side` that it stands
    there as the value before or after the change."""

    value: str
    found: Found
    sure: bool
    side: str = ""
    told: bool = False  # a person read it so, where the machine had read something else


@dataclass(frozen=True)
class Sheet:
    """The rows of some pages that are looked at together, each with the row above it."""

    rows: tuple[Row, ...]
    above: tuple[str, ...]

    @classmethod
    def of(cls, pages: Iterable[ReadPage]) -> Sheet:
        every: list[Row] = []
        above: list[str] = []
        for page in pages:
            own = rows([page])
            every += own
            above += ["", *(row.text for row in own)][: len(own)]
        return cls(tuple(every), tuple(above))

    def matches(self, pattern: re.Pattern[str], group: str | int = 0) -> Iterable[tuple[Found, str]]:
        """(where, what stands before it: in its row, or where it begins its row in the row above)."""
        for row, above in zip(self.rows, self.above, strict=True):
            for match in pattern.finditer(row.text):
                before = row.text[: match.start(group)]
                lead = before if re.sub(r"[\s|]", "", before) else above
                yield Found(row, match.start(group), match.end(group)), lead


def numbers(sheet: Sheet) -> list[Said]:
    """Every number of eighteen places; those behind their label are the sheet's person's, unless the label is a parent's."""
    return [
        Said(id_number.tidy(found.text), found, _is_pupils(lead), side_of(lead))
        for found, lead in sheet.matches(NUMBER)
    ]


def broken_numbers(sheet: Sheet) -> list[Found]:
    """Runs of digits behind the label of a number that are no number of eighteen places, e.g. under a seal."""
    return [
        found
        for found, lead in sheet.matches(_DIGITS)
        if _is_pupils(lead) and not NUMBER.fullmatch(found.row.text[found.start : found.end])
    ]


def _is_pupils(lead: str) -> bool:
    lead = lead.replace("户主或与户主关系", "").replace("与户主关系", "")
    last = {word: lead.rfind(word) for word in (*_OTHERS, *_PUPIL)}
    nearest = max(last, key=lambda word: last[word])
    if last[nearest] >= 0 and nearest in _OTHERS:
        return False
    return bool(_NUMBER_LABEL.search(lead)) or side_of(lead) != ""


def side_of(lead: str) -> str:
    """Whether the words before a value call it the one before or after the change: "before", "after" or ""."""
    last = {
        side: max(lead.rfind(word) for word in words)
        for side, words in (("after", AFTER), ("before", BEFORE))
    }
    if max(last.values()) < 0:
        return ""
    return max(last, key=lambda side: last[side])


def is_sound(number: str) -> bool:
    """Whether a number holds together, so that it is no misreading: birth date and check digit."""
    return id_number.birth_date(number) is not None and id_number.check_digit(number[:17]) == number[17]


def names(sheet: Sheet) -> list[Said]:
    """Names behind their label first, then those in sentences; what is asked for before what stood before."""
    found: list[Said] = []
    for pattern, group, side in _WAYS:
        for place, lead in sheet.matches(pattern, group):
            value = plain_name(place.text)
            if (
                len(value) < 2
                or _NO_NAME.search(value)
                or any(_same_place(place, one.found) for one in found)
            ):
                continue
            if pattern is _BECOMES and not _OF_NAME.search(
                lead if group == "old" else lead[: _start_of_old(lead)]
            ):
                continue
            if pattern in (_SENTENCE, _BECAME) and not _likely(value):
                continue
            found.append(Said(value, place, True, side_of(lead) if pattern is _SIDE else side))
    return sorted(found, key=lambda one: one.side == "before")


def _start_of_old(lead: str) -> int:
    """Where the old name begins in the words before a new one: 名由“林晓雨”变更为“."""
    match = re.search(rf"[“”\"]?{ONE_NAME}[“”\"]?(?:变更|更正|改)为[“”\"]?$", lead)
    return match.start() if match else 0


def _likely(value: str) -> bool:
    return "·" in value or (value[0] in SURNAMES and len(value) <= 4)


def _same_place(one: Found, other: Found) -> bool:
    return one.row is other.row and one.start < other.end and other.start < one.end


def birth_dates(sheet: Sheet) -> list[Said]:
    """Dates behind 出生日期, or told to be the one before or after the change."""
    found = []
    for place, lead in sheet.matches(written_dates.PATTERN):
        day, side = written_dates.read_date(place.text), _near_side(lead)
        if day and (side or _DATE_LABEL.search(lead)):
            found.append(Said(day.isoformat(), place, True, side))
    return found


def _near_side(lead: str) -> str:
    """The side that is told of the value right behind it, with no more than the title of its column between."""
    return side_of(lead) if _SIDE_LABEL.search(lead) else ""


def sexes(sheet: Sheet) -> list[Said]:
    """男 or 女 behind 性别."""
    code = {"男": "1", "女": "2"}
    return [
        Said(code[place.text], place, True, side)
        for place, lead in sheet.matches(SEX)
        if place.text in code and ((side := _near_side(lead)) or _SEX_LABEL.search(lead))
    ]


def keyed(sheet: Sheet, title: str) -> list[Said]:
    """What stands behind the title of the column by which people are told apart, e.g. 准考证号."""
    pattern = re.compile(rf"{re.escape(title)}[\s|:：]*(?P<value>[0-9A-Za-z]{{6,20}})")
    return [Said(place.text, place, True) for place, _ in sheet.matches(pattern, "value")]


def standing(sheet: Sheet, name: str) -> list[Found]:
    """Where a name stands, character by character, not as a part of a longer one that a label gives."""
    if not name:
        return []
    spaced = r"\s*".join(_DOT if one == "·" else re.escape(one) for one in name)
    return [place for place, _ in sheet.matches(re.compile(spaced))]


def within(place: Found, others: Sequence[Said]) -> bool:
    """Whether a place is a part of a longer name found there: 马晓 in 马晓明."""
    return any(
        one.found.row is place.row
        and one.found.start <= place.start
        and place.end <= one.found.end
        and len(one.found.text) > len(place.text)
        for one in others
    )
