"""The picture checks, one file each: a prepared picture goes in, a ``Measurement`` comes out.

A further check is one more file with a ``measure`` function, its thresholds in ``thresholds.toml`` and
``storage.thresholds``, and one line in ``CHECKS``.

What never belongs here: decoding files, storing anything, knowing what paper it ought to be.
"""

from __future__ import annotations

from collections.abc import Callable

from storage.measurement import Measurement
from storage.quality import blank, completeness, exposure, resolution, sharpness, skew
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

Check = Callable[[Picture, Thresholds], Measurement]

CHECKS: tuple[Check, ...] = (
    blank.measure,
    resolution.measure,
    sharpness.measure,
    exposure.measure,
    skew.measure,
    completeness.measure,
)


def measure(picture: Picture, thresholds: Thresholds) -> tuple[Measurement, ...]:
    """All measurements of one page. On a blank sheet only blankness is worth saying."""
    measurements = tuple(check(picture, thresholds) for check in CHECKS)
    if measurements[0].verdict == "refuse":
        return measurements[:1]
    return measurements
