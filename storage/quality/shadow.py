"""Does a shadow lie on the sheet? The darkest part of the blank paper against the lightest."""

from __future__ import annotations

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "shadow"
MESSAGE = "有阴影，已调匀明暗；若阴影里的字仍不清楚，请换个位置重拍"


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """``share``: 1 is even light. ``mend``: the view is evened out, what lies in the shadow is still there."""
    value = round(picture.page.spread, 3)
    if value < thresholds.shadow_mend:
        return Measurement(NAME, value, "share", thresholds.shadow_mend, "mend", MESSAGE)
    return Measurement(NAME, value, "share", thresholds.shadow_mend, "pass")
