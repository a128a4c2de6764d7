"""Six tops on which a paper is laid to be photographed. Each is drawn once per process, at half size."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from tests import papers

SIDE = 2200  # pixels; a photograph of 4,000 shows most of it at twice the size: a desk is rarely in focus
DESKS = ("wood", "white", "dark", "cloth", "patterned", "grey")


def desk(name: str, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A part of that desk as a picture of ``size`` (width, height), RGB."""
    width, height = size
    top = _drawn(name)
    scale = max(width, height) / 2000
    wide, high = round(width / scale), round(height / scale)
    x, y = int(rng.integers(SIDE - wide + 1)), int(rng.integers(SIDE - high + 1))
    part = top[y : y + high, x : x + wide]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    return cv2.resize(np.ascontiguousarray(part), size, interpolation=cv2.INTER_LINEAR)


@functools.cache
def _drawn(name: str) -> np.ndarray:
    rng = np.random.default_rng(DESKS.index(name))
    if name == "wood":
        return papers.wood(SIDE, SIDE, rng)
    return {"white": _white, "dark": _dark, "cloth": _cloth, "patterned": _patterned, "grey": _grey}[name](
        rng
    )


def _plain(colour: tuple[int, int, int], shade: np.ndarray) -> np.ndarray:
    """One colour with levels of ``shade`` (height x width) added to it."""
    return np.clip(np.array(colour, np.float32) + shade[:, :, None], 0, 255).astype(np.uint8)


def _clouds(rng: np.random.Generator, cells: int, depth: float) -> np.ndarray:
    small = rng.normal(0, depth, (cells, cells)).astype(np.float32)
    return cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def _white(rng: np.random.Generator) -> np.ndarray:
    """Not as white as paper, but near: the hardest ground to find a sheet on."""
    return _plain((226, 227, 226), _clouds(rng, 9, 3) + _clouds(rng, 400, 1))


def _dark(rng: np.random.Generator) -> np.ndarray:
    return _plain((44, 38, 36), _clouds(rng, 7, 3) + _clouds(rng, 700, 3))


def _cloth(rng: np.random.Generator) -> np.ndarray:
    """A woven table cloth, blue-grey, with soft folds."""
    x = np.arange(SIDE, dtype=np.float32)
    weave = 9 * np.sin(x * 0.9)[None, :] + 9 * np.sin(x * 0.9)[:, None]
    return _plain((104, 120, 142), weave + _clouds(rng, 12, 9) + _clouds(rng, 800, 5))


def _patterned(rng: np.random.Generator) -> np.ndarray:
    """A checked oil cloth: straight lines of its own, in strong colours."""
    x = (np.arange(SIDE) // 60) % 2
    check = x[None, :] + x[:, None]
    colours = np.array(((196, 88, 80), (222, 176, 150), (238, 226, 206)), np.float32)[check]
    return np.clip(colours + _clouds(rng, 500, 4)[:, :, None], 0, 255).astype(np.uint8)


def _grey(rng: np.random.Generator) -> np.ndarray:
    """Grey laminate that runs from light to dark."""
    ramp = np.linspace(-45, 45, SIDE, dtype=np.float32)
    return _plain((138, 139, 141), ramp[None, :] + ramp[:, None] / 3 + _clouds(rng, 600, 2))
