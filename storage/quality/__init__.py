"""The picture checks, one file each: a prepared picture goes in, a ``Measurement`` comes out.

A further check is one more file with a ``measure`` function, its thresholds in ``thresholds.toml`` and
``storage.thresholds``, and one line in ``CHECKS``.

What never belongs here: decoding files, storing anything, knowing what paper it ought to be.
"""

from __future__ import annotations

from collections.abc import Callable

from storage.measurement import Measurement
from storage.quality import (
    blank,
    colour,
    completeness,
    exposure,
    glare,
    orientation,
    perspective,
    screen,
    screenshot,
    seal,
    shadow,
    sharpness,
    skew,
    text_size,
)
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

STROKES = (sharpness.NAME, text_size.NAME)  # what has to be seen before it is said which way up a page stands

Check = Callable[[Picture, Thresholds], Measurement]

# In the order in which a person should read them.
CHECKS: tuple[Check, ...] = (
    blank.measure,
    text_size.measure,
    sharpness.measure,
    completeness.measure,
    exposure.measure,
    glare.measure,
    shadow.measure,
    orientation.measure,
    skew.measure,
    perspective.measure,
    screenshot.measure,
    screen.measure,
    seal.measure,
    colour.measure,
)


def measure(picture: Picture, thresholds: Thresholds) -> tuple[Measurement, ...]:
    """All measurements of one page. On a blank sheet only blankness is worth saying; where the strokes cannot be seen,
    nothing can be said of how they stand."""
    first = blank.measure(picture, thresholds)
    if first.verdict == "refuse":
        return (first,)
    found = (first, *(check(picture, thresholds) for check in CHECKS[1:]))
    unseen = any(one.name in STROKES and one.verdict == "refuse" for one in found)
    return tuple(one for one in found if not (unseen and one.name == orientation.NAME))
