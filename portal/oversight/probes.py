"""Probes that really write: a row committed and taken out again, an object put, read back and deleted.

What never belongs here: what a failure is called on the page (portal.oversight.readiness).
"""

from __future__ import annotations

import io
import shutil
import threading
import time
import uuid
from pathlib import Path

from sqlalchemy import delete, insert, text
from sqlalchemy.engine import Connection

from portal.extensions import db, reading_only
from portal.models import Preference
from storage.objects import ObjectStore, StoreUnavailable, new_key

KEPT_FOR = 30.0  # seconds for which a store that took an object is believed; a failure is never kept
CONTENT = b"readiness"


def write_database() -> str:
    """Commit a row that goes again in the same transaction: nothing is left, but the database has had to write. Returns
    its dialect. A read-only database, role or standby, or a full disk, raises."""
    row = {"id": uuid.uuid4(), "owner_id": uuid.uuid4(), "key": "readiness", "value": {}, "note": ""}
    table = Preference.__table__
    with reading_only(False), db.engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        try:
            _limit_wait(connection, sqlite)
            connection.execute(insert(table).values(**row))
            connection.execute(delete(table).where(table.c.id == row["id"]))
            connection.commit()
        finally:
            connection.rollback()
            if sqlite:
                _raw(connection, "PRAGMA busy_timeout=30000")
        return connection.dialect.name


def _limit_wait(connection: Connection, sqlite: bool) -> None:
    """A probe that waits behind a long writer says nothing to a load balancer: two seconds at most."""
    if sqlite:
        _raw(connection, "PRAGMA busy_timeout=2000")
    else:
        connection.execute(text("SET LOCAL statement_timeout = 2000"))


def _raw(connection: Connection, statement: str) -> None:
    cursor = connection.connection.cursor()
    cursor.execute(statement)
    cursor.close()


_written: dict[int, tuple[ObjectStore, float]] = {}
_writing = threading.Lock()


def write_store(store: ObjectStore) -> None:
    """Put a small object, read it back, delete that very version. It is never locked, so nothing is left in the store.

    A load balancer asks every few seconds: what was proved is believed for half a minute.
    """
    with _writing:
        kept = _written.get(id(store))
        if kept and kept[0] is store and 0 <= time.monotonic() - kept[1] < KEPT_FOR:
            return
        _written.clear()  # one store a process
        sealed = store.put(
            new_key("probe"), io.BytesIO(CONTENT), size_limit=len(CONTENT), media_type="text/plain"
        )
        try:
            if store.read(sealed) != CONTENT:
                raise StoreUnavailable("the store gives back something else")
        finally:
            store.delete(sealed.key, sealed.version_id)
        _written[id(store)] = (store, time.monotonic())


def free_space(folder: Path) -> tuple[int, float, int]:
    """(device, free part, free bytes) of the disk under a folder, which may still have to be made."""
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    usage = shutil.disk_usage(there)
    return there.stat().st_dev, usage.free / usage.total, usage.free
