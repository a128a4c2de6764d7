"""One page prepared once for all checks: reduced copies, and what several checks want to know.

Checks measure on a reduced picture, so that their cost hardly depends on the camera; lengths are therefore
given in characters or shares of the page, and converted to the original's pixels by ``scale``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from storage import pixels
from storage.quality import page, seals, text

Grey = npt.NDArray[np.uint8]  # height x width
Plane = npt.NDArray[np.float32]  # height x width
Colour = npt.NDArray[np.uint8]  # height x width x 3, RGB

LONG_SIDE = 1800  # pixels of the reduced picture that the checks see
LARGEST = 2400  # up to here a decoded picture is taken as it is
WORK_SIDE = 1280  # of the copy in which ink and characters are looked for
SMALL_SIDE = 512


@dataclass(frozen=True)
class Picture:
    """A page as the checks see it. The arrays are shared: checks must not write to them.

    ``red`` is the red channel, in which a red seal over the text almost vanishes while black ink stays, with a long side of
    about ``LONG_SIDE`` (less when the original has less). ``small`` is a copy in colour of about ``SMALL_SIDE`` pixels, for
    the page, the light and anything large. ``width`` and ``height`` are pixels of the upright original.
    """

    red: Grey
    small: Colour
    width: int
    height: int

    @classmethod
    def of(cls, image: Image.Image, width: int, height: int) -> Picture:
        """From an upright decoded page in RGB, which may be larger than the checks need. Its three channels are never
        unpacked at that size: no check asks for more than one of them."""
        longest = max(image.size)
        red = np.asarray(image.getchannel("R"), dtype=np.uint8)
        if longest > LARGEST:
            red = pixels.fitted(red, LONG_SIDE)
        share = max(1, round(max(red.shape) / SMALL_SIDE))
        factor = round(share * longest / max(red.shape))  # whole: the mean is then cheap
        whole = (0, 0, image.width // factor * factor, image.height // factor * factor)
        small = image.reduce(factor, whole) if factor > 1 else image
        return cls(red, np.asarray(small, dtype=np.uint8), width, height)

    @cached_property
    def work(self) -> Grey:
        """The red channel at ``WORK_SIDE`` pixels at most."""
        share = WORK_SIDE / max(self.red.shape)
        if share >= 1:
            return self.red
        size = (round(self.red.shape[1] * share), round(self.red.shape[0] * share))
        # Less than halved, so that linear interpolation misses no pixel, at a third of the cost of the mean
        return np.asarray(cv2.resize(self.red, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)

    @property
    def work_scale(self) -> float:
        """Pixels of ``work`` per pixel of the original, at most 1."""
        return float(max(self.work.shape) / max(self.width, self.height))

    @property
    def red_scale(self) -> float:
        """Pixels of ``red`` per pixel of the original, at most 1."""
        return float(max(self.red.shape) / max(self.width, self.height))

    @cached_property
    def grey(self) -> Grey:
        """The lightness of the small copy."""
        return np.asarray(cv2.cvtColor(self.small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)

    @cached_property
    def balanced(self) -> tuple[Plane, Plane, Plane]:
        """Red, green and blue of the small copy with the paper as white, 1.0: lamps are yellow, the sky is blue."""
        paper = np.flatnonzero(self.page.mask > 0)
        if not len(paper):
            empty = np.zeros(self.page.mask.shape, np.float32)
            return empty, empty, empty
        some = self.small.reshape(-1, 3)[paper[:: max(1, len(paper) // 2000)]]
        white = np.maximum(20.0, np.percentile(some, 60, axis=0))
        red, green, blue = (
            np.multiply(plane, np.float32(1 / level), dtype=np.float32)
            for plane, level in zip(cv2.split(self.small), white, strict=True)
        )
        return red, green, blue

    @cached_property
    def page(self) -> page.Page:
        """Where the sheet lies in the picture."""
        return page.find(self.small, self.grey)

    @cached_property
    def text(self) -> text.Text:
        """The ink on the sheet and the marks that look like characters, in pixels of ``work``."""
        return text.find(self.work, self.page.mask)

    @cached_property
    def seals(self) -> list[seals.Seal]:
        """Red blobs of a seal's size on the sheet, best first."""
        return seals.find(self.balanced, self.page)

    def inked(self, tile: int, rows: int, columns: int) -> npt.NDArray[np.float64]:
        """The mean ink, 0 to 255, of the upper left ``rows`` x ``columns`` tiles of ``tile`` pixels of ``red``."""
        y, x = (
            np.rint(np.arange(count + 1) * (tile * there / here)).astype(np.intp)
            for count, there, here in zip((rows, columns), self.work.shape, self.red.shape, strict=True)
        )
        sums = np.diff(np.diff(self.text.sums[np.ix_(y, x)], axis=0), axis=1)
        return np.asarray(sums / np.outer(np.diff(y), np.diff(x)), dtype=np.float64)
