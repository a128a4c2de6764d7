"""Honest pictures: every kind of paper under every condition, each truly legible.

What keeps them so: characters of at least 16 px, a blur of at most 0.028 of such a character, paper at level 150 or
brighter in the median, light that falls off by less than a third over the sheet, a camera tilted by four degrees at
most, all of the sheet in the picture, JPEG of quality 60 or better.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tests.paperset.desks import DESKS
from tests.paperset.papers import COLOURED, KINDS, NO_STAMP, SEALED, UNSEALED, Stamp
from tests.paperset.recipe import Recipe
from tests.paperset.truth import HONEST_VERDICTS, Defect

LEAST_TEXT = 16.0  # px
MOST_BLUR = 0.028  # heights of a character
LEAST_LEVEL = 150.0

SCANS = ("colour", "colour", "colour", "grey", "bilevel")
WAYS = tuple(
    [("scan", mode) for mode in SCANS]
    + [("photo", desk) for desk in DESKS]
    + [("messenger", desk) for desk in ("wood", "white", "cloth")]
)
LARGE = ((3000, 4000), (2448, 3264))
SENT = ((1080, 1440), (1440, 1920))  # as a messenger passes pictures on
DPI = (100.0, 150.0, 200.0, 300.0)
SMALLEST_BODY = {"household-page": 2.7, "application": 5.4}  # mm of a character; 4.07 on the others


@dataclass(frozen=True, slots=True)
class Setup:
    """One picture before it is taken: the paper, how it is taken, and what is wrong with it."""

    kind: str
    stamp: Stamp
    recipe: Recipe
    subject: str = "paper"  # or: blank, photocopy, screenshot, screen
    defects: tuple[Defect, ...] = ()
    legible: bool = True
    verdicts: frozenset[str] = HONEST_VERDICTS

    @property
    def needs(self) -> tuple[str, ...]:
        """What this paper has to show."""
        return (("seal",) if self.kind in SEALED else ()) + (("colour",) if self.kind in COLOURED else ())


def honest(number: int, rng: np.random.Generator) -> Setup:
    """The honest picture of that number: 84 in a row hold each kind under each condition once."""
    kind = KINDS[number % len(KINDS)]
    way, detail = WAYS[(number // len(KINDS) + 5 * (number % len(KINDS))) % len(WAYS)]
    return setup_for(kind, way, detail, rng)


def setup_for(kind: str, way: str, detail: str, rng: np.random.Generator) -> Setup:
    """An honest picture of that paper, taken in that way."""
    if way == "scan":
        detail = "colour" if kind in COLOURED else detail
        return Setup(kind, _stamp(kind, detail, rng), _scan(kind, detail, rng))
    return Setup(kind, _stamp(kind, detail, rng), _photo(kind, way, detail, rng))


def _stamp(kind: str, detail: str, rng: np.random.Generator) -> Stamp:
    """Round or flat, strong or faint; a form or a letter may have none. Black on white it would hide the text."""
    if kind in UNSEALED or detail == "bilevel" or (kind not in SEALED and rng.random() < 0.4):
        return NO_STAMP
    flat = 0.68 if rng.random() < 0.2 else 1.0
    return Stamp(float(rng.choice((0.8, 0.65, 0.45, 0.32), p=(0.5, 0.25, 0.15, 0.1))), flat)


def _scan(kind: str, mode: str, rng: np.random.Generator) -> Recipe:
    smallest = SMALLEST_BODY.get(kind, 4.07)
    least = 200.0 if mode == "bilevel" else 0.0
    fit = [dpi for dpi in DPI if dpi >= least and smallest * dpi / 25.4 >= LEAST_TEXT]
    return Recipe(
        condition="scan",
        detail=mode,
        dpi=float(rng.choice(fit)),
        quality=int(rng.integers(70, 93)),
        lean=float(rng.uniform(-0.9, 0.9)),
        blur=float(rng.uniform(0.004, 0.02)),
        level=253.0,
        grain=float(rng.uniform(0.5, 2.5)),
        border=float(rng.uniform(1.0, 3.5)) if rng.random() < 0.25 else 0.0,
    )


def _photo(kind: str, way: str, desk: str, rng: np.random.Generator) -> Recipe:
    card = kind == "household-page"
    sizes = LARGE if way == "photo" else SENT
    size = sizes[int(rng.integers(2))]
    if (
        way == "messenger"
        and SMALLEST_BODY.get(kind, 4.07) * 0.76 * size[1] / (143 if card else 297) < LEAST_TEXT
    ):
        size = SENT[1]
    if card and rng.random() < 0.85:
        size = size[::-1]
    warm = float(rng.uniform(-0.06, 0.06))
    return Recipe(
        condition=way,
        detail=desk,
        size=size,
        quality=int(rng.integers(60, 76) if way == "messenger" else rng.integers(72, 96)),
        lean=float(rng.uniform(-2.5, 2.5)),
        tilt=(float(rng.uniform(-4, 4)), float(rng.uniform(-4, 4))),
        blur=float(rng.uniform(0.008, MOST_BLUR)),
        level=float(rng.uniform(LEAST_LEVEL, 225)),
        slope=float(rng.uniform(0.0, 0.2)),
        tint=(1.0 + min(0.0, warm), 1.0 - abs(warm) / 3, 1.0 - max(0.0, warm)),
        grain=float(rng.uniform(1.0, 5.0)),
        exif=(None, 1, 6, 8, 3)[int(rng.integers(5))] if way == "photo" else None,
    )


def changed(setup: Setup, **recipe: object) -> Setup:
    """The same, taken otherwise."""
    return replace(setup, recipe=replace(setup.recipe, **recipe))  # type: ignore[arg-type]
