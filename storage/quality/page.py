"""Where the sheet of paper lies in a picture, which of its edges can be seen, and how bright it is.

A scan is all paper. In a photograph the sheet is a four-sided thing that is brighter or less coloured than what it lies
on, or framed by edges. Several masks are tried, the sides of each are fitted again by robust lines, and the best four
sides win. Where none fits, a convex bright thing still tells where the paper is; else the whole frame counts as paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float32]

MIN_SHARE = 0.15  # of the frame; a smaller bright thing is not the sheet
MIN_HULL_FILL = 0.86  # of its own smallest rectangle; less is not a sheet
MIN_FILL, MAX_SPILL = (
    0.9,
    0.08,
)  # of the four sides: how much of them the mask fills, and how much lies outside
MIN_SOLID = 0.8  # the same with its holes: a chequered cloth is no sheet
MARGIN = 0.05  # of the long side, half of it on each side of the sheet
FRAME = 0.02  # of the long side: as near to the frame as this, a side is the frame's
BOLD_STEP, BOLD_SUPPORT = 30, 0.8
STEP = 10  # levels between the paper and what lies beside it, for an edge that can be seen
MIN_SUPPORT = 0.5  # of a side along which that step is seen


@dataclass(frozen=True)
class Page:
    """``mask`` is 255 on the sheet, in pixels of the small copy. ``corners`` are the four corners from the upper left on,
    clockwise, as shares of the frame's width and height; empty where no four sides were found. ``edges`` tells for each
    side (upper, right, lower, left) whether it is an edge of the paper that can be seen and not the frame's, and ``bold``
    whether the paper there is much lighter or darker than what it lies on.

    ``inner`` is the mask without the sheet's margin, where the desk or the scanner's border may show.

    ``found`` is False when the whole frame counts as paper. ``share`` is the sheet's part of the frame, ``level`` the
    median lightness of the blank paper (0 to 255), ``spread`` its darkest twentieth against its lightest.
    """

    mask: Mask
    inner: Mask
    found: bool
    corners: tuple[tuple[float, float], ...]
    edges: tuple[bool, bool, bool, bool]
    bold: tuple[bool, bool, bool, bool]
    share: float
    level: float
    spread: float

    @property
    def whole(self) -> bool:
        """Whether all four edges of the sheet are in the picture."""
        return all(self.edges)


@dataclass(frozen=True)
class _Sides:
    corners: Points  # 4 x 2, pixels of the small copy
    edges: tuple[bool, bool, bool, bool]
    bold: tuple[bool, bool, bool, bool]
    score: float


def find(small: npt.NDArray[np.uint8], grey: Mask) -> Page:
    """Look for the sheet in a small RGB copy and its lightness."""
    masks = _masks(small, grey)
    sides = max(
        (one for mask in masks if (one := _sides_of(mask, grey)) is not None),
        key=lambda one: one.score,
        default=None,
    )
    if sides is not None:
        if sum(sides.edges) < 2:  # a scan; its one edge may as well be that of a shadow over half of it
            return _described(grey, np.full(grey.shape, 255, np.uint8), False, sides)
        mask = np.zeros(grey.shape, np.uint8)
        cv2.fillConvexPoly(mask, np.rint(sides.corners).astype(np.int32), 255)
        return _described(grey, mask, True, sides)
    best: Mask | None = None
    best_fill = MIN_HULL_FILL
    for mask in masks[:2]:
        candidate = _hull(mask)
        if candidate is not None and candidate[1] > best_fill:
            best, best_fill = candidate
    if best is None:
        return _described(grey, np.full(grey.shape, 255, np.uint8), False, None)
    return _described(grey, best, True, None)


def _masks(small: npt.NDArray[np.uint8], grey: Mask) -> list[Mask]:
    """Where the paper may be: the uncoloured, the bright, and what closed edges hold."""
    red, green, blue = cv2.split(small)
    brightest, darkest = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    colour = cv2.subtract(brightest, darkest)
    uncoloured = cv2.subtract(darkest, colour)  # 2 min - max
    # Colour as a share of the light does not change in a shadow, so that half a sheet in the shade is not lost
    share = cv2.divide(colour, np.maximum(brightest, 24), scale=255)
    masks = [_bright(uncoloured), _bright(grey), _bright(cv2.bitwise_not(share))]
    edges = cv2.Canny(cv2.blur(grey, (3, 3)), 20, 60)
    edges = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    contours, _ = cv2.findContours(edges, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if contours:
        held = np.zeros(grey.shape, np.uint8)
        cv2.drawContours(
            held, [max(contours, key=lambda c: cv2.contourArea(cv2.convexHull(c)))], -1, 255, cv2.FILLED
        )
        masks.append(held)
    return masks


def _bright(channel: npt.NDArray[Any]) -> Mask:
    smooth = cv2.medianBlur(channel, 5)
    _, bright = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    bright = cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    return np.asarray(cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8)), dtype=np.uint8)


def _sides_of(mask: Mask, grey: Mask) -> _Sides | None:
    """Four sides around the largest thing of a mask, fitted to its outline; None when it has no four sides."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    outline = max(contours, key=cv2.contourArea)
    if cv2.contourArea(outline) < MIN_SHARE * mask.size:
        return None
    guess = _four_corners(np.asarray(outline, dtype=np.int32))
    corners = _refitted(guess, outline.reshape(-1, 2).astype(np.float32), mask.shape)
    if corners is None:
        return None
    height, width = mask.shape
    inside = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(inside, np.rint(corners).astype(np.int32), 255)
    own = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(own, [outline], -1, 255, cv2.FILLED)
    area = max(1, int(np.count_nonzero(inside)))
    fill = np.count_nonzero(cv2.bitwise_and(own, inside)) / area
    spill = np.count_nonzero(cv2.subtract(own, inside)) / area
    solid = np.count_nonzero(cv2.bitwise_and(mask, inside)) / area
    if fill < MIN_FILL or spill > MAX_SPILL or solid < MIN_SOLID:
        return None
    steps = [_steps(corners[i], corners[(i + 1) % 4], grey) for i in range(4)]
    support = [float(np.mean(step >= STEP)) for step in steps]
    framed = [_on_frame(corners[i], corners[(i + 1) % 4], width, height) for i in range(4)]
    if any(not on and seen < MIN_SUPPORT / 2 for on, seen in zip(framed, support, strict=True)):
        return None  # a side in the middle of the picture without an edge is no side
    edges = tuple(not on and seen >= MIN_SUPPORT for on, seen in zip(framed, support, strict=True))
    seen_edges = [seen for on, seen in zip(framed, support, strict=True) if not on]
    bold = [
        not on and float(np.mean(step >= BOLD_STEP)) >= BOLD_SUPPORT
        for on, step in zip(framed, steps, strict=True)
    ]
    share = area / mask.size  # of two that fit, the larger: a shadow's edge looks like an edge of the sheet
    score = (
        fill
        - spill
        + (0.4 * share if all(edges) else 0.0)
        + 0.3 * float(np.mean(seen_edges) if seen_edges else 0.0)
    )
    return _Sides(
        corners,
        (edges[0], edges[1], edges[2], edges[3]),
        (bold[0], bold[1], bold[2], bold[3]),
        float(score),
    )


