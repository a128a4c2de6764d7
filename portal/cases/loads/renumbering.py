"""What a person says of rows that may be about a known pupil under another number (换号): the same, or somebody new.

An answer makes of the row what it would have been without the question; nothing is written before the load is applied. What
nobody answers is not loaded.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select, update

from portal import audit, bulk
from portal.cases.loads import comparing
from portal.cases.loads.checking import CellFault, CheckedRow, School
from portal.cases.loads.comparing import ADDED, CHANGED, RENUMBERED, WAITING
from portal.cases.loads.matching import PROVISIONAL
from portal.cases.loads.waiting import Gate
from portal.cases.offices import school_system
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Pupil, RegisterLoad, RegisterLoadRow
from portal.models.types import utcnow

CHUNK = 1000
ROWS = RegisterLoadRow.__table__
MOVED = "这批数据或学生的登记已经变化，请刷新页面或重新核对后再确认"


def agreeing(load: RegisterLoad) -> int:
    """How many rows agree with one pupil in name, birth date and identity number."""
    query = select(func.count()).where(_asked(load), ROWS.c.agrees)
    return db.session.execute(query.select_from(ROWS)).scalar_one()


def candidates(rows: Sequence[RegisterLoadRow]) -> dict[uuid.UUID, Pupil]:
    """The pupils whom these rows may be about, by id. A check asks about nobody who is not the loading office's."""
    ids = {uuid.UUID(one) for row in rows for one in row.asked.get("pupils", [])}
    return (
        {pupil.id: pupil for pupil in db.session.scalars(select(Pupil).where(Pupil.id.in_(ids)))}
        if ids
        else {}
    )


def confirm_agreeing(load: RegisterLoad) -> int:
    """Say of all rows that agree that they are about the pupils whom they agree with. Raises Refused."""
    _hold(load)
    query = select(ROWS).where(_asked(load), ROWS.c.agrees).order_by(ROWS.c.id)
    brought = _brought_by(load)
    rows = [row for row in db.session.execute(query) if uuid.UUID(row.asked["pupils"][0]) not in brought]
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        _settle(load, chunk, {row.row: uuid.UUID(row.asked["pupils"][0]) for row in chunk})
    _done(load, "all", len(rows))
    return len(rows)


def confirm(load: RegisterLoad, row_id: int, pupil: uuid.UUID | None) -> None:
    """Say of one row whom it is about; None: somebody who is not in the register. Raises Refused."""
    _hold(load)
    row = db.session.execute(select(ROWS).where(_asked(load), ROWS.c.id == row_id)).one_or_none()
    if row is None or (pupil is not None and pupil.hex not in row.asked["pupils"]):
        raise Refused(MOVED, conflict=True)
    if pupil is not None and (other := _brought_by(load).get(pupil)):
        raise Refused(f"第 {other} 行已对应这名学生，一名学生只能换成一个学籍号")
    _settle(load, [row], {row.row: pupil})
    _done(load, "same" if pupil else "new", 1)


def _asked(load: RegisterLoad) -> Any:
    return (ROWS.c.load_id == load.id) & (ROWS.c.kind == RENUMBERED)


def _hold(load: RegisterLoad) -> None:
    """Keep the load as it is until the transaction ends: nobody applies or throws it away meanwhile. Raises Refused."""
    done = db.session.execute(
        update(RegisterLoad)
        .where(RegisterLoad.id == load.id, RegisterLoad.status == "checked")
        .values(worker_seen_at=utcnow()),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused(MOVED, conflict=True)


def _brought_by(load: RegisterLoad) -> dict[uuid.UUID, int]:
    """pupil -> the row that brings a student number already."""
    query = select(ROWS.c.pupil_id, ROWS.c.row, ROWS.c.after).where(
        ROWS.c.load_id == load.id, ROWS.c.pupil_id.is_not(None), ROWS.c.kind.in_((CHANGED, WAITING))
    )
    return {pupil: row for pupil, row, after in db.session.execute(query) if "student_number" in after}


def _settle(load: RegisterLoad, rows: Sequence[Any], said: Mapping[int, uuid.UUID | None]) -> None:
    """Put what the rows are by these answers in the place of the questions. Raises Refused where a pupil has got a number."""
    schools = {
        code: School(one, code, tuple(stages)) for one, code, stages in comparing.schools_of(load.office)
    }
    shared = {row.asked["values"]["id_number"] for row in rows if row.asked["shared"]}
    codes = {one.id: code for code, one in schools.items()}
    scope = comparing.Scope(codes, frozenset(shared), school_system(load.office))
    seen = {row.pupil_id: row.pupil_version for row in rows if row.pupil_id}
    if not _still_open({one for one in said.values() if one}, codes, seen):
        raise Refused(MOVED, conflict=True)
    checked = [_checked(row, schools) for row in rows]
    found = comparing.compare(load.id, checked, scope, said)
    brought = {one["row"] for one in found if "student_number" in one["after"]}
    if brought != set(said):
        raise Refused(MOVED, conflict=True)
    for one in found:
        if one["kind"] == ADDED:  # a person said so: whom it is not about is kept for who writes it
            one["asked"] = {"not": next(row.asked["pupils"] for row in rows if row.row == one["row"])}
    findings = Gate.of(load.office).part(found)
    db.session.execute(delete(ROWS).where(ROWS.c.id.in_([row.id for row in rows])))
    bulk.add(ROWS, findings)


def _still_open(
    pupils: Collection[uuid.UUID], schools: Collection[uuid.UUID], seen: Mapping[uuid.UUID, int]
) -> bool:
    """Whether all these pupils are there, have not got another number meanwhile and are as the check saw those that it
    compared: what a person confirms is what stood on the page."""
    columns = (Pupil.id, Pupil.student_number, Pupil.version)
    query = select(*columns).where(Pupil.id.in_(pupils), Pupil.school_id.in_(schools))
    found = db.session.execute(query).all()
    return len(found) == len(pupils) and all(
        (not number or number[0] in PROVISIONAL) and seen.get(one, version) == version
        for one, number, version in found
    )


def _checked(row: Any, schools: Mapping[str, School]) -> CheckedRow:
    values = dict(row.asked["values"])
    faults = [CellFault(**one) for one in row.asked["faults"]]
    return CheckedRow(row.row, values, schools.get(values.get("school_code", "")), faults)


def _done(load: RegisterLoad, answer: str, rows: int) -> None:
    """The counts follow what is found now, and the audit trail keeps who said it."""
    query = select(ROWS.c.kind, func.count()).where(ROWS.c.load_id == load.id).group_by(ROWS.c.kind)
    counts: dict[str, int] = dict(db.session.execute(query).all())
    load.counts = counts | {"rows": load.counts["rows"]}
    audit.append("load.renumbered", "load", load.id, answer=answer, rows=rows)
