"""The ink on the sheet, and the marks in it that have the size and shape of characters."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.uint8]

INK_DEPTH = 0.16  # darker than the paper around it by this share of the paper's level
REACH = 15  # pixels at a quarter of the size: strokes and characters up to four times this vanish in "paper"
MIN_HEIGHT, MAX_HEIGHT = 6, 110  # pixels of a character in the reduced picture
HEIGHT_PERCENTILE = 60


@dataclass(frozen=True)
class Text:
    """``ink`` is 255 where there is ink on the sheet. ``boxes`` has one row (x, y, width, height) per mark.

    ``height`` is the height of a character in pixels of the reduced picture, 0 when there are too few marks.
    """

    ink: Mask
    boxes: npt.NDArray[np.int32]
    height: float

    @property
    def marks(self) -> int:
        """How many marks look like characters."""
        return len(self.boxes)


def find(red: Mask, paper: Mask) -> Text:
    """Ink and marks in the red channel; ``paper`` is the mask of the sheet in pixels of the small copy."""
    height, width = red.shape
    ink = ink_of(red)
    sheet = cv2.resize(paper, (width, height), interpolation=cv2.INTER_NEAREST)
    cv2.bitwise_and(ink, sheet, dst=ink)
    boxes = _marks(ink)
    size = float(np.percentile(boxes[:, 3], HEIGHT_PERCENTILE)) if len(boxes) >= 6 else 0.0
    return Text(ink, boxes, size)


def ink_of(red: Mask) -> Mask:
    """255 where a pixel is darker than the paper around it."""
    height, width = red.shape
    quarter = cv2.resize(red, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    paper = cv2.morphologyEx(quarter, cv2.MORPH_CLOSE, np.ones((REACH, REACH), np.uint8))
    paper = cv2.blur(paper, (REACH, REACH))
    limit = cv2.convertScaleAbs(paper, alpha=1 - INK_DEPTH, beta=-4)
    limit = cv2.resize(limit, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.compare(red, limit, cv2.CMP_LT), dtype=np.uint8)


def _marks(ink: Mask) -> npt.NDArray[np.int32]:
    """Boxes of connected ink with the size and shape of a character; parts of one are joined first."""
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8, ltype=cv2.CV_32S)
    boxes = stats[1:]
    width, height, area = boxes[:, 2], boxes[:, 3], boxes[:, 4]
    fill = area / (width * height)
    like = (height >= MIN_HEIGHT) & (height <= MAX_HEIGHT) & (width >= 0.3 * height) & (width <= 2.2 * height)
    like &= (fill > 0.15) & (fill < 0.9)
    return np.asarray(boxes[like, :4], dtype=np.int32)
