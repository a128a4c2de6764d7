"""The reading on open pages: how far it has come, and a reviewer's own reading of a value."""

from __future__ import annotations

import uuid

from flask import Blueprint, request
from werkzeug.wrappers import Response as BaseResponse

from portal import audit
from portal.blueprints import reading_view, review, slots_view
from portal.cases import page_readings
from portal.cases.access import find_case
from portal.cases.facts import read_facts
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Role
from portal.web import actor, found, go, reply, roles, unattended, wants_fragment

bp = Blueprint("readings", __name__, url_prefix="/cases")


@bp.get("/<uuid:case_id>/readings")
@unattended
def comparison(case_id: uuid.UUID) -> BaseResponse:
    """What an open desk asks while its papers are being read: the table as it stands now."""
    case = found(find_case(actor(), case_id))
    if not wants_fragment():
        return go("review.desk", case_id=case.id)
    if not page_readings.progress(case).running:
        audit.append_now(
            "case.viewed", "case", case.id
        )  # the values that were read show now for the first time
    return review.comparison(case, beat=_beat())


@bp.post("/<uuid:case_id>/readings/<column>")
def correct(case_id: uuid.UUID, column: str) -> BaseResponse:
    """更正识读: what the person who decides the case reads on the paper. The machine's reading stays on record."""
    case = found(find_case(actor(), case_id))
    typed = request.form.get("value", "")
    try:
        page_readings.correct(case, actor(), read_facts(case), column, typed)
    except Refused as refused:
        db.session.rollback()
        case = found(find_case(actor(), case_id))
        status = 409 if refused.conflict else 422
        return review.comparison(case, status, fault=reading_view.Fault(column, typed, refused.message))
    db.session.commit()
    if wants_fragment():
        return review.comparison(case)
    return review.back_to_desk(case)


@bp.get("/<uuid:case_id>/papers/reading")
@unattended
@roles(Role.REGISTRAR)
def progress(case_id: uuid.UUID) -> BaseResponse:
    """What the pages of papers and of the check ask while papers are being read: how many are left, and what was read."""
    case = found(find_case(actor(), case_id))
    if not wants_fragment():
        return go("cases.papers", case_id=case.id)
    facts = read_facts(case)
    read = reading_view.school(case, facts, beat=_beat())
    return reply("cases/_reading_progress.html", case=case, slots=slots_view.slots(case, facts), **read)


def _beat() -> int:
    return max(0, request.args.get("beat", 0, type=int)) + 1
