"""One-time codes: printed on the server's console, typed in the browser, spent once, gone after an hour.

Only the SHA-256 of a code is kept; a code has 100 random bits, so a plain hash cannot be turned back.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import select, update

from portal.extensions import db
from portal.models import OneTimeCode
from portal.models.types import utcnow

FIRST_ADMINISTRATOR = "first-administrator"
LIFE = timedelta(hours=1)
SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 signs that nobody takes for one another
GROUPS, GROUP = 5, 4


def issue(purpose: str) -> str:
    """A new code in groups of four; earlier codes of the purpose die. Runs in the caller's transaction."""
    db.session.execute(
        update(OneTimeCode)
        .where(OneTimeCode.purpose == purpose, OneTimeCode.used_at.is_(None))
        .values(used_at=utcnow())
    )
    groups = ["".join(secrets.choice(SIGNS) for _ in range(GROUP)) for _ in range(GROUPS)]
    code = "-".join(groups)
    db.session.add(OneTimeCode(code_hash=_hashed(code), purpose=purpose, expires_at=utcnow() + LIFE))
    db.session.flush()
    return code


def any_living(purpose: str) -> bool:
    """Whether a code of the purpose could be spent now."""
    query = select(OneTimeCode.id).where(
        OneTimeCode.purpose == purpose, OneTimeCode.used_at.is_(None), OneTimeCode.expires_at > utcnow()
    )
    return db.session.scalar(query.limit(1)) is not None


def spend(purpose: str, code: str) -> bool:
    """Use a code up. One conditional update, so that two browsers cannot both win."""
    spent = db.session.execute(
        update(OneTimeCode)
        .where(
            OneTimeCode.code_hash == _hashed(code),
            OneTimeCode.purpose == purpose,
            OneTimeCode.used_at.is_(None),
            OneTimeCode.expires_at > utcnow(),
        )
        .values(used_at=utcnow())
    )
    return bool(spent.rowcount == 1)  # type: ignore[attr-defined]


def _hashed(code: str) -> str:
    plain = "".join(sign for sign in code.upper() if sign.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()
