"""The ink on the sheet, and the marks in it that have the size and shape of characters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.uint8]
Parts = npt.NDArray[np.int32]
Points = npt.NDArray[np.float32]  # 2 x n, x and y

INK_SHARE = 0.35  # of the depth of the darkest ink: lighter than that is paper
LEAST_DEPTH, MOST_DEPTH = 6.0, 40.0  # levels darker than the paper around it
NOISE_FACTOR = 3.0  # ink stands out from the grain of the paper by this
REACH = 15  # pixels at a quarter of the size: strokes and characters up to four times this vanish in "paper"
MIN_HEIGHT, MAX_HEIGHT = 6, 90  # pixels of a character in the reduced picture
WIDEST = 12  # heights
TINY = 1000  # pixels of the long side
HEIGHT_PERCENTILE = 60
MOST_POINTS = 7_000
MIN_POINTS = 400  # fewer say nothing about the direction of lines
SIDEWAYS = 0.75  # width to height of the middle mark: neighbours that touch lie one above the other
RUNS = 0.1  # of all marks; a narrow 1 is no run
RUN = 2.5  # long to short side of a run of touching characters; a single digit is shorter


@dataclass(frozen=True)
class Text:
    """``ink`` is 255 where there is ink on the sheet. ``boxes`` has one row (x, y, width, height) per mark, ``parts``
    the same for all connected ink (0 is paper).

    ``labels`` numbers the connected ink (0 is paper), and ``is_small`` tells for each number whether it is
    neither nearly as long as the picture nor at its edge: a frame, a shadow or the rim of a copy is.
    ``height`` is the height of a character in pixels of the reduced picture, 0 when there are too few marks.
    """

    ink: Mask
    boxes: npt.NDArray[np.int32]
    parts: npt.NDArray[np.int32]
    labels: npt.NDArray[np.int32]
    is_small: npt.NDArray[np.bool_]
    height: float

    @property
    def marks(self) -> int:
        """How many marks look like characters."""
        return len(self.boxes)

    @cached_property
    def sums(self) -> npt.NDArray[np.int32]:
        """Above and left of each place the sum of ``ink``, so that any rectangle's is told by its four corners."""
        return np.asarray(cv2.integral(self.ink), dtype=np.int32)

    @cached_property
    def points(self) -> Points:
        """Ink pixels, thinned evenly to about ``MOST_POINTS``.

        Only small things: the rim of a copy or the edge of a shadow would otherwise decide alone. A page that
        has nothing small, such as a form in one frame, is described by all of its ink.
        """
        flat = np.flatnonzero(self.ink > 0)
        step = (
            max(1, len(flat) // (2 * MOST_POINTS)) | 1
        )  # an odd step does not fall into the rhythm of the rows
        flat = flat[::step]
        small = flat[self.is_small[self.labels.ravel()[flat]]]
        if len(small) >= MIN_POINTS:
            flat = small
        y, x = np.divmod(flat, self.ink.shape[1])
        return np.stack([x, y]).astype(np.float32)


def find(red: Mask, paper: Mask) -> Text:
    """Ink and marks in the red channel; ``paper`` is the mask of the sheet in pixels of the small copy."""
    height, width = red.shape
    ink = ink_of(red)
    sheet = cv2.resize(paper, (width, height), interpolation=cv2.INTER_NEAREST)
    cv2.bitwise_and(ink, sheet, dst=ink)
    labels, parts = _connected(ink)
    boxes = parts[_like_characters(parts), :4]
    return Text(ink, boxes, parts[:, :4], labels, _small(parts, width, height), _size(boxes))


def _size(boxes: npt.NDArray[np.int32]) -> float:
    """Height of a character; its width where the lines run down a picture that lies on its side."""
    if len(boxes) < 6:
        return 0.0
    wide, high = boxes[:, 2], boxes[:, 3]
    tall, broad = int(np.count_nonzero(high > RUN * wide)), int(np.count_nonzero(wide > RUN * high))
    sideways = tall > max(broad, RUNS * len(boxes), 3) and float(np.median(wide / high)) < SIDEWAYS
    return float(np.percentile(wide if sideways else high, HEIGHT_PERCENTILE))


def ink_of(red: Mask) -> Mask:
    """255 where a pixel is darker than the paper around it, by a depth that fits faint and black print."""
    height, width = red.shape
    quarter = cv2.resize(red, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    paper = cv2.morphologyEx(quarter, cv2.MORPH_CLOSE, np.ones((REACH, REACH), np.uint8))
    paper = cv2.blur(paper, (REACH, REACH))
    paper = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    depth = np.asarray(cv2.subtract(paper, red), dtype=np.uint8)
    counts = np.cumsum(np.bincount(depth[::4, ::4].ravel(), minlength=256))
    grain, darkest = (int(np.searchsorted(counts, share * counts[-1])) for share in (0.5, 0.98))
    limit = min(max(INK_SHARE * darkest, NOISE_FACTOR * grain + LEAST_DEPTH), MOST_DEPTH)
    _, ink = cv2.threshold(depth, limit, 255, cv2.THRESH_BINARY)
    return np.asarray(ink, dtype=np.uint8)


def _connected(ink: Mask) -> tuple[Parts, Parts]:
    """Labels of connected ink, and for each label (0 is paper) x, y, width, height and area."""
    if max(ink.shape) > TINY:  # parts of one character are joined; in a tiny picture they touch anyway
        ink = np.asarray(cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)), dtype=np.uint8)
    # By blocks of 2 x 2 pixels: the method that is chosen by itself takes three times as long over print
    _, labels, parts, _ = cv2.connectedComponentsWithStatsWithAlgorithm(ink, 8, cv2.CV_32S, cv2.CCL_GRANA)
    return np.asarray(labels, dtype=np.int32), np.asarray(parts, dtype=np.int32)


def _like_characters(parts: Parts) -> npt.NDArray[np.bool_]:
    """Which parts have the height of a character. Neighbours that touch make one wide part, as tall as one."""
    width, height, area = parts[:, 2], parts[:, 3], parts[:, 4]
    fill = area / (width * height)
    like = (
        (height >= MIN_HEIGHT) & (height <= MAX_HEIGHT) & (width >= 0.3 * height) & (width <= WIDEST * height)
    )
    like &= (fill > 0.12) & (fill < 0.9)
    like[0] = False
    return np.asarray(like, dtype=np.bool_)


def _small(parts: Parts, width: int, height: int) -> npt.NDArray[np.bool_]:
    """Which parts are neither half as long as the picture nor lie along its edge."""
    x, y, w, h = parts[:, :4].T
    small = (w < width / 2) & (h < height / 2)
    small &= (x > 0) & (y > 0) & (x + w < width) & (y + h < height)
    small[0] = False
    return np.asarray(small, dtype=np.bool_)
