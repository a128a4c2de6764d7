"""Is it a picture of a telephone's screen contents? Long and narrow, with no sheet in it."""

from __future__ import annotations

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "screenshot"
MESSAGE = "像是手机截屏，请上传原来的照片，或直接拍摄原件"


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """``ratio`` of the long side to the short one."""
    value = round(max(picture.width, picture.height) / max(1, min(picture.width, picture.height)), 2)
    if value > thresholds.screenshot_ratio and not picture.page.whole:
        return Measurement(NAME, value, "ratio", thresholds.screenshot_ratio, "advise", MESSAGE)
    return Measurement(NAME, value, "ratio", thresholds.screenshot_ratio, "pass")
