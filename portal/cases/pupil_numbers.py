"""The one door to the numbers of pupils: what a pupil's row says of them now, and all that it has said.

Every door through which a pupil is written calls it as it calls the index of names. A number of the whole country that a
pupil once had stays that pupil's: by it an old export and an old paper are understood.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import and_, bindparam, delete, event, inspect, select, update
from sqlalchemy.engine import Connection

from portal import bulk
from portal.cases import clock
from portal.extensions import db
from portal.models import Pupil, PupilNumber
from portal.models.numbers import NATIONAL, SCHOOL, SECONDARY, TEMPORARY

NUMBERS = PupilNumber.__table__
T = TypeVar("T")
CHUNK = 1000
Source = tuple[str, uuid.UUID | None]
NOBODY: Source = ("", None)
_LOOSE = {"school_number": SCHOOL, "secondary_number": SECONDARY}
_Key = tuple[str, str]  # kind, number


def of_pupil(pupil: Mapping[str, Any]) -> dict[str, str]:
    """kind -> the number that a row of pupils says now."""
    found = {}
    if number := pupil["student_number"]:
        found[TEMPORARY if number[0] == "L" else NATIONAL] = number
    for key, kind in _LOOSE.items():
        if text := (pupil["particulars"] or {}).get(key):
            found[kind] = text
    return found


def enter(
    pupils: Sequence[Mapping[str, Any]], source: Source = NOBODY, run: Connection | None = None
) -> None:
    """Keep the numbers of new pupils: mappings with id, school_id, student_number and particulars. Raises IntegrityError
    where a number of the whole country is or was another's."""
    new = [(pupil, key) for pupil in pupils for key in of_pupil(pupil).items()]
    _open(new, source, run or db.session.connection())


def move(
    before: Sequence[Any],
    after: Sequence[Any],
    source: Source = NOBODY,
    run: Connection | None = None,
) -> None:
    """Follow pupils that were rewritten, one of `after` for each of `before`: a number that is no longer said has an end, one
    that was had before is had again. Who kept all costs nothing. Raises IntegrityError as enter() does."""
    closed: list[tuple[uuid.UUID, str]] = []
    opened: list[tuple[Mapping[str, Any], _Key]] = []
    for old, new in zip(before, after, strict=True):
        had, has = of_pupil(old), of_pupil(new)
        closed += [(new["id"], kind) for kind in had if has.get(kind) != had[kind]]
        opened += [(new, (kind, number)) for kind, number in has.items() if had.get(kind) != number]
    if closed or opened:
        connection = run or db.session.connection()
        _close(closed, connection)
        _open(_had_before(opened, connection), source, connection)


def leave(ids: Iterable[uuid.UUID], run: Connection | None = None) -> None:
    """Forget pupils who are taken back from the register."""
    connection = run or db.session.connection()
    for chunk in _chunks(list(ids)):
        connection.execute(delete(NUMBERS).where(NUMBERS.c.pupil_id.in_(chunk)))


def take_back(source: Source) -> None:
    """When what a source has done is undone, the numbers that it gave and that nobody says any more were never had."""
    kind, source_id = source
    db.session.connection().execute(
        delete(NUMBERS).where(
            NUMBERS.c.source_id == source_id, NUMBERS.c.source_kind == kind, NUMBERS.c.until.is_not(None)
        )
    )


def holders(numbers: Iterable[str]) -> dict[str, uuid.UUID]:
    """{number: pupil} of those numbers of the whole country that somebody has or had."""
    found: dict[str, uuid.UUID] = {}
    for chunk in _chunks(list(numbers)):
        query = select(NUMBERS.c.number, NUMBERS.c.pupil_id).where(
            NUMBERS.c.number.in_(chunk), NUMBERS.c.scope == ""
        )
        found |= dict(db.session.execute(query).all())
    return found


def history(pupil_id: uuid.UUID) -> list[PupilNumber]:
    """All numbers of a pupil, what holds first, then the latest."""
    query = select(PupilNumber).where(PupilNumber.pupil_id == pupil_id)
    rows = db.session.scalars(query.order_by(PupilNumber.id.desc()))
    return sorted(rows, key=lambda one: one.until is not None)


_CLOSE = (
    update(NUMBERS)
    .where(
        and_(
            NUMBERS.c.pupil_id == bindparam("of"),
            NUMBERS.c.kind == bindparam("of_kind"),
            NUMBERS.c.until.is_(None),
        )
    )
    .values(until=bindparam("day"))
)


def _close(rows: Sequence[tuple[uuid.UUID, str]], run: Connection) -> None:
    day = clock.today()
    for chunk in _chunks(rows):
        run.execute(_CLOSE, [{"of": one, "of_kind": kind, "day": day} for one, kind in chunk])


def _open(rows: Sequence[tuple[Mapping[str, Any], _Key]], source: Source, run: Connection) -> None:
    day = clock.today()
    for chunk in _chunks(rows):
        bulk.add(
            NUMBERS,
            [
                {
                    "pupil_id": pupil["id"],
                    "kind": kind,
                    "scope": _scope(kind, pupil),
                    "number": number,
                    "since": day,
                    "source_kind": source[0],
                    "source_id": source[1],
                }
                for pupil, (kind, number) in chunk
            ],
            run,
        )


def _scope(kind: str, pupil: Mapping[str, Any]) -> str:
    if kind == SCHOOL:
        return str(pupil["school_id"].hex)
    return "province" if kind == SECONDARY else ""


def _had_before(
    rows: Sequence[tuple[Mapping[str, Any], _Key]], run: Connection
) -> list[tuple[Mapping[str, Any], _Key]]:
    """Open again what the pupil had before; what is left is new."""
    left: list[tuple[Mapping[str, Any], _Key]] = []
    for chunk in _chunks(rows):
        numbers = [number for _, (_, number) in chunk]
        query = select(NUMBERS).where(NUMBERS.c.number.in_(numbers), NUMBERS.c.until.is_not(None))
        known = {(one.pupil_id, one.kind, one.number): one.id for one in run.execute(query)}
        again = {
            (pupil["id"], *key): known[pupil["id"], *key]
            for pupil, key in chunk
            if (pupil["id"], *key) in known
        }
        if again:
            run.execute(update(NUMBERS).where(NUMBERS.c.id.in_(again.values())).values(until=None))
        left += [(pupil, key) for pupil, key in chunk if (pupil["id"], *key) not in again]
    return left


def _chunks(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


# --- pupils that the session writes ---------------------------------------------------------------------------------


@event.listens_for(Pupil, "after_insert")
def _entered(_mapper: Any, connection: Connection, pupil: Pupil) -> None:
    enter([_numbered(pupil)], NOBODY, connection)


@event.listens_for(Pupil, "after_update")
def _rewritten(_mapper: Any, connection: Connection, pupil: Pupil) -> None:
    now = _numbered(pupil)
    was = dict(now)
    for key in ("student_number", "particulars"):
        changes: Any = inspect(pupil).attrs[key].history
        if changes.deleted:
            was[key] = changes.deleted[0]
    move([was], [now], NOBODY, connection)


@event.listens_for(Pupil, "before_delete")
def _left(_mapper: Any, connection: Connection, pupil: Pupil) -> None:
    leave([pupil.id], connection)


def _numbered(pupil: Pupil) -> dict[str, Any]:
    keys = ("id", "school_id", "student_number", "particulars")
    return {key: getattr(pupil, key) for key in keys}
