"""Loading the national system's export: upload, columns, check with progress, preview, apply, undo."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal import audit, keeping, oversize
from portal.blueprints import load_view, sealed
from portal.blueprints.downloads import download
from portal.cases import items, stored_files, unsent
from portal.cases.loads import emptied, errorlist, lifecycle, mapping, renumbering
from portal.cases.loads.comparing import (
    ADDED,
    CHANGED,
    EMPTIED,
    FAULTY,
    HELD,
    KINDS,
    LANDED,
    MISSING,
    MOVED,
    RENUMBERED,
    WAITING,
    WARNED,
)
from portal.cases.loads.lifecycle import LoadRefused
from portal.cases.loads.reading import Unreadable
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.faults import reach
from portal.models import RegisterLoad
from portal.oversize import fault, takes_file
from portal.standards.columns import COLUMNS
from portal.web import actor, found, go, reply, roles, unattended

bp = Blueprint("loads", __name__)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WORKING = ("checking", "applying", "undoing")
STATUS = {  # text, tone, icon
    "uploaded": ("待核对", "info", "table-import"),
    "checking": ("正在核对", "info", "clock"),
    "checked": ("待应用", "soon", "checklist"),
    "applying": ("正在写入", "info", "clock"),
    "applied": ("已应用", "ok", "circle-check"),
    "undoing": ("正在撤销", "info", "clock"),
    "undone": ("已撤销", "paused", "arrow-back-up"),
    "failed": ("未能核对", "late", "alert-circle"),
    "discarded": ("已放弃", "paused", "x"),
}
KIND_TEXT = {
    FAULTY: "这些行不会载入。请在全国学籍系统更正后重新导出，或照下面的办法改正后重新上传。",
    ADDED: "导入前工作副本中没有的学生。",
    CHANGED: "工作副本中已有的学生，将按导出文件更改下列各项。",
    MISSING: "工作副本中有、完整名单中没有的学生，将标记为“不在名单”，不会删除。",
    RENUMBERED: "登记中的学生有了新的学籍号。确认是同一人的，换成新号，业务记录不变；没有确认的不载入。",
    EMPTIED: "登记中有身份证件号，名单中这一格是空的。不勾选的保留原号；逐个核对后确认的，应用时才清空。",
    HELD: "本系统已批准、国网尚未更新：工作副本保留已批准的值，不被旧值覆盖。经批准终止的学籍，导入不会恢复。",
    WAITING: "关键信息、新增和减少的学生、确认落地，须经上级教育局确认后写入。",
    MOVED: (
        "没有写入：等待确认期间，这些学生的登记又有变动；或者业务还没有登记国网受理号，不能确认落地。"
        "仍然需要的，请登记受理号后重新导入。"
    ),
    LANDED: "导出文件已显示批准后的值，应用后相应业务标记为“国网已更新”。",
    WARNED: "照原样载入，请事后核对。",
}


@bp.get("/register/loads")
@roles(*lifecycle.LOADERS)
def index() -> Response:
    """The office's loads and the form for the next one."""
    return _index()


def _index(error: str = "", status: int = 200) -> Response:
    return reply(
        "register/loads.html",
        status,
        loads=lifecycle.loads_of(actor()),
        statuses=STATUS,
        proposals=items.count_waiting(actor()),
        most_bytes=lifecycle.MAX_BYTES,
        full=actor().role in lifecycle.LOADERS and lifecycle.fault_in_flight(actor()),
        error=error,
    )


@bp.post("/register/loads")
@roles(*lifecycle.LOADERS)
@takes_file(oversize.TABLE, lifecycle.MAX_BYTES)
def upload() -> BaseResponse:
    """Read the headings, store the file, and go on to the columns."""
    who, file = actor(), request.files.get("file")
    if file is None or not file.filename:
        return _index(fault("请选择从全国学籍系统导出的文件（.xlsx 或 .csv）"), 422)
    if refused := lifecycle.fault_in_flight(who):
        return _index(fault(refused), 409)
    data = file.read()
    if len(data) > lifecycle.MAX_BYTES:
        return _index(oversize.told(len(data), lifecycle.MAX_BYTES, oversize.TABLE), 422)
    db.session.rollback()  # reading takes seconds: the write lock must not be held meanwhile
    try:
        examined = lifecycle.examine(data)
        key = stored_files.expect(stored_files.LOAD, who.office_id, who)
        with stored_files.receiving(key, sealed.store()) as coming:
            load = lifecycle.begin(who, file.filename, lifecycle.keep(coming.store, key, data, examined))
    except Unreadable as error:
        return _index(str(error), error.status)
    except LoadRefused as error:
        return _index(str(error), 409)
    return go("loads.columns", load_id=load.id)


