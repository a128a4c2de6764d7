"""Was it taken from a screen? A grid of pixels or waves of light and dark on the blank paper.

Advises only: a woven ground or a fine raster in print looks alike.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "screen"
MESSAGE = "像是翻拍的屏幕，请拍原件"

TILE = 64
MAX_TILES = 12
MIN_TILES = 5
MOST_INK = 60  # of 255
LOWEST = 5  # cycles a tile; slower changes are light and folds

Floats = npt.NDArray[np.float32]


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """``peak``: how far the strongest regular pattern of the blank paper stands out of its grain."""
    value = round(pattern(picture), 1)
    if value >= thresholds.screen_advise_peak:
        return Measurement(NAME, value, "peak", thresholds.screen_advise_peak, "advise", MESSAGE)
    return Measurement(NAME, value, "peak", thresholds.screen_advise_peak, "pass")


def pattern(picture: Picture) -> float:
    """The strongest peak of the mean spectrum of tiles without ink, over the median around it; 0 with too few tiles."""
    tiles = _blank_tiles(picture)
    if len(tiles) < MIN_TILES:
        return 0.0
    tiles -= tiles.mean(axis=(1, 2), keepdims=True)
    window = np.hanning(TILE).astype(np.float32)
    spectra = np.abs(np.fft.rfft2(tiles * window[:, None] * window[None, :])) ** 2
    mean = np.median(spectra, axis=0).astype(np.float32)  # what all tiles share; a speck is in one only
    mean = np.fft.fftshift(mean, axes=0)
    around = cv2.medianBlur(np.log1p(mean).astype(np.float32), 5)
    over = np.log1p(mean) - around
    fy, fx = np.mgrid[-TILE // 2 : TILE // 2, 0 : TILE // 2 + 1]
    over[np.hypot(fy, fx) < LOWEST] = 0
    over[:, 0] = 0  # lines of a scanner's or JPEG's own raster lie on the axes
    over[TILE // 2] = 0
    return float(over.max())


def _blank_tiles(picture: Picture) -> Floats:
    """Tiles of the picture at its best resolution that lie on the sheet and hold the least ink: n x TILE x TILE."""
    red = picture.red
    rows, columns = red.shape[0] // TILE, red.shape[1] // TILE
    if rows < 2 or columns < 2:
        return np.zeros((0, TILE, TILE), np.float32)
    inked = picture.inked(TILE, rows, columns)
    sheet = cv2.resize(picture.page.mask, (columns, rows), interpolation=cv2.INTER_AREA)
    row, column = np.nonzero((inked < MOST_INK) & (sheet > 250))
    order = np.argsort(inked[row, column], kind="stable")[
        :MAX_TILES
    ]  # a grid of pixels may itself look like ink
    cuts = [
        red[y * TILE : (y + 1) * TILE, x * TILE : (x + 1) * TILE]
        for y, x in zip(row[order], column[order], strict=True)
    ]
    kept = [
        cut for cut in cuts if cut.max() < 254 or cut.min() < 250
    ]  # nothing can be seen on saturated white
    return np.array(kept, np.float32).reshape(-1, TILE, TILE)
