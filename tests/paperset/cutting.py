"""Leaves text outside of the picture."""

from __future__ import annotations

import numpy as np

from tests.paperset.geometry import Picture
from tests.paperset.papers import Paper


def cut_at(paper: Paper, side: str) -> float:
    """Where to cut (mm, from the left or the top) so that text is cut through and most of it is left."""
    if side in ("top", "bottom"):
        third = paper.size_mm[1] / 3
        rows = [line for line in paper.lines if line.characters >= 8]
        near = (lambda m: m < 1.6 * third) if side == "top" else (lambda m: m > 1.2 * third)
        middles = sorted((line.top + line.bottom) / 2 for line in rows)
        chosen = [m for m in middles if near(m)] or middles
        return chosen[0] if side == "top" else chosen[-1]
    body = [line for line in paper.lines if line.characters >= 5]
    edge = np.median([line.left if side == "left" else line.right for line in body])
    return float(edge + (1.7 if side == "left" else -1.7) * paper.text_mm)


def characters_cut(paper: Paper, side: str) -> int:
    """How many characters the cut goes through."""
    at = cut_at(paper, side)
    if side in ("top", "bottom"):
        return sum(line.characters for line in paper.lines if line.top < at < line.bottom)
    return sum(line.left < at < line.right for line in paper.lines)


def cut(picture: Picture, paper: Paper, side: str) -> Picture:
    """Without what lies beyond the cut."""
    at, (wide, high) = cut_at(paper, side), paper.size_mm
    level = side in ("top", "bottom")
    x, y = picture.at((wide / 2, at) if level else (at, high / 2))[0]
    pixels, way = picture.pixels, picture.way
    if side == "bottom":
        return Picture(pixels[: round(y)], way)
    if side == "right":
        return Picture(pixels[:, : round(x)], way)
    left, top = (0, round(y)) if side == "top" else (round(x), 0)
    return Picture(pixels[top:, left:], np.array(((1, 0, -left), (0, 1, -top), (0, 0, 1))) @ way)