def _four_corners(outline: npt.NDArray[np.int32]) -> Points:
    """A first guess: the hull with as few corners as four, else its smallest rectangle."""
    hull = cv2.convexHull(outline)
    around = cv2.arcLength(hull, True)
    for share in (0.01, 0.02, 0.03, 0.045, 0.06, 0.08):
        few = cv2.approxPolyDP(hull, share * around, True)
        if len(few) == 4:
            return _ordered(few.reshape(4, 2).astype(np.float32))
        if len(few) < 4:
            break
    return _ordered(cv2.boxPoints(cv2.minAreaRect(hull)).astype(np.float32))


def _ordered(corners: Points) -> Points:
    """From the upper left on, clockwise as seen (y grows downwards)."""
    middle = corners.mean(axis=0)
    turn = np.arctan2(corners[:, 1] - middle[1], corners[:, 0] - middle[0])
    corners = corners[np.argsort(turn)]
    return np.roll(corners, -int(np.argmin(corners.sum(axis=1))), axis=0)


def _refitted(corners: Points, outline: Points, shape: tuple[int, ...]) -> Points | None:
    """Each side as the robust line through the outline beside it; corners where neighbouring lines meet."""
    height, width = shape[:2]
    near = max(4.0, 0.02 * max(height, width))
    lines = []
    for i in range(4):
        start, end = corners[i], corners[(i + 1) % 4]
        length = float(np.hypot(*(end - start)))
        if length < 0.1 * max(height, width):
            return None
        along = (end - start) / length
        offset = outline - start
        at = offset @ along
        beside = np.abs(offset[:, 0] * along[1] - offset[:, 1] * along[0])
        chosen = outline[(beside < near) & (at > 0.06 * length) & (at < 0.94 * length)]
        if len(chosen) < 12:
            lines.append((start, along))
            continue
        vx, vy, x, y = cv2.fitLine(chosen, cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
        lines.append((np.array([x, y], np.float32), np.array([vx, vy], np.float32)))
    met = [_meeting(lines[i - 1], lines[i]) for i in range(4)]
    if any(one is None for one in met):
        return None
    result = np.array(met, np.float32)
    slack = 0.03 * max(height, width)
    if (
        (result < -slack).any()
        or (result[:, 0] > width + slack).any()
        or (result[:, 1] > height + slack).any()
    ):
        return None
    result[:, 0] = result[:, 0].clip(0, width - 1)
    result[:, 1] = result[:, 1].clip(0, height - 1)
    return result if cv2.isContourConvex(result) else None


def _meeting(one: tuple[Points, Points], other: tuple[Points, Points]) -> Points | None:
    (p, u), (q, v) = one, other
    cross = float(u[0] * v[1] - u[1] * v[0])
    if abs(cross) < 0.2:  # within 12 degrees of parallel: not two sides of a sheet
        return None
    step = float((q[0] - p[0]) * v[1] - (q[1] - p[1]) * v[0]) / cross
    return np.asarray(p + step * u, dtype=np.float32)


def _on_frame(start: Points, end: Points, width: int, height: int) -> bool:
    near = FRAME * max(width, height)
    xs, ys = (start[0], end[0]), (start[1], end[1])
    return bool(max(xs) < near or max(ys) < near or min(xs) > width - 1 - near or min(ys) > height - 1 - near)


def _steps(start: Points, end: Points, grey: Mask) -> npt.NDArray[np.int16]:
    """By how many levels the lightness inside and outside differs at places along a side."""
    height, width = grey.shape
    along = end - start
    across = np.array([-along[1], along[0]], np.float32) / max(1.0, float(np.hypot(*along)))  # inwards
    at = start + np.linspace(0.05, 0.95, 48, dtype=np.float32)[:, None] * along
    levels = []
    for reach in (5.0, -5.0):
        place = np.rint(at + reach * across).astype(int)
        x, y = place[:, 0].clip(0, width - 1), place[:, 1].clip(0, height - 1)
        levels.append(grey[y, x].astype(np.int16))
    return np.asarray(np.abs(levels[0] - levels[1]), dtype=np.int16)


def _hull(mask: Mask) -> tuple[Mask, float] | None:
    """The largest thing of a mask, filled, with the share of its smallest rectangle that it covers."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    contour = max(contours, key=cv2.contourArea)
    area = cv2.contourArea(contour)
    _, (width, height), _ = cv2.minAreaRect(contour)
    if area < MIN_SHARE * mask.size or width * height == 0:
        return None
    filled = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(filled, [cv2.convexHull(contour)], -1, 255, cv2.FILLED)
    return filled, float(area / (width * height))


def _described(grey: Mask, mask: Mask, found: bool, sides: _Sides | None) -> Page:
    inner = mask
    if found:  # without the sheet's own edge
        inner = np.asarray(cv2.erode(mask, np.ones((5, 5), np.uint8), borderValue=255), dtype=np.uint8)
    level, spread = _light(grey, inner)
    corners: tuple[tuple[float, float], ...] = ()
    if found and sides is not None:
        height, width = grey.shape
        corners = tuple(
            (round(float(x + 0.5) / width, 4), round(float(y + 0.5) / height, 4)) for x, y in sides.corners
        )
    none = (False, False, False, False)
    edges, bold = (sides.edges, sides.bold) if found and sides is not None else (none, none)
    share = float(np.count_nonzero(mask)) / mask.size
    reach = max(3, round(MARGIN * max(mask.shape))) | 1
    core = cv2.erode(
        cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT), np.ones((reach, reach), np.uint8)
    )
    return Page(
        inner, np.asarray(core[1:-1, 1:-1], dtype=np.uint8), found, corners, edges, bold, share, level, spread
    )


def _light(grey: Mask, mask: Mask) -> tuple[float, float]:
    """Median lightness of the paper between the lines, and its darkest twentieth as a share of its lightest."""
    paper = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    values = paper[mask > 0]
    if not values.size:
        return 0.0, 1.0
    wide = cv2.morphologyEx(paper[::2, ::2], cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    inside = cv2.erode(mask, np.ones((9, 9), np.uint8), borderValue=0)[::2, ::2]
    lights = wide[inside > 0]
    if not lights.size:
        return float(np.median(values)), 1.0
    darkest, lightest = np.percentile(lights, (5, 95))
    return float(np.median(values)), float(darkest / max(1.0, float(lightest)))
