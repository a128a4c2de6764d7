"""Is all of the text in the picture? Marks of character size that touch a side of the frame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "completeness"
MESSAGE = "{sides}的文字没拍全，请把整张纸拍进画面"

EDGE = 2  # pixels of the reduced picture


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """Marks on the worst side. ``advise`` only: dark scan borders and book gutters look alike."""
    counts = cut_marks(picture)
    value = float(max(counts.values()))
    if value < thresholds.cut_marks:
        return Measurement(NAME, value, "marks", thresholds.cut_marks, "pass")
    sides = "、".join(side for side, count in counts.items() if count >= thresholds.cut_marks)
    return Measurement(NAME, value, "marks", thresholds.cut_marks, "advise", MESSAGE.format(sides=sides))


def cut_marks(picture: Picture) -> dict[str, int]:
    """Character-sized marks touching each side of the frame, by its Chinese name."""
    text = picture.text
    if text.height == 0:
        return {"上边": 0, "下边": 0, "左边": 0, "右边": 0}
    height, width = text.ink.shape
    x, y, w, h = text.boxes.T
    typical = (h <= 1.6 * text.height) & (w <= 6 * text.height) & (np.maximum(w, h) >= 0.35 * text.height)

    def count(touching: npt.NDArray[np.bool_]) -> int:
        return int(np.count_nonzero(typical & touching))

    return {
        "上边": count(y <= EDGE),
        "下边": count(y + h >= height - EDGE),
        "左边": count(x <= EDGE),
        "右边": count(x + w >= width - EDGE),
    }
