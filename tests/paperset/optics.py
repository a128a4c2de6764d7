"""What lens, light and sensor do to a picture. Pictures are arrays: height x width x RGB of bytes."""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np
from PIL import Image

from tests import papers

NOISE_SIDE = 1024
NOISE_SIGMA = 16.0  # levels, of the stored grain


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """Out of focus by a Gaussian of ``sigma`` pixels; below 0.2 nothing could be seen of it."""
    return image if sigma < 0.2 else cv2.GaussianBlur(image, (0, 0), sigma)


def shaken(image: np.ndarray, pixels: float, degrees: float) -> np.ndarray:
    """Moved by ``pixels`` while the shutter was open."""
    return np.asarray(papers.shaken(Image.fromarray(image), max(2, round(pixels)), degrees))


def partly_blurred(image: np.ndarray, sigma: float, weight: np.ndarray) -> np.ndarray:
    """Out of focus where ``weight`` (a small map of 0 to 1, stretched over the picture) says so."""
    height, width = image.shape[:2]
    share = cv2.resize((255 * weight).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    share = cv2.merge([share] * 3)
    near = cv2.multiply(blurred(image, sigma), share, scale=1 / 255)
    return cv2.add(near, cv2.multiply(image, 255 - share, scale=1 / 255))


def lit(image: np.ndarray, light: np.ndarray, tint: tuple[float, float, float]) -> np.ndarray:
    """Under ``light``, a small map of shares, stretched over the picture, of the colour ``tint``."""
    height, width = image.shape[:2]
    planes = [(255 * np.clip(light * share, 0, 1)).astype(np.uint8) for share in tint]
    full = cv2.resize(cv2.merge(planes), (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.multiply(image, full, scale=1 / 255)


@functools.cache
def _noise() -> np.ndarray:
    rng = np.random.default_rng(0)
    grain = rng.standard_normal((2 * NOISE_SIDE, NOISE_SIDE, 3), dtype=np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), 0.7)  # a phone smooths its noise
    return np.clip(128 + grain * (NOISE_SIGMA / grain.std()), 0, 255).astype(np.uint8)


def grainy(image: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """With noise of ``sigma`` levels."""
    height, width = image.shape[:2]
    tile = np.roll(_noise(), tuple(rng.integers(NOISE_SIDE, size=2)), axis=(0, 1))
    repeats = (math.ceil(height / tile.shape[0]), math.ceil(width / tile.shape[1]), 1)
    full = np.tile(tile, repeats)[:height, :width]
    gain = sigma / NOISE_SIGMA
    return cv2.addWeighted(image, 1.0, full, gain, -128 * gain)


def glare(image: np.ndarray, x: float, y: float, diameter: float) -> np.ndarray:
    """A lamp mirrored at x, y: white over ``diameter`` pixels, fading over a third as much again."""
    radius = diameter / 2
    reach = math.ceil(1.4 * radius)
    left, top = max(0, round(x) - reach), max(0, round(y) - reach)
    part = image[top : round(y) + reach, left : round(x) + reach]
    rows, columns = np.indices(part.shape[:2], dtype=np.float32)
    away = np.hypot(columns + left - x, rows + top - y)
    share = np.clip((1.35 * radius - away) / (0.35 * radius), 0, 1)[:, :, None]
    out = image.copy()
    out[top : round(y) + reach, left : round(x) + reach] = (part * (1 - share) + 255 * share).astype(np.uint8)
    return out
