"""A sheet of people or offices as rows of {column: text}, by the titles and aliases of the columns that are asked for.

Nothing is judged here: a text comes as it stands in its cell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from portal.cases.loads import heads
from portal.cases.loads.mapping import tidy
from portal.cases.loads.reading import HEAD_ROWS, NotThisSheet, Sheet, Table, open_list
from portal.standards.spreadsheet import unread
from portal.workflows.roster import RosterColumn

MOST_NAMED, MOST_CHARACTERS = 6, 16  # of what a wrong file holds instead
DIGITS = re.compile(r"[0-9]{5}")
LEAST_HEADINGS = 2  # of those asked for: a title row above holds one text, and seldom a heading


@dataclass(frozen=True)
class SheetRows:
    """`rows` are (row number in the sheet, {column key: text}) for the columns that were found, blank lines left out.
    `missing` are the titles of required columns that have no heading, `ignored` the headings that were not used, `found` all;
    `sheet` says which sheet was read, `passed` which rows were no rows of the list."""

    rows: list[tuple[int, dict[str, str]]]
    missing: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    sheet: Sheet = field(default_factory=Sheet)
    passed: Mapping[int, str] = field(default_factory=dict)

    def told(self) -> str:
        """Which sheet was read and which of its rows were not, in sentences."""
        return self.sheet.told() + heads.told(self.passed)


def read_sheet(stream: BinaryIO, columns: Sequence[RosterColumn], sheet: str = "") -> SheetRows:
    """The rows of an XLSX or CSV below its headings, of the `sheet` with this name or the one that fits best; a title may
    stand above them. Raises Unreadable with a sentence."""
    keys = {tidy(name): column.key for column in columns for name in (column.title, *column.aliases)}
    with open_list(stream, keys, lambda headings: len(_places(headings, keys)), sheet) as table:
        _expect_headings(table, columns)
        places = _places(table.head.headings, keys)
        rows = [
            (number, texts)
            for number, cells in table.rows()
            if any((texts := _texts(cells, places)).values())
        ]
        return SheetRows(
            rows,
            tuple(column.title for column in columns if column.required and column.key not in places),
            tuple(
                text
                for place, text in enumerate(table.head.headings)
                if text and place not in places.values()
            ),
            tuple(filter(None, table.head.headings)),
            table.sheet,
            table.passed(),
        )


def unread_in(texts: Mapping[str, str], columns: Sequence[RosterColumn]) -> str:
    """What cannot be read of a row of {column key: text}, "" for nothing."""
    for column in columns:
        if fault := unread(texts.get(column.key, ""), is_number=column.is_number):
            return f"{column.title}：{fault.reason}"
    return ""


def _expect_headings(table: Table, columns: Sequence[RosterColumn]) -> None:
    """Raise Unreadable for a sheet that has none of the headings, and say what it begins with."""
    if table.found >= min(LEAST_HEADINGS, len(columns)):
        return
    some = "”“".join(column.title for column in columns[:2])
    there = next((texts for _number, texts in table.first(HEAD_ROWS) if any(texts)), [])
    where = f"工作表“{table.sheet.sheet}”" if table.sheet.others else "文件"
    seen = f"{where}开头是{named(there) or '号码'}" if there else f"{where}里没有内容"
    raise NotThisSheet(f"没有找到列标题（如“{some}”），{seen}。请核对选择的文件，并保留标题行", table.sheet)


def named(texts: Sequence[str]) -> str:
    """The first few texts of a row in quotation marks, each cut short and none that is a number of somebody; "" for none."""
    some = [
        " ".join(text.split())[:MOST_CHARACTERS] for text in texts if text.strip() and not DIGITS.search(text)
    ]
    return "、".join(f"“{text}”" for text in some[:MOST_NAMED]) + ("等" if len(some) > MOST_NAMED else "")


def _places(headings: Sequence[str], known: Mapping[str, str]) -> dict[str, int]:
    """{column key: place in the row}; of a heading that stands twice the first."""
    places: dict[str, int] = {}
    for place, heading in enumerate(headings):
        if key := known.get(tidy(heading)):
            places.setdefault(key, place)
    return places


def _texts(cells: Sequence[str], places: Mapping[str, int]) -> dict[str, str]:
    return {key: cells[place].strip() if place < len(cells) else "" for key, place in places.items()}
