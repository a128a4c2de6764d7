"""Which sheet of a workbook is the list: part of the child that reads it (unpacking.py)."""

from __future__ import annotations

import re
from typing import Any

from .cells import Unreadable
from .sheetrows import About
from .workbook import Workbook

MOST_SHEETS = 50  # that are looked at for headings
HEAD_ROWS = 30  # the headings stand within these
HEAD_LINES = 3  # of headings that stand one over the other
LEAST_TITLES = 2  # of them that are known
FEW_COLUMNS = 3  # what has fewer texts in a row is a note, not a list
DATA = re.compile(r"\s*[A-Za-z]{0,2}[0-9][0-9Xx./年月日: -]{2,}\s*")  # a number of somebody, or a day


def chosen(book: Workbook, wanted: dict[str, Any]) -> str:
    """The sheet that was asked for, else the first visible one that has most of the headings of any, and rows below them if
    one has; else the first that looks like a list, else the first."""
    names = book.names
    if not names:
        raise Unreadable("工作簿里没有可见的工作表，请在 WPS 或 Excel 中取消隐藏后再传")
    if wanted["sheet"] in names:
        return str(wanted["sheet"])
    if len(names) == 1:
        return names[0]
    noise, titles = re.compile(wanted["noise"] or "(?!)"), set(wanted["titles"])
    known, filled, listed = {}, set(), ""
    for name in names[:MOST_SHEETS]:
        rows = [texts for _, texts in book.rows(name, About(), HEAD_ROWS)]
        known[name], data = _headings_in(rows, titles, noise)
        filled |= {name} if data else set()
        widest = max((sum(bool(text.strip()) for text in row) for row in rows), default=0)
        listed = listed or (name if widest >= FEW_COLUMNS else "")
    lists = [name for name in known if known[name] and (name in filled or not filled)]
    most = max((known[name] for name in lists), default=0)
    return next((name for name in lists if 2 * known[name] > most), listed or names[0])


def _headings_in(rows: list[list[str]], titles: set[str], noise: re.Pattern[str]) -> tuple[int, bool]:
    """How many of the titles stand in a row, or in two or three that are joined, and whether a number or a day stands below
    one of them; 0 where no row has enough of them to be headings."""
    found = [
        {place: text for place, cell in enumerate(row) if (text := noise.sub("", cell)) in titles}
        for row in rows
    ]
    enough = min(LEAST_TITLES, len(titles))
    if not titles or max((len(set(one.values())) for one in found), default=0) < enough:
        return 0, False
    groups = [set().union(*(one.values() for one in found[at : at + HEAD_LINES])) for at in range(len(found))]
    at = max(range(len(groups)), key=lambda one: len(groups[one]))
    places = set().union(*found[at : at + HEAD_LINES])
    below = (row[place] for row in rows[at + 1 :] for place in places if place < len(row))
    return len(groups[at]), any(DATA.fullmatch(text) for text in below)
