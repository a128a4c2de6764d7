"""The slow part of a load as background tasks: check, apply, undo. Each may be asked for twice without harm.

A check commits a little at a time, so that its progress shows and other people can write in between; it belongs to one
worker by a conditional UPDATE and starts again from nothing when that worker died. Applying and undoing are one
transaction each, which moves the status and the register together: a dead process leaves neither.
"""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial
from itertools import islice
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import OperationalError

from portal import bulk, tasks
from portal.cases import clock
from portal.cases.loads import applying, comparing, heads, proposals, reading
from portal.cases.loads.checking import Checker, School
from portal.cases.loads.readers import patiently
from portal.cases.loads.reading import Table, Unreadable
from portal.cases.loads.waiting import Gate
from portal.cases.offices import school_system
from portal.extensions import db, reading_only
from portal.faults import reach
from portal.models import Level, Office, RegisterLoad, RegisterLoadRow
from portal.models.types import new_id, utcnow
from portal.standards import id_number, names
from portal.standards.dates import read_date
from storage.objects import Missing, Sealed, StoreUnavailable, Tampered

CHECK, APPLY, UNDO = "load.check", "load.apply", "load.undo"
CHUNK = 1000  # rows between two commits of a check
DEAD_AFTER = timedelta(seconds=30)  # a worker shows itself at every commit and while it reads
BUSY_TRIES = 4
ROWS = RegisterLoadRow.__table__
LOST = "存放的文件找不到或已被改动，请重新上传"


class LostClaim(Exception):
    """Another worker has taken this check up, or the person threw the load away."""


@tasks.task(CHECK)
def check(load_id: str) -> None:
    """Read the file, check and compare every row, and leave the findings; status checking -> checked or failed."""
    load, worker = uuid.UUID(load_id), new_id().hex
    if not _claim(load, worker):
        return
    try:
        _check(load, worker)
    except LostClaim:
        db.session.rollback()
    except Unreadable as error:
        _fail(load, worker, str(error))
    except (Missing, Tampered):
        _fail(load, worker, LOST)
    except StoreUnavailable:
        _fail(load, worker, "文件存储暂时连接不上，请稍后点“重新核对”")
    except Exception:
        _fail(load, worker, "核对时出错，没有写入任何数据；请点“重新核对”，仍不行请联系管理员")
        raise


@tasks.task(APPLY)
def apply(load_id: str) -> None:
    """Write the findings into the register; status applying -> applied, or back to checked with the reason."""
    _in_one_transaction(uuid.UUID(load_id), "applying", "checked", _apply)


@tasks.task(UNDO)
def undo(load_id: str) -> None:
    """Take the load back; status undoing -> undone, or back to applied with the reason."""
    _in_one_transaction(uuid.UUID(load_id), "undoing", "applied", _undo)


@tasks.unfinished
def unfinished() -> Iterator[tuple[str, dict[str, str]]]:
    """Loads that a dead process left in the middle."""
    names = {"checking": CHECK, "applying": APPLY, "undoing": UNDO}
    query = select(RegisterLoad.id, RegisterLoad.status).where(RegisterLoad.status.in_(names))
    for load_id, status in db.session.execute(query).all():
        yield names[status], {"load_id": str(load_id)}


# --- one worker at a time -------------------------------------------------------------------------------------------


def _claim(load_id: uuid.UUID, worker: str) -> bool:
    """Take the check, waiting for a worker that may still be alive. False when there is nothing to do any more."""
    while True:
        dead = or_(RegisterLoad.worker_seen_at.is_(None), RegisterLoad.worker_seen_at < utcnow() - DEAD_AFTER)
        done = _update(load_id, dead, worker=worker, worker_seen_at=utcnow())
        db.session.commit()
        if done:
            return True
        status = db.session.scalar(select(RegisterLoad.status).where(RegisterLoad.id == load_id))
        db.session.rollback()
        if status != "checking":
            return False
        time.sleep(1)


def _update(load_id: uuid.UUID, *conditions: Any, **values: Any) -> bool:
    """Change a load that is being checked; False when it is no longer, or no longer ours."""
    done = db.session.execute(
        update(RegisterLoad)
        .where(RegisterLoad.id == load_id, RegisterLoad.status == "checking", *conditions)
        .values(**values),
        execution_options={"synchronize_session": False},
    )
    return bool(done.rowcount == 1)  # type: ignore[attr-defined]


def _advance(load_id: uuid.UUID, worker: str, **values: Any) -> None:
    """Commit what has been done so far with the sign of life; raises LostClaim when another is at it."""
    if not _update(load_id, RegisterLoad.worker == worker, worker_seen_at=utcnow(), **values):
        raise LostClaim
    db.session.commit()


