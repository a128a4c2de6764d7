"""Numbers in full on the school's own pages: comparing with stars is no comparing. Who looked is recorded first.

What was typed on the page comes along and stays; nothing of the case is written.
"""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, request

from portal import audit
from portal.blueprints import case_pages, cases
from portal.cases import actions, whose_papers
from portal.extensions import db
from portal.models import Case, Role
from portal.web import roles

bp = Blueprint("numbers", __name__, url_prefix="/cases")


@bp.post("/<uuid:case_id>/fill/<page>/numbers")
@roles(Role.REGISTRAR)
def fill(case_id: uuid.UUID, page: str) -> Response:
    """A page of questions with the old numbers in full."""
    case, law, chosen = cases.open_page(case_id, page)
    raw = cases.posted(law, chosen) if request.form.get("version") else None
    _record(case)
    return case_pages.fill_page(case, law, chosen, raw=raw, revealed=True)


@bp.post("/<uuid:case_id>/check/numbers")
@roles(Role.REGISTRAR)
def check(case_id: uuid.UUID) -> Response:
    """核对提交 with every number in full."""
    case = cases.editable(case_id)
    _record(case)
    typed = case_pages.explanations(request.form)
    word, words = (request.form.get(name) for name in (actions.CONFIRMATION, whose_papers.WORDS))
    return case_pages.check_page(case, typed=typed, word=word or "", words=words, revealed=True)


def _record(case: Case) -> None:
    audit.append("case.revealed", "case", case.id)
    db.session.commit()
