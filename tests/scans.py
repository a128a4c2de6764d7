"""Scans of stamped forms, drawn: a sheet with the code that the portal printed, a red seal, and what a scanner does to it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from portal.cases.printing import qr_png
from tests.papers import font_file

A4 = (210.0, 297.0)  # mm
QR = 21.0  # mm
RED = (206, 32, 40)


def sheet(code: str = "", *, words: Sequence[str] = (), dpi: int = 150, seal: bool = True) -> Any:
    """An A4 sheet as RGB array with lines of print, the code at its top right, and a seal that touches the code. `words` are
    lines that can be read."""
    rgb = np.full((px(A4[1], dpi), px(A4[0], dpi), 3), (250, 249, 246), np.uint8)
    for line in range(18, 30):  # below the words
        y = px(line * 9, dpi)
        cv2.line(rgb, (px(20, dpi), y), (px(190, dpi), y), (60, 60, 66), max(1, px(0.3, dpi)))
    if words:
        rgb = _written(rgb, words, dpi)
    if code:
        size = px(QR, dpi)
        printed = (
            Image.open(io.BytesIO(qr_png(code))).convert("RGB").resize((size, size), Image.Resampling.LANCZOS)
        )
        rgb[px(14, dpi) : px(14, dpi) + size, px(168, dpi) : px(168, dpi) + size] = np.asarray(printed)
    return stamped(rgb, (172, 42), dpi) if seal else rgb


def _written(rgb: Any, words: Sequence[str], dpi: int) -> Any:
    """With lines of 11 points, from the top left down."""
    paper = Image.fromarray(rgb)
    font = ImageFont.truetype(font_file(), px(3.9, dpi))
    for position, text in enumerate(words):
        ImageDraw.Draw(paper).text((px(20, dpi), px(16 + 8 * position, dpi)), text, (30, 30, 34), font)
    return np.asarray(paper).copy()


def px(millimetres: float, dpi: int) -> int:
    return round(millimetres / 25.4 * dpi)


def stamped(rgb: Any, at: tuple[float, float], dpi: int) -> Any:
    """With a round red seal of 42 mm around `at` (mm): ink lies over print, it does not cover it."""
    ink = np.full_like(rgb, 255)
    centre = (px(at[0], dpi), px(at[1], dpi))
    cv2.circle(ink, centre, px(20, dpi), RED, max(2, px(1.2, dpi)), cv2.LINE_AA)
    return np.minimum(rgb, ink)


def scanned(
    rgb: Any, *, skew: float = 0.0, quarters: int = 0, quality: int = 60, noise: float = 6.0
) -> bytes:
    """As JPEG: leaning by `skew` degrees, turned by `quarters` of a circle (counter-clockwise), with a sensor's noise."""
    high, wide = rgb.shape[:2]
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), skew, 1.0)
    leaning = cv2.warpAffine(rgb, turn, (wide, high), borderValue=(238, 238, 238))
    rough = leaning + np.random.default_rng(7).normal(0, noise, leaning.shape)
    turned = np.rot90(np.clip(rough, 0, 255).astype(np.uint8), quarters)
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(turned)).save(out, "JPEG", quality=quality)
    return out.getvalue()


def in_one_file(pages: list[bytes], kind: str = "PDF", dpi: int = 150) -> bytes:
    """JPEG pages in one PDF or TIFF."""
    pictures = [Image.open(io.BytesIO(page)) for page in pages]
    out = io.BytesIO()
    options = {"resolution": dpi} if kind == "PDF" else {"compression": "jpeg"}
    pictures[0].save(out, kind, save_all=True, append_images=pictures[1:], **options)
    return out.getvalue()
