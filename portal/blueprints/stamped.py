"""盖章表扫描: many stamped forms in one file, sorted to their cases page by page; the tray for what no code tells."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from portal import audit
from portal.blueprints import sealed, stamped_view
from portal.cases import sights, stored_files
from portal.cases.refusing import Refused
from portal.cases.stamped import finding, placing, receiving, sorting
from portal.extensions import db
from portal.models import StampedBatch, StampedPage
from portal.oversize import fault, takes_file
from portal.web import actor, found, go, reply, roles, unattended
from portal.workflows import WORKFLOWS
from storage.objects import TooLarge

bp = Blueprint("stamped", __name__, url_prefix="/stamped")


@bp.app_context_processor
def _scans() -> dict[str, Any]:
    """For the pages of a case: its stamped copies."""
    return {"stamped_scans": stamped_view.scans}


@bp.get("")
@roles(*receiving.UPLOADERS)
def index() -> Response:
    """The form for the next batch, and the office's batches."""
    return _index()


def _index(error: str = "", status: int = 200) -> Response:
    return reply(
        "stamped/index.html",
        status,
        batches=stamped_view.batches(actor()),
        error=error,
        most_pages=sorting.MAX_PAGES,
        most_megabytes=receiving.MAX_BYTES // 2**20,
    )


