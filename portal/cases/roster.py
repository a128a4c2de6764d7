"""Finding pupils: by name, pinyin initials, a full number, or class; always within what the actor may see."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from portal.cases.access import Actor, offices_under, pupils_visible_to
from portal.extensions import db
from portal.models import Level, Office, Pupil, RosterRow
from portal.standards import enrolment, id_number, names
from portal.standards.school_numbers import STUDENT_NUMBER

PAGE = 30
LAST_PAGE = 200
MAX_QUERY = 60
_IDENTITY = re.compile(r"[0-9]{17}[0-9X]")
_OTHER_NUMBER = re.compile(r"(?=.*[0-9])[0-9A-Z()（）-]{6,20}")
_INITIALS = re.compile(r"[A-Za-z]{1,20}")


@dataclass(frozen=True)
class Found:
    """One page of pupils; `more` says that another follows."""

    pupils: list[Pupil]
    page: int
    more: bool


def kind_of(text: str) -> str:
    """How a query is understood: student_number, id_number, initials or name."""
    tidied = id_number.tidy(text)
    if STUDENT_NUMBER.fullmatch(tidied):
        return "student_number"
    if _IDENTITY.fullmatch(tidied) or _OTHER_NUMBER.fullmatch(tidied):
        return "id_number"
    return "initials" if _INITIALS.fullmatch(text.strip()) else "name"


def _matching(text: str) -> ColumnElement[bool]:
    kind = kind_of(text)
    if kind == "student_number":
        return Pupil.student_number == id_number.tidy(text)
    if kind == "id_number":
        return _numbered(id_number.tidy(text))
    if kind == "initials":
        lowered = text.strip().lower()
        by_initials = Pupil.initials.startswith(lowered, autoescape=True)
        return by_initials | Pupil.name_key.startswith(lowered, autoescape=True)  # names in Latin letters
    return Pupil.name_key.contains(names.name_key(text), autoescape=True)


def _numbered(number: str) -> ColumnElement[bool]:
    """By identity number, or by the 学号 or 学籍辅号 that a roster brought."""
    entered = select(RosterRow.pupil_id).where(
        or_(RosterRow.number == number, RosterRow.secondary_number == number), RosterRow.pupil_id.is_not(None)
    )
    return or_(Pupil.id_number == number, Pupil.id.in_(entered))


def search(actor: Actor, text: str, school_id: uuid.UUID | None = None, page: int = 1) -> Found:
    """Pupils who match, in order of school, class and name. Look-alike characters and dots match each other."""
    query = select(Pupil).where(pupils_visible_to(actor), _matching(text[:MAX_QUERY]))
    if school_id:
        query = query.where(Pupil.school_id == school_id)
    return _page(query, page)


def _in_a_class() -> ColumnElement[bool]:
    """Who has withdrawn, graduated or moved away is found by search, and in no class."""
    return Pupil.enrolment_status.not_in(enrolment.LEFT)


def in_class(actor: Actor, school_id: uuid.UUID, grade: str, class_name: str, page: int = 1) -> Found:
    """The pupils of one class."""
    return _page(
        select(Pupil).where(
            pupils_visible_to(actor),
            Pupil.school_id == school_id,
            Pupil.grade == grade,
            Pupil.class_name == class_name,
            _in_a_class(),
        ),
        page,
    )


def _page(query: Select[Pupil], page: int) -> Found:
    page = max(1, min(page, LAST_PAGE))
    ordered = query.order_by(Pupil.school_id, Pupil.grade, Pupil.class_name, Pupil.name, Pupil.id)
    rows = list(db.session.scalars(ordered.offset((page - 1) * PAGE).limit(PAGE + 1)))
    return Found(rows[:PAGE], page, len(rows) > PAGE and page < LAST_PAGE)


@dataclass(frozen=True)
class Class:
    grade: str
    class_name: str
    pupils: int


def classes(actor: Actor, school_id: uuid.UUID) -> list[Class]:
    """The classes of a school with the head-counts of those who sit in them, as far as the actor may see."""
    query = (
        select(Pupil.grade, Pupil.class_name, func.count())
        .where(pupils_visible_to(actor), Pupil.school_id == school_id, _in_a_class())
        .group_by(Pupil.grade, Pupil.class_name)
    )
    found = [Class(*row) for row in db.session.execute(query)]
    return sorted(found, key=lambda one: (_order(one.grade), one.grade, _order(one.class_name)))


def _order(text: str) -> tuple[int, str]:
    """Grades and classes in the order that people count them: 一年级, 2班 before 10班."""
    digits = re.search(r"[0-9]+", text)
    if digits:
        return int(digits[0]), text
    marks = [position for position, mark in enumerate("一二三四五六七八九") if mark in text]
    return (10 * "小初高".find(text[:1]) + marks[0] if marks else 99), text


def schools(actor: Actor) -> list[Office]:
    """The schools whose pupils the actor may see, by name."""
    here = (
        Office.id == actor.office_id
        if actor.office_level is Level.SCHOOL
        else Office.id.in_(offices_under(actor.office_path))
    )
    query = select(Office).where(and_(here, Office.level == Level.SCHOOL)).order_by(Office.name)
    return list(db.session.scalars(query))
