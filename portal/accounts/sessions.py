"""Server-side sessions: dead at sign-out, after 30 idle minutes, after 12 hours, or when the superior ends them.

The browser holds a random 256-bit token; the database holds its SHA-256. Nothing about the person is in the cookie.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_login import UserMixin
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.extensions import db, reading_only
from portal.models import Account, SignInSession
from portal.models.types import utcnow

TOUCH_EVERY = timedelta(seconds=60)
CLOCKS_DIFFER = timedelta(seconds=30)  # readiness is red beyond
EXPIRED = "expired"


class SignedIn(UserMixin):
    """What Flask-Login keeps as the current user: a living session and its account. Its id is the token."""

    def __init__(self, token: str, session: SignInSession) -> None:
        self.token = token
        self.session_id = session.id
        self.account = session.account

    def get_id(self) -> str:
        return self.token


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def begin(account: Account, address: str, agent: str) -> SignedIn:
    """A new session in the running transaction. One person, one session: earlier ones end.

    The account's row is locked first, so that of two sign-ins at the same moment only the later one lives.
    """
    db.session.execute(select(Account.id).where(Account.id == account.id).with_for_update())
    end_all(account.id, "replaced")
    token = secrets.token_urlsafe(32)
    session = SignInSession(
        token_hash=hashed(token),
        account=account,
        address=address[:60],
        agent=agent[:200],
        last_seen_at=utcnow(),
    )
    db.session.add(session)
    account.last_sign_in_at = utcnow()
    db.session.flush()
    return SignedIn(token, session)


def resume(token: str, idle: timedelta, longest: timedelta, *, seen: bool = True) -> SignedIn | None:
    """The living session of a token, or None. Being `seen` is noted at most once a minute, in its own transaction; what an
    open page asks by itself is no sign of life."""
    found = db.session.scalars(
        select(SignInSession).where(SignInSession.token_hash == hashed(token))
    ).one_or_none()
    if found is None:
        return None
    if found.ended_at is None and from_the_future(found):
        _end_now(found.id)  # for good: it must not come back when the clock has gone on
        return None
    if not alive(found, idle, longest):
        return None
    if seen and utcnow() - found.last_seen_at > TOUCH_EVERY:
        _touch(found.id)
    return SignedIn(token, found)


@dataclass(frozen=True)
class Ended:
    """How a session came to its end: why (a key of titles.SESSION_ENDS, or EXPIRED) and when."""

    why: str
    at: datetime


def ended(token: str, idle: timedelta, longest: timedelta) -> Ended | None:
    """How the session of this token ended; None where it lives or there is none. One whose time was up before it was ended
    had expired: nobody was at work in it any more."""
    found = db.session.scalars(
        select(SignInSession).where(SignInSession.token_hash == hashed(token))
    ).one_or_none()
    if found is None:
        return None
    up = min(found.last_seen_at + idle, found.created_at + longest)
    if up <= (found.ended_at or utcnow()):
        return Ended(EXPIRED, up)
    return Ended(found.ended_why, found.ended_at) if found.ended_at else None


def whose(token: str, idle: timedelta, longest: timedelta) -> Account | None:
    """Who held a session that has run out or was replaced, while its longest life would last: a page of theirs may still
    be open. None of a session that was ended for any other reason, or of a closed account."""
    over = ended(token, idle, longest)
    if over is None or over.why not in (EXPIRED, "replaced") or utcnow() - over.at > longest:
        return None
    found = db.session.scalars(select(SignInSession).where(SignInSession.token_hash == hashed(token))).one()
    return found.account if found.account.active and found.account.office.active else None


def alive(session: SignInSession, idle: timedelta, longest: timedelta) -> bool:
    """Whether a session still opens the door."""
    now = utcnow()
    return (
        session.ended_at is None
        and not from_the_future(session)
        and session.account.active
        and session.account.office.active
        and now - session.last_seen_at < idle
        and now - session.created_at < longest
    )


def from_the_future(session: SignInSession) -> bool:
    """Whether a session's age is negative: the clock was set back, or somebody wrote the row. Its times bound nothing any
    more. What clocks of several machines differ by is let pass."""
    return max(session.last_seen_at, session.created_at) - utcnow() > CLOCKS_DIFFER


def lately(account_id: uuid.UUID, limit: int = 20) -> list[SignInSession]:
    """The newest sessions of an account, living or ended: what its owner and the superior look through."""
    query = select(SignInSession).where(SignInSession.account_id == account_id)
    return list(db.session.scalars(query.order_by(SignInSession.created_at.desc()).limit(limit)))


def end(session_id: uuid.UUID, why: str) -> None:
    """End one session in the running transaction."""
    _end(SignInSession.id == session_id, why)


def end_all(account_id: uuid.UUID, why: str) -> None:
    """End every session of an account in the running transaction."""
    _end(SignInSession.account_id == account_id, why)


def _end(which: object, why: str) -> None:
    statement = update(SignInSession).where(which, SignInSession.ended_at.is_(None))  # type: ignore[arg-type]
    db.session.execute(statement.values(ended_at=utcnow(), ended_why=why))


def _end_now(session_id: uuid.UUID) -> None:
    db.session.rollback()
    with reading_only(False), Session(db.engine) as session:
        row = update(SignInSession).where(SignInSession.id == session_id, SignInSession.ended_at.is_(None))
        session.execute(row.values(ended_at=utcnow(), ended_why="clock"))
        session.commit()


def _touch(session_id: uuid.UUID) -> None:
    db.session.rollback()  # SQLite: a reader's snapshot must not be held while another connection writes
    with reading_only(False), Session(db.engine) as session:
        session.execute(
            update(SignInSession).where(SignInSession.id == session_id).values(last_seen_at=utcnow())
        )
        session.commit()
