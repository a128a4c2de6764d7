"""Boxes of cases: each is one condition, and its count is a count of the very same query as its list.

Paging is by key, not by offset: a deep page costs what the first one does.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, select, tuple_

from portal.cases import clock
from portal.cases.access import Actor, visible_to, waiting_for
from portal.extensions import db
from portal.models import Case, Decision, Office, Pupil, Role, Status
from portal.standards import names

PAGE = 50
DECIDERS = (Role.HEAD, Role.REVIEWER, Role.APPROVER)
EVERYONE = (Role.REGISTRAR, *DECIDERS, Role.AUDITOR)


@dataclass(frozen=True)
class Box:
    """A queue by name. `roles` see it; `sorts` are the orders it offers, the first one by default."""

    id: str
    title: str
    roles: tuple[Role, ...]
    condition: Callable[[Actor], ColumnElement[bool]]
    sorts: tuple[str, ...]
    empty: str


def _decided_by(actor: Actor) -> ColumnElement[bool]:
    return visible_to(actor) & exists().where(Decision.case_id == Case.id, Decision.actor_id == actor.id)


def _returned(actor: Actor) -> ColumnElement[bool]:
    return and_(Case.status == Status.RETURNED, visible_to(actor))


def _overdue(actor: Actor) -> ColumnElement[bool]:
    whose = waiting_for(actor) if actor.decides else visible_to(actor)  # both are limited to what may be seen
    return and_(whose, Case.status == Status.IN_REVIEW, Case.due_on < clock.today())


BOXES: dict[str, Box] = {
    box.id: box
    for box in (
        Box("todo", "待办", DECIDERS, waiting_for, ("due", "newest"), "现在没有等您办理的业务。"),
        Box(
            "drafts",
            "草稿",
            (Role.REGISTRAR,),
            lambda actor: and_(visible_to(actor), Case.status == Status.DRAFT),
            ("changed",),
            "没有草稿。从学生页面或“发起业务”开始一项新业务，填写过程会自动保存在这里。",
        ),
        Box(
            "returned",
            "待补正",
            EVERYONE,
            _returned,
            ("changed",),
            "没有待补正的业务。",
        ),
        Box(
            "started",
            "我发起的",
            (Role.REGISTRAR,),
            lambda actor: and_(visible_to(actor), Case.round > 0),
            ("newest", "due"),
            "还没有提交过业务。",
        ),
        Box("done", "已办", DECIDERS, _decided_by, ("changed",), "您还没有办理过业务。"),
        Box("overdue", "已超期", EVERYONE, _overdue, ("due",), "没有超期的业务。"),
        Box("all", "全部业务", EVERYONE, visible_to, ("newest", "due"), "还没有业务。"),
    )
}


@dataclass(frozen=True)
class Filters:
    """What a person narrowed a box to; every value is text from the address bar, "" for no narrowing."""

    workflow: str = ""
    status: str = ""
    school: str = ""
    name: str = ""
    doubtful: str = ""
    sort: str = ""

    def as_args(self) -> dict[str, str]:
        return {key: value for key, value in vars(self).items() if value}


@dataclass(frozen=True)
class Listing:
    """One page of a box: rows in order, the keys of the neighbouring pages ("" where there is none), the count."""

    cases: list[Case]
    previous: str
    next: str
    total: int
    first: int  # position of the first row, from 1; 0 when empty


SORTS: dict[str, tuple[Any, bool]] = {  # column, descending
    "due": (Case.due_on, False),
    "newest": (Case.submitted_at, True),
    "changed": (Case.changed_at, True),
}
SORT_TITLES = {"due": "剩余时限最少在前", "newest": "最新提交在前", "changed": "最近变动在前"}


def boxes_for(actor: Actor) -> list[Box]:
    return [box for box in BOXES.values() if actor.role in box.roles]


def count(actor: Actor, box: Box, filters: Filters | None = None) -> int:
    """How many rows the list has: the same query, counted."""
    query = select(func.count()).select_from(Case).where(*_conditions(actor, box, filters or Filters()))
    return db.session.execute(query).scalar_one()


def page(
    actor: Actor, box: Box, filters: Filters, *, after: str = "", before: str = "", size: int = PAGE
) -> Listing:
    """One page. `after` and `before` are keys from a former page; a key that cannot be read gives the first page."""
    column, descending = _order(box, filters)
    key = _read_key(column, after or before)
    backwards = bool(before and not after and key)
    query = _ordered(select(Case).where(*_conditions(actor, box, filters)), column, descending != backwards)
    if key:
        query = query.where(_beyond(column, key, descending != backwards))
    rows = list(db.session.scalars(query.limit(size + 1)))
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    has_next, has_previous = (True, more) if backwards else (more, bool(key))
    total = count(actor, box, filters)
    return Listing(
        cases=rows,
        previous=make_key(rows[0], column) if rows and has_previous else "",
        next=make_key(rows[-1], column) if rows and has_next else "",
        total=total,
        first=position(actor, box, filters, rows[0]) if rows else 0,
    )


def position(actor: Actor, box: Box, filters: Filters, case: Case) -> int:
    """The place of a case in its box, from 1: one more than the rows before it."""
    column, descending = _order(box, filters)
    ahead = _beyond(column, (getattr(case, column.key), case.id), not descending)
    query = select(func.count()).select_from(Case).where(*_conditions(actor, box, filters), ahead)
    return db.session.execute(query).scalar_one() + 1


def neighbours(
    actor: Actor, box: Box, filters: Filters, case: Case
) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """The ids of the cases before and after this one in the same box, filter and sort."""
    column, descending = _order(box, filters)
    key = (getattr(case, column.key), case.id)
    if key[0] is None:
        return None, None
    found = []
    for direction in (not descending, descending):
        query = _ordered(select(Case.id).where(*_conditions(actor, box, filters)), column, direction)
        found.append(db.session.scalars(query.where(_beyond(column, key, direction)).limit(1)).first())
    return found[0], found[1]


def first_case(actor: Actor, box: Box, filters: Filters) -> uuid.UUID | None:
    """The id of the first case of a box, None when it is empty."""
    column, descending = _order(box, filters)
    query = _ordered(select(Case.id).where(*_conditions(actor, box, filters)), column, descending)
    return db.session.scalars(query.limit(1)).first()


def make_key(case: Case, column: Any) -> str:
    value = getattr(case, column.key)
    return f"{value.isoformat() if value else ''}~{case.id.hex}"


def _read_key(column: Any, text: str) -> tuple[Any, uuid.UUID] | None:
    value, _, case_id = text.partition("~")
    try:
        read = date.fromisoformat(value) if column is Case.due_on else datetime.fromisoformat(value)
        return read, uuid.UUID(case_id)
    except ValueError:
        return None


def _order(box: Box, filters: Filters) -> tuple[Any, bool]:
    return SORTS[filters.sort if filters.sort in box.sorts else box.sorts[0]]


def _ordered(query: Select[Any], column: Any, descending: bool) -> Select[Any]:
    if descending:
        return query.order_by(column.desc(), Case.id.desc())
    return query.order_by(column.asc(), Case.id.asc())


def _beyond(column: Any, key: tuple[Any, uuid.UUID], descending: bool) -> ColumnElement[bool]:
    """Rows after the key in the given direction; a row comparison, which both databases answer from the index."""
    if descending:
        return tuple_(column, Case.id) < tuple_(*_bound(column, key))
    return tuple_(column, Case.id) > tuple_(*_bound(column, key))


def _bound(column: Any, key: tuple[Any, uuid.UUID]) -> tuple[Any, Any]:
    return literal(key[0], column.type), literal(key[1], Case.id.type)


def _conditions(actor: Actor, box: Box, filters: Filters) -> list[ColumnElement[bool]]:
    column, _ = _order(box, filters)
    found = [box.condition(actor), column.is_not(None)]
    if filters.workflow:
        found.append(Case.workflow == filters.workflow)
    if filters.status in list(Status):
        found.append(Case.status == filters.status)
    if filters.doubtful:
        found.append(Case.doubtful)
    if filters.school:
        schools = select(Office.id).where(Office.name.contains(filters.school, autoescape=True))
        found.append(Case.owner_office_id.in_(schools))
    if filters.name:
        found.append(Case.pupil_id.in_(_pupils_named(filters.name)))
    return found


def _pupils_named(text: str) -> Select[tuple[uuid.UUID]]:
    """Pupils by the beginning of the name or of its pinyin initials."""
    if text.isascii():
        return select(Pupil.id).where(Pupil.initials.startswith(text.lower(), autoescape=True))
    return select(Pupil.id).where(Pupil.name_key.startswith(names.name_key(text), autoescape=True))
