"""A perceptual hash: pictures that a person would call the same have nearly the same 64 bits. Runs in the child."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

SIDE, LOW = 32, 8


def likeness(grey: npt.NDArray[np.uint8]) -> str:
    """The hash of a page as 16 hexadecimal digits: signs of its 64 lowest waves against their median.

    Compressing, resizing and light hardly change it; how many of the 64 bits differ tells how unlike two pages are.
    """
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    waves = cv2.dct(small)[:LOW, :LOW].ravel()
    waves[0] = 0.0  # the mean lightness says nothing
    bits = waves > np.median(waves)
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"
