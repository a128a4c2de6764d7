"""Rows that carry their own keyed seal: what the portal writes it seals, what anybody else wrote is found by it.

An ORM flush seals by itself; a Core statement takes its values from sealed(). A row that no longer fits its seal keeps a
broken one when the portal writes it again, so that a change from outside is never covered up by the next act.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import String, event, inspect, select, text
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from portal import seals
from portal.models.types import plain_default

BROKEN = "broken"
COLUMNS: dict[str, tuple[str, ...]] = {}
"""{table: the columns that its seal covers}, in a fixed order."""


class SealedRow:
    """A mixin: the column, and which others it covers. A class says either what it covers or what it leaves out."""

    seal: Mapped[str] = mapped_column(String(80), default="", server_default=text("''"))

    def __init_subclass__(cls, covers: tuple[str, ...] = (), **more: Any) -> None:
        super().__init_subclass__(**more)
        table: Any = cls.__table__  # type: ignore[attr-defined]
        COLUMNS[table.name] = covers or tuple(
            column.name for column in table.columns if column.name != "seal"
        )
        event.listen(cls, "before_insert", _seal_new)
        event.listen(cls, "before_update", _seal_again)


def seal_of(table: str, values: Any) -> str:
    return seals.row_seal(table, COLUMNS[table], values)


def fits(table: str, values: Any) -> bool:
    return seals.fits(values["seal"], table, COLUMNS[table], values)


def sealed(table: str, before: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values to write, with their seal. `before` is the whole row as it stands, None for a new one."""
    if before is None:
        return {**values, "seal": seal_of(table, values)}
    after = {**before, **values}
    whole = not before["seal"] or fits(table, before)
    return {**values, "seal": seal_of(table, after) if whole else BROKEN}


def _seal_new(mapper: Mapper[Any], _connection: Any, row: Any) -> None:
    table: Any = mapper.local_table
    for column in table.columns:
        if getattr(row, column.name) is None and column.default is not None:
            setattr(row, column.name, plain_default(column))
    row.seal = seal_of(table.name, _values(table.name, row))


def _seal_again(mapper: Mapper[Any], connection: Any, row: Any) -> None:
    name = mapper.local_table.name  # type: ignore[attr-defined]
    now = _values(name, row)
    before = now | {"seal": row.seal}
    for column in COLUMNS[name]:
        history = inspect(row).attrs[column].history
        if history.deleted:
            before[column] = history.deleted[0]
        elif history.added:  # it was set without having been read: what stood there is asked of the database
            before = _stored(mapper.local_table, connection, row)
            break
    if before["seal"] and not fits(name, before):
        row.seal = BROKEN
    else:
        row.seal = seal_of(name, now)


def _stored(table: Any, connection: Any, row: Any) -> dict[str, Any]:
    query = select(table).where(table.c.id == inspect(row).identity[0])
    return dict(connection.execute(query).one()._mapping)


def values_of(row: Any) -> dict[str, Any]:
    """A row as a mapping, as sealed() wants it."""
    return _values(row.__tablename__, row) | {"seal": row.seal}


def _values(table: str, row: Any) -> dict[str, Any]:
    return {column: getattr(row, column) for column in COLUMNS[table]}
