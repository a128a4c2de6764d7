"""Do the lines of text stand straight? Angle at which the ink falls into the sharpest rows or columns.

Chinese characters stand in a grid, so rows and columns both tell. Ink is taken from the sheet alone: the
grain of a desk would be straighter than any line of text.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "skew"
MEND = "拍歪了（约 {degrees:.1f} 度），已自动摆正；请核对摆正后的图"
ADVISE = "拍歪了（约 {degrees:.0f} 度），请正对纸面重拍"

WIDEST = 30.0  # degrees to either side
STEPS = (1.0, 0.25, 0.06)  # each search refines the one before
COARSE_POINTS, FINE_POINTS = 6_000, 30_000
MIN_POINTS = 400
BIN = 2.0  # pixels of the reduced picture per row of the profile
MIN_GAIN = 1.06  # the best angle must beat the middle one of all by this, or no lines were found

Points = npt.NDArray[np.float32]  # 2 x n


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """Degrees, positive when the text leans clockwise."""
    value = round(angle(picture), 2)
    if abs(value) >= thresholds.skew_advise_degrees:
        message = ADVISE.format(degrees=abs(value))
        return Measurement(NAME, value, "degrees", thresholds.skew_advise_degrees, "advise", message)
    if abs(value) >= thresholds.skew_mend_degrees:
        message = MEND.format(degrees=abs(value))
        return Measurement(NAME, value, "degrees", thresholds.skew_mend_degrees, "mend", message)
    return Measurement(NAME, value, "degrees", thresholds.skew_mend_degrees, "pass")


def angle(picture: Picture) -> float:
    """The angle of the text lines in degrees, 0 when there are none."""
    points = _ink_points(picture)
    if points.shape[1] < MIN_POINTS:
        return 0.0
    coarse = points[:, :: max(1, points.shape[1] // COARSE_POINTS)]
    angles = np.arange(-WIDEST, WIDEST + 0.5, STEPS[0])
    scores = np.array([_score(coarse, a) for a in angles])
    best = float(angles[int(scores.argmax())])
    if scores.max() < MIN_GAIN * float(np.median(scores)):
        return 0.0
    reach = STEPS[0]
    for step in STEPS[1:]:
        angles = np.arange(best - reach, best + reach + step / 2, step)
        best = float(angles[int(np.argmax([_score(points, a) for a in angles]))])
        reach = step
    return best


def _ink_points(picture: Picture) -> Points:
    """Ink pixels around their middle, thinned evenly to at most ``FINE_POINTS``."""
    flat = np.flatnonzero(picture.text.ink)
    step = max(1, len(flat) // FINE_POINTS) | 1  # an odd step does not fall into the rhythm of the rows
    y, x = np.divmod(flat[::step], picture.text.ink.shape[1])
    points = np.stack([x, y]).astype(np.float32)
    return points - points.mean(axis=1, keepdims=True) if points.size else points


def _score(points: Points, degrees: float) -> float:
    """How unevenly the ink falls into rows or into columns when turned back by ``degrees``: 1 is evenly."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return max(
        _unevenness(points[1] * cosine - points[0] * sine),
        _unevenness(points[0] * cosine + points[1] * sine),
    )


def _unevenness(along: npt.NDArray[np.float32]) -> float:
    low = float(along.min())
    counts = np.bincount(((along - low) / BIN).astype(np.int32)).astype(np.float64)
    return float((counts**2).sum() * len(counts) / counts.sum() ** 2)
