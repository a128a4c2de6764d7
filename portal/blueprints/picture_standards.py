"""图片检查标准: the thresholds of the picture checks, which the state bureau sets and the bureaus below it read."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from portal.cases import picture_standards as standards
from portal.cases import quality
from portal.cases.offices import supervisor
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Level, Office, Role
from portal.web import actor, deny, go, reply, roles

bp = Blueprint("picture_standards", __name__, url_prefix="/quality/standard")

READERS = (Role.APPROVER, Role.REVIEWER, Role.AUDITOR)


@bp.get("")
@roles(*READERS)
def page() -> Response:
    """The thresholds for one kind of paper: the standard, the own values, every version with who, when and why."""
    return _standard(_paper(request.args))


@bp.post("")
@roles(Role.APPROVER)
def save() -> BaseResponse:
    """A new version with the own values typed for one kind of paper."""
    paper, typed = _paper(request.form), {k.removeprefix("value-"): v for k, v in request.form.items()}
    newest = quality.newest_set(actor().office_id)
    faults = standards.faults(paper, typed, newest.changes if newest else {})
    if faults:
        return _standard(paper, 422, "有几项的值不对，没有保存", typed, faults)
    try:
        one = standards.save(actor(), paper, typed, request.form.get("reason", ""), _number("seen"))
    except Refused as refused:
        db.session.rollback()
        return _standard(paper, 409 if refused.conflict else 422, refused.message, typed)
    db.session.commit()
    flash(f"已保存为第 {one.number} 版，今后上传的图片按此检查。", "success")
    return go("picture_standards.page", paper=paper)


@bp.post("/back")
@roles(Role.APPROVER)
def go_back() -> BaseResponse:
    """A new version with the values of an earlier one."""
    paper = _paper(request.form)
    try:
        one = standards.go_back(actor(), _number("number"), request.form.get("reason", ""), _number("seen"))
    except LookupError:
        deny()
    except Refused as refused:
        db.session.rollback()
        return _standard(paper, 409 if refused.conflict else 422, refused.message)
    db.session.commit()
    flash(f"已恢复，存为第 {one.number} 版。", "success")
    return go("picture_standards.page", paper=paper)


def _paper(values: Any) -> str:
    asked: str = values.get("paper", "")
    return asked if asked in standards.PAPERS else standards.ALL


def _number(name: str) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else -1


def _standard(
    paper: str,
    status: int = 200,
    message: str = "",
    typed: dict[str, str] | None = None,
    faults: dict[str, str] | None = None,
) -> Response:
    own = db.session.get_one(Office, actor().office_id)
    state = supervisor(own, Level.STATE)
    versions = standards.history(state.id) if state else []
    changes = versions[0].changes if versions else {}
    older = [*(one.changes for one in versions[1:]), {}]
    return reply(
        "quality/standard.html",
        status,
        state=state,
        paper=paper,
        papers=standards.PAPERS,
        rows=_rows(paper, changes, typed),
        faults=faults or {},
        message=message,
        reason=request.form.get("reason", "")[: standards.REASON_MOST],
        editable=standards.may_set(actor()),
        seen=versions[0].number if versions else 0,
        versions=[
            (one, standards.differences(one.changes, before))
            for one, before in zip(versions, older, strict=False)  # none: nothing came before nothing
        ],
    )


def _rows(paper: str, changes: Any, typed: dict[str, str] | None) -> list[dict[str, Any]]:
    """One threshold a row: meaning, standard, own value (as typed, where something was), and what is in force."""
    base, force, own = (
        standards.standard_of(paper),
        standards.in_force(paper, changes),
        changes.get(paper, {}),
    )
    return [
        {
            "name": name,
            "meaning": standards.meaning(name),
            "standard": f"{base[name]:g}",
            "own": typed.get(name, "") if typed is not None else f"{own[name]:g}" if name in own else "",
            "in_force": f"{force[name]:g}",
        }
        for name in base
    ]
