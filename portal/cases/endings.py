"""The decided cases that ended a pupil's record, read from the register's own history.

What never belongs here: which procedure ends a record; the status that it left says so.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import select

from portal.cases import clock
from portal.extensions import db
from portal.models import Case, RegisterChange
from portal.standards import enrolment
from portal.workflows import workflow
from portal.workflows.facts import Ending


def endings_of(pupil_id: uuid.UUID) -> tuple[Ending, ...]:
    """Every case that ended this pupil's record, oldest first; the last may still stand."""
    return _endings([pupil_id]).get(pupil_id, ())


def standing(pupil_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Ending]:
    """Of these pupils, those whose record stands ended by a case, whether or not the change has landed."""
    found = _endings(pupil_ids)
    return {pupil_id: several[-1] for pupil_id, several in found.items() if several[-1].stands}


def _endings(pupil_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[Ending, ...]]:
    of_status = select(RegisterChange.case_id).where(
        RegisterChange.pupil_id.in_(pupil_ids), RegisterChange.column == enrolment.STATUS
    )
    query = (
        select(RegisterChange, Case.number, Case.workflow)
        .join(Case, Case.id == RegisterChange.case_id)
        .where(RegisterChange.case_id.in_(of_status), RegisterChange.pupil_id.in_(pupil_ids))
        .order_by(RegisterChange.pupil_id, RegisterChange.pupil_version)
    )
    changed: dict[tuple[uuid.UUID, str, str], dict[str, RegisterChange]] = defaultdict(dict)
    for change, number, law in db.session.execute(query):
        changed[(change.pupil_id, number, law)][change.column] = change
    of_pupil = {key: columns for key, columns in changed.items() if enrolment.STATUS in columns}
    last = {pupil_id: number for pupil_id, number, _ in of_pupil}
    found: dict[uuid.UUID, list[Ending]] = defaultdict(list)
    for (pupil_id, number, law), columns in of_pupil.items():
        status = columns[enrolment.STATUS]
        if status.after in enrolment.TERMINAL:
            before = {key: change.before for key, change in columns.items()}
            day = clock.local(status.at).date()
            stands = last[pupil_id] == number
            found[pupil_id].append(Ending(number, law, workflow(law).title, day, before, stands))
    return {pupil_id: tuple(several) for pupil_id, several in found.items()}
