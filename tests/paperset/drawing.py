"""From an index to the bytes of a picture and its truth."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from PIL import Image

from tests import papers
from tests.paperset.cutting import characters_cut
from tests.paperset.defects import planted
from tests.paperset.geometry import Picture, lean_of, scale_of
from tests.paperset.honest import Setup, honest
from tests.paperset.papers import Paper, blank_paper, draw_paper
from tests.paperset.scenes import take
from tests.paperset.screens import from_monitor, screenshot
from tests.paperset.truth import Defect, Sample, Truth

FIRST_SEED = 20_261_107


def draw(index: int) -> Sample:
    """The picture of that index, the same bytes each time.

    Even indexes are for tuning, odd ones reserved. In each half honest pictures and planted defects take turns.
    """
    rng = np.random.default_rng([FIRST_SEED, index])
    number = index // 4
    setup = planted(number, rng) if index // 2 % 2 else honest(number, rng)
    paper = subject(setup, index)
    picture = shot(setup, paper, rng)
    data, suffix = stored(setup, picture, rng)
    return Sample(data, suffix, truth_of(index, setup, paper, picture))


def subject(setup: Setup, index: int) -> Paper:
    """The paper to be taken."""
    if setup.subject == "blank":
        return blank_paper(index)
    paper = draw_paper(setup.kind, index, setup.stamp)
    return photocopied(paper) if setup.subject == "photocopy" else paper


def photocopied(paper: Paper) -> Paper:
    """A copy in black and grey: more contrast, no colour."""
    grey = cv2.cvtColor(paper.pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey = np.clip((grey - 40) * 1.22, 12, 250).astype(np.uint8)
    return replace(paper, pixels=cv2.merge([grey] * 3), level=250.0)


def shot(setup: Setup, paper: Paper, rng: np.random.Generator) -> Picture:
    """The picture, made small and turned where the recipe says so."""
    if setup.subject == "screenshot":
        return screenshot(paper, rng)
    if setup.subject == "screen":
        return from_monitor(paper, setup.recipe, rng)
    picture = take(paper, setup.recipe, rng)
    if setup.recipe.wanted_text_px:
        picture = shrunk(picture, setup.recipe.wanted_text_px / text_px(picture, paper))
    return picture


def shrunk(picture: Picture, share: float) -> Picture:
    """Made smaller by the program that sent it."""
    pixels = cv2.resize(picture.pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return Picture(pixels, np.diag((share, share, 1.0)) @ picture.way)


def text_px(picture: Picture, paper: Paper) -> float:
    """Height of a character of the running text in the middle of the paper."""
    return paper.text_mm * scale_of(picture.way, (paper.size_mm[0] / 2, paper.size_mm[1] / 2))


def stored(setup: Setup, picture: Picture, rng: np.random.Generator) -> tuple[bytes, str]:
    """As the scanner, the phone or the messenger would store it."""
    recipe = setup.recipe
    image = Image.fromarray(np.ascontiguousarray(np.rot90(picture.pixels, -recipe.quarters)))
    if recipe.condition == "messenger":
        image = Image.fromarray(recompressed(np.asarray(image)))
    if recipe.detail == "bilevel":
        return papers.as_tiff(image.convert("1")), ".tif"
    if setup.subject == "screenshot" or (recipe.condition == "scan" and rng.random() < 0.15):
        return papers.as_png(image), ".png"
    return papers.as_jpeg(image, recipe.quality, recipe.exif), ".jpg"


def recompressed(pixels: np.ndarray) -> np.ndarray:
    """What is left after the phone's own JPEG. (OpenCV expects BGR and gives back what it was given.)"""
    _, data = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, 92))
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def truth_of(index: int, setup: Setup, paper: Paper, picture: Picture) -> Truth:
    """What is true of the picture."""
    recipe, middle = setup.recipe, (paper.size_mm[0] / 2, paper.size_mm[1] / 2)
    return Truth(
        index=index,
        reserved=index % 2 == 1,
        kind=setup.kind,
        condition=recipe.condition,
        detail=f"{recipe.detail} {recipe.dpi:.0f} dpi" if recipe.condition == "scan" else recipe.detail,
        text_px=round(text_px(picture, paper), 1),
        blur=round(recipe.blur, 4),
        lean=round(lean_of(picture.way, middle), 3),
        level=round(min(recipe.level, paper.level), 1),
        needs=setup.needs,
        defects=tuple(measured(defect, paper) for defect in setup.defects),
        legible=setup.legible,
        expected_verdicts=setup.verdicts,
    )


def measured(defect: Defect, paper: Paper) -> Defect:
    """With the size it came to have on this paper, where that is known only afterwards."""
    if defect.check != "completeness":
        return defect
    return replace(defect, severity=float(characters_cut(paper, defect.kind)))
