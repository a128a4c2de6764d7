"""Rows of the time before row digests get one, and a row that somebody changed gets one again when it was looked into.

Both are the operator's acts on the command line, and stand in the chain.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import bindparam, select, update

from portal import audit
from portal.extensions import db
from portal.models import AuditHead, keyed_rows

BATCH = 1000


def seal_all() -> int:
    """Seal every row that carries none, a batch a transaction, and say in the chain that from now on none is without.
    Returns how many; can be run again."""
    sealed = sum(_seal_table(name) for name in sorted(keyed_rows.COLUMNS))
    audit.append("audit.rows_sealed", "audit", sealed, rows=sealed)
    db.session.execute(update(AuditHead).values(rows_sealed=True))
    db.session.commit()
    return sealed


def _seal_table(name: str) -> int:
    table: Any = db.metadata.tables[name]
    write = update(table).where(table.c.id == bindparam("of")).values(row_digest=bindparam("new"))
    sealed = 0
    while True:
        locked = select(table).where(table.c.row_digest == "").limit(BATCH).with_for_update()
        rows = db.session.execute(locked).all()
        if not rows:
            db.session.rollback()
            return sealed
        digests = [{"of": row.id, "new": keyed_rows.digest_of(name, row._mapping)} for row in rows]
        db.session.connection().execute(write, digests)
        db.session.commit()
        sealed += len(rows)


def accept(name: str, row_id: uuid.UUID) -> bool:
    """Seal one row as it stands; False where there is none. Commits."""
    table: Any = db.metadata.tables[name]
    row = db.session.execute(select(table).where(table.c.id == row_id).with_for_update()).one_or_none()
    if row is None:
        db.session.rollback()
        return False
    new = keyed_rows.digest_of(name, row._mapping)
    db.session.execute(update(table).where(table.c.id == row_id).values(row_digest=new))
    audit.append("audit.accepted", "audit", row_id, table=name)
    db.session.commit()
    return True
