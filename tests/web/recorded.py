"""What stands in the database, and what changed in it between two looks."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Table

from portal.extensions import db, reading_only

BOOKKEEPING = frozenset(
    {
        "audit_records",
        "audit_head",
        "sign_in_sessions",
        "sign_in_attempts",
        "known_browsers",
        "alembic_version",
    }
)
ESCAPED = re.compile(r"\\u([0-9a-f]{4})")
Rows = dict[str, dict[tuple[Any, ...], tuple[Any, ...]]]

# What the last look at a database found: {table: (fingerprint, its rows)}.
_seen: WeakKeyDictionary[Engine, dict[str, tuple[str, dict[Any, Any]]]] = WeakKeyDictionary()


def rows(without: frozenset[str] = BOOKKEEPING) -> Rows:
    """Every row of every table as the database gives it: {table: {key: values in the order of the model's columns}}."""
    found: Rows = {}
    seen = _seen.setdefault(db.engine, {})
    tables = {name: table for name, table in db.metadata.tables.items() if name not in without}
    with reading_only(), db.engine.connect() as connection:
        prints = _fingerprints(connection, tables)
        for name, table in tables.items():
            if name not in seen or seen[name][0] != prints.get(name):
                seen[name] = (prints.get(name, ""), _rows_of(connection, name, table))
            found[name] = seen[name][1]
    return found


def _rows_of(connection: Connection, name: str, table: Table) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    columns = [column.name for column in table.columns]
    places = [columns.index(column.name) for column in table.primary_key]
    quoted = ", ".join(f'"{column}"' for column in columns)
    every = connection.exec_driver_sql(f"SELECT {quoted} FROM {name}").fetchall()
    return {tuple(row[place] for place in places): tuple(row) for row in every}


def _fingerprints(connection: Connection, tables: Mapping[str, Table]) -> dict[str, str]:
    """{table: a hash over its rows}, so that only what changed is read again; {} where the database has no hash (SQLite)."""
    if connection.dialect.name != "postgresql":
        return {}
    each = [
        f"SELECT '{name}', count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {name} t"
        for name in tables
    ]
    return {name: str(told) for name, told in connection.exec_driver_sql(" UNION ALL ".join(each))}


def _plain(value: Any) -> str:
    """A value as text: ids as 32 hex digits, and JSON, which SQLite keeps as ASCII, with its characters."""
    text = value.hex if isinstance(value, uuid.UUID) else str(value)
    return ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


@dataclass(frozen=True)
class Changed:
    """A row that was added (no before), removed (no after) or altered in `columns`."""

    table: str
    columns: frozenset[str]
    text: str  # everything that stands or stood in the row, ids as 32 hex digits
    was: dict[str, Any] = field(default_factory=dict)
    now: dict[str, Any] = field(default_factory=dict)


def difference(before: Rows, after: Rows) -> list[Changed]:
    """The rows that are not as they were."""
    found = []
    for table in before:
        if before[table] is after[table] or before[table] == after[table]:
            continue
        columns = [column.name for column in db.metadata.tables[table].columns]
        for key in before[table].keys() | after[table].keys():
            old, new = before[table].get(key), after[table].get(key)
            if old != new:
                found.append(_changed(table, columns, old, new))
    return found


def _changed(
    table: str, columns: list[str], old: tuple[Any, ...] | None, new: tuple[Any, ...] | None
) -> Changed:
    was = dict(zip(columns, old or (), strict=False))
    now = dict(zip(columns, new or (), strict=False))
    moved = frozenset(column for column in columns if was.get(column) != now.get(column))
    return Changed(
        table, moved, " ".join(_plain(value) for value in (*was.values(), *now.values())), was, now
    )
