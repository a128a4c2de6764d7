"""The number that says how legible a case is, the queue by that number, and the figures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from portal.cases import quality, quality_figures, queues
from portal.cases.queues import BOXES, Filters
from portal.cases.remarks import Reason
from portal.extensions import db
from portal.models import Case, EvidenceFile, EvidencePage
from tests.builders import NEW_NAME, Cast, a_case, a_county, a_file, a_pupil, a_school, act, an_actor

SLOT = "change_certificate"


def measured(verdict: str, value: float, threshold: float, name: str = "sharpness") -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "unit": "h",
        "threshold": threshold,
        "verdict": verdict,
        "message": "",
    }


def set_page(file: EvidenceFile, *measurements: dict[str, Any]) -> None:
    db.session.execute(
        update(EvidencePage).where(EvidencePage.file_id == file.id).values(measurements=list(measurements))
    )
    db.session.flush()


def submitted(cast: Cast, *measurements: dict[str, Any], **file: Any) -> Case:
    """A case whose certificate has these measurements, at the county."""
    case = a_case(cast, "draft", pupil=a_pupil(cast.school))
    act(case, cast.registrar, "edit", answers=NEW_NAME)
    set_page(a_file(case, SLOT, cast.registrar, **file), *measurements)
    a_file(case, "household_book", cast.registrar)
    act(case, cast.registrar, "submit")
    return case


@pytest.mark.parametrize(
    ("measurements", "number"),
    [
        ([], 100),
        ([measured("pass", 0.03, 0.035)], 100),
        ([measured("mend", 9, 1.5)], 100),
        ([measured("advise", 0.035, 0.035)], 75),
        ([measured("advise", 0.05, 0.035)], 52),
        ([measured("advise", 7.0, 14.0)], 40),
        ([measured("advise", 0.9, 0.035)], 40),
        ([measured("refuse", 0.08, 0.08)], 40),
        ([measured("refuse", 0.16, 0.08)], 20),
        ([measured("refuse", 0.0, 0.5)], 0),
        ([measured("advise", 0.035, 0.035), measured("refuse", 0.16, 0.08), measured("pass", 1, 2)], 20),
    ],
)
def test_a_page_has_the_number_of_its_poorest_check(measurements: list[dict[str, Any]], number: int) -> None:
    assert quality.score(measurements) == number


def test_a_case_has_the_number_of_its_poorest_standing_page(app: Flask) -> None:
    cast = Cast()
    case = submitted(cast, measured("advise", 0.05, 0.035), verdict="advise", override_reason="只有这一张了")
    assert (case.legibility, case.doubtful) == (52, True)
    act(case, cast.reviewer, "return", reasons=(Reason("image_unclear", "evidence", SLOT, "请重拍"),))
    old = db.session.query(EvidenceFile).filter_by(case_id=case.id, slot=SLOT).one()
    old.removed_at, old.removed_round = old.uploaded_at, case.round
    a_file(case, SLOT, cast.registrar)
    act(case, cast.registrar, "submit")
    assert (case.legibility, case.doubtful) == (100, False)


def test_the_queue_can_be_walked_by_legibility_the_poorest_first(app: Flask) -> None:
    cast = Cast()
    values = (0.035, 0.09, 0.05, 0.05, 0.036)
    cases = [
        submitted(cast, measured("advise", v, 0.035), verdict="advise", override_reason="只有这一张")
        for v in values
    ]
    cases.append(submitted(cast))
    db.session.commit()
    box, filters = BOXES["todo"], Filters(sort="legibility")
    wanted = [case.id for case in sorted(cases, key=lambda one: (one.legibility, one.id))]
    seen, key = [], ""
    while True:
        listing = queues.page(cast.reviewer, box, filters, after=key, size=2)
        seen += [case.id for case in listing.cases]
        key = listing.next
        if not key:
            break
    assert seen == wanted and len(seen) == 6
    back = queues.page(cast.reviewer, box, filters, before=listing.previous, size=2)
    assert [case.id for case in back.cases] == wanted[2:4]
    narrowed = queues.page(cast.reviewer, box, Filters(sort="legibility", doubtful="1"))
    assert [case.id for case in narrowed.cases] == wanted[:5]
    middle = db.session.get_one(Case, wanted[2])
    assert queues.neighbours(cast.reviewer, box, filters, middle) == (wanted[1], wanted[3])
    for key in ("x~y~z", f"many~{wanted[0].hex}~1", f"-5~{wanted[0].hex}~0", f"{10**30}~{wanted[0].hex}~1"):
        assert queues.page(cast.reviewer, box, filters, after=key).cases


# --- figures --------------------------------------------------------------------------------------------------------


def usual() -> quality_figures.Period:
    return quality_figures.period(None, None)


def test_rates_count_the_first_file_of_each_paper_of_the_own_subtree(app: Flask) -> None:
    cast, stranger = Cast(), Cast()
    other_school = a_school(cast.county)
    submitted(cast)  # two papers, both good
    poor = submitted(cast, verdict="advise", override_reason="只有这一张了")
    a_file(poor, SLOT, cast.registrar)  # came later: the first counts
    submitted(stranger)
    db.session.flush()
    (rate,) = quality_figures.by_school(cast.reviewer, usual())
    assert (rate.title, rate.cases, rate.first, rate.passed, rate.doubtful) == (cast.school.name, 2, 4, 3, 1)
    assert rate.percent == "75.0%"
    papers = {one.title: (one.first, one.passed) for one in quality_figures.by_paper(cast.approver, usual())}
    assert papers == {
        "关键信息变更：户籍登记项目变更证明": (2, 1),
        "关键信息变更：户口簿（首页和本人页）": (2, 2),
    }
    elsewhere = an_actor(cast.reviewer.role, a_county(cast.state))
    assert quality_figures.by_school(elsewhere, usual()) == [] and other_school.name
    past = quality_figures.Period(usual().first - timedelta(days=300), usual().first - timedelta(days=200))
    assert quality_figures.by_school(cast.reviewer, past) == []


def test_a_period_is_in_order_not_in_the_future_and_at_most_a_year() -> None:
    today = usual().last
    assert usual().first == today - timedelta(days=90)
    far = quality_figures.period(today - timedelta(days=5000), today + timedelta(days=50))
    assert (far.first, far.last) == (today - timedelta(days=366), today)
    turned = quality_figures.period(today, today - timedelta(days=9))
    assert turned.first == turned.last == today - timedelta(days=9)


def test_scores_say_what_became_of_pictures_near_the_threshold(app: Flask) -> None:
    cast = Cast()
    over = {"verdict": "advise", "override_reason": "只有这一张了"}
    approved = submitted(cast, measured("advise", 0.036, 0.035), **over)
    act(approved, cast.reviewer, "approve")
    act(approved, cast.approver, "approve")
    returned = submitted(cast, measured("advise", 0.06, 0.035), **over)
    act(returned, cast.reviewer, "return", reasons=(Reason("image_unclear", "evidence", SLOT, "请重拍"),))
    near = submitted(cast, measured("pass", 0.03, 0.035), measured("mend", 9, 1.5, "skew"))
    act(near, cast.reviewer, "return", reasons=(Reason("image_crooked", "evidence", SLOT, "歪"),))
    submitted(Cast(), measured("pass", 0.03, 0.035))
    found = quality_figures.scores(cast.reviewer, usual())
    (check,) = found.checks
    rows = [(one.pages, one.overridden, one.approved, one.unclear) for one in check.bins]
    assert (check.name, check.overridden) == ("sharpness", 2)
    assert rows == [(0, 0, 0, 0), (1, 0, 0, 0), (1, 1, 1, 0), (0, 0, 0, 0), (1, 1, 0, 1)]
    assert (found.read, found.more) == (6, False)


def test_scores_read_no_more_than_their_limit(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    cast = Cast()
    for _ in range(2):
        submitted(cast, measured("pass", 0.03, 0.035))
    monkeypatch.setattr(quality_figures, "MOST_PAGES", 3)
    found = quality_figures.scores(cast.reviewer, usual())
    assert (found.read, found.more) == (3, True)
