"""From approval here to the change in the national system: the pack, the receipt, and what has not landed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, Response, current_app, flash, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal import audit
from portal.blueprints.downloads import ZIP, download
from portal.cases import entries, entry_pack
from portal.cases.access import find_case
from portal.cases.entries import STAGES, Stage
from portal.cases.refusing import Refused
from portal.errors import show
from portal.extensions import db
from portal.models import Case, NationalEntry, Role, Status
from portal.models.types import utcnow
from portal.web import actor, deny, found, go, reply, roles
from portal.workflows import workflow
from storage.objects import Missing, ObjectStore, Tampered

bp = Blueprint("landings", __name__)

READERS = (Role.REGISTRAR, Role.HEAD, Role.REVIEWER, Role.APPROVER, Role.AUDITOR)
ENTERERS = (Role.REGISTRAR, Role.REVIEWER, Role.APPROVER)
NOT_YET = "业务批准后才有录入包。"
EVIDENCE_LOST = "证据原件与收到时的指纹不符或已不在存储中，录入包没有生成。请立即联系系统管理员核查。"


@dataclass(frozen=True)
class Typed:
    """What somebody typed that could not be taken: it stands in its row again, with the reason."""

    case_id: uuid.UUID
    receipt: str
    message: str


@bp.get("/landings")
@roles(*READERS)
def index() -> Response:
    """Approved cases by how far they have come."""
    stage = STAGES.get(request.args.get("stage", ""), STAGES["waiting"])
    return _list(stage, request.args.get("after", ""))


@bp.get("/cases/<uuid:case_id>/entry-pack.zip", endpoint="entry_pack")
@roles(*ENTERERS)
def entry_pack_zip(case_id: uuid.UUID) -> Response:
    """The pack of one approved case; recorded before it is given out."""
    case = found(find_case(actor(), case_id))
    if workflow(case.workflow).roster:
        deny()  # a roster goes to the province as a whole
    if case.status != Status.APPROVED:
        return show(409, NOT_YET)
    pack = entry_pack.plan(case)
    db.session.rollback()  # decoding pictures takes seconds: no transaction stays open meanwhile
    store: ObjectStore = current_app.extensions["store"]
    try:
        data = entry_pack.build(pack, store)
    except (Missing, Tampered) as error:
        current_app.logger.error("evidence of case %s cannot be read: %s", case_id, type(error).__name__)
        audit.append_now("case.entry_pack", "case", case_id, result="failed", fault=type(error).__name__)
        return show(503, EVIDENCE_LOST)
    audit.append_now("case.entry_pack", "case", case_id, pages=len(pack.pages))
    return download(data, pack.file_name, ZIP)


@bp.post("/cases/<uuid:case_id>/entered")
@roles(*ENTERERS)
def entered(case_id: uuid.UUID) -> BaseResponse:
    """Note the receipt number of the national system, or correct it."""
    case = found(find_case(actor(), case_id))
    receipt, seen = request.form.get("receipt", ""), request.form.get("seen", "")
    try:
        entries.mark_entered(case, actor(), receipt, seen)
    except Refused as refused:
        db.session.rollback()
        shown = "".join(character for character in receipt if character.isprintable())[:80]
        typed = Typed(case_id, shown, refused.message)
        return _list(_stage_of(entries.entry_of(case)), "", 409 if refused.conflict else 422, typed)
    db.session.commit()
    entry = found(entries.entry_of(case))
    db.session.refresh(entry)
    then = "国网导出的数据不显示这类变更，以受理号为准"
    if not entries.landed_by_receipt(entry):
        then = "下一次导入全国学籍系统数据时确认"
    flash(f"{case.number} 的受理号已登记，{then}。", "success")
    return go("landings.index", stage=_stage_of(entry).id)


@dataclass(frozen=True)
class Row:
    """One case as the list shows it."""

    entry: NationalEntry
    case: Case
    title: str
    days: int
    stuck: bool
    may_mark: bool
    may_download: bool
    typed: Typed | None


def _list(stage: Stage, after: str, status: int = 200, typed: Typed | None = None) -> Response:
    listing = entries.page(actor(), stage, after)
    shown = list(listing.entries)
    mistaken = db.session.get(NationalEntry, typed.case_id) if typed else None
    if mistaken and mistaken not in shown:
        shown.insert(0, mistaken)  # it stands on another page: what was typed must not be lost
    markable = entries.markable([entry.case for entry in shown], actor())
    rows = [_row(entry, typed, may_mark=entry.case_id in markable) for entry in shown]
    tabs = [
        {
            "title": one.title,
            "url": url_for("landings.index", stage=one.id),
            "count": listing.total
            if one is stage
            else entries.count(actor(), one)
            if one.id != "confirmed"
            else None,
            "active": one is stage,
        }
        for one in STAGES.values()
    ]
    return reply(
        "landings/index.html",
        status,
        stage=stage,
        listing=listing,
        rows=rows,
        tabs=tabs,
        after=after,
        message=typed.message if typed and not any(row.typed and row.may_mark for row in rows) else "",
    )


def _row(entry: NationalEntry, typed: Typed | None, *, may_mark: bool) -> Row:
    case, waited = entry.case, (entry.confirmed_at or utcnow()) - entry.approved_at
    return Row(
        entry=entry,
        case=case,
        title=workflow(case.workflow).title,
        days=waited.days,
        stuck=entry.confirmed_at is None and waited > timedelta(days=entries.STUCK_AFTER_DAYS),
        may_mark=may_mark and (entry.confirmed_at is None or entries.landed_by_receipt(entry)),
        may_download=actor().role in ENTERERS,
        typed=typed if typed and typed.case_id == case.id else None,
    )


def _stage_of(entry: NationalEntry | None) -> Stage:
    """The part of the list where the entry stands now."""
    if entry is None or (entry.entered_at is None and entry.confirmed_at is None):
        return STAGES["waiting"]
    return STAGES["confirmed" if entry.confirmed_at else "entered"]
