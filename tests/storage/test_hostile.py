"""Files that mean harm or are broken: always a sentence or a verdict, never an exception, never a false type."""

from __future__ import annotations

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from storage import intake
from storage.judge import EMPTY, TOO_LARGE, Judgement, judge
from storage.pdf import ENCRYPTED
from tests import papers
from tests.hostile.forging import pdf, png
from tests.hostile.strangers import EPS, HTML, SVG


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    return papers.as_jpeg(papers.household_page("林小雨", "622999201305060023"))


def pdf_with_box(box: bytes) -> bytes:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[%s]>>" % box
    return pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page)


def refused(result: Judgement, sentence: str, media_type: str | None) -> None:
    assert (result.refusal, result.verdict, result.media_type) == (sentence, "refuse", media_type)
    assert result.pages == ()
    assert result.messages == (sentence,)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (EPS, intake.NOT_ACCEPTED),
        (SVG, intake.NOT_ACCEPTED),
        (HTML, intake.NOT_ACCEPTED),
        (b"MZ\x90\x00" * 100, intake.NOT_ACCEPTED),
        (b"\x00" * 5000, intake.NOT_ACCEPTED),
        (b"GIF89a" + b"\x01\x00\x01\x00" * 20, "GIF 动图不能作为证明材料，请改传 JPG 或 PNG"),
        (b"PK\x03\x04word/document.xml", "不支持 Word、Excel 和压缩包，请导出为 PDF 或 JPG 后再传"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "不支持 WebP，请另存为 JPG 或 PNG 后再传"),
        (b"\x00\x00\x00\x1cftypavif" + b"\x00" * 30, "不支持 AVIF，请另存为 JPG 或 PNG 后再传"),
    ],
)
def test_other_formats_are_refused_by_content(data: bytes, sentence: str) -> None:
    refused(judge(data), sentence, None)


def test_nothing_and_too_much() -> None:
    refused(judge(b""), EMPTY, None)
    refused(judge(b"\xff\xd8\xff" + b"\x00" * (25 * 1024 * 1024)), TOO_LARGE.format(size=25.1), None)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.95])
def test_truncated_files_are_incomplete(jpeg: bytes, share: float) -> None:
    picture = papers.household_page("林小雨", "622999201305060023", width=900)
    for whole in (jpeg, papers.as_png(picture), papers.as_tiff(picture)):
        result = judge(whole[: max(12, int(len(whole) * share))])
        assert result.refusal == intake.INCOMPLETE, whole[:4]


def test_damage_in_the_middle_never_raises(jpeg: bytes) -> None:
    rng = np.random.default_rng(7)
    for _ in range(12):
        broken = bytearray(jpeg)
        for at in rng.integers(2, len(jpeg), 40):
            broken[at] = int(rng.integers(256))
        result = judge(bytes(broken))
        assert (result.refusal is not None) or result.pages
        assert result.media_type in (None, intake.JPEG)


def test_a_png_with_damaged_pixels_is_incomplete() -> None:
    """Wherever a byte of the packed rows is wrong: the decoder itself is content once all rows are filled."""
    whole = papers.as_png(papers.household_page("林小雨", "622999201305060023", width=600))
    start = whole.index(b"IDAT") + 4
    for share in (0.02, 0.5, 0.9, 0.99):
        broken = bytearray(whole)
        broken[start + int(share * (len(whole) - start - 40))] ^= 0x20
        refused(judge(bytes(broken)), intake.INCOMPLETE, intake.PNG)
    rows = zlib.compress((b"\x00" + b"\xff" * 100) * 140)
    whole = png(100, 140, rows)
    assert judge(whole).refusal is None
    at = whole.index(b"IDAT") + 4 + len(rows)
    refused(judge(whole[:at] + b"\x00\x00\x00\x00" + whole[at + 4 :]), intake.INCOMPLETE, intake.PNG)


@pytest.mark.parametrize(
    ("width", "height", "sentence"),
    [
        (20_000, 20_000, intake.TOO_MANY_PIXELS),
        (9_400, 9_400, intake.TOO_MANY_PIXELS),
        (1, 90_000_000, intake.TOO_MANY_PIXELS),
        (1, 50_000_000, intake.ODD_SHAPE),
        (3_000, 100, intake.ODD_SHAPE),
    ],
)
def test_bombs_and_odd_shapes_are_refused_from_the_header(width: int, height: int, sentence: str) -> None:
    rows = zlib.compress(b"\x00" * 1_000_000)
    result = judge(png(width, height, rows))
    refused(result, sentence, intake.PNG)
    assert result.seconds < 3


