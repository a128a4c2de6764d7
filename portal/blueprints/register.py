"""The register as people look at it: search, classes, a pupil's page.

What somebody looks for is personal: it is posted, kept among the person's preferences, and never in an address.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from itertools import groupby

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as BaseResponse

from portal import audit
from portal.blueprints import pupil_view
from portal.cases import preferences, roster
from portal.cases.access import find_pupil
from portal.cases.offices import school_system
from portal.extensions import db
from portal.models import Level, Office, Role
from portal.standards import codes, enrolment, grades, id_number, school_numbers
from portal.standards.columns import BY_KEY
from portal.standards.words import plain
from portal.web import actor, found, go, reply, roles

bp = Blueprint("register", __name__)

READERS = (Role.REGISTRAR, Role.HEAD, Role.REVIEWER, Role.APPROVER, Role.AUDITOR)
KEPT = "register.search"
_SITTING = {
    code: title for code, title in codes.table(codes.ENROLMENT_STATUS).items() if code not in enrolment.LEFT
}
EMPTY = "请输入姓名、拼音、学籍号或身份证件号"

bp.add_app_template_filter(id_number.masked, "masked_id")
bp.add_app_template_filter(school_numbers.shown, "masked_student_number")
bp.add_app_template_filter(BY_KEY["enrolment_status"].shown, "enrolment_status")


@bp.get("/register")
@roles(*READERS)
def search() -> Response:
    """The form, and the classes of the own school or of the school chosen."""
    return _form(_chosen_school(roster.schools(actor()), request.args.get("school", "")))


@bp.post("/register")
@roles(*READERS)
def look_up() -> BaseResponse:
    """Look for what was posted: one hit by number goes straight to the pupil, everything else to the results."""
    text = plain(request.form.get("q", "")).strip()[: roster.MAX_QUERY]
    school = _chosen_school(roster.schools(actor()), request.form.get("school", ""))
    if not text:
        return _form(school, error=EMPTY)
    kind = roster.kind_of(text)
    hits = roster.search(actor(), text, roster.Narrowed(school)).pupils
    only = hits[0] if kind in ("student_number", "id_number") and len(hits) == 1 else None
    if only is None:
        preferences.keep(actor().id, KEPT, {"q": text, "school": str(school.id) if school else ""})
    audit.append("register.searched", by=kind, hits=len(hits))
    db.session.commit()
    return go("register.pupil", pupil_id=only.id) if only else go("register.results")


@bp.get("/register/results")
@roles(*READERS)
def results() -> BaseResponse:
    """What the person looked for last, a page at a time."""
    kept = preferences.kept(actor().id, KEPT)
    text = str(kept.get("q", ""))
    if not text:
        return go("register.search")
    school = _chosen_school(roster.schools(actor()), str(kept.get("school", "")))
    narrowed = _narrowed(school)
    pupils = roster.search(actor(), text, narrowed, _place())
    shown = text if roster.kind_of(text) in ("name", "initials") else "这个号码"
    return reply(
        "register/results.html",
        found=pupils,
        text=shown,
        school=school,
        size=roster.PAGE,
        narrowed=narrowed,
        grades=_grades(school),
        classes=_classes(school, narrowed.grade),
        statuses=codes.table(codes.ENROLMENT_STATUS),
    )


@bp.get("/register/class")
@roles(*READERS)
def class_list() -> Response:
    """The pupils of one class. A class is no personal datum and may stand in the address."""
    school = found(_chosen_school(roster.schools(actor()), request.args.get("school", "")))
    grade, class_name = request.args.get("grade", ""), request.args.get("class_name", "")
    order, status = request.args.get("order", ""), request.args.get("status", "")
    order = order if order in roster.ORDERS else "name"
    pupils = roster.in_class(actor(), school.id, grade, class_name, _page(), order=order, status=status)
    return reply(
        "register/class.html",
        found=pupils,
        school=school,
        grade=grade,
        class_name=class_name,
        size=roster.PAGE,
        order=order,
        orders=roster.ORDERS,
        status=status,
        statuses=_SITTING,
    )


@bp.get("/register/pupils/<uuid:pupil_id>")
@roles(*READERS)
def pupil(pupil_id: uuid.UUID) -> Response:
    """One pupil: particulars with private items masked, history, loads, open cases."""
    one = found(find_pupil(actor(), pupil_id))
    audit.append_now("pupil.viewed", "pupil", one.id)
    return reply("register/pupil.html", **pupil_view.page(one, actor(), revealed=False))


@bp.post("/register/pupils/<uuid:pupil_id>/reveal")
@roles(*READERS)
def reveal(pupil_id: uuid.UUID) -> Response:
    """The same page with private items in full, this once; recorded."""
    one = found(find_pupil(actor(), pupil_id))
    audit.append("pupil.revealed", "pupil", one.id)
    db.session.commit()
    return reply(
        "register/pupil.html",
        fragment="register/_particulars.html",
        **pupil_view.page(one, actor(), revealed=True),
    )


def _form(school: Office | None, error: str = "") -> Response:
    here = roster.schools(actor())
    of_school = actor().office_level is Level.SCHOOL
    return reply(
        "register/search.html",
        422 if error else 200,
        schools=[] if of_school else here,
        school=school,
        grades=_by_grade(roster.classes(actor(), school.id)) if school else [],
        text=request.form.get("q", ""),
        error=error,
    )


def _by_grade(classes: Sequence[roster.Class]) -> list[tuple[str, list[roster.Class]]]:
    return [(grade, list(several)) for grade, several in groupby(classes, key=lambda one: one.grade)]


def _chosen_school(schools: Sequence[Office], chosen: str) -> Office | None:
    """The school with this id among those visible; a school's own people have only theirs."""
    if actor().office_level is Level.SCHOOL:
        return schools[0] if schools else None
    return next((school for school in schools if str(school.id) == chosen), None)


def _narrowed(school: Office | None) -> roster.Narrowed:
    """What the results are narrowed to. Grade, class and status are no personal data and may stand in the address."""
    grade, status = request.args.get("grade", ""), request.args.get("status", "")
    class_name = request.args.get("class_name", "") if school and grade else ""
    return roster.Narrowed(school, grade, class_name, status, _system())


def _system() -> str:
    return school_system(db.session.get_one(Office, actor().office_id))


def _grades(school: Office | None) -> list[str]:
    """The grades of the school, or those that there are."""
    if school is None:
        return [grade.title for grade in grades.every(_system())]
    return list(dict.fromkeys(one.grade for one in roster.classes(actor(), school.id)))


def _classes(school: Office | None, grade: str) -> list[str]:
    if school is None or not grade:
        return []
    return [one.class_name for one in roster.classes(actor(), school.id) if one.grade == grade]


def _place() -> roster.Place:
    after, before = (request.args.get(key, None, type=uuid.UUID) for key in ("after", "before"))
    return roster.Place(_page(), after, before)


def _page() -> int:
    return request.args.get("page", 1, type=int)
