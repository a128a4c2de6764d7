"""Boxes of cases: each is one condition, and its count is a count of the very same query as its list.

Paging is by key, not by offset: a deep page costs what the first one does. Counting stops at CAP for the same reason.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, true, tuple_
from sqlalchemy.orm import selectinload

from portal.cases import claims, clock, name_index
from portal.cases.access import Actor, visible_to, waiting_for
from portal.extensions import db
from portal.models import Case, Decision, Level, Office, Role, Status
from portal.models.types import utcnow

PAGE = 50
CAP = 10_000
DECIDERS = (Role.HEAD, Role.REVIEWER, Role.APPROVER)
EVERYONE = (Role.REGISTRAR, *DECIDERS, Role.AUDITOR)


@dataclass(frozen=True)
class Box:
    """A queue by name. `roles` see it; `sorts` are the orders it offers, the first one by default. `statuses` are
    those that its rows can have, where there are several to choose from."""

    id: str
    title: str
    roles: tuple[Role, ...]
    condition: Callable[[Actor], ColumnElement[bool]]
    sorts: tuple[str, ...]
    empty: str
    statuses: tuple[Status, ...] = ()


def _decided_by(actor: Actor) -> ColumnElement[bool]:
    mine = select(Decision.case_id).where(Decision.actor_id == actor.id)
    return and_(visible_to(actor), Case.id.in_(mine))


def _returned(actor: Actor) -> ColumnElement[bool]:
    return and_(Case.status == Status.RETURNED, visible_to(actor))


def _overdue(actor: Actor) -> ColumnElement[bool]:
    whose = waiting_for(actor) if actor.decides else visible_to(actor)  # both are limited to what may be seen
    return and_(whose, Case.status == Status.IN_REVIEW, Case.due_on < clock.today())


def _drafts(actor: Actor) -> ColumnElement[bool]:
    return and_(visible_to(actor), Case.status == Status.DRAFT)


def _started(actor: Actor) -> ColumnElement[bool]:
    return and_(visible_to(actor), Case.round > 0)


SUBMITTED = tuple(status for status in Status if status is not Status.DRAFT)
BOXES: dict[str, Box] = {
    box.id: box
    for box in (
        Box(
            "todo", "待办", DECIDERS, waiting_for, ("due", "newest", "legibility"), "现在没有等您办理的业务。"
        ),
        Box("returned", "待补正", EVERYONE, _returned, ("changed",), "没有待补正的业务。"),
        Box(
            "drafts",
            "草稿",
            (Role.REGISTRAR,),
            _drafts,
            ("changed",),
            "没有草稿。从学生页面或“发起业务”开始一项新业务，填写过程会自动保存在这里。",
        ),
        Box(
            "started",
            "我发起的",
            (Role.REGISTRAR,),
            _started,
            ("newest", "changed"),
            "还没有提交过业务。",
            SUBMITTED,
        ),
        Box("done", "已办", DECIDERS, _decided_by, ("changed",), "您还没有办理过业务。", SUBMITTED),
        Box("overdue", "已超期", EVERYONE, _overdue, ("due",), "没有超期的业务。"),
        Box(
            "all", "全部业务", EVERYONE, visible_to, ("newest", "changed"), "还没有已提交的业务。", SUBMITTED
        ),
    )
}
DEFAULT_BOX = {Role.REGISTRAR: "returned", Role.AUDITOR: "all"}


@dataclass(frozen=True)
class Filters:
    """What a person narrowed a box to; every value is text, "" for no narrowing. `name` is personal: it is kept in
    the person's preferences and never stands in an address."""

    workflow: str = ""
    status: str = ""
    school: str = ""
    doubtful: str = ""
    sort: str = ""
    name: str = ""

    def as_args(self) -> dict[str, Any]:
        """What may stand in an address."""
        return {key: value for key, value in vars(self).items() if value and key != "name"}

    @property
    def narrowing(self) -> bool:
        return any(value for key, value in vars(self).items() if key != "sort")


