"""A request that is larger than may be: answered by the page that it was sent from, with the size, the limit and what to do.

Its body is never parsed, so the view runs as if no file had been chosen, and says at the field what `fault()` gives it. The
database is read-only meanwhile.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, make_response, request, session
from flask_login import current_user
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from portal import errors, gate
from portal.extensions import set_read_only
from storage.judge import MAX_BYTES

V = TypeVar("V", bound=Callable[..., Any])

PICTURES = "请降低扫描分辨率（200 至 300 dpi 即可）、改拍照片，或分成几个文件分次上传"
TABLE = "请核对是不是这份表，或按学校、年级分成几个文件"
TOLD = "{what} {size}，超过上限（每个文件最多 {most}），没有收下；已填的内容和已传的材料都还在。{remedy}"
MEGABYTE = 1024 * 1024
MOST_DRAINED = (
    120 * MEGABYTE
)  # a browser shows no answer before it has sent all; more than this it may not send
PIECE = 1 * MEGABYTE
FORM_ROOM = 1 * MEGABYTE  # of a request beside its file


def takes_file(remedy: str = PICTURES, most: int = MAX_BYTES) -> Callable[[V], V]:
    """Mark a view that takes a file of at most `most` bytes, below what guards it."""

    def mark(view: V) -> V:
        view.takes_file = (remedy, most)  # type: ignore[attr-defined]
        return view

    return mark


def fault(missing: str) -> str:
    """What to say at the field where no file came: that none was chosen, or that it was too large to come."""
    told: str = g.get("oversize") or missing
    return told


def told(size: int, most: int, remedy: str, what: str = "这个文件") -> str:
    """The sentence: what came, how large, what may come, and what to do."""
    return TOLD.format(what=what, size=in_words(size), most=in_words(most), remedy=remedy)


def in_words(size: int) -> str:
    """A size as people say it, never rounded down to its limit."""
    return f"{math.ceil(size / MEGABYTE * 10) / 10:.1f} MB" if size % MEGABYTE else f"{size // MEGABYTE} MB"


def init_app(app: Flask) -> None:
    app.url_value_preprocessor(_make_room)
    app.register_error_handler(RequestEntityTooLarge, _answer)
    app.jinja_env.globals.update(MOST_BYTES=MAX_BYTES, TOO_LARGE_PICTURES=PICTURES, TOO_LARGE_TABLE=TABLE)


def _make_room(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """A batch or an export is larger than any other request. This runs before anything reads the form; a browser that has
    never signed in gets no more room than elsewhere."""
    view = current_app.view_functions.get(endpoint or "")
    _, most = getattr(view, "takes_file", ("", 0))
    if most > MAX_BYTES and "_user_id" in session:
        request.max_content_length = most + FORM_ROOM


def _answer(_error: RequestEntityTooLarge) -> Response:
    view = current_app.view_functions.get(request.endpoint or "")
    remedy, most = getattr(view, "takes_file", (PICTURES, MAX_BYTES))
    g.oversize = told(request.content_length or 0, most, remedy, "这次上传共")
    if view is None or not hasattr(view, "takes_file"):
        return errors.show(413, g.oversize)
    try:
        return _from_its_page(view)
    except HTTPException as refused:  # within an error handler nobody else would answer it
        return errors.show(refused.code or 500)


def _from_its_page(view: Callable[..., Any]) -> Response:
    """The view's own answer to a form without a file."""
    _forget_body()
    stopped = gate.enter()
    if stopped is not None:
        return make_response(stopped)
    if current_user.is_authenticated or getattr(view, "is_public", False):
        _drain()
    set_read_only(True)
    answer = make_response(current_app.ensure_sync(view)(**(request.view_args or {})))
    if answer.status_code == 422:
        answer.status_code = 413
    return answer


def _forget_body() -> None:
    """From here on the request has no form, no files and nothing to parse."""
    nothing: ImmutableMultiDict[str, Any] = ImmutableMultiDict()
    vars(request._get_current_object()).update(  # type: ignore[attr-defined]
        form=nothing, files=nothing, values=nothing, stream=io.BytesIO()
    )


def _drain() -> None:
    """Take the body from the wire and drop it: a connection that is closed on it loses the answer."""
    source, left = request.environ["wsgi.input"], min(request.content_length or 0, MOST_DRAINED)
    while left > 0 and (piece := source.read(min(PIECE, left))):
        left -= len(piece)
