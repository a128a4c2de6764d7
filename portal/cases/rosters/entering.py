"""An approved roster enters the register: each standing row with its 学号, as a new pupil or as the same person's record
going on. Called by actions.perform() with the last approval."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from portal import bulk
from portal.cases import digests, name_index, pupil_numbers, register
from portal.cases.rosters.reading import CLOSED, chunks
from portal.extensions import db
from portal.faults import reach
from portal.models import Case, Office, Pupil, RegisterChange, RosterRow, keyed_rows
from portal.models.types import new_id, utcnow
from portal.standards.alike import alike
from portal.standards.columns import BY_KEY
from portal.standards.enrolment import TERMINAL
from portal.workflows.facts import Facts
from portal.workflows.facts import RosterRow as RowFacts
from portal.workflows.roster import Roster
from portal.workflows.vocabulary import Workflow

PUPILS, ROWS, CHANGES = Pupil.__table__, RosterRow.__table__, RegisterChange.__table__


def enter(case: Case, law: Workflow, facts: Facts) -> str:
    """Write pupils, their RegisterChange rows and the rows' final numbers, all in the running transaction. Returns the keyed
    digest of the changes.

    Raises ValueError for a column that the workflow may not touch, RegisterMoved when a record changed meanwhile,
    IntegrityError when a number was given already.
    """
    roster = law.roster
    if roster is None:
        raise ValueError(f"{law.id} has no roster")
    rows = facts.standing_rows
    if facts.numbers is None or len(rows) > facts.numbers.size:
        raise register.RegisterMoved
    texts = _texts(roster, facts, rows)
    if strange := {key for one in texts for key in one} - law.may_change:
        raise ValueError(f"{law.id} may not change {sorted(strange)}")
    going_on = _earlier_records(law, rows, roster)
    codes = _school_codes(pupil.school_id for pupil in going_on.values())
    made, changes, ids = [], [], []
    at = utcnow()  # of them all: what one act has changed is known by its moment
    for row, new in zip(rows, texts, strict=True):
        pupil = going_on.get(row["id_number"])
        if pupil is None:
            pupil_id = new_id()
            made.append(_new(pupil_id, row, new, case))
            changes += _changes(case, pupil_id, {}, new, 0, at)
        else:
            pupil_id = pupil.id
            changes += _go_on(case, pupil, new, codes[pupil.school_id], at)
        ids.append(
            {
                "row_id": uuid.UUID(row.id),
                "new_number": row.number,
                "new_pupil": pupil_id,
            }
        )
    if made:
        bulk.add(PUPILS, made)
        name_index.enter(made)
        pupil_numbers.enter(made, ("case", case.id))
    db.session.execute(insert(CHANGES), changes)
    db.session.connection().execute(_NUMBER, ids)
    reach("decide.after_register")
    return digests.of_changes(case.id, changes)


def _texts(roster: Roster, facts: Facts, rows: Sequence[RowFacts]) -> list[dict[str, str]]:
    """What each row tells the register. What it leaves empty says nothing, and takes nothing away from an earlier record."""
    return [{key: text for key, text in roster.enters(facts, row).items() if text} for row in rows]


def touches(law: Workflow, facts: Facts, school_code: str) -> dict[uuid.UUID, frozenset[str]]:
    """earlier record -> the columns that the standing rows would change in it. Raises EndedRecord."""
    roster, rows = law.roster, facts.standing_rows
    if roster is None:
        return {}
    going_on = _earlier_records(law, rows, roster, lock=False)
    codes = _school_codes(pupil.school_id for pupil in going_on.values())
    found = {}
    for row, new in zip(rows, _texts(roster, facts, rows), strict=True):
        pupil = going_on.get(row["id_number"])
        if pupil is not None:
            changed = {key for key, text in new.items() if key != "school_code"}
            changed = {
                key for key in changed if not alike(key, register.stored_text(pupil, key), new[key], new)
            }
            moved = {"school_code"} if codes[pupil.school_id] != school_code else set()
            found[pupil.id] = frozenset(changed | moved)
    return found


_NUMBER = (
    update(ROWS)
    .where(ROWS.c.id == bindparam("row_id"), ROWS.c.number.is_(None))
    .values(number=bindparam("new_number"), pupil_id=bindparam("new_pupil"))
)


def _earlier_records(
    law: Workflow, rows: Sequence[RowFacts], roster: Roster, *, lock: bool = True
) -> dict[str, Any]:
    """The record of an earlier stage that goes on, by identity number; none where two records have the number, since
    which of them is the person's has to be found out first. Raises ValueError for a record that a case has ended."""
    found: dict[str, list[Any]] = defaultdict(list)
    for chunk in chunks(row["id_number"] for row in rows if row["id_number"]):
        query = select(PUPILS).where(PUPILS.c.id_number.in_(chunk))
        for pupil in db.session.execute(query.with_for_update() if lock else query):
            if pupil.enrolment_status in TERMINAL:
                register.keep_ended(law, pupil.id, pupil.enrolment_status)
            if pupil.stage != roster.stage or pupil.enrolment_status in CLOSED:
                found[pupil.id_number].append(pupil)
    return {number: one for number, pupils in found.items() if (one := _the_one(pupils)) is not None}


