"""Boxes: the count is the count of the list, pages neither lose nor repeat a row, neighbours follow the page's order."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from portal.cases import claims, queues
from portal.cases.access import Actor
from portal.cases.queues import BOXES, Filters, boxes_for
from portal.extensions import db
from portal.models import Case, Status
from tests.builders import Cast, a_case, a_pupil, a_reason, act
from tests.portals import listen


def waiting(cast: Cast, number: int) -> list[Case]:
    """Cases that wait for the county, several of them due on the same day."""
    cases = [a_case(cast, "county_review", pupil=a_pupil(cast.school)) for _ in range(number)]
    for position, case in enumerate(cases):
        case.due_on = date(2026, 12, 1) + timedelta(days=position // 3)
    db.session.flush()
    return cases


def walk(actor: Actor, box: str, filters: Filters = Filters(), size: int = 4) -> list[queues.Listing]:  # noqa: B008
    pages = [queues.page(actor, BOXES[box], filters, size=size)]
    while pages[-1].next:
        pages.append(queues.page(actor, BOXES[box], filters, after=pages[-1].next, size=size))
    return pages


def test_every_persons_every_box_counts_exactly_its_rows(app: Flask) -> None:
    cast, stranger = Cast(), Cast()
    for at in ("draft", "county_review", "state_approval", "returned", "approved", "rejected", "withdrawn"):
        a_case(cast, at, pupil=a_pupil(cast.school))
        a_case(stranger, at, pupil=a_pupil(stranger.school))
    late = a_case(cast, "county_review", pupil=a_pupil(cast.school))
    late.due_on = date(2020, 1, 2)
    db.session.flush()
    seen = {}
    for name, actor in cast.everybody().items():
        for box in boxes_for(actor):
            rows = [case for listing in walk(actor, box.id, size=3) for case in listing.cases]
            assert len(rows) == len({case.id for case in rows}) == queues.count(actor, box).number, (
                name,
                box.id,
            )
            assert all(case.owner_office_id == cast.school.id for case in rows), (name, box.id)
            seen[name, box.id] = len(rows)
    assert seen["reviewer", "todo"] == 2 and seen["approver", "todo"] == 1
    assert seen["registrar", "drafts"] == 1 and seen["registrar", "returned"] == 1
    assert seen["registrar", "started"] == seen["auditor", "all"] == 7
    assert seen["reviewer", "done"] == 4, "approved twice, returned, rejected"
    assert seen["reviewer2", "done"] == 0 and seen["approver", "done"] == 1
    assert (
        seen["reviewer", "overdue"] == seen["registrar", "overdue"] == 1 and seen["approver", "overdue"] == 0
    )
    assert boxes_for(cast.administrator) == [] and queues.default_box(cast.administrator) is None


def test_a_rejection_upstairs_is_seen_by_everybody_in_the_right_box(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "state_approval")
    act(case, cast.approver, "return", reasons=(a_reason(),))
    for actor, box in (
        (cast.registrar, "returned"),
        (cast.registrar, "started"),
        (cast.reviewer, "done"),
        (cast.approver, "done"),
    ):
        assert queues.contains(actor, BOXES[box], Filters(), case), (actor.role, box)
    assert not queues.contains(cast.approver, BOXES["todo"], Filters(), case)


@pytest.mark.parametrize("sort", ["due", "newest"])
def test_pages_go_forth_and_back_without_losing_a_row(app: Flask, sort: str) -> None:
    cast = Cast()
    waiting(cast, 11)
    filters = Filters(sort=sort)
    pages = walk(cast.reviewer, "todo", filters)
    rows = [case.id for listing in pages for case in listing.cases]
    assert len(set(rows)) == len(rows) == 11
    assert [listing.first for listing in pages] == [1, 5, 9] and not pages[0].previous
    back = queues.page(cast.reviewer, BOXES["todo"], filters, before=pages[2].previous, size=4)
    assert [case.id for case in back.cases] == rows[4:8] and back.first == 5
    first = queues.page(cast.reviewer, BOXES["todo"], filters, before=back.previous, size=4)
    assert [case.id for case in first.cases] == rows[:4] and first.first == 1 and not first.previous
    ordered = [(case.due_on, case.id.hex) for listing in pages for case in listing.cases]
    assert sort != "due" or ordered == sorted(ordered)


@pytest.mark.pages
def test_neighbours_and_position_follow_the_page(app: Flask) -> None:
    cast = Cast()
    waiting(cast, 5)
    box, filters = BOXES["todo"], Filters()
    rows = queues.page(cast.reviewer, box, filters).cases
    for place, case in enumerate(rows):
        before = rows[place - 1].id if place else None
        after = rows[place + 1].id if place + 1 < len(rows) else None
        assert queues.neighbours(cast.reviewer, box, filters, case) == (before, after)
        assert str(queues.position(cast.reviewer, box, filters, case)) == str(place + 1)


def test_the_following_case_passes_over_those_others_work_on_and_begins_again_at_the_end(app: Flask) -> None:
    cast = Cast()
    waiting(cast, 4)
    box, filters = BOXES["todo"], Filters()
    rows = queues.page(cast.reviewer, box, filters).cases
    assert claims.claim(rows[2], cast.reviewer2)
    assert queues.following(cast.reviewer, box, filters, rows[1]) == rows[3].id
    assert queues.following(cast.reviewer, box, filters, rows[3]) == rows[0].id
    assert queues.following(cast.reviewer2, box, filters, rows[1]) == rows[2].id


@pytest.mark.pages
@pytest.mark.parametrize(
    "key", ["nonsense", "2026-12-01", "2026-12-01~zz~1", "2026-13-01~" + "0" * 32 + "~1", "~~", "1~2~3~4"]
)
def test_a_key_that_cannot_be_read_gives_the_first_page(app: Flask, key: str) -> None:
    cast = Cast()
    waiting(cast, 3)
    assert queues.page(cast.reviewer, BOXES["todo"], Filters(), after=key).first == 1


def test_a_page_that_has_emptied_meanwhile_gives_the_first_page(app: Flask) -> None:
    cast = Cast()
    waiting(cast, 3)
    pages = walk(cast.reviewer, "todo", size=2)
    act(pages[1].cases[0], cast.reviewer, "approve")
    again = queues.page(cast.reviewer, BOXES["todo"], Filters(), after=pages[0].next, size=2)
    assert [case.id for case in again.cases] == [case.id for case in pages[0].cases] and again.first == 1


def test_filters_narrow_the_list_and_its_count_alike(app: Flask) -> None:
    cast = Cast()
    cases = waiting(cast, 4)
    cases[0].doubtful = True
    cases[1].pupil.name, cases[1].pupil.name_key, cases[1].pupil.initials = (
        "古丽·巴合提",
        "古丽巴合提",
        "glbht",
    )
    done = a_case(cast, "rejected", pupil=a_pupil(cast.school))
    db.session.flush()
    expected = {
        Filters(doubtful="1"): {cases[0].id},
        Filters(name="古丽"): {cases[1].id},
        Filters(name="GLB"): {cases[1].id},
        Filters(name="100%"): set(),
        Filters(school=cast.school.name[:3], workflow="key_information_change"): {case.id for case in cases},
        Filters(school="没有这所学校"): set(),
        Filters(workflow="another"): set(),
    }
    for filters, ids in expected.items():
        listing = queues.page(cast.reviewer, BOXES["todo"], filters)
        assert {case.id for case in listing.cases} == ids and listing.total.number == len(ids), filters
    rejected = queues.page(cast.reviewer, BOXES["all"], Filters(status=Status.REJECTED))
    assert [case.id for case in rejected.cases] == [done.id]
    assert "古丽" not in str(Filters(name="古丽", sort="due").as_args())


def test_counting_stops_at_the_cap_and_says_so(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    cast = Cast()
    waiting(cast, 5)
    monkeypatch.setattr(queues, "CAP", 3)
    listing = queues.page(cast.reviewer, BOXES["todo"], Filters())
    assert str(listing.total) == "3+" and len(listing.cases) == 5
    assert str(queues.position(cast.reviewer, BOXES["todo"], Filters(), listing.cases[4])) == "3+"


@pytest.mark.pages
def test_a_page_costs_the_same_number_of_queries_whatever_its_rows(app: Flask) -> None:
    cast = Cast()
    cases = waiting(cast, 8)
    for case in cases:
        claims.claim(case, cast.reviewer2)
    db.session.commit()
    spent: list[int] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT") and threading.current_thread() is threading.main_thread():
            spent[-1] += 1

    listen("before_cursor_execute", note)
    for size in (4, 8):
        db.session.rollback()
        db.session.expunge_all()
        spent.append(0)
        listing = queues.page(cast.reviewer, BOXES["todo"], Filters(), size=size)
        assert all(case.owner.name and case.pupil and case.claimed_by for case in listing.cases)
    assert spent[0] == spent[1] == 3, "the rows, who claimed them, the count"
