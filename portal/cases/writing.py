"""How an act is written, for actions.perform() and nobody else: the case by one guarded UPDATE, the decision beside it."""

from __future__ import annotations

from sqlalchemy import update

from portal.cases.access import Actor
from portal.cases.history import told_what_happened
from portal.cases.outcomes import Outcome, Place
from portal.cases.refusing import Refused
from portal.cases.sights import Sight, named
from portal.extensions import db
from portal.faults import reach
from portal.models import Case, Decision
from portal.models.types import utcnow


def write_case(case: Case, seen_version: int, before: Place, after: Outcome) -> None:
    """The guard beneath the code: one conditional UPDATE; whoever comes second changes no row. Raises Refused."""
    values = {
        **after.values,
        "status": after.status,
        "step": after.step,
        "version": seen_version + 1,
        "changed_at": utcnow(),
        "claimed_by_id": None,
        "claimed_at": None,
    }
    done = db.session.execute(
        update(Case)
        .where(
            Case.id == case.id,
            Case.status == before.status,
            Case.step == before.step,
            Case.version == seen_version,
        )
        .values(**values),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        db.session.rollback()
        db.session.refresh(case)
        raise Refused(told_what_happened(case), conflict=True)
    db.session.refresh(case)


def write_decision(case: Case, actor: Actor, verb: str, before: Place, note: str, sight: Sight) -> Decision:
    """Who decided what in which round and step, and the hashes of the papers and of the pictures that were shown of them.

    Raises IntegrityError for a second decision in one round and step.
    """
    decision = Decision(
        case_id=case.id,
        round=before.round,
        step=before.step,
        verb=verb,
        actor_id=actor.id,
        office_id=actor.office_id,
        seen=named(sight),
        note=note.strip(),
    )
    db.session.add(decision)
    db.session.flush()
    reach("decide.after_decision")
    return decision
