"""Limits on guessing: a growing wait after five failures, a lock after twenty in a day.

Failures are kept by keyed hash of the login, so known and unknown logins are treated, and answer, alike. The lock is
read from the failures themselves: while it holds nothing is added, so it stays until the superior clears it.

What never belongs here: HTTP, the words of an answer.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select

from portal.audit import keyed_hash
from portal.extensions import db
from portal.models import SignInAttempt
from portal.models.types import utcnow

FREE_FAILURES, WINDOW = 5, timedelta(minutes=15)
FIRST_WAIT, LONGEST_WAIT = 30, 900  # seconds
LOCK_FAILURES, LOCK_WINDOW = 20, timedelta(days=1)
KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Standing:
    """What a login at an address has to put up with: seconds to wait, and whether only the superior can help."""

    wait: int = 0
    locked: bool = False

    @property
    def free(self) -> bool:
        return not self.wait and not self.locked


def login_key(secret: str, login: str) -> str:
    """The hash under which failures of a login are kept."""
    return keyed_hash(secret, login.strip().casefold())


def standing(login_hash: str, address: str) -> Standing:
    """Whether a password may be tried now."""
    if login_hash in locked([login_hash]):
        return Standing(locked=True)
    now = utcnow()
    recent = select(func.count(), func.max(SignInAttempt.at)).where(
        SignInAttempt.login_hash == login_hash,
        SignInAttempt.address == address[:60],
        SignInAttempt.at > now - WINDOW,
    )
    failures, last = db.session.execute(recent).one()
    if failures < FREE_FAILURES:
        return Standing()
    wait = min(FIRST_WAIT * 2 ** (failures - FREE_FAILURES), LONGEST_WAIT)
    left = wait - (now - last).total_seconds()
    return Standing(wait=max(0, int(left + 0.999)))


def locked(hashes: Collection[str]) -> set[str]:
    """Those of the hashes whose latest twenty failures fell within a day of each other."""
    place = func.row_number().over(partition_by=SignInAttempt.login_hash, order_by=SignInAttempt.at.desc())
    ranked = (
        select(SignInAttempt.login_hash, SignInAttempt.at, place.label("place"))
        .where(SignInAttempt.login_hash.in_(hashes))
        .subquery()
    )
    spans = (
        select(ranked.c.login_hash, func.min(ranked.c.at), func.max(ranked.c.at))
        .where(ranked.c.place <= LOCK_FAILURES)
        .group_by(ranked.c.login_hash)
        .having(func.count() == LOCK_FAILURES)
    )
    return {key for key, first, last in db.session.execute(spans) if last - first <= LOCK_WINDOW}


def record_failure(login_hash: str, address: str) -> None:
    """Note a failure in the running transaction."""
    db.session.add(SignInAttempt(login_hash=login_hash, address=address[:60], at=utcnow()))
    db.session.flush()


def forgive(login_hash: str, address: str) -> None:
    """After a success: failures from this address are forgotten, those from elsewhere still count.

    Old failures that lock nobody go too.
    """
    mine = (SignInAttempt.login_hash == login_hash, SignInAttempt.address == address[:60])
    db.session.execute(delete(SignInAttempt).where(*mine))
    many = (
        select(SignInAttempt.login_hash)
        .group_by(SignInAttempt.login_hash)
        .having(func.count() >= LOCK_FAILURES)
    )
    old = (SignInAttempt.at < utcnow() - KEPT, SignInAttempt.login_hash.not_in(many))
    db.session.execute(delete(SignInAttempt).where(*old))


def unlock(login_hash: str) -> None:
    """The superior clears every failure of a login."""
    db.session.execute(delete(SignInAttempt).where(SignInAttempt.login_hash == login_hash))
