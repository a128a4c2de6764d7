"""What a check found out about a picture, in words that cross the process border.

Plain values without any picture library, so that the portal can hold, store and show them cheaply.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["pass", "mend", "advise", "refuse"]

# Mildest first. ``mend``: the program put it right and says so. ``advise``: 提醒, may be submitted with a
# reason. ``refuse``: 拒绝, must be taken again (the portal decides when there is a way out).
SEVERITY: tuple[Verdict, ...] = ("pass", "mend", "advise", "refuse")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure about one page, the threshold it was held against, and the sentence for the person.

    ``value`` and ``threshold`` are in ``unit``; ``message`` is Chinese, names what is wrong and the one act
    that mends it, and is empty when the verdict is ``pass``; but for a blank page beside others, which is told and passes.
    """

    name: str
    value: float
    unit: str
    threshold: float
    verdict: Verdict
    message: str = ""


@dataclass(frozen=True, slots=True)
class Mending:
    """How the shown view is made of the upright page: cut out by its corners, straightened, turned, lit.

    ``corners``: upper left, upper right, lower right, lower left as shares (0 to 1) of the upright page's width and
    height; empty when nothing is cut. ``skew``: degrees (positive: leaning clockwise) that are left after that and are
    taken back. ``rotation``: then turned clockwise by 0, 90, 180 or 270 degrees. ``gain``: brightened by this factor;
    ``even``: shadows are evened out. ``inverted``: before all that, black and white are exchanged.
    """

    corners: tuple[tuple[float, float], ...] = ()
    skew: float = 0.0
    rotation: int = 0
    gain: float = 1.0
    even: bool = False
    inverted: bool = False

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Mending:
        """From the mapping that ``dataclasses.asdict`` made of one, also after JSON."""
        corners = tuple((float(x), float(y)) for x, y in stored.get("corners", ()))
        return cls(
            corners,
            float(stored.get("skew", 0.0)),
            int(stored.get("rotation", 0)),
            float(stored.get("gain", 1.0)),
            bool(stored.get("even", False)),
            bool(stored.get("inverted", False)),
        )

    @property
    def nothing(self) -> bool:
        """Whether the view is the upright page itself."""
        return self == Mending()


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The most severe of the verdicts; ``pass`` when there is none."""
    return max(verdicts, key=SEVERITY.index, default="pass")


def known_verdict(word: str) -> Verdict:
    """``word`` as a verdict, or ``ValueError``."""
    if word not in SEVERITY:
        raise ValueError(f"not a verdict: {word!r}")
    return SEVERITY[SEVERITY.index(word)]
