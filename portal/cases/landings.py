"""Whether what was approved here has landed in the national system: the next export that shows it says so, or the receipt where
no export carries what was changed."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import islice

from sqlalchemy import select, update

from portal import audit
from portal.extensions import db
from portal.models import NationalEntry, RegisterChange, RosterRow
from portal.models.types import utcnow
from portal.standards.alike import alike
from portal.standards.columns import COLUMNS

CHUNK = 500
EXPORTED = tuple(column.key for column in COLUMNS)


def confirm_landed(
    load_id: uuid.UUID,
    seen: Mapping[uuid.UUID, Mapping[str, str]],
    *,
    entered_only: bool = False,
    rosters: bool = True,
) -> list[uuid.UUID]:
    """Confirm every approved case whose whole change an export shows; runs in the load's own transaction.

    `seen` is {pupil id: {column: text in the export}}; `entered_only` leaves out what nobody noted a receipt for, `rosters` says whether those land who entered by one. A change
    that a later approved one overwrote counts as shown when the later value is. Returns the ids of the cases confirmed.
    """
    landed: list[uuid.UUID] = []
    waiting = iter(seen)
    while pupils := list(islice(waiting, CHUNK)):
        landed += _landed(pupils, seen, entered_only)
    for case_id in landed:
        db.session.execute(
            update(NationalEntry)
            .where(NationalEntry.case_id == case_id, NationalEntry.confirmed_at.is_(None))
            .values(confirmed_at=utcnow(), confirmed_load_id=load_id),
            execution_options={"synchronize_session": False},
        )
    if rosters:
        _enter_landed(load_id, seen)
    db.session.expire_all()
    for case_id in landed:
        audit.append("case.landed", "case", case_id, load=load_id.hex)
    return landed


def _landed(
    pupils: Iterable[uuid.UUID], seen: Mapping[uuid.UUID, Mapping[str, str]], entered_only: bool
) -> list[uuid.UUID]:
    query = (
        select(RegisterChange, NationalEntry.confirmed_at, NationalEntry.entered_at)
        .join(NationalEntry, NationalEntry.case_id == RegisterChange.case_id)
        .where(RegisterChange.pupil_id.in_(list(pupils)), RegisterChange.column.in_(EXPORTED))
        .order_by(RegisterChange.pupil_version.desc())
    )
    accepted: dict[tuple[uuid.UUID, str], set[str]] = defaultdict(set)  # this change's value or a later one's
    shown: dict[uuid.UUID, bool] = {}
    for change, confirmed_at, entered_at in db.session.execute(query):
        place = (change.pupil_id, change.column)
        accepted[place].add(change.after)
        if confirmed_at is None and not (entered_only and entered_at is None):
            here = _shown(change.column, seen[change.pupil_id], accepted[place])
            shown[change.case_id] = shown.get(change.case_id, True) and here
    return [case_id for case_id, all_shown in shown.items() if all_shown]


def without_receipt(pupils: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Those of the pupils for whom an approved case waits to land that nobody has noted a receipt for."""
    query = (
        select(RegisterChange.pupil_id)
        .join(NationalEntry, NationalEntry.case_id == RegisterChange.case_id)
        .where(
            RegisterChange.pupil_id.in_(list(pupils)),
            RegisterChange.column.in_(EXPORTED),
            NationalEntry.confirmed_at.is_(None),
            NationalEntry.entered_at.is_(None),
        )
    )
    return set(db.session.scalars(query))


def _shown(column: str, row: Mapping[str, str], accepted: Iterable[str]) -> bool:
    """Whether an export shows one of the accepted values, in whatever writing."""
    return column in row and any(alike(column, row[column], one, row) for one in accepted)


def is_exported(case_id: uuid.UUID) -> bool:
    """Whether an export can show what a case changed: it changed more than what cases decide."""
    shown = select(RegisterChange.id).where(
        RegisterChange.case_id == case_id, RegisterChange.column.in_(EXPORTED)
    )
    return db.session.scalars(shown.limit(1)).first() is not None


def confirm_unseen(case_id: uuid.UUID) -> None:
    """Confirm an entered case of which no export will ever show anything."""
    if is_exported(case_id):
        return
    done = db.session.execute(
        update(NationalEntry)
        .where(NationalEntry.case_id == case_id, NationalEntry.confirmed_at.is_(None))
        .values(confirmed_at=utcnow()),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount == 1:  # type: ignore[attr-defined]
        audit.append("case.landed", "case", case_id, by="receipt")


def _enter_landed(load_id: uuid.UUID, seen: Mapping[uuid.UUID, Mapping[str, str]]) -> None:
    """People who entered by a roster have landed when an export shows them at the roster's school."""
    waiting = iter(seen)
    while pupils := list(islice(waiting, CHUNK)):
        query = (
            select(RosterRow.id, RosterRow.pupil_id, RegisterChange.after)
            .join(
                RegisterChange,
                (RegisterChange.case_id == RosterRow.case_id)
                & (RegisterChange.pupil_id == RosterRow.pupil_id),
            )
            .where(
                RosterRow.pupil_id.in_(pupils),
                RosterRow.landed_load_id.is_(None),
                RegisterChange.column == "school_code",
            )
        )
        rows = [
            row
            for row, pupil_id, school in db.session.execute(query)
            if pupil_id and seen[pupil_id].get("school_code") == school
        ]
        db.session.execute(
            update(RosterRow).where(RosterRow.id.in_(rows)).values(landed_load_id=load_id),
            execution_options={"synchronize_session": False},
        )


def withdraw_confirmations(load_id: uuid.UUID) -> int:
    """When a load is undone: what it had confirmed waits again. Returns how many cases."""
    done = db.session.execute(
        update(NationalEntry)
        .where(NationalEntry.confirmed_load_id == load_id)
        .values(confirmed_at=None, confirmed_load_id=None),
        execution_options={"synchronize_session": False},
    )
    db.session.execute(
        update(RosterRow).where(RosterRow.landed_load_id == load_id).values(landed_load_id=None),
        execution_options={"synchronize_session": False},
    )
    db.session.expire_all()
    return int(done.rowcount)  # type: ignore[attr-defined]
