"""From the upright page to the view that is shown: one turn of the plane, then light. Runs in the child.

The view is made in one step from the pixels of the page, so that nothing is blurred twice. The same step, as a matrix,
carries places of the view back to the page.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from storage.measurement import Mending

RGB = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]  # 3 x 3, of homogeneous pixel coordinates

WHITE = (255, 255, 255)
EVEN_LEVEL = 235.0  # evened paper comes to lie at this level
DARKEST_PAPER = 30  # below this it is no paper that a lamp could not reach


@dataclass(frozen=True, slots=True)
class Way:
    """``matrix`` takes pixels of the page to pixels of the view, which is ``width`` x ``height``."""

    matrix: Matrix
    width: int
    height: int


def way(mending: Mending, width: int, height: int, long_side: float = math.inf) -> Way:
    """The way from a page of ``width`` x ``height`` pixels to its view, made no longer than ``long_side``."""
    matrix: Matrix = np.eye(3)
    size = (float(width), float(height))
    if mending.corners:
        matrix, size = _cut_out(np.array(mending.corners) * (width, height))
    if mending.skew:
        matrix, size = _straighten(matrix, size, mending.skew)
    for _ in range(mending.rotation // 90 % 4):
        matrix = np.array([[0, -1, size[1]], [1, 0, 0], [0, 0, 1.0]]) @ matrix
        size = (size[1], size[0])
    share = min(1.0, long_side / max(size))
    matrix = np.diag([share, share, 1.0]) @ matrix
    return Way(matrix, max(1, round(size[0] * share)), max(1, round(size[1] * share)))


def mended(rgb: RGB, mending: Mending, long_side: float = math.inf) -> RGB:
    """The view of a page; the page itself where nothing is to be done and it is short enough."""
    height, width = rgb.shape[:2]
    if mending.inverted:
        rgb = np.asarray(cv2.bitwise_not(rgb), dtype=np.uint8)
    if mending.corners or mending.skew or mending.rotation or max(width, height) > long_side:
        found = way(mending, width, height, long_side)
        shrinks = max(found.width, found.height) < 0.7 * max(width, height)
        if shrinks:  # the mean of the pixels first: a warp looks at four only
            share = max(found.width, found.height) / max(width, height) * 1.2
            rgb = np.asarray(
                cv2.resize(rgb, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), dtype=np.uint8
            )
            found = Way(
                found.matrix @ np.diag([width / rgb.shape[1], height / rgb.shape[0], 1.0]),
                found.width,
                found.height,
            )
        size = (found.width, found.height)
        rgb = np.asarray(
            cv2.warpPerspective(rgb, found.matrix, size, flags=cv2.INTER_LINEAR, borderValue=WHITE),
            dtype=np.uint8,
        )
    if mending.even:
        rgb = evened(rgb)
    elif mending.gain > 1:
        rgb = np.asarray(cv2.convertScaleAbs(rgb, alpha=mending.gain), dtype=np.uint8)
    return rgb


def evened(rgb: RGB) -> RGB:
    """With the light of the paper taken off: shadows vanish, ink and seals keep their strength."""
    height, width = rgb.shape[:2]
    small = cv2.resize(rgb, (max(1, width // 8), max(1, height // 8)), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    paper = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    paper = cv2.GaussianBlur(paper, (0, 0), 5)
    gain = np.clip(EVEN_LEVEL / np.maximum(paper.astype(np.float32), DARKEST_PAPER), 0.9, 6.0)
    spread = cv2.resize(gain, (width, height), interpolation=cv2.INTER_LINEAR)
    lit = np.empty_like(rgb)
    for channel in range(3):
        lit[:, :, channel] = cv2.multiply(rgb[:, :, channel], spread, dtype=cv2.CV_8U)
    return lit


def back(found: Way, places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Places (n x 2, pixels of the view) as pixels of the page."""
    there = np.linalg.inv(found.matrix) @ np.column_stack([places, np.ones(len(places))]).T
    return np.asarray((there[:2] / there[2]).T)


def _cut_out(corners: npt.NDArray[np.float64]) -> tuple[Matrix, tuple[float, float]]:
    upper, right, lower, left = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    width, height = max(upper, lower), max(left, right)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    return np.asarray(matrix, dtype=np.float64), (float(width), float(height))


def _straighten(
    matrix: Matrix, size: tuple[float, float], degrees: float
) -> tuple[Matrix, tuple[float, float]]:
    """Turned back on a sheet grown so that nothing is lost."""
    width, height = size
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    wide, high = width * abs(cosine) + height * abs(sine), width * abs(sine) + height * abs(cosine)
    turn = np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1.0]])
    middle = turn @ np.array([width / 2, height / 2, 1.0])
    turn[0, 2], turn[1, 2] = wide / 2 - middle[0], high / 2 - middle[1]
    return turn @ matrix, (wide, high)