def _fail(load_id: uuid.UUID, worker: str, message: str) -> None:
    db.session.rollback()
    if _update(load_id, RegisterLoad.worker == worker, status="failed", message=message, worker=""):
        _record_as_author(load_id, "load.failed", result="refused")
    db.session.commit()


# --- checking -------------------------------------------------------------------------------------------------------


@dataclass
class _Survey:
    """What a first walk over the file tells: how many rows, which numbers stand twice."""

    total: int
    numbers: set[str]
    duplicates: dict[str, list[int]]
    shared_ids: frozenset[str]
    twins: frozenset[int]  # rows that have their name and birth date in common with another


def _check(load_id: uuid.UUID, worker: str) -> None:
    load = db.session.get_one(RegisterLoad, load_id)
    office, chosen, complete = load.office, dict(load.mapping), load.complete
    headings = load.headings
    gate = Gate.of(office)
    stored, sheet = Sealed(**load.stored), load.sheet.get("sheet", "")
    db.session.execute(delete(RegisterLoadRow).where(RegisterLoadRow.load_id == load_id))
    _advance(load_id, worker, done_rows=0, total_rows=0, counts={})
    alive = partial(_advance, load_id, worker)
    with (
        patiently(alive),
        tasks.store().open(stored) as stream,
        reading.open_table(stream, sheet=sheet) as table,
    ):
        if table.head.headings != headings:
            raise Unreadable("文件的列标题读得与选择列时不同，请放弃后重新导入")
        survey = _survey(table, chosen)
        _advance(load_id, worker, total_rows=survey.total)
        schools, system = _schools(office), school_system(office)
        db.session.rollback()
        own = next(iter(schools.values()), None) if office.level == Level.SCHOOL else None
        checker = Checker(table.head.headings, chosen, schools, own, survey.duplicates, clock.today(), system)
        codes = {one.id: one.code for one in schools.values()}
        scope = comparing.Scope(codes, survey.shared_ids, system, survey.numbers, survey.twins)
        counts = _compare_all(load_id, worker, table, checker, scope, gate)
    if complete:
        for kind, found in _find_missing(load_id, worker, scope, survey.numbers, gate).items():
            counts[kind] = counts.get(kind, 0) + found
    counts["rows"] = survey.total
    if not _update(
        load_id,
        RegisterLoad.worker == worker,
        status="checked",
        counts=counts,
        sheet=load.sheet | {"passed": heads.told(table.passed())},
        done_rows=survey.total,
        worker="",
        message="",
    ):
        raise LostClaim
    _record_as_author(load_id, "load.checked", counts=counts)
    db.session.commit()


def _survey(table: Table, chosen: dict[str, str]) -> _Survey:
    position = {key: int(place) for place, key in chosen.items()}
    where_number, where_id = position["student_number"], position.get("id_number")
    where_name, where_born = position["name"], position["birth_date"]
    born = lru_cache(maxsize=10_000)(_day)
    people: dict[int, int] = {}  # by hash: a chance meeting of two only asks a question more
    twins: set[int] = set()
    first: dict[str, int] = {}
    duplicates: dict[str, list[int]] = {}
    holder: dict[str, str] = {}
    shared: set[str] = set()
    total = 0
    for row, texts in table.rows():
        total += 1
        number = id_number.tidy(texts[where_number])
        if number and number in first:
            duplicates.setdefault(number, [first[number]]).append(row)
        else:
            first[number] = row
        identity = id_number.tidy(texts[where_id]) if where_id is not None else ""
        if identity and holder.setdefault(identity, number) != number:
            shared.add(identity)
        person = hash((names.name_key(texts[where_name]), born(texts[where_born])))
        if (other := people.setdefault(person, row)) != row:
            twins |= {other, row}
    return _Survey(total, set(first), duplicates, frozenset(shared), frozenset(twins))


def _day(text: str) -> str:
    """A day in one writing, any other text as it stands."""
    day = read_date(text)
    return day.isoformat() if day else text


def _schools(office: Office) -> dict[str, School]:
    return {
        code: School(school_id, code, tuple(stages))
        for school_id, code, stages in comparing.schools_of(office)
    }


def _compare_all(
    load_id: uuid.UUID, worker: str, table: Table, checker: Checker, scope: comparing.Scope, gate: Gate
) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    rows, done = table.rows(), 0
    while chunk := checker.check(list(islice(rows, CHUNK))):
        with _reading():
            findings = gate.part(comparing.compare(load_id, chunk, scope))
        for finding in findings:
            counts[finding["kind"]] += 1
        if findings:
            bulk.add(ROWS, findings)
        done += len(chunk)
        _advance(load_id, worker, done_rows=done)
        reach("check.after_rows")
    return dict(counts)


