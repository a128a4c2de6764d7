"""The picture checks on drawn papers with defects of known size."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from storage.judge import PageJudgement, judge
from storage.measurement import Measurement
from storage.thresholds import standard
from tests import papers

NUMBER = "622999201305060023"


@pytest.fixture(scope="module")
def scan() -> Image.Image:
    return papers.police_certificate("林小雨", NUMBER, "林晓雨", "林小雨")


@pytest.fixture(scope="module")
def photo(scan: Image.Image) -> Image.Image:
    return papers.on_desk(scan)


def look(image: Image.Image, quality: int = 90) -> PageJudgement:
    result = judge(papers.as_jpeg(image, quality))
    assert result.refusal is None
    (page,) = result.pages
    return page


def measured(page: PageJudgement, name: str) -> Measurement:
    return next(m for m in page.measurements if m.name == name)


def faults(page: PageJudgement) -> dict[str, str]:
    return {m.name: m.verdict for m in page.measurements if m.verdict != "pass"}


@pytest.mark.parametrize("seed", range(3))
def test_honest_scans_pass(seed: int) -> None:
    certificate = papers.police_certificate("周明轩", NUMBER, "周明宣", "周明轩", seed)
    for width in (2480, 1654, 1240):
        page = look(papers.narrow(certificate, width))
        assert faults(page) == {}
        assert page.mending.nothing
    assert faults(look(papers.household_page("周明轩", NUMBER, seed))) == {}


@pytest.mark.parametrize("seed", range(2))
def test_honest_photographs_are_never_asked_again(seed: int) -> None:
    certificate = papers.police_certificate("周明轩", NUMBER, "周明宣", "周明轩", seed)
    for page in (
        look(papers.on_desk(certificate, seed, lean=-0.5)),
        look(papers.on_desk(papers.household_page("周明轩", NUMBER), seed, size=(4000, 3000), lean=3)),
        look(
            papers.noisy(papers.on_desk(certificate, seed, size=(1440, 1920)), 4), 60
        ),  # through a messenger
    ):
        assert page.verdict in ("pass", "mend"), faults(page)


def test_the_five_files_of_one_upload_are_told_apart(scan: Image.Image) -> None:
    last_line = 1 - 274 / 297  # through the middle of the last line of print
    sharp, blurred, leaning, cut, small = (
        look(image)
        for image in (
            scan,
            papers.blurred(scan, 9),
            papers.rotated(scan, 8),
            papers.cut_bottom(scan, last_line),
            papers.narrow(scan, 600),
        )
    )
    assert sharp.verdict == "pass"
    assert faults(blurred)["sharpness"] == "refuse"
    assert "画面模糊，请平放、对焦后重拍" in [m.message for m in blurred.measurements]
    assert faults(leaning) == {"skew": "mend"}
    assert measured(leaning, "skew").value == pytest.approx(8.0, abs=0.15)
    assert faults(cut) == {"completeness": "advise"}
    assert measured(cut, "completeness").message == "下边的文字没拍全，请把整张纸拍进画面"
    assert faults(small) == {"text_size": "advise"}
    assert measured(small, "text_size").message.startswith("字偏小，")


def test_blur_is_measured_in_characters(scan: Image.Image) -> None:
    values = [measured(look(papers.blurred(scan, sigma)), "sharpness").value for sigma in (1, 3, 5, 8, 14)]
    assert values == sorted(values)
    assert values[0] < standard().blur_advise < values[2]
    half = measured(look(papers.narrow(papers.blurred(scan, 8), 1240)), "sharpness").value
    assert half == pytest.approx(values[3], rel=0.25)  # the same paper at half the resolution


def test_strong_blur_and_shake_are_refused(scan: Image.Image, photo: Image.Image) -> None:
    for image in (
        papers.blurred(scan, 12),
        papers.blurred(scan, 30),
        papers.noisy(papers.blurred(photo, 10), 3),
        papers.shaken(scan, 34),
    ):
        assert faults(look(image))["sharpness"] == "refuse"


@pytest.mark.parametrize("degrees", [-14.0, -8.0, -2.5, 2.0, 5.0, 11.0])
def test_skew_is_measured_and_mended(scan: Image.Image, degrees: float) -> None:
    leaning = papers.rotated(scan, degrees)
    page = look(leaning)
    assert measured(page, "skew").value == pytest.approx(degrees, abs=0.15)
    assert page.mending.skew == measured(page, "skew").value
    again = judge(page.view_jpeg).pages[0]
    assert abs(measured(again, "skew").value) < 0.3  # the view stands straight


def test_the_grain_of_the_desk_does_not_count_as_skew(scan: Image.Image) -> None:
    for lean in (-6.0, 7.0):
        value = measured(look(papers.on_desk(scan, 3, lean=lean)), "skew").value
        assert value == pytest.approx(lean, abs=1.0)  # the perspective leans by half a degree itself


def test_very_skewed_is_advised(scan: Image.Image) -> None:
    page = look(papers.rotated(scan, 20))
    assert faults(page) == {"skew": "advise"}
    assert page.mending.skew == pytest.approx(20, abs=0.2)


def test_blank_sheets_are_refused_and_nothing_else_is_said() -> None:
    for image in (
        papers.blank_sheet(),
        papers.noisy(papers.blank_sheet(width=1240), 6),
        papers.on_desk(papers.blank_sheet()),
    ):
        page = look(image)
        assert faults(page) == {"blank": "refuse"}
        assert len(page.measurements) == 1


def test_a_sheet_with_nothing_but_a_seal_or_a_line_is_not_blank(scan: Image.Image) -> None:
    left, top = round(128 * scan.width / 210), round(222 * scan.width / 210)
    sealed = papers.blank_sheet(width=scan.width)
    sealed.paste(scan.crop((left, top, left + 560, top + 520)), (left, top))
    assert "blank" not in faults(look(sealed))


def test_darkness_is_mended_and_blackness_refused(photo: Image.Image) -> None:
    dim = papers.noisy(papers.dark(photo, 0.28), 4)
    page = look(dim)
    assert faults(page)["exposure"] == "mend"
    bright = judge(page.view_jpeg).pages[0]
    assert measured(bright, "exposure").value > 150  # the view was brightened
    assert faults(look(papers.noisy(papers.dark(photo, 0.06), 2)))["exposure"] == "refuse"


def test_glare_and_faint_print_are_advised(scan: Image.Image, photo: Image.Image) -> None:
    shining = measured(look(papers.glare(papers.dark(photo, 0.95), 0.25)), "glare")
    assert (shining.verdict, shining.unit) == ("advise", "%")
    assert shining.message.startswith("有反光")
    faint = measured(look(scan.point(lambda v: 215 + v * 38 // 255)), "exposure")
    assert (faint.verdict, faint.unit) == ("advise", "share")


def test_thresholds_are_settings(scan: Image.Image) -> None:
    strict = replace(standard(), version="strict", text_advise_px=200.0)
    result = judge(papers.as_jpeg(scan), thresholds=strict)
    assert result.thresholds == "strict"
    assert faults(result.pages[0]) == {"text_size": "advise"}
    assert judge(papers.as_jpeg(scan)).thresholds == standard().version


def test_every_fault_names_one_act() -> None:
    small = papers.narrow(papers.police_certificate("周明轩", NUMBER, "周明宣", "周明轩"), 500)
    result = judge(papers.as_jpeg(papers.blurred(small, 2)))
    assert result.messages
    for message in result.messages:
        assert "请" in message
        assert not message.endswith("。")
