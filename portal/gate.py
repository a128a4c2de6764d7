"""The door: every view needs a living session unless it is marked public; what each request may assume."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from portal import audit, keeping
from portal.accounts import sessions
from portal.accounts.sessions import SignedIn
from portal.cases import clock
from portal.extensions import login, set_read_only
from portal.settings import Settings
from portal.web import forget_who, from_elsewhere, new_request_id, wants_fragment

SAFE = ("GET", "HEAD", "OPTIONS")
WITHOUT_LOGIN = {"static"}


def init_app(app: Flask) -> None:
    login.session_protection = None  # sessions live in the database and end there
    login.user_loader(_resume)
    app.before_request(_prepare)
    app.before_request(_refuse_cross_site)
    app.before_request(_refuse_nul)
    app.before_request(_require_login)
    app.after_request(keeping.keep_refused)
    app.teardown_request(lambda _error: set_read_only(False))
    app.jinja_env.filters["local"] = lambda moment, form="%Y-%m-%d %H:%M": clock.local(moment).strftime(form)


def enter() -> Response | tuple[str, int, dict[str, str]] | None:
    """The door for a request that was turned away before it came here: the same questions, but for its body."""
    _prepare()
    _refuse_cross_site()
    return _require_login()


def _resume(token: str) -> SignedIn | None:
    view = current_app.view_functions.get(request.endpoint or "")
    return sessions.resume(token, *session_limits(), seen=not getattr(view, "is_unattended", False))


def session_limits() -> tuple[timedelta, timedelta]:
    """How long a session may be silent, and how long it lives at most."""
    settings: Settings = current_app.extensions["settings"]
    return timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_max_hours)


def _prepare() -> None:
    forget_who()
    set_read_only(request.method in SAFE)
    audit.origin.set(audit.Origin(address=request.remote_addr or "", request_id=new_request_id()))


def _refuse_cross_site() -> None:
    """Beside the CSRF token: a browser that says a change comes from another site is believed."""
    if request.method not in SAFE and from_elsewhere():
        abort(403)


def _refuse_nul() -> None:
    """No text of ours holds U+0000, and PostgreSQL cannot keep it: nobody types it."""
    if "\0" in request.path or any("\0" in text for many in request.values.listvalues() for text in many):
        abort(400)


def _require_login() -> Response | tuple[str, int, dict[str, str]] | None:
    view: Any = current_app.view_functions.get(request.endpoint or "")
    if request.endpoint in WITHOUT_LOGIN or getattr(view, "is_public", False):
        return None
    if not current_user.is_authenticated:
        held = keeping.hold(*session_limits())
        target = url_for("auth.sign_in", next=held or _here(), kept=1 if held else None)
        if wants_fragment():
            return "", 401, {"HX-Redirect": target} | ({keeping.HEADER: "1"} if held else {})
        return redirect(target, 303)
    account = current_user.account
    audit.set_origin(actor_id=account.id, office_id=account.office_id, session_id=current_user.session_id)
    if account.must_change_password and request.endpoint not in ("auth.change_password", "auth.sign_out"):
        return redirect(url_for("auth.change_password"), 303)
    return None


def _here() -> str | None:
    """The path to come back to after signing in: of the page itself, or of the one on which htmx asked; none of a change."""
    if wants_fragment():
        on = urlsplit(request.headers.get("HX-Current-URL", ""))
        return f"{on.path}?{on.query}" if on.query else on.path or None
    return request.full_path.rstrip("?") if request.method == "GET" else None
