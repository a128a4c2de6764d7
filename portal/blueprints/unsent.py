"""What is typed into forms while it is being typed; putting it away, and changing to what another window holds."""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, jsonify, request, session
from flask_limiter.util import get_remote_address
from werkzeug.wrappers import Response as BaseResponse

from portal import keeping
from portal.cases import unsent
from portal.extensions import db, limiter
from portal.web import actor

bp = Blueprint("unsent", __name__, url_prefix="/unsent")

ANOTHER = "现在登录的是另一个账号，这里写的内容没有暂存"
MOVED_ON = "这件业务已经办理或转走，写的内容没有暂存，需要时请先复制"
MOST_SAVES = "120 per minute"  # of one session; typing without a pause saves 75 times
TOO_MUCH = "写的内容太长，没有暂存"


def _browser() -> str:
    """By session and not by address: a whole bureau may stand behind one."""
    return str(session.get("_user_id", "")) or get_remote_address()


@bp.post("")
@limiter.limit(lambda: MOST_SAVES, key_func=_browser)
def keep() -> Response:
    """暂存 what stands in a form. A text, not an act: the case and its version stay as they are."""
    form = _form()
    if form.account_id != actor().id:
        return _refuse(409, ANOTHER)
    if not unsent.reachable(actor(), form.place):
        return _refuse(409, MOVED_ON)
    try:
        unsent.keep(actor(), form.place, form.sheet, keeping.typed())
    except unsent.TooMuch:
        db.session.rollback()
        return _refuse(413, TOO_MUCH)
    db.session.commit()
    return jsonify(said="已暂存")


@bp.post("/clear")
def clear() -> BaseResponse:
    """清除: the form is empty again."""
    form = _form()
    if form.account_id == actor().id:
        unsent.forget(form.account_id, form.place, form.sheet)
        db.session.commit()
    return keeping.back_to(form.back)


@bp.post("/use")
def use() -> BaseResponse:
    """换成那一份: what was typed in another window stands in the form, the present text beside it."""
    form = _form()
    if form.account_id == actor().id:
        if not unsent.take(form.account_id, form.place, request.form.get("other", "")):
            flash("那一份已经不在了，现在是最新的内容。", "warning")
        db.session.commit()
    return keeping.back_to(form.back)


def _form() -> keeping.Form:
    form = keeping.posted()
    if form is None:
        abort(400)
    return form


def _refuse(status: int, message: str) -> Response:
    answer = jsonify(message=message)
    answer.status_code = status
    return answer
