"""Every check on pictures with planted defects and on honest ones, the judge's own command line, and mending by the corners."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from storage.judge import PageJudgement, judge
from storage.judging import CHECKS
from storage.measurement import Mending
from storage.mending import back, way
from storage.thresholds import NAMES, changed, papers, standard
from tests import papers as drawn
from tests.paperset import draw
from tests.paperset.evaluation import PAPERS
from tests.paperset.truth import Sample

NUMBER = "622999201305060023"
EACH = 2  # pictures for each check


@pytest.fixture(scope="module")
def planted() -> dict[str, list[Sample]]:
    """For each check the first pictures of the tuning half with its plainest defects."""
    found: dict[str, list[Sample]] = {name: [] for name in CHECKS}
    for sample in _samples(1, 96):
        for defect in sample.truth.defects:
            found[defect.check].append(sample)
    return {name: samples[:EACH] for name, samples in found.items()}


def _samples(first: int, count: int) -> Iterator[Sample]:
    """Samples of the tuning half: honest ones when ``first`` is 0, with defects when it is 1."""
    return (draw(2 * (2 * number + first)) for number in range(count // 2))


def look(sample: Sample) -> PageJudgement:
    kind = PAPERS.get(sample.truth.kind, sample.truth.kind)
    (page,) = judge(sample.data, thresholds=standard(kind), pictures=False).pages
    return page


# The set holds no negatives: tests/storage/test_pages.py makes them
@pytest.mark.parametrize("check", [name for name in CHECKS if name != "inverted"])
def test_planted_defects_are_named(planted: dict[str, list[Sample]], check: str) -> None:
    assert planted[check], "the generator plants it"
    for sample in planted[check]:
        found = {m.name: m for m in look(sample).measurements}
        assert found[check].verdict != "pass", (sample.truth, found[check])
        assert "请" in found[check].message or found[check].verdict == "mend"


def test_honest_papers_are_not_asked_again() -> None:
    for sample in _samples(0, 40):
        page = look(sample)
        assert page.verdict in ("pass", "mend"), (sample.truth, page.measurements)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_page_is_set_upright(quarters: int) -> None:
    scan = drawn.police_certificate("林小雨", NUMBER, "林晓雨", "林小雨")
    (page,) = judge(drawn.as_jpeg(scan.rotate(90 * quarters, expand=True))).pages  # counterclockwise
    assert page.mending.rotation == 90 * quarters
    assert (page.view_size[0] < page.view_size[1]) is True
    (again,) = judge(page.view_jpeg).pages
    assert again.mending.nothing


def test_a_sheet_on_a_desk_is_cut_out_and_straight() -> None:
    certificate = drawn.police_certificate("林小雨", NUMBER, "林晓雨", "林小雨")
    photo = drawn.on_desk(certificate, lean=4.0)
    (page,) = judge(drawn.as_jpeg(photo)).pages
    assert len(page.corners) == 4 and page.mending.corners == page.corners
    assert page.plain_jpeg and page.view_jpeg != page.plain_jpeg
    width, height = page.view_size
    assert height / width == pytest.approx(certificate.height / certificate.width, rel=0.03)
    (again,) = judge(page.view_jpeg).pages
    skew = next(m.value for m in again.measurements if m.name == "skew")
    assert abs(skew) < 0.4 and again.mending.rotation == 0


def test_a_place_of_the_view_is_found_on_the_page() -> None:
    mending = Mending(((0.1, 0.2), (0.8, 0.1), (0.9, 0.9), (0.2, 0.8)), 3.0, 90)
    found = way(mending, 3000, 4000, 2400)
    corner = np.array([[300.0, 800.0], [1234.0, 2345.0]])
    there = found.matrix @ np.column_stack([corner, np.ones(2)]).T
    assert np.allclose(back(found, (there[:2] / there[2]).T), corner, atol=1e-6)


def test_a_shadow_is_evened_out() -> None:
    scan = np.asarray(drawn.police_certificate("林小雨", NUMBER, "林晓雨", "林小雨")).astype(np.float32)
    scan[:, : scan.shape[1] // 2] *= 0.35
    (page,) = judge(drawn.as_jpeg(Image.fromarray(scan.astype(np.uint8)))).pages
    assert next(m for m in page.measurements if m.name == "shadow").verdict == "mend"
    (again,) = judge(page.view_jpeg).pages
    assert next(m.value for m in again.measurements if m.name == "shadow") > 0.85


def test_what_a_paper_needs_depends_on_its_kind() -> None:
    plain = drawn.as_jpeg(drawn.household_page("林小雨", NUMBER).convert("L").convert("RGB"))
    for kind, asked in (("police-certificate", {"seal", "colour"}), ("application", set()), ("other", set())):
        (page,) = judge(plain, thresholds=standard(kind), pictures=False).pages
        assert {m.name for m in page.measurements if m.verdict == "advise"} == asked


def test_an_offices_own_thresholds_lie_over_the_standard() -> None:
    own = {"": {"seal_needed": 1.0, "blur_advise": 0.5}, "other": {"blur_advise": 0.4}}
    assert changed("", own, "7").seal_needed == 1.0 and changed("", own, "7").version == "7"
    assert changed("other", own, "7").blur_advise == 0.4
    assert changed("police-certificate", own, "7").blur_advise == 0.5
    assert set(papers()["police-certificate"]) <= set(NAMES)
    with pytest.raises(TypeError):
        changed("", {"": {"no_such_thing": 1.0}}, "7")


def test_almost_the_same_picture_has_almost_the_same_likeness() -> None:
    scan = drawn.police_certificate("林小雨", NUMBER, "林晓雨", "林小雨")
    other = drawn.household_page("周明轩", "622999201305060066")

    def likeness(image: Image.Image, quality: int = 90) -> int:
        (page,) = judge(drawn.as_jpeg(image, quality), pictures=False).pages
        return int(page.likeness, 16)

    first = likeness(scan)
    assert (first ^ likeness(drawn.narrow(scan, 900), 60)).bit_count() <= 4
    assert (first ^ likeness(other)).bit_count() >= 16


# --- the command line -------------------------------------------------------------------------------------------------


def told(*arguments: str | Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "storage.judge", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=120)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_one_line_a_page_with_every_check(tmp_path: Path) -> None:
    scan = drawn.narrow(drawn.police_certificate("林小雨", NUMBER, "林晓雨", "林小雨"), 1654)
    (tmp_path / "two.pdf").write_bytes(drawn.as_pdf(scan, drawn.rotated(scan, 8)))
    (tmp_path / "hostile.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(900))
    (tmp_path / "blank.png").write_bytes(drawn.as_png(drawn.blank_sheet(width=1240)))
    names = ("two.pdf", "hostile.jpg", "blank.png", "missing.jpg")
    lines = told("--paper", "police-certificate", *(tmp_path / name for name in names))
    assert [(line["page"], line["verdict"]) for line in lines] == [
        (1, "pass"),
        (2, "mend"),
        (0, "refuse"),
        (1, "refuse"),
        (0, "refuse"),
    ]
    keys = {tuple(sorted(line)) for line in lines}
    assert len(keys) == 1, "a reader needs no cases"
    for line in (lines[0], lines[1], lines[3]):
        assert tuple(line["checks"]) == CHECKS
        assert {"value", "unit", "threshold", "verdict", "message"} == set(line["checks"]["skew"])
    assert lines[1]["skew"] == pytest.approx(8, abs=0.2)
    assert lines[0]["seals"] and lines[0]["seals"][0]["score"] > 0.5
    assert "请" in lines[2]["message"] and lines[3]["checks"]["blank"]["verdict"] == "refuse"


def test_a_wrong_call_says_how() -> None:
    for arguments in ([], ["--paper", "banknote", "x.jpg"]):
        done = subprocess.run(
            [sys.executable, "-m", "storage.judge", *arguments], capture_output=True, timeout=60
        )
        assert done.returncode == 2 and b"usage" in done.stderr


def test_a_page_too_blurred_to_be_seen_is_not_turned() -> None:
    scan = drawn.police_certificate("林小雨", NUMBER, "林晓雨", "林小雨")
    (page,) = judge(drawn.as_jpeg(drawn.blurred(scan, 14))).pages
    assert page.verdict == "refuse" and page.mending.rotation == 0
    assert "orientation" not in {m.name for m in page.measurements}
