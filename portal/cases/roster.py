"""Finding pupils: by name, pinyin initials, a full number, or class; always within what the actor may see."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select

from portal.cases import name_index
from portal.cases.access import Actor, offices_under, pupils_visible_to
from portal.cases.offices import school_system
from portal.extensions import db
from portal.models import Level, NameGram, Office, Pupil, PupilNumber
from portal.standards import classes as classes_of
from portal.standards import enrolment, grades, id_number
from portal.standards.school_numbers import STUDENT_NUMBER
from portal.standards.words import plain

PAGE = 30
LAST_PAGE = 200
MAX_QUERY = 60
_IDENTITY = re.compile(r"[0-9]{17}[0-9X]")
_OTHER_NUMBER = re.compile(r"(?=.*[0-9])[0-9A-Z()（）-]{6,20}")
_LETTERS = re.compile(r"[A-Za-z][A-Za-z' -]{0,59}")


@dataclass(frozen=True)
class Found:
    """One page of pupils; `more` says that another follows. The next page goes on after the last pupil of this one."""

    pupils: list[Pupil]
    page: int
    more: bool


@dataclass(frozen=True)
class Narrowed:
    """To whom a search or a list is narrowed; "" and None leave open. A class is one of a school's and a grade's."""

    school: Office | None = None
    grade: str = ""
    class_name: str = ""
    status: str = ""
    system: str = grades.USUAL  # how the grades of several schools are counted


@dataclass(frozen=True)
class Place:
    """Where a page begins: after the last pupil of one, or before the first of one; `page` is its number."""

    page: int = 1
    after: uuid.UUID | None = None
    before: uuid.UUID | None = None


EVERYBODY, BEGINNING = Narrowed(), Place()


def kind_of(text: str) -> str:
    """How a query is understood: student_number, id_number, initials (or full pinyin) or name."""
    tidied = id_number.tidy(text)
    if STUDENT_NUMBER.fullmatch(tidied):
        return "student_number"
    if _IDENTITY.fullmatch(tidied) or _OTHER_NUMBER.fullmatch(tidied):
        return "id_number"
    return "initials" if _LETTERS.fullmatch(plain(text).strip()) else "name"


def search(actor: Actor, text: str, narrowed: Narrowed = EVERYBODY, place: Place = BEGINNING) -> Found:
    """Pupils who match, by name in order of pinyin. Look-alike characters, dots and what nobody sees aside."""
    text, kind = text[:MAX_QUERY], kind_of(text[:MAX_QUERY])
    if kind in ("student_number", "id_number"):
        number = id_number.tidy(text)
        by = _numbered(number)
        query = select(Pupil).where(pupils_visible_to(actor), by, *_conditions(narrowed))
        return Found(_in_order(list(db.session.scalars(query.limit(PAGE)))), 1, False)
    wanted = name_index.Wanted.of(text)
    return _named(actor, wanted, narrowed, place) if wanted else Found([], 1, False)


def _named(actor: Actor, wanted: name_index.Wanted, narrowed: Narrowed, place: Place) -> Found:
    beyond = _beyond(actor, wanted, place.after or place.before)
    backwards = bool(place.before and not place.after and beyond)
    query = wanted.query(_counties(actor), _among(actor, narrowed), beyond, PAGE + 1, backwards=backwards)
    rows = db.session.execute(query).all()
    ids = [row.pupil_id for row in (rows[PAGE - 1 :: -1] if backwards else rows[:PAGE])]
    pupils = {
        one.id: one
        for one in db.session.scalars(select(Pupil).where(Pupil.id.in_(ids), pupils_visible_to(actor)))
    }
    page = max(1, min(place.page, LAST_PAGE)) if beyond else 1
    return Found(
        [pupils[one] for one in dict.fromkeys(ids) if one in pupils], page, backwards or len(rows) > PAGE
    )


def _beyond(actor: Actor, wanted: name_index.Wanted, pupil: uuid.UUID | None) -> tuple[str, uuid.UUID] | None:
    """The place of a pupil among the results; None where there is none any more, and the list begins anew."""
    if pupil is None:
        return None
    query = select(Pupil.name).where(Pupil.id == pupil, pupils_visible_to(actor))
    name = db.session.scalars(query).one_or_none()
    order = wanted.place_of(name) if name else None
    return (order, pupil) if order else None


def _counties(actor: Actor) -> list[uuid.UUID]:
    """The counties in whose index the actor's pupils stand; that of a state holds the schools directly under it."""
    if actor.office_level is Level.SCHOOL:
        return list(name_index.counties_of([actor.office_id]).values())
    below = select(Office.id).where(
        Office.id.in_(offices_under(actor.office_path)), Office.level == Level.COUNTY
    )
    return list(dict.fromkeys((actor.office_id, *db.session.scalars(below))))


def _among(actor: Actor, narrowed: Narrowed) -> ColumnElement[bool] | None:
    """The pupils of one school are few and looked up at once; of a whole county each hit is looked at by itself."""
    conditions = _conditions(narrowed)
    if actor.office_level is Level.SCHOOL:
        conditions.append(Pupil.school_id == actor.office_id)
    if not conditions:
        return None
    if narrowed.school or actor.office_level is Level.SCHOOL:
        return NameGram.pupil_id.in_(select(Pupil.id).where(*conditions))
    return exists().where(Pupil.id == NameGram.pupil_id, *conditions)