@dataclass(frozen=True)
class Count:
    """A number of rows; `more` says that counting stopped there."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        return f"{self.number}+" if self.more else str(self.number)


@dataclass(frozen=True)
class Listing:
    """One page of a box: rows in order, the keys of the neighbouring pages ("" where there is none), the count."""

    cases: list[Case]
    previous: str
    next: str
    total: Count
    first: int  # position of the first row when the person paged here, from 1; 0 when empty


SORTS: dict[str, tuple[Any, bool]] = {  # column, descending
    "due": (Case.due_on, False),
    "newest": (Case.submitted_at, True),
    "changed": (Case.changed_at, True),
    "legibility": (Case.legibility, False),
}
SORT_TITLES = {
    "due": "剩余时限最少在前",
    "newest": "最新提交在前",
    "changed": "最近变动在前",
    "legibility": "图片最不清楚的在前",
}


def boxes_for(actor: Actor) -> list[Box]:
    """The boxes that a person has, in the order of the tabs."""
    return [box for box in BOXES.values() if actor.role in box.roles]


def default_box(actor: Actor) -> Box | None:
    """The box that a person comes in by, or None for somebody who has none."""
    box = BOXES[DEFAULT_BOX.get(actor.role, "todo")]
    return box if actor.role in box.roles else None


def count(actor: Actor, box: Box, filters: Filters | None = None) -> Count:
    """How many rows the list has: the same query, counted up to CAP."""
    rows = select(literal(1)).select_from(Case).where(*_conditions(actor, box, filters or Filters()))
    return _capped(rows)


def _capped(rows: Select[Any]) -> Count:
    some = rows.limit(CAP + 1).subquery()
    number = db.session.execute(select(func.count()).select_from(some)).scalar_one()
    return Count(min(number, CAP), number > CAP)


def page(
    actor: Actor, box: Box, filters: Filters, *, after: str = "", before: str = "", size: int = PAGE
) -> Listing:
    """One page. `after` and `before` are keys from a former page; a key that cannot be read, or beyond which nothing
    is left, gives the first page."""
    column, descending = _order(box, filters)
    key = _read_key(column, after or before)
    backwards = bool(before and not after and key)
    query = _walk(select(Case), actor, box, filters, descending != backwards)
    if key:
        query = query.where(_beyond(column, key.row, descending != backwards))
    rows = list(db.session.scalars(query.options(selectinload(Case.claimed_by)).limit(size + 1)))
    if key and not rows:
        return page(actor, box, filters, size=size)
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    has_next, has_previous = (True, more) if backwards else (more, bool(key))
    first = _first(key, backwards, len(rows))
    return Listing(
        cases=rows,
        previous=make_key(rows[0], column, first) if rows and has_previous else "",
        next=make_key(rows[-1], column, first + len(rows) - 1) if rows and has_next else "",
        total=count(actor, box, filters),
        first=first if rows else 0,
    )


def _first(key: _Key | None, backwards: bool, rows: int) -> int:
    """The position of a page's first row, carried in the key: counting the rows before it would cost more with depth."""
    if key is None:
        return 1
    return max(1, key.position - rows) if backwards else key.position + 1


def position(actor: Actor, box: Box, filters: Filters, case: Case) -> Count:
    """The place of a case in its box, from 1: one more than the rows before it, counted up to CAP."""
    column, descending = _order(box, filters)
    key = (getattr(case, column.key), case.id)
    rows = select(literal(1)).select_from(Case).where(*_conditions(actor, box, filters))
    found = _capped(rows.where(_beyond(column, key, not descending)))
    return found if found.more else Count(found.number + 1)


def contains(actor: Actor, box: Box, filters: Filters, case: Case) -> bool:
    """Whether the case stands in the box as it is narrowed."""
    query = select(Case.id).where(Case.id == case.id, *_conditions(actor, box, filters))
    return db.session.scalars(query).first() is not None


def neighbours(
    actor: Actor, box: Box, filters: Filters, case: Case
) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """The ids of the cases before and after this one in the same box, filter and sort."""
    return _beside(actor, box, filters, case, ahead=False), _beside(actor, box, filters, case, ahead=True)


def following(actor: Actor, box: Box, filters: Filters, case: Case) -> uuid.UUID | None:
    """The case to go on with after this one, in the same box, filter and sort: the next that nobody else is working
    on, from the start again at the end; None when no other is left. One of the same procedure comes before the others,
    so that a person judges like cases in a row."""
    alike = replace(filters, workflow=case.workflow)
    narrowings = (alike,) if alike == filters else (alike, filters)
    return next((one for each in narrowings if (one := _following(actor, box, each, case))), None)


