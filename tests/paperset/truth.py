"""What is true of a drawn picture: which paper, under which condition, and what was done to it on purpose."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

# What the judge may say of a picture on which nothing was planted: straightening asks nobody for anything.
HONEST_VERDICTS = frozenset({"pass", "mend"})


@dataclass(frozen=True, slots=True)
class Defect:
    """One planted defect: the ``check`` that should name it, and how bad it is.

    ``kind`` tells apart what one check must find in several forms (a blur of the lens, of the hand);
    ``severity`` is in ``unit``, as it was drawn and not as any check measures it.
    """

    check: str
    kind: str
    severity: float
    unit: str


@dataclass(frozen=True, slots=True)
class Truth:
    """The record of one picture.

    ``text_px`` is the height of a character of the running text in pixels of the file, ``blur`` the Gaussian
    sigma drawn into it in such heights, ``lean`` the direction of its lines in degrees (positive: clockwise),
    ``level`` the median grey level of the paper outside of shadows (0 to 255). ``needs`` says what this paper has to
    show: ``seal``, ``colour``. ``legible`` is whether a person can read all of it once the picture is
    turned, straightened or brightened. ``reserved`` pictures are never looked at while a threshold is chosen.
    """

    index: int
    reserved: bool
    kind: str
    condition: str
    detail: str
    text_px: float
    blur: float
    lean: float
    level: float
    needs: tuple[str, ...]
    defects: tuple[Defect, ...]
    legible: bool
    expected_verdicts: frozenset[str]

    def record(self) -> dict[str, Any]:
        """As plain values, for a line of JSON."""
        return {**asdict(self), "expected_verdicts": sorted(self.expected_verdicts)}


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture as it would be uploaded, with its truth."""

    data: bytes
    suffix: str
    truth: Truth
