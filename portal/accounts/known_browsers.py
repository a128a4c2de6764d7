"""Browsers in which a person has signed in before: strangers who guess at the login cannot lock these out.

The browser holds a random 256-bit token, the database its SHA-256. It opens nothing by itself: the password is still asked
for. At each sign-in the token is made anew, so that one that somebody planted or copied earlier is worth nothing.
"""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta

from sqlalchemy import Select, select, update

from portal.accounts.sessions import hashed
from portal.extensions import db
from portal.models import Account, KnownBrowser
from portal.models.types import new_id, utcnow

LIFE = timedelta(days=180)  # since the last sign-in there
MOST = 8  # of one account


def _living() -> Select[KnownBrowser]:
    recent = KnownBrowser.last_used_at > utcnow() - LIFE
    return select(KnownBrowser).where(KnownBrowser.ended_at.is_(None), recent)


def find(token: str | None, login: str) -> KnownBrowser | None:
    """The browser as the account with this login knows it."""
    query = _living().join(Account, Account.id == KnownBrowser.account_id)
    return db.session.scalars(
        query.where(KnownBrowser.token_hash == hashed(token or ""), Account.login == login)
    ).one_or_none()


def of_account(account_id: uuid.UUID) -> list[KnownBrowser]:
    """The account's browsers, the one used last first."""
    query = _living().where(KnownBrowser.account_id == account_id)
    return list(db.session.scalars(query.order_by(KnownBrowser.last_used_at.desc())))


def remember(account: Account, token: str | None, agent: str) -> str:
    """Know this browser from now on, in the running transaction; returns the token to give it. Other people who sign in
    here stay known here."""
    fresh = secrets.token_urlsafe(32)
    if token:
        same = (KnownBrowser.token_hash == hashed(token), KnownBrowser.ended_at.is_(None))
        db.session.execute(update(KnownBrowser).where(*same).values(token_hash=hashed(fresh)))
    own = find(fresh, account.login)
    if own is None:
        own = KnownBrowser(id=new_id(), account_id=account.id, token_hash=hashed(fresh), created_at=utcnow())
        db.session.add(own)
    own.last_used_at, own.agent = utcnow(), agent[:200]
    db.session.flush()
    for old in of_account(account.id)[MOST:]:
        forget(old.id)
    return fresh


def forget(browser_id: uuid.UUID) -> None:
    """The browser is a stranger's again."""
    _forget(KnownBrowser.id == browser_id)


def forget_all(account_id: uuid.UUID, but: uuid.UUID | None = None) -> None:
    """Every browser of an account, but one."""
    _forget(
        KnownBrowser.account_id == account_id, KnownBrowser.id != but if but else KnownBrowser.id.is_not(None)
    )


def _forget(*which: object) -> None:
    statement = update(KnownBrowser).where(*which, KnownBrowser.ended_at.is_(None))  # type: ignore[arg-type]
    db.session.execute(statement.values(ended_at=utcnow()))
