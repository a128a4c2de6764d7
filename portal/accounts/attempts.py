"""Limits on guessing: a growing wait after five failures, a lock that ends by itself after twenty in a day.

Every try is noted in the database before its password is weighed, so that all processes count together and tries at the
same moment cannot slip past each other. Failures are kept by keyed hash of the login: known and unknown logins are
treated, and answer, alike. A browser in which the person has signed in before (known_browsers) is counted apart: strangers
cannot close the door on it.

What never belongs here: HTTP, the words of an answer.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select, text

from portal.audit import keyed_hash
from portal.extensions import db
from portal.models import SignInAttempt
from portal.models.types import new_id, utcnow

FREE_FAILURES, WINDOW = 5, timedelta(minutes=15)
FIRST_WAIT, LONGEST_WAIT = 30, 900  # seconds
LOCK_FAILURES, LOCK_WINDOW = 20, timedelta(days=1)
DOUBLES_EVERY = 5  # failures after which the next lock is twice as long
LONGEST_LOCK = timedelta(hours=4)
ADDRESS_FAILURES = 60  # of any logins within WINDOW: a school's people may share one address
KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Standing:
    """What a try has to put up with: seconds to wait, and whether that is because the login is locked for strangers."""

    wait: int = 0
    locked: bool = False

    @property
    def free(self) -> bool:
        return not self.wait


def login_key(secret: str, login: str) -> str:
    """The hash under which failures of a login are kept."""
    return keyed_hash(secret, login.strip().casefold())


def standing(login_hash: str, address: str, lock: timedelta, browser_id: uuid.UUID | None = None) -> Standing:
    """Whether a password may be tried now. `browser_id` is of a browser known to the account."""
    if browser_id is not None:
        return Standing(_wait(SignInAttempt.browser_id == browser_id))
    until = locked([login_hash], lock).get(login_hash)
    if until is not None:
        return Standing(max(1, _seconds(until - utcnow())), locked=True)
    here = (SignInAttempt.address == address[:60], SignInAttempt.browser_id.is_(None))
    return Standing(
        max(
            _wait(SignInAttempt.login_hash == login_hash, *here),
            _wait(*here, free=ADDRESS_FAILURES),
        )
    )


def _wait(*which: ColumnElement[bool], free: int = FREE_FAILURES) -> int:
    """Seconds to wait after the failures of a kind; twice as long with each one beyond the free ones."""
    now = utcnow()
    recent = select(func.count(), func.max(SignInAttempt.at)).where(*which, SignInAttempt.at > now - WINDOW)
    failures, last = db.session.execute(recent).one()
    if failures < free:
        return 0
    wait = min(FIRST_WAIT * 2 ** min(failures - free, 10), LONGEST_WAIT)
    return max(0, min(wait, _seconds(last + timedelta(seconds=wait) - now)))


def _seconds(span: timedelta) -> int:
    """Whole seconds, rounded up."""
    return int(span.total_seconds() + 0.999)


def locked(hashes: Collection[str], lock: timedelta) -> dict[str, datetime]:
    """{hash: until when} of those that strangers may not try now. After the first lock each further failure locks again,
    longer and longer; nothing lasts more than LONGEST_LOCK."""
    now = utcnow()
    query = (
        select(SignInAttempt.login_hash, func.count(), func.max(SignInAttempt.at))
        .where(
            SignInAttempt.login_hash.in_(hashes),
            SignInAttempt.browser_id.is_(None),
            SignInAttempt.at > now - LOCK_WINDOW,
        )
        .group_by(SignInAttempt.login_hash)
        .having(func.count() >= LOCK_FAILURES)
    )
    found = {}
    for key, failures, last in db.session.execute(query):
        doublings = min((failures - LOCK_FAILURES) // DOUBLES_EVERY, 10)
        until = min(last, now) + min(lock * 2**doublings, max(lock, LONGEST_LOCK))
        if until > now:
            found[key] = until
    return found


def reserve(
    login_hash: str, address: str, lock: timedelta, browser_id: uuid.UUID | None = None
) -> tuple[Standing, uuid.UUID | None]:
    """Note a try before its password is weighed; the caller commits. Refused ones are not noted: they cost nothing and must
    not make a lock longer. withdraw() takes the note back where the password was right."""
    if db.session.get_bind().dialect.name == "postgresql":  # SQLite has one writer anyway
        db.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": int(login_hash[:15], 16)})
    found = standing(login_hash, address, lock, browser_id)
    if not found.free:
        return found, None
    row = SignInAttempt(
        id=new_id(), login_hash=login_hash, address=address[:60], at=utcnow(), browser_id=browser_id
    )
    db.session.add(row)
    db.session.flush()
    return found, row.id


def exhausted(browser_id: uuid.UUID) -> bool:
    """Whether a known browser has failed so often that it is to be treated like a stranger's."""
    recent = select(func.count()).where(
        SignInAttempt.browser_id == browser_id, SignInAttempt.at > utcnow() - LOCK_WINDOW
    )
    return bool(db.session.execute(recent).scalar_one() >= LOCK_FAILURES)


def withdraw(attempt_id: uuid.UUID) -> None:
    """Take the note of a try back: it was no failure."""
    db.session.execute(delete(SignInAttempt).where(SignInAttempt.id == attempt_id))


def forgive(login_hash: str, address: str, browser_id: uuid.UUID | None = None) -> None:
    """After a success: failures from this address or browser are forgotten, those from elsewhere still count. Old ones go."""
    mine = SignInAttempt.browser_id == browser_id
    if browser_id is None:
        mine = (SignInAttempt.address == address[:60]) & SignInAttempt.browser_id.is_(None)
    old = SignInAttempt.at < utcnow() - KEPT
    db.session.execute(delete(SignInAttempt).where(or_((SignInAttempt.login_hash == login_hash) & mine, old)))


def unlock(login_hash: str) -> None:
    """Clear every failure of a login."""
    db.session.execute(delete(SignInAttempt).where(SignInAttempt.login_hash == login_hash))
