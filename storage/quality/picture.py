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

from storage.quality import page, text

Grey = npt.NDArray[np.uint8]  # height x width
Colour = npt.NDArray[np.uint8]  # height x width x 3, RGB

LONG_SIDE = 1800  # pixels of the reduced picture that the checks see
LARGEST = 2400  # up to here a decoded picture is taken as it is
WORK_SIDE = 1280  # of the copy in which ink and characters are looked for
SMALL_SIDE = 512


@dataclass(frozen=True)
class Picture:
    """A page as the checks see it. The arrays are shared: checks must not write to them.

    ``rgb`` has a long side of about ``LONG_SIDE`` (less when the original has less); ``width`` and
    ``height`` are pixels of the upright original.
    """

    rgb: Colour
    width: int
    height: int

    @classmethod
    def of(cls, rgb: Colour, width: int, height: int) -> Picture:
        """From an upright decoded page, which may be larger than the checks need."""
        longest = max(rgb.shape[:2])
        if longest > LARGEST:
            rgb = _resized(rgb, LONG_SIDE / longest)
        return cls(rgb, width, height)

    @cached_property
    def red(self) -> Grey:
        """The red channel: a red seal over the text almost vanishes in it, black ink stays."""
        return np.asarray(cv2.extractChannel(self.rgb, 0), dtype=np.uint8)

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
        """Pixels of ``rgb`` and ``red`` per pixel of the original, at most 1."""
        return float(max(self.rgb.shape[:2]) / max(self.width, self.height))

    @cached_property
    def small(self) -> Colour:
        """A copy of about ``SMALL_SIDE`` pixels, for the page, the light and anything large."""
        factor = max(1, round(max(self.rgb.shape[:2]) / SMALL_SIDE))  # whole: the mean is then cheap
        if factor == 1:
            return self.rgb
        height, width = self.rgb.shape[0] // factor, self.rgb.shape[1] // factor
        cut = self.rgb[: height * factor, : width * factor]
        return np.asarray(cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)

    @cached_property
    def grey(self) -> Grey:
        """The lightness of the small copy."""
        return np.asarray(cv2.cvtColor(self.small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)

    @cached_property
    def balanced(self) -> npt.NDArray[np.float32]:
        """The small copy with the paper as white, 1.0 in each channel: lamps are yellow, the sky is blue."""
        paper = self.small[self.page.mask > 0]
        if not len(paper):
            return np.zeros(self.small.shape, np.float32)
        white = np.percentile(paper[:: max(1, len(paper) // 2000)], 60, axis=0)
        return np.asarray(self.small * (1 / np.maximum(20.0, white)).astype(np.float32), dtype=np.float32)

    @cached_property
    def page(self) -> page.Page:
        """Where the sheet lies in the picture."""
        return page.find(self.small, self.grey)

    @cached_property
    def text(self) -> text.Text:
        """The ink on the sheet and the marks that look like characters, in pixels of ``work``."""
        return text.find(self.work, self.page.mask)


def _resized(rgb: Colour, factor: float) -> Colour:
    height, width = rgb.shape[:2]
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
