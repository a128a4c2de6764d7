"""Columns of pupils that open cases hold: of two cases that would change one column the second is not submitted.

A case holds from its submission until it ends, also while it is returned; a draft holds nothing. The primary key of the table
decides, so that of two at the same moment one is taken, on both databases. What the case changes is looked at again with
each approval: answers may have been mended, rows of a roster struck.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from sqlalchemy import delete, insert, select, tuple_
from sqlalchemy.exc import IntegrityError

from portal.cases.access import Actor, visible_to
from portal.cases.facts import STATUS_TEXT
from portal.cases.refusing import Busy, Refused
from portal.cases.register import EndedRecord, stored_text
from portal.cases.rosters import entering
from portal.extensions import db
from portal.models import Case, Hold, Pupil
from portal.standards.columns import BY_KEY
from portal.workflows import workflow
from portal.workflows.facts import Facts
from portal.workflows.vocabulary import Workflow

HOLDS = Hold.__table__
CHUNK = 400  # pairs in one query: SQLite takes 32,766 values
MOST = 20  # that are shown one by one
Wanted = Mapping[uuid.UUID, frozenset[str]]
_Pair = tuple[uuid.UUID, str]


def wanted(case: Case, law: Workflow, facts: Facts) -> Wanted:
    """pupil -> the columns that the case would change as it stands."""
    if law.roster:
        return entering.touches(law, facts, case.owner.code)
    pupil = case.pupil
    if pupil is None:
        return {}
    changes = law.changes(facts)
    return {pupil.id: frozenset(key for key, text in changes.items() if text != stored_text(pupil, key))}


def busy(case: Case, actor: Actor, wanted: Wanted) -> list[Busy]:
    """What of this other cases hold, as the actor may know it."""
    pairs = _pairs(wanted)
    found: list[Busy] = []
    for start in range(0, len(pairs), CHUNK):
        here = tuple_(HOLDS.c.pupil_id, HOLDS.c.column).in_(pairs[start : start + CHUNK])
        query = (
            select(HOLDS.c.column, Pupil.name, Case, visible_to(actor))
            .select_from(HOLDS)
            .join(Case, Case.id == HOLDS.c.case_id)
            .join(Pupil, Pupil.id == HOLDS.c.pupil_id)
            .where(here, HOLDS.c.case_id != case.id)
            .order_by(Case.number, HOLDS.c.column)
        )
        for column, name, other, seen in db.session.execute(query).unique():
            found.append(_told(column, name, other, seen=seen))
    return found


def told(case: Case, actor: Actor, facts: Facts) -> list[Busy]:
    """What other cases hold of what this one would change, for a page; nothing where it cannot enter anyway."""
    try:
        return busy(case, actor, wanted(case, workflow(case.workflow), facts))
    except EndedRecord:
        return []


def take(case: Case, actor: Actor, wanted: Wanted) -> None:
    """Hold exactly these columns, in the running transaction. Raises Refused where another open case holds one of them."""
    pairs = _pairs(wanted)
    _refuse(case, actor, wanted)
    query = select(HOLDS.c.pupil_id, HOLDS.c.column).where(HOLDS.c.case_id == case.id)
    held = {(pupil, column) for pupil, column in db.session.execute(query)}
    let_go = sorted(held - set(pairs), key=str)
    for start in range(0, len(let_go), CHUNK):
        here = tuple_(HOLDS.c.pupil_id, HOLDS.c.column).in_(let_go[start : start + CHUNK])
        db.session.execute(delete(HOLDS).where(HOLDS.c.case_id == case.id, here))
    new = [
        {"pupil_id": pupil, "column": column, "case_id": case.id}
        for pupil, column in pairs
        if (pupil, column) not in held
    ]
    if not new:
        return
    try:
        with db.session.begin_nested():
            db.session.execute(insert(HOLDS), new)
    except IntegrityError:  # somebody was quicker in this very moment
        _refuse(case, actor, wanted)
        raise


def free(case: Case) -> None:
    """Let go of everything that a case holds, in the transaction that ends it."""
    db.session.execute(delete(HOLDS).where(HOLDS.c.case_id == case.id))


def _refuse(case: Case, actor: Actor, wanted: Wanted) -> None:
    found = busy(case, actor, wanted)
    if found:
        told = "；".join(dict.fromkeys(one.text for one in found[:3]))
        more = f"；另有 {len(found) - 3} 项" if len(found) > 3 else ""
        raise Refused(
            f"{told}{more}。请等那件业务办结，或先由学校撤回其中一件", conflict=True, busy=tuple(found[:MOST])
        )


def _told(column: str, name: str, other: Case, *, seen: bool) -> Busy:
    title = BY_KEY[column].title
    if not seen:
        return Busy(f"“{title}”正在另一件未办结的业务中变更", None)
    law = workflow(other.workflow).title
    return Busy(f"{name}的“{title}”正在 {other.number}（{law}，{STATUS_TEXT[other.status]}）中变更", other.id)


def _pairs(wanted: Mapping[uuid.UUID, Iterable[str]]) -> list[_Pair]:
    """In one order for everybody, so that two at once do not wait for each other."""
    pairs = [(pupil, column) for pupil, columns in wanted.items() for column in columns]
    return sorted(pairs, key=lambda one: (one[0].hex, one[1]))
