"""What the drawn papers share: a table to draw at, running text, ruled tables, stamps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.papers import Sheet
from tests.paperset.words import Words

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which seal a paper bears. ``strength`` 0 is none."""

    strength: float = 0.8
    flat: float = 1.0


NO_STAMP = Stamp(0.0)


@dataclass
class Drawer:
    """What a drawing function works with."""

    rng: np.random.Generator
    words: Words
    font: tuple[str, int]
    tone: Colour
    stamp: Stamp
    body: float  # size of the running text in mm

    def sheet(self, width: float, height: float, pixels: int) -> Sheet:
        return Sheet(width, height, pixels, self.tone, self.font)

    def press(self, sheet: Sheet, x: float, y: float, name: str, diameter: float) -> None:
        if self.stamp.strength:
            x, y = x + float(self.rng.uniform(-3, 3)), y + float(self.rng.uniform(-3, 3))
            tilt = float(self.rng.uniform(-25, 25))
            sheet.seal(x, y, name, diameter, strength=self.stamp.strength, flat=self.stamp.flat, tilt=tilt)


def paragraphs(sheet: Sheet, drawer: Drawer, lines: list[str], top: float, left: float = 28) -> float:
    """Lines of running text down the sheet; where the next one would begin."""
    for line in lines:
        sheet.text(left, top, line, drawer.body)
        top += 1.9 * drawer.body
    return top


def grid(
    sheet: Sheet,
    drawer: Drawer,
    rows: tuple[tuple[str, ...], ...],
    top: float,
    columns: tuple[float, ...],
    height: float,
) -> float:
    """A ruled table; where it ends."""
    bottom = top + height * len(rows)
    for i, row in enumerate(rows):
        sheet.line(columns[0], top + height * i, columns[-1], top + height * i)
        for x, cell in zip(columns, row, strict=False):
            sheet.text(x + 2, top + height * i + (height - drawer.body) / 2.6, cell, drawer.body)
        joined = 2 if row[2:] == ("", "") else len(row)  # one wide cell instead of three
        for x in (*columns[:joined], columns[-1]):
            sheet.line(x, top + height * i, x, top + height * (i + 1))
    sheet.line(columns[0], bottom, columns[-1], bottom)
    return bottom
