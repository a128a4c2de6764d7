"""What is read without a parser is what the parser reads, however a sheet is written or broken."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from portal.cases.loads import mapping, unpacking, workbook
from portal.cases.loads.unpacking import Unreadable, sheet_of
from portal.cases.loads.usualrows import UsualRows
from tests import exports
from tests.cases.test_hostile_workbooks import changed

WANTED = {"limit": 0, "sheet": "", "titles": sorted(mapping.TITLES), "noise": mapping.NOISE.pattern}
PIECES = [
    b'"',
    b"'",
    b"<",
    b">",
    b"/",
    b" ",
    b"&",
    b"<c/>",
    b"<!---->",
    b"0",
    b't="e"',
    b"<v>1</v>",
    b's="1"',
    b"</c>",
]
PIECES += [
    b"</row>",
    b"\n",
    b"<f>1</f>",
    b'<c r="A3" t="s"><v>1</v></c>',
    b"&lt;",
    b"\x00",
    b"x:",
    b'<row r="70">',
    b"]]>",
]
Change = Callable[[bytes], bytes]


class ByParser(UsualRows):
    """The parser alone."""

    def _go_on(self) -> bool:
        return False


def a_list() -> bytes:
    rows = [row | {"address": "河滩镇 & <村> 2号"} for row in exports.rows_of(40, ["3162900001"])]
    return exports.as_xlsx(rows, exports.EVERY_COLUMN, exports.EVERY_HEADING)


def read(data: bytes) -> tuple[Any, int]:
    """The rows, or why there are none; and how many rows were hidden."""
    try:
        source = sheet_of(data, WANTED)
        return list(source.rows), source.about.hidden
    except Unreadable as error:
        return str(error), 0


def both(data: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    usual = read(data)
    with monkeypatch.context() as patched:
        patched.setattr(workbook, "UsualRows", ByParser)
        return usual, read(data)


def sheet(change: Change) -> bytes:
    return changed(a_list(), lambda name, part: change(part) if name.endswith("sheet1.xml") else part)


def instead(old: str, new: str, count: int = -1) -> Change:
    return lambda part: part.replace(old.encode(), new.encode(), count)


WRITINGS: list[Change] = [
    instead("<sheetData>", "<!-- <sheetData> --><sheetData>"),
    instead("<sheetData>", "<?x <sheetData>?><sheetData>"),
    instead('encoding="UTF-8"', 'encoding="ISO-8859-1"'),
    instead('encoding="UTF-8"', 'encoding="utf-8"'),
    lambda part: b"\xef\xbb\xbf" + part,
    instead("</row>", "</row>\n", 9),
    instead('<row r="5"', '<row r="3"'),
    instead('<row r="9"', '<row r="900"'),
    instead('r="B7"', 'r="B8"'),
    instead('r="C7"', 'r="A7"'),
    instead('r="C7"', 'r="ZZZ7"'),
    instead('r="C7"', 'r="KK7"'),
    lambda part: re.sub(rb'<row r="9"[^>]*>', b"<row>", part),
    lambda part: re.sub(rb'<row r="(1?[0-9])"', rb"<row r='\1' hidden='1'", part),
    lambda part: re.sub(rb'<row r="(1[0-9])"', rb'<row r="\1" hidden="true"', part),
    instead("</sheetData>", ""),
    lambda part: part[: len(part) // 2],
    instead("2号", "&amp;amp;lt;2号_x0041_"),
    instead("2号", "&#65;"),
    instead("2号", "a" * 10_001),
    instead("2号", "\x01"),
    instead("2号", "\ufffe"),
    instead("2号", "]]>"),
    instead("2号", "a\r\nb\tc "),
    lambda part: part.replace("2号".encode(), b"\xff\xfe"),
    lambda part: part.replace(b"<worksheet", b"<x:worksheet").replace(b"</worksheet", b"</x:worksheet"),
]


@pytest.mark.parametrize("change", WRITINGS)
def test_other_writings_read_as_by_the_parser(change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, parsed = both(sheet(change), monkeypatch)
    assert usual == parsed


@pytest.mark.parametrize("seed", range(24))
def test_a_broken_sheet_is_read_as_by_the_parser(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)

    def broken(part: bytes) -> bytes:
        for _ in range(chance.choice([1, 1, 2])):
            at = chance.randint(part.index(b"<sheetData>") - 30, len(part))
            part = part[:at] + chance.choice(PIECES) + part[at + chance.randint(0, 12) :]
        return part

    usual, parsed = both(sheet(broken), monkeypatch)
    assert usual == parsed


def test_nothing_of_a_usual_sheet_is_left_to_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[bytes] = []
    hand_over = UsualRows._hand_over

    def seen(rows: UsualRows, final: bool) -> None:
        left.append(rows._kept)
        hand_over(rows, final)

    monkeypatch.setattr(UsualRows, "_hand_over", seen)
    rows, _ = read(a_list())
    assert len(rows) == 41 and [one[:12] for one in left] == [b"</sheetData>"]
    assert unpacking.MAX_ROWS >= 400_000
