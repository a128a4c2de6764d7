"""Red blobs of a seal's size, found once for all that want to know of them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from storage.quality.page import Page

LONG_SIDE_MM = 297.0
SMALLEST_MM, LARGEST_MM = 14.0, 107.0
REDNESS = 0.09  # red above the stronger of green and blue, as a share of the white of the paper
FAINT = 0.05
DIRECTIONS = 36
NEAR = 0.13  # of its radius: as near as this an outer point lies on the ellipse
LEAST_FILL = 0.03

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Seal:
    """Centre and size as shares of the frame (x, y, width, height), and how well the outline is an ellipse (0 to 1)."""

    box: tuple[float, float, float, float]
    score: float


def find(balanced: tuple[Floats, Floats, Floats], page: Page) -> list[Seal]:
    """The seals, best first, in the small copy's red, green and blue (1.0 is the paper); empty when there are none."""
    red, green, blue = balanced
    redness = cv2.subtract(red, cv2.max(green, blue))
    sheet = page.mask > 0
    found: list[Seal] = []
    for limit in (REDNESS, FAINT):
        found = _blobs(((redness > limit) & sheet).astype(np.uint8), page)
        if any(one.score >= 0.5 for one in found):
            break
    return sorted(found, key=lambda one: -one.score)


def _blobs(mask: npt.NDArray[np.uint8], page: Page) -> list[Seal]:
    mm = max(_page_side(page), 1.0) / LONG_SIDE_MM
    reach = max(3, round(2.2 * mm)) | 1  # what belongs to one seal: characters, ring and star
    joined = cv2.morphologyEx(
        mask, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    )
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    height, width = mask.shape
    found = []
    for label in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[label])
        if not SMALLEST_MM * mm <= max(w, h) <= LARGEST_MM * mm or min(w, h) < 0.45 * max(w, h):
            continue
        if area < LEAST_FILL * w * h:
            continue
        inside = (labels[y : y + h, x : x + w] == label) & (mask[y : y + h, x : x + w] > 0)
        score = _roundness(inside)
        found.append(Seal((x / width, y / height, w / width, h / height), round(score, 2)))
    return found


def _roundness(inside: npt.NDArray[np.bool_]) -> float:
    """The share of directions in which the outermost point lies on the ellipse fitted to all of them."""
    y, x = np.nonzero(inside)
    if len(x) < 40:
        return 0.0
    middle = ((x.min() + x.max()) / 2, (y.min() + y.max()) / 2)
    dx, dy = x - middle[0], y - middle[1]
    sector = ((np.arctan2(dy, dx) / (2 * np.pi) + 0.5) * DIRECTIONS).astype(int).clip(0, DIRECTIONS - 1)
    reach = np.hypot(dx, dy)
    order = np.lexsort((reach, sector))
    last = np.flatnonzero(np.append(np.diff(sector[order]) > 0, True))
    outer = np.stack([x[order[last]], y[order[last]]], axis=1).astype(np.float32)
    if len(outer) < DIRECTIONS // 2:
        return 0.0
    (cx, cy), (across, high), turn = cv2.fitEllipse(outer)
    if min(across, high) < 0.4 * max(across, high) or min(across, high) <= 0:
        return 0.0
    angle = np.radians(turn)
    u = (outer[:, 0] - cx) * np.cos(angle) + (outer[:, 1] - cy) * np.sin(angle)
    v = -(outer[:, 0] - cx) * np.sin(angle) + (outer[:, 1] - cy) * np.cos(angle)
    radius = np.hypot(u / (across / 2), v / (high / 2))
    return float(np.count_nonzero(np.abs(radius - 1) < NEAR)) / DIRECTIONS


def _page_side(page: Page) -> float:
    """Long side of the sheet in pixels of the small copy."""
    height, width = page.mask.shape
    if page.corners:
        corners = np.array(page.corners) * (width, height)
        return float(np.hypot(*(np.roll(corners, -1, axis=0) - corners).T).max())
    if page.found:
        y, x = np.nonzero(page.mask)
        return float(max(x.max() - x.min(), y.max() - y.min()))
    return float(max(height, width))