def test_a_large_but_honest_png_fits_into_the_memory() -> None:
    rows = zlib.compress((b"\x00" + b"\xff" * 7000 * 3) * 8400, 1)
    result = judge(png(7000, 8400, rows, colour=2))
    assert result.refusal is None
    assert (result.pages[0].width, result.pages[0].height) == (7000, 8400)
    assert result.pages[0].measurements[0].name == "blank"


def test_a_progressive_jpeg_with_hundreds_of_scans_is_not_decoded(jpeg: bytes) -> None:
    out = io.BytesIO()
    papers.household_page("林小雨", "622999201305060023").save(out, "JPEG", progressive=True)
    honest = out.getvalue()
    assert judge(honest).refusal is None
    start = honest.rindex(b"\xff\xda")
    many = honest[:start] + honest[start:-2] * 200 + b"\xff\xd9"
    assert len(many) < 25 * 1024 * 1024
    refused(judge(many), intake.TOO_MANY_SCANS, intake.JPEG)


def test_what_hangs_behind_a_jpeg_does_not_count_as_scans(jpeg: bytes) -> None:
    film = b"\xff\xda\x00\x04" * 500  # phones append a short film to the picture
    assert judge(jpeg + film).refusal is None


@pytest.mark.parametrize(
    "tail", [HTML, b"PK\x03\x04" + b"zip" * 50, b"%PDF-1.7\n%%EOF", b"<?php system($_GET[0]);"]
)
def test_nothing_of_a_polyglot_survives_in_a_rendition(jpeg: bytes, tail: bytes) -> None:
    comment = b"\xff\xfe" + struct.pack("!H", len(HTML) + 2) + HTML
    result = judge(jpeg[:2] + comment + jpeg[2:] + tail)
    assert result.media_type == intake.JPEG
    for rendition in (result.pages[0].view_jpeg, result.pages[0].thumb_jpeg):
        assert rendition.startswith(b"\xff\xd8")
        assert rendition.endswith(b"\xff\xd9")
        for word in (b"<script", b"PK\x03\x04", b"%PDF", b"<?php", b"html"):
            assert word not in rendition


def test_pdf_that_cannot_be_used() -> None:
    refused(judge(b"%PDF-1.7\nnothing of the kind"), intake.INCOMPLETE, intake.PDF)
    whole = papers.as_pdf(papers.household_page("林小雨", "622999201305060023", width=800))
    assert judge(whole).refusal is None
    locked = whole.replace(
        b"trailer\n<<",
        b"trailer\n<</Encrypt<</Filter/Standard/V 1/R 2/P -4/Length 40/O(%s)/U(%s)>>/ID[(a)(a)]"
        % (b"o" * 32, b"u" * 32),
    )
    assert locked != whole
    refused(judge(locked), ENCRYPTED, intake.PDF)
    none = pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>")
    assert judge(none).verdict == "refuse"


def test_a_pdf_of_5000_pages_is_refused_at_once() -> None:
    pages = [b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"] * 5000
    kids = b" ".join(b"%d 0 R" % (n + 3) for n in range(5000))
    data = pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count 5000>>" % kids, *pages)
    result = judge(data)
    refused(result, intake.TOO_MANY_PAGES.format(limit=20), intake.PDF)
    assert result.seconds < 3


def test_pdf_page_boxes_are_clamped() -> None:
    huge = judge(pdf_with_box(b"0 0 2000000 1500000"))
    assert huge.refusal is None
    assert max(huge.pages[0].view_size) <= 2400
    tiny = judge(pdf_with_box(b"0 0 6 5"))
    assert tiny.verdict == "refuse"
    refused(judge(pdf_with_box(b"0 0 2000000 1")), intake.ODD_SHAPE, intake.PDF)


def test_pdf_drawing_without_end_is_stopped() -> None:
    circles = b"0 0 1 rg 0 0 m 500 900 900 100 595 842 c 10 700 500 10 3 3 c f* " * 270_000
    stream = b"<</Length %d>>stream\n%s\nendstream" % (len(circles), circles)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>"
    data = pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, stream)
    began = time.monotonic()
    result = judge(data)
    assert time.monotonic() - began < 20
    assert result.refusal is not None
    assert (
        judge(papers.as_png(papers.blank_sheet(width=400))).media_type == intake.PNG
    )  # the next one is served


def test_too_many_tiff_pages() -> None:
    small = Image.new("L", (100, 140), 255)
    refused(judge(papers.as_tiff(*[small] * 21)), intake.TOO_MANY_PAGES.format(limit=20), intake.TIFF)
    assert len(judge(papers.as_tiff(*[small] * 3)).pages) == 3
    refused(
        judge(papers.as_tiff(*[small] * 3), max_pages=2), intake.TOO_MANY_PAGES.format(limit=2), intake.TIFF
    )
