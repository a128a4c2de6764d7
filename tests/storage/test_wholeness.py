"""A picture of which a part is missing is told as such, alone and inside a PDF or TIFF; what is whole though odd is not."""

from __future__ import annotations

import io
import random
import re
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from storage import intake, jpeg, jpeg2000, wholeness
from storage.intake import INCOMPLETE
from storage.judge import judge
from tests import papers
from tests.hostile.forging import jpeg_with, segment
from tests.pdf_papers import Picture, flate, jpeg_2000, pages, paper
from tests.pdf_papers import jpeg as in_jpeg

END = b"\xff\xd9"
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_rows": 1},
    "many-restarts": {"restart_marker_blocks": 5},
    "not-sampled": {"subsampling": 0},
    "half-sampled": {"subsampling": 1},
    "optimised": {"optimize": True},
    "grey": {"mode": "L"},
    "three-inks": {"keep_rgb": True},
    "four-inks": {"mode": "CMYK"},
    "four-inks-half-sampled": {"mode": "CMYK", "subsampling": 1},
    "four-inks-progressive": {"mode": "CMYK", "progressive": True},
}


@pytest.fixture(scope="module")
def sheet() -> Image.Image:
    return papers.household_page("林小雨", "622999201305060023", width=900)


@pytest.fixture(scope="module")
def whole(sheet: Image.Image) -> dict[str, bytes]:
    return {name: saved(sheet, **way) for name, way in WAYS.items()}


def saved(image: Image.Image, mode: str = "RGB", **way: Any) -> bytes:
    out = io.BytesIO()
    image.convert(mode).save(out, "JPEG", quality=80, **way)
    return out.getvalue()


