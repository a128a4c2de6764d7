"""Is it a negative: white print on black, as some scanners and fax programs store bilevel pages?

A negative has no light of a lamp that could be too little: its ground is evenly dark, and what stands out from it is bright
and as thin as strokes. In a dark photograph the paper is the bright part, and its print darker still.
"""

from __future__ import annotations

import cv2
import numpy as np

from storage.measurement import Measurement
from storage.quality import text
from storage.quality.picture import Picture

NAME = "inverted"
MESSAGE = "黑白颠倒（反色），已自动反转；请核对反转后的图"

RIM = 0.1  # of each side left out: white margins around a scan that lies on a page
DARK_GROUND = 100.0  # median level
BRIGHT = 60  # levels above the ground: strokes, which the small copy dims
LEAST_STROKES, MOST_STROKES = 0.3, 40.0  # percent of the page
PATCH = 11  # pixels of the small copy, 6 mm of A4: no stroke is as wide
MOST_PATCHES = 5.0  # percent: seals, title bars, photographs on a card
LEAST_MARKS = 20.0


def measure(picture: Picture) -> Measurement | None:
    """Bright strokes in percent of the page of a negative; None for any other."""
    high, wide = picture.grey.shape
    grey = picture.grey[
        round(RIM * high) : round((1 - RIM) * high), round(RIM * wide) : round((1 - RIM) * wide)
    ]
    ground = float(np.median(grey))
    if ground >= DARK_GROUND:
        return None
    strokes = _percent(grey, ground)
    if not LEAST_STROKES <= strokes <= MOST_STROKES:
        return None
    opened = cv2.morphologyEx(grey, cv2.MORPH_OPEN, np.ones((PATCH, PATCH), np.uint8))
    if _percent(np.asarray(opened, dtype=np.uint8), ground) > MOST_PATCHES or _marks(picture) < LEAST_MARKS:
        return None
    return Measurement(NAME, strokes, "%", LEAST_STROKES, "mend", MESSAGE)


def _percent(grey: text.Mask, ground: float) -> float:
    return round(100.0 * float(np.mean(grey > ground + BRIGHT)), 2)


def _marks(picture: Picture) -> int:
    """How many marks like characters there are when black and white are exchanged."""
    exchanged = np.asarray(cv2.bitwise_not(picture.work), dtype=np.uint8)
    return text.find(exchanged, np.full(picture.grey.shape, 255, np.uint8)).marks
