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

WIDEST = 25.0  # degrees to either side
# Each search refines the one before: step in degrees, and pixels per bin of the profile. Wide bins first: at
# half a degree beside the truth a line of text is already smeared over as many rows as it is high.
SEARCHES = ((0.5, 8.0), (0.12, 4.0), (0.04, 3.0))
COARSE_POINTS, FINE_POINTS = 6_000, 30_000
MIN_POINTS = 400
MIN_GAIN = 1.3  # the best angle must beat the middle one of all by this, or no lines were found

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
    finer = min(1.0, max(0.3, max(picture.red.shape) / 1800))  # small pictures have small text
    reach, bin_size = SEARCHES[0]
    angles = np.arange(-WIDEST, WIDEST + reach / 2, reach)
    scores = np.array([_score(coarse, a, bin_size * finer) for a in angles])
    best = float(angles[int(scores.argmax())])
    if scores.max() < MIN_GAIN * float(np.median(scores)):
        return 0.0
    for step, bin_size in SEARCHES[1:]:
        angles = np.arange(best - reach, best + reach + step / 2, step)
        best = float(angles[int(np.argmax([_score(points, a, bin_size * finer) for a in angles]))])
        reach = step
    return best


def _ink_points(picture: Picture) -> Points:
    """Ink pixels around their middle, thinned evenly to about ``FINE_POINTS``.

    Only small things: the rim of a copy or the edge of a shadow would otherwise decide alone. A page that
    has nothing small, such as a form in one frame, is measured by all of its ink.
    """
    text = picture.text
    flat = np.flatnonzero(text.ink)
    step = max(1, len(flat) // (2 * FINE_POINTS)) | 1  # an odd step does not fall into the rhythm of the rows
    flat = flat[::step]
    small = flat[text.is_small[text.labels.ravel()[flat]]]
    if len(small) >= MIN_POINTS:
        flat = small
    y, x = np.divmod(flat, text.ink.shape[1])
    points = np.stack([x, y]).astype(np.float32)
    return points - points.mean(axis=1, keepdims=True) if points.size else points


def _score(points: Points, degrees: float, bin_size: float) -> float:
    """How sharply the ink falls into rows or into columns when turned back by ``degrees``: 2 is by chance."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return max(
        _steps(points[1] * cosine - points[0] * sine, bin_size),
        _steps(points[0] * cosine + points[1] * sine, bin_size),
    )


def _steps(along: npt.NDArray[np.float32], bin_size: float) -> float:
    """Squared steps between neighbouring bins of the profile, per point: the shape of the sheet hardly counts."""
    counts = np.bincount(((along - along.min()) / bin_size).astype(np.int32)).astype(np.float64)
    return float((np.diff(counts) ** 2).sum() / len(along))
