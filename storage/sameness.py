"""Whether two pages are one and the same picture: laid over each other and compared place by place. Runs in the child.

A perceptual hash finds pages that may be the same, but two pupils' papers from one form differ in a few of its bits only.
Where a name or a number differs, some place of the two pictures differs much, however alike the rest is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from storage.intake import JPEG
from storage.raster import pages

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SIDE = 640  # pixels of the long side at which they are compared
# Laid over each other coarsely first: long side, and the blur (pixels) under which they are
STEPS = ((96, 9), (192, 7), (384, 5), (SIDE, 3))
STARTS = (0, 2)
UNTIL = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 1e-4)
PLACE = 11  # pixels of a place: about a character
FAR = 9.0  # of pictures that cannot be laid over each other


def compare(
    data: bytes, options: dict[str, Any], another_page: Callable[[], None]
) -> tuple[dict[str, Any], list[bytes]]:
    """How far apart two JPEG pictures are that follow each other in ``data``, the first ``first`` bytes long."""
    one, other = data[: options["first"]], data[options["first"] :]
    another_page()
    return {"apart": round(apart(_grey(one), _grey(other)), 3)}, []


def apart(one: Grey, other: Grey) -> float:
    """The largest difference at any place, in standard deviations of the first picture; ``FAR`` when they hardly overlap.

    The same picture saved again or made smaller: 0.03 to 0.15; cropped or turned by a degree: to 0.72; another
    pupil's paper from the same form: from 0.78.
    """
    return min(_apart(one, other, STEPS[begin:]) for begin in STARTS)


def _apart(one: Grey, other: Grey, steps: tuple[tuple[int, int], ...]) -> float:
    """The same, laid over each other in these steps: a coarse first step finds large moves, but may be led astray."""
    way = np.eye(2, 3, dtype=np.float32)
    before = steps[0][0]
    first, second = _sized(one, before), _sized(other, before)
    for side, blur in steps:
        first, second = _sized(one, side), _sized(other, side)
        way[:, 2] *= side / before
        before = side
        try:
            _, found = cv2.findTransformECC(first, second, way, cv2.MOTION_AFFINE, UNTIL, None, blur)  # type: ignore[call-overload]
        except cv2.error:  # nothing in common, at least at this size
            continue
        way = np.asarray(found, dtype=np.float32)
    return _largest_difference(first, second, way)


def _largest_difference(first: Grey, second: Grey, way: Floats) -> float:
    size, flags = (first.shape[1], first.shape[0]), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(second, way, size, flags=flags).astype(np.float32)
    covered = cv2.warpAffine(np.full(second.shape, 255, np.uint8), way, size, flags=flags)
    both = cv2.erode(covered, np.ones((2 * PLACE + 3, 2 * PLACE + 3), np.uint8), borderValue=0) > 0
    if np.count_nonzero(both) < 0.5 * both.size:
        return FAR
    here = first.astype(np.float32)
    deviation = max(1.0, float(here[both].std()))
    laid = (laid - laid[both].mean()) / max(1.0, float(laid[both].std())) * deviation + here[both].mean()
    difference = np.abs(cv2.GaussianBlur(here, (5, 5), 0) - cv2.GaussianBlur(laid, (5, 5), 0))
    return float(cv2.blur(difference, (PLACE, PLACE))[both].max()) / deviation


def _sized(grey: Grey, side: int) -> Grey:
    share = side / max(grey.shape)
    size = (max(16, round(grey.shape[1] * share)), max(16, round(grey.shape[0] * share)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _grey(data: bytes) -> Grey:
    page = next(pages(data, JPEG, long_side=SIDE, max_pages=1))
    return np.asarray(cv2.cvtColor(page.rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
