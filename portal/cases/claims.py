"""Claims: who is working on a case. A claim keeps others from deciding, lapses by itself, and can be taken over."""

from __future__ import annotations

import uuid
from datetime import timedelta

from flask import current_app
from sqlalchemy import or_, update

from portal import audit
from portal.cases.access import Actor, waiting_for
from portal.extensions import db
from portal.models import Case, Status
from portal.models.types import utcnow
from portal.settings import Settings


def lifetime() -> timedelta:
    """How long a claim lives unless it is renewed."""
    settings: Settings = current_app.extensions["settings"]
    return timedelta(minutes=settings.claim_minutes)


def holds_claim(case: Case) -> uuid.UUID | None:
    """The account whose claim on the case is alive, or None."""
    if case.claimed_by_id and case.claimed_at and utcnow() - case.claimed_at < lifetime():
        return case.claimed_by_id
    return None


def claimed_by_other(case: Case, actor: Actor) -> bool:
    """Whether somebody else holds a living claim on the case."""
    holder = holds_claim(case)
    return holder is not None and holder != actor.id


def may_claim(case: Case, actor: Actor) -> bool:
    """Whether the case waits for the actor: access.waiting_for of a decider, asked of one row."""
    return actor.decides and case.status == Status.IN_REVIEW and case.holder_office_id == actor.office_id


def claim(case: Case, actor: Actor, *, take_over: bool = False) -> bool:
    """Claim the case for the actor. False when it is not the actor's turn or somebody else's claim is alive.

    `take_over` passes over a living claim; the person who loses it sees so on the open page.
    """
    free = or_(
        Case.claimed_by_id.is_(None), Case.claimed_by_id == actor.id, Case.claimed_at < utcnow() - lifetime()
    )
    if not actor.decides:  # a returned case also waits for its registrar, who mends it and decides nothing
        return False
    guard = [Case.id == case.id, waiting_for(actor)] + ([] if take_over else [free])
    before = holds_claim(case)
    done = db.session.execute(
        update(Case).where(*guard).values(claimed_by_id=actor.id, claimed_at=utcnow()),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        return False
    db.session.refresh(case)
    if before != actor.id:
        audit.append("case.taken_over" if take_over and before else "case.claimed", "case", case.id)
    return True


def release(case: Case, actor: Actor) -> bool:
    """Give up one's own claim. False when it was not one's own."""
    done = db.session.execute(
        update(Case)
        .where(Case.id == case.id, Case.claimed_by_id == actor.id)
        .values(claimed_by_id=None, claimed_at=None),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        return False
    db.session.refresh(case)
    audit.append("case.released", "case", case.id)
    return True
