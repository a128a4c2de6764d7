"""Did something shine into the lens? The largest saturated spot on the sheet.

A saturated spot is a fault only where the rest of the paper is not saturated: on a scan white paper is 255 everywhere.
"""

from __future__ import annotations

import cv2
import numpy as np

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "glare"
MESSAGE = "有反光，请关闪光灯，换个角度重拍"

SATURATED = 253
BRIGHT_PAPER = 243.0  # from here on white paper itself saturates


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """``%`` of the sheet. ``advise`` only: laminated originals shine, and the text may be read all the same."""
    value = spot_percent(picture)
    if value >= thresholds.glare_advise_percent:
        return Measurement(NAME, value, "%", thresholds.glare_advise_percent, "advise", MESSAGE)
    return Measurement(NAME, value, "%", thresholds.glare_advise_percent, "pass")


def spot_percent(picture: Picture) -> float:
    """The largest saturated spot in percent of the sheet; 0 where the paper itself is nearly white."""
    if picture.page.level >= BRIGHT_PAPER:
        return 0.0
    darkest = cv2.min(cv2.min(picture.small[:, :, 0], picture.small[:, :, 1]), picture.small[:, :, 2])
    white = (darkest >= SATURATED) & (picture.page.mask > 0)
    if not white.any():
        return 0.0
    _, _, stats, _ = cv2.connectedComponentsWithStats(white.astype(np.uint8), connectivity=4)
    x, y, w, h, area = stats[1:].T
    height, width = white.shape
    within = (
        (x > 0) & (y > 0) & (x + w < width) & (y + h < height)
    )  # at the frame it is a scanner's white border
    largest = float((area * within).max())
    return round(100.0 * largest / max(1.0, float(np.count_nonzero(picture.page.mask))), 2)
