"""Arrays to the pictures that may be shown: straightened, brightened, encoded without any metadata.

Runs in the confined child. Whatever leaves here was drawn anew from pixels, so nothing of the original
file's own bytes (scripts, GPS, profiles, hidden second files) can be in it.
"""

from __future__ import annotations

import io

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

RGB = npt.NDArray[np.uint8]

VIEW_SIDE = 2400
VIEW_QUALITY = 85
THUMB_SIDE = 320
THUMB_QUALITY = 80
QUALITIES = (95, 92, 89, 86, 82, 77, 70)  # few, because each try encodes 12 megapixels
GOAL_LEVEL = 215.0  # a dark page is brought up to about this level of its paper
MOST_GAIN = 6.0


def fitted(rgb: RGB, long_side: int) -> RGB:
    """At most ``long_side`` pixels long; never enlarged."""
    height, width = rgb.shape[:2]
    share = long_side / max(height, width)
    if share >= 1:
        return rgb
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def jpeg(rgb: RGB, quality: int) -> bytes:
    """A bare baseline JPEG."""
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=quality)
    return out.getvalue()


def jpeg_within(rgb: RGB, limit: int) -> bytes:
    """The JPEG of at most ``limit`` bytes at the best of ``QUALITIES`` that fits; smaller when none does."""
    while True:
        best: bytes | None = None
        low, high = 0, len(QUALITIES)
        while low < high:  # from high on everything fits, before low nothing does
            middle = (low + high) // 2
            tried = jpeg(rgb, QUALITIES[middle])
            if len(tried) <= limit:
                best, high = tried, middle
            else:
                low = middle + 1
        if best is not None:
            return best
        rgb = fitted(rgb, int(max(rgb.shape[:2]) * 0.8))
