"""高中招生台账: who has how many places, admitted, registered; whose roster is missing, and reminding them."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash
from werkzeug.wrappers import Response as BaseResponse

from portal import audit
from portal.blueprints.downloads import download
from portal.blueprints.intake_view import READERS, XLSX, page, scope
from portal.cases import clock
from portal.cases.facts import STATUS_TEXT
from portal.cases.intake import ledger as ledgers
from portal.cases.intake import reminders
from portal.cases.intake.scope import Scope, find_school
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Level, Role
from portal.web import actor, found, go, roles

bp = Blueprint("intake", __name__, url_prefix="/intake")


@bp.get("")
@roles(*READERS)
def ledger() -> Response:
    """The ledger of a year: the own subtree's schools by county, and those that have not sent a roster."""
    return _ledger(scope())


@bp.get("/ledger.xlsx")
@roles(*READERS)
def workbook() -> Response:
    """The same as XLSX."""
    here = scope()
    audit.append_now("intake.ledger_exported", "office", actor().office_id, year=here.year)
    return download(ledgers.sheet(ledgers.read(here), STATUS_TEXT), f"高中招生台账_{here.year}.xlsx", XLSX)


@bp.post("/schools/<uuid:office_id>/remind")
@roles(Role.REVIEWER, Role.APPROVER)
def remind(office_id: uuid.UUID) -> BaseResponse:
    """催报: today's reminder to one school."""
    here = scope()
    school = found(find_school(here, office_id))
    try:
        reminders.remind(here, school)
    except Refused as refused:
        db.session.rollback()
        return _ledger(scope(), 409 if refused.conflict else 422, refused.message)
    db.session.commit()
    flash(f"已催报{school.name}。", "success")
    return go("intake.ledger", year=here.year)


def _ledger(here: Scope, status: int = 200, message: str = "") -> Response:
    read = ledgers.read(here)
    of_school = here.actor.office_level is Level.SCHOOL
    return page(
        "intake/ledger.html",
        status,
        here,
        ledger=read,
        status_text=STATUS_TEXT,
        of_school=of_school,
        reminded=reminders.newest(here),
        rest_day=not clock.load_calendar(here.own).works(clock.today()),
        may_remind=reminders.may_remind(here.actor),
        message=message,
    )
