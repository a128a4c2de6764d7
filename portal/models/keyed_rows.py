"""Rows that carry a keyed digest of themselves: what the portal writes fits it, what anybody else wrote is found by it.

An ORM flush makes it by itself; a Core statement takes its values from keyed(). A row that no longer fits its digest keeps a
broken one when the portal writes it again, so that a change from outside is never covered up by the next act.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import String, event, inspect, select, text
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from portal import keyed_digests
from portal.models.types import plain_default

BROKEN = "broken"
COLUMN = "row_digest"
COLUMNS: dict[str, tuple[str, ...]] = {}
"""{table: the columns that its digest covers}, in a fixed order."""


class KeyedRow:
    """A mixin: the column, and which others it covers. A class says either what it covers or what it leaves out."""

    row_digest: Mapped[str] = mapped_column(String(80), default="", server_default=text("''"))

    def __init_subclass__(cls, covers: tuple[str, ...] = (), **more: Any) -> None:
        super().__init_subclass__(**more)
        table: Any = cls.__table__  # type: ignore[attr-defined]
        COLUMNS[table.name] = covers or tuple(
            column.name for column in table.columns if column.name != COLUMN
        )
        event.listen(cls, "before_insert", _make)
        event.listen(cls, "before_update", _make_again)


def digest_of(table: str, values: Any) -> str:
    return keyed_digests.row_digest(table, COLUMNS[table], values)


def fits(table: str, values: Any) -> bool:
    return keyed_digests.fits(values[COLUMN], table, COLUMNS[table], values)


def keyed(table: str, before: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values to write, with their digest. `before` is the whole row as it stands, None for a new one."""
    if before is None:
        return {**values, COLUMN: digest_of(table, values)}
    after = {**before, **values}
    whole = not before[COLUMN] or fits(table, before)
    return {**values, COLUMN: digest_of(table, after) if whole else BROKEN}


def _make(mapper: Mapper[Any], _connection: Any, row: Any) -> None:
    table: Any = mapper.local_table
    for column in table.columns:
        if getattr(row, column.name) is None and column.default is not None:
            setattr(row, column.name, plain_default(column))
    row.row_digest = digest_of(table.name, _values(table.name, row))


def _make_again(mapper: Mapper[Any], connection: Any, row: Any) -> None:
    name = mapper.local_table.name  # type: ignore[attr-defined]
    now = _values(name, row)
    before = now | {COLUMN: row.row_digest}
    for column in COLUMNS[name]:
        history = inspect(row).attrs[column].history
        if history.deleted:
            before[column] = history.deleted[0]
        elif history.added:  # it was set without having been read: what stood there is asked of the database
            before = _stored(mapper.local_table, connection, row)
            break
    if before[COLUMN] and not fits(name, before):
        row.row_digest = BROKEN
    else:
        row.row_digest = digest_of(name, now)


def _stored(table: Any, connection: Any, row: Any) -> dict[str, Any]:
    query = select(table).where(table.c.id == inspect(row).identity[0])
    return dict(connection.execute(query).one()._mapping)


def values_of(row: Any) -> dict[str, Any]:
    """A row as a mapping, as keyed() wants it."""
    return _values(row.__tablename__, row) | {COLUMN: row.row_digest}


def _values(table: str, row: Any) -> dict[str, Any]:
    return {column: getattr(row, column) for column in COLUMNS[table]}
