"""Blank backs of sheets, and scans of white print on black."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from storage.judge import Judgement, PageJudgement, judge
from storage.measurement import Mending
from storage.rendition import for_national_system
from storage.thresholds import standard
from tests import papers
from tests.pdf_papers import jpeg, pages


@pytest.fixture(scope="module")
def sheet() -> Image.Image:
    return papers.police_certificate("林小雨", "622999201305060023", "林晓雨", "林小雨", width=1100)


@pytest.fixture(scope="module")
def back() -> Image.Image:
    """As a scanner sees the back of a sheet: grain, and a dark line of its lid along one side."""
    grain = papers.noisy(papers.blank_sheet(width=1100), 1.5, seed=5)
    grain.paste((90, 90, 92), (0, 0, 3, grain.height))
    return grain


# --- the blank back of a sheet


def told(result: Judgement) -> list[tuple[str, str]]:
    return [
        (page.verdict, " ".join(m.message for m in page.measurements if m.message)) for page in result.pages
    ]


def test_the_blank_back_of_a_sheet_is_told_and_not_refused(sheet: Image.Image, back: Image.Image) -> None:
    for data in (pages([jpeg(sheet), jpeg(back)]), papers.as_tiff(sheet.copy(), back.copy())):
        result = judge(data)
        assert result.refusal is None and result.verdict == "pass"
        first, second, *_ = told(result)
        assert first == ("pass", "") and second[0] == "pass"
        assert "空白页" in second[1] and "不计入材料页数" in second[1]
        assert result.messages == (f"第 2 页：{second[1]}",)


def test_a_file_of_blank_pages_alone_is_refused(back: Image.Image) -> None:
    for data in (papers.as_jpeg(back), pages([jpeg(back)] * 2)):
        result = judge(data)
        assert result.verdict == "refuse" and {page.verdict for page in result.pages} == {"refuse"}


def test_a_page_of_few_words_is_no_blank_one(sheet: Image.Image, back: Image.Image) -> None:
    few = papers.Sheet(210, 297, 1240, (252, 252, 250))
    few.text(30, 40, "以上情况属实，同意变更", 6)
    result = judge(papers.as_tiff(sheet.copy(), few.image, back.copy()))
    assert ["空白页" in text for _verdict, text in told(result)] == [False, False, True]


# --- white print on black


def bilevel(image: Image.Image) -> Image.Image:
    return image.convert("L").point(lambda v: 255 * (v > 150)).convert("1")


def tiff(image: Image.Image, photometric: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "TIFF", compression="group4", tiffinfo={262: photometric})
    return out.getvalue()


def negatives(sheet: Image.Image) -> dict[str, bytes]:
    black = ImageOps.invert(bilevel(sheet).convert("L")).convert("1")
    return {
        "fax, black is zero": tiff(black, 1),
        "fax, white is zero": tiff(black, 0),
        "bilevel PNG": papers.as_png(black),
        "grey JPEG": papers.as_jpeg(ImageOps.invert(sheet.convert("L"))),
        "coloured JPEG": papers.as_jpeg(ImageOps.invert(sheet)),
        "a page of a PDF": pages([jpeg(ImageOps.invert(sheet))]),
    }


def by_name(page: PageJudgement) -> dict[str, Any]:
    return {one.name: one for one in page.measurements}


def darkness(picture: bytes) -> float:
    return float(np.asarray(Image.open(io.BytesIO(picture)).convert("L")).mean())


def test_a_negative_is_turned_and_shown_before_and_after(sheet: Image.Image) -> None:
    for kind, data in negatives(sheet).items():
        (page,) = judge(data, thresholds=standard("other")).pages
        found = by_name(page)
        assert page.verdict == "mend" and page.mending.inverted, kind
        assert "黑白颠倒" in found["inverted"].message and "反转" in found["inverted"].message
        assert found["exposure"].verdict == "pass" and found["skew"].verdict == "pass", kind
        assert darkness(page.view_jpeg) > 180 > 80 > darkness(page.plain_jpeg), kind
        assert darkness(page.thumb_jpeg) > 180
        if "coloured" in kind:
            assert page.seals, "the seal is red again"


def test_the_rendition_of_a_negative_is_turned_too(sheet: Image.Image) -> None:
    data = negatives(sheet)["bilevel PNG"]
    mending = judge(data).pages[0].mending
    assert darkness(for_national_system(data, mending=mending)) > 180
    assert darkness(for_national_system(data, mending=Mending())) < 80
    assert Mending.of({"skew": 1.0}).inverted is False, "as pages were kept before"


def test_a_leaning_negative_is_turned_and_straightened(sheet: Image.Image) -> None:
    (page,) = judge(papers.as_jpeg(ImageOps.invert(papers.rotated(sheet, 4)))).pages
    assert page.mending.inverted and page.mending.skew == pytest.approx(4, abs=0.2)


def test_a_dark_photograph_is_no_negative(sheet: Image.Image) -> None:
    photo = papers.on_desk(sheet, size=(1200, 1600))
    desk = Image.new("RGB", (1200, 1600), (18, 17, 16))
    desk.paste(sheet.resize((560, 792)), (320, 400))
    for kind, picture in {
        "dusk": papers.noisy(papers.dark(photo, 0.3), 3),
        "night": papers.noisy(papers.dark(photo, 0.12), 3),
        "a sheet on a black desk": desk,
        "a lamp in the dark": papers.glare(papers.dark(photo, 0.2), 0.3),
        "all black": Image.new("RGB", (1240, 1754), (4, 4, 4)),
    }.items():
        (page,) = judge(papers.as_jpeg(picture), pictures=False).pages
        assert not page.mending.inverted and "inverted" not in by_name(page), kind
