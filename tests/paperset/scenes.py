"""Takes the picture: the paper on the scanner, or on a desk before a phone."""

from __future__ import annotations

import math

import cv2
import numpy as np

from tests.paperset import optics
from tests.paperset.cutting import cut
from tests.paperset.desks import desk
from tests.paperset.geometry import Picture, corners_of, laid, moved, scale_of
from tests.paperset.light import light
from tests.paperset.papers import Paper
from tests.paperset.recipe import Recipe

FOCAL = 0.72  # of the long side: the main camera of a phone
BORDER_MM = 4.0  # what a scanner shows around the paper at most


def take(paper: Paper, recipe: Recipe, rng: np.random.Generator) -> Picture:
    """The picture of this paper by this recipe, before it is cut, turned and stored."""
    picture = scan(paper, recipe, rng) if recipe.condition == "scan" else photograph(paper, recipe, rng)
    return cut(picture, paper, recipe.cut) if recipe.cut else picture


def scan(paper: Paper, recipe: Recipe, rng: np.random.Generator) -> Picture:
    """Flat on the glass under a white lid; the paper may lie a little askew."""
    per_mm = recipe.dpi / 25.4
    wide, high = paper.size_mm
    turn = math.radians(recipe.lean)
    margin = float(rng.uniform(0, BORDER_MM)) if recipe.lean else 0.0
    across = wide * math.cos(turn) + high * abs(math.sin(turn)) + 2 * margin
    down = high * math.cos(turn) + wide * abs(math.sin(turn)) + 2 * margin
    way = placed(turn, per_mm, paper.size_mm, (across / 2, down / 2))
    size = (round(across * per_mm), round(down * per_mm))
    ground = np.full((size[1], size[0], 3), int(rng.integers(244, 254)), np.uint8)
    pixels = laid(paper, way, ground)
    pixels = softened(pixels, paper, recipe, way)
    if recipe.border:
        pixels = dark_border(pixels, round(recipe.border * per_mm), rng)
    if recipe.level < 200:
        pixels = optics.lit(pixels, np.full((2, 2), recipe.level / 253, np.float32), recipe.tint)
    pixels = optics.grainy(pixels, recipe.grain, rng)
    return Picture(developed(pixels, recipe.detail), way)


def placed(
    turn: float, per_mm: float, size_mm: tuple[float, float], middle: tuple[float, float]
) -> np.ndarray:
    """The way of a paper turned by ``turn`` radians whose centre comes to lie at ``middle`` (mm)."""
    c, s = math.cos(turn) * per_mm, math.sin(turn) * per_mm
    x, y = size_mm[0] / 2, size_mm[1] / 2
    left = middle[0] * per_mm - c * x + s * y
    top = middle[1] * per_mm - s * x - c * y
    return np.array(((c, -s, left), (s, c, top), (0, 0, 1)))


def developed(pixels: np.ndarray, mode: str) -> np.ndarray:
    """In the mode of the scanner; a grey picture has one plane."""
    if mode == "colour":
        return pixels
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return grey if mode == "grey" else cv2.threshold(grey, 150, 255, cv2.THRESH_BINARY)[1]


def dark_border(pixels: np.ndarray, thick: int, rng: np.random.Generator) -> np.ndarray:
    """Black strips where the lid did not reach: on one side, or on two that meet."""
    out = pixels.copy()
    side = int(rng.integers(4))
    for turned in (side, side + int(rng.integers(2))):
        view = np.rot90(out, turned)  # a view: painting it paints the picture
        ragged = thick * rng.uniform(0.6, 1.0, 12).astype(np.float32)
        reach = cv2.resize(ragged[None], (view.shape[1], 1))[0]
        view[np.arange(len(view))[:, None] < reach[None, :]] = int(rng.integers(15, 60))
    return out


def photograph(paper: Paper, recipe: Recipe, rng: np.random.Generator) -> Picture:
    """On a desk, from above, by hand: perspective, uneven light, grain."""
    way = aimed(paper, recipe, rng)
    ground = desk(recipe.detail, recipe.size, rng)
    pixels = laid(paper, way, ground)
    pixels = softened(pixels, paper, recipe, way)
    pixels = optics.lit(pixels, light(paper, recipe, way, rng), recipe.tint)
    if recipe.glare_mm:
        x, y = moved(way, np.array((over_text(paper),)))[0]
        pixels = optics.glare(pixels, x, y, recipe.glare_mm * scale_of(way, over_text(paper)))
    return Picture(optics.grainy(pixels, recipe.grain, rng), way)


def aimed(paper: Paper, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """The way of a pinhole camera tilted as the recipe says, near enough for the paper to fill the picture."""
    wide, high = recipe.size
    corners = corners_of(paper.size_mm) - np.array(paper.size_mm) / 2
    turn, (pitch, yaw) = math.radians(recipe.lean), (math.radians(v) for v in recipe.tilt)
    flat = corners @ np.array(((math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))))
    away = FOCAL * max(paper.size_mm) / 0.86
    depth = away + flat[:, 1] * math.sin(pitch) + flat[:, 0] * math.sin(yaw)
    seen = flat * (math.cos(yaw), math.cos(pitch)) / depth[:, None]
    low, up = seen.min(axis=0), seen.max(axis=0)
    fill = float(rng.uniform(0.8, 0.92))
    scale = fill * min(wide / (up - low)[0], high / (up - low)[1])
    room = np.array((wide, high)) - scale * (up - low)
    corner = room * rng.uniform(0.3, 0.7, 2)
    target = (seen - low) * scale + corner
    return cv2.getPerspectiveTransform(
        corners_of(paper.size_mm).astype(np.float32), target.astype(np.float32)
    ).astype(np.float64)


def over_text(paper: Paper) -> tuple[float, float]:
    """The middle of a long line of text, where a mirrored lamp does most harm (mm)."""
    longest = sorted(paper.lines, key=lambda line: -line.characters)[:3]
    line = min(longest, key=lambda line: abs((line.top + line.bottom) / 2 - paper.size_mm[1] / 2))
    return ((line.left + line.right) / 2, (line.top + line.bottom) / 2)


def softened(pixels: np.ndarray, paper: Paper, recipe: Recipe, way: np.ndarray) -> np.ndarray:
    """Blurred by the lens and by the hand."""
    per_mm = scale_of(way, (paper.size_mm[0] / 2, paper.size_mm[1] / 2))
    height = paper.text_mm * per_mm
    pixels = optics.blurred(pixels, recipe.blur * height)
    if recipe.motion_mm:
        pixels = optics.shaken(pixels, recipe.motion_mm * per_mm, recipe.motion_angle)
    if recipe.part:
        pixels = optics.partly_blurred(pixels, recipe.part_blur * height, part_map(recipe.part))
    return pixels


def part_map(side: str) -> np.ndarray:
    """1 over the third of the picture at that side, falling to 0 within a sixth."""
    ramp = np.clip((0.5 - np.linspace(0, 1, 60, dtype=np.float32)) * 6, 0, 1)
    column = np.repeat(ramp[:, None], 60, axis=1)
    return {"top": column, "bottom": column[::-1], "left": column.T, "right": column.T[:, ::-1]}[side]
