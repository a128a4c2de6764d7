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

from storage.quality import paper, text

Grey = npt.NDArray[np.uint8]  # height x width
Colour = npt.NDArray[np.uint8]  # height x width x 3, RGB

LONG_SIDE = 1800  # pixels of the reduced picture that the checks see
LARGEST = 2100  # up to here a decoded picture is taken as it is
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

    @property
    def scale(self) -> float:
        """Pixels here per pixel of the original, at most 1."""
        return float(max(self.rgb.shape[:2]) / max(self.width, self.height))

    @cached_property
    def red(self) -> Grey:
        """The red channel: a red seal over the text almost vanishes in it, black ink stays."""
        return np.ascontiguousarray(self.rgb[:, :, 0])

    @cached_property
    def grey(self) -> Grey:
        """The lightness of each pixel."""
        return np.asarray(cv2.cvtColor(self.rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)

    @cached_property
    def small(self) -> Colour:
        """A copy of at most ``SMALL_SIDE`` pixels, for the page, the light and anything large."""
        return _resized(self.rgb, min(1.0, SMALL_SIDE / max(self.rgb.shape[:2])))

    @cached_property
    def paper(self) -> paper.Paper:
        """Where the sheet lies in the picture."""
        return paper.find(self.small)

    @cached_property
    def text(self) -> text.Text:
        """The ink on the sheet and the marks that look like characters."""
        return text.find(self.red, self.paper.mask)


def _resized(rgb: Colour, factor: float) -> Colour:
    height, width = rgb.shape[:2]
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
