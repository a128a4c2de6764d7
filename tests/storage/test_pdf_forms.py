"""A PDF is seen as a reader's screen shows it: with its seals and filled fields, without what is hidden or only printed."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from storage.judge import PageJudgement, judge
from storage.thresholds import standard
from tests import papers
from tests.pdf_papers import HIDDEN, NO_VIEW, PRINT, SIGNATURE, STAMP, Field, jpeg, paper, seal

PLACE = (360, 120, 480, 240)
SCRIPT = b"<</S/JavaScript/JS(this.getField('f0').value='changed'; app.alert(1))>>"


@pytest.fixture(scope="module")
def unsealed() -> Image.Image:
    lines = [f"兹证明该居民户籍登记项目变更情况属实第{n}条，准予变更登记。" for n in range(9)]
    return papers.letter("户籍登记项目变更证明", lines, "青禾县公安局河湾派出所", width=1240)


def seen(data: bytes) -> PageJudgement:
    result = judge(data, thresholds=standard("police-certificate"))
    assert result.refusal is None
    return result.pages[0]


def ink(page: PageJudgement, box: tuple[int, int, int, int]) -> float:
    """The share of dark places in a box that is given in points from the lower left."""
    view = np.asarray(Image.open(io.BytesIO(page.plain_jpeg or page.view_jpeg)).convert("L"))
    high, wide = view.shape
    left, bottom, right, top = box
    part = view[
        round((1 - top / 842) * high) : round((1 - bottom / 842) * high),
        round(left / 595 * wide) : round(right / 595 * wide),
    ]
    return float((part < 128).mean())


@pytest.mark.parametrize("kind", [SIGNATURE, STAMP], ids=["signature field", "stamp"])
def test_an_electronic_seal_is_found(unsealed: Image.Image, kind: bytes) -> None:
    page = seen(paper(jpeg(unsealed), [Field(PLACE, picture=seal(), kind=kind)]))
    assert page.verdict == "pass" and len(page.seals) >= 1
    assert next(one.value for one in page.measurements if one.name == "seal") > 0.9


@pytest.mark.parametrize("flags", [HIDDEN, HIDDEN | PRINT, NO_VIEW, NO_VIEW | PRINT])
def test_what_no_screen_shows_is_no_seal(unsealed: Image.Image, flags: int) -> None:
    page = seen(paper(jpeg(unsealed), [Field(PLACE, picture=seal(), kind=SIGNATURE, flags=flags)]))
    assert page.seals == () and page.verdict == "advise"


def test_a_seal_that_is_not_printed_is_seen_all_the_same(unsealed: Image.Image) -> None:
    assert seen(paper(jpeg(unsealed), [Field(PLACE, picture=seal(), kind=SIGNATURE, flags=0)])).seals


def test_filled_fields_are_drawn_and_no_script_changes_them(unsealed: Image.Image) -> None:
    name, number = (60, 700, 200, 722), (260, 700, 460, 722)
    trap = b"/AA<</K%s/F%s/C%s/Fo%s>>" % ((SCRIPT,) * 4)
    fields = [Field(name, b"REN NINGYUAN", more=trap), Field(number, b"622999201204151239")]
    forms = b"/OpenAction%s/Names<</JavaScript<</Names[(a)%s]>>>>" % (SCRIPT, SCRIPT)
    plain, page = seen(paper(jpeg(unsealed))), seen(paper(jpeg(unsealed), fields, forms))
    for box in (name, number):
        assert ink(plain, box) < 0.01 < 0.04 < ink(page, box)


def test_a_value_without_appearance_is_drawn_too(unsealed: Image.Image) -> None:
    box = (60, 700, 260, 722)
    value = b"/V(622999201204151239)/DA(/F1 14 Tf 0 g)"
    data = paper(jpeg(unsealed), [Field(box, more=value, bare=True)])
    assert ink(seen(data), box) > 0.03


def test_a_form_of_xfa_is_the_page_that_stands_in_the_file(unsealed: Image.Image) -> None:
    box = (60, 700, 260, 722)
    data = paper(jpeg(unsealed), [Field(box, b"622999201204151239")])
    xfa = data.replace(b"/SigFlags 3", b"/XFA 3 0 R ")
    assert len(xfa) == len(data) and ink(seen(xfa), box) > 0.04