@bp.get("/register/loads/<uuid:load_id>/columns")
@roles(*lifecycle.LOADERS)
def columns(load_id: uuid.UUID) -> BaseResponse:
    """Which heading is which column; recognised ones are chosen already."""
    load = _load(load_id)
    if load.status not in ("uploaded", "checked", "failed"):
        return go("loads.show", load_id=load.id)
    kept = _kept(load)
    if kept.text is None:
        return _columns(load, load.mapping, complete=load.complete)
    return _columns(load, _chosen(load, kept.text), complete=bool(kept.text.get("complete")))


def _kept(load: RegisterLoad) -> keeping.Kept:
    """The columns that the person chose here and did not send."""
    back = url_for("loads.columns", load_id=load.id)
    return keeping.kept_for(unsent.LOAD, load.id, "columns", back=back)


def _chosen(load: RegisterLoad, form: Mapping[str, str]) -> dict[str, str]:
    """{position of a heading: key of the column chosen for it}."""
    return {
        str(position): key
        for position in range(len(load.headings))
        if (key := form.get(f"column-{position}", ""))
    }


def _columns(load: RegisterLoad, chosen: dict[str, str], *, complete: bool, error: str = "") -> Response:
    return reply(
        "register/load_columns.html",
        422 if error else 200,
        load=load,
        rows=[
            (position, _letter(position), heading, chosen.get(str(position), ""))
            for position, heading in enumerate(load.headings)
        ],
        columns=COLUMNS,
        kept=_kept(load),
        needed=mapping.needed(actor().office_level),
        known=len(load.mapping) if request.method == "GET" else len(chosen),
        complete=complete,
        error=error,
    )


@bp.post("/register/loads/<uuid:load_id>/sheet")
@roles(*lifecycle.LOADERS)
def sheet(load_id: uuid.UUID) -> BaseResponse:
    """Read another sheet of the workbook."""
    load, who = _load(load_id), actor()
    try:
        lifecycle.choose_sheet(load, who, request.form.get("sheet", ""))
    except LoadRefused as error:
        db.session.rollback()
        load = _load(load_id)
        return _columns(load, load.mapping, complete=load.complete, error=str(error))
    db.session.commit()
    return go("loads.columns", load_id=load_id)


@bp.post("/register/loads/<uuid:load_id>/columns")
@roles(*lifecycle.LOADERS)
def check(load_id: uuid.UUID) -> BaseResponse:
    """Fix the columns and start the check."""
    load = _load(load_id)
    chosen = _chosen(load, request.form)
    complete = bool(request.form.get("complete"))
    try:
        lifecycle.start_check(load, actor(), chosen, complete=complete)
    except LoadRefused as error:
        db.session.rollback()
        return _columns(_load(load_id), chosen, complete=complete, error=str(error))
    keeping.sent()
    db.session.commit()
    return go("loads.show", load_id=load.id)


@bp.get("/register/loads/<uuid:load_id>")
@roles(*lifecycle.LOADERS)
def show(load_id: uuid.UUID) -> BaseResponse:
    """Where the load stands; once checked, the findings as lists."""
    load = _load(load_id)
    if load.status == "uploaded":
        return go("loads.columns", load_id=load.id)
    return _show(load)


def _show(load: RegisterLoad, error: str = "", status: int = 200, kind: str = "") -> Response:
    kind = kind or request.args.get("kind", "")
    kind = kind if kind in KINDS else lifecycle.first_kind(load)
    listing = lifecycle.findings(load, kind, _key("after"), _key("before"))
    return reply(
        "register/load.html",
        status,
        load=load,
        standing=STATUS[load.status],
        working=load.status in WORKING,
        tabs_of=_tabs(load, kind),
        kind=kind,
        kind_text=KIND_TEXT[kind],
        rows=load_view.found_in(listing.rows),
        waiting=load_view.waiting(load),
        agreeing=renumbering.agreeing(load) if load.status == "checked" else 0,
        previous=listing.previous and url_for(".show", load_id=load.id, kind=kind, before=listing.previous),
        next=listing.next and url_for(".show", load_id=load.id, kind=kind, after=listing.next),
        error=error,
    )


@bp.get("/register/loads/<uuid:load_id>/progress")
@unattended
@roles(*lifecycle.LOADERS)
def progress(load_id: uuid.UUID) -> Response:
    """The progress alone, asked for every two seconds; once the work is done the whole page is fetched again."""
    load = _load(load_id)
    answer = reply("register/_load_progress.html", load=load, standing=STATUS[load.status])
    if load.status not in WORKING:
        answer.headers["HX-Refresh"] = "true"
    return answer


