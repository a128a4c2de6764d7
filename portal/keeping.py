"""Between forms and what is kept of them unsent. A form that carries the hidden field of kept_for() keeps itself: while it is
typed (blueprints/unsent.py), when it is refused, and when it comes after its session has ended.

The field is signed, and says who was shown the form, about what, and where it stands. It knows no field of any form: what
is posted beside it is kept by name, whatever the names are.

What never belongs here: what a form asks, who may see a case.
"""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask import Response, current_app, make_response, redirect, request, session
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from portal.accounts import sessions
from portal.cases import clock, unsent
from portal.cases.access import Actor
from portal.cases.actions import CONFIRMATION
from portal.cases.unsent import Place, Sheet, TooMuch
from portal.extensions import db
from portal.models import UnsentText
from portal.web import actor, forget_who, from_elsewhere, wants_fragment

FIELD, HEADER = "kept", "X-Kept"
MOST_AGE = 7 * 24 * 3600  # seconds: a page may stay open over a holiday
# Not typed, or (the word before what cannot be taken back) to be typed anew each time.
NOT_KEPT = frozenset({"csrf_token", FIELD, "seen", "version", "verb", "go", "show", "page", CONFIRMATION})
WORDS = re.compile(r"[\u3400-\u9fff]")
SNIPPET = 60
OPENED = "opened"  # the panel that stands open (autosave.js)
SENT = "portal.sent"  # in the environment of the request: the form was taken


@dataclass(frozen=True)
class Form:
    """A form as it was shown: to whom, about what, on which page, and the path to come back to."""

    account_id: uuid.UUID
    place: Place
    sheet: Sheet
    back: str


@dataclass(frozen=True)
class Other:
    """The text of another page that stands open on the same form."""

    page: str
    saved: str
    snippet: str


@dataclass(frozen=True)
class Kept:
    """For a template: the hidden field, and what is put back, None where nothing was typed."""

    token: str
    text: MultiDict[str, str] | None = None
    saved: str = ""
    moved: bool = False  # the thing is not as the text's page showed it
    others: tuple[Other, ...] = ()

    @property
    def opened(self) -> str:
        """The id of the panel that stood open."""
        return self.text.get(OPENED, "") if self.text else ""


# --- forms that are shown -------------------------------------------------------------------------------------------


def kept_for(about: str, about_id: uuid.UUID, form: str, *, stamp: str = "", back: str | None = None) -> Kept:
    """What the person has typed into this form and not sent. Nothing is put back into the answer to the form itself, which
    holds what was posted. `back` is the path of the page, the present one by default."""
    place, account_id = Place(about, about_id, form), actor().id
    found, answered = unsent.kept(account_id, place), posted()
    again = answered is not None and answered.account_id == account_id and answered.place == place
    page = answered.sheet.page if answered and again else secrets.token_hex(6)
    sheet = Sheet(page, found.revision if found else 0, stamp)
    token = sign(Form(account_id, place, sheet, back or _back(answered if again else None)))
    if found is None or again:
        return Kept(token)
    return Kept(
        token,
        text=_as_posted(found.fields),
        saved=_moment(found.saved_at),
        moved=bool(stamp and found.stamp and stamp != found.stamp),
        others=tuple(_others(found)),
    )


def apart(kept: Kept) -> str:
    """The hidden field of a form that holds something else than the kept text, so that sending it leaves that alone."""
    form = _read(kept.token)
    if form is None:
        return kept.token
    return sign(replace(form, sheet=replace(form.sheet, page=secrets.token_hex(6), drawn_from=0)))


def _back(answered: Form | None) -> str:
    if answered:
        return answered.back
    return request.full_path.rstrip("?") if request.method == "GET" else request.path


def _as_posted(fields: dict[str, list[str]]) -> MultiDict[str, str]:
    return MultiDict([(name, text) for name, texts in fields.items() for text in texts])


def _moment(at: datetime) -> str:
    here = clock.local(at)
    return f"{here:%H:%M}" if here.date() == clock.today() else f"{here:%m月%d日 %H:%M}"


