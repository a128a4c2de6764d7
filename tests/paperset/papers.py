"""A paper of a kind and a seed, flat and perfect, as it comes from the printer and the stamp."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests import papers
from tests.papers import Line
from tests.paperset.kinds import A4_PIXELS, DRAWINGS
from tests.paperset.layout import NO_STAMP, Colour, Drawer, Stamp
from tests.paperset.words import Words

__all__ = [
    "COLOURED",
    "KINDS",
    "NO_STAMP",
    "SEALED",
    "UNSEALED",
    "Paper",
    "Stamp",
    "blank_paper",
    "draw_paper",
]

NOTO = Path("/usr/share/fonts/opentype/noto")
FACES = (
    "NotoSerifCJK-Regular.ttc",
    "NotoSansCJK-Regular.ttc",
    "NotoSerifCJK-Bold.ttc",
    "NotoSansCJK-Bold.ttc",
)
SIMPLIFIED = 2  # the face of Simplified Chinese in a Noto collection
GLYPH = 0.9  # height of 国 as a share of the size of the font

WHITE, OLD = (253, 253, 251), (245, 238, 216)


@dataclass(frozen=True, slots=True)
class Paper:
    """A drawn sheet: RGB pixels, its size, the height of a character of its running text, its lines."""

    kind: str
    pixels: np.ndarray
    size_mm: tuple[float, float]
    text_mm: float
    lines: tuple[Line, ...]
    level: float

    @property
    def per_mm(self) -> float:
        """Pixels per millimetre of the drawing."""
        return self.pixels.shape[1] / self.size_mm[0]


KINDS = tuple(DRAWINGS)
SEALED = (
    "police-certificate",
    "household-page",
    "approval-form",
    "hospital-note",
)  # worth nothing without a seal
COLOURED = SEALED  # and a copy of them in grey is not the original
UNSEALED = ("application",)


OFFICIAL = (4.52, 4.94, 5.64)  # mm: up to No. 3, the size of official papers
SIZES = {"household-page": (3.0, 3.2, 3.4), "application": (6.0, 7.0)}


def draw_paper(kind: str, seed: int, stamp: Stamp) -> Paper:
    """The paper of that kind and seed, the same pixels each time."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    card = kind == "household-page"
    body = float(rng.choice(SIZES.get(kind, OFFICIAL)))
    tone = OLD if rng.random() < 0.25 else WHITE
    if card:
        tone = (246, 244, 236)
    drawer = Drawer(rng, Words(rng), _face(rng), tone, stamp, body)
    sheet = DRAWINGS[kind](drawer)
    pixels = np.asarray(sheet.image)
    return Paper(kind, pixels, sheet.size_mm, GLYPH * body, tuple(sheet.lines), _level(tone))


def _face(rng: np.random.Generator) -> tuple[str, int]:
    """One of the Noto faces; where they are missing, whatever Chinese font there is."""
    file = NOTO / FACES[int(rng.choice(4, p=(0.5, 0.3, 0.1, 0.1)))]
    return (str(file), SIMPLIFIED) if file.exists() else (papers.font_file(), 0)


def blank_paper(seed: int) -> Paper:
    """An empty A4 sheet, white or yellowed."""
    tone = OLD if seed % 3 == 0 else WHITE
    pixels = np.empty((round(A4_PIXELS * papers.A4_RATIO), A4_PIXELS, 3), np.uint8)
    pixels[:] = tone
    return Paper("blank", pixels, (210.0, 297.0), GLYPH * 4.9, (), _level(tone))


def _level(tone: Colour) -> float:
    return 0.299 * tone[0] + 0.587 * tone[1] + 0.114 * tone[2]
