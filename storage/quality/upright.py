"""Which way characters stand: the directions of their strokes, weighed by what was learned from printed ones.

Chinese characters are not the same upside down: roofs are above, feet below, the left part is the narrower one. Each mark
of a character's shape gives weak evidence for one of the four ways it may stand; many together are sure. The weights
are learned by ``tests/learn_upright.py`` from printed characters and need no text recognition.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from storage.quality.picture import Picture

SIDE = 24  # pixels of a mark when compared
CELLS, BINS = 4, 8
MOST_MARKS = 100
LEAST_MARKS = 12
SQUARE = (0.6, 1.6)  # width to height of a mark that may be one character
LEAST_EACH = 0.5  # evidence of a mean mark; Latin print and handwriting give less and say little
CAUTION = 0.35  # marks of one page resemble each other: their evidence counts for less than its sum

_FILE = Path(__file__).parent / "upright.npy"

Floats = npt.NDArray[np.float32]


def turn_needed(picture: Picture) -> tuple[int, float]:
    """Degrees clockwise that make the page stand upright (0, 90, 180, 270), and the natural logarithm of the odds of
    that way against standing as it is; (0, 0.0) with too few characters."""
    marks = marks_of(picture)
    if len(marks) < LEAST_MARKS:
        return 0, 0.0
    scores = evidence(features(marks), weights())
    best = int(scores.argmax())
    if not best or scores[best] - scores[0] < LEAST_EACH * CAUTION * len(marks):
        return 0, 0.0  # not the characters that were learned from
    # Standing turned by `best` quarter turns counterclockwise, it needs as many clockwise
    return best * 90, float(scores[best] - scores[0])


def evidence(described: Floats, learned: Floats) -> Floats:
    """Log likelihood of each of the four ways the page may have been turned (counterclockwise, in quarter turns)."""
    ways = np.stack([turned_back(described, turns) @ learned for turns in range(4)], axis=1)
    ways -= np.logaddexp.reduce(ways, axis=1, keepdims=True)
    return np.asarray(ways.sum(axis=0) * CAUTION, dtype=np.float32)


def marks_of(picture: Picture) -> Floats:
    """Marks that may be single characters, ink bright: n x SIDE x SIDE, 0 to 1."""
    text = picture.text
    if text.height == 0:
        return np.zeros((0, SIDE, SIDE), np.float32)
    singles = _singles(text.boxes)
    singles = singles[:: max(1, len(singles) // MOST_MARKS)][:MOST_MARKS]
    cuts = np.empty((len(singles), SIDE, SIDE), np.float32)
    for number, (x, y, w, h) in enumerate(singles):
        side = max(w, h) + 2
        left, top = x - (side - w) // 2, y - (side - h) // 2
        cut = picture.work[max(0, top) : top + side, max(0, left) : left + side]
        cuts[number] = cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    darkest, lightest = cuts.min(axis=(1, 2), keepdims=True), cuts.max(axis=(1, 2), keepdims=True)
    return np.asarray((lightest - cuts) / np.maximum(lightest - darkest, 8.0), dtype=np.float32)


def _singles(boxes: npt.NDArray[np.int32]) -> list[tuple[int, int, int, int]]:
    """Boxes of single characters; where neighbours touch, their run is divided evenly: Chinese print has one pitch."""
    w, h = boxes.T[2:]
    short, long = np.minimum(w, h), np.maximum(w, h)
    unit = float(np.percentile(short, 60))
    fits = (short >= 0.7 * unit) & (long >= 0.8 * unit) & (short <= 1.7 * unit) & (long <= 8 * unit)
    found = []
    for left, top, wide, high in boxes[fits]:
        count = max(1, round(max(wide, high) / max(unit, min(wide, high))))
        if wide >= high:
            step = wide / count
            found += [(int(left + i * step), int(top), round(step), int(high)) for i in range(count)]
        else:
            step = high / count
            found += [(int(left), int(top + i * step), int(wide), round(step)) for i in range(count)]
    return [one for one in found if SQUARE[0] * one[3] <= one[2] <= SQUARE[1] * one[3]]


def features(marks: Floats) -> Floats:
    """Histograms of stroke directions in CELLS x CELLS places of each mark: n x (CELLS * CELLS * BINS)."""
    across = np.zeros_like(marks)
    down = np.zeros_like(marks)
    across[:, :, 1:-1] = marks[:, :, 2:] - marks[:, :, :-2]
    down[:, 1:-1] = marks[:, 2:] - marks[:, :-2]
    strength, turn = (
        one.reshape(marks.shape)
        for one in cv2.cartToPolar(across.reshape(-1, SIDE), down.reshape(-1, SIDE))  # turn in 0 to 2 pi
    )
    part = turn * np.float32(BINS / (2 * np.pi))
    low = part.astype(np.int32)
    share = part - low
    low %= BINS
    cell = np.arange(SIDE) * CELLS // SIDE
    place = cell[:, None] * CELLS + cell[None, :]
    base = (np.arange(len(marks))[:, None, None] * CELLS * CELLS + place) * BINS
    size = len(marks) * CELLS * CELLS * BINS
    counts = np.bincount((base + low).ravel(), (strength * (1 - share)).ravel(), size)
    counts += np.bincount((base + (low + 1) % BINS).ravel(), (strength * share).ravel(), size)
    rows = counts.reshape(len(marks), -1).astype(np.float32)
    length = np.maximum(1e-6, np.linalg.norm(rows, axis=1, keepdims=True))
    return np.asarray(rows / length, dtype=np.float32)


def turned_back(described: Floats, turns: int) -> Floats:
    """The features that the marks would have if they were turned clockwise by quarter turns."""
    cells = described.reshape(len(described), CELLS, CELLS, BINS)
    return np.roll(np.rot90(cells, -turns, axes=(1, 2)), turns * BINS // 4, axis=3).reshape(
        len(described), -1
    )


@cache
def weights() -> Floats:
    """What was learned: one number for each feature of a mark that stands upright."""
    return np.asarray(np.load(_FILE), dtype=np.float32)
