"""Lines that a machine read, put in order: rows of a page, values behind their labels, the place of a run of characters.

Pure functions. Boxes are in shares (0 to 1) of the shown view. What never belongs here: what a value should be.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

Point = tuple[float, float]
GAP = "|"  # between two lines of one row


@dataclass(frozen=True)
class TextLine:
    """One line of print with its corners: top left first, clockwise, in shares of the view."""

    text: str
    box: tuple[Point, Point, Point, Point]


@dataclass(frozen=True)
class ReadPage:
    """The lines of one page. `ratio` is the view's height by its width."""

    file_id: str
    page: int
    lines: tuple[TextLine, ...]
    ratio: float = 1.414


@dataclass(frozen=True)
class Place:
    """Where to look: a file, its page (from 1), and left, top, width, height in shares of the view."""

    file_id: str
    page: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Row:
    """One row of print over the whole width. `marks[n]` says from which line and character `text[n]` comes."""

    page: ReadPage
    text: str
    marks: tuple[tuple[int, int] | None, ...]

    def place(self, start: int, end: int) -> Place:
        """The place of text[start:end]."""
        by_line: dict[int, list[int]] = {}
        for mark in self.marks[start:end]:
            if mark is not None:
                by_line.setdefault(mark[0], []).append(mark[1])
        spans = [_span(self.page.lines[one], min(at), max(at) + 1) for one, at in by_line.items()]
        return Place(self.page.file_id, self.page.page, _around(spans))


def by_file(pages: Iterable[ReadPage]) -> list[list[ReadPage]]:
    """The pages of each file, in the order in which the files come."""
    found: dict[str, list[ReadPage]] = {}
    for page in pages:
        found.setdefault(page.file_id, []).append(page)
    return list(found.values())


def folded(text: str) -> str:
    """Full-width letters, digits and signs as plain ones, character by character: the length stays."""
    return "".join(_fold(character) for character in text)


def _fold(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 else character


def rows(pages: Iterable[ReadPage]) -> list[Row]:
    """Every page's rows from top to bottom; lines that stand side by side are one row, however the page leans."""
    return [row for page in pages for row in _rows(page)]


def _rows(page: ReadPage) -> list[Row]:
    lean = _lean(page)
    placed = sorted((_upright(line, page.ratio, lean), n) for n, line in enumerate(page.lines))
    grouped: list[list[tuple[float, float, float, int]]] = []
    for (middle, left, high), n in placed:
        last = grouped[-1][-1] if grouped else None
        if last is not None and middle - last[0] < 0.5 * min(high, last[2]):
            grouped[-1].append((middle, left, high, n))
        else:
            grouped.append([(middle, left, high, n)])
    return [_row(page, [n for *_, n in sorted(group, key=lambda one: one[1])]) for group in grouped]


def _lean(page: ReadPage) -> float:
    """The angle of the longer lines, in radians."""
    angles = []
    for line in page.lines:
        (x0, y0), (x1, y1), *_ = line.box
        if len(line.text) >= 4 and x1 > x0:
            angles.append(math.atan2((y1 - y0) * page.ratio, x1 - x0))
    return median(angles) if angles else 0.0


def _upright(line: TextLine, ratio: float, lean: float) -> tuple[float, float, float]:
    """Middle, left edge and height of a line, in widths of the view, after turning the page straight."""
    turned = [
        (x * math.cos(lean) + y * ratio * math.sin(lean), y * ratio * math.cos(lean) - x * math.sin(lean))
        for x, y in line.box
    ]
    (x0, y0), (_, y1), (_, y2), (x3, y3) = turned
    return (y0 + y1 + y2 + y3) / 4, min(x0, x3), (y2 + y3 - y0 - y1) / 2


def _row(page: ReadPage, members: Sequence[int]) -> Row:
    text = ""
    marks: list[tuple[int, int] | None] = []
    for n in members:
        if text:
            text += GAP
            marks.append(None)
        line = folded(page.lines[n].text)
        text += line
        marks += [(n, at) for at in range(len(line))]
    return Row(page, text, tuple(marks))


def _wide(character: str) -> float:
    return 1.0 if unicodedata.east_asian_width(character) in "WFA" else 0.55


def _span(line: TextLine, start: int, end: int) -> list[Point]:
    """The corners of a run of characters inside a line: its share of the line's width."""
    weights = [_wide(character) for character in line.text]
    whole = sum(weights) or 1.0
    a, b = sum(weights[:start]) / whole, sum(weights[:end]) / whole
    top_left, top_right, low_right, low_left = line.box
    return [
        _between(top_left, top_right, a),
        _between(top_left, top_right, b),
        _between(low_left, low_right, b),
        _between(low_left, low_right, a),
    ]


def _between(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _around(spans: Sequence[Sequence[Point]]) -> tuple[float, float, float, float]:
    xs = [x for span in spans for x, _ in span] or [0.0, 1.0]
    ys = [y for span in spans for _, y in span] or [0.0, 1.0]
    left, top = max(0.0, min(xs)), max(0.0, min(ys))
    return left, top, min(1.0, max(xs)) - left, min(1.0, max(ys)) - top


@dataclass(frozen=True)
class Found:
    """A run of characters in a row."""

    row: Row
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.row.text[self.start : self.end].replace(GAP, "").strip()

    @property
    def place(self) -> Place:
        return self.row.place(self.start, self.end)

    @property
    def before(self) -> str:
        """What stands in the row before it."""
        return self.row.text[: self.start]


def labelled(every: Iterable[Row], labels: Iterable[str]) -> list[Found]:
    """What stands behind each of the labels in its row: up to the end of the cell."""
    found = []
    every = list(every)
    for label in labels:
        spaced = r"[\s|]*".join(map(re.escape, label))
        pattern = re.compile(rf"(?:^|[|\s。；，,;]){spaced}(?:的?内容)?[\s|:：]*(?P<value>[^|]+)")
        for row in every:
            for match in pattern.finditer(row.text):
                found.append(Found(row, match.start("value"), match.end("value")))
    return found


def search(every: Iterable[Row], pattern: re.Pattern[str]) -> list[Found]:
    """Every match of a pattern in the rows, in reading order; a group `value` narrows it."""
    which = "value" if "value" in pattern.groupindex else 0
    return [
        Found(row, match.start(which), match.end(which))
        for row in every
        for match in pattern.finditer(row.text)
    ]