def damaged(data: bytes) -> dict[str, bytes]:
    """What may become of a file on its way; each keeps or gets an end marker."""
    middle, end = len(data) // 2, len(data) - 2
    return {
        "cut in the middle": data[:middle] + END,
        "cut at a tenth": data[: len(data) // 10 + 700] + END,
        "cut near the end": data[: end - 300] + END,
        "the last bytes gone": data[: end - 4] + END,
        "a hole of zeros": data[:middle] + bytes(2000) + data[middle + 2000 :],
        "zeros from the middle on": data[:middle] + bytes(end - middle),
        "zeros from the middle on to the end marker": data[:middle] + bytes(end - middle) + END,
        "zeros from a third on, many more than there were bytes": data[: end // 3] + bytes(3 * end) + END,
        "a hole of ones": data[:middle] + b"\xff" * 2000 + data[middle + 2000 :],
        "a hole of noise": data[:middle] + random.Random(3).randbytes(2000) + data[middle + 2000 :],
        "a piece left out": data[:middle] + data[middle + 1500 :],
        "nothing behind its tables": data[: jpeg.outline(data).first] + END,
    }


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_jpeg_is_not_whole(whole: dict[str, bytes], way: str) -> None:
    assert wholeness.jpeg_whole(whole[way])
    assert [what for what, data in damaged(whole[way]).items() if wholeness.jpeg_whole(data)] == []


def test_missing_restart_intervals_are_noticed(whole: dict[str, bytes]) -> None:
    data = whole["restarts"]
    marks = [one.start() for one in re.finditer(rb"\xff[\xd0-\xd7]", data)]
    for left_out in (1, 8, 16):
        assert not wholeness.jpeg_whole(data[: marks[6]] + data[marks[6 + left_out] :])


def test_a_progressive_jpeg_that_ends_between_two_scans_is_not_whole(whole: dict[str, bytes]) -> None:
    data = whole["progressive"]
    starts = [one.start() for one in re.finditer(b"\xff\xda", data)]
    assert len(starts) >= 8
    for at in starts:
        cut = data[:at] + END
        assert not wholeness.jpeg_whole(cut)
        with pytest.raises(intake.Refused, match=INCOMPLETE):
            intake.check_header(cut, intake.JPEG)


def odd(whole: dict[str, bytes]) -> dict[str, bytes]:
    """Files as cameras and programs really write them."""
    plain = whole["plain"]
    thumb = saved(Image.new("RGB", (160, 120), "white"))
    scan = jpeg.outline(plain).first + 4 + 1 + 2 * 3
    return {
        "no end marker": plain[:-2],
        "half an end marker": plain[:-1],
        "a film behind": plain + bytes(3000) + b"ftypmp42" + random.Random(4).randbytes(3000),
        "a second picture behind": plain + thumb,
        "zeros before the end": plain[:-2] + bytes(64) + END,
        "fill bytes before the end": plain[:-2] + b"\xff" * 9 + END,
        "fill bytes before a segment": plain[:2] + b"\xff\xff\xff" + plain[2:],
        "a thumbnail in its notes": jpeg_with(plain, segment(0xE1, b"Exif\x00\x00" + thumb)),
        "an unknown colour note": jpeg_with(plain, segment(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x07")),
        "a later version of JFIF": plain.replace(b"JFIF\x00\x01", b"JFIF\x00\x02", 1),
        "a scan's numbers wrong": plain[:scan] + b"\x00\x00\x00" + plain[scan + 3 :],
    }


def test_odd_but_whole_jpegs_are_taken(whole: dict[str, bytes]) -> None:
    found = odd(whole)
    assert [what for what, data in found.items() if not wholeness.jpeg_whole(data)] == []
    for what in (
        "no end marker",
        "zeros before the end",
        "a later version of JFIF",
        "a scan's numbers wrong",
    ):
        assert judge(found[what], pictures=False).refusal is None, what


def test_it_is_said_of_the_file(whole: dict[str, bytes]) -> None:
    zeros = ("zeros from the middle on", "zeros from the middle on to the end marker")
    for way, ways in {"plain": (), "four-inks": (), "optimised": zeros}.items():
        for what in ("cut in the middle", *ways):
            result = judge(damaged(whole[way])[what], pictures=False)
            assert result.refusal == INCOMPLETE and result.media_type == intake.JPEG, (way, what)


def test_the_decoder_s_picture_is_that_of_the_other(sheet: Image.Image) -> None:
    """The decoder that warns takes the place of Pillow's: the same pixels, at each reduction."""
    large = sheet.resize((1800, 1322))
    data = saved(large)
    for reduction in (1, 2, 4, 8):
        picture = Image.open(io.BytesIO(data))
        picture.draft(None, (large.width // reduction, large.height // reduction))
        made = wholeness.jpeg_decoded(data, reduction)
        assert made is not None and Image.fromarray(made).tobytes() == picture.tobytes()


# --- inside others


def test_a_damaged_jpeg_in_a_pdf(sheet: Image.Image, whole: dict[str, bytes]) -> None:
    def in_a_pdf(data: bytes, way: str, packed: bool = False) -> str | None:
        colours = b"/DeviceCMYK" if way == "four-inks" else b"/DeviceRGB"
        filters = b"/Filter[/FlateDecode/DCTDecode]" if packed else b"/Filter/DCTDecode"
        body = zlib.compress(data) if packed else data
        return judge(paper(Picture(body, sheet.size, filters, colours)), pictures=False).refusal

    for way in ("plain", "four-inks"):
        assert in_a_pdf(whole[way], way) is None
        assert in_a_pdf(damaged(whole[way])["cut in the middle"], way) == INCOMPLETE
    assert in_a_pdf(whole["plain"][:-2], "plain") is None
    assert in_a_pdf(whole["plain"], "plain", packed=True) is None
    assert in_a_pdf(damaged(whole["plain"])["a hole of zeros"], "plain", packed=True) == INCOMPLETE


def test_a_damaged_page_behind_a_good_one_is_noticed(sheet: Image.Image, whole: dict[str, bytes]) -> None:
    cut = Picture(damaged(whole["plain"])["cut in the middle"], sheet.size)
    assert judge(pages([in_jpeg(sheet), cut]), pictures=False).refusal == INCOMPLETE


def test_compressed_rows_in_a_pdf_that_end_early(sheet: Image.Image) -> None:
    good = flate(sheet)
    ended = zlib.compress(sheet.tobytes()[: 900 * 3 * 300], 1)
    without_sum = Picture(good.data[:-4], good.size, good.filters)
    assert judge(paper(good), pictures=False).refusal is None
    assert judge(paper(without_sum), pictures=False).refusal is None
    for data in (good.data[: len(good.data) // 2], ended):
        told = judge(paper(Picture(data, good.size, good.filters)), pictures=False).refusal
        assert told == INCOMPLETE


@pytest.mark.parametrize("how", [{}, {"tile_size": (256, 256)}], ids=["one tile", "tiles"])
def test_a_jpeg_2000_that_ends_early(sheet: Image.Image, how: dict[str, Any]) -> None:
    good = jpeg_2000(sheet, **how)
    cut = good.data[: len(good.data) // 2]
    assert jpeg2000.whole(good.data) and jpeg2000.whole(good.data[:-2])
    assert not jpeg2000.whole(cut) and not jpeg2000.whole(cut + END)
    assert judge(paper(good), pictures=False).refusal is None
    told = judge(paper(Picture(cut, good.size, good.filters)), pictures=False).refusal
    assert told == INCOMPLETE


@pytest.mark.parametrize(
    ("compression", "mode"),
    [("jpeg", "RGB"), ("jpeg", "L"), ("tiff_lzw", "L"), ("tiff_adobe_deflate", "L"), ("packbits", "L")],
)
def test_a_strip_of_a_tiff_that_is_damaged(sheet: Image.Image, compression: str, mode: str) -> None:
    out = io.BytesIO()
    sheet.convert(mode).save(out, "TIFF", compression=compression)
    data = out.getvalue()
    tags: Any = Image.open(io.BytesIO(data)).tag_v2  # type: ignore[attr-defined]
    middle = len(tags[273]) // 2
    start, length = tags[273][middle], tags[279][middle]
    hole = bytearray(data)
    hole[start + length // 2 : start + length] = bytes(length - length // 2)
    assert judge(data, pictures=False).refusal is None
    assert judge(bytes(hole), pictures=False).refusal == INCOMPLETE


@pytest.mark.parametrize("interlaced", [0, 1])
def test_a_png_without_its_last_rows(interlaced: int) -> None:
    """Every chunk whole, but too few: it ends early by its own account."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack("!I", len(body)) + kind + body + struct.pack("!I", zlib.crc32(kind + body))

    def png(share: float) -> bytes:
        rows = _passes(300, 900) if interlaced else bytes([0] + [200] * 300) * 900
        header = struct.pack("!IIBBBBB", 300, 900, 8, 0, 0, 0, interlaced)
        packed = zlib.compress(rows[: int(len(rows) * share)])
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")

    assert judge(png(1), pictures=False).refusal is None
    assert judge(png(0.6), pictures=False).refusal == INCOMPLETE


def _passes(width: int, height: int) -> bytes:
    """Light rows of the seven passes of an interlaced PNG, no filter."""
    out = b""
    for x, y, across, down in wholeness._ADAM7:
        wide, high = -(-(width - x) // across), -(-(height - y) // down)
        out += bytes([0] + [200] * wide) * high
    return out
