"""Are the strokes sharp? Blur of the stroke edges, against the height of a character.

An edge blurred by a Gaussian of sigma s has a steepest slope of contrast / (sqrt(2 pi) s). In tiles that hold
text, that slope is taken in four directions, because a shaken camera blurs only one. The sharper quarter of
the tiles decides, so that a stain does not, and the worst direction counts. What a perfect picture shows
after sampling (``SHARPEST``) is taken off. In characters and not in pixels, because a large blurred letter
is read more easily than a small one. Usual measures (variance of the Laplacian, Tenengrad) miss more than
half of the blurred papers at the same rate of false alarms.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "sharpness"
REFUSE = "画面模糊，请平放、对焦后重拍"
ADVISE = "画面略模糊，请拿稳、对焦后重拍一张"

TILE = 48  # pixels of the reduced picture
MAX_TILES = 240
DIAGONAL = 8.0 * math.sqrt(2)
SHARPEST = 1.0  # pixels
MIN_CONTRAST = 24
MIN_TILES = 4
STEEPEST = 8  # the eighth steepest pixel of a tile: the very steepest may be noise
TALLEST_TEXT = 1 / 30  # of the long side: blurred lines run together into marks taller than any character


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """Sigma in heights of a character (``h``). Without text there is nothing to measure: 0, passed."""
    sigma = blur_sigma(picture)
    if sigma is None:
        return Measurement(NAME, 0.0, "h", thresholds.blur_advise, "pass")
    longest = max(picture.red.shape)
    height = min(picture.text.height or longest / 70, longest * TALLEST_TEXT)
    value = round(max(0.0, sigma - SHARPEST) / height, 4)
    if value >= thresholds.blur_refuse:
        return Measurement(NAME, value, "h", thresholds.blur_refuse, "refuse", REFUSE)
    if value >= thresholds.blur_advise:
        return Measurement(NAME, value, "h", thresholds.blur_advise, "advise", ADVISE)
    return Measurement(NAME, value, "h", thresholds.blur_advise, "pass")


def blur_sigma(picture: Picture) -> float | None:
    """Blur of the stroke edges in pixels of the reduced picture; None when too little text was found."""
    chosen = _text_tiles(picture)
    if len(chosen[0]) < MIN_TILES:
        return None
    levels = np.sort(_tiles(picture.red)[chosen], axis=1)
    contrast = (levels[:, -levels.shape[1] // 100] - levels[:, levels.shape[1] // 100]).astype(np.float64)
    strong = contrast >= MIN_CONTRAST
    if np.count_nonzero(strong) < MIN_TILES:
        return None
    chosen = (chosen[0][strong], chosen[1][strong])
    contrast = contrast[strong]
    # Sobel: a difference over two pixels, smoothed across; /8 makes it a slope per pixel
    across = _tiles(cv2.Sobel(picture.red, cv2.CV_16S, 1, 0))[chosen]
    down = _tiles(cv2.Sobel(picture.red, cv2.CV_16S, 0, 1))[chosen]
    worst = 0.0
    for slope, unit in ((across, 8.0), (down, 8.0), (across + down, DIAGONAL), (across - down, DIAGONAL)):
        steepest = np.partition(np.abs(slope), -STEEPEST, axis=1)[:, -STEEPEST] / unit
        sigma = contrast / (math.sqrt(2 * math.pi) * np.maximum(steepest, 0.25))
        worst = max(worst, float(np.percentile(sigma, 25)))
    return worst


def _tiles(channel: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The channel as rows x columns x pixels of a tile; what does not fill a tile is left out."""
    rows, columns = channel.shape[0] // TILE, channel.shape[1] // TILE
    cut = channel[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns, TILE)
    return cut.swapaxes(1, 2).reshape(rows, columns, TILE * TILE)


def _text_tiles(picture: Picture) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Row and column of the tiles with as much ink as text has, at most ``MAX_TILES`` over the page."""
    ink = picture.text.ink
    rows, columns = ink.shape[0] // TILE, ink.shape[1] // TILE
    cut = np.ascontiguousarray(ink[: rows * TILE, : columns * TILE])
    share = cv2.resize(cut, (max(1, columns), max(1, rows)), interpolation=cv2.INTER_AREA) / 255.0
    row, column = np.nonzero((share > 0.04) & (share < 0.6)) if rows and columns else (np.zeros(0, int),) * 2
    step = max(1, math.ceil(len(row) / MAX_TILES))
    return row[::step], column[::step]
