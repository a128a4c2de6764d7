"""Arrays to the pictures that may be shown: straightened, brightened, encoded without any metadata.

Runs in the confined child. Whatever leaves here was drawn anew from pixels, so nothing of the original
file's own bytes (scripts, GPS, profiles, hidden second files) can be in it.
"""

from __future__ import annotations

import io
import math

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


def straightened(rgb: RGB, degrees: float) -> RGB:
    """Turned back by ``degrees`` (positive: leaning clockwise) on a sheet grown so that nothing is lost."""
    if degrees == 0:
        return rgb
    height, width = rgb.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cosine, sine = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    wide, high = math.ceil(width * cosine + height * sine), math.ceil(width * sine + height * cosine)
    turn[0, 2] += (wide - width) / 2
    turn[1, 2] += (high - height) / 2
    turned = cv2.warpAffine(rgb, turn, (wide, high), flags=cv2.INTER_LINEAR, borderValue=(255, 255, 255))
    return np.asarray(turned, dtype=np.uint8)


def brightened(rgb: RGB, level: float) -> RGB:
    """With paper of ``level`` (0 to 255) brought up to ``GOAL_LEVEL``."""
    gain = min(MOST_GAIN, GOAL_LEVEL / max(1.0, level))
    return np.asarray(cv2.convertScaleAbs(rgb, alpha=gain), dtype=np.uint8) if gain > 1 else rgb


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
