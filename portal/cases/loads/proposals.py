"""What a school's load proposes: one item for the bureau above it, written once the bureau has said yes.

Every row is held against the register again when it is written: what moved since the check is left out and told, the rest
is written as the load would have written it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.exc import IntegrityError

from portal import audit, bulk, tasks
from portal.cases import items, landings, name_index, pupil_numbers
from portal.cases.access import Actor
from portal.cases.endings import standing
from portal.cases.intake import plans
from portal.cases.loads import applying, comparing
from portal.cases.loads.comparing import ADDED, CHANGED, LANDED, MISSING, MOVED, PUPILS, WAITING
from portal.cases.loads.newcomers import Newcomers, told_of
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.faults import reach
from portal.models import Item, ItemEvent, RegisterLoad, RegisterLoadRow

LOAD = "load"
WRITE = "load.write_accepted"
ROWS = RegisterLoadRow.__table__
WITHDRAWN = "学校已撤销这次导入"
ACCEPTED = "其中的关键信息已由{}接受并写入，不能整批撤销；需要更正的，请重新导入，或为该生发起更正的业务"


def propose(load: RegisterLoad) -> Item | None:
    """Let the rows of an applied load that wait stand in the queue of the bureau above; None where no row waits."""
    query = select(ROWS.c.waits_as, func.count()).where(ROWS.c.load_id == load.id, ROWS.c.kind == WAITING)
    counts = _counted(query.group_by(ROWS.c.waits_as))
    if not counts:
        return None
    return items.open_item(LOAD, load.office, load.id.hex, (LOAD, load.id), counts, load.account_id)


def _counted(query: Select[Any]) -> dict[str, int]:
    return {row[0]: row[1] for row in db.session.execute(query)}


def of_load(load: RegisterLoad) -> Item | None:
    """The item that a load opened."""
    return items.of_source(LOAD, load.id)


def load_of(item: Item) -> RegisterLoad:
    """The load that opened an item."""
    return db.session.get_one(RegisterLoad, item.source_id)


def accept(item: Item, actor: Actor, version: int) -> None:
    """Say yes to everything that waits; a task writes it. Raises Refused."""
    items.answer(item, actor, "accepted", "answered", version)
    tasks.enqueue(WRITE, item_id=str(item.id))


def refuse(item: Item, actor: Actor, version: int, reason: str) -> None:
    """Say no with a reason that the school reads; nothing is written. Raises Refused."""
    items.answer(item, actor, "refused", "closed", version, reason)


def why_not_undo(load: RegisterLoad) -> str:
    """Why the school cannot take its load back: a bureau has said yes to what it proposed. "" when it can."""
    item = of_load(load)
    return ACCEPTED.format(item.owner.name) if item and item.status in ("answered", "accepted") else ""


def take_back(load: RegisterLoad) -> None:
    """When a load is undone, what still waits waits no longer. Raises CannotNow where a bureau has said yes."""
    if reason := why_not_undo(load):
        raise applying.CannotNow(reason)
    item = of_load(load)
    if item is None or item.status == "closed":
        return
    try:
        items.withdraw(item, load.account_id, WITHDRAWN)
    except Refused as refused:
        raise applying.CannotNow(refused.message) from refused


@tasks.task(WRITE)
def write_accepted(item_id: str) -> None:
    """Write the rows of an accepted item into the register, in one transaction; answered -> accepted."""
    item = db.session.get_one(Item, uuid.UUID(item_id))
    moved = _write(load_of(item), item)
    if moved is None or not items.settle(item, moved):
        db.session.rollback()
        return
    reach("items.before_commit")
    db.session.commit()


@tasks.unfinished
def unfinished() -> Iterator[tuple[str, dict[str, str]]]:
    """Items whose answer a dead process has not written."""
    query = select(Item.id).where(Item.kind == LOAD, Item.status == "answered")
    for item_id in db.session.scalars(query).all():
        yield WRITE, {"item_id": str(item_id)}


def _write(load: RegisterLoad, item: Item) -> int | None:
    """How many rows had moved; None where another worker has written them."""
    locked = select(Item.status).where(Item.id == item.id).with_for_update()
    if db.session.execute(locked).scalar_one() != "answered":
        return None
    schools = {code: school_id for school_id, code, _ in comparing.schools_of(load.office)}
    plans.hold_all(schools.values())  # no roster brings one of them in meanwhile
    moved: list[int] = []
    for kind in (ADDED, CHANGED, MISSING):
        for rows in _chunks(load.id, kind):
            late = _add(load.id, rows, schools) if kind == ADDED else _change(load.id, rows, schools)
            _mark(rows, kind, late)
            moved += late
    seen: dict[uuid.UUID, Any] = {}
    for rows in _chunks(load.id, LANDED):
        unentered = landings.without_receipt(row.pupil_id for row in rows)
        seen |= {row.pupil_id: row.after for row in rows if row.pupil_id not in unentered}
        late = [row.id for row in rows if row.pupil_id in unentered]
        _mark(rows, LANDED, late)
        moved += late
    landed = landings.confirm_landed(load.id, seen, entered_only=True)
    _record(load, item, len(landed), len(moved))
    return len(moved)


def _chunks(load_id: uuid.UUID, waits_as: str) -> Iterator[Sequence[Any]]:
    """The rows that wait as a kind, a chunk at a time; each chunk is marked before the next is asked for."""
    while True:
        query = (
            select(ROWS)
            .where(ROWS.c.load_id == load_id, ROWS.c.kind == WAITING, ROWS.c.waits_as == waits_as)
            .order_by(ROWS.c.id)
            .limit(applying.CHUNK)
        )
        rows = db.session.execute(query).all()
        if not rows:
            return
        yield rows


def _add(load_id: uuid.UUID, rows: Sequence[Any], schools: dict[str, uuid.UUID]) -> list[int]:
    """Add the pupils whose numbers are still nobody's; returns the rows that are left out."""
    taken = _taken(load_id, rows)
    met = Newcomers.since(db.session.get_one(RegisterLoad, load_id)).claim(rows)
    fresh = [
        row
        for row in rows
        if not taken & _numbers(row) and row.id not in met and row.after["school_code"] in schools
    ]
    new = [
        comparing.new_pupil(load_id, row.pupil_id, schools[row.after["school_code"]], row.after)
        for row in fresh
    ]
    if new:
        try:
            with db.session.begin_nested():
                bulk.add(PUPILS, new)
                name_index.enter(new)
                pupil_numbers.enter(new, (LOAD, load_id))
        except (
            IntegrityError
        ):  # somebody entered one of them in this very moment: none of this chunk is written
            fresh = []
    return [row.id for row in rows if row not in fresh]


