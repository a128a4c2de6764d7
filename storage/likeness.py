"""A perceptual hash: pictures that a person would call the same have nearly the same 64 bits. Runs in the child."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from storage.quality.picture import Picture
from storage.quality.text import MIN_POINTS

SIDE, LOW = 32, 8
WITHOUT = (1, 99)  # percent of the ink: a speck in the margin decides nothing


def likeness(picture: Picture) -> str:
    """The hash of a page as 16 hexadecimal digits: signs of its 64 lowest waves against their median.

    Compressing, resizing, cropping and light hardly change it; how many of the 64 bits differ tells how unlike two pages
    are. Two papers from one form may have the same: ``storage.sameness`` tells them apart.
    """
    small = cv2.resize(_printed(picture), (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    waves = cv2.dct(small)[:LOW, :LOW].ravel()
    waves[0] = 0.0  # the mean lightness says nothing
    bits = waves > np.median(waves)
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"


def _printed(picture: Picture) -> npt.NDArray[np.uint8]:
    """The lightness of the part that bears print: margins are what cropping takes away."""
    points = picture.text.points
    if points.shape[1] < MIN_POINTS:
        return picture.grey
    share = picture.grey.shape[0] / picture.work.shape[0]
    left, right = (round(float(v)) for v in np.percentile(points[0] * share, WITHOUT))
    top, bottom = (round(float(v)) for v in np.percentile(points[1] * share, WITHOUT))
    if right - left < SIDE or bottom - top < SIDE:
        return picture.grey
    return np.ascontiguousarray(picture.grey[top:bottom, left:right])
