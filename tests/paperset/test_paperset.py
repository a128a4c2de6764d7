"""The drawn pictures are what their truth says: measured in the pixels, by other means than the checks use."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.paperset import CHECKS, draw
from tests.paperset.__main__ import indexes, main
from tests.paperset.counting import counted, severity_of
from tests.paperset.cutting import characters_cut, cut_at
from tests.paperset.defects import PLANTED, planted
from tests.paperset.drawing import photocopied, shot
from tests.paperset.evaluation import Finding, judged
from tests.paperset.geometry import Picture, corners_of, moved
from tests.paperset.honest import LEAST_TEXT, MOST_BLUR, Setup, honest
from tests.paperset.papers import KINDS, NO_STAMP, Paper, Stamp, draw_paper
from tests.paperset.recipe import Recipe
from tests.paperset.report import BEGIN, END, report, written_into
from tests.paperset.scenes import take
from tests.paperset.truth import HONEST_VERDICTS, Defect, Truth

SCAN = Recipe("scan", "colour", dpi=200, level=253, grain=0.5)
PHOTO = Recipe("photo", "grey", size=(1500, 2000), level=205, slope=0.0, grain=0.5)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def marked(*boxes: tuple[int, int, int, int]) -> Paper:
    """A white A4 sheet with black boxes (left, top, right, bottom in mm) on it, instead of text."""
    pixels = np.full((2970, 2100, 3), 253, np.uint8)
    for left, top, right, bottom in boxes:
        pixels[10 * top : 10 * bottom, 10 * left : 10 * right] = 20
    return Paper("letter", pixels, (210.0, 297.0), 4.0, (), 253.0)


def grey(picture: Picture) -> np.ndarray:
    return picture.pixels.mean(axis=2) if picture.pixels.ndim == 3 else picture.pixels


def around(picture: Picture, x: float, y: float, reach: int = 6) -> float:
    """The mean level around a point of the paper (mm)."""
    column, row = (round(v) for v in picture.at((x, y))[0])
    return float(grey(picture)[row - reach : row + reach, column - reach : column + reach].mean())


# --- the set --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", (20, 30, 47))
def test_an_index_always_gives_the_same_picture(index: int) -> None:
    one, other = draw(index), draw(index)
    assert one == other
    assert one.data != draw(index + 4).data


def test_half_is_reserved_and_the_halves_are_alike() -> None:
    assert indexes(6, "both") == [0, 1, 2, 3, 4, 5]
    assert indexes(3, "tuning") == [0, 2, 4]
    assert indexes(3, "reserved") == [1, 3, 5]
    tuning, reserved = (draw(index).truth for index in (58, 59))
    assert (tuning.reserved, reserved.reserved) == (False, True)
    assert [d.check for d in tuning.defects] == [d.check for d in reserved.defects] == ["completeness"]


def test_every_paper_comes_under_every_condition_and_every_check_has_a_defect() -> None:
    honest_ones = [honest(number, rng(number)) for number in range(84)]
    assert {setup.kind for setup in honest_ones} == set(KINDS)
    ways = {(setup.recipe.condition, setup.recipe.detail) for setup in honest_ones}
    assert len(ways) == 3 + 6 + 3
    assert len({(setup.kind, setup.recipe.condition) for setup in honest_ones}) == 3 * len(KINDS)
    # A negative is all of a picture, not a defect of its taking: tests/storage/test_pages.py makes its own.
    assert {one.check for one in PLANTED} == set(CHECKS) - {"inverted"}


@pytest.mark.parametrize("number", range(0, 84, 5))
def test_honest_pictures_are_legible(number: int) -> None:
    """By the recipe; what the recipe does to the pixels is measured below."""
    setup = honest(number, rng(number))
    recipe = setup.recipe
    assert setup.defects == ()
    assert recipe.blur <= MOST_BLUR
    assert recipe.level >= 150
    assert (recipe.cut, recipe.shadow, recipe.part, recipe.glare_mm, recipe.quarters) == ("", "", "", 0.0, 0)


@pytest.mark.parametrize("index", (8, 60, 80, 140, 164, 200))
def test_honest_text_is_large_enough_and_all_of_the_sheet_is_there(index: int) -> None:
    sample = draw(index)
    image = Image.open(io.BytesIO(sample.data))
    assert sample.truth.defects == ()
    assert sample.truth.legible
    assert sample.truth.expected_verdicts == HONEST_VERDICTS
    assert sample.truth.text_px >= LEAST_TEXT - 0.1
    assert min(image.size) >= 800 or sample.truth.kind == "household-page"


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_paper_has_lines_within_its_margins(kind: str) -> None:
    paper = draw_paper(kind, 3, Stamp())
    wide, high = paper.size_mm
    assert sum(line.characters for line in paper.lines) > 60
    for line in paper.lines:
        assert 2 < line.left < line.right < wide - 2
        assert 2 < line.top < line.bottom < high - 2


def test_a_seal_is_red_and_a_photocopy_is_not() -> None:
    def red(paper: Paper) -> int:
        values = paper.pixels.astype(int)
        return int((values[:, :, 0] - values[:, :, 1:].max(axis=2) > 100).sum())

    sealed = draw_paper("police-certificate", 3, Stamp())
    assert red(sealed) > 20_000
    assert red(draw_paper("police-certificate", 3, NO_STAMP)) == 0
    copy = photocopied(sealed).pixels
    assert (copy[:, :, 0] == copy[:, :, 1]).all()
    assert (copy[:, :, 0] == copy[:, :, 2]).all()


# --- what was done to a picture, measured in it ---------------------------------------------------------------------


@pytest.mark.parametrize("share", (0.05, 0.1, 0.25))
@pytest.mark.parametrize("recipe", (SCAN, PHOTO), ids=("scan", "photo"))
def test_the_blur_is_the_one_that_is_told(recipe: Recipe, share: float) -> None:
    paper = marked((0, 0, 105, 297))  # the left half black: one long edge
    picture = take(paper, replace(recipe, blur=share), rng())
    left, right = picture.at((85.0, 150.0), (125.0, 150.0))
    row = grey(picture)[round(left[1]) - 20 : round(left[1]) + 20, round(left[0]) : round(right[0])].mean(
        axis=0
    )
    slope = np.abs(np.diff(row))
    where = np.arange(len(slope))
    middle = (slope * where).sum() / slope.sum()
    near = np.abs(where - middle) < 4 * share * paper.text_mm * picture_scale(picture)
    sigma = math.sqrt((slope[near] * (where[near] - middle) ** 2).sum() / slope[near].sum())
    assert sigma / (paper.text_mm * picture_scale(picture)) == pytest.approx(share, rel=0.15)


def picture_scale(picture: Picture) -> float:
    one, other = picture.at((100.0, 150.0), (110.0, 150.0))
    return float(np.hypot(*(other - one))) / 10


@pytest.mark.parametrize("degrees", (-12.0, -0.7, 3.0, 15.0))
def test_the_lean_is_the_one_that_is_told(degrees: float) -> None:
    paper = marked((30, 148, 180, 149))  # one line of "text"
    for recipe in (SCAN, PHOTO):
        picture = take(paper, replace(recipe, lean=degrees, detail="white"), rng())
        dark = np.argwhere(grey(picture) < 90)
        vx, vy, _, _ = cv2.fitLine(dark[:, ::-1].astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
        assert math.degrees(math.atan(vy / vx)) == pytest.approx(degrees, abs=0.1)


def test_the_height_of_a_character_is_the_one_that_is_told() -> None:
    index = next(i for i in range(0, 96, 4) if draw(i).truth.kind == "police-certificate")
    setup = honest(index // 4, np.random.default_rng(0))
    paper = draw_paper(setup.kind, index, NO_STAMP)
    picture = take(paper, SCAN, rng())
    line = next(one for one in paper.lines if one.characters > 20)
    (left, top), (right, bottom) = picture.at((line.left, line.top), (line.right, line.bottom))
    ink = (grey(picture)[round(top) - 2 : round(bottom) + 2, round(left) : round(right)] < 128).any(axis=1)
    assert ink.sum() == pytest.approx(paper.text_mm * 200 / 25.4, rel=0.15)


@pytest.mark.parametrize("level", (20.0, 50.0, 170.0))
def test_the_paper_is_as_bright_as_told(level: float) -> None:
    picture = take(marked((50, 50, 60, 60)), replace(PHOTO, level=level, slope=0.2), rng())
    outline = moved(picture.way, corners_of((210.0, 297.0))).astype(np.int32)
    sheet = cv2.fillConvexPoly(np.zeros(picture.pixels.shape[:2], np.uint8), outline, 1)
    assert np.median(grey(picture)[sheet > 0]) == pytest.approx(level, abs=3)


@pytest.mark.parametrize("shape", ("half", "hand"))
def test_a_shadow_is_as_deep_as_told(shape: str) -> None:
    lit = take(marked(), PHOTO, rng())
    shaded = take(marked(), replace(PHOTO, shadow=shape, shadow_depth=0.4), rng())
    outline = moved(lit.way, corners_of((210.0, 297.0))).astype(np.int32)
    sheet = cv2.erode(cv2.fillConvexPoly(np.zeros(grey(lit).shape, np.uint8), outline, 1), np.ones((25, 25)))
    ratio = (grey(shaded) / grey(lit))[sheet > 0]
    assert np.percentile(ratio, 5) == pytest.approx(0.4, abs=0.03)
    assert np.percentile(ratio, 99) == pytest.approx(1.0, abs=0.03)
    assert 0.1 < (ratio < 0.5).mean() < 0.8


@pytest.mark.parametrize("diameter", (20.0, 40.0))
def test_glare_is_as_large_as_told(diameter: float) -> None:
    paper = draw_paper("letter", 4, NO_STAMP)
    picture = take(paper, replace(PHOTO, glare_mm=diameter), rng())
    area = (grey(picture) > 252).sum() / picture_scale(picture) ** 2
    assert math.sqrt(4 * area / math.pi) == pytest.approx(diameter, rel=0.15)


def test_a_shaken_edge_is_as_wide_as_the_way_of_the_hand() -> None:
    paper = marked((0, 0, 105, 297))
    picture = take(paper, replace(SCAN, motion_mm=2.0, motion_angle=0.0), rng())
    row = grey(picture)[1100:1140].mean(axis=0)
    between = ((row > 20 + 0.05 * 233) & (row < 253 - 0.05 * 233)).sum()
    assert between / (200 / 25.4) == pytest.approx(2.0, rel=0.2)
    upright = take(paper, replace(SCAN, motion_mm=2.0, motion_angle=90.0), rng())
    assert (np.abs(grey(upright)[1100:1140].mean(axis=0) - 136) < 100).sum() <= 2


@pytest.mark.parametrize("side", ("top", "bottom", "left", "right"))
def test_a_cut_goes_through_text(side: str) -> None:
    paper = draw_paper("approval-form", 5, NO_STAMP)
    whole, cut = take(paper, SCAN, rng()), take(paper, replace(SCAN, cut=side), rng())
    assert characters_cut(paper, side) >= 2
    assert cut.pixels.size < whole.pixels.size
    at = cut_at(paper, side)
    edge = {"top": grey(cut)[0], "bottom": grey(cut)[-1], "left": grey(cut)[:, 0], "right": grey(cut)[:, -1]}[
        side
    ]
    assert (edge < 128).sum() >= 4, at


def test_quarter_turns_and_upside_down_are_stored_so() -> None:
    for number, degrees in ((4, 90), (28, 180), (52, 270)):
        setup = planted(number, rng(number))
        assert (setup.defects[0].check, setup.defects[0].severity) == ("orientation", degrees)
        assert setup.recipe.quarters == degrees // 90
    truth, image = draw(18).truth, ImageOps.exif_transpose(Image.open(io.BytesIO(draw(18).data)))
    assert [(d.check, d.severity) for d in truth.defects] == [("orientation", 90.0)]
    assert (image.width > image.height) == (truth.kind != "household-page")


def test_small_text_is_as_small_as_told() -> None:
    setup = Setup("letter", NO_STAMP, replace(PHOTO, wanted_text_px=7.5))
    paper = draw_paper("letter", 4, NO_STAMP)
    picture = shot(setup, paper, rng())
    assert picture_scale(picture) * paper.text_mm == pytest.approx(7.5, rel=0.05)
    assert picture.pixels.shape[1] < 800


# --- counting -------------------------------------------------------------------------------------------------------


def a_finding(verdict: str, checks: dict[str, str], *defects: Defect) -> Finding:
    truth = Truth(
        0, False, "letter", "scan", "colour 200 dpi", 30.0, 0.01, 4.0, 250.0, (), defects, True, frozenset({"advise"})
    )  # fmt: skip
    return Finding("a.jpg", verdict, checks, {"skew": 4.5}, (1000, 1400), "", 0.2, "test", truth)  # type: ignore[arg-type]


def test_what_is_missed_and_what_is_asked_wrongly_is_counted() -> None:
    blur, lean = Defect("sharpness", "lens", 0.1, "h"), Defect("skew", "skew", 4.0, "°")
    summary = counted(
        [
            a_finding("pass", {"sharpness": "pass", "skew": "pass"}),
            a_finding("advise", {"sharpness": "advise", "skew": "mend"}),
            a_finding("advise", {"sharpness": "advise", "skew": "pass"}, blur),
            a_finding("advise", {"sharpness": "pass", "skew": "advise"}, blur),
            a_finding("mend", {"sharpness": "pass", "skew": "mend"}, lean),
        ],
        "both",
    )
    honest_scans = summary.honest["scan, colour"]
    assert (honest_scans.pictures, honest_scans.verdicts["advise"]) == (2, 1)
    assert honest_scans.asked_by == {"sharpness": 1}
    found = summary.found["sharpness", "lens", "0.1 h"]
    assert (found.planted, found.named, found.missed, found.otherwise, found.right) == (2, 1, 1, 1, 1)
    assert summary.by_condition["skew", "scan"].missed == 0
    assert summary.elsewhere == {"skew": 1}
    assert summary.skew_errors == [0.5]
    text = report(summary, [a_finding("mend", {"skew": "mend"})], {"a.jpg": "a book"})
    assert "| a.jpg | 1000 x 1400 | mend | skew mend | a book |" in text
    assert "| sharpness | lens | 0.1 h | 2 | 1 | 1 | 1 | 1 |" in text
    assert "Not judged: blank, text_size," in text
    assert json.loads(json.dumps(summary.record()))["planted"][0]["missed"] == 1


def test_the_severity_of_a_cut_is_told_in_classes() -> None:
    cuts = [Defect("completeness", "left", float(n), "characters") for n in (2, 7, 25)]
    assert [severity_of(cut) for cut in cuts] == [
        "2 or more characters",
        "5 or more characters",
        "10 or more characters",
    ]


def test_the_judge_is_asked_about_the_paper_that_it_is() -> None:
    found = judged(26)  # shaken by 1.2 mm on a scan of 100 dpi
    assert found.truth is not None
    assert found.truth.defects[0].kind == "hand"
    assert found.thresholds
    assert found.verdict in ("mend", "advise", "refuse")


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_writes_pictures_with_their_truth(tmp_path: Path) -> None:
    assert main(["--make", str(tmp_path), "--count", "2", "--half", "reserved"]) == 0
    truths = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text("utf-8").splitlines()]
    assert [truth["index"] for truth in truths] == [1, 3]
    assert all(truth["reserved"] for truth in truths)
    for truth in truths:
        Image.open(tmp_path / truth["file"]).verify()
    assert main([]) == 2


def test_the_tables_go_between_the_marks_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "evidence.md"
    page.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n", encoding="utf-8")
    written_into(page, "new")
    assert page.read_text("utf-8") == f"before\n\n{BEGIN}\n\nnew\n\n{END}\n\nafter\n"
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(ValueError, match="lacks the marks"):
        written_into(page, "new")
