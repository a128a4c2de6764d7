"""Where the sheet of paper lies in a picture, and how bright it is.

A scan is all paper. In a photograph the sheet is the brightest large convex thing, or the least coloured
one; when neither stands out, the whole frame counts as paper, and the checks are milder for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.uint8]

MIN_SHARE = 0.15  # of the frame; a smaller bright thing is not the sheet
MIN_FILL = 0.86  # of its own smallest rectangle; less is not a sheet


@dataclass(frozen=True)
class Paper:
    """``mask`` is 255 on the sheet, in pixels of the small copy; ``found`` is False when it is all of it.

    ``share`` is the sheet's part of the frame; ``level`` the median lightness of the blank paper (0 to 255).
    """

    mask: Mask
    found: bool
    share: float
    level: float


def find(small: npt.NDArray[np.uint8]) -> Paper:
    """Look for the sheet in a small RGB copy."""
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    brightest = small.max(axis=2).astype(np.int16)
    uncoloured = np.clip(2 * small.min(axis=2).astype(np.int16) - brightest, 0, 255).astype(np.uint8)
    best: Mask | None = None
    best_fill = MIN_FILL
    for channel in (uncoloured, grey):
        candidate = _bright_sheet(channel)
        if candidate is not None and candidate[1] > best_fill:
            best, best_fill = candidate
    found = best is not None
    mask = np.full(grey.shape, 255, np.uint8) if best is None else best
    return Paper(mask, found, float(np.count_nonzero(mask)) / mask.size, _level(grey, mask))


def _bright_sheet(channel: Mask) -> tuple[Mask, float] | None:
    """The largest bright region, filled, with the share of its smallest rectangle that it covers."""
    smooth = cv2.medianBlur(channel, 5)
    _, bright = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    bright = cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    bright = cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    contours, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    contour = max(contours, key=cv2.contourArea)
    hull = cv2.convexHull(contour)
    area = cv2.contourArea(contour)
    _, (width, height), _ = cv2.minAreaRect(contour)
    if area < MIN_SHARE * channel.size or width * height == 0:
        return None
    mask = np.zeros(channel.shape, np.uint8)
    cv2.drawContours(mask, [hull], -1, 255, cv2.FILLED)
    fill = area / (width * height)
    inner = cv2.erode(mask, np.ones((5, 5), np.uint8), borderValue=255)  # without the sheet's own edge
    return np.asarray(inner, dtype=np.uint8), float(fill)


def _level(grey: Mask, mask: Mask) -> float:
    """Median lightness of the paper between the lines: ink is closed over first."""
    paper = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    values = paper[mask > 0]
    return float(np.median(values)) if values.size else 0.0
