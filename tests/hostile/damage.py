"""Honest files cut off, with bits turned over, or with nothing behind their first bytes."""

from __future__ import annotations

import random
from collections.abc import Iterator

from storage.intake import HEIC, JPEG, PDF, PNG, TIFF
from tests.hostile import honest
from tests.hostile.forging import FTYP, PNG_START
from tests.hostile.specimen import Fate, Specimen

WHOLE = {
    "jpg": (honest.jpeg, JPEG),
    "png": (honest.png, PNG),
    "tif": (honest.tiff, TIFF),
    "pdf": (honest.pdf, PDF),
    "heic": (honest.heic, HEIC),
}
CUTS = 64
FLIPS = {"jpg": 60, "png": 50, "tif": 40, "pdf": 40, "heic": 10}
MAGIC = {
    "jpg": b"\xff\xd8\xff",
    "png": PNG_START,
    "tif": b"II*\x00",
    "big-endian.tif": b"MM\x00*",
    "pdf": b"%PDF-1.7\n",
    "heic": FTYP,
}


def truncated(suffix: str) -> Iterator[Specimen]:
    """Cut at 64 offsets. A PDF can be mended by its reader, and the last bytes of a JPEG or PNG carry no pixels."""
    make, media_type = WHOLE[suffix]
    whole = make()
    for cut in range(CUTS):
        at = 1 + cut * (len(whole) - 2) // (CUTS - 1)
        fate: Fate = "refuse" if suffix != "pdf" and at < len(whole) - 40 else "either"
        yield Specimen(f"truncated-{suffix}", f"cut-at-{at}.{suffix}", whole[:at], fate, media_type)


def flipped() -> Iterator[Specimen]:
    """One to eight bits turned over, half of the time within the first 600 bytes, where the structure is. The pixels of
    a PNG carry a sum, so that any change of them has to be noticed."""
    rng = random.Random(1900)
    pixels = range(honest.png().index(b"IDAT") + 4, honest.png().rindex(b"IEND") - 8)
    for suffix, count in FLIPS.items():
        make, media_type = WHOLE[suffix]
        for turn in range(count):
            broken = bytearray(make())
            end = min(600, len(broken)) if turn % 2 else len(broken)
            places = [rng.randrange(end) for _ in range(rng.randint(1, 8))]
            for at in places:
                broken[at] ^= 1 << rng.randrange(8)
            seen = suffix == "png" and any(at in pixels for at in places)
            fate: Fate = "refuse" if seen else "either"
            yield Specimen("bit-flips", f"flip-{turn}.{suffix}", bytes(broken), fate, media_type)


def magic_only() -> Iterator[Specimen]:
    rng = random.Random(1901)
    for name, magic in MAGIC.items():
        for tail, what in ((b"", "bare"), (bytes(4000), "zeros"), (rng.randbytes(4000), "noise")):
            yield Specimen("magic-only", f"{what}.{name}", magic + tail, "refuse", None)


def hardly_anything() -> Iterator[Specimen]:
    """Nothing, one byte, and more than is taken."""
    yield Specimen("empty", "empty.jpg", b"", "refuse", None)
    for byte in (b"\x00", b"\xff", b"%", b"\n", b"B"):
        yield Specimen("one-byte", f"{byte.hex()}.jpg", byte, "refuse", None)
    yield Specimen(
        "too-large", "25-MB-and-one.jpg", honest.jpeg().ljust(25 * 1024 * 1024 + 1, b"\x00"), "refuse", None
    )
