"""Where a paper lies in a picture: ways from its millimetres to pixels, and laying it there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from tests.paperset.papers import Paper


@dataclass(frozen=True)
class Picture:
    """``pixels`` and the way there: ``way`` takes millimetres of the paper to pixels (3 x 3)."""

    pixels: np.ndarray
    way: np.ndarray

    def at(self, *points: tuple[float, float]) -> np.ndarray:
        """Where these points of the paper (mm) lie in the picture."""
        return moved(self.way, np.array(points, np.float64))


def moved(way: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (n x 2) through a 3 x 3 way."""
    return cv2.perspectiveTransform(points[None].astype(np.float64), way)[0]


def scale_of(way: np.ndarray, point: tuple[float, float]) -> float:
    """Pixels per millimetre at a point of the paper."""
    x, y = point
    a, b, c = moved(way, np.array(((x, y), (x + 1, y), (x, y + 1))))
    return math.sqrt(abs(np.linalg.det(np.array((b - a, c - a)))))


def lean_of(way: np.ndarray, middle: tuple[float, float]) -> float:
    """Degrees by which a line of text in the middle of the paper leans, clockwise."""
    a, b = moved(way, np.array((middle, (middle[0] + 1, middle[1]))))
    return math.degrees(math.atan2(b[1] - a[1], b[0] - a[0]))


def corners_of(size_mm: tuple[float, float]) -> np.ndarray:
    width, height = size_mm
    return np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float64)


def laid(paper: Paper, way: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """The paper over the ground, brought near its size first so that nothing is skipped."""
    middle = (paper.size_mm[0] / 2, paper.size_mm[1] / 2)
    share = scale_of(way, middle) / paper.per_mm
    pixels = paper.pixels
    if share < 0.9:
        pixels = cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    to_mm = np.diag((paper.size_mm[0] / pixels.shape[1], paper.size_mm[1] / pixels.shape[0], 1.0))
    half = np.array(((1, 0, 0.5), (0, 1, 0.5), (0, 0, 1)))  # OpenCV counts from the middle of a pixel
    path = np.linalg.inv(half) @ way @ to_mm @ half
    size = (ground.shape[1], ground.shape[0])
    return cv2.warpPerspective(pixels, path, size, ground, cv2.INTER_CUBIC, cv2.BORDER_TRANSPARENT)