def _conditions(narrowed: Narrowed) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if narrowed.school:
        found.append(Pupil.school_id == narrowed.school.id)
    if narrowed.status:
        found.append(Pupil.enrolment_status == narrowed.status)
    if narrowed.grade and narrowed.school:
        found.append(_sitting_in(narrowed.school, narrowed.grade, narrowed.class_name or None))
    elif narrowed.grade:
        grade = grades.titled(narrowed.grade, narrowed.system)
        found.append(Pupil.grade.in_(grades.spellings(grade, narrowed.system) if grade else [narrowed.grade]))
        if grade:
            found.append(Pupil.stage.in_(("", grade.stage, "特教")))
    return found


def _numbered(number: str) -> ColumnElement[bool]:
    """By identity number, or by any number that the pupil has or had: 学籍号, 学号 or 学籍辅号."""
    numbered = select(PupilNumber.pupil_id).where(PupilNumber.number == number)
    return or_(Pupil.id_number == number, Pupil.id.in_(numbered))


def _in_a_class() -> ColumnElement[bool]:
    """Who has withdrawn, graduated or moved away is found by search, and in no class."""
    return Pupil.enrolment_status.not_in(enrolment.LEFT)


ORDERS = {"name": "姓名", "number": "学籍号", "born": "出生日期"}


def in_class(
    actor: Actor,
    school_id: uuid.UUID,
    grade: str,
    class_name: str,
    page: int = 1,
    *,
    order: str = "name",
    status: str = "",
) -> Found:
    """The pupils of one class, however its grade and number are written, by name in order of pinyin or by another item."""
    school = db.session.get(Office, school_id)
    if school is None:
        return Found([], 1, False)
    query = select(Pupil.id, Pupil.name, Pupil.student_number, Pupil.birth_date).where(
        pupils_visible_to(actor), _sitting_in(school, grade, class_name), _in_a_class()
    )
    if status:
        query = query.where(Pupil.enrolment_status == status)
    everybody = sorted(db.session.execute(query).all(), key=lambda one: (_ordered(one, order), one.id))
    page = max(1, min(page, 1 + (len(everybody) - 1) // PAGE if everybody else 1))
    ids = [one.id for one in everybody[(page - 1) * PAGE : page * PAGE]]
    pupils = {one.id: one for one in db.session.scalars(select(Pupil).where(Pupil.id.in_(ids)))}
    return Found([pupils[one] for one in ids], page, len(everybody) > page * PAGE)


def _ordered(pupil: Any, order: str) -> tuple[str, str]:
    own = {"number": pupil.student_number or "", "born": str(pupil.birth_date or "")}.get(order, "")
    return own, name_index.order_of(pupil.name)


def _in_order(pupils: list[Pupil]) -> list[Pupil]:
    return sorted(pupils, key=lambda one: (name_index.order_of(one.name), one.id))


def _sitting_in(school: Office, grade: str, class_name: str | None) -> ColumnElement[bool]:
    """The pupils of a grade and class in every writing that the school's records have; of all classes for None."""
    system = school_system(school)
    written = (
        select(Pupil.stage, Pupil.grade, Pupil.class_name).where(Pupil.school_id == school.id).distinct()
    )
    same = [
        and_(Pupil.stage == stage, Pupil.grade == one, Pupil.class_name == other)
        for stage, one, other in db.session.execute(written)
        if grades.same(one, grade, stage, system)
        and (class_name is None or classes_of.same(other, class_name, stage, one, system))
    ]
    return and_(Pupil.school_id == school.id, or_(false(), *same))


@dataclass(frozen=True)
class Class:
    grade: str
    class_name: str
    pupils: int


def classes(actor: Actor, school_id: uuid.UUID) -> list[Class]:
    """The classes of a school with the head-counts of those who sit in them, as far as the actor may see. Writings of one
    class are one, under the writing that most of its pupils have."""
    query = (
        select(Pupil.stage, Pupil.grade, Pupil.class_name, func.count())
        .where(pupils_visible_to(actor), Pupil.school_id == school_id, _in_a_class())
        .group_by(Pupil.stage, Pupil.grade, Pupil.class_name)
    )
    rows = sorted(db.session.execute(query).all(), key=lambda row: -row[3])
    school = db.session.get(Office, school_id)
    system = school_system(school) if school else grades.USUAL
    shown: dict[tuple[str, ...], str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    ranks: dict[tuple[str, str], tuple[int, str]] = {}
    for stage, grade, class_name, number in rows:
        grade_key = grades.key(grade, stage, system)
        title = shown.setdefault((grade_key,), grade)
        class_key = classes_of.key(class_name, stage, grade, system)
        one = (title, shown.setdefault((grade_key, class_key), class_name))
        counts[one] += number
        known = grades.of(stage, grade, system)
        ranks[one] = (known.year if known else 99, title)
    return sorted(
        (Class(*one, number) for one, number in counts.items()),
        key=lambda one: (ranks[one.grade, one.class_name], _order(one.class_name)),
    )


def _order(text: str) -> tuple[int, str]:
    """Classes in the order that people count them: 2班 before 10班."""
    digits = re.search(r"[0-9]+", text)
    if digits:
        return int(digits[0]), text
    marks = [position for position, mark in enumerate("一二三四五六七八九", start=1) if mark in text]
    return (marks[0] if marks else 99), text


def schools(actor: Actor) -> list[Office]:
    """The schools whose pupils the actor may see, by name."""
    here = (
        Office.id == actor.office_id
        if actor.office_level is Level.SCHOOL
        else Office.id.in_(offices_under(actor.office_path))
    )
    query = select(Office).where(and_(here, Office.level == Level.SCHOOL)).order_by(Office.name)
    return list(db.session.scalars(query))
