"""Items: things that wait for an office's answer, opened by what found them and answered by a person of that office.

An answer names the version that the person saw; the status moves by a conditional UPDATE, so that nobody answers twice.
What an accepted item does is written by who opened it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, select, update

from portal import audit
from portal.cases.access import Actor
from portal.cases.offices import line_of
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Item, ItemEvent, Level, Office, Role
from portal.models.types import new_id, utcnow

ANSWERERS = (Role.REVIEWER, Role.APPROVER)
ANSWERED = "这份数据的状态已经变化，请刷新页面查看"
REASON_LEAST = 2
WAITING = ("open", "answered")


def owner_for(scope: Office) -> Office:
    """The nearest bureau above an office that has people who answer: its county, else its state."""
    return next(one for one in line_of(scope) if one.level in (Level.COUNTY, Level.STATE))


def open_item(
    kind: str,
    scope: Office,
    key: str,
    source: tuple[str, uuid.UUID],
    after: Mapping[str, Any],
    actor_id: uuid.UUID,
) -> Item:
    """Let something wait for the bureau above `scope`; the same kind, scope and key opens the same item again."""
    line, owner = {one.level: one.id for one in line_of(scope)}, owner_for(scope)
    query = select(Item).where(Item.kind == kind, Item.scope_office_id == scope.id, Item.key == key)
    item = db.session.scalars(query.with_for_update(of=Item)).one_or_none()
    if item is None:
        item = Item(id=new_id(), kind=kind, scope_office_id=scope.id, key=key, version=0)
    item.source_kind, item.source_id = source
    item.owner_office_id = owner.id
    item.district_id, item.county_id = line.get(Level.DISTRICT), line.get(Level.COUNTY)
    item.state_id = line.get(Level.STATE)
    item.after, item.status, item.cause = dict(after), "open", ""
    item.first_run = item.last_run = utcnow()
    item.version += 1
    db.session.add(item)
    db.session.flush()
    _note(item, "opened", actor_id)
    return item


def answer(item: Item, actor: Actor, verb: str, status: str, version: int, reason: str = "") -> None:
    """Move an open item on by a person's answer to the version that he saw. Raises Refused."""
    if item.owner_office_id != actor.office_id or actor.role not in ANSWERERS:
        raise Refused("只有负责的教育局审核人员可以答复")
    if verb == "refused" and len(reason.strip()) < REASON_LEAST:
        raise Refused("请写明不接受的原因，学校会看到", field="reason")
    _move(item, ("open",), status, Item.version == version, cause=reason.strip())
    _note(item, verb, actor.id, reason.strip())


def withdraw(item: Item, actor_id: uuid.UUID, reason: str) -> None:
    """Close an item that nobody has answered: what it rests on is gone. Raises Refused when it was answered meanwhile."""
    _move(item, ("open",), "closed", cause=reason)
    _note(item, "withdrawn", actor_id, reason)


def settle(item: Item, moved: int) -> bool:
    """answered -> accepted, once what was accepted has been written in this transaction; False when another was quicker."""
    try:
        _move(item, ("answered",), "accepted")
    except Refused:
        return False
    _note(item, "written", None, str(moved))
    return True


def _move(
    item: Item, sources: tuple[str, ...], status: str, *conditions: ColumnElement[bool], **values: Any
) -> None:
    done = db.session.execute(
        update(Item)
        .where(Item.id == item.id, Item.status.in_(sources), *conditions)
        .values(status=status, version=Item.version + 1, last_run=utcnow(), **values),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused(ANSWERED)
    db.session.refresh(item)


def _note(item: Item, verb: str, actor_id: uuid.UUID | None, answer_: str = "") -> None:
    db.session.add(ItemEvent(item_id=item.id, verb=verb, actor_id=actor_id, answer=answer_))
    audit.append(
        f"item.{verb}", "item", item.id, about=item.kind, source=item.source_id.hex, counts=item.after
    )


# --- who sees what --------------------------------------------------------------------------------------------------


def _of(actor: Actor) -> Select[Item]:
    """The items that the actor's office answers; none for roles that answer nothing."""
    query = select(Item).where(Item.owner_office_id == actor.office_id)
    return query if actor.role in ANSWERERS else query.where(false())


def find(actor: Actor, item_id: uuid.UUID) -> Item | None:
    """An item that the actor's office answers, or None, whether or not it exists."""
    return db.session.scalars(_of(actor).where(Item.id == item_id)).one_or_none()


def waiting(actor: Actor, limit: int = 200) -> list[Item]:
    """The actor's open items, those that wait longest first."""
    query = _of(actor).where(Item.status.in_(WAITING)).order_by(Item.first_run, Item.id).limit(limit)
    return list(db.session.scalars(query))


def answered(actor: Actor, limit: int = 50) -> list[Item]:
    """The actor's latest answered items."""
    query = _of(actor).where(Item.status.not_in(WAITING)).order_by(Item.last_run.desc(), Item.id).limit(limit)
    return list(db.session.scalars(query))


def count_waiting(actor: Actor) -> int:
    """How many items wait for an answer of the actor's office."""
    if actor.role not in ANSWERERS:
        return 0
    query = select(func.count()).where(Item.owner_office_id == actor.office_id, Item.status == "open")
    return int(db.session.execute(query).scalar_one())


def of_source(kind: str, source_id: uuid.UUID) -> Item | None:
    """The item that something opened, for whoever may see that."""
    query = select(Item).where(Item.source_kind == kind, Item.source_id == source_id)
    return db.session.scalars(query.order_by(Item.first_run.desc())).first()


def events_of(item: Item) -> list[ItemEvent]:
    """What happened to an item, in order."""
    query = select(ItemEvent).where(ItemEvent.item_id == item.id).order_by(ItemEvent.at, ItemEvent.id)
    return list(db.session.scalars(query))
