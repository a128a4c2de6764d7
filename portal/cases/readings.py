"""What was read on the papers held against the register and the form. Pure functions; a help for the reviewer, no more.

Digits are never guessed: a number is the same or it is not. One wrong character in a name only says where to look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from portal.cases.read_text import GAP, Found, Place, ReadPage, Row, folded, labelled, rows, search
from portal.standards import id_number, written_dates
from portal.standards.columns import BY_KEY
from portal.standards.names import DOTS, HAN_RANGES

Mark = Literal["match", "mismatch", "unread"]

AFTER = ("变更后", "更正后", "变更为", "更正为", "更改为")
BEFORE = ("变更前", "更正前", "曾用名", "原姓名", "原登记")
LABELS = {
    "name": ("姓名",),
    "id_number": (
        "公民身份号码",
        "公民身份证号码",
        "身份证号码",
        "身份证号",
        "身份证件号",
        "公民身份证件编号",
    ),
    "birth_date": ("出生日期", "出生年月日", "出生年月", "出生"),
    "sex": ("性别",),
}
NUMBER = re.compile(r"(?<![0-9])(?:[0-9] ?){17}[0-9Xx](?![0-9Xx])")
DIGITS = re.compile(r"[0-9Xx]{15,20}")
SEX = re.compile("[男女]")
NEAR = 2  # places: a number that differs in no more is about the same person, whether misread or miswritten

CHECK_DIGIT = "读到的号码校验位不符，请看原件"
STILL_OLD = "材料上仍是原登记的值"
LOOK_HERE = "疑似在此处，请看原件"


@dataclass(frozen=True)
class Paper:
    """The pages of one slot as they were read. `shows_new` is false for papers that hold the old values by nature; `names`
    and `of` say whom they name, see workflows.vocabulary."""

    slot: str
    title: str
    pages: tuple[ReadPage, ...]
    shows_new: bool = True
    names: str = "pupil"
    of: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class FieldReading:
    """What the papers say of one changed column. `value` is as stored (dates ISO, sex by code); "" where unread."""

    column: str
    mark: Mark
    value: str = ""
    note: str = ""
    place: Place | None = None
    slot: str = ""


@dataclass(frozen=True)
class _Wanted:
    """The register's value and the form's, as stored."""

    column: str
    old: str
    new: str


def compare(changes: Mapping[str, tuple[str, str]], papers: Sequence[Paper]) -> dict[str, FieldReading]:
    """{column: (register value, form value)} -> {column: what the papers say}. A paper that differs comes first, then
    one that agrees, then a place to look at."""
    every = [(paper.slot, rows(paper.pages)) for paper in papers if paper.shows_new]
    return {column: _best(_Wanted(column, old, new), every) for column, (old, new) in changes.items() if new}


def judge(column: str, value: str, new: str) -> Mark:
    """A value that a person has read against the form's."""
    return "match" if stored(column, value) == stored(column, new) else "mismatch"


def stored(column: str, text: str) -> str:
    """What a person typed or a paper shows, as the register stores it; the tidied text where it cannot be read."""
    kind = BY_KEY[column].kind
    if kind == "id_number":
        return id_number.tidy(text)
    if kind == "date":
        day = written_dates.read_date(folded(text))
        return day.isoformat() if day else text.strip()
    if column == "sex":
        return {"男": "1", "女": "2"}.get(text.strip(), text.strip())
    return plain_name(text) if kind == "name" else text.strip()


def _best(wanted: _Wanted, papers: Iterable[tuple[str, list[Row]]]) -> FieldReading:
    find = FINDERS.get(BY_KEY[wanted.column].kind) or FINDERS["text"]
    found = [replace(find(wanted, every), slot=slot) for slot, every in papers if every]
    order: Callable[[FieldReading], tuple[int, bool]] = lambda one: (  # noqa: E731 - a key, named for its type
        ("mismatch", "match", "unread").index(one.mark),
        one.place is None,
    )
    return min(found, key=order, default=_unread(wanted))


def _unread(wanted: _Wanted, look: Found | None = None, note: str = "") -> FieldReading:
    return FieldReading(wanted.column, "unread", "", note if look else "", look.place if look else None)


