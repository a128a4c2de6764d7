"""The people on the list of the admitted in force, as far as somebody may see them: looked for, narrowed, a page at a time,
each with where they stand now.

Paging is by key as in the boxes; a key names a row by its random id, never by an exam number.
"""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy import case as one_of

from portal.cases import clock
from portal.cases.access import offices_under, visible_to
from portal.cases.intake import admitted_rows
from portal.cases.intake.not_reported import OUT
from portal.cases.intake.scope import Scope, schools
from portal.cases.intake.sheets import workbook
from portal.extensions import db
from portal.models import Admitted, AdmittedList, Case, Office, Postponement, RosterRow, Status
from portal.standards import id_number, names
from portal.standards.columns import BY_KEY

PAGE = 50
MOST_TEXT = 60
STATES = {"off": "未列入名单", "on": "已列入名单", "registered": "已注册", "missing": "未报到"}
WIDTHS = {"school": 30, "exam_county": 18, "id_number": 22, "exam_number": 18}
_IDENTITY = re.compile(r"[0-9]{17}[0-9X]")
_NUMBER = re.compile(r"(?=.*[0-9])[0-9A-Z()（）-]+")


@dataclass(frozen=True)
class Wanted:
    """How somebody narrowed the list: to a school of theirs, to one of STATES, to what they typed. `text` is personal and
    never stands in an address."""

    school: Office | None = None
    state: str = ""
    text: str = ""

    @property
    def narrowing(self) -> bool:
        return bool(self.school or self.state or self.text)


@dataclass(frozen=True)
class Place:
    """The roster on which somebody stands, or from which a bureau took them: `struck` says why."""

    case_id: uuid.UUID
    number: str
    struck: str


@dataclass(frozen=True)
class Person:
    """Somebody admitted, and where they stand as far as the person looking may see it."""

    admitted: Admitted
    school: str
    state: str
    roster: Place | None
    postponement: Postponement | None

    @property
    def text(self) -> str:
        return STATES[self.state]


@dataclass(frozen=True)
class Listing:
    """One page by exam number. `counts` are people by state for the school and the text asked for; `previous` and `next`
    are keys, "" where there is no page; `first` is the position of the first row, from 1."""

    people: list[Person]
    counts: Mapping[str, int]
    total: int
    first: int
    previous: str
    next: str


def kind_of(text: str) -> str:
    """How a text is understood: id_number, exam_number or name."""
    tidied = id_number.tidy(text)
    if _IDENTITY.fullmatch(tidied):
        return "id_number"
    return "exam_number" if _NUMBER.fullmatch(tidied) else "name"


def page(
    scope: Scope,
    admitted: AdmittedList,
    wanted: Wanted,
    *,
    after: str = "",
    before: str = "",
    size: int = PAGE,
) -> Listing:
    """A key that cannot be read, or that is not of this list, gives the first page."""
    counts = count(scope, admitted, wanted)
    key = _read_key(scope, admitted, after or before)
    backwards = bool(before and not after and key)
    query = _chosen(scope, admitted, wanted)
    order = Admitted.exam_number.desc() if backwards else Admitted.exam_number
    if key:
        beyond = Admitted.exam_number < key[0] if backwards else Admitted.exam_number > key[0]
        query = query.where(beyond)
    rows: list[Any] = list(db.session.execute(query.order_by(order).limit(size + 1)))
    if key and not rows:
        return page(scope, admitted, wanted, size=size)
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    first = 1 if key is None else max(1, key[1] - len(rows)) if backwards else key[1] + 1
    has_previous, has_next = (more, True) if backwards else (bool(key), more)
    return Listing(
        _people(scope, rows),
        counts,
        counts[wanted.state] if wanted.state else sum(counts.values()),
        first if rows else 0,
        _key(rows[0][0], first) if rows and has_previous else "",
        _key(rows[-1][0], first + len(rows) - 1) if rows and has_next else "",
    )


def count(scope: Scope, admitted: AdmittedList, wanted: Wanted) -> Counter[str]:
    """{state: people} for the school and the text, whatever state was asked for."""
    standing = _standing(scope).label("standing")
    chosen = select(standing).where(*_conditions(scope, admitted, wanted)).subquery()
    query = select(chosen.c.standing, func.count()).group_by(chosen.c.standing)
    return Counter(dict(db.session.execute(query).all()))


def sheet(scope: Scope, admitted: AdmittedList, wanted: Wanted) -> tuple[bytes, int]:
    """(everybody asked for as a workbook in the columns in which a list is loaded, how many). A sheet of the whole list
    loads again without a difference."""
    columns = admitted_rows.columns(scope.roster)
    written = _school_texts(schools(scope))
    query = _chosen(scope, admitted, wanted).order_by(Admitted.exam_number)
    people = [one for one, _standing in db.session.execute(query)]
    lines = ([_cell(one, column.key, written) for column in columns] for one in people)
    headings = [column.title for column in columns]
    return workbook("录取名单", headings, lines, [WIDTHS.get(one.key, 14) for one in columns]), len(people)


def _cell(one: Admitted, key: str, written: Mapping[uuid.UUID, str]) -> str:
    if key == admitted_rows.SCHOOL.key:
        return written.get(one.school_id, "")
    value = getattr(one, key)
    text = value.isoformat() if key == "birth_date" else str(value)
    return BY_KEY[key].shown(text) if key in BY_KEY and BY_KEY[key].table else text