def _others(found: UnsentText) -> list[Other]:
    every = sorted(found.others.items(), key=lambda one: str(one[1]["saved_at"]), reverse=True)
    return [
        Other(page, _moment(datetime.fromisoformat(text["saved_at"])), snippet_of(text["fields"]))
        for page, text in every
    ]


def snippet_of(fields: dict[str, list[str]]) -> str:
    """The longest words in a text, to tell it from another."""
    words = [text for texts in fields.values() for text in texts if WORDS.search(text)]
    return max(words, key=len, default="")[:SNIPPET]


# --- forms that come ------------------------------------------------------------------------------------------------


def sent() -> None:
    """The form was taken: let go of what was kept of it, in the transaction that takes it. Called before the commit."""
    request.environ[SENT] = True
    form = posted()
    if form and form.account_id == actor().id:
        unsent.forget(form.account_id, form.place, form.sheet)


def not_sent() -> None:
    """It was not taken after all: the transaction failed."""
    request.environ.pop(SENT, None)


def posted() -> Form | None:
    """The form that this request carries, whoever was shown it; None without a living signature."""
    if request.method != "POST":
        return None
    try:
        return _read(request.form.get(FIELD, ""))
    except HTTPException:  # more than a form may hold
        return None


def typed() -> dict[str, list[str]]:
    """Everything that was typed into it."""
    found = {name: texts for name, texts in request.form.lists() if name not in NOT_KEPT}
    if (
        OPENED not in found and "verb" in request.form
    ):  # without scripts: the button stands in the panel of its name
        found[OPENED] = [f"panel-{request.form['verb']}"]
    return found


def keep_refused(response: Response) -> Response:
    """After every request: a form that was not taken is kept, whatever the reason."""
    if request.method != "POST" or request.environ.get(SENT) or request.blueprint == "unsent":
        return response
    if response.status_code == 200 or response.status_code in (409, 422, 429) or response.status_code >= 500:
        form = posted()
        if form and current_user.is_authenticated and form.account_id == current_user.account.id:
            _keep(Actor.of(current_user.account), form)
    return response


def hold(idle: timedelta, longest: timedelta) -> str | None:
    """Keep a form that comes after its session has ended, for the person whose session it was; the path to come back to."""
    form = posted()
    account = sessions.whose(session.get("_user_id", ""), idle, longest) if form else None
    if form is None or account is None or account.id != form.account_id:
        return None
    return form.back if _keep(Actor.of(account), form) else None


def keep_stale() -> str | None:
    """Keep a form of a page from before the present sign-in, if it is the same person's; the path to come back to."""
    forget_who()
    form = posted()
    if form is None or from_elsewhere() or not current_user.is_authenticated:
        return None
    who = Actor.of(current_user.account)
    return form.back if who.id == form.account_id and _keep(who, form) else None


def back_to(path: str) -> BaseResponse:
    """303 to a path that this portal signed, or HX-Redirect."""
    if wants_fragment():
        return make_response("", 204, {"HX-Redirect": path})
    return redirect(path, 303)


def _keep(who: Actor, form: Form) -> bool:
    """Keep it in a transaction of its own. What cannot be kept must not make a refusal worse."""
    db.session.rollback()
    try:
        if not unsent.reachable(who, form.place):
            return False
        unsent.keep(who, form.place, form.sheet, typed())
        db.session.commit()
    except TooMuch:
        db.session.rollback()
        return False
    except Exception:
        db.session.rollback()
        current_app.logger.exception("a refused form could not be kept")
        return False
    return True


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.extensions["settings"].secret_key, salt="unsent")


def sign(form: Form) -> str:
    """The hidden field of a form."""
    place, sheet = form.place, form.sheet
    parts = (place.about, place.about_id.hex, place.form, sheet.page, sheet.drawn_from, sheet.stamp)
    return str(_serializer().dumps([form.account_id.hex, *parts, form.back]))


def _read(token: str) -> Form | None:
    try:
        account, about, about_id, form, page, drawn_from, stamp, back = _serializer().loads(token, MOST_AGE)
    except BadSignature:
        return None
    place = Place(about, uuid.UUID(about_id), form)
    return Form(uuid.UUID(account), place, Sheet(page, drawn_from, stamp), back)