@contextmanager
def _reading() -> Iterator[None]:
    """Look things up without the write lock of SQLite, which the following insert takes for a moment only."""
    db.session.rollback()
    with reading_only():
        yield
    db.session.rollback()


def _find_missing(
    load_id: uuid.UUID, worker: str, scope: comparing.Scope, numbers: set[str], gate: Gate
) -> dict[str, int]:
    """Pupils of the office who are not in a complete export and were there until now: how many of each kind of finding."""
    pupils = comparing.PUPILS
    today, last = clock.today().isoformat(), ""
    counts: dict[str, int] = defaultdict(int)
    counts[comparing.MISSING] = 0
    asked = _asked_about(load_id)
    while True:
        query = (
            select(pupils.c.id, pupils.c.student_number, pupils.c.name, pupils.c.version)
            .where(
                pupils.c.school_id.in_(list(scope.codes)),
                pupils.c.gone_since.is_(None),
                pupils.c.student_number > last,
            )
            .order_by(pupils.c.student_number)
            .limit(5 * CHUNK)
        )
        batch = db.session.execute(query).all()
        if not batch:
            return dict(counts)
        last = batch[-1].student_number
        gone = [one for one in batch if one.student_number not in numbers]
        there = asked | _found_otherwise(load_id, [one.id for one in gone])
        gone = [one for one in gone if one.id not in there]
        missing = [
            {
                "load_id": load_id,
                "row": 0,
                "kind": comparing.MISSING,
                "pupil_id": one.id,
                "pupil_version": one.version,
                "student_number": one.student_number,
                "name": one.name,
                "before": {"gone_since": None},
                "after": {"gone_since": today},
                "faults": [],
                "asked": {},
                "agrees": False,
            }
            for one in gone
        ]
        findings = gate.part(missing)
        if findings:
            bulk.add(ROWS, findings)
        for finding in findings:
            counts[finding["kind"]] += 1
        _advance(load_id, worker)


def _found_otherwise(load_id: uuid.UUID, ids: list[uuid.UUID]) -> set[uuid.UUID]:
    """Pupils whom a row is about although it has another number than they: such a row always has a finding."""
    named = select(ROWS.c.pupil_id).where(ROWS.c.load_id == load_id, ROWS.c.row > 0, ROWS.c.pupil_id.in_(ids))
    return {one for one in db.session.scalars(named) if one}


def _asked_about(load_id: uuid.UUID) -> set[uuid.UUID]:
    """Pupils whom a row may be about, as a person has yet to say."""
    unsaid = (comparing.RENUMBERED, comparing.FAULTY)
    query = select(ROWS.c.asked).where(ROWS.c.load_id == load_id, ROWS.c.kind.in_(unsaid))
    return {uuid.UUID(one) for asked in db.session.scalars(query) for one in asked.get("pupils", ())}


# --- applying and undoing -------------------------------------------------------------------------------------------


def _apply(load_id: uuid.UUID) -> None:
    load = applying.apply(load_id)
    if load is not None:
        proposals.propose(load)
        reach("load.before_commit")


def _undo(load_id: uuid.UUID) -> None:
    load = applying.undo(load_id)
    if load is not None:
        proposals.take_back(load)
        reach("load.before_commit")


def _in_one_transaction(
    load_id: uuid.UUID, status: str, back_to: str, act: Callable[[uuid.UUID], None]
) -> None:
    for attempt in range(1, BUSY_TRIES + 1):
        try:
            act(load_id)
            db.session.commit()
            return
        except applying.CannotNow as error:
            db.session.rollback()
            _go_back(load_id, status, back_to, str(error))
            return
        except OperationalError:  # SQLite: another process held the write lock too long
            db.session.rollback()
            if attempt == BUSY_TRIES:
                _go_back(load_id, status, back_to, "数据库正忙，没有写入；请稍后再试")
                raise
        except Exception:
            db.session.rollback()
            _go_back(load_id, status, back_to, "写入时出错，没有写入任何数据；请稍后再试，仍不行请联系管理员")
            raise


def _go_back(load_id: uuid.UUID, status: str, back_to: str, message: str) -> None:
    db.session.execute(
        update(RegisterLoad)
        .where(RegisterLoad.id == load_id, RegisterLoad.status == status)
        .values(status=back_to, message=message),
        execution_options={"synchronize_session": False},
    )
    _record_as_author(load_id, "load.refused", result="refused")
    db.session.commit()


def _record_as_author(load_id: uuid.UUID, action: str, result: str = "ok", **body: Any) -> None:
    load = db.session.get_one(RegisterLoad, load_id)
    applying.record(load, action, result=result, **body)
