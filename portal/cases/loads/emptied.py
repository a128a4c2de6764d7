"""Identity numbers that an export would take away: written only where a person has looked and said so, row by row.

What is confirmed goes the way of every other change of a key column: a school's waits for the bureau above.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import delete, select, update

from portal import audit
from portal.cases.loads.comparing import CHANGED, EMPTIED
from portal.cases.loads.waiting import Gate
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import RegisterLoad, RegisterLoadRow

ROWS = RegisterLoadRow.__table__
MOST = 200  # rows that a page can hold, and some
MOVED = "这些行刚被确认过或重新核对过，请核对现在的内容"


def confirm(load: RegisterLoad, ids: Collection[int]) -> int:
    """Let these rows take the number away when the load is applied; how many they are. The caller commits. Raises Refused."""
    wanted = set(ids)
    if not wanted:
        raise Refused("还没有选择学生，请先勾选核对过的行")
    db.session.execute(select(RegisterLoad.id).where(RegisterLoad.id == load.id).with_for_update())
    db.session.refresh(load)
    if load.status != "checked" or len(wanted) > MOST:
        raise Refused(MOVED, conflict=True)
    mine = select(ROWS).where(ROWS.c.load_id == load.id, ROWS.c.kind == EMPTIED, ROWS.c.id.in_(wanted))
    rows = db.session.execute(mine.order_by(ROWS.c.id)).all()
    if len(rows) != len(wanted):
        raise Refused(MOVED, conflict=True)
    gate, counts = Gate.of(load.office), dict(load.counts)
    for row in rows:
        (becomes,) = gate.part([{"kind": CHANGED, "before": row.before, "after": row.after}])
        counts[EMPTIED] -= 1
        if not _joined(row, becomes):
            counts[becomes["kind"]] = counts.get(becomes["kind"], 0) + 1
    load.counts = {kind: count for kind, count in counts.items() if count or kind != EMPTIED}
    audit.append("load.emptied_confirmed", "load", load.id, rows=len(rows))
    return len(rows)


def _joined(row: Any, becomes: dict[str, Any]) -> bool:
    """Write the row as what it becomes. True where the pupil has such a finding already, which takes it in: a pupil is
    written once."""
    place = {"kind": becomes["kind"], "waits_as": becomes["waits_as"]}
    same = select(ROWS.c.id, ROWS.c.before, ROWS.c.after).where(
        ROWS.c.load_id == row.load_id,
        ROWS.c.pupil_id == row.pupil_id,
        ROWS.c.kind == place["kind"],
        ROWS.c.waits_as == place["waits_as"],
    )
    other = db.session.execute(same).first()
    if other is None:
        db.session.execute(update(ROWS).where(ROWS.c.id == row.id).values(**place, faults=[]))
        return False
    merged = {"before": {**other.before, **row.before}, "after": {**other.after, **row.after}}
    db.session.execute(update(ROWS).where(ROWS.c.id == other.id).values(**merged))
    db.session.execute(delete(ROWS).where(ROWS.c.id == row.id))
    return True
