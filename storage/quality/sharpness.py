"""Are the strokes sharp? Blur of the stroke edges, against the height of a character.

An edge blurred by a Gaussian of sigma s has a steepest slope of contrast / (sqrt(2 pi) s). In tiles that hold
text, that slope is taken in four directions, because a shaken camera blurs only one. The sharper quarter of
the tiles decides, so that a stain does not, and the worst direction counts. What a perfect picture shows
after sampling (``SHARPEST``) is taken off. In characters and not in pixels, because a large blurred letter
is read more easily than a small one. Usual measures (variance of the Laplacian, Tenengrad) miss more than
half of the blurred papers at the same rate of false alarms.

The middle tile of each part of the page (``BANDS`` x ``COLUMNS``) is asked, too, since a sheet that is not held flat is
sharp in one place only. There the best direction counts: a part out of focus is so in all of them, while a ruled line
beside a seal is sharp in one.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "sharpness"
REFUSE = "画面模糊，请平放、对焦后重拍"
ADVISE = "画面略模糊，请拿稳、对焦后重拍一张"
PARTLY = "{place}有一块没对上焦，请把纸压平、正对着重拍"

TILE = 48  # pixels of the picture
MAX_TILES = 160
DIAGONAL = 8.0 * math.sqrt(2)
SHARPEST = 1.0  # pixels
MIN_CONTRAST = 24
STRONG_SHARE = 0.25  # of the contrast of the median tile
MIN_TILES = 4
ONE_WAY = 10  # a tile whose edges all run one way holds a ruled line and no strokes
LEAST_STROKES = 0.2  # of the tiles
STEEPEST = 8  # the eighth steepest pixel of a tile: the very steepest may be noise
TALLEST_TEXT = 1 / 30  # of the long side: blurred lines run together into marks taller than any character
BANDS, COLUMNS = 5, 3
MIN_PART_TILES = 4
PLACES = ("上部", "中上部", "中部", "中下部", "下部"), ("左侧", "中间", "右侧")

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.intp]


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """Sigma in heights of a character (``h``). Without text there is nothing to measure: 0, passed."""
    row, column, sigma = tile_blur(picture)
    if len(row) < MIN_TILES:
        return Measurement(NAME, 0.0, "h", thresholds.blur_advise, "pass")
    longest = max(picture.red.shape)
    text_height = picture.text.height / picture.work_scale * picture.red_scale
    height = min(text_height or longest / 70, longest * TALLEST_TEXT)

    def in_heights(pixels: float) -> float:
        return round(float(max(0.0, pixels - SHARPEST) / height), 4)

    value = in_heights(float(np.percentile(sigma, 25, axis=1).max()))
    if value >= thresholds.blur_refuse:
        return Measurement(NAME, value, "h", thresholds.blur_refuse, "refuse", REFUSE)
    if value >= thresholds.blur_advise:
        return Measurement(NAME, value, "h", thresholds.blur_advise, "advise", ADVISE)
    for place, part in _parts(picture, row, column, sigma):
        if (poorest := in_heights(float(np.median(part, axis=1).min()))) >= thresholds.blur_part_advise:
            limit, message = thresholds.blur_part_advise, PARTLY.format(place=place)
            return Measurement(NAME, poorest, "h", limit, "advise", message)
    return Measurement(NAME, value, "h", thresholds.blur_advise, "pass")


def tile_blur(picture: Picture) -> tuple[Whole, Whole, Floats]:
    """Row and column of tiles with text, and their blur in pixels of the picture: 4 directions x n."""
    row, column = _text_tiles(picture)
    if len(row) == 0:
        return row, column, np.zeros((4, 0))
    edge = TILE + 2  # a pixel more on each side for the slopes
    cuts = np.stack(
        [picture.red[y : y + edge, x : x + edge] for y, x in zip(row * TILE, column * TILE, strict=True)]
    )
    # Stable means by radix for bytes: a fifth of the time of looking for the two places alone
    levels = np.sort(cuts.reshape(len(cuts), -1), axis=1, kind="stable")
    least = edge * edge // 100
    contrast = levels[:, -least].astype(np.float64) - levels[:, least]
    # Much weaker than the rest is no print: a seal in the red channel, the pattern of a safety paper
    strong = contrast >= max(MIN_CONTRAST, STRONG_SHARE * float(np.median(contrast)))
    row, column, cuts, contrast = row[strong], column[strong], cuts[strong], contrast[strong]
    if len(row) == 0:
        return row, column, np.zeros((4, 0))
    # Sobel on all tiles stacked into one strip: a difference over two pixels, smoothed across; /8 is per pixel
    strip = np.ascontiguousarray(cuts.reshape(-1, edge))
    shape = (len(cuts), edge, edge)
    across = cv2.Sobel(strip, cv2.CV_16S, 1, 0).reshape(shape)[:, 1:-1, 1:-1].reshape(len(cuts), -1)
    down = cv2.Sobel(strip, cv2.CV_16S, 0, 1).reshape(shape)[:, 1:-1, 1:-1].reshape(len(cuts), -1)
    sigma = np.empty((4, len(cuts)))
    for which, (slope, unit) in enumerate(
        ((across, 8.0), (down, 8.0), (across + down, DIAGONAL), (across - down, DIAGONAL))
    ):
        steepest = _steepest(np.abs(slope)) / unit
        sigma[which] = contrast / (math.sqrt(2 * math.pi) * np.maximum(steepest, 0.25))
    strokes = sigma.max(axis=0) < ONE_WAY * sigma.min(axis=0)
    if np.count_nonzero(strokes) < LEAST_STROKES * len(strokes):  # shaken far more than any line is straight
        strokes[:] = True
    return row[strokes], column[strokes], sigma[:, strokes]


def _steepest(slopes: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """The ``STEEPEST``-th largest of the slopes of each tile. None of it lies outside the rows whose largest are the largest,
    so that only these few are ordered: n x TILE * TILE to n."""
    rows = slopes.reshape(len(slopes), TILE, TILE)
    best = np.argpartition(rows.max(axis=2), -STEEPEST, axis=1)[:, -STEEPEST:]
    few = np.take_along_axis(rows, best[:, :, None], axis=1).reshape(len(slopes), -1)
    return np.asarray(np.partition(few, -STEEPEST, axis=1)[:, -STEEPEST], dtype=np.int16)


def _text_tiles(picture: Picture) -> tuple[Whole, Whole]:
    """Row and column of the tiles with as much ink as text has, at most ``MAX_TILES`` over the page."""
    rows, columns = (picture.red.shape[0] - 2) // TILE, (picture.red.shape[1] - 2) // TILE
    if rows < 1 or columns < 1:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    filled = picture.inked(TILE, rows, columns)
    row, column = np.nonzero((filled > 10) & (filled < 153))  # 4 to 60 percent of 255
    step = max(1.0, len(row) / MAX_TILES)
    chosen = np.arange(0, len(row), step).astype(np.intp)
    return row[chosen], column[chosen]


def _parts(picture: Picture, row: Whole, column: Whole, sigma: Floats) -> list[tuple[str, Floats]]:
    """Each part of the page that holds enough text, with its Chinese name. Not the margin of the sheet: its own soft edge
    and what it lies on are no text out of focus."""
    rows, columns = int(row.max()) + 1, int(column.max()) + 1
    inner, share = picture.page.inner, picture.grey.shape[0] / picture.red.shape[0]
    middle_y = ((row + 0.5) * TILE * share).astype(int).clip(0, inner.shape[0] - 1)
    middle_x = ((column + 0.5) * TILE * share).astype(int).clip(0, inner.shape[1] - 1)
    on_sheet = inner[middle_y, middle_x] > 0
    band, side = row * BANDS // rows, column * COLUMNS // columns
    parts = []
    for b in range(BANDS):
        for s in range(COLUMNS):
            chosen = (band == b) & (side == s) & on_sheet
            if np.count_nonzero(chosen) >= MIN_PART_TILES:
                parts.append((PLACES[0][b] + PLACES[1][s], sigma[:, chosen]))
    return parts
