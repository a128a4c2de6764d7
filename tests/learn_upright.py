"""``python -m tests.learn_upright``: learn how printed Chinese characters stand, for ``storage.quality.upright``.

Draws pages of random characters (a quarter of them Latin, so that those speak for nothing they should not), takes the marks
that the check would take, and learns one weight for each feature such that a mark scores higher as it stands than
turned by any quarter. The same fonts give the same weights. What never belongs here: the pictures of ``tests.paperset``.
"""

from __future__ import annotations

import argparse
import string
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from storage.quality import upright
from storage.quality.picture import Picture
from storage.quality.upright import Floats
from tests.papers import font_file

OUT = Path(upright.__file__).with_name("upright.npy")
WIDTH, HEIGHT, EDGE = 1000, 1400, 80
# The 3,755 commonest characters: level one of GB 2312
HANZI = [
    bytes([row, cell]).decode("gb2312")
    for row in range(0xB0, 0xD8)
    for cell in range(0xA1, 0xFF)
    if not (row == 0xD7 and cell > 0xF9)
]
SIGNS = "0123456789，。、："
LATIN = string.ascii_letters * 2 + string.digits
STEPS, BATCH, RATE, DECAY = 600, 4000, 0.3, 0.995


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.learn_upright", description=__doc__)
    options.add_argument("--pages", type=int, default=260)
    options.add_argument("--out", type=Path, default=OUT)
    chosen = options.parse_args()
    weights = learn(described(chosen.pages, seed=1))
    held_back = described(20, seed=2)
    print(f"one mark alone is told right {100 * share_right(held_back, weights):.0f} times in 100")
    np.save(chosen.out, weights)


def described(count: int, seed: int) -> Floats:
    """The features of all marks of ``count`` drawn pages."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        rgb = page(rng)
        picture = Picture.of(Image.fromarray(rgb), rgb.shape[1], rgb.shape[0])
        rows.append(upright.features(upright.marks_of(picture)))
    return np.concatenate(rows)


def learn(rows: Floats) -> Floats:
    """Weights by which a mark is likelier to stand as it does than turned: logistic, with shared weights for all ways."""
    ways = np.stack([upright.turned_back(rows, turns) for turns in range(4)], axis=1)
    weights = np.zeros(rows.shape[1])
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(STEPS):
        chosen = ways[np.random.default_rng(step).integers(0, len(ways), BATCH)]
        scores = chosen @ weights
        share = np.exp(scores - scores.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        slope = (
            (share[:, :, None] * chosen).sum(axis=1).mean(axis=0) - chosen[:, 0].mean(axis=0) + 1e-4 * weights
        )
        mean = 0.9 * mean + 0.1 * slope
        square = 0.99 * square + 0.01 * slope * slope
        weights -= RATE * DECAY**step * mean / (np.sqrt(square) + 1e-6)
    return weights.astype(np.float32)


def share_right(rows: Floats, weights: Floats) -> float:
    """How often a single mark is taken for standing as it does."""
    ways = np.stack([upright.turned_back(rows, turns) @ weights for turns in range(4)], axis=1)
    return float((ways.argmax(axis=1) == 0).mean())


def page(rng: np.random.Generator) -> Floats:
    """One drawn page, height x width x 3, a little leaning, blurred and noisy."""
    size = int(rng.integers(16, 52))
    font = ImageFont.truetype(_fonts()[rng.integers(len(_fonts()))], size, index=2)
    sheet = Image.new("L", (WIDTH, HEIGHT), int(rng.integers(225, 256)))
    draw = ImageDraw.Draw(sheet)
    latin, y = rng.random() < 0.25, 60
    while y < HEIGHT - 100:
        count = int((WIDTH - 2 * EDGE) / (size * 1.05) * rng.uniform(0.4, 1))
        draw.text((EDGE, y), _line(rng, count, latin), font=font, fill=int(rng.integers(0, 70)))
        y += int(size * rng.uniform(1.4, 1.9))
    if rng.random() < 0.5:
        sheet = sheet.rotate(rng.uniform(-4, 4), Image.Resampling.BICUBIC, fillcolor=240)
    sheet = sheet.filter(ImageFilter.GaussianBlur(rng.uniform(0, size / 26)))
    grey = np.asarray(sheet, np.float32) + rng.normal(0, rng.uniform(0, 6), (HEIGHT, WIDTH))
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def _line(rng: np.random.Generator, count: int, latin: bool) -> str:
    if latin:
        words = ("".join(rng.choice(list(LATIN), rng.integers(2, 9))) for _ in range(count // 3))
        return " ".join(words)
    return "".join(
        HANZI[rng.integers(len(HANZI))] if rng.random() < 0.85 else SIGNS[rng.integers(len(SIGNS))]
        for _ in range(count)
    )


def _fonts() -> list[str]:
    """The Chinese fonts beside the one that the drawn papers are set in."""
    return sorted(str(one) for one in Path(font_file()).parent.glob("*CJK*.ttc"))


if __name__ == "__main__":
    main()
