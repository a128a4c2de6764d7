"""未报到: a school's admitted people who stand on no roster, and its postponements."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from flask import Blueprint, Response, flash, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal import audit
from portal.blueprints.intake_view import READERS, page, scope
from portal.cases.intake import not_reported, plans, reminders
from portal.cases.intake.not_reported import Person
from portal.cases.intake.scope import Scope, find_school
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Office, Role
from portal.standards import id_number
from portal.web import found, go, roles

bp = Blueprint("not_reported", __name__, url_prefix="/intake/schools/<uuid:office_id>")
PAGE = 100  # people on a page

bp.add_app_template_filter(id_number.masked, "masked_id_number")


@bp.get("/not-reported", endpoint="page")
@roles(*READERS)
def show(office_id: uuid.UUID) -> Response:
    """Who was admitted and is on no roster; recorded before it is shown."""
    here = scope()
    school = found(find_school(here, office_id))
    audit.append_now("intake.not_reported_viewed", "office", school.id, year=here.year)
    return _show(here, school)


@bp.post("/postponements")
@roles(Role.REGISTRAR)
def postpone(office_id: uuid.UUID) -> BaseResponse:
    """Record that somebody reports later."""
    here = scope()
    school = found(find_school(here, office_id))
    form = {key: request.form.get(key, "") for key in ("exam_number", "reason", "until")}
    if faults := not_reported.postponement_faults(form):
        return _show(here, school, 422, "延期注册没有登记", form, faults)
    try:
        not_reported.postpone(here, school, form)
    except Refused as refused:
        db.session.rollback()
        status = 409 if refused.conflict else 422
        return _show(here, school, status, refused.message, form)
    db.session.commit()
    flash("已登记延期注册。", "success")
    return go("not_reported.page", office_id=school.id, year=here.year)


@bp.post("/postponements/<uuid:postponement_id>/withdraw")
@roles(Role.REGISTRAR)
def withdraw(office_id: uuid.UUID, postponement_id: uuid.UUID) -> BaseResponse:
    """Take a postponement back."""
    here = scope()
    school = found(find_school(here, office_id))
    kept = found(not_reported.find_postponement(school, postponement_id))
    try:
        not_reported.withdraw(here, school, kept)
    except Refused as refused:
        db.session.rollback()
        return _show(here, school, 422, refused.message)
    db.session.commit()
    flash("已撤销延期注册。", "success")
    return go("not_reported.page", office_id=school.id, year=here.year)


def _show(
    here: Scope,
    school: Office,
    status: int = 200,
    message: str = "",
    typed: Mapping[str, str] | None = None,
    faults: Mapping[str, str] | None = None,
) -> Response:
    people = not_reported.people(here, school)
    number = _page_number(people, (typed or {}).get("exam_number", ""))
    last = max(0, len(people) - 1) // PAGE + 1
    return page(
        "intake/not_reported.html",
        status,
        here,
        school=school,
        people=people,
        rows=people[(number - 1) * PAGE : number * PAGE],
        position=f"第 {number} 页，共 {last} 页",
        previous=_address(here, school, number - 1) if number > 1 else "",
        next=_address(here, school, number + 1) if number < last else "",
        list=plans.list_of(here.state.id, here.year),
        postponed=sum(1 for one in people if one.postponed),
        forfeited=sum(1 for one in people if one.forfeits),
        sent=reminders.has_sent(school, here.year),
        article=here.article("not_reported"),
        may_postpone=not_reported.may_postpone(here, school),
        message=message,
        typed=typed or {},
        faults=faults or {},
    )


def _page_number(people: list[Person], exam_number: str) -> int:
    """The page that is asked for, or that of the person whose form comes back."""
    for place, one in enumerate(people):
        if one.admitted.exam_number == exam_number:
            return place // PAGE + 1
    last = max(0, len(people) - 1) // PAGE + 1
    return min(max(1, request.args.get("page", 1, type=int)), last)


def _address(here: Scope, school: Office, number: int) -> str:
    return url_for("not_reported.page", office_id=school.id, year=here.year, page=number)
