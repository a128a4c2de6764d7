"""The pages of a roster: its rows, one row to be mended, the admitted who do not stand on it.

What never belongs here: a route, a change; the case has been found as one with a roster.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, request, url_for
from werkzeug.datastructures import MultiDict

from portal import keeping
from portal.blueprints import case_frame, casefile, roster_view
from portal.cases import unsent
from portal.cases.actions import available
from portal.cases.facts import read_facts
from portal.cases.rosters import editing
from portal.models import Case, Status
from portal.standards import codes
from portal.standards.columns import BY_KEY
from portal.web import actor, reply
from portal.workflows import workflow
from portal.workflows.facts import Facts, RosterRow

NEW_ROW = "row:new"  # what a person who is not on the roster yet is kept as


def roster_page(
    case: Case,
    status: int = 200,
    *,
    message: str = "",
    file_error: str = "",
    sheets: Sequence[str] = (),
    revealed: bool = False,
) -> Response:
    facts, verbs = read_facts(case, actor()), available(case, actor())
    mine = "edit" in verbs
    kept = _kept(case, "pick", "rosters.show")
    picked = request.form if request.method == "POST" else kept.text or MultiDict[str, str]()
    return reply(
        "rosters/show.html",
        status,
        **case_frame.head(case, facts),
        sheet=roster_view.sheet(
            case,
            facts,
            request.values.get("show", "all"),
            request.values.get("page", 1, type=int) or 1,
            revealed=revealed,
        ),
        figures=roster_view.figures(case, facts),
        mine=mine,
        may_strike="strike" in verbs,
        revealed=revealed,
        message=message,
        file_error=file_error,
        sheets=sheets,
        kept=kept,
        unsaved=_unsaved_rows(case, facts) if mine else [],
        ticked=set(picked.getlist("row")),
        note=picked.get("note", ""),
        class_name=picked.get("class_name", ""),
        progress=case_frame.progress(case, facts, case_frame.ROSTER) if mine else [],
        remarks=[
            item
            for item in (casefile.remark_items(case) if case.status == Status.RETURNED else [])
            if item.target == "roster"
        ],
        stops=[one for one in workflow(case.workflow).refusals(facts, "answers") if one.field == "roster"],
        back=url_for("cases.show", case_id=case.id),
    )


def _kept(case: Case, form: str, endpoint: str, **parts: Any) -> keeping.Kept:
    """What the person typed into a form of this roster and did not send."""
    back = url_for(endpoint, case_id=case.id, **parts, **place())
    return keeping.kept_for(unsent.CASE, case.id, form, back=back)


def _unsaved_rows(case: Case, facts: Facts) -> list[tuple[str, str]]:
    """(where, address) of the rows that the person began to change and did not save."""
    places = {f"row:{one.id}": one for one in facts.roster}
    found = []
    for kept in unsent.kept_about(actor().id, unsent.CASE, case.id, "row:"):
        if kept.form == NEW_ROW:
            found.append(("新加的一名学生", url_for("rosters.new_row", case_id=case.id, **place())))
        elif one := places.get(kept.form):
            url = url_for("rosters.row", case_id=case.id, row_id=one.id, **place())
            found.append((f"第 {one.position} 行", url))
    return found


def admitted_page(case: Case, status: int = 200, message: str = "") -> Response:
    facts = read_facts(case, actor())
    return reply(
        "rosters/admitted.html",
        status,
        **case_frame.head(case, facts),
        people=editing.not_on(case),
        figures=roster_view.figures(case, facts),
        message=message,
        ticked=set(request.form.getlist("exam_number")),
        sex=lambda code: codes.label(codes.SEX, code),
        ethnicity=lambda code: codes.label(codes.ETHNICITY, code),
    )


def row_page(
    case: Case,
    one: RosterRow | None,
    status: int = 200,
    texts: dict[str, str] | None = None,
    message: str = "",
) -> Response:
    """The form of one row: a table row for htmx, a page of its own else."""
    facts, roster = read_facts(case, actor()), editing.roster_of(case)
    kept = (
        _kept(case, f"row:{one.id}", "rosters.row", row_id=one.id)
        if one
        else _kept(case, NEW_ROW, "rosters.new_row")
    )
    typed = request.form if request.method == "POST" else kept.text or MultiDict[str, str]()
    if kept.text is not None and texts is None:
        texts = {column.key: typed.get(f"cell-{column.key}", "") for column in roster.columns}
    found_here = roster.findings(facts, [one]) if one else []
    said = one.admitted if one and one.admitted else {}
    cells: list[dict[str, Any]] = [
        {
            "key": column.key,
            "title": column.title,
            "required": column.required,
            "text": (texts or {}).get(column.key, _readable(column.key, one[column.key] if one else "")),
            "findings": [finding for finding in found_here if finding.column == column.key],
            "said": _readable(column.key, said.get(column.key, "")),
        }
        for column in roster.columns
    ]
    return reply(
        "rosters/row.html",
        status,
        fragment="rosters/_row_form.html",
        **case_frame.head(case, facts),
        row=one,
        cells=cells,
        kept=kept,
        put_back=bool(typed.get("put_back")),
        message=message,
        place=place(),
        width=len(roster.columns) + 3,
        ethnicities=list(codes.table(codes.ETHNICITY).values()),
        back=url_for("rosters.show", case_id=case.id, **place()),
    )


def _readable(key: str, text: str) -> str:
    """A value as it may be typed again: names of codes instead of codes."""
    return BY_KEY[key].shown(text) if key in BY_KEY else text


def place() -> dict[str, Any]:
    """The tab and page that the person was on."""
    kept = {"show": request.values.get("show", ""), "page": request.values.get("page", "")}
    return {key: value for key, value in kept.items() if value}
