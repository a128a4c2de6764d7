"""Writing a checked load into the register, and taking it back: one transaction each, all or nothing.

A pupil that moved since the row was compared stops the whole: what the person saw is what is written. Undoing writes
the former values back over exactly the columns that the load changed, if they still hold what it wrote; versions only
ever grow, so that no page opened before, between or after can pass for a fresh one.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from portal import audit, bulk
from portal.cases import landings, name_index, pupil_numbers, stored_files
from portal.cases.intake import plans
from portal.cases.loads import comparing
from portal.cases.loads.comparing import ADDED, CHANGED, LANDED, MISSING, PUPILS, WRITTEN
from portal.cases.loads.newcomers import Newcomers
from portal.cases.pupil_numbers import Source
from portal.extensions import db
from portal.models import OPEN, Account, Case, Level, RegisterChange, RegisterLoad, RegisterLoadRow
from portal.models.types import utcnow

CHUNK = 1000
LOAD = "load"  # as the source of numbers
ROWS = RegisterLoadRow.__table__
MOVED = "核对之后又有学生的登记发生变动，预览已经过时。请重新核对后再应用"


class CannotNow(Exception):
    """Why a load cannot be applied or undone now, in Chinese; nothing was written."""


def apply(load_id: uuid.UUID) -> RegisterLoad | None:
    """applying -> applied, in the running transaction; the caller commits. Does nothing, and gives None, when it is not
    applying. What waits for a bureau is left alone.

    Raises CannotNow when the register moved since the check.
    """
    load = _take(load_id, "applying", status="applied", applied_at=utcnow(), message="")
    if load is None:
        return None
    schools = {code: school_id for school_id, code, _ in comparing.schools_of(load.office)}
    plans.hold_all(schools.values())  # no roster brings one of them in meanwhile
    source, newcomers = (LOAD, load_id), Newcomers.since(load)
    try:
        for rows in _chunks(load_id, ADDED):
            if newcomers.claim(rows):
                raise CannotNow(MOVED)
            new = [_new(load_id, row, schools) for row in rows]
            bulk.add(PUPILS, new)
            name_index.enter(new)
            pupil_numbers.enter(new, source)
        for kind in (CHANGED, MISSING):
            for rows in _chunks(load_id, kind):
                _all_over(
                    rows, schools, "after", lambda pupil, row: pupil.version == row.pupil_version, source
                )
    except (IntegrityError, KeyError) as error:  # somebody else added the pupil, or a school left
        raise CannotNow(MOVED) from error
    _keep_file_on(load)
    seen = {row.pupil_id: row.after for rows in _chunks(load_id, LANDED) for row in rows}
    # What a school loads says less than a receipt does (the entry in the national system is noted with its number).
    schools_own = load.office.level == Level.SCHOOL
    landed = landings.confirm_landed(load_id, seen, entered_only=schools_own, rosters=not schools_own)
    record(load, "load.applied", landed=len(landed), counts=load.counts)
    return load


def _keep_file_on(load: RegisterLoad) -> None:
    """What was applied or taken back is kept as long again."""
    if load.stored:
        stored_files.keep_on(load.stored["key"])


def undo(load_id: uuid.UUID) -> RegisterLoad | None:
    """undoing -> undone, in the running transaction; the caller commits. Does nothing, and gives None, when it is not
    undoing.

    Raises CannotNow when cases or later loads touched the pupils since.
    """
    load = _take(load_id, "undoing", status="undone", undone_at=utcnow(), message="")
    if load is None:
        return None
    if reason := why_not_undo(load):
        raise CannotNow(reason)
    schools = {code: school_id for school_id, code, _ in comparing.schools_of(load.office)}
    codes = {school_id: code for code, school_id in schools.items()}

    def still_stands(pupil: Any, row: Any) -> bool:
        present = comparing.stored_texts(pupil, codes) | {"gone_since": text_of(pupil.gone_since)}
        return all((present.get(key) or "") == (text or "") for key, text in row.after.items())

    landings.withdraw_confirmations(load_id)
    _keep_file_on(load)
    try:
        for kind in (CHANGED, MISSING):
            for rows in _chunks(load_id, kind):
                _all_over(rows, schools, "before", still_stands, (LOAD, load_id))
    except KeyError as error:
        raise CannotNow("有学生原来的学校已不在本单位管辖之下，不能整批撤销") from error
    pupil_numbers.take_back((LOAD, load_id))
    try:
        for rows in _chunks(load_id, ADDED):
            ids = [row.pupil_id for row in rows]
            named = select(PUPILS.c.id, PUPILS.c.name, PUPILS.c.school_id).where(PUPILS.c.id.in_(ids))
            name_index.leave(db.session.execute(named).mappings().all())
            pupil_numbers.leave(ids)
            db.session.execute(delete(PUPILS).where(PUPILS.c.id.in_(ids)))
    except IntegrityError as error:  # a case about one of them was begun in this very moment
        raise CannotNow("刚刚有人为其中的学生发起了业务，没有撤销；请稍后再看") from error
    record(load, "load.undone")
    return load


def why_not_undo(load: RegisterLoad) -> str:
    """Why an applied load cannot be taken back, in Chinese; "" when it can."""
    since = load.applied_at
    touched = _pupils(load, WRITTEN)
    cases = _count(
        select(Case.pupil_id).where(
            Case.created_at >= since,
            or_(
                and_(Case.pupil_id.in_(touched), Case.status.in_(OPEN)),
                Case.pupil_id.in_(_pupils(load, (ADDED,))),  # a pupil with any case stays
            ),
        )
    )
    changes = _count(
        select(RegisterChange.pupil_id).where(
            RegisterChange.pupil_id.in_(touched), RegisterChange.at >= since
        )
    )
    if cases or changes:
        return (
            f"这批数据应用之后，已有 {max(cases, changes)} 名涉及的学生发起或办结了业务，不能整批撤销。"
            "请先撤回正在办理的业务；已办结的，以新的导出文件更正"
        )
    later = db.session.execute(
        select(RegisterLoad.filename, RegisterLoad.applied_at)
        .join(ROWS, ROWS.c.load_id == RegisterLoad.id)
        .where(
            RegisterLoad.id != load.id,
            RegisterLoad.status.in_(("applied", "undoing")),
            RegisterLoad.applied_at >= since,
            ROWS.c.kind.in_(WRITTEN),
            ROWS.c.pupil_id.in_(touched),
        )
        .order_by(RegisterLoad.applied_at.desc())
        .limit(1)
    ).first()
    if later:
        return f"之后应用的“{later.filename}”也改动了其中的学生，请先撤销那一批"
    return ""


def _pupils(load: RegisterLoad, kinds: Sequence[str]) -> Select[uuid.UUID | None]:
    return select(RegisterLoadRow.pupil_id).where(
        RegisterLoadRow.load_id == load.id, RegisterLoadRow.kind.in_(kinds)
    )


def _count(pupils: Any) -> int:
    return db.session.execute(select(func.count()).select_from(pupils.distinct().subquery())).scalar_one()


def _take(load_id: uuid.UUID, source: str, **values: Any) -> RegisterLoad | None:
    """Move the load on by a conditional UPDATE, which also keeps a second worker waiting until this one is done."""
    done = db.session.execute(
        update(RegisterLoad)
        .where(RegisterLoad.id == load_id, RegisterLoad.status == source)
        .values(**values),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        return None
    load = db.session.get_one(RegisterLoad, load_id)
    db.session.refresh(load)
    return load


def _chunks(load_id: uuid.UUID, kind: str) -> Iterator[Sequence[Any]]:
    """The findings of a kind, in order of their ids."""
    last = 0
    while True:
        query = (
            select(ROWS.c.id, ROWS.c.pupil_id, ROWS.c.pupil_version, ROWS.c.before, ROWS.c.after)
            .where(ROWS.c.load_id == load_id, ROWS.c.kind == kind, ROWS.c.id > last)
            .order_by(ROWS.c.id)
            .limit(CHUNK)
        )
        rows = db.session.execute(query).all()
        if not rows:
            return
        yield rows
        last = rows[-1].id


def _new(load_id: uuid.UUID, row: Any, schools: dict[str, uuid.UUID]) -> dict[str, Any]:
    return comparing.new_pupil(load_id, row.pupil_id, schools[row.after["school_code"]], row.after)


_REWRITE = (
    update(PUPILS)
    .where(PUPILS.c.id == bindparam("row_id"))
    .values({column.name: bindparam(f"new_{column.name}") for column in PUPILS.c if column.name != "id"})
)


def _all_over(
    rows: Sequence[Any],
    schools: dict[str, uuid.UUID],
    side: str,
    unmoved: Callable[[Any, Any], bool],
    source: Source,
) -> None:
    """Write one side of all these findings over their pupils, or raise CannotNow."""
    if write_over(rows, schools, side, unmoved, source):
        raise CannotNow(MOVED)


def write_over(
    rows: Sequence[Any],
    schools: dict[str, uuid.UUID],
    side: str,
    unmoved: Callable[[Any, Any], bool],
    source: Source,
) -> list[int]:
    """Write one side of the findings over those of their pupils who are `unmoved`(pupil, finding); the ids of the other
    findings."""
    ids = [row.pupil_id for row in rows]
    locked = select(PUPILS).where(PUPILS.c.id.in_(ids)).order_by(PUPILS.c.id).with_for_update()
    pupils = {pupil.id: pupil for pupil in db.session.execute(locked)}
    values, before, after, moved = [], [], [], []
    for row in rows:
        pupil = pupils.pop(row.pupil_id, None)  # a pupil is written once
        if pupil is None or not unmoved(pupil, row):
            moved.append(row.id)
            continue
        changed = comparing.changed_pupil(pupil, getattr(row, side), schools)
        before.append(pupil._mapping)
        after.append(changed)
        values.append(
            {f"new_{key}": value for key, value in changed.items() if key != "id"} | {"row_id": pupil.id}
        )
    if values:
        db.session.connection().execute(_REWRITE, values)
        name_index.move(before, after)
        pupil_numbers.move(before, after, source)
    return moved


def text_of(day: date | None) -> str:
    return day.isoformat() if day else ""


def record(load: RegisterLoad, action: str, result: str = "ok", **body: Any) -> None:
    """An audit record of what a task did, in the name of the person who asked for it."""
    author = db.session.get_one(Account, load.account_id)
    token = audit.origin.set(audit.Origin(actor_id=author.id, office_id=author.office_id))
    try:
        audit.append(action, "load", load.id, result=result, **body)
    finally:
        audit.origin.reset(token)
