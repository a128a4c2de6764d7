"""What a walk finds, as it goes: sentences that name the thing, and how far it has come."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

KEPT = 1000  # sentences; a register that was changed as a whole would name every pupil
EVERY = 2.0  # seconds between two words about the progress


def silent(_text: str) -> None:
    """Say nothing of the progress."""


@dataclass
class Findings:
    """`checked` counts what was looked at, `faults` everything that is wrong; `told` are the first sentences of them.
    `remarks` say what could not be covered."""

    say: Callable[[str], None] = silent
    checked: int = 0
    faults: int = 0
    told: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    _said: float = field(default_factory=time.monotonic)

    def fault(self, text: str) -> None:
        self.faults += 1
        if len(self.told) < KEPT:
            self.told.append(text)

    def went_on(self, number: int, what: str) -> None:
        self.checked += number
        if time.monotonic() - self._said >= EVERY:
            self._said = time.monotonic()
            self.say(f"{what}：{self.checked}")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began