def _read(wanted: _Wanted, mark: Mark, value: str, found: Found, note: str = "") -> FieldReading:
    return FieldReading(wanted.column, mark, value, note, found.place)


def _side(found: Found) -> str:
    """Whether a label says that this is the value before or after the change: "before", "after" or ""."""
    before = found.before.replace(GAP, "")
    last = {
        side: max(before.rfind(word) for word in words)
        for side, words in (("after", AFTER), ("before", BEFORE))
    }
    if max(last.values()) < 0:
        return ""
    return max(last, key=lambda side: last[side])


def _decide(
    wanted: _Wanted, values: Sequence[tuple[str, Found]], certain: Callable[[str, Found], bool]
) -> FieldReading | None:
    """The verdict on the values of one kind found on a paper. What a label calls the value after the change counts before
    everything else; then the expected one anywhere; then one that is `certain` to be this pupil's."""
    new = stored(wanted.column, wanted.new)
    old = stored(wanted.column, wanted.old)
    after = [one for one in values if _side(one[1]) == "after"]
    rest = [one for one in values if _side(one[1]) == ""]
    for value, found in (*after, *([] if after else rest)):
        if value == new:
            return _read(wanted, "match", value, found)
    if after:
        return _differs(wanted, *after[0])
    for value, found in rest:
        if value != old and certain(value, found):
            return _differs(wanted, value, found)
    for value, found in rest:
        if value == old:
            return _read(wanted, "mismatch", value, found, STILL_OLD)
    return None


def _differs(wanted: _Wanted, value: str, found: Found) -> FieldReading:
    wrong = wanted.column == "id_number" and not _sound(value)
    return _read(wanted, "mismatch", value, found, CHECK_DIGIT if wrong else "")


def _sound(number: str) -> bool:
    return id_number.check_digit(number[:17]) == number[17]


# --- one finder a kind of value -------------------------------------------------------------------------------------


def _find_number(wanted: _Wanted, every: list[Row]) -> FieldReading:
    values = [(id_number.tidy(found.text), found) for found in search(every, NUMBER)]
    behind = {(id(found.row), found.start) for found in labelled(every, LABELS["id_number"])}

    def certain(value: str, found: Found) -> bool:
        labelled_so = (id(found.row), found.start) in behind and _sound(value)
        return labelled_so or places_apart(value, id_number.tidy(wanted.new)) <= NEAR

    decided = _decide(wanted, values, certain)
    if decided:
        return decided
    new = id_number.tidy(wanted.new)
    for found in search(every, DIGITS):
        if one_edit(found.text.upper(), new):
            return _unread(wanted, found, LOOK_HERE)
    return _unread(wanted, values[0][1] if values else None, "读到的号码不能确认是该生的，请看原件")


def places_apart(a: str, b: str) -> int:
    return sum(x != y for x, y in zip(a, b, strict=True)) if len(a) == len(b) else 18


def _find_date(wanted: _Wanted, every: list[Row]) -> FieldReading:
    values = []
    for found in search(every, written_dates.PATTERN):
        day = written_dates.read_date(found.text)
        if day:
            values.append((day.isoformat(), found))
    return _decide(wanted, values, lambda _value, found: _behind(found, "birth_date")) or _unread(wanted)


def _find_sex(wanted: _Wanted, every: list[Row]) -> FieldReading:
    """Only behind its label or as the value after the change: 男 and 女 stand in many words."""
    values = [
        (stored("sex", found.text), found)
        for found in search(every, SEX)
        if _behind(found, "sex") or _side(found) == "after"
    ]
    return _decide(wanted, values, lambda _value, found: _behind(found, "sex")) or _unread(wanted)


def _behind(found: Found, column: str) -> bool:
    """Whether the label of a column stands right before."""
    before = re.sub(r"[\s|:：]", "", found.before)
    return before.endswith(LABELS[column])


def plain_name(text: str) -> str:
    """A name without white space, every kind of dot as one."""
    return re.sub("[" + re.escape(DOTS + ".") + "]", "·", "".join(folded(text).split()))


