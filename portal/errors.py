"""What a person reads when something goes wrong: plain Chinese, never a stack trace."""

from __future__ import annotations

from flask import Flask, Response, current_app, flash, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from portal import audit, keeping
from portal.extensions import db
from portal.web import wants_fragment
from storage.objects import StoreError, StoreUnavailable
from storage.sandbox import Unavailable

PAGES = frozenset({400, 403, 404, 405, 409, 413, 422, 429, 500, 503})
STALE_FORM = "登录状态已变化，页面已过期。请返回上一页，刷新后重新提交；自动保存的草稿没有丢失。"
STALE_KEPT = "页面是在上次登录时打开的，刚才的操作没有办理。您填的内容已放回，请核对后再提交。"
STORE_DOWN = "证据存储暂时连接不上，这次上传没有保存。已填写的内容没有丢失，请稍后重试。"
STORE_DOWN_READING = "证据存储暂时连接不上，材料现在打不开。业务和已收到的材料不受影响，请稍后重试。"
JUDGE_DOWN_READING = "图片检查暂时不能用，这份文件现在做不出来。业务和已收到的材料不受影响，请稍后重试；如一直这样，请联系管理员。"
EVIDENCE_LOST = "证据原件与收到时的指纹不符，或已不在存储中。请立即联系系统管理员核查。"
SAVED_TWICE = "同样的内容刚刚已经保存过，这次没有重复写入。请刷新页面核对。"


def init_app(app: Flask) -> None:
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(StoreUnavailable, _store_down)
    app.register_error_handler(StoreError, _evidence_lost)
    app.register_error_handler(Unavailable, _judge_down)
    app.register_error_handler(IntegrityError, lambda _error: show(409, SAVED_TWICE))
    app.register_error_handler(Exception, _unexpected)


def show(code: int, message: str = "") -> Response:
    """An error page with the status code, or its core for htmx; whatever was half done is rolled back."""
    db.session.rollback()
    keeping.not_sent()
    if request.headers.get("X-Requested-With") == "capture":  # the camera keeps its picture and says why
        answer = jsonify(message=message)
        answer.status_code = code
        return answer
    page = code if code in PAGES else 400 if code < 500 else 500
    template = "errors/_error.html" if wants_fragment() else f"errors/{page}.html"
    return make_response(render_template(template, code=code, page=page, message=message), code)


def _stale_form(_error: CSRFError) -> BaseResponse:
    """A page from before the present sign-in. Of the same person, what was typed on it goes back to its place."""
    back = keeping.keep_stale()
    if back is None:
        return show(400, STALE_FORM)
    flash(STALE_KEPT, "warning")
    return keeping.back_to(back)


def _http_error(error: HTTPException) -> Response | HTTPException:
    code = error.code or 500
    return error if code < 400 else show(code)


def _store_down(error: StoreUnavailable) -> Response:
    current_app.logger.warning("the store is down: %s", error)
    return show(503, STORE_DOWN_READING if request.method in ("GET", "HEAD") else STORE_DOWN)


def _judge_down(error: Unavailable) -> Response:
    """No process opens files now: nothing was judged, and the same file can be sent again."""
    current_app.logger.error("the picture checks do not work: flask doctor says more")
    answer = show(503, JUDGE_DOWN_READING if request.method in ("GET", "HEAD") else str(error))
    answer.headers["Retry-After"] = "60"
    return answer


def _evidence_lost(error: StoreError) -> Response:
    """What was sealed is gone or changed: never a thing to pass over in silence, so the chain says who met it."""
    current_app.logger.error("sealed evidence cannot be read: %s: %s", type(error).__name__, error)
    db.session.rollback()
    asked = {name: getattr(value, "hex", value) for name, value in (request.view_args or {}).items()}
    audit.append_now(
        "evidence.unreadable",
        "page",
        request.endpoint or "",
        result="failed",
        fault=type(error).__name__,
        of={name: value for name, value in asked.items() if name.endswith("_id") or name == "page"},
    )
    return show(500, EVIDENCE_LOST)


def _unexpected(error: Exception) -> Response:
    current_app.logger.exception("unexpected error", exc_info=error)
    return show(500)
