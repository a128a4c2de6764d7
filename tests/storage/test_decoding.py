"""Every honest way to store the same paper gives the same upright picture."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storage import intake
from storage.judge import PageJudgement, judge
from tests import papers

HEIC = Path(__file__).parent / "data" / "household_page.heic"  # made from papers.household_page, 1200 px wide


@pytest.fixture(scope="module")
def page() -> Image.Image:
    return papers.household_page("林小雨", "622999201305060023", width=1500)


def seen(data: bytes, media_type: str) -> PageJudgement:
    result = judge(data)
    assert result.refusal is None
    assert result.media_type == media_type
    assert len(result.pages) == 1
    return result.pages[0]


def likeness(page: PageJudgement, truth: Image.Image) -> float:
    """Mean difference in levels between the view and what it should show."""
    view = Image.open(io.BytesIO(page.view_jpeg)).convert("L").resize((300, 220))
    return float(
        np.abs(np.asarray(view, float) - np.asarray(truth.convert("L").resize((300, 220)), float)).mean()
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_exif_orientation_comes_out_upright(page: Image.Image, orientation: int) -> None:
    shown = seen(papers.as_jpeg(page, exif_orientation=orientation), intake.JPEG)
    assert (shown.width, shown.height) == page.size
    assert likeness(shown, page) < 3


@pytest.mark.parametrize(("orientation", "turn"), [(3, 180), (6, 90), (8, -90)])
def test_a_turned_tiff_comes_out_upright(page: Image.Image, orientation: int, turn: int) -> None:
    out = io.BytesIO()
    page.rotate(turn, expand=True).save(out, "TIFF", tiffinfo={274: orientation})
    shown = seen(out.getvalue(), intake.TIFF)
    assert (shown.width, shown.height) == page.size
    assert likeness(shown, page) < 3


def test_heic() -> None:
    shown = seen(HEIC.read_bytes(), intake.HEIC)
    assert (shown.width, shown.height) == (1200, 881)
    assert shown.verdict == "pass"
    assert likeness(shown, papers.household_page("林小雨", "622999201305060023", width=1200)) < 4


def test_cmyk_jpeg(page: Image.Image) -> None:
    assert likeness(seen(papers.as_jpeg(page.convert("CMYK")), intake.JPEG), page) < 6


def test_grey_and_bilevel(page: Image.Image) -> None:
    assert likeness(seen(papers.as_jpeg(page.convert("L")), intake.JPEG), page) < 4
    assert likeness(seen(papers.as_tiff(page.convert("1", dither=Image.Dither.NONE)), intake.TIFF), page) < 25


@pytest.mark.parametrize("bits", [16, 12, 10])
def test_deep_grey_is_not_white(page: Image.Image, bits: int) -> None:
    deep = np.asarray(page.convert("L"), np.uint16) * ((2**bits - 1) // 255)
    assert likeness(seen(papers.as_png(Image.fromarray(deep)), intake.PNG), page) < 3


@pytest.mark.parametrize("top", [1.0, 255.0])
def test_float_tiff_is_not_black(page: Image.Image, top: float) -> None:
    values = np.asarray(page.convert("L"), np.float32) / 255 * top
    assert likeness(seen(papers.as_tiff(Image.fromarray(values)), intake.TIFF), page) < 3


def test_black_text_on_a_clear_ground_lies_on_white(page: Image.Image) -> None:
    ink = page.convert("L").point(lambda v: 255 - v)
    clear = Image.new("RGBA", page.size, (0, 0, 0, 0))
    clear.putalpha(ink)
    assert likeness(seen(papers.as_png(clear), intake.PNG), page) < 16
    assert likeness(seen(papers.as_png(clear.convert("LA")), intake.PNG), page) < 16


def test_palette(page: Image.Image) -> None:
    assert likeness(seen(papers.as_png(page.quantize(64)), intake.PNG), page) < 5


def test_a_108_megapixel_jpeg_is_decoded_reduced() -> None:
    sheet = papers.police_certificate("林小雨", "622999201305060023", "林晓雨", "林小雨", width=1240)
    large = sheet.resize((9000, 12000), Image.Resampling.NEAREST)
    shown = seen(papers.as_jpeg(large, 60), intake.JPEG)
    assert (shown.width, shown.height) == (9000, 12000)
    assert max(shown.view_size) <= 2400


def test_pages_of_a_pdf_and_a_tiff_are_judged_one_by_one(page: Image.Image) -> None:
    for data in (
        papers.as_pdf(page, papers.blank_sheet(width=1200)),
        papers.as_tiff(page, papers.blank_sheet(width=1200)),
    ):
        result = judge(data)
        assert [p.page for p in result.pages] == [1, 2]
        assert [p.verdict for p in result.pages] == ["pass", "pass"]
        assert result.messages[0].startswith("第 2 页：这一页没有内容")
