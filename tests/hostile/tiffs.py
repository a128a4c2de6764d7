"""TIFFs whose directories bite their tails, count too far, or describe what is not there."""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator

from PIL import Image

from storage.intake import TIFF
from tests.hostile import honest
from tests.hostile.forging import grey_tiff, number
from tests.hostile.specimen import MARK, Fate, Specimen

WIDTH, HEIGHT = 100, 140
ROWS = b"\xf0" * (WIDTH * HEIGHT)


def _one(kind: str, name: str, data: bytes, fate: Fate) -> Specimen:
    return Specimen(kind, f"{name}.tif", data, fate, TIFF)


def directories() -> Iterator[Specimen]:
    yield _one("tiff-loop", "next-is-itself", grey_tiff(WIDTH, HEIGHT, ROWS, following=8), "either")
    yield _one("tiff-loop", "next-is-the-header", grey_tiff(WIDTH, HEIGHT, ROWS, following=2), "either")
    yield _one("tiff-loop", "next-is-nowhere", grey_tiff(WIDTH, HEIGHT, ROWS, following=0x7FFFFFFF), "either")
    yield _one("tiff-loop", "next-is-the-pixels", grey_tiff(WIDTH, HEIGHT, ROWS, following=500), "either")
    below = grey_tiff(WIDTH, HEIGHT, ROWS, {330: number(8), 34665: number(8)})
    yield _one("tiff-loop", "below-is-itself", below, "either")
    yield _one("tiff-loop", "ring-of-two", _ring(2), "either")
    yield _one("tiff-loop", "first-is-nowhere", b"II*\x00\xff\xff\xff\xff" + bytes(500), "refuse")
    yield _one("tiff-loop", "first-is-none", b"II*\x00\x00\x00\x00\x00" + bytes(500), "refuse")
    yield _one("tiff-pages", "21", _pages(21), "refuse")
    yield _one("tiff-pages", "3000", _pages(3000), "refuse")
    copies = _pages(3000, {254: number(1)})
    yield _one("tiff-pages", "3000-reduced-copies", copies, "refuse")
    yield _one("tiff-pages", "3", _pages(3), "accept")


def _pages(count: int, changes: dict[int, tuple[int, int, bytes] | None] | None = None) -> bytes:
    """Directories in a row that all show the same pixels, which lie behind the first."""
    given = dict(changes or {})
    first = grey_tiff(WIDTH, HEIGHT, ROWS, given)
    tags = 9 + len(set(given) - {256, 257, 258, 259, 262, 273, 277, 278, 279})
    size = 2 + 12 * tags + 4
    given[273] = number(8 + size)
    directory = grey_tiff(WIDTH, HEIGHT, ROWS, given)[8 : 8 + size - 4]
    starts = [8, *(len(first) + size * n for n in range(count - 1)), 0]
    behind = b"".join(directory + struct.pack("<I", following) for following in starts[2:])
    return first[: 8 + size - 4] + struct.pack("<I", starts[1]) + first[8 + size :] + behind


def _ring(count: int) -> bytes:
    whole = _pages(count)
    return whole[:-4] + struct.pack("<I", 8)


def lies() -> Iterator[Specimen]:
    for name, tags, fate in (
        ("20000-squared", {256: number(20_000), 257: number(20_000)}, "refuse"),
        ("four-thousand-million-wide", {256: number(2**32 - 1)}, "refuse"),
        ("no-width", {256: None}, "refuse"),
        ("width-0", {256: number(0)}, "refuse"),
        ("strip-beyond-the-end", {273: number(0x7FFFFFF0)}, "refuse"),
        ("strip-in-the-header", {273: number(0)}, "either"),
        ("strip-of-nothing", {279: number(0)}, "either"),
        ("strip-of-4-gigabytes", {279: number(2**32 - 1)}, "either"),
        ("a-thousand-million-strips", {273: (4, 1_000_000_000, struct.pack("<I", 8))}, "either"),
        ("rows-per-strip-0", {278: number(0)}, "either"),
        ("compression-unknown", {259: number(4711)}, "refuse"),
        ("old-jpeg-inside", {259: number(6)}, "refuse"),
        ("jpeg-inside-that-is-none", {259: number(7)}, "refuse"),
        ("deflate-that-is-none", {259: number(8)}, "refuse"),
        ("lzw-that-is-none", {259: number(5)}, "refuse"),
        ("fax-that-is-none", {259: number(4), 258: number(1)}, "either"),
        ("seven-bits", {258: number(7)}, "either"),
        ("bits-as-text", {258: (2, 4, b"8\x00\x00\x00")}, "either"),
        ("65535-samples", {277: number(65535)}, "refuse"),
        ("tiles-of-nothing", {322: number(0), 323: number(0), 324: number(8), 325: number(10)}, "either"),
        (
            "tiles-of-everything",
            {322: number(2**31), 323: number(2**31), 324: number(8), 325: number(9)},
            "either",
        ),
        ("colour-unknown", {262: number(77)}, "refuse"),
        ("orientation-6-and-words", {274: number(6), 270: (2, len(MARK), struct.pack("<I", 134))}, "accept"),
        ("orientation-4711", {274: number(4711)}, "accept"),
        ("text-of-4-gigabytes", {270: (2, 2**32 - 1, struct.pack("<I", 8))}, "either"),
        ("profile-of-junk", {34675: (7, 400, struct.pack("<I", 134))}, "either"),
        (
            "resolution-by-zero",
            {282: (5, 1, struct.pack("<I", 134)), 283: (5, 1, struct.pack("<I", 134))},
            "either",
        ),
    ):
        yield _one("broken-tiff", name, grey_tiff(WIDTH, HEIGHT, ROWS, tags), fate)  # type: ignore[arg-type]
    yield _one("broken-tiff", "big-endian-of-a-little-one", b"MM\x00*" + honest.tiff()[4:], "refuse")


def colours() -> Iterator[Specimen]:
    page = honest.page()
    grey = page.convert("L")
    for name, picture, how in (
        ("cmyk", page.convert("CMYK"), {}),
        ("lab", _lab(), {}),
        ("float", grey.convert("F"), {}),
        ("sixteen-bits", grey.convert("I;16"), {}),
        ("thirty-two-bits", grey.convert("I"), {}),
        ("fax", page.convert("1"), {"compression": "group4"}),
        ("palette", page.quantize(32), {}),
        ("jpeg-inside", page, {"compression": "jpeg"}),
        ("deflate", page, {"compression": "tiff_adobe_deflate"}),
        ("lzw", page, {"compression": "tiff_lzw"}),
        ("words-and-place", page, {"description": MARK.decode(), "artist": MARK.decode(), "exif": _place()}),
    ):
        fate: Fate = "either" if name == "lab" else "accept"
        yield _one("odd-colours", name, honest.saved(picture, "TIFF", **how), fate)
    numbers = struct.pack("<4f", float("nan"), float("inf"), -1.0, 3e38) * (WIDTH * HEIGHT // 4)
    tags = {258: number(32), 339: number(3), 279: number(len(numbers))}
    yield _one("odd-colours", "numbers-that-are-none", grey_tiff(WIDTH, HEIGHT, numbers, tags), "either")


@functools.cache
def _lab() -> Image.Image:
    return Image.merge("LAB", [honest.page().convert("L")] * 3)


def _place() -> Image.Exif:
    place = Image.Exif()
    place.get_ifd(0x8825).update({1: "N", 2: (35.0, 35.0, 58.0), 29: MARK.decode()})
    return place
