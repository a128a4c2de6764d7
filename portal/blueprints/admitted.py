"""录取名单: the versions of a year's list, counts beside the plan, and loading the next one with a preview."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from portal import audit
from portal.blueprints import sealed
from portal.blueprints.downloads import download
from portal.blueprints.intake_view import NO_FILE, READERS, XLSX, page, posted_file, scope
from portal.cases import stored_files as files
from portal.cases.intake import admissions, plans
from portal.cases.intake.admissions import Staged
from portal.cases.intake.admitted_rows import Schools
from portal.cases.intake.scope import Scope, schools
from portal.cases.intake.sheets import workbook
from portal.cases.loads.reading import Sheet, Unreadable, sheets_of
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Level, Office, Role
from portal.oversize import TABLE, fault, takes_file, told
from portal.standards import id_number
from portal.web import deny, found, go, roles
from storage.objects import Sealed

bp = Blueprint("admitted", __name__, url_prefix="/intake/admitted")

FAULT_HEADINGS = ("行号", "列", "单元格内容", "问题", "怎样改正")
FAULT_WIDTHS = (8, 16, 26, 36, 48)
SHOWN_FAULTS = 200


@dataclass(frozen=True)
class Count:
    """People of one school: in the plan, in the list, and in the list that waits (None where there is no such thing)."""

    school: Office
    places: int | None
    admitted: int | None
    waiting: int | None

    @property
    def over(self) -> int:
        """How many the newest of the lists holds beyond the plan."""
        people = self.admitted if self.waiting is None else self.waiting
        return max(0, (people or 0) - (self.places or 0))


@bp.get("", endpoint="page")
@roles(*READERS)
def show() -> Response:
    """The list in force by school, what waits to be confirmed, and every version."""
    return _show(scope())


@bp.post("")
@roles(Role.APPROVER)
@takes_file(TABLE)
def upload() -> BaseResponse:
    """Read and judge a file; it waits for its confirmation."""
    here, posted = scope(), posted_file()
    if not here.may_set:
        deny()
    if posted is None:
        return _show(here, 422, file_fault=fault(NO_FILE))
    roster, known = here.roster, Schools.of([one for one in schools(here) if one.active])
    db.session.rollback()  # reading takes seconds: the write lock must not be held meanwhile
    data = posted[1].read()
    if len(data) > admissions.MAX_BYTES:
        return _show(scope(), 422, file_fault=told(len(data), admissions.MAX_BYTES, TABLE))
    try:
        examined = admissions.examine(roster, known, data, request.form.get("sheet", "").strip())
    except Unreadable as error:
        return _show(scope(), error.status, file_fault=str(error), sheets=sheets_of(error))
    key = files.expect(files.INTAKE, scope().state.id, scope().actor)
    db.session.commit()
    try:
        received = admissions.keep(key, posted[0], data, examined)
        here = scope()
        old = admissions.stage(here, received)
        db.session.commit()
    except Refused as refused:
        files.give_up(sealed.store(), key)
        return _show(scope(), 422, refused.message)
    except Exception:  # whatever it was: the space is freed, the answer is the error's
        files.give_up(sealed.store(), key)
        raise
    _throw_away(old)
    return go("admitted.page", year=here.year)


@bp.post("/sheet")
@roles(Role.APPROVER)
def sheet() -> BaseResponse:
    """Read another sheet of the file that waits."""
    here = scope()
    waiting = admissions.staged(here)
    if waiting is None:
        return _show(here, 409, "没有等待确认的名单，请重新导入")
    name, roster = request.form.get("sheet", "").strip(), here.roster
    known = Schools.of([one for one in schools(here) if one.active])
    db.session.rollback()  # reading takes seconds: the write lock must not be held meanwhile
    try:
        admissions.choose_sheet(scope(), waiting, admissions.examine_sheet(roster, known, waiting, name))
    except Unreadable as error:
        return _show(scope(), 422, str(error))
    except Refused as refused:
        db.session.rollback()
        return _show(scope(), 409 if refused.conflict else 422, refused.message)
    db.session.commit()
    return go("admitted.page", year=here.year)


@bp.post("/confirm")
@roles(Role.APPROVER)
def confirm() -> BaseResponse:
    """The waiting file becomes the list of the year."""
    here = scope()
    waiting = admissions.staged(here)
    typed = {key: request.form.get(key, "") for key in ("note", "document")}
    if waiting is None:
        return _show(here, 409, "没有等待确认的名单，请重新导入")
    roster, known = here.roster, Schools.of([one for one in schools(here) if one.active])
    db.session.rollback()
    try:
        judged = admissions.read_again(roster, known, waiting)
        here = scope()
        made = admissions.confirm(
            here, request.form.get("seen", ""), judged, typed["note"], typed["document"]
        )
    except Unreadable as error:
        return _show(scope(), error.status, str(error), typed=typed)
    except Refused as refused:
        db.session.rollback()
        return _show(scope(), 409 if refused.conflict else 422, refused.message, typed=typed)
    db.session.commit()
    _throw_away(waiting.sealed)
    flash(f"{made.year} 年录取名单第 {made.number} 版已生效，共 {made.people} 人。", "success")
    return go("admitted.page", year=made.year)


@bp.post("/discard")
@roles(Role.APPROVER)
def discard() -> BaseResponse:
    """Put the waiting file aside."""
    here = scope()
    try:
        gone = admissions.discard(here)
    except Refused as refused:
        db.session.rollback()
        return _show(scope(), 422, refused.message)
    db.session.commit()
    _throw_away(gone)
    flash("已放弃导入的文件，名单没有变动。", "success")
    return go("admitted.page", year=here.year)


@bp.get("/faults.xlsx")
@roles(Role.APPROVER)
def faults() -> Response:
    """What is wrong with the waiting file, cell by cell, as it stands there; recorded before it is given out."""
    here = scope()
    waiting = found(admissions.staged(here))
    audit.append_now("intake.list_faults_exported", "office", here.state.id, year=here.year)
    lines = [
        tuple(one[key] for key in ("row", "title", "value", "reason", "remedy")) for one in waiting.faults
    ]
    return download(
        workbook("错误清单", FAULT_HEADINGS, lines, FAULT_WIDTHS), f"录取名单错误_{here.year}.xlsx", XLSX
    )


def _throw_away(old: Sealed | None) -> None:
    admissions.throw_away(old)
    db.session.commit()


def _show(
    here: Scope,
    status: int = 200,
    message: str = "",
    file_fault: str = "",
    typed: Mapping[str, str] | None = None,
    sheets: Sequence[str] = (),
) -> Response:
    versions, waiting = admissions.history(here), admissions.staged(here)
    counts = _counts(here, waiting)
    own = [one.id for one in schools(here)]
    return page(
        "intake/admitted.html",
        status,
        here,
        newest=versions[0] if versions else None,
        versions=[(one, admissions.in_words(one.changes, own)) for one in versions],
        of_state=here.actor.office_level is Level.STATE,
        waiting=waiting,
        changing=admissions.in_words(waiting.changes, own) if waiting else "",
        counts=counts,
        over=sum(1 for one in counts if one.over),
        total=[_sum(getattr(one, key) for one in counts) for key in ("places", "admitted", "waiting")],
        faults=[_masked(one) for one in waiting.faults[:SHOWN_FAULTS]] if waiting else [],
        message=message,
        file_fault=file_fault,
        sheets=sheets or (Sheet(**waiting.sheet).names if waiting else []),
        typed=typed or {},
    )


def _counts(here: Scope, waiting: Staged | None) -> list[Count]:
    path = here.actor.office_path
    figures = plans.figures_of(plans.plan_of(here.state.id, here.year), path)
    newest = plans.list_of(here.state.id, here.year)
    admitted = plans.admitted_below(newest, path)
    coming: dict[uuid.UUID, int] = admissions.school_ids(waiting) if waiting else {}
    return [
        Count(
            one,
            figures[one.id].places if one.id in figures else None,
            admitted.get(one.id, 0) if newest else None,
            coming.get(one.id, 0) if waiting and not waiting.faulty else None,
        )
        for one in schools(here)
        if one.active or one.id in admitted or one.id in coming
    ]


def _masked(one: dict[str, str]) -> dict[str, str]:
    private = one["title"].startswith("身份证")
    return {**one, "value": id_number.masked(one["value"])} if private else one


def _sum(values: object) -> int | None:
    known = [value for value in values if value is not None]  # type: ignore[attr-defined]
    return sum(known) if known else None
