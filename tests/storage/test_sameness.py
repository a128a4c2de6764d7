"""The same picture again, however it was saved, and two pupils' papers from one form."""

from __future__ import annotations

import pytest
from PIL import Image

from portal.cases.likeness import ALIKE
from storage.judge import PageJudgement, judge
from storage.rendition import difference
from tests import papers

FIRST, SECOND = ("林小雨", "622999201305060023"), ("周明轩", "622999201305060066")
FORMS = {
    "household": (papers.household_page(*FIRST), papers.household_page(*SECOND)),
    "certificate": (
        papers.police_certificate(*FIRST, "林晓雨", "林小雨"),
        papers.police_certificate(*SECOND, "周明宣", "周明轩"),
    ),
}


def judged(image: Image.Image, quality: int = 88) -> PageJudgement:
    (page,) = judge(papers.as_jpeg(image, quality)).pages
    return page


def bits(one: PageJudgement, other: PageJudgement) -> int:
    return (int(one.likeness, 16) ^ int(other.likeness, 16)).bit_count()


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_saved_again_is_the_same_and_anothers_paper_is_not(form: str) -> None:
    image, others = FORMS[form]
    first = judged(image)
    width, height = image.size
    again = judged(papers.narrow(image, 1100), 55)
    cropped = judged(image.crop((width // 80, height // 90, width - width // 90, height - height // 60)))
    for same in (again, cropped):
        apart = difference(first.view_jpeg, same.view_jpeg)
        assert apart is not None and apart < ALIKE
    assert bits(first, again) <= 4 and bits(first, cropped) <= 8
    other = judged(others)
    apart = difference(first.view_jpeg, other.view_jpeg)
    assert apart is not None and apart > ALIKE
    assert bits(first, other) <= 8, "the hash alone would take them for the same"


def test_what_cannot_be_compared_says_so() -> None:
    assert difference(b"no picture", b"neither") is None
    first = judged(FORMS["household"][0])
    plain = papers.as_jpeg(papers.blank_sheet(width=900))
    apart = difference(first.view_jpeg, plain)
    assert apart is not None and apart > 1
