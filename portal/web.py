"""Between HTTP and the rooms below: replies, the signed-in actor, headers. The only user of htmx-flask.

What never belongs here: a status, a rule, a query about cases.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn, ParamSpec, TypeVar

from flask import Response, abort, g, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from htmx_flask import Htmx
from htmx_flask import request as htmx_request
from werkzeug.wrappers import Response as BaseResponse

from portal import audit
from portal.cases.access import Actor
from portal.extensions import db
from portal.models import Role

P = ParamSpec("P")
R = TypeVar("R")

htmx = Htmx()

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS,
}


def wants_fragment() -> bool:
    """Whether htmx asks for a part of the page. A boosted or history request wants the whole."""
    asked = htmx_request.htmx
    return bool(asked) and not asked.boosted and not asked.history_restore_request


def reply(template: str, status: int = 200, /, *, fragment: str | None = None, **context: Any) -> Response:
    """The page for a browser; for htmx its `fragment`, e.g. area/_part.html, where one is named."""
    name = fragment if fragment and wants_fragment() else template
    return make_response(render_template(name, **context), status)


def go(endpoint: str, **values: Any) -> BaseResponse:
    """After a change: 303 to a page of ours, or HX-Redirect, so that both ways of asking end on the same page."""
    target = url_for(endpoint, **values)
    if wants_fragment():
        response = make_response("", 204)
        response.headers["HX-Redirect"] = target
        return response
    return redirect(target, 303)


def actor() -> Actor:
    """Who is signed in. Views that need nobody signed in do not call this."""
    if "actor" not in g:
        g.actor = Actor.of(current_user.account)
    found: Actor = g.actor
    return found


def forget_who() -> None:
    """Ask anew who is signed in, even where an application context outlives a request."""
    for name in ("_login_user", "actor"):
        g.pop(name, None)


def roles(*allowed: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Only these roles; anybody else gets 404, as for a page that is not there, and the denial is recorded."""

    def wrap(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if actor().role not in allowed:
                deny()
            return view(*args, **kwargs)

        guarded.allowed_roles = allowed  # type: ignore[attr-defined]
        return guarded

    return wrap


def found(thing: R | None) -> R:
    """The thing, or 404: the same answer for what is not there and for what is not yours."""
    if thing is None:
        deny()
    return thing


def deny() -> NoReturn:
    """404 with a record of who tried what. The path holds ids only."""
    db.session.rollback()  # SQLite: a change that is refused must not hold the lock that the record needs
    audit.append_now("access.denied", "page", request.endpoint or "", result="denied", method=request.method)
    abort(404)


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view as open to people who are not signed in. tests/web keeps the list of them."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def unattended(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view that open pages ask by themselves: that is no sign of a person, and keeps no session alive."""
    view.is_unattended = True  # type: ignore[attr-defined]
    return view


def from_elsewhere() -> bool:
    """Whether the browser says that the request comes from another site."""
    site, source = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    foreign = source not in (None, request.host_url.rstrip("/"))
    return site not in (None, "same-origin", "none") or (site is None and foreign)


def add_headers(response: Response) -> Response:
    """The header set of every answer."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Vary"] = "HX-Request, Cookie"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"  # send_file() would say no-cache
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response


def new_request_id() -> str:
    return uuid.uuid4().hex[:16]
