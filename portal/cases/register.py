"""The door into the student register for a decided case about one pupil, and the guards that every door has. Rosters enter
by cases.rosters.entering."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from portal.cases import digests, name_index, pupil_numbers
from portal.cases.endings import endings_of
from portal.extensions import db
from portal.faults import reach
from portal.models import Case, NationalEntry, Pupil, RegisterChange, keyed_rows
from portal.models.types import new_id, utcnow
from portal.standards import enrolment, names
from portal.standards.columns import BY_KEY
from portal.workflows.vocabulary import Workflow

PUPILS, CHANGES = Pupil.__table__, RegisterChange.__table__
STORED = frozenset(column.key for column in BY_KEY.values() if column.stored)
DATES = frozenset(column.key for column in BY_KEY.values() if column.stored and column.kind == "date")


class EndedRecord(ValueError):
    """A case would write the status of a record that a decision has ended; nothing was done."""


class RegisterMoved(Exception):
    """The pupil's record changed while the decision was being written; nothing was done."""


def hold(law: Workflow, changes: Mapping[str, str]) -> None:
    """Reserve, until the transaction ends, the new values that one pupil only may hold.

    Two approvals that give two pupils the same identity number would each find it free; so the second waits here until
    the first is committed, and then its rules see it. SQLite has one writer and needs no lock.
    """
    if db.session.get_bind().dialect.name != "postgresql":
        return
    for column in sorted(law.unique & changes.keys()):
        place = func.hashtextextended(f"{column}={changes[column]}", 0)
        db.session.execute(select(func.pg_advisory_xact_lock(place)))


def apply(case: Case, law: Workflow, changes: Mapping[str, str]) -> str:
    """Write RegisterChange rows and then the pupil, guarded by the pupil's version; the keyed digest of these changes.

    What stands there already is no change. Raises ValueError for a column the workflow may not touch, RegisterMoved when
    another change won the race.
    """
    pupil = case.pupil
    if pupil is None or changes.keys() - law.may_change:
        raise ValueError(f"{law.id} may not change {sorted(changes.keys() - law.may_change)}")
    if enrolment.STATUS in changes:
        keep_ended(law, pupil.id, pupil.enrolment_status)
    changes = {key: text for key, text in changes.items() if text != stored_text(pupil, key)}
    at, version = utcnow(), pupil.version + 1
    written = [
        {
            "case_id": case.id,
            "pupil_id": pupil.id,
            "column": column,
            "before": stored_text(pupil, column),
            "after": after,
            "pupil_version": version,
            "at": at,
        }
        for column, after in changes.items()
    ]
    db.session.add_all(RegisterChange(**row) for row in written)
    db.session.flush()
    before = keyed_rows.values_of(pupil)
    values = keyed_rows.keyed(PUPILS.name, before, attributes(pupil, changes) | {"version": version})
    done = db.session.execute(
        update(Pupil).where(Pupil.id == pupil.id, Pupil.version == pupil.version).values(**values),
        execution_options={"synchronize_session": "evaluate"},
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise RegisterMoved
    name_index.move([before], [before | values])
    pupil_numbers.move([before], [before | values], ("case", case.id))
    db.session.add(NationalEntry(case_id=case.id, approved_at=at))
    reach("decide.after_register")
    return digests.of_changes(case.id, written)


def note_later(case: Case, column: str, texts: Mapping[uuid.UUID, str], correction: int = 0) -> str:
    """Write one column of many pupils, {pupil id: text}, that becomes known only after their case was approved; all of them
    in three statements. Pupils that the session holds are not refreshed. Returns the
    keyed digest of these changes, "" for none. `correction` is 1, 2, … where the case has given the column before and it was wrong.

    Raises RegisterMoved when a record changed meanwhile, IntegrityError where the case has given the column already.
    """
    query = select(PUPILS).where(PUPILS.c.id.in_(texts)).order_by(PUPILS.c.id).with_for_update()
    at = utcnow()
    written: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    moved: list[tuple[Any, dict[str, Any]]] = []
    for pupil in db.session.execute(query):
        new = attributes(pupil, {column: texts[pupil.id]}) | {"version": pupil.version + 1}
        new = keyed_rows.keyed(PUPILS.name, pupil._mapping, new)
        moved.append((pupil._mapping, {**pupil._mapping, **new}))
        written.append({"of": pupil.id, "seen": pupil.version} | {f"new_{key}": new[key] for key in new})
        changes.append(
            {
                "id": new_id(),
                "case_id": case.id,
                "pupil_id": pupil.id,
                "column": column,
                "before": stored_text(pupil, column),
                "after": texts[pupil.id],
                "pupil_version": pupil.version + 1,
                "at": at,
                "correction": correction,
            }
        )
    if not written:
        return ""
    values: dict[str, Any] = {
        key.removeprefix("new_"): bindparam(key) for key in written[0] if key.startswith("new_")
    }
    guarded = (PUPILS.c.id == bindparam("of")) & (PUPILS.c.version == bindparam("seen"))
    done = db.session.connection().execute(update(PUPILS).where(guarded).values(**values), written)
    if done.rowcount != len(written):
        raise RegisterMoved
    olds, news = [before for before, _ in moved], [after for _, after in moved]
    name_index.move(olds, news)
    pupil_numbers.move(olds, news, ("case", case.id))
    db.session.connection().execute(insert(CHANGES), changes)
    return digests.of_changes(case.id, changes)


def keep_ended(law: Workflow, pupil_id: uuid.UUID, status: str) -> None:
    """The guard beneath the rule, for every way in which a case writes a pupil's status: an ended record is opened by the
    declared reversal of a decision that stands, and by nothing else. Raises EndedRecord."""
    ended = next((one for one in endings_of(pupil_id) if one.stands), None)
    if law.reverses:
        if ended is None or ended.workflow != law.reverses:
            raise EndedRecord(f"{law.id} has nothing to reverse for pupil {pupil_id}")
    elif ended or status in enrolment.TERMINAL:
        raise EndedRecord(f"{law.id} may not open the ended record of pupil {pupil_id}")


def changes_of(case: Case) -> list[RegisterChange]:
    """What the decision of a case wrote."""
    return list(db.session.scalars(select(RegisterChange).where(RegisterChange.case_id == case.id)))


def stored_text(pupil: Any, column: str) -> str:
    """The value of a register column as text, "" where there is none."""
    value = getattr(pupil, column) if BY_KEY[column].stored else pupil.particulars.get(column, "")
    return value.isoformat() if isinstance(value, date) else str(value or "")


def attributes(pupil: Any, changes: Mapping[str, str]) -> dict[str, Any]:
    """Model attributes for {column: text}, with the search keys that follow a name."""
    if unknown := changes.keys() - BY_KEY.keys():
        raise KeyError(f"the register has no {sorted(unknown)}")
    values: dict[str, Any] = {key: text for key, text in changes.items() if key in STORED}
    loose = {key: text for key, text in changes.items() if key not in STORED}
    for key in DATES & values.keys():
        values[key] = date.fromisoformat(values[key]) if values[key] else None
    if "student_number" in values:
        values["student_number"] = values["student_number"] or None
    if "name" in changes:
        values |= {"name_key": names.name_key(changes["name"]), "initials": names.initials(changes["name"])}
    if loose:
        values["particulars"] = {**pupil.particulars, **loose}
    return values