@bp.post("/register/loads/<uuid:load_id>/apply")
@roles(*lifecycle.LOADERS)
def apply(load_id: uuid.UUID) -> BaseResponse:
    """Write the previewed changes as a whole."""
    ticked = bool(request.form.get("without_faulty"))
    return _act(load_id, lambda load: lifecycle.ask_apply(load, actor(), without_faulty=ticked))


@bp.post("/register/loads/<uuid:load_id>/renumber")
@roles(*lifecycle.LOADERS)
def renumber(load_id: uuid.UUID) -> BaseResponse:
    """Say of rows under a new number whom they are about: all that agree, or one row by its pupil or as somebody new."""
    answer, row = request.form.get("pupil", ""), request.form.get("row", type=int)
    load = _load(load_id)
    try:
        if answer == "all":
            renumbering.confirm_agreeing(load)
        else:
            renumbering.confirm(load, _within(row), None if answer == "new" else _id(answer))
    except Refused as refused:
        db.session.rollback()
        return _show(_load(load_id), refused.message, 409 if refused.conflict else 422)
    db.session.commit()
    return go("loads.show", load_id=load_id, kind=RENUMBERED if load.counts.get(RENUMBERED) else None)


def _within(number: int | None) -> int:
    """A number as a database can look for it."""
    return max(0, min(number or 0, 2**31 - 1))


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Refused("请选择是哪一名学生") from None


@bp.post("/register/loads/<uuid:load_id>/emptied")
@roles(*lifecycle.LOADERS)
def confirm_emptied(load_id: uuid.UUID) -> BaseResponse:
    """Let the ticked rows, or all that the page showed, take an identity number away when the load is applied."""
    load, every = _load(load_id), "shown" if request.form.get("all") else "row"
    try:
        count = emptied.confirm(load, [_within(one) for one in request.form.getlist(every, type=int)])
    except Refused as refused:
        db.session.rollback()
        return _show(_load(load_id), refused.message, 409 if refused.conflict else 422, kind=EMPTIED)
    left = load.counts.get(EMPTIED)
    db.session.commit()
    flash(f"已确认 {count} 行，应用时清空证件号。", "success")
    return go("loads.show", load_id=load_id, kind=EMPTIED if left else None)


@bp.post("/register/loads/<uuid:load_id>/undo")
@roles(*lifecycle.LOADERS)
def undo(load_id: uuid.UUID) -> BaseResponse:
    """Take an applied load back as a whole."""
    return _act(load_id, lambda load: lifecycle.ask_undo(load, actor()))


@bp.post("/register/loads/<uuid:load_id>/discard")
@roles(*lifecycle.LOADERS)
def discard(load_id: uuid.UUID) -> BaseResponse:
    """Throw away a load that was never applied."""
    key = _load(load_id).stored.get("key", "")
    answer = _act(load_id, lifecycle.discard)
    if answer.status_code < 400:
        reach("discard.after_commit")
        if key:
            stored_files.clear(sealed.store(), key)
        flash("已放弃这批数据，工作副本没有变动。", "success")
        return go("loads.index")
    return answer


def _act(load_id: uuid.UUID, act: Any) -> BaseResponse:
    try:
        act(_load(load_id))
    except LoadRefused as error:
        db.session.rollback()
        return _show(_load(load_id), str(error), 409)
    db.session.commit()
    return go("loads.show", load_id=load_id)


@bp.get("/register/loads/<uuid:load_id>/faults.xlsx")
@roles(*lifecycle.LOADERS)
def faults(load_id: uuid.UUID) -> Response:
    """The faults as a workbook, with the values as they stand in the file; recorded before it is given out."""
    load = _load(load_id)
    audit.append_now("load.faults_exported", "load", load.id)
    return download(errorlist.workbook(load), f"错误清单-{load.created_at:%Y%m%d}.xlsx", XLSX)


def _load(load_id: uuid.UUID) -> RegisterLoad:
    return found(lifecycle.find_load(actor(), load_id))


def _key(name: str) -> int:
    return _within(request.args.get(name, 0, type=int))


def _tabs(load: RegisterLoad, kind: str) -> list[dict[str, object]]:
    return [
        {
            "title": title,
            "url": url_for(".show", load_id=load.id, kind=one),
            "count": load.counts.get(one, 0),
            "active": one == kind,
        }
        for one, title in load_view.KIND_TITLES.items()
        if load.counts.get(one) or one in (ADDED, CHANGED, kind)
    ]


def _letter(position: int) -> str:
    """The column as Excel names it: A, B, …, Z, AA."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
