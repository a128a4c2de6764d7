"""Is there enough light, and none too much? Level of the paper, contrast of the ink, saturated spots.

White paper is 255 on any scan, so a bright page is no fault. A saturated spot is one only where the rest of
the paper is not: then something shone into the lens.
"""

from __future__ import annotations

import cv2
import numpy as np

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "exposure"
BLACK = "画面太暗，看不清内容，请开灯或到窗边重拍"
DARK = "画面偏暗，已自动提亮；若仍不清楚，请开灯或到窗边重拍"
FAINT = "字迹太淡，请换个角度重拍，或用扫描并调高对比度"
GLARE = "有反光，请关闪光灯，换个角度重拍"

SATURATED = 253
BRIGHT_PAPER = 243.0  # from here on white paper itself saturates


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """The first fault found: darkness (``level``), faint ink (``share``), glare (``%`` of the page)."""
    level = round(picture.paper.level, 1)
    if level < thresholds.dark_refuse:
        return Measurement(NAME, level, "level", thresholds.dark_refuse, "refuse", BLACK)
    if level < thresholds.dark_mend:
        return Measurement(NAME, level, "level", thresholds.dark_mend, "mend", DARK)
    contrast = ink_contrast(picture)
    if contrast is not None and contrast < thresholds.contrast_advise:
        return Measurement(NAME, contrast, "share", thresholds.contrast_advise, "advise", FAINT)
    spot = glare_percent(picture)
    if spot >= thresholds.glare_advise_percent:
        return Measurement(NAME, spot, "%", thresholds.glare_advise_percent, "advise", GLARE)
    return Measurement(NAME, level, "level", thresholds.dark_mend, "pass")


def ink_contrast(picture: Picture) -> float | None:
    """How much darker than the paper the darkest fifth of the ink is, as a share; None with little ink."""
    ink = picture.grey[::2, ::2][picture.text.ink[::2, ::2] > 0]
    if ink.size < 400:
        return None
    darkest = float(np.percentile(ink, 20))
    return round(max(0.0, 1 - darkest / max(1.0, picture.paper.level)), 3)


def glare_percent(picture: Picture) -> float:
    """The largest saturated spot in percent of the page; 0 where the paper itself is nearly white."""
    if picture.paper.level >= BRIGHT_PAPER:
        return 0.0
    white = (picture.small.min(axis=2) >= SATURATED) & (picture.paper.mask > 0)
    count, _, stats, _ = cv2.connectedComponentsWithStats(white.astype(np.uint8), connectivity=4)
    if count < 2:
        return 0.0
    largest = float(stats[1:, cv2.CC_STAT_AREA].max())
    return round(100.0 * largest / float(np.count_nonzero(picture.paper.mask)), 2)