def _numbers(row: Any) -> set[str]:
    return {row.after.get("student_number", ""), row.after.get("id_number", "")} - {""}


def _taken(load_id: uuid.UUID, rows: Sequence[Any]) -> set[str]:
    """Numbers of these rows that the register holds by now: a student number that somebody has or had, or the identity number
    of an ended record or of one that came since the check, which told of those that were there."""
    taken = set(pupil_numbers.holders(row.after["student_number"] for row in rows))
    identities = {row.after["id_number"]: row for row in rows if row.after.get("id_number")}
    holders = db.session.execute(
        select(PUPILS.c.id, PUPILS.c.id_number).where(PUPILS.c.id_number.in_(identities))
    ).all()
    ended = standing({pupil_id for pupil_id, _ in holders})
    told = told_of(load_id, [row.row for row in rows])
    return taken | {
        number for pupil_id, number in holders if pupil_id in ended or identities[number].row not in told
    }


def _change(load_id: uuid.UUID, rows: Sequence[Any], schools: dict[str, uuid.UUID]) -> list[int]:
    """Write the rows whose pupils still hold what the check saw; returns those that do not."""
    codes = {school_id: code for code, school_id in schools.items()}
    given = [number for row in rows if (number := row.after.get("student_number"))]
    holder = pupil_numbers.holders(given)

    def as_seen(pupil: Any, row: Any) -> bool:
        present = comparing.stored_texts(pupil, codes) | {"gone_since": applying.text_of(pupil.gone_since)}
        here = pupil.school_id in codes  # who left the school since is no longer this load's to change
        if holder.get(row.after.get("student_number", ""), pupil.id) != pupil.id:
            return False  # the new number became another's meanwhile
        return here and all((present.get(key) or "") == (text or "") for key, text in row.before.items())

    try:
        with db.session.begin_nested():
            return applying.write_over(rows, schools, "after", as_seen, (LOAD, load_id))
    except IntegrityError:  # a number of one of them is somebody's by now: only that row is left out
        if len(rows) == 1:
            return [rows[0].id]
        half = len(rows) // 2
        return _change(load_id, rows[:half], schools) + _change(load_id, rows[half:], schools)


def _mark(rows: Sequence[Any], kind: str, late: Sequence[int]) -> None:
    """Say of the rows what became of them: written as their kind, or moved."""
    for become, ids in ((kind, [row.id for row in rows if row.id not in set(late)]), (MOVED, list(late))):
        if ids:
            db.session.execute(update(ROWS).where(ROWS.c.id.in_(ids)).values(kind=become))


def _record(load: RegisterLoad, item: Item, landed: int, moved: int) -> None:
    """An audit record in the name of who said yes; the counts of the load follow what was written."""
    query = select(ROWS.c.kind, func.count()).where(ROWS.c.load_id == load.id).group_by(ROWS.c.kind)
    counts = _counted(query)
    db.session.execute(
        update(RegisterLoad)
        .where(RegisterLoad.id == load.id)
        .values(counts={"rows": load.counts.get("rows", 0)} | counts)
    )
    said = select(ItemEvent).where(ItemEvent.item_id == item.id, ItemEvent.verb == "accepted")
    event = db.session.scalars(said.order_by(ItemEvent.at.desc())).first()
    who = event.actor if event else None
    origin = audit.Origin(actor_id=who.id, office_id=who.office_id) if who else audit.Origin()
    token = audit.origin.set(origin)
    try:
        audit.append("load.accepted", "load", load.id, item=item.id.hex, landed=landed, moved=moved)
    finally:
        audit.origin.reset(token)