def _the_one(pupils: Sequence[Any]) -> Any:
    """The living record, of closed ones the only one; None where that does not tell."""
    living = [one for one in pupils if one.enrolment_status not in CLOSED]
    candidates = living or pupils
    return candidates[0] if len(candidates) == 1 else None


def _new(pupil_id: uuid.UUID, row: RowFacts, texts: Mapping[str, str], case: Case) -> dict[str, Any]:
    """The pupils row of a person whom the working copy did not know. There is no 学籍号 until the national export brings one."""
    blank = Pupil(particulars={})
    empty = {column.key: "" for column in BY_KEY.values() if column.stored and column.kind != "date"}
    own = {key: text for key, text in texts.items() if key != "school_code"}
    values = {
        **empty,
        "birth_date": None,
        "name_key": "",
        "initials": "",
        "load_id": None,
        "gone_since": None,
        "particulars": {},
        **register.attributes(blank, own),
        "id": pupil_id,
        "school_id": case.owner_office_id,
        "student_number": None,
        "version": 1,
    }
    return keyed_rows.keyed(PUPILS.name, None, values)


def _school_codes(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    query = select(Office.id, Office.code).where(Office.id.in_(set(ids)))
    return dict(db.session.execute(query).all())


def _go_on(
    case: Case, pupil: Any, new: Mapping[str, str], school_code: str, at: datetime
) -> list[dict[str, Any]]:
    """Rewrite an earlier record, guarded by its version; what changed."""
    before = {key: register.stored_text(pupil, key) for key in new if key != "school_code"}
    before["school_code"] = school_code
    changed = {key: text for key, text in new.items() if not alike(key, before[key], text, new)}
    own = {key: text for key, text in changed.items() if key != "school_code"}
    values = register.attributes(pupil, own) | {
        "school_id": case.owner_office_id,
        "gone_since": None,
        "version": pupil.version + 1,
    }
    values = keyed_rows.keyed(PUPILS.name, pupil._mapping, values)
    done = db.session.execute(
        update(PUPILS).where(PUPILS.c.id == pupil.id, PUPILS.c.version == pupil.version).values(**values)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise register.RegisterMoved
    name_index.move([pupil._mapping], [{**pupil._mapping, **values}])
    pupil_numbers.move([pupil._mapping], [{**pupil._mapping, **values}], ("case", case.id))
    return _changes(case, pupil.id, before, changed, pupil.version, at)


def _changes(
    case: Case,
    pupil_id: uuid.UUID,
    before: Mapping[str, str],
    after: Mapping[str, str],
    version: int,
    at: datetime,
) -> list[dict[str, Any]]:
    return [
        {
            "id": new_id(),
            "case_id": case.id,
            "pupil_id": pupil_id,
            "column": column,
            "before": before.get(column, ""),
            "after": text,
            "pupil_version": version + 1,
            "at": at,
        }
        for column, text in after.items()
    ]
