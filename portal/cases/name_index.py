"""Finding names among a million pupils: rows of name_grams, kept by every door through which a pupil's name is written.

A pupil has, in the county of the school: each two characters of the name that stand side by side, the first character, the
initials' first two letters, and, under START, the whole. Each row carries the name as it is read and written (pinyin, the
folded name, initials), so that results are in order of pinyin and longer queries are settled within the same range.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    event,
    inspect,
    literal,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.engine import Connection

from portal import bulk
from portal.extensions import db
from portal.models import Level, NameGram, Office, Pupil
from portal.standards import names, pinyin

GRAMS, PUPILS, OFFICES = NameGram.__table__, Pupil.__table__, Office.__table__
START = ""  # the gram of the row under which a name is found by its beginning
CHUNK = 1000
_LAST = "\U0010ffff"
Row = dict[str, Any]


# --- what is kept ---------------------------------------------------------------------------------------------------


def order_of(name: str) -> str:
    """The text by which a name stands in order: its pinyin, the folded name, its initials."""
    return _orders(name)[0]


def _orders(name: str) -> list[str]:
    key = names.name_key(name)
    ways = pinyin.ways(name)
    orders = [f"{full} {key} {short}" for full, short in ways]
    if key.isascii():  # a foreign pupil's: from each word on
        words = names.tidy(name).replace("-", " ").split()
        orders += [f"{names.name_key(' '.join(words[n:]))} {key} " for n in range(1, len(words))]
    return orders


def entries(name: str) -> set[tuple[str, str]]:
    """(gram, name) of each row of one pupil."""
    key, orders = names.name_key(name), _orders(name)
    if not key:
        return set()
    found = {(START, order) for order in orders}
    if not key.isascii():
        found |= {(key[n : n + 2], orders[0]) for n in range(len(key) - 1)} | {(key[0], orders[0])}
        found |= {(short[:2], order) for order in orders if len(short := order.rpartition(" ")[2]) > 1}
    return found


def counties_of(
    school_ids: Iterable[uuid.UUID], connection: Connection | None = None
) -> dict[uuid.UUID, uuid.UUID]:
    """school -> the county in whose index its pupils stand; for a school directly under the state, the state."""
    run = connection or db.session.connection()
    query = select(OFFICES.c.id, OFFICES.c.path).where(OFFICES.c.id.in_(set(school_ids)))
    lines = {
        one: [uuid.UUID(part) for part in path.strip("/").split("/")] for one, path in run.execute(query)
    }
    above = {one for line in lines.values() for one in line}
    counties = select(OFFICES.c.id).where(OFFICES.c.id.in_(above), OFFICES.c.level == Level.COUNTY)
    known = set(run.execute(counties).scalars())
    return {one: next((office for office in line if office in known), line[0]) for one, line in lines.items()}


def enter(pupils: Sequence[Any], connection: Connection | None = None) -> None:
    """Keep the names of new pupils: mappings with id, name and school_id, as they are written into `pupils`. Loads call it
    with a chunk at a time, in the transaction that writes the pupils."""
    _write(_rows(pupils, connection), connection)


def leave(pupils: Sequence[Any], connection: Connection | None = None) -> None:
    """Forget pupils as they stood: id, name, school_id."""
    _forget(_rows(pupils, connection), connection)


def move(
    before: Sequence[Any],
    after: Sequence[Any],
    connection: Connection | None = None,
) -> None:
    """Follow pupils whose name or school was rewritten, one of `after` for each of `before`; who kept both costs nothing."""
    pairs = [
        (old, new)
        for old, new in zip(before, after, strict=True)
        if (old["name"], old["school_id"]) != (new["name"], new["school_id"])
    ]
    if pairs:
        gone = _rows([old for old, _ in pairs], connection)
        come = _rows([new for _, new in pairs], connection)
        _forget(gone - come, connection)
        _write(come - gone, connection)


_Key = tuple[str, uuid.UUID, str, uuid.UUID]


def _rows(pupils: Sequence[Any], connection: Connection | None) -> set[_Key]:
    counties = counties_of((one["school_id"] for one in pupils), connection)
    return {
        (gram, counties[one["school_id"]], order, one["id"])
        for one in pupils
        for gram, order in entries(one["name"])
    }


def _write(rows: Iterable[_Key], connection: Connection | None) -> None:
    run = connection or db.session.connection()
    for chunk in _chunks(sorted(rows)):
        bulk.add_columns(GRAMS, GRAMS.c.keys(), zip(*chunk, strict=True), run)


def _forget(rows: Iterable[_Key], connection: Connection | None) -> None:
    run = connection or db.session.connection()
    for chunk in _chunks(sorted(rows)):
        run.execute(_DELETE, [dict(zip(_NAMED, row, strict=True)) for row in chunk])


_NAMED = ("of_gram", "of_county", "of_name", "of_pupil")
_DELETE = delete(GRAMS).where(
    and_(*(column == bindparam(name) for column, name in zip(GRAMS.c, _NAMED, strict=True)))
)


def _chunks(rows: Sequence[_Key]) -> Iterator[Sequence[_Key]]:
    for start in range(0, len(rows), CHUNK * 5):
        yield rows[start : start + CHUNK * 5]


@event.listens_for(Pupil, "after_insert")
def _entered(_mapper: Any, connection: Connection, pupil: Pupil) -> None:
    enter([_named(pupil)], connection)


@event.listens_for(Pupil, "after_update")
def _rewritten(_mapper: Any, connection: Connection, pupil: Pupil) -> None:
    now = _named(pupil)
    was = dict(now)
    for key in ("name", "school_id"):
        history: Any = inspect(pupil).attrs[key].history
        if history.deleted:
            was[key] = history.deleted[0]
    move([was], [now], connection)


@event.listens_for(Pupil, "after_delete")
def _left(_mapper: Any, connection: Connection, pupil: Pupil) -> None:
    leave([_named(pupil)], connection)


def _named(pupil: Pupil) -> dict[str, Any]:
    return {"id": pupil.id, "name": pupil.name, "school_id": pupil.school_id}


# --- how it is asked --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """A query as the index understands it: ranges of rows, each a gram with a prefix of the name or a part of it."""

    ranges: tuple[tuple[str, str, str], ...]  # gram, prefix, part

    @classmethod
    def of(cls, text: str) -> Wanted | None:
        """None where a text has nothing to look for."""
        key = names.name_key(text)
        if not key:
            return None
        if key.isascii():
            letters = key.replace("-", "")
            ranges = [(START, letters, "")]
            if len(letters) > 1:
                ranges.append((letters[:2], "", f" {letters}" if len(letters) > 2 else ""))
            return cls(tuple(ranges))
        if len(key) == 1:
            return cls(((key, "", ""),))
        return cls(((key[-2:], "", key if len(key) > 2 else ""),))

    def place_of(self, name: str) -> str | None:
        """Where a pupil of this name stands in the order of the results; None where the query does not find it."""
        found = [
            order
            for gram, order in entries(name)
            for of, prefix, part in self.ranges
            if gram == of and order.startswith(prefix) and part in order
        ]
        return min(found, default=None)

    def query(
        self,
        counties: Sequence[uuid.UUID],
        narrowed: ColumnElement[bool] | None,
        beyond: tuple[str, uuid.UUID] | None,
        limit: int,
        *,
        backwards: bool = False,
    ) -> Select[Any]:
        """(name, pupil_id) in order, from a position on or back from it: each range of each county by itself, so that every
        one ends after `limit` rows of the index."""
        ranges = [
            _range((county, *one), narrowed, beyond, backwards).limit(limit).subquery()
            for county in counties
            for one in self.ranges
        ]
        parts = [select(one.c.name, one.c.pupil_id) for one in ranges]
        whole = (parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0]).subquery()
        found: Select[Any] = select(whole.c.name, whole.c.pupil_id).limit(limit)
        return found.order_by(*_in_order(whole.c.name, whole.c.pupil_id, backwards=backwards))


def _in_order(*columns: Any, backwards: bool) -> list[Any]:
    return [column.desc() if backwards else column for column in columns]


def _range(
    of: tuple[uuid.UUID, str, str, str],
    narrowed: ColumnElement[bool] | None,
    beyond: tuple[str, uuid.UUID] | None,
    backwards: bool,
) -> Select[Any]:
    county, gram, prefix, part = of
    name, pupil = NameGram.name, NameGram.pupil_id
    query: Any = select(name, pupil).where(NameGram.gram == gram, NameGram.county_id == county)
    if prefix:
        query = query.where(name >= prefix, name < prefix + _LAST)
    if part:
        query = query.where(name.contains(part, autoescape=True))
    if beyond:
        here, there = tuple_(name, pupil), tuple_(*map(literal, beyond))
        query = query.where(here < there if backwards else here > there)
    if narrowed is not None:
        query = query.where(narrowed)
    found: Select[Any] = query.order_by(*_in_order(name, pupil, backwards=backwards))
    return found


def pupils_named(text: str, counties: Sequence[uuid.UUID] | None = None) -> Select[Any]:
    """The ids of every pupil whom a text finds, in some counties or everywhere, to narrow another list."""
    wanted = Wanted.of(text)
    if wanted is None:
        return select(literal_column("NULL"))
    parts = []
    for gram, prefix, part in wanted.ranges:
        query = select(NameGram.pupil_id).where(NameGram.gram == gram)
        if counties is not None:
            query = query.where(NameGram.county_id.in_(counties))
        if prefix:
            query = query.where(NameGram.name >= prefix, NameGram.name < prefix + _LAST)
        if part:
            query = query.where(NameGram.name.contains(part, autoescape=True))
        parts.append(query)
    return parts[0] if len(parts) == 1 else select(parts[0].union(*parts[1:]).subquery().c.pupil_id)
