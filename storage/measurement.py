"""What a check found out about a picture, in words that cross the process border.

Plain values without any picture library, so that the portal can hold, store and show them cheaply.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "mend", "advise", "refuse"]

# Mildest first. ``mend``: the program put it right and says so. ``advise``: 提醒, may be submitted with a
# reason. ``refuse``: 拒绝, must be taken again (the portal decides when there is a way out).
SEVERITY: tuple[Verdict, ...] = ("pass", "mend", "advise", "refuse")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure about one page, the threshold it was held against, and the sentence for the person.

    ``value`` and ``threshold`` are in ``unit``; ``message`` is Chinese, names what is wrong and the one act
    that mends it, and is empty when the verdict is ``pass``.
    """

    name: str
    value: float
    unit: str
    threshold: float
    verdict: Verdict
    message: str = ""


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The most severe of the verdicts; ``pass`` when there is none."""
    return max(verdicts, key=SEVERITY.index, default="pass")


def known_verdict(word: str) -> Verdict:
    """``word`` as a verdict, or ``ValueError``."""
    if word not in SEVERITY:
        raise ValueError(f"not a verdict: {word!r}")
    return SEVERITY[SEVERITY.index(word)]
