"""What stamped forms there are: an office's batches, the pages that a person may look at, the copies of a case."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, false, func, select

from portal.cases.access import Actor, find_case, visible_to
from portal.cases.stamped.receiving import UPLOADERS
from portal.extensions import db
from portal.models import Case, StampedBatch, StampedPage

ATTACHED = ("landed", "placed")


def _own(actor: Actor) -> ColumnElement[bool]:
    """Batches of the actor's office; none for those who bring no stamped forms."""
    if actor.role not in UPLOADERS:
        return false()
    return and_(
        StampedBatch.office_id == actor.office_id,
        StampedBatch.status.in_(("sorting", "sorted", "refused")),
    )


def batches_of(actor: Actor, limit: int = 50) -> list[tuple[StampedBatch, dict[str, int]]]:
    """The office's newest batches, each with {outcome: pages}."""
    query = select(StampedBatch).where(_own(actor)).order_by(StampedBatch.created_at.desc()).limit(limit)
    batches = list(db.session.scalars(query))
    counts: dict[uuid.UUID, dict[str, int]] = {batch.id: {} for batch in batches}
    counted = select(StampedPage.batch_id, StampedPage.outcome, func.count()).where(
        StampedPage.batch_id.in_(counts)
    )
    for batch_id, outcome, number in db.session.execute(
        counted.group_by(StampedPage.batch_id, StampedPage.outcome)
    ):
        counts[batch_id][outcome] = number
    return [(batch, counts[batch.id]) for batch in batches]


def find_batch(actor: Actor, batch_id: uuid.UUID) -> StampedBatch | None:
    """The batch if it is the actor's office's; None otherwise."""
    return db.session.scalars(
        select(StampedBatch).where(StampedBatch.id == batch_id, _own(actor))
    ).one_or_none()


def find_own_page(actor: Actor, page_id: uuid.UUID) -> StampedPage | None:
    """A page of a batch of the actor's office; None otherwise."""
    query = select(StampedPage).join(StampedBatch).where(StampedPage.id == page_id, _own(actor))
    return db.session.scalars(query).one_or_none()


def find_page(actor: Actor, page_id: uuid.UUID) -> StampedPage | None:
    """A page that the actor may look at: of the own office's batch, or attached to a case that they may see."""
    own = find_own_page(actor, page_id)
    if own is not None:
        return own
    page = db.session.get(StampedPage, page_id)
    if page is None or page.outcome not in ATTACHED or page.case_id is None:
        return None
    return page if find_case(actor, page.case_id) else None


def scans_of(case: Case, printout_id: str | None = None) -> list[StampedPage]:
    """The stamped copies of a case (or of one form), the one that counts first."""
    query = select(StampedPage).where(StampedPage.case_id == case.id, StampedPage.outcome.in_(ATTACHED))
    if printout_id is not None:
        query = query.where(StampedPage.printout == printout_id)
    return list(db.session.scalars(query.order_by(StampedPage.placed_at.desc(), StampedPage.page.desc())))


def cases_seen(actor: Actor, pages: Iterable[StampedPage]) -> dict[uuid.UUID, Case]:
    """{id: case} of the pages' cases that the actor may see now: a pupil may have gone to another office since."""
    ids = {page.case_id for page in pages if page.case_id}
    query = select(Case).where(Case.id.in_(ids), visible_to(actor))
    return {case.id: case for case in db.session.scalars(query)} if ids else {}
