"""How a pupil entered the register by a roster: which line of the 登记表, what the list of the admitted said, and what was put
right afterwards. The caller has loaded the pupil through access, and shows of the roster only what its viewer may see."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select

from portal.cases.intake import plans
from portal.cases.offices import supervisor
from portal.extensions import db
from portal.models import (
    Admitted,
    Case,
    Level,
    Pupil,
    RegisterChange,
    RosterRow,
    SecondaryNumberCorrection,
)


@dataclass(frozen=True)
class RosterEntry:
    """`version` is that of the pupil by the entry, `place` the line in the 登记表 from 1 (0 where there is none), `admitted`
    the person on the list by which the roster was decided, `corrections` those of the 学籍辅号 by RegisterChange.correction."""

    version: int
    place: int
    admitted: Admitted | None
    corrections: Mapping[int, SecondaryNumberCorrection] = field(default_factory=dict)


def of(pupil: Pupil, cases: Mapping[uuid.UUID, Case]) -> dict[uuid.UUID, RosterEntry]:
    """{case id: entry} of those of the cases that are rosters with the pupil; four queries for the usual one."""
    if not cases:
        return {}
    first = (
        select(RegisterChange.case_id, func.min(RegisterChange.pupil_version))
        .where(RegisterChange.pupil_id == pupil.id, RegisterChange.case_id.in_(cases))
        .group_by(RegisterChange.case_id)
    )
    versions = dict(db.session.execute(first).all())
    query = select(RosterRow).where(RosterRow.pupil_id == pupil.id, RosterRow.case_id.in_(cases))
    rows = list(db.session.scalars(query))
    put_right: dict[uuid.UUID, dict[int, SecondaryNumberCorrection]] = defaultdict(dict)
    made = select(SecondaryNumberCorrection).where(
        SecondaryNumberCorrection.row_id.in_([row.id for row in rows])
    )
    for one in db.session.scalars(made):
        put_right[one.row_id][one.number] = one
    return {
        row.case_id: RosterEntry(
            versions.get(row.case_id, 0), _place(row), _admitted(cases[row.case_id], row), put_right[row.id]
        )
        for row in rows
    }


def _place(row: RosterRow) -> int:
    """Numbers are given in the order of the 登记表."""
    if row.number is None:
        return 0
    query = select(func.count()).where(
        RosterRow.case_id == row.case_id, RosterRow.struck_at.is_(None), RosterRow.number <= row.number
    )
    return db.session.execute(query).scalar_one()


def _admitted(case: Case, row: RosterRow) -> Admitted | None:
    """The person on the list of the day of the decision, if admitted to the roster's own school."""
    state = supervisor(case.owner, Level.STATE)
    found = plans.list_of(state.id, case.intake_year or 0, case.ended_at) if state else None
    if found is None or not row.exam_number:
        return None
    query = select(Admitted).where(
        Admitted.list_id == found.id,
        Admitted.exam_number == row.exam_number,
        Admitted.school_id == case.owner_office_id,
    )
    return db.session.scalars(query).one_or_none()
