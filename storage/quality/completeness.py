"""Is all of the paper in the picture? Text that runs into a side of the frame, and edges that lie outside."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "completeness"
CUT = "{sides}的文字没拍全，请把整张纸拍进画面"
OUTSIDE = "纸的{sides}在画面外，请把四个角都拍进画面"

EDGE = 2  # pixels of the working copy
SIDES = ("上边", "右边", "下边", "左边")


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """``marks`` cut on the worst side. ``advise`` only: dark scan borders and book gutters look alike."""
    counts = cut_marks(picture)
    value = float(max(counts.values()))
    limit = thresholds.cut_marks
    if value >= limit:
        sides = "、".join(side for side, count in counts.items() if count >= limit)
        return Measurement(NAME, value, "marks", limit, "advise", CUT.format(sides=sides))
    if thresholds.edges_advise and (outside := edges_outside(picture)):
        return Measurement(NAME, value, "marks", limit, "advise", OUTSIDE.format(sides=outside))
    return Measurement(NAME, value, "marks", limit, "pass")


def edges_outside(picture: Picture) -> str:
    """The one side of the sheet that cannot be seen while the other three stand out from what the sheet lies on."""
    edges, bold = picture.page.edges, picture.page.bold
    return SIDES[edges.index(False)] if sum(edges) == 3 and sum(bold) == 3 else ""


def cut_marks(picture: Picture) -> dict[str, int]:
    """Character-sized marks touching each side of the frame, by its Chinese name."""
    text = picture.text
    if text.height == 0:
        return dict.fromkeys(SIDES, 0)
    height, width = text.ink.shape
    x, y, w, h = text.parts[1:].T  # also what is left of characters that are cut off near their top
    typical = (h <= 1.6 * text.height) & (w <= 6 * text.height) & (np.maximum(w, h) >= 0.35 * text.height)

    def count(touching: npt.NDArray[np.bool_]) -> int:
        return int(np.count_nonzero(typical & touching))

    touching = (y <= EDGE, x + w >= width - EDGE, y + h >= height - EDGE, x <= EDGE)
    return {side: count(one) for side, one in zip(SIDES, touching, strict=True)}
