"""HEIC put together from boxes, or an honest one with its numbers changed."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from storage.intake import HEIC
from tests.hostile import honest
from tests.hostile.forging import FTYP, box
from tests.hostile.specimen import MARK, Fate, Specimen


def forged() -> Iterator[Specimen]:
    whole = honest.heic()
    meta = box(
        b"meta", bytes(4) + box(b"hdlr", bytes(8) + b"pict" + bytes(13)) + box(b"pitm", bytes(5) + b"\x01")
    )
    deep = b""
    for _ in range(2000):
        deep = box(b"meta", bytes(4) + deep)
    for name, data in {
        "nothing-behind": FTYP + meta,
        "box-of-length-0": FTYP + box(b"meta", bytes(4), 0) + MARK,
        "box-of-length-1": FTYP + box(b"meta", bytes(4), 1) + MARK,
        "box-of-length-7": FTYP + box(b"meta", bytes(4), 7) + MARK,
        "box-of-4-gigabytes": FTYP + box(b"meta", bytes(40), 2**32 - 1),
        "box-of-many-gigabytes": FTYP + struct.pack("!I4sQ", 1, b"meta", 2**63 - 1) + bytes(40),
        "boxes-in-boxes": FTYP + deep,
        "a-hundred-thousand-boxes": FTYP + box(b"free", b"") * 100_000 + meta,
        "pixels-missing": whole[: whole.index(b"mdat") + 4],
        "pixels-of-zeros": _zeroed(whole),
        "100000-squared": _sized(whole, 100_000, 100_000),
        "20000-squared": _sized(whole, 20_000, 20_000),
        "60000x900": _sized(whole, 60_000, 900),
        "no-width": _sized(whole, 0, 881),
    }.items():
        yield _one(name, data, "refuse")
    for name, data in {
        "smaller-than-it-is": _sized(whole, 200, 200),
        "words-behind": whole + box(b"uuid", MARK * 40),
    }.items():
        yield _one(name, data, "either")


def _one(name: str, data: bytes, fate: Fate) -> Specimen:
    return Specimen("heic-forged", f"{name}.heic", data, fate, HEIC)


def _sized(whole: bytes, width: int, height: int) -> bytes:
    """Every stated size replaced."""
    size = struct.pack("!II", width, height)
    return re.sub(rb"(ispe.{4}).{8}", lambda found: found.group(1) + size, whole, flags=re.DOTALL)


def _zeroed(whole: bytes) -> bytes:
    at = whole.index(b"mdat") + 4
    return whole[:at] + bytes(len(whole) - at)
