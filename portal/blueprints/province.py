"""报省: approved rosters are sent to the province under a document number; the numbers that come back are loaded."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from portal import audit
from portal.blueprints.downloads import download
from portal.blueprints.intake_view import NO_FILE, XLSX, page, posted_file, scope
from portal.cases.intake import province, province_exchange, province_return, province_unsettled
from portal.cases.intake.province_return import Report
from portal.cases.intake.scope import Scope
from portal.cases.loads.reading import Unreadable, sheets_of
from portal.cases.refusing import Refused
from portal.cases.register import RegisterMoved
from portal.extensions import db
from portal.models import Role
from portal.oversize import TABLE, fault, takes_file
from portal.standards.dates import read_date
from portal.web import actor, go, roles

bp = Blueprint("province", __name__, url_prefix="/intake/province")

READERS = (Role.REVIEWER, Role.APPROVER, Role.AUDITOR)
TAKERS = (Role.REVIEWER, Role.APPROVER)
MOVED = "有学生的学籍刚被更改，这次没有写入。请再办一次。"


@bp.get("", endpoint="page")
@roles(*READERS)
def show() -> Response:
    """Rosters that are to be sent, and those that were, with how far they came back."""
    return _show(scope())


@bp.post("/send")
@roles(Role.APPROVER)
def send() -> BaseResponse:
    """Record the ticked rosters as sent."""
    here = scope()
    form = {key: request.form.get(key, "") for key in ("document", "sent_on")}
    faults, day = province.send_faults(form), read_date(form["sent_on"])
    if faults or day is None:
        return _show(here, 422, "没有登记报送", form, faults)
    try:
        made = province.send(here, _chosen(), form["document"], day)
    except Refused as refused:
        db.session.rollback()
        return _show(scope(), 409 if refused.conflict else 422, refused.message, form)
    db.session.commit()
    flash(f"已登记 {len(made)} 份名单报省。", "success")
    return go("province.page", year=here.year)


@bp.post("/sheet.xlsx")
@roles(Role.APPROVER)
def sheet() -> Response:
    """The 登记表 of the ticked rosters in one workbook; recorded before it is given out."""
    here = scope()
    try:
        data, people = province.sheet(here, _chosen())
    except Refused as refused:
        return _show(here, 422, refused.message)
    audit.append("intake.province_exported", "office", actor().office_id, year=here.year, people=people)
    db.session.commit()
    return download(data, f"普通高中学生学籍注册登记表_{here.year}.xlsx", XLSX)


@bp.post("/return")
@roles(Role.APPROVER)
@takes_file(TABLE)
def take() -> Response:
    """Load the province's return; rows that cannot be used are kept and listed with what to do."""
    here, posted = scope(), posted_file()
    if posted is None:
        return _show(here, 422, file_fault=fault(NO_FILE))
    data = posted[1]
    db.session.rollback()  # reading takes seconds: the write lock must not be held meanwhile
    try:
        read = province_return.read(data, request.form.get("sheet", "").strip())
        data.seek(0)
        digest = hashlib.file_digest(data, "sha256").hexdigest()  # type: ignore[arg-type]
        report = province_return.take(scope(), read, posted[0], digest)
    except Unreadable as error:
        return _show(scope(), error.status, file_fault=str(error), sheets=sheets_of(error))
    except (Refused, RegisterMoved) as refused:
        db.session.rollback()
        message = refused.message if isinstance(refused, Refused) else MOVED
        return _show(scope(), 409, message)
    db.session.commit()
    return _show(scope(), report=report)


@bp.get("/unsettled.xlsx")
@roles(*TAKERS)
def unsettled() -> Response:
    """Every row that the page counts as not settled, with what to do; recorded before it is given out."""
    here = scope()
    data, rows = province_unsettled.sheet(here)
    audit.append_now("intake.return_rows_exported", "office", here.own.id, year=here.year, rows=rows)
    return download(data, f"省厅返回表未解决的行_{here.year}.xlsx", XLSX)


@bp.post("/set-aside")
@roles(Role.APPROVER)
def set_aside() -> BaseResponse:
    """A row of a return needs nothing more."""
    here = scope()
    try:
        province_unsettled.set_aside(here, _id(request.form.get("row", "")))
    except Refused as refused:
        db.session.rollback()
        return _show(scope(), 409 if refused.conflict else 422, refused.message)
    db.session.commit()
    flash("这一行不再列出。", "success")
    return go("province.page", year=here.year)


@bp.post("/correct")
@roles(Role.APPROVER)
def correct() -> BaseResponse:
    """The province has given somebody another 学籍辅号: put the registered one right. `with` is the row of whoever has it, when
    the same file gives that person the number of this one."""
    here = scope()
    form = {key: request.form.get(key, "") for key in ("row", "with", "reason", "document")}
    if faults := province_unsettled.correction_faults(form):
        return _show(here, 422, "学籍辅号没有更正", correcting=form, correction_faults=faults)
    try:
        if form["with"]:
            made, _other = province_exchange.correct(here, _id(form["row"]), _id(form["with"]), form)
        else:
            made = province_unsettled.correct(here, _id(form["row"]), form)
    except (Refused, RegisterMoved) as refused:
        db.session.rollback()
        message = refused.message if isinstance(refused, Refused) else MOVED
        status = 422 if isinstance(refused, Refused) and not refused.conflict else 409
        return _show(scope(), status, message, correcting=form)
    year = province_unsettled.year_of(here, made)
    db.session.commit()
    whom = "两人的学籍辅号已互换，这一位" if form["with"] else "学籍辅号已"
    flash(f"{whom}由 {made.before} 更正为 {made.after}。", "success")
    return go("province.page", year=year)


def _chosen() -> list[uuid.UUID]:
    """The ticked rosters; a text that is no id is nobody's roster."""
    return [_id(text) for text in request.form.getlist("case")]


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)


def _record_view(here: Scope) -> None:
    """People of the return are about to be shown, with their numbers. An answer to a form records in its own transaction, which
    has nothing else to write: on SQLite it holds the only write lock."""
    record = ("intake.return_viewed", "office", here.own.id)
    if request.method == "GET":
        audit.append_now(*record, year=here.year)
    else:
        audit.append(*record, year=here.year)
        db.session.commit()


def _show(
    here: Scope,
    status: int = 200,
    message: str = "",
    typed: Mapping[str, str] | None = None,
    faults: Mapping[str, str] | None = None,
    file_fault: str = "",
    report: Report | None = None,
    sheets: Sequence[str] = (),
    correcting: Mapping[str, str] | None = None,
    correction_faults: Mapping[str, str] | None = None,
) -> Response:
    waiting, sent = province.filings(here)
    unsettled, unsettled_total = province_unsettled.listed(here)
    corrections, corrections_total = province_unsettled.corrections(here)
    if unsettled or corrections:
        _record_view(here)
    return page(
        "intake/province.html",
        status,
        here,
        waiting=waiting,
        sent=sent,
        chosen=set(request.form.getlist("case")),
        message=message,
        typed=typed or {},
        faults=faults or {},
        file_fault=file_fault,
        report=report,
        sheets=sheets,
        unsettled=unsettled,
        unsettled_total=unsettled_total,
        partners=province_exchange.partners(here, unsettled),
        corrections=corrections,
        corrections_total=corrections_total,
        may_take=here.actor.role in TAKERS,
        correcting=correcting or {},
        correction_faults=correction_faults or {},
    )
