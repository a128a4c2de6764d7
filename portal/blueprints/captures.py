"""拍照: a page with a camera and a frame, for the registrar's own phone or for one that a slot was handed to.

The phone that scanned a code sees the kind of case and the title of the slot: no pupil, no menu, nothing to go on to.
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, make_response, redirect, request, url_for
from flask_login import current_user
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from portal import audit
from portal.accounts import sessions
from portal.blueprints import capture_view
from portal.blueprints.case_pages import slot_answer
from portal.blueprints.evidence import receive
from portal.cases import captures, evidence, printing
from portal.cases.access import Actor, find_case
from portal.cases.refusing import Refused
from portal.extensions import db, limiter
from portal.gate import session_limits
from portal.models import Case, EvidenceFile, PhoneCapture, Role, SignInSession
from portal.oversize import fault, takes_file
from portal.settings import Settings
from portal.web import PERMISSIONS, actor, found, go, public, reply, roles, unattended, wants_fragment
from portal.workflows import workflow

bp = Blueprint("captures", __name__)

COOKIE = "phone"
CAMERA = PERMISSIONS.replace("camera=()", "camera=(self)")
CHOOSE = "请先拍照或选择照片"


# --- the registrar's own phone --------------------------------------------------------------------------------------


@bp.get("/cases/<uuid:case_id>/capture/<slot>")
@roles(Role.REGISTRAR)
def camera(case_id: uuid.UUID, slot: str) -> Response:
    """The camera for one slot."""
    case = _open_case(case_id, slot)
    return _camera(case, slot, url_for("captures.keep", case_id=case.id, slot=slot))


@bp.post("/cases/<uuid:case_id>/capture/<slot>")
@roles(Role.REGISTRAR)
@takes_file()
def keep(case_id: uuid.UUID, slot: str) -> BaseResponse:
    """One picture from the camera page."""
    case = _open_case(case_id, slot)
    return _take_in(case, actor(), slot, url_for("captures.keep", case_id=case.id, slot=slot))


def _open_case(case_id: uuid.UUID, slot: str) -> Case:
    """The case if this person may put papers into this slot now; 404 otherwise."""
    case = found(find_case(actor(), case_id))
    found(captures.wanted(case, actor(), slot))
    return case


# --- the desk: hand over, watch, end --------------------------------------------------------------------------------


@bp.post("/cases/<uuid:case_id>/phone/<slot>")
@roles(Role.REGISTRAR)
@limiter.limit("30 per minute")
def hand_over(case_id: uuid.UUID, slot: str) -> BaseResponse:
    """用手机拍: a code for this slot stands on the page for ten minutes."""
    case = found(find_case(actor(), case_id))
    try:
        captures.hand_over(case, actor(), current_user.session_id, slot, _settings().secret_key)
    except Refused as refused:
        db.session.rollback()
        return slot_answer(case, slot, 409, refused.message)
    db.session.commit()
    return slot_answer(case, slot)


@bp.get("/cases/<uuid:case_id>/phone/<slot>")
@unattended
@roles(Role.REGISTRAR)
def watch(case_id: uuid.UUID, slot: str) -> BaseResponse:
    """What an open page asks every few seconds: the time left and whether the phone is there; the whole slot as soon as
    its files have changed or the phone has no more to do."""
    case = found(find_case(actor(), case_id))
    if not wants_fragment():
        return go("cases.papers", case_id=case.id, _anchor=f"slot-{slot}")
    phone = capture_view.phones(case).get(slot)
    changed = request.args.get("seen") != captures.standing_of(evidence.files_of(case, slot))
    if phone is not None and not changed:
        return reply("capture/_phone.html", slot_id=slot, phone=phone)
    answer = slot_answer(case, slot)
    answer.headers["HX-Retarget"] = f"#slot-{slot}"
    return answer


@bp.get("/cases/<uuid:case_id>/phone/<slot>/code")
@roles(Role.REGISTRAR)
def code(case_id: uuid.UUID, slot: str) -> Response:
    """The QR code: an address of this portal with the ticket in it, shown to the session that handed over."""
    case = found(find_case(actor(), case_id))
    capture = found(captures.open_of(case, current_user.session_id).get(slot))
    found(capture if capture.taken_at is None else None)
    ticket = captures.ticket_of(capture, _settings().secret_key)
    base = _settings().public_url or request.host_url.rstrip("/")
    response = make_response(printing.qr_png(base + url_for("captures.ticket", ticket=ticket)))
    response.headers["Content-Type"] = "image/png"
    return response


@bp.post("/cases/<uuid:case_id>/phone/<slot>/end")
@roles(Role.REGISTRAR)
def end(case_id: uuid.UUID, slot: str) -> BaseResponse:
    """结束."""
    case = found(find_case(actor(), case_id))
    capture = captures.open_of(case, current_user.session_id).get(slot)
    if capture is not None:
        captures.end(capture)
        db.session.commit()
    return slot_answer(case, slot)


# --- the phone that a slot was handed to ----------------------------------------------------------------------------


@bp.get("/p/<ticket>")
@public
@limiter.limit("30 per minute")
def ticket(ticket: str) -> BaseResponse:
    """What the QR code leads to. Looking does not spend the ticket: programs look at addresses before people do."""
    capture = captures.by_ticket(ticket)
    if capture is None:
        return _over("没有这个拍照链接", 404)
    if capture.taken_at is not None or _why_over(capture):
        return _over(_why_over(capture) or captures.USED)
    return reply("capture/ticket.html", ticket=ticket, **_names(capture))


@bp.post("/p/<ticket>")
@public
@limiter.limit("30 per minute")
def take(ticket: str) -> BaseResponse:
    """开始拍照: the ticket is spent, and this phone holds the slot."""
    capture = captures.by_ticket(ticket)
    if capture is None:
        return _over("没有这个拍照链接", 404)
    if why := _why_over(capture):
        return _over(why)
    _act_for(capture)
    try:
        secret = captures.take(capture)
    except Refused as refused:
        return _over(refused.message)
    db.session.commit()
    here = url_for("captures.phone", capture_id=capture.id)
    response = redirect(here, 303)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(captures.LIFE.total_seconds()),
        path=here,
        secure=_settings().secure_cookies,
        httponly=True,
        samesite="Strict",
    )
    return response


@bp.get("/phone/<uuid:capture_id>")
@public
def phone(capture_id: uuid.UUID) -> BaseResponse:
    """The camera on the phone that took the ticket."""
    capture = _held(capture_id)
    if capture is None:
        return _over("没有这个拍照页面", 404)
    if why := _why_over(capture):
        return _over(why)
    return _camera(capture.case, capture.slot, url_for("captures.take_in", capture_id=capture.id), capture)


@bp.post("/phone/<uuid:capture_id>")
@public
@limiter.limit("60 per minute")
@takes_file()
def take_in(capture_id: uuid.UUID) -> BaseResponse:
    """One picture from that phone, in the name of the account that handed the slot over."""
    capture = _held(capture_id)
    if capture is None:
        return _over("没有这个拍照页面", 404)
    if why := _why_over(capture):
        return _over(why)
    _act_for(capture)
    here = url_for("captures.take_in", capture_id=capture.id)
    return _take_in(capture.case, Actor.of(capture.account), capture.slot, here, capture)


def _held(capture_id: uuid.UUID) -> PhoneCapture | None:
    capture = db.session.get(PhoneCapture, capture_id)
    held = capture is not None and captures.holds(capture, request.cookies.get(COOKIE, ""))
    return capture if held else None


def _why_over(capture: PhoneCapture) -> str:
    """Why this handover is over, "" while it runs: its own reasons, or that the session behind it has ended."""
    behind = db.session.get(SignInSession, capture.session_id)
    if behind is None or not sessions.alive(behind, *session_limits()):
        return "电脑上的登录已结束，这次拍照也随之结束"
    return captures.over(capture)


def _act_for(capture: PhoneCapture) -> None:
    """What follows is recorded as done by the account that handed over, from this phone's address."""
    account = capture.account
    audit.set_origin(actor_id=account.id, office_id=account.office_id, session_id=capture.session_id)


