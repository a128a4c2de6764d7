"""The boxes: what waits, what was done, what came back; a page at a time, narrowed and sorted.

A name that somebody looks for is personal: it is posted, kept among the person's preferences, and never in an address.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, current_app, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal.cases import claims, clock, preferences, queues
from portal.cases.calendars import Calendars
from portal.cases.clock import Due
from portal.cases.facts import STATUS_TEXT
from portal.cases.queues import BOXES, SORT_TITLES, Box, Filters
from portal.cases.rosters import striking
from portal.extensions import db
from portal.models import Account, Case, Level, Role
from portal.web import actor, found, go, reply
from portal.workflows import WORKFLOWS, workflow

bp = Blueprint("queues", __name__)

FILTER_ARGS = ("workflow", "status", "school", "doubtful", "sort")
NAME_MOST = 40
NEWEST = 5


@dataclass(frozen=True)
class Row:
    """One case of a list, as the template shows it."""

    case: Case
    title: str
    step: str
    due: Due | None
    claimed_by: Account | None
    claimed_at: str
    mine: bool
    url: str
    struck: int  # people whom a bureau took off this roster


@bp.get("/")
def home() -> BaseResponse:
    """Where a person begins: the box that waits, a school's overview, or an administrator's own pages."""
    if actor().role is Role.ADMINISTRATOR:
        return redirect(url_for("admin.offices"), 303)
    if actor().role is Role.REGISTRAR:
        return _overview()
    box = found(queues.default_box(actor()))
    return redirect(url_for("queues.box", name=box.id), 303)


def _overview() -> Response:
    """A registrar's boxes with the newest rows of each."""
    calendars = Calendars()
    parts = []
    for name in ("returned", "drafts", "started"):
        box, everything = BOXES[name], Filters()
        listing = queues.page(actor(), box, everything, size=NEWEST)
        parts.append((box, listing.total, _rows(listing.cases, box, everything, calendars)))
    return reply("queues/home.html", parts=parts, overdue=queues.count(actor(), BOXES["overdue"]))


@bp.get("/queue/<name>")
def box(name: str) -> BaseResponse:
    """One box: tabs with counts, filters, rows."""
    chosen = _box(name)
    filters = filters_of(chosen)
    listing = queues.page(
        actor(), chosen, filters, after=request.args.get("after", ""), before=request.args.get("before", "")
    )
    calendars = Calendars()
    return reply(
        "queues/box.html",
        box=chosen,
        tabs=_tabs(chosen, filters, listing.total),
        filters=filters,
        listing=listing,
        rows=_rows(listing.cases, chosen, filters, calendars),
        workflows=WORKFLOWS,
        statuses=[(status, STATUS_TEXT[status]) for status in chosen.statuses],
        sorts=[(sort, SORT_TITLES[sort]) for sort in chosen.sorts],
        previous=_page_url(chosen, filters, before=listing.previous),
        next=_page_url(chosen, filters, after=listing.next),
        of_school=actor().office_level is Level.SCHOOL,
        can_print="printouts.batch" in current_app.view_functions,
        fragment="queues/_box.html",
    )


@bp.post("/queue/<name>/name")
def find_name(name: str) -> BaseResponse:
    """Narrow a box to a name or pinyin initials; an empty one ends it. What else narrows the box stays."""
    chosen = _box(name)
    _keep_name(chosen, request.form.get("name", "").strip()[:NAME_MOST])
    db.session.commit()
    return go("queues.box", name=chosen.id, **_filters_in(request.args).as_args())


def filters_of(box: Box) -> Filters:
    """How the person has narrowed a box: by the address, and by the name that is kept for them."""
    return replace(_filters_in(request.args), name=_kept_name(box))


def _filters_in(values: dict[str, str]) -> Filters:
    return Filters(**{key: values[key].strip()[:60] for key in FILTER_ARGS if values.get(key)})


def _box(name: str) -> Box:
    chosen = BOXES.get(name)
    return found(chosen if chosen and actor().role in chosen.roles else None)


def _kept_name(box: Box) -> str:
    return str(preferences.kept(actor().id, f"queue.{box.id}").get("name", ""))


def _keep_name(box: Box, text: str) -> None:
    preferences.keep(actor().id, f"queue.{box.id}", {"name": text})


def _tabs(chosen: Box, filters: Filters, total: queues.Count) -> list[dict[str, object]]:
    """Every box with the count of its own query; the open one with the count of its list."""
    return [
        {
            "title": box.title,
            "url": url_for("queues.box", name=box.id),
            "count": str(queues.count(actor(), box))
            if filters.narrowing or box is not chosen
            else str(total),
            "active": box is chosen,
        }
        for box in queues.boxes_for(actor())
    ]


def _rows(cases: Sequence[Case], box: Box, filters: Filters, calendars: Calendars) -> list[Row]:
    struck = striking.counts(cases)
    return [_row(case, box, filters, calendars, struck.get(case.id, 0)) for case in cases]


def _row(case: Case, box: Box, filters: Filters, calendars: Calendars, struck: int) -> Row:
    law = workflow(case.workflow)
    holder = claims.holds_claim(case)
    return Row(
        case=case,
        title=law.title,
        step=law.step(case.step).title if case.step else "",
        due=clock.read_clock(case, clock.today(), calendars.of(case.owner)),
        claimed_by=case.claimed_by if holder else None,
        claimed_at=clock.local(case.claimed_at).strftime("%H:%M") if case.claimed_at else "",
        mine=holder == actor().id,
        url=_row_url(case.id, box, filters),
        struck=struck,
    )


def _row_url(case_id: uuid.UUID, box: Box, filters: Filters) -> str:
    if actor().role is Role.REGISTRAR:
        return url_for("cases.show", case_id=case_id)
    return url_for("review.desk", case_id=case_id, box=box.id, **filters.as_args())


def _page_url(box: Box, filters: Filters, **key: Any) -> str:
    return url_for("queues.box", name=box.id, **filters.as_args(), **key) if any(key.values()) else ""
