"""Is it the coloured original or a black copy of it? The strongest colours on the sheet."""

from __future__ import annotations

import cv2
import numpy as np

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "colour"
MESSAGE = "像是黑白的复印件或黑白扫描，请拍原件，或用彩色扫描"


RIM = 0.1  # of the long side, half of it on each side: corners found badly let in no more of the desk


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """``chroma`` (0 to 1), 99.7th percentile on the sheet. Advises only, and only where the paper has colours."""
    value = round(chroma(picture, thresholds.chroma_advise), 3)
    if thresholds.colour_needed and value < thresholds.chroma_advise:
        return Measurement(NAME, value, "chroma", thresholds.chroma_advise, "advise", MESSAGE)
    return Measurement(NAME, value, "chroma", thresholds.chroma_advise, "pass")


def chroma(picture: Picture, coloured: float) -> float:
    """How far the three channels part, after the colour of the light has been taken off, as a share of white. What is
    ``coloured`` and reaches over the sheet's margin belongs to the desk."""
    red, green, blue = (cv2.blur(plane, (3, 3)) for plane in picture.balanced)
    spread = cv2.subtract(cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue))
    inner = picture.page.inner
    if picture.page.found:
        count, labels = cv2.connectedComponents((spread >= coloured).astype(np.uint8), connectivity=8)
        desk = np.zeros(count, np.bool_)
        desk[labels[inner == 0]] = True
        desk[0] = False
        reach = max(3, round(RIM * max(inner.shape))) | 1
        rim = cv2.erode(inner, np.ones((reach, reach), np.uint8), borderValue=0) == 0
        spread[desk[labels] & rim] = 0
    values = spread[inner > 0]
    if not values.size:
        return 0.0
    place = min(values.size - 1, int(0.997 * values.size))
    return float(np.partition(values, place)[place])
