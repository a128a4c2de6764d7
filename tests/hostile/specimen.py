"""What one file of the corpus is, and what may become of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

Fate = Literal["refuse", "either", "accept"]

# Planted wherever a format has room for words; none of them may be found in a picture that the portal made.
MARK = b"canary:from-the-original"
SCRIPT = b"<script>fetch('//trap.example/" + MARK + b"')</script>"
TRACES = (
    MARK,
    b"<script",
    b"trap.example",
    b"<?php",
    b"<svg",
    b"<html",
    b"PK\x03\x04",
    b"%PDF",
    b"JavaScript",
)
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@dataclass(frozen=True, slots=True)
class Specimen:
    """One file.

    ``name`` is the name it is uploaded under, which need not be one that a disk can hold. ``fate``: ``refuse`` must be
    refused, ``accept`` is honest though odd and must be taken (whatever is said of its legibility), ``either`` may be
    refused or taken. ``media_type`` is the only type it may be taken for; None where it is nothing that can be taken.
    """

    kind: str
    name: str
    data: bytes
    fate: Fate
    media_type: str | None


Maker = Callable[[], Iterable[Specimen]]
