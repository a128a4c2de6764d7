"""The light on a desk: uneven, and with the hard shadows that make a paper unreadable."""

from __future__ import annotations

import math

import cv2
import numpy as np

from tests.paperset.geometry import corners_of, moved
from tests.paperset.papers import Paper
from tests.paperset.recipe import Recipe

COARSE = 4  # light is worked out at a quarter of the size


def light(paper: Paper, recipe: Recipe, way: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The share of light everywhere, at a quarter of the size; the paper outside of shadows gets ``level``."""
    wide, high = (side // COARSE for side in recipe.size)
    small = np.diag((1 / COARSE, 1 / COARSE, 1.0)) @ way
    angle = float(rng.uniform(0, 2 * math.pi))
    x = np.linspace(-0.5, 0.5, wide, dtype=np.float32)[None, :]
    y = np.linspace(-0.5, 0.5, high, dtype=np.float32)[:, None]
    share = 1 - recipe.slope * (x * math.cos(angle) + y * math.sin(angle)) - 0.15 * (x * x + y * y)
    quad = moved(small, corners_of(paper.size_mm))
    sheet = cv2.fillConvexPoly(np.zeros((high, wide), np.uint8), quad.astype(np.int32), 1)
    share *= _beside(quad, sheet)
    share *= recipe.level / paper.level / np.median(share[sheet > 0])  # before any shadow falls on it
    if recipe.shadow:
        share *= cast(recipe, quad, (wide, high), rng)
    return np.asarray(share, np.float32)


def _beside(quad: np.ndarray, sheet: np.ndarray) -> np.ndarray:
    """The narrow shadow of the paper itself on the desk."""
    soft = cv2.fillConvexPoly(np.zeros(sheet.shape, np.float32), (quad + 2.5).astype(np.int32), 1.0)
    soft = 1 - 0.4 * cv2.GaussianBlur(soft, (0, 0), 3)
    return np.where(sheet > 0, 1.0, soft).astype(np.float32)


def cast(recipe: Recipe, quad: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A hard shadow over part of the sheet: something beside it, or the hand with the phone."""
    wide, high = size
    shade = np.zeros((high, wide), np.float32)
    middle, reach = quad.mean(axis=0), float(np.hypot(wide, high))
    angle = float(rng.uniform(0, 2 * math.pi))
    along = np.array((math.cos(angle), math.sin(angle)))
    across = np.array((-along[1], along[0]))
    if recipe.shadow == "half":
        edge = middle + along * rng.uniform(0.0, 0.08) * reach
        outline = [edge + across * reach, edge - across * reach]
        outline += [outline[1] + along * reach, outline[0] + along * reach]
    else:
        outline = [
            middle + along * (a * reach) + across * (b * reach)
            for a, b in ((1, -0.17), (-0.12, -0.17), (-0.2, 0.0), (-0.12, 0.17), (1, 0.17))
        ]
        for finger in (-0.12, -0.04, 0.04, 0.12):
            tip = middle - along * (0.2 * reach) + across * (finger * reach)
            root = middle + across * (finger * reach)
            cv2.line(shade, root.astype(int).tolist(), tip.astype(int).tolist(), 1.0, round(0.06 * reach))
    cv2.fillPoly(shade, [np.array(outline).astype(np.int32)], 1.0)
    return 1 - (1 - recipe.shadow_depth) * cv2.GaussianBlur(shade, (0, 0), 1.2)
