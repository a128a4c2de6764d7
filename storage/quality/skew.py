"""Do the lines of text stand straight? Angle at which the ink falls into the sharpest rows or columns.

Chinese characters stand in a grid, so rows and columns both tell. Ink is taken from the sheet alone: the
grain of a desk would be straighter than any line of text.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.quality.text import MIN_POINTS, Points
from storage.thresholds import Thresholds

NAME = "skew"
MEND = "拍歪了（约 {degrees:.1f} 度），已自动摆正；请核对摆正后的图"
ADVISE = "拍歪了（约 {degrees:.0f} 度），请正对纸面重拍"

WIDEST = 25.0  # degrees to either side
# Each search refines the one before: step in degrees, and pixels per bin of the profile. Wide bins first: at
# half a degree beside the truth a line of text is already smeared over as many rows as it is high.
SEARCHES = ((1.0, 8.0), (0.2, 4.0), (0.05, 3.0))
BIN_SIDE = 1800.0  # pixels of the long side for which the bins are meant
COARSE_POINTS = 3_000
MIN_GAIN = 1.3  # the best angle must beat the middle one of all by this, or no lines were found

Floats = npt.NDArray[np.float32]


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """Degrees, positive when the text leans clockwise."""
    value = round(angle(picture.text.points, max(picture.work.shape)), 2)
    if abs(value) >= thresholds.skew_advise_degrees:
        message = ADVISE.format(degrees=abs(value))
        return Measurement(NAME, value, "degrees", thresholds.skew_advise_degrees, "advise", message)
    if abs(value) >= thresholds.skew_mend_degrees:
        message = MEND.format(degrees=abs(value))
        return Measurement(NAME, value, "degrees", thresholds.skew_mend_degrees, "mend", message)
    return Measurement(NAME, value, "degrees", thresholds.skew_mend_degrees, "pass")


def angle(points: Points, long_side: float, widest: float = WIDEST) -> float:
    """The angle of the text lines in degrees, 0 when there are none."""
    if points.shape[1] < MIN_POINTS:
        return 0.0
    points = points - points.mean(axis=1, keepdims=True)
    finer = min(1.0, max(0.3, long_side / BIN_SIDE))  # small pictures have small text
    coarse = points[:, :: max(1, points.shape[1] // COARSE_POINTS)]
    reach, bin_size = SEARCHES[0]
    angles = np.arange(-widest, widest + reach / 2, reach, dtype=np.float32)
    scores = _scores(coarse, angles, bin_size * finer)
    best = float(angles[int(scores.argmax())])
    if scores.max() < MIN_GAIN * float(np.median(scores)):
        return 0.0
    for step, bin_size in SEARCHES[1:]:
        angles = np.arange(best - reach, best + reach + step / 2, step, dtype=np.float32)
        best = float(angles[int(_scores(points, angles, bin_size * finer).argmax())])
        reach = step
    return best


def row_share(points: Points, degrees: float, long_side: float) -> float:
    """How much sharper the ink falls into rows than into columns at this angle: below 1 the lines stand upright."""
    if points.shape[1] < MIN_POINTS:
        return 1.0
    bin_size = SEARCHES[-1][1] * min(1.0, max(0.3, long_side / BIN_SIDE))
    across, down = _profiles(points, np.array([degrees], np.float32))
    return float(_steps(down, bin_size)[0] / max(1e-6, float(_steps(across, bin_size)[0])))


def _profiles(points: Points, angles: Floats) -> tuple[Floats, Floats]:
    """Place along and across the lines of every point at every angle: angles x n each."""
    turn = np.radians(angles)[:, None]
    cosine, sine = np.cos(turn), np.sin(turn)
    x, y = points[0][None, :], points[1][None, :]
    return x * cosine + y * sine, y * cosine - x * sine


def _scores(points: Points, angles: Floats, bin_size: float) -> npt.NDArray[np.float64]:
    """How sharply the ink falls into rows or into columns when turned back by each angle: 2 is by chance."""
    across, down = _profiles(points, angles)
    return np.maximum(_steps(down, bin_size), _steps(across, bin_size))


def _steps(places: Floats, bin_size: float) -> npt.NDArray[np.float64]:
    """Squared steps between neighbouring bins of each profile, per point: the shape of the sheet hardly counts."""
    bins = ((places - places.min(axis=1, keepdims=True)) * np.float32(1 / bin_size)).astype(np.intp)
    width = int(bins.max()) + 2
    bins += np.arange(len(bins), dtype=np.intp)[:, None] * width
    counts = np.bincount(bins.ravel(), minlength=len(bins) * width).reshape(len(bins), width)
    return np.asarray((np.diff(counts, axis=1).astype(np.float64) ** 2).sum(axis=1) / places.shape[1])
