"""The rows of a printed list by fingerprint: which of them a paper shows that its case has no more, or has anew.

A list may have thousands of rows, so the record of a printing keeps one short text for all of them: a fingerprint of DIGITS
hexadecimal digits a row, one after the other. The running number of a row is no part of it, since it closes up when another
row is struck; all numbers together have one fingerprint.

What never belongs here: the database, what a row is about.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from portal import audit

DIGITS = 8
NUMBER = "number"  # the key of a row's running number
NUMBERS = ":numbers"  # ends the name of the part that holds the numbers of a group
MOST_NAMED = 6


def marks(group: str, rows: Sequence[Mapping[str, str]], case: str, key: str) -> dict[str, str]:
    """{part: fingerprints} of a group's rows: under its name those of the rows, under name:numbers that of their numbers.
    They differ from case to case (by its number) for equal values. `key` is the installation's secret."""
    texts = (
        json.dumps([case, group, [text for name, text in row.items() if name != NUMBER]]) for row in rows
    )
    numbers = json.dumps([case, group, [row.get(NUMBER, "") for row in rows]])
    return {
        group: "".join(audit.keyed_hash(key, text)[:DIGITS] for text in texts),
        group + NUMBERS: audit.keyed_hash(key, numbers)[:DIGITS],
    }


@dataclass(frozen=True)
class RowsDifference:
    """What differs in a list: rows of the paper that are no more and rows that it does not show, by their places from 1."""

    title: str
    gone: tuple[int, ...]
    new: tuple[int, ...]
    before: int
    after: int
    renumbered: bool = False

    @property
    def sentence(self) -> str:
        said = [f"{self.title}打印时 {self.before} 行，现为 {self.after} 行"] * (self.before != self.after)
        changed = set(self.gone) & set(self.new) if self.before == self.after else set()
        said += _rows("", changed, "已改动")
        said += _rows("打印件", set(self.gone) - changed, "现已不在其中")
        said += _rows("现在的", set(self.new) - changed, "打印件上没有")
        said += [f"{self.title}的学号有变动"] * self.renumbered
        return "，".join(said)


def difference(title: str, group: str, printed: Mapping[str, str], now: Mapping[str, str]) -> RowsDifference:
    """Hold the fingerprints of a group's rows on the paper against those of now."""
    old, new = _split(printed.get(group, "")), _split(now.get(group, ""))
    return RowsDifference(
        title,
        gone=_missing(old, new),
        new=_missing(new, old),
        before=len(old),
        after=len(new),
        renumbered=printed.get(group + NUMBERS) != now.get(group + NUMBERS),
    )


def _split(text: str) -> list[str]:
    return [text[start : start + DIGITS] for start in range(0, len(text), DIGITS)]


def _missing(rows: Iterable[str], others: Iterable[str]) -> tuple[int, ...]:
    """The places of the rows that have no match left among the others."""
    left = Counter(others)
    found = []
    for place, row in enumerate(rows, start=1):
        if left[row]:
            left[row] -= 1
        else:
            found.append(place)
    return tuple(found)


def _rows(before: str, places: Iterable[int], after: str) -> list[str]:
    """As 打印件第 2、5 行现已不在其中; with many rows the first few and how many there are. Empty for no row."""
    ordered = sorted(places)
    if not ordered:
        return []
    named = "、".join(map(str, ordered[:MOST_NAMED]))
    many = f"等 {len(ordered)} 行" if len(ordered) > MOST_NAMED else ""
    return [f"{before}第 {named} 行{many}{after}"]