_HAN = "".join(f"{chr(low)}-{chr(high)}" for low, high in HAN_RANGES)
NAME = re.compile(rf"[{_HAN}]{{1,12}}(?:[{re.escape(DOTS)}.][{_HAN}]{{1,12}})*")


def _find_name(wanted: _Wanted, every: list[Row]) -> FieldReading:
    new, old = plain_name(wanted.new), plain_name(wanted.old)
    after = [found for found in (_named(one) for one in labelled(every, AFTER)) if found]
    for found in after:
        if new == plain_name(found.text):
            return _read(wanted, "match", new, found)
    if after:
        return _read(wanted, "mismatch", plain_name(after[0].text), after[0])
    for found in _standing(every, new):
        if not _inside(found, every, old):
            return _read(wanted, "match", new, found)
    for found in filter(None, (_named(one) for one in labelled(every, LABELS["name"]))):
        return _read(
            wanted,
            "mismatch",
            plain_name(found.text),
            found,
            STILL_OLD if plain_name(found.text) == old else "",
        )
    return _unread(wanted, almost(every, new), LOOK_HERE)


def _named(cell: Found) -> Found | None:
    """The name in a cell, without the label of its column; None where another column or a word of the form stands."""
    text = cell.row.text[cell.start : cell.end]
    lead = re.match(r"\s*姓\s*名[\s:：]*", text)
    at = lead.end() if lead else 0
    match = NAME.match(text, at)
    if not match or len(match[0]) < 2 or any(word in match[0] for word in _FORM_WORDS):
        return None
    return Found(cell.row, cell.start + match.start(), cell.start + match.end())


_FORM_WORDS = (
    *AFTER,
    *BEFORE,
    "姓名",
    "性别",
    "出生",
    "号码",
    "内容",
    "项目",
    "日期",
    "户主",
    "关系",
    "民族",
)


def _standing(every: Iterable[Row], name: str) -> list[Found]:
    """Where a name stands, character by character; not where a label says that it was so before."""
    dots = "[" + re.escape(DOTS + ".") + "]"
    spaced = r"\s*".join(dots if character == "·" else re.escape(character) for character in name)
    return [found for found in search(every, re.compile(spaced)) if _side(found) != "before"] if name else []


def _inside(found: Found, every: Iterable[Row], old: str) -> bool:
    """Whether the place is a part of the longer old name: 马晓 in 马晓明."""
    return any(
        other.row is found.row and other.start <= found.start and found.end <= other.end
        for other in _standing(every, old)
        if len(other.text) > len(found.text)
    )


def almost(every: Iterable[Row], name: str) -> Found | None:
    """The first place that is one character away from a name of three or more."""
    if len(name) < 3:
        return None
    for run in search(every, NAME):
        text = run.row.text[run.start : run.end]
        for size in (len(name), len(name) - 1, len(name) + 1):
            for at in range(len(text) - size + 1):
                if one_edit(plain_name(text[at : at + size]), name):
                    return Found(run.row, run.start + at, run.start + at + size)
    return None


def one_edit(a: str, b: str) -> bool:
    """Whether one character replaced, left out or put in makes the one text the other."""
    if abs(len(a) - len(b)) > 1 or a == b:
        return False
    same = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return a[same + (len(a) >= len(b)) :] == b[same + (len(b) >= len(a)) :]


def _find_text(wanted: _Wanted, every: list[Row]) -> FieldReading:
    """Any other column: the new value as it is, or unread."""
    shown = BY_KEY[wanted.column].shown(wanted.new)
    for found in _standing(every, folded(shown)):
        return _read(wanted, "match", wanted.new, found)
    return _unread(wanted)


def _find_code(wanted: _Wanted, every: list[Row]) -> FieldReading:
    return (_find_sex if wanted.column == "sex" else _find_text)(wanted, every)


FINDERS: dict[str, Callable[[_Wanted, list[Row]], FieldReading]] = {
    "id_number": _find_number,
    "date": _find_date,
    "code": _find_code,
    "name": _find_name,
    "text": _find_text,
}


def day_of(value: str) -> date | None:
    """A stored date, or None."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
