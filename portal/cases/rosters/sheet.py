"""A sheet of people or offices as rows of {column: text}, by the titles and aliases of the columns that are asked for.

Nothing is judged here: a text comes as it stands in its cell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from portal.cases.loads.mapping import tidy
from portal.cases.loads.reading import HEAD_ROWS, Unreadable, open_lines
from portal.standards.spreadsheet import unread
from portal.workflows.roster import RosterColumn

MOST_NAMED, MOST_CHARACTERS = 6, 16  # of what a wrong file holds instead
DIGITS = re.compile(r"[0-9]{5}")
LEAST_HEADINGS = 2  # of those asked for: a title row above holds one text, and seldom a heading


@dataclass(frozen=True)
class SheetRows:
    """`rows` are (row number in the sheet, {column key: text}) for the columns that were found, blank lines left out.
    `missing` are the titles of required columns that have no heading, `ignored` the headings that were not used, `found` all."""

    rows: list[tuple[int, dict[str, str]]]
    missing: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    found: tuple[str, ...] = ()


def read_sheet(stream: BinaryIO, columns: Sequence[RosterColumn]) -> SheetRows:
    """The rows of an XLSX or CSV below its headings; a title may stand above them. Raises Unreadable with a sentence."""
    known = {tidy(name): column.key for column in columns for name in (column.title, *column.aliases)}
    with open_lines(stream, known) as lines:
        heading_row, headings = _headings(lines.first(HEAD_ROWS), known, columns)
        places = _places(headings, known)
        rows = [
            (number, texts)
            for number, cells in lines.all()
            if number > heading_row and any((texts := _texts(cells, places)).values())
        ]
    return SheetRows(
        rows,
        tuple(column.title for column in columns if column.required and column.key not in places),
        tuple(text for place, text in enumerate(headings) if text and place not in places.values()),
        tuple(filter(None, headings)),
    )


def unread_in(texts: Mapping[str, str], columns: Sequence[RosterColumn]) -> str:
    """What cannot be read of a row of {column key: text}, "" for nothing."""
    for column in columns:
        if fault := unread(texts.get(column.key, ""), is_number=column.is_number):
            return f"{column.title}：{fault.reason}"
    return ""


def _headings(
    first: Sequence[tuple[int, list[str]]], known: Mapping[str, str], columns: Sequence[RosterColumn]
) -> tuple[int, list[str]]:
    """(row number, headings) of the row that names most columns, of equals the first. Raises Unreadable."""
    found = [(len(_places(texts, known)), -number, texts) for number, texts in first]
    count, number, texts = max(found, key=lambda one: one[:2], default=(0, 0, []))
    if count < min(LEAST_HEADINGS, len(columns)):
        some = "”“".join(column.title for column in columns[:2])
        there = next((texts for _number, texts in first if any(texts)), [])
        seen = f"文件开头是{named(there) or '号码'}" if there else "文件里没有内容"
        raise Unreadable(f"没有找到列标题（如“{some}”），{seen}。请核对选择的文件，并保留标题行")
    return -number, [" ".join(text.split()) for text in texts]


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
