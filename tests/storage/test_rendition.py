"""What is made of an original: within its limits, upright, and without anything that was hidden in it."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from storage.judge import judge
from storage.rendition import NATIONAL_LIMIT, NoRendition, for_national_system
from tests import papers

NUMBER = "622999201305060023"


@pytest.fixture(scope="module")
def photo() -> bytes:
    """12 megapixels with EXIF, GPS and grain that does not compress."""
    certificate = papers.police_certificate("林小雨", NUMBER, "林晓雨", "林小雨")
    return papers.as_jpeg(papers.noisy(papers.on_desk(certificate), 6), 92, exif_orientation=6)


def bare(data: bytes) -> Image.Image:
    """The picture, after looking that it carries nothing else."""
    picture = Image.open(io.BytesIO(data), formats=("JPEG",))
    picture.load()
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    for block in (b"Exif", b"ICC_PROFILE", b"http://ns.adobe.com", b"Fictional Phones"):
        assert block not in data
    return picture


def test_view_and_thumbnail(photo: bytes) -> None:
    assert b"Fictional Phones" in photo
    (page,) = judge(photo).pages
    view, thumb = bare(page.view_jpeg), bare(page.thumb_jpeg)
    assert view.size == page.view_size
    assert 1500 <= max(view.size) <= 2400
    assert max(thumb.size) == 320
    assert view.height > view.width


def test_for_the_national_system_at_most_2_mb(photo: bytes) -> None:
    assert len(photo) > NATIONAL_LIMIT
    made = for_national_system(photo)
    assert NATIONAL_LIMIT * 0.6 < len(made) <= NATIONAL_LIMIT
    assert bare(made).size == (3000, 4000)
    small = for_national_system(photo, limit=60_000)
    assert len(small) <= 60_000
    assert max(bare(small).size) < 4000


def test_each_page_of_a_pdf_can_be_had_straightened() -> None:
    page = papers.household_page("林小雨", NUMBER)
    data = papers.as_pdf(page, papers.rotated(page, 5))
    mending = judge(data).pages[1].mending
    assert mending.skew == pytest.approx(5, abs=0.2)
    made = for_national_system(data, page=2, mending=mending)
    bare(made)
    assert abs(judge(made).pages[0].mending.skew) < 0.5
    with pytest.raises(NoRendition, match="没有第 3 页"):
        for_national_system(data, page=3)


def test_no_rendition_of_what_is_no_picture() -> None:
    with pytest.raises(NoRendition):
        for_national_system(b"<html>")
