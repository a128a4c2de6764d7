"""Is there enough light, and does the ink stand out? Level of the paper, contrast of the ink.

White paper is 255 on any scan, so a bright page is no fault. Too much light is looked for where it harms first: see
``glare``.
"""

from __future__ import annotations

import numpy as np

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "exposure"
BLACK = "画面太暗，看不清内容，请开灯或到窗边重拍"
DARK = "画面偏暗，已自动提亮；若仍不清楚，请开灯或到窗边重拍"
FAINT = "字迹太淡，请换个角度重拍，或用扫描并调高对比度"


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """The first fault found: darkness (``level``, 0 to 255), then faint ink (``share`` of the paper's level)."""
    level = round(picture.page.level, 1)
    if level < thresholds.dark_refuse:
        return Measurement(NAME, level, "level", thresholds.dark_refuse, "refuse", BLACK)
    if level < thresholds.dark_mend:
        return Measurement(NAME, level, "level", thresholds.dark_mend, "mend", DARK)
    contrast = ink_contrast(picture)
    if contrast is not None and contrast < thresholds.contrast_advise:
        return Measurement(NAME, contrast, "share", thresholds.contrast_advise, "advise", FAINT)
    return Measurement(NAME, level, "level", thresholds.dark_mend, "pass")


def ink_contrast(picture: Picture) -> float | None:
    """How much darker than the paper the darkest fifth of the ink is, as a share; None with little ink."""
    ink = picture.work[::2, ::2][picture.text.ink[::2, ::2] > 0]
    if ink.size < 200:
        return None
    darkest = float(np.percentile(ink, 20))
    return round(max(0.0, 1 - darkest / max(1.0, picture.page.level)), 3)
