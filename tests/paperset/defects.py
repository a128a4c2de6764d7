"""Plants one defect of known size on an otherwise honest picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tests.paperset.desks import DESKS
from tests.paperset.honest import Setup, changed, setup_for
from tests.paperset.papers import KINDS, NO_STAMP, SEALED
from tests.paperset.truth import Defect

ASK = frozenset({"advise", "refuse"})
MEND = frozenset({"mend", "advise"})
ANY_ASK = MEND | ASK

SCAN, PHOTO, SENT = "scan", "photo", "messenger"
ALL = (SCAN, PHOTO, PHOTO, SENT)
A4 = tuple(kind for kind in KINDS if kind != "household-page")
ANGLES = (0.0, 30.0, 45.0, 90.0, 135.0)


@dataclass(frozen=True, slots=True)
class Planted:
    """A kind of defect: on which papers and conditions, how strongly, and what it changes.

    ``plant`` returns the setup with the defect in it; ``legible`` is whether the paper can still be read
    once the program has mended what it can; ``verdicts`` are the right ones.
    """

    check: str
    kind: str
    unit: str
    severities: tuple[float, ...]
    plant: Callable[[Setup, float, np.random.Generator], Setup]
    legible: bool = False
    verdicts: frozenset[str] = ASK
    conditions: tuple[str, ...] = ALL
    papers: tuple[str, ...] = KINDS


def _lens(setup: Setup, severity: float, _rng: np.random.Generator) -> Setup:
    return changed(setup, blur=severity)


def _hand(setup: Setup, severity: float, rng: np.random.Generator) -> Setup:
    return changed(setup, motion_mm=severity, motion_angle=float(rng.choice(ANGLES)))


def _part(setup: Setup, severity: float, rng: np.random.Generator) -> Setup:
    return changed(setup, part=str(rng.choice(("top", "left", "right"))), part_blur=severity)


def _small(setup: Setup, severity: float, _rng: np.random.Generator) -> Setup:
    return changed(setup, wanted_text_px=severity)


def _askew(setup: Setup, severity: float, rng: np.random.Generator) -> Setup:
    return changed(setup, lean=severity if rng.random() < 0.5 else -severity, tilt=(0.0, 0.0))


def _turned(setup: Setup, severity: float, _rng: np.random.Generator) -> Setup:
    return changed(setup, quarters=round(severity / 90))


def _tilted(setup: Setup, severity: float, rng: np.random.Generator) -> Setup:
    sign = 1 if rng.random() < 0.5 else -1
    tilt = (sign * severity, 0.0) if rng.random() < 0.6 else (0.0, sign * severity)
    size = (3000, 4000) if setup.recipe.size[0] < setup.recipe.size[1] else (4000, 3000)
    return changed(setup, tilt=tilt, size=size)


def _cut(side: str) -> Callable[[Setup, float, np.random.Generator], Setup]:
    return lambda setup, _severity, _rng: changed(setup, cut=side, lean=setup.recipe.lean / 3)


def _dark(setup: Setup, severity: float, _rng: np.random.Generator) -> Setup:
    return changed(setup, level=severity, grain=3.0)


def _lamp(setup: Setup, severity: float, _rng: np.random.Generator) -> Setup:
    return changed(setup, glare_mm=severity, level=min(setup.recipe.level, 215.0))


def _shade(shape: str) -> Callable[[Setup, float, np.random.Generator], Setup]:
    return lambda setup, severity, _rng: changed(setup, shadow=shape, shadow_depth=severity)


def _unsealed(setup: Setup, _severity: float, _rng: np.random.Generator) -> Setup:
    return replace(setup, stamp=NO_STAMP)


def _subject(subject: str) -> Callable[[Setup, float, np.random.Generator], Setup]:
    return lambda setup, _severity, _rng: replace(setup, subject=subject)


_HELD = (PHOTO, PHOTO, SENT)
LENS = Planted("sharpness", "lens", "h", (0.075, 0.10, 0.15, 0.25), _lens)
HAND = Planted("sharpness", "hand", "mm", (1.2, 1.8, 2.8), _hand, papers=A4)
SKEW = Planted("skew", "skew", "°", (2, 3, 5, 8, 12, 15), _askew, True, MEND, (SCAN, SCAN, PHOTO, SENT))
TURN = Planted("orientation", "turned", "°", (90, 180, 270), _turned, True, MEND)

# In this order they come, one after the other; the severities of each in theirs.
PLANTED: tuple[Planted, ...] = (
    LENS,
    SKEW,
    Planted("completeness", "bottom", "characters", (0,), _cut("bottom")),
    Planted("glare", "lamp", "mm", (40, 20, 60), _lamp, conditions=_HELD),
    TURN,
    Planted("exposure", "dark", "level", (50, 35, 20), _dark, True, ANY_ASK, (SCAN, PHOTO, PHOTO, SENT)),
    HAND,
    Planted("text_size", "small", "px", (8.5, 7.5, 6.5), _small),
    Planted("seal", "missing", "", (1,), _unsealed, True, papers=SEALED),
    Planted("shadow", "half", "share", (0.42, 0.3), _shade("half"), True, ANY_ASK, _HELD),
    Planted("perspective", "tilt", "°", (16, 21, 26), _tilted, True, MEND, (PHOTO,)),
    Planted("screenshot", "telephone", "", (1,), _subject("screenshot"), True, conditions=(SCAN,), papers=A4),
    LENS,
    Planted("colour", "photocopy", "", (1,), _subject("photocopy"), True, papers=SEALED),
    Planted("completeness", "top", "characters", (0,), _cut("top")),
    SKEW,
    Planted("blank", "blank", "", (1,), _subject("blank"), papers=("letter",)),
    Planted(
        "sharpness", "part", "h", (0.12, 0.2), _part, papers=("police-certificate", "approval-form", "letter")
    ),
    TURN,
    Planted("shadow", "hand", "share", (0.4, 0.28), _shade("hand"), True, ANY_ASK, _HELD),
    Planted("completeness", "left", "characters", (0,), _cut("left"), papers=A4),
    Planted("screen", "monitor", "", (1,), _subject("screen"), True, conditions=(PHOTO,), papers=A4),
    HAND,
    Planted("completeness", "right", "characters", (0,), _cut("right"), papers=("approval-form", "letter")),
)


def planted(number: int, rng: np.random.Generator) -> Setup:
    """The picture with a defect of that number."""
    what = PLANTED[number % len(PLANTED)]
    severity = float(what.severities[number // len(PLANTED) % len(what.severities)])
    way = str(rng.choice(what.conditions))
    kind = str(rng.choice(what.papers))
    detail = "colour" if way == SCAN else str(rng.choice(DESKS))
    setup = what.plant(setup_for(kind, way, detail, rng), severity, rng)
    defect = Defect(what.check, what.kind, severity, what.unit)
    legible = what.legible and not (what.check == "exposure" and severity < 30)
    return replace(setup, defects=(defect,), legible=legible, verdicts=what.verdicts)
