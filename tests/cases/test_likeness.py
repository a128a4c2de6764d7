"""Almost the same picture in another case: who is told what, how far apart two pictures may be, and what is left out."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import update

from portal.cases import clock, likeness
from portal.extensions import db
from portal.models import Case, EvidencePage
from portal.policies import policy
from tests.builders import Cast, a_case, a_file, a_pupil, a_school, an_actor

pytestmark = pytest.mark.pages

HASH = 0x0F1E2D3C4B5A6978


def text(value: int) -> str:
    return f"{value:016x}"


def with_page(cast: Cast, value: int | None, status: str = "committed") -> Case:
    """A draft whose certificate has this hash."""
    case = a_case(cast, "draft", pupil=a_pupil(cast.school))
    file = a_file(case, "change_certificate", cast.registrar)
    file.status = status
    hashed = None if value is None else text(value)
    db.session.execute(update(EvidencePage).where(EvidencePage.file_id == file.id).values(likeness=hashed))
    db.session.flush()
    return case


def near(case: Case, *values: int) -> likeness.Near | None:
    return next(iter(likeness.nearest(case, [text(value) for value in values])), None)


def test_a_few_bits_apart_is_almost_the_same(app: Flask) -> None:
    cast = Cast()
    limit = policy("gs-linxia-2022").value("evidence.likeness_bits")
    earlier, now = with_page(cast, HASH), with_page(cast, None)
    for bits in range(limit + 3):
        found = near(now, HASH ^ ((1 << bits) - 1))
        assert (found is not None) == (bits <= limit)
        if found:
            assert (found.case_id, found.distance) == (earlier.id, bits)
    assert near(now) is None and near(now, ~HASH & (2**64 - 1)) is None


@pytest.mark.both_pairs
def test_the_nearest_of_several_is_named_with_its_day(app: Flask) -> None:
    cast = Cast()
    with_page(cast, HASH ^ 3)
    nearest, now = with_page(cast, HASH ^ 1), with_page(cast, None)
    found = near(now, 0x00FF00FF00FF00FF, HASH)
    assert found and found.case_id == nearest.id
    day = f"{clock.local(found.uploaded_at):%m月%d日}"
    told = likeness.told(now, found)
    assert told == f"与 {day} 上传的图片几乎相同（编号 {nearest.number}），请确认没有传错"


def test_another_offices_case_is_not_named(app: Flask) -> None:
    cast = Cast()
    other = Cast.__new__(Cast)
    other.school = a_school(cast.county)
    other.registrar = an_actor(cast.registrar.role, other.school)
    theirs, now = with_page(other, HASH), with_page(cast, None)
    found = near(now, HASH)
    assert found and found.case_id == theirs.id
    told = likeness.told(now, found)
    assert theirs.number not in told and "其他单位业务" in told and "月" not in told


def test_what_is_not_compared(app: Flask) -> None:
    """The case itself, another state, what never became evidence, and pictures that say nothing."""
    cast = Cast()
    now = with_page(cast, HASH)
    with_page(Cast(), HASH)
    with_page(cast, HASH, status="refused")
    with_page(cast, None)
    with_page(cast, 0)
    assert near(now, HASH) is None and near(now, 0) is None
    assert likeness.nearest(now, [None, "", "zz", "not sixteen digits"]) == []


@pytest.mark.both_pairs
def test_only_the_newest_cases_are_looked_through(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    cast = Cast()
    with_page(cast, HASH)
    newer, now = with_page(cast, HASH ^ 1), with_page(cast, None)
    monkeypatch.setattr(likeness, "MOST_CASES", 1)
    found = near(now, HASH)
    assert found and found.case_id == newer.id