def _school_texts(several: Sequence[Office]) -> dict[uuid.UUID, str]:
    """What a sheet calls each school: its name, or its code where two have the name."""
    met = Counter(one.name for one in several)
    return {one.id: one.name if met[one.name] == 1 else one.code for one in several}


# --- the query ------------------------------------------------------------------------------------------------------


def _chosen(scope: Scope, admitted: AdmittedList, wanted: Wanted) -> Select[Admitted, str]:
    standing = _standing(scope)
    query = select(Admitted, standing.label("standing")).where(*_conditions(scope, admitted, wanted))
    return query.where(standing == wanted.state) if wanted.state else query


def _conditions(scope: Scope, admitted: AdmittedList, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    yield Admitted.list_id == admitted.id
    yield Admitted.school_id.in_(offices_under(scope.actor.office_path))
    if wanted.school:
        yield Admitted.school_id == wanted.school.id
    if wanted.text:
        yield _matching(wanted.text)


def _matching(text: str) -> ColumnElement[bool]:
    """An identity number only in full; an exam number from its beginning; a name by any part, dots and spaces aside."""
    number, kind = id_number.tidy(text), kind_of(text)
    if kind == "name":
        folded: Any = func.lower(Admitted.name)
        for mark in (*names.DOTS, ".", "'", "’", " "):
            folded = func.replace(folded, mark, "")
        found: ColumnElement[bool] = folded.contains(names.name_key(text), autoescape=True)
        return found
    return or_(Admitted.id_number == number, Admitted.exam_number.startswith(number, autoescape=True))


def _standing(scope: Scope) -> ColumnElement[str]:
    """One of STATES, by the rosters that the person may see: a school counts its drafts, a bureau what was sent to it."""
    row = exists().where(
        RosterRow.exam_number == Admitted.exam_number,
        RosterRow.case_id == Case.id,
        Case.owner_office_id == Admitted.school_id,
        Case.intake_year == scope.year,
        Case.status.not_in(OUT),
        visible_to(scope.actor),
    )
    stands = row.where(RosterRow.struck_at.is_(None))
    branches: list[tuple[ColumnElement[bool], str]] = [
        (stands.where(Case.status == Status.APPROVED), "registered"),
        (stands, "on"),
    ]
    if scope.deadline is not None and clock.today() > scope.deadline:
        kept = exists().where(
            Postponement.school_id == Admitted.school_id,
            Postponement.year == scope.year,
            Postponement.exam_number == Admitted.exam_number,
            Postponement.until >= clock.today(),
        )
        struck = row.where(RosterRow.struck_at.is_not(None))
        branches.append((and_(~struck, ~kept), "missing"))
    return one_of(*branches, else_="off")


def _people(scope: Scope, rows: Sequence[Any]) -> list[Person]:
    keys = [one.exam_number for one, _standing in rows]
    at, kept = _rosters(scope, keys), _postponements(scope, keys)
    named = select(Office.id, Office.name).where(Office.id.in_({one.school_id for one, _standing in rows}))
    school = dict(db.session.execute(named).all())
    return [
        Person(
            one,
            school[one.school_id],
            standing,
            at.get((one.school_id, one.exam_number)),
            kept.get((one.school_id, one.exam_number)),
        )
        for one, standing in rows
    ]


def _rosters(scope: Scope, exam_numbers: Sequence[str]) -> dict[tuple[uuid.UUID, str], Place]:
    """{(school, exam number): roster}, one on which the person stands before one that they left."""
    query = (
        select(
            RosterRow.exam_number,
            RosterRow.struck_at,
            RosterRow.struck_reason,
            Case.id,
            Case.number,
            Case.owner_office_id,
        )
        .join(Case, Case.id == RosterRow.case_id)
        .where(
            RosterRow.exam_number.in_(exam_numbers),
            Case.intake_year == scope.year,
            Case.status.not_in(OUT),
            visible_to(scope.actor),
        )
        .order_by(RosterRow.struck_at.is_(None), Case.submitted_at)
    )
    return {
        (school_id, exam_number): Place(case_id, number, reason if struck else "")
        for exam_number, struck, reason, case_id, number, school_id in db.session.execute(query)
    }


def _postponements(scope: Scope, exam_numbers: Sequence[str]) -> dict[tuple[uuid.UUID, str], Postponement]:
    query = select(Postponement).where(
        Postponement.year == scope.year,
        Postponement.exam_number.in_(exam_numbers),
        Postponement.school_id.in_(offices_under(scope.actor.office_path)),
    )
    return {(one.school_id, one.exam_number): one for one in db.session.scalars(query)}


# --- keys -----------------------------------------------------------------------------------------------------------


def _key(one: Admitted, place: int) -> str:
    return f"{one.id.hex}~{place}"


def _read_key(scope: Scope, admitted: AdmittedList, text: str) -> tuple[str, int] | None:
    """(exam number, position) of the row where a page ended."""
    row_id, _, place = text.partition("~")
    try:
        wanted, position = uuid.UUID(row_id), max(0, int(place))
    except ValueError:
        return None
    query = select(Admitted.exam_number).where(Admitted.id == wanted, *_conditions(scope, admitted, Wanted()))
    number = db.session.scalars(query).one_or_none()
    return (number, position) if number else None