def _over(why: str, status: int = 410) -> BaseResponse:
    """A calm page for a phone that has nothing to do here (any more)."""
    db.session.rollback()
    if _wants_json():
        answer = jsonify(message=why, over=True)
        answer.status_code = status
        return answer
    return make_response(reply("capture/over.html", status, why=why))


# --- both -----------------------------------------------------------------------------------------------------------


def _names(capture: PhoneCapture) -> dict[str, str]:
    """All that a phone is told."""
    law = workflow(capture.case.workflow)
    slot = law.slot(capture.slot)
    return {"law": law.title, "slot": slot.title if slot else "", "help": slot.help if slot else ""}


def _camera(
    case: Case, slot_id: str, url: str, capture: PhoneCapture | None = None, status: int = 200, **shown: Any
) -> Response:
    law = workflow(case.workflow)
    slot = law.slot(slot_id)
    response = reply(
        "capture/camera.html",
        status,
        law=law.title,
        slot=slot.title if slot else "",
        help=slot.help if slot else "",
        url=url,
        back="" if capture else url_for("cases.papers", case_id=case.id, _anchor=f"slot-{slot_id}"),
        left=capture_view.minutes_left(capture) if capture else "",
        seconds=capture_view.seconds_left(capture) if capture else 0,
        **shown,
    )
    response.headers["Permissions-Policy"] = CAMERA  # only here
    return response


def _take_in(
    case: Case, who: Actor, slot: str, url: str, capture: PhoneCapture | None = None
) -> BaseResponse:
    """Receive one picture by the way that all evidence comes, and say at once what it is worth."""
    upload = next((one for one in request.files.getlist("files") if one.filename), None)
    if upload is None:
        return _told(case, slot, url, capture, 422, fault(CHOOSE))
    try:
        file = _receive(case, who, slot, upload, capture)
    except Refused as refused:
        db.session.rollback()
        return _told(case, slot, url, capture, 409 if refused.conflict else 422, refused.message)
    return _told(case, slot, url, capture, file=file)


def _receive(
    case: Case, who: Actor, slot: str, upload: FileStorage, capture: PhoneCapture | None
) -> EvidenceFile:
    instead = _instead()
    case_id, capture_id = case.id, capture.id if capture else None
    file = receive(case, who, slot, upload)
    if capture_id:
        audit.append_now("capture.received", "evidence", file.id, case=case_id.hex, capture=capture_id.hex)
    if instead:
        captures.replace(case, who, slot, instead, capture)
        db.session.commit()
    return file


def _instead() -> uuid.UUID | None:
    """The file in whose place this one is taken."""
    try:
        return uuid.UUID(request.form.get("instead", ""))
    except ValueError:
        return None


def _told(
    case: Case,
    slot: str,
    url: str,
    capture: PhoneCapture | None,
    status: int = 200,
    message: str = "",
    file: EvidenceFile | None = None,
) -> BaseResponse:
    told = capture_view.verdict(file) if file else None
    if _wants_json():
        answer = jsonify(capture_view.as_json(told, message))
        answer.status_code = status
        return answer
    return _camera(case, slot, url, capture, status, told=told, message=message)


def _wants_json() -> bool:
    return request.headers.get("X-Requested-With") == "capture"


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
