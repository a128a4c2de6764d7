"""Many new rows at once: one COPY on PostgreSQL, one prepared statement on SQLite.

A Core insert() names, converts and checks each value of each row by itself, which for a register takes longer than the
database does. Here a column is converted as a whole, by the processors of its SQLAlchemy type, so that what is stored is
what an insert() would have stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, FromClause
from sqlalchemy.exc import DBAPIError

from portal.extensions import db


def add(table: FromClause, rows: Sequence[Mapping[str, Any]], connection: Connection | None = None) -> None:
    """Insert rows that all have the keys of the first, in the running transaction. What they leave out gets the database's
    own default; defaults in Python are not asked. Raises IntegrityError as an insert() does."""
    if not rows:
        return
    names = list(rows[0])
    add_columns(table, names, ([row[name] for row in rows] for name in names), connection)


def add_columns(
    table: FromClause, names: Sequence[str], columns: Iterable[Sequence[Any]], connection: Connection | None
) -> None:
    """The same of columns: for each name its values, all of one length."""
    run = connection or db.session.connection()
    stored = [_stored(table.c[name], values, run) for name, values in zip(names, columns, strict=True)]
    quote = run.dialect.identifier_preparer.quote
    target = f"{quote(table.name)} ({', '.join(map(quote, names))})"  # type: ignore[attr-defined]
    lines = list(zip(*stored, strict=True))
    if run.dialect.name == "postgresql":
        _copy(run, target, lines)
    else:
        places = ", ".join("?" * len(names))
        run.exec_driver_sql(f"INSERT INTO {target} VALUES ({places})", lines)  # noqa: S608 - names of our own tables


def _stored(column: Any, values: Sequence[Any], run: Connection) -> Sequence[Any]:
    """The values as the driver takes them."""
    convert = column.type.dialect_impl(run.dialect).bind_processor(run.dialect)
    return [convert(value) for value in values] if convert else values


def _copy(run: Connection, target: str, lines: Iterable[Sequence[Any]]) -> None:
    statement = f"COPY {target} FROM STDIN"
    driver: Any = run.dialect.dbapi
    cursor: Any = run.connection.cursor()
    try:
        with cursor, cursor.copy(statement) as copy:
            for line in lines:
                copy.write_row(line)
    except driver.Error as error:  # the driver's own; callers know SQLAlchemy's
        raise DBAPIError.instance(
            statement, None, error, driver.Error, hide_parameters=True, dialect=run.dialect
        ) from error
