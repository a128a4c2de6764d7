"""Papers that were never laid before the camera: shown on a telephone, or photographed from a monitor."""

from __future__ import annotations

import cv2
import numpy as np

from tests.papers import Sheet
from tests.paperset import optics
from tests.paperset.geometry import Picture
from tests.paperset.papers import Paper
from tests.paperset.recipe import Recipe

PHONE = (1080, 2400)  # pixels of a telephone's screen
ROWS = (1050, 1450)  # of the monitor, that the paper takes
FRAME = 30  # pixels of the viewer's window around it
LIT, DIM = 1.0, 0.16  # a stripe of the colour it is made for, and of the others
GAP = 0.45  # light between two rows
GAIN = 2.3  # the camera's: white on the monitor is white in the picture


def screenshot(paper: Paper, rng: np.random.Generator) -> Picture:
    """A screenshot: clock and battery above, the paper as wide as the screen, a bar of buttons below."""
    wide, high = PHONE
    dark = rng.random() < 0.4
    ground = (24, 24, 26) if dark else (242, 242, 244)
    screen = Sheet(wide / 10, high / 10, wide, ground)
    ink = (232, 232, 232) if dark else (30, 30, 30)
    screen.text(4, 2.2, f"{int(rng.integers(7, 22))}:{int(rng.integers(10, 60))}", 4.2, ink=ink)
    screen.text(86, 2.2, f"5G　{int(rng.integers(20, 100))}%", 4.0, ink=ink)
    screen.text(54, 11, "图片预览", 5.0, centred=True, ink=ink)
    screen.text(54, 226, "转发　　收藏　　编辑　　更多", 4.4, centred=True, ink=ink)
    shown = round(wide * paper.pixels.shape[0] / paper.pixels.shape[1])
    top = (high - shown) // 2
    pixels = np.array(screen.image)
    pixels[top : top + shown] = cv2.resize(paper.pixels, (wide, shown), interpolation=cv2.INTER_AREA)
    per_mm = wide / paper.size_mm[0]
    return Picture(pixels, np.array(((per_mm, 0, 0), (0, per_mm, top), (0, 0, 1.0))))


def from_monitor(paper: Paper, recipe: Recipe, rng: np.random.Generator) -> Picture:
    """A photograph of a monitor: stripes of red, green and blue, rows with gaps, and the moiré they make."""
    shown_high = int(rng.integers(*ROWS))
    share = shown_high / paper.pixels.shape[0]
    shown = cv2.resize(paper.pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    pane = cv2.copyMakeBorder(shown, FRAME, FRAME, FRAME, FRAME, cv2.BORDER_CONSTANT, value=(96, 98, 104))
    grid = _striped(pane)
    size = recipe.size if recipe.size[0] < recipe.size[1] else recipe.size[::-1]
    to_photo = _held(grid.shape, size, rng)
    ground = np.full((size[1], size[0], 3), 12, np.uint8)
    seen = cv2.warpPerspective(grid, to_photo, size, ground, cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT)
    seen = cv2.convertScaleAbs(optics.blurred(seen, 0.8), alpha=GAIN)
    seen = optics.grainy(seen, recipe.grain, rng)
    scale = 3 * paper.per_mm * share
    to_grid = np.array(((scale, 0, 3 * FRAME), (0, scale, 3 * FRAME), (0, 0, 1.0)))
    return Picture(seen, to_photo @ to_grid)


def _striped(pane: np.ndarray) -> np.ndarray:
    """Each pixel three by three: a column each of red, green and blue, the last row darker."""
    high, wide = pane.shape[:2]
    big = cv2.resize(pane, (3 * wide, 3 * high), interpolation=cv2.INTER_NEAREST)
    cell = np.full((3, 3, 3), DIM, np.float32)
    for colour in range(3):
        cell[:, colour, colour] = LIT
    cell[2] *= GAP
    return cv2.multiply(big, np.tile((255 * cell).astype(np.uint8), (high, wide, 1)), scale=1 / 255)


def _held(shape: tuple[int, ...], size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The camera before the monitor, a little askew: never pixel on pixel."""
    high, wide = shape[:2]
    fill = float(rng.uniform(0.9, 0.97)) * min(size[0] / wide, size[1] / high)
    corners = np.array(((0, 0), (wide, 0), (wide, high), (0, high)), np.float32)
    middle = np.array(size, np.float32) / 2
    target = (corners - corners.mean(axis=0)) * fill + middle
    target += rng.uniform(-0.008, 0.008, (4, 2)).astype(np.float32) * max(size)
    return cv2.getPerspectiveTransform(corners, target.astype(np.float32)).astype(np.float64)
