"""PNGs whose header promises too much, whose words unpack too far, or whose parts do not fit together."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from PIL import PngImagePlugin

from storage.intake import PNG
from tests.hostile import honest
from tests.hostile.forging import PNG_START, png, png_chunk, png_header, png_with
from tests.hostile.specimen import MARK, SCRIPT, Fate, Specimen

BOMB = zlib.compress(bytes(64 << 20), 9)  # 64 MB of zeros in 64 KB


def _one(kind: str, name: str, data: bytes, fate: Fate) -> Specimen:
    return Specimen(kind, f"{name}.png", data, fate, PNG)


def promises() -> Iterator[Specimen]:
    """Sizes that no memory holds, and shapes that no paper has: refused by the header."""
    rows = zlib.compress(bytes(1_000_000))
    for width, height in (
        (20_000, 20_000),
        (100_000, 100_000),
        (1, 90_000_000),
        (90_000_000, 1),
        (9_400, 9_400),
        (2**31 - 1, 2**31 - 1),
        (2**31 - 1, 1),
        (2**32 - 1, 40),
        (60_000, 1_001),
        (0, 0),
        (0, 400),
        (400, 0),
    ):
        yield _one("png-header", f"{width}x{height}", png(width, height, rows), "refuse")
    for width, height in ((3_000, 100), (100, 3_000), (31, 31), (1, 1)):
        flat = zlib.compress((b"\x00" + b"\xff" * width) * height)
        yield _one("odd-shape", f"{width}x{height}", png(width, height, flat), "refuse")
    yield _one("png-header", "16-bit-rgba-8000x7000", png(8_000, 7_000, rows, 16, 6), "refuse")


def bombs() -> Iterator[Specimen]:
    """What unpacks to far more than it is."""
    whole = honest.png()
    yield _one(
        "unpacking-bomb", "ztxt", png_with(whole, png_chunk(b"zTXt", b"Comment\x00\x00" + BOMB)), "either"
    )
    yield _one("unpacking-bomb", "iccp", png_with(whole, png_chunk(b"iCCP", b"icc\x00\x00" + BOMB)), "either")
    itxt = b"Comment\x00\x01\x00\x00\x00" + BOMB
    yield _one("unpacking-bomb", "itxt", png_with(whole, png_chunk(b"iTXt", itxt)), "either")
    yield _one("unpacking-bomb", "pixels", png(100, 140, BOMB), "either")
    yield _one("unpacking-bomb", "a-thousand-ztxt", png_with(whole, *[_words()] * 1000), "either")
    yield _one(
        "unpacking-bomb",
        "ten-thousand-words",
        png_with(whole, *[png_chunk(b"tEXt", b"a\x00" + MARK)] * 10_000),
        "either",
    )


def _words() -> bytes:
    return png_chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(bytes(500_000), 9))


def words() -> Iterator[Specimen]:
    """Text, EXIF, XMP and profiles, in good order."""
    said = PngImagePlugin.PngInfo()
    said.add_text("Comment", SCRIPT.decode(), zip=True)
    said.add_text("Author", MARK.decode())
    said.add_itxt("XML:com.adobe.xmp", SCRIPT.decode())
    page = honest.page()
    yield _one("metadata", "words", honest.saved(page, "PNG", pnginfo=said), "accept")
    yield _one(
        "metadata",
        "exif",
        honest.saved(page, "PNG", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00" + MARK),
        "either",
    )
    yield _one("icc-junk", "junk", honest.saved(page, "PNG", icc_profile=MARK * 30), "either")
    yield _one("metadata", "own-chunk", png_with(honest.png(), png_chunk(b"prVt", SCRIPT)), "accept")


def colours() -> Iterator[Specimen]:
    page = honest.page()
    grey = page.convert("L")
    clear = page.convert("RGBA")
    clear.putalpha(grey.point(lambda level: 255 - level))
    palette = page.quantize(64)
    yield _one("odd-colours", "clear-ground", honest.saved(clear, "PNG"), "accept")
    yield _one("odd-colours", "clear-grey", honest.saved(clear.convert("LA"), "PNG"), "accept")
    yield _one("odd-colours", "palette", honest.saved(palette, "PNG", transparency=3), "accept")
    yield _one("odd-colours", "bilevel", honest.saved(page.convert("1"), "PNG"), "accept")
    yield _one("odd-colours", "sixteen-bits", honest.saved(grey.convert("I;16"), "PNG"), "accept")
    row = b"\x00" + b"\xff\xf0" * 3 * 200
    yield _one("odd-colours", "sixteen-bit-rgb", png(200, 280, zlib.compress(row * 280), 16, 2), "accept")


def moving() -> Iterator[Specimen]:
    """APNG: the first picture is the paper, the others are not shown."""
    page = honest.page().convert("L")
    whole = honest.saved(page, "PNG", save_all=True, append_images=[page.rotate(180), page.rotate(90)])
    yield _one("apng", "three", whole, "accept")
    at = whole.index(b"acTL")
    for name, frames in (("none", 0), ("a-million", 1_000_000), ("four-thousand-million", 2**32 - 1)):
        false = png_chunk(b"acTL", struct.pack("!II", frames, 0))
        yield _one("apng", f"said-to-be-{name}", whole[: at - 4] + false + whole[at + 16 :], "either")
    control = png_chunk(b"fcTL", struct.pack("!IIIIIHHBB", 0, 2**31 - 1, 2**31 - 1, 0, 0, 1, 1, 0, 0))
    yield _one(
        "apng",
        "huge-frame",
        png_with(honest.png(), png_chunk(b"acTL", struct.pack("!II", 1, 0)), control),
        "either",
    )


def broken() -> Iterator[Specimen]:
    whole = honest.png()
    rows, end = zlib.compress((b"\x00" + b"\xff" * 100) * 140), png_chunk(b"IEND", b"")
    head = png_header(100, 140)
    data = png_chunk(b"IDAT", rows)
    for name, body in {
        "no-header": data + end,
        "no-pixels": head + end,
        "nothing": end,
        "not-zlib": head + png_chunk(b"IDAT", MARK * 20) + end,
        "length-of-2-gigabytes": head + b"\x7f\xff\xff\xffIDAT" + rows,
        "length-of-4-gigabytes": head + b"\xff\xff\xff\xffIDAT" + rows,
        "wrong-sum-of-pixels": head + data[:-1] + b"\x00" + end,
        "depth-3": png_header(100, 140, 3) + data + end,
        "colour-7": png_header(100, 140, 8, 7) + data + end,
        "short-header": png_chunk(b"IHDR", b"\x00\x00\x00\x64") + data + end,
        "wrong-sum-of-header": head[:-1] + b"\x00" + data + end,
    }.items():
        yield _one("broken-png", name, PNG_START + body, "refuse")
    for name, body in {
        "too-few-rows": head + png_chunk(b"IDAT", zlib.compress(bytes(101 * 20))) + end,
        "two-headers": head + png_header(5000, 5000) + data + end,
        "header-behind": data + head + end,
        "filter-99": head + png_chunk(b"IDAT", zlib.compress((b"\x63" + b"\xff" * 100) * 140)) + end,
        "no-palette": png_header(100, 140, 8, 3) + data + end,
        "interlaced-9": png_header(100, 140, 8, 0, 9) + data + end,
        "interlaced-but-not": png_header(100, 140, 8, 0, 1) + data + end,
        "a-hundred-thousand-empty-pieces": head + png_chunk(b"IDAT", b"") * 100_000 + data + end,
        "critical-unknown": head + png_chunk(b"ABCD", MARK) + data + end,
    }.items():
        yield _one("broken-png", name, PNG_START + body, "either")
    yield _one("broken-png", "twice", whole + whole, "either")
