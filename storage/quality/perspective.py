"""Was the sheet photographed from the front, and does it fill the picture? The four corners found."""

from __future__ import annotations

import numpy as np

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "perspective"
MEND = "已按纸的四角裁切、校正；请核对校正后的图"
ADVISE = "拍得太斜，远处的字会模糊，请正对纸面重拍"


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """By how many ``%`` opposite sides of the sheet differ; 0 where its four corners cannot be seen."""
    value = round(trapezoid(picture), 1)
    if value >= thresholds.perspective_advise_percent:
        return Measurement(NAME, value, "%", thresholds.perspective_advise_percent, "advise", ADVISE)
    if picture.page.whole and (
        value >= thresholds.perspective_mend_percent or picture.page.share < thresholds.crop_mend_share
    ):
        return Measurement(NAME, value, "%", thresholds.perspective_mend_percent, "mend", MEND)
    return Measurement(NAME, value, "%", thresholds.perspective_mend_percent, "pass")


def trapezoid(picture: Picture) -> float:
    """The larger difference of two opposite sides, in percent of the longer one."""
    page = picture.page
    if not page.whole:
        return 0.0
    corners = np.array(page.corners) * (picture.width, picture.height)
    upper, right, lower, left = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    return 100.0 * float(
        max(1 - min(upper, lower) / max(upper, lower), 1 - min(left, right) / max(left, right))
    )
