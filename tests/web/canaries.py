"""Texts, words and numbers by which one estate of the test world is told from every other."""

from __future__ import annotations

import io
import random

from PIL import Image

RARE = [chr(point) for point in range(0x9E00, 0x9F00)]


class Canaries:
    """Texts of one estate. All begin with its mark, so that looking for the mark finds any of them."""

    def __init__(self, seed: str, number: int) -> None:
        self._random = random.Random(seed)
        self.mark = RARE[2 * number] + RARE[2 * number + 1]
        self.word = f"canary{self._random.getrandbits(48):012x}"
        self.numbers: set[str] = set()
        self.ids: set[str] = set()

    def text(self, ending: str = "") -> str:
        """Four rare characters that are this estate's, and an ending."""
        return self.mark + "".join(self._random.choice(RARE[40:]) for _ in range(2)) + ending

    def picture(self) -> bytes:
        """A small JPEG with the estate's word in its comment."""
        shade = tuple(self._random.randrange(256) for _ in range(3))
        out = io.BytesIO()
        Image.new("RGB", (64, 80), shade).save(
            out, "JPEG", comment=f"{self.word}{self._random.random()}".encode()
        )
        return out.getvalue()
