"""Forms to be printed and signed: one case as DOCX, its lists as XLSX too, many cases as a ZIP."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from flask import Blueprint, Response, current_app, request

from portal.blueprints.downloads import DOCX, XLSX, ZIP, download
from portal.cases import clock, printed
from portal.cases.access import Actor, find_case
from portal.extensions import db, reading_only
from portal.models import Role
from portal.models.types import utcnow
from portal.printouts.packing import packed
from portal.settings import Settings
from portal.web import actor, found, reply, roles

bp = Blueprint("printouts", __name__)

READERS = (Role.REGISTRAR, Role.HEAD, Role.REVIEWER, Role.APPROVER, Role.AUDITOR)
MOST = 100  # cases in one batch
LIST = "打印清单.txt"


@bp.get("/cases/<uuid:case_id>/printouts/<printout_id>.docx")
def docx(case_id: uuid.UUID, printout_id: str) -> Response:
    """One form of one case, filled with what stands now; printing it is recorded before it is given out."""
    case = found(find_case(actor(), case_id))
    order = found(next(iter(printed.orders(case, printout_id)), None))
    (anchor,) = printed.record([order], _key())
    return download(printed.make(order, anchor, _key()), order.file_name, DOCX)


@bp.get("/cases/<uuid:case_id>/printouts/<printout_id>.xlsx")
def xlsx(case_id: uuid.UUID, printout_id: str) -> Response:
    """The same as a table to go on working with, where the form is one; recorded likewise."""
    case = found(find_case(actor(), case_id))
    order = found(next(iter(printed.orders(case, printout_id)), None))
    sheet = found(order.printout.sheet)
    (anchor,) = printed.record([order], _key())
    return download(printed.make_sheet(order, sheet, anchor, _key()), order.sheet_name, XLSX)


@bp.post("/printouts/batch")
@roles(*READERS)
def batch() -> Response:
    """The forms of the cases ticked in a list (`case`, once for each), with a list of what is in and what is not."""
    ids = list(dict.fromkeys(request.form.getlist("case")))
    if not ids:
        return _refused("还没有选择业务。请在列表左侧勾选要打印的业务，再点“打印所选”。")
    if len(ids) > MOST:
        return _refused(f"一次最多打印 {MOST} 件，现选了 {len(ids)} 件。请分几次打印。")
    who = actor()
    db.session.rollback()  # SQLite: reading a hundred cases must not keep everybody else from writing
    with reading_only():
        taken = _take(who, ids)
    if not taken.orders:
        return _refused("所选业务都不能打印。", taken.left_out)
    anchors = printed.record(taken.orders, _key())
    files = [
        (order.file_name, printed.make(order, anchor, _key()))
        for order, anchor in zip(taken.orders, anchors, strict=True)
    ]
    names = [name for name, _data in files]
    files.append((LIST, _list(names, taken.left_out).encode("utf-8-sig")))
    return download(packed(files), f"审批表_{clock.local(utcnow()):%Y%m%d_%H%M}_{len(names)}份.zip", ZIP)


@dataclass
class _Taken:
    """What of the chosen cases can be printed, and why the rest cannot."""

    orders: list[printed.Order] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def _take(who: Actor, ids: list[str]) -> _Taken:
    taken = _Taken()
    for position, text in enumerate(ids, start=1):
        case = find_case(who, case_id) if (case_id := _uuid(text)) else None
        if case is None:
            taken.left_out.append(f"所选第 {position} 件：没有找到，或不在您可查看的范围")
            continue
        orders = printed.orders(case)
        taken.orders += orders
        if not orders:
            taken.left_out.append(f"{case.number}：这项业务没有需要打印的表格")
    return taken


def _list(names: list[str], left_out: list[str]) -> str:
    lines = [f"已打印 {len(names)} 份", *names, "", f"未打印 {len(left_out)} 件", *left_out]
    return "\r\n".join(lines) + "\r\n"


def _refused(message: str, left_out: list[str] | None = None) -> Response:
    db.session.rollback()
    return reply("printouts/batch.html", 422, message=message, left_out=left_out or [])


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _key() -> str:
    settings: Settings = current_app.extensions["settings"]
    return settings.secret_key