@bp.post("")
@roles(*receiving.UPLOADERS)
@takes_file("请降低扫描分辨率（200 dpi 即可），或分成几个文件上传", receiving.MAX_BYTES)
def upload() -> BaseResponse:
    """Take the file in; its pages are opened afterwards."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _index(fault("请先选择盖章表的扫描文件"), 422)
    try:
        media_type = receiving.kind_of(file.stream)  # type: ignore[arg-type]
        batch_id = _receive(file.filename, file.stream, media_type)
    except Refused as refused:
        db.session.rollback()
        return _index(refused.message, 422)
    return go("stamped.show", batch_id=batch_id)


def _receive(name: str, stream: Any, media_type: str) -> uuid.UUID:
    coming = receiving.stage(actor(), name)
    try:
        with stored_files.receiving(coming.key, sealed.store()) as way:
            kept = receiving.keep(way.store, coming.key, stream, media_type)
            batch = receiving.settle(coming, kept, media_type)
    except TooLarge as error:
        receiving.turn_away(coming, receiving.TOO_LARGE)
        db.session.commit()
        raise Refused(receiving.TOO_LARGE) from error
    return batch.id


@bp.get("/<uuid:batch_id>")
@roles(*receiving.UPLOADERS)
def show(batch_id: uuid.UUID) -> Response:
    """How far the sorting has come; then every page with what became of it."""
    batch = _batch(batch_id)
    if batch.status == "sorted":
        audit.append_now("stamped.listed", "stamped_batch", batch.id)
    return reply(
        "stamped/batch.html",
        batch=batch,
        standing=stamped_view.STANDINGS[batch.status],
        groups=stamped_view.groups(actor(), batch),
    )


@bp.get("/<uuid:batch_id>/progress")
@unattended
@roles(*receiving.UPLOADERS)
def progress(batch_id: uuid.UUID) -> Response:
    """The progress alone, asked for every two seconds; once the work is done the whole page is fetched again."""
    batch = _batch(batch_id)
    answer = reply("stamped/_progress.html", batch=batch)
    if batch.status != "sorting":
        answer.headers["HX-Refresh"] = "true"
    return answer


@bp.get("/<uuid:batch_id>/original")
@roles(*receiving.UPLOADERS)
def original(batch_id: uuid.UUID) -> Response:
    """The sealed original, byte for byte, as an attachment that no browser runs."""
    batch = _batch(batch_id)
    found(batch if batch.status != "refused" else None)
    sights.must_be_whole(batch)
    audit.append_now("stamped.downloaded", "stamped_batch", batch.id)
    return sealed.original(receiving.sealed_original(batch), batch.name)


@bp.get("/pages/<uuid:page_id>")
@roles(*receiving.UPLOADERS)
def page(page_id: uuid.UUID) -> Response:
    """One page: what it shows, what became of it, and what can be done with it."""
    return _page(_own(page_id))


def _page(
    page: StampedPage, status: int = 200, message: str = "", typed: dict[str, str] | None = None
) -> Response:
    return reply(
        "stamped/page.html",
        status,
        page=page,
        sheet=stamped_view.sheet(actor(), page),
        printouts=stamped_view.printouts(WORKFLOWS),
        message=message,
        typed=typed or {},
    )


@bp.post("/pages/<uuid:page_id>/place")
@roles(*receiving.UPLOADERS)
def place(page_id: uuid.UUID) -> BaseResponse:
    """Into a case by its number."""
    page = _own(page_id)
    typed = {name: request.form.get(name, "").strip() for name in ("number", "printout")}
    try:
        placing.place(page, actor(), typed["number"], typed["printout"])
    except Refused as refused:
        return _refused(page_id, refused, typed)
    db.session.commit()
    flash(f"第 {page.page} 页已归入 {typed['number'].upper()}。归错了可以在这一页取回。", "success")
    return go("stamped.show", batch_id=page.batch_id)


@bp.post("/pages/<uuid:page_id>/accept")
@roles(*receiving.UPLOADERS)
def accept(page_id: uuid.UUID) -> BaseResponse:
    """就放进该件: a person has looked and says that it is the form; then the next one of the batch that waits so."""
    page = _own(page_id)
    try:
        count = placing.accept(page, actor(), whole_copy=request.form.get("copy") == "1")
    except Refused as refused:
        return _refused(page_id, refused)
    db.session.commit()
    which = f"第 {page.page} 页" if count == 1 else f"第 {page.page} 页等 {count} 页"
    flash(f"{which}已放进 {page.case.number if page.case else ''}。放错了可以在这一页取回。", "success")
    waiting = next((one for one in page.batch.pages if placing.waits_for(one)), None)
    if waiting:
        return go("stamped.page", page_id=waiting.id)
    return go("stamped.show", batch_id=page.batch_id)


@bp.post("/pages/<uuid:page_id>/discard")
@roles(*receiving.UPLOADERS)
def discard(page_id: uuid.UUID) -> BaseResponse:
    """弃置: out of the tray; asked once more without scripts too."""
    page = _own(page_id)
    try:
        if request.form.get("sure") != "1":
            raise Refused("请先勾选“确定弃置”")
        placing.discard(page, actor())
    except Refused as refused:
        return _refused(page_id, refused)
    db.session.commit()
    flash(f"第 {page.page} 页已弃置。需要时可以在这一页取回。", "success")
    return go("stamped.show", batch_id=page.batch_id)


@bp.post("/pages/<uuid:page_id>/take-back")
@roles(*receiving.UPLOADERS)
def take_back(page_id: uuid.UUID) -> BaseResponse:
    """取回: into the tray again."""
    page = _own(page_id)
    try:
        placing.take_back(page, actor())
    except Refused as refused:
        return _refused(page_id, refused)
    db.session.commit()
    flash(f"第 {page.page} 页已取回，等待重新归入。", "success")
    return go("stamped.page", page_id=page.id)


def _refused(page_id: uuid.UUID, refused: Refused, typed: dict[str, str] | None = None) -> Response:
    db.session.rollback()
    return _page(_own(page_id), 409 if refused.conflict else 422, refused.message, typed)


@bp.get("/pages/<uuid:page_id>/view")
def view(page_id: uuid.UUID) -> Response:
    """Our rendition of one page, as JPEG; for everybody who may see the case that it belongs to."""
    page = _seen(page_id)
    sights.must_be_whole(page)
    audit.append_now("stamped.viewed", "stamped_page", page.id, case=page.case_id.hex if page.case_id else "")
    return sealed.picture(page.view)


@bp.get("/pages/<uuid:page_id>/thumb")
def thumb(page_id: uuid.UUID) -> Response:
    """The small picture of one page. It shows that there is a paper, not what it says, and is not recorded."""
    page = _seen(page_id)
    sights.must_be_whole(page)
    return sealed.picture(page.thumb)


def _batch(batch_id: uuid.UUID) -> StampedBatch:
    return found(finding.find_batch(actor(), batch_id))


def _own(page_id: uuid.UUID) -> StampedPage:
    return found(finding.find_own_page(actor(), page_id))


def _seen(page_id: uuid.UUID) -> StampedPage:
    return found(finding.find_page(actor(), page_id))
