"""录取名单上的学生: the people on the list in force, looked for, narrowed, a page at a time, and as a workbook.

What somebody looks for is personal: it is posted, kept among the person's preferences, and never in an address.
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal import audit
from portal.blueprints.downloads import download
from portal.blueprints.intake_view import READERS, XLSX, page, scope
from portal.cases import preferences
from portal.cases.intake import admitted_people, plans
from portal.cases.intake.admitted_people import MOST_TEXT, STATES, Wanted
from portal.cases.intake.scope import Scope, find_school, schools
from portal.extensions import db
from portal.models import Level, Role
from portal.standards import id_number
from portal.standards.columns import BY_KEY
from portal.web import actor, found, go, roles

bp = Blueprint("admitted_people", __name__, url_prefix="/intake/admitted/people")

TAKERS = (Role.REGISTRAR, Role.REVIEWER, Role.APPROVER)
KEPT = "intake.admitted"

bp.add_app_template_filter(lambda code, key: BY_KEY[key].shown(code), "register_text")


@bp.get("", endpoint="page")
@roles(*READERS)
def show() -> Response:
    """A page of the list in force; recorded before it is shown."""
    here = scope()
    admitted, wanted = plans.list_of(here.state.id, here.year), _wanted(here)
    listing = None
    if admitted is not None:
        audit.append_now("intake.admitted_viewed", "admitted_list", admitted.id, year=here.year)
        after, before = request.args.get("after", ""), request.args.get("before", "")
        listing = admitted_people.page(here, admitted, wanted, after=after, before=before)
    return page(
        "intake/admitted_people.html",
        200,
        here,
        newest=admitted,
        wanted=wanted,
        searched=_said(wanted.text),
        args=_args(wanted),
        listing=listing,
        schools=[] if actor().office_level is Level.SCHOOL else schools(here),
        states=STATES,
        previous=_address(here, wanted, before=listing.previous) if listing and listing.previous else "",
        next=_address(here, wanted, after=listing.next) if listing and listing.next else "",
        may_take=actor().role in TAKERS,
    )


@bp.post("")
@roles(*READERS)
def look_up() -> BaseResponse:
    """Look for what was posted; an empty text ends it. What else narrows the list stays."""
    here, text = scope(), request.form.get("q", "").strip()[:MOST_TEXT]
    preferences.keep(actor().id, KEPT, {"q": text})
    if text:
        audit.append("intake.admitted_searched", by=admitted_people.kind_of(text), year=here.year)
    db.session.commit()
    return go("admitted_people.page", year=here.year, **_args(_wanted(here)))


@bp.get("/list.xlsx")
@roles(*TAKERS)
def workbook() -> Response:
    """Everybody whom the page lists, in the columns in which a list is loaded; recorded before it is given out."""
    here = scope()
    admitted = found(plans.list_of(here.state.id, here.year))
    data, people = admitted_people.sheet(here, admitted, _wanted(here))
    audit.append_now("intake.admitted_exported", "admitted_list", admitted.id, year=here.year, people=people)
    return download(data, f"录取名单_{here.year}_第{admitted.number}版.xlsx", XLSX)


def _wanted(here: Scope) -> Wanted:
    """How the address and the text that is kept for the person narrow the list; a school out of reach is no school."""
    try:
        school = find_school(here, uuid.UUID(request.values.get("school", "")))
    except ValueError:
        school = None
    state = request.values.get("state", "")
    kept = preferences.kept(actor().id, KEPT)
    return Wanted(school, state if state in STATES else "", str(kept.get("q", "")))


def _said(text: str) -> str:
    """What was looked for as the page repeats it."""
    return id_number.masked(text) if admitted_people.kind_of(text) == "id_number" else text


def _args(wanted: Wanted) -> dict[str, Any]:
    """What may stand in an address."""
    args = {"school": wanted.school.id if wanted.school else "", "state": wanted.state}
    return {key: value for key, value in args.items() if value}


def _address(here: Scope, wanted: Wanted, **key: Any) -> str:
    return url_for("admitted_people.page", year=here.year, **_args(wanted), **key)
