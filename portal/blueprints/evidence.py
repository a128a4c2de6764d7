"""Papers in and pictures out. A received file is answered only when it is committed; an original leaves as an
attachment only; what is shown inline is our own re-encoded picture."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, make_response, request
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from portal import audit
from portal.blueprints import sealed
from portal.blueprints.case_pages import slot_answer
from portal.cases import evidence, evidence_rows, likeness, quality, shown, sights, stored_files
from portal.cases.access import Actor, find_case
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Case, EvidenceFile, EvidencePage, Role
from portal.oversize import fault, takes_file
from portal.web import actor, found, roles
from storage.judge import judge

bp = Blueprint("evidence", __name__)


@bp.post("/cases/<uuid:case_id>/evidence/<slot>")
@roles(Role.REGISTRAR)
@takes_file()
def upload(case_id: uuid.UUID, slot: str) -> BaseResponse:
    """One or more files into a slot. Answers the slot; a file that was not taken is a 422 with the reason."""
    case = found(find_case(actor(), case_id))
    files = [one for one in request.files.getlist("files") if one.filename]
    if not files:
        return _answer(case, slot, 422, fault("请先选择文件，再点上传"))
    for one in files:
        try:
            receive(case, actor(), slot, one)
        except Refused as refused:
            db.session.rollback()
            return _answer(
                case,
                slot,
                409 if refused.conflict else 422,
                f"{evidence.shown_name(one.filename or '')}：{refused.message}",
            )
    return _answer(case, slot)


def receive(case: Case, who: Actor, slot: str, upload: FileStorage) -> EvidenceFile:
    """Judged, kept and settled within receiving(). The picture work holds no transaction. The one way in of all evidence.

    Raises Refused, StoreError, and Unavailable where nothing can be judged now: then nothing was said of the file.
    """
    coming = evidence.stage(case, who, slot, upload.filename or "")
    with stored_files.receiving(coming.key, sealed.store()) as way:
        thresholds = quality.standard_for(case, slot)
        db.session.rollback()
        data = upload.stream.read()
        judged = judge(data, thresholds=thresholds)
        if judged.refusal:
            file = evidence.refuse(coming, judged)
        else:
            near = likeness.find(case, judged, way.store)
            kept = evidence.keep(way.store, coming.key, data, judged)
            file = evidence.settle(coming, kept, judged, near)
    if judged.refusal:
        raise Refused(judged.refusal)
    return file


@bp.post("/evidence/<uuid:file_id>/remove")
@roles(Role.REGISTRAR)
def remove(file_id: uuid.UUID) -> BaseResponse:
    case, file = _find(file_id)
    try:
        evidence.remove(case, actor(), file)
    except Refused as refused:
        db.session.rollback()
        return _answer(case, file.slot, 409, refused.message)
    db.session.commit()
    return _answer(case, file.slot)


@bp.post("/evidence/<uuid:file_id>/override")
@roles(Role.REGISTRAR)
def override(file_id: uuid.UUID) -> BaseResponse:
    """仍要提交并说明原因."""
    case, file = _find(file_id)
    try:
        evidence.override(case, actor(), file, request.form.get("reason", ""))
    except Refused as refused:
        db.session.rollback()
        return _answer(case, file.slot, 409 if refused.conflict else 422, refused.message)
    db.session.commit()
    return _answer(case, file.slot)


@bp.get("/evidence/<uuid:file_id>/view/<int:page>")
def view(file_id: uuid.UUID, page: int) -> Response:
    """Our rendition of one page, as JPEG: the mended or the plain one, as the school chose."""
    case, file = _find(file_id)
    stored = shown.picture(_page(file, page))
    audit.append_now("evidence.viewed", "evidence", file.id, case=case.id.hex, page=page)
    return sealed.picture(stored)


@bp.get("/evidence/<uuid:file_id>/<any(mended, plain):which>/<int:page>")
def either(file_id: uuid.UUID, which: str, page: int) -> Response:
    """The mended or the plain picture of a page, whichever was chosen."""
    case, file = _find(file_id)
    stored = shown.picture(_page(file, page), which)
    audit.append_now("evidence.viewed", "evidence", file.id, case=case.id.hex, page=page)
    return sealed.picture(stored)


@bp.post("/evidence/<uuid:file_id>/shown/<int:page>")
@roles(Role.REGISTRAR)
def choose(file_id: uuid.UUID, page: int) -> BaseResponse:
    """用摆正后的图, 用原图: what is shown of a page from now on."""
    case, file = _find(file_id)
    one = _page(file, page)
    try:
        shown.choose(case, actor(), file, one, request.form.get("shown", ""))
    except Refused as refused:
        db.session.rollback()
        return _answer(case, file.slot, 409 if refused.conflict else 422, refused.message)
    db.session.commit()
    return _answer(case, file.slot)


@bp.get("/evidence/<uuid:file_id>/thumb/<int:page>")
def thumb(file_id: uuid.UUID, page: int) -> Response:
    """The small picture of one page. It shows that there is a paper, not what it says, and is not recorded."""
    _, file = _find(file_id)
    return sealed.picture(_page(file, page).thumb)


@bp.get("/evidence/<uuid:file_id>/original")
def original(file_id: uuid.UUID) -> Response:
    """The sealed original, byte for byte, as an attachment that no browser runs."""
    case, file = _find(file_id)
    audit.append_now("evidence.downloaded", "evidence", file.id, case=case.id.hex)
    return sealed.original(evidence_rows.sealed_original(file), file.name)


def _find(file_id: uuid.UUID) -> tuple[Case, EvidenceFile]:
    """A committed file of a case that the actor may see; 404 otherwise."""
    file = db.session.get(EvidenceFile, file_id)
    case = find_case(actor(), file.case_id) if file and file.status == "committed" else None
    found(case)
    sights.must_be_whole(found(file))
    return found(case), found(file)


def _page(file: EvidenceFile, number: int) -> EvidencePage:
    page: EvidencePage = found(next((one for one in file.pages if one.page == number), None))
    sights.must_be_whole(page)
    return page


def _answer(case: Case, slot: str, status: int = 200, message: str = "") -> BaseResponse:
    """The slot as it is now: for the upload script a refused file is JSON, without scripts the whole page."""
    if message and request.headers.get("X-Requested-With") == "upload":
        return make_response({"message": message}, status)
    return slot_answer(case, slot, status, message)