def _following(actor: Actor, box: Box, filters: Filters, case: Case) -> uuid.UUID | None:
    free = or_(
        Case.claimed_by_id.is_(None),
        Case.claimed_by_id == actor.id,
        Case.claimed_at < utcnow() - claims.lifetime(),
    )
    ahead = _beside(actor, box, filters, case, free, ahead=True)
    if ahead:
        return ahead
    query = _walk(select(Case.id), actor, box, filters, _order(box, filters)[1])
    return db.session.scalars(query.where(free, Case.id != case.id).limit(1)).first()


def _beside(
    actor: Actor, box: Box, filters: Filters, case: Case, *more: ColumnElement[bool], ahead: bool
) -> uuid.UUID | None:
    column, descending = _order(box, filters)
    key = (getattr(case, column.key), case.id)
    if key[0] is None:
        return None
    direction = descending if ahead else not descending
    query = _walk(select(Case.id), actor, box, filters, direction)
    return db.session.scalars(query.where(_beyond(column, key, direction), *more).limit(1)).first()


@dataclass(frozen=True)
class _Key:
    """Where a page ended: the sort value and id of its row, and the position it had."""

    row: tuple[Any, uuid.UUID]
    position: int


def make_key(case: Case, column: Any, place: int) -> str:
    """The text of a paging key; it holds a date or a score, a random id and a position, nothing about a person."""
    value = getattr(case, column.key)
    return f"{value if isinstance(value, int) else value.isoformat()}~{case.id.hex}~{place}"


def _read_key(column: Any, text: str) -> _Key | None:
    try:
        value, case_id, place = text.split("~")
        read = _read_value(column, value)
        if isinstance(read, datetime):
            if read.tzinfo is None:
                return None
            read = read.astimezone(UTC)
        return _Key((read, uuid.UUID(case_id)), max(0, int(place)))
    except (ValueError, OverflowError):
        return None


def _read_value(column: Any, text: str) -> date | datetime | int:
    if column is Case.legibility:
        return min(max(0, int(text)), 100)
    return date.fromisoformat(text) if column is Case.due_on else datetime.fromisoformat(text)


def _order(box: Box, filters: Filters) -> tuple[Any, bool]:
    return SORTS[filters.sort if filters.sort in box.sorts else box.sorts[0]]


def _walk(query: Select[Any], actor: Actor, box: Box, filters: Filters, descending: bool) -> Select[Any]:
    """The rows of a box in order, or in the opposite one."""
    column, _ = _order(box, filters)
    query = query.where(*_conditions(actor, box, filters))
    if descending:
        return query.order_by(column.desc(), Case.id.desc())
    return query.order_by(column.asc(), Case.id.asc())


def _beyond(column: Any, key: tuple[Any, uuid.UUID], descending: bool) -> ColumnElement[bool]:
    """Rows after the key in the given direction; a row comparison, which both databases answer from the index."""
    bound = tuple_(literal(key[0], column.type), literal(key[1], Case.id.type))
    return tuple_(column, Case.id) < bound if descending else tuple_(column, Case.id) > bound


def _conditions(actor: Actor, box: Box, filters: Filters) -> list[ColumnElement[bool]]:
    column, _ = _order(box, filters)
    found = [_condition(actor, box, filters), column.is_not(None)]
    if filters.workflow:
        found.append(Case.workflow == filters.workflow)
    if filters.status in box.statuses:
        found.append(Case.status == filters.status)
    if filters.doubtful:
        found.append(Case.doubtful)
    if filters.school:
        schools = select(Office.id).where(Office.name.contains(filters.school, autoescape=True))
        found.append(Case.owner_office_id.in_(schools))
    if filters.name:
        found.append(Case.pupil_id.in_(name_index.pupils_named(filters.name)))
    return found


def _condition(actor: Actor, box: Box, filters: Filters) -> ColumnElement[bool]:
    """The box's condition. "All cases of these hundred schools" is put as a truth to be tested row by row, so that the
    database walks the cases in the order of the page and stops when it is full, instead of sorting every one."""
    condition = box.condition(actor)
    wide = box.condition is visible_to and actor.office_level != Level.SCHOOL
    narrowed = filters.school or filters.name or filters.status
    return condition.is_(true()) if wide and not narrowed else condition
