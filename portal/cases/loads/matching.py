"""Whose row a row of an export is: by any number that somebody has or had, then by identity number, then by school, name and
birth date among those who have no number yet.

The national system gives a G number to who had an L or J one; then the row is about a known pupil under a new number. Who that
is, is proposed and never taken for granted: a person confirms it. A row that may be about several is asked about too.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import or_, select

from portal.cases import pupil_numbers
from portal.cases.loads.checking import WARNING, CellFault, CheckedRow
from portal.extensions import db
from portal.models import Pupil
from portal.standards import names
from portal.standards.alike import alike
from portal.standards.columns import BY_KEY
from portal.standards.school_numbers import STUDENT_NUMBER

PUPILS = Pupil.__table__
_COMPARED = [one for one in PUPILS.c if one.name not in ("load_id", "initials", "row_digest")]
PROVISIONAL = ("L", "J")  # first letters of numbers that a G number may take the place of
_NEITHER = "没有查明之前，这一行先不载入"


@dataclass
class Match:
    """Whom a row is about; where a person has to say it, whom it may be about and what speaks against it."""

    pupil: Any = None
    maybe: list[Any] = field(default_factory=list)
    doubts: list[CellFault] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether one pupil agrees in everything, so that many such rows may be confirmed at once."""
        return len(self.maybe) == 1 and not self.doubts


@dataclass
class Around:
    """What the register holds about the numbers and people of one chunk of rows."""

    by_number: dict[str, Any] = field(default_factory=dict)
    former: dict[uuid.UUID, set[str]] = field(default_factory=lambda: defaultdict(set))  # numbers they had
    holders: dict[str, dict[uuid.UUID, uuid.UUID]] = field(
        default_factory=lambda: defaultdict(dict)
    )  # identity number -> pupil -> school
    by_identity: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))  # of unknown rows
    named: dict[uuid.UUID, Any] = field(default_factory=dict)  # by a person's word
    namesakes: dict[tuple[Any, ...], list[Any]] = field(default_factory=lambda: defaultdict(list))

    def everybody(self) -> dict[uuid.UUID, Any]:
        lists = (*self.by_identity.values(), *self.namesakes.values(), list(self.by_number.values()))
        return self.named | {pupil.id: pupil for pupils in lists for pupil in pupils}


def well_formed(row: CheckedRow) -> bool:
    return bool(STUDENT_NUMBER.fullmatch(row.values.get("student_number", "")))


def look_up(
    rows: Sequence[CheckedRow], schools: Collection[uuid.UUID], named: Collection[uuid.UUID] = ()
) -> Around:
    """Read everybody whom these rows may be about, and who was named. Namesakes are looked for in these schools only."""
    around = Around()
    around.named = {pupil.id: pupil for pupil in _pupils(PUPILS.c.id.in_(named))} if named else {}
    numbers = [row.values["student_number"] for row in rows if well_formed(row)]
    for pupil in _pupils(PUPILS.c.student_number.in_(numbers)):
        around.by_number[pupil.student_number] = pupil
    if had := pupil_numbers.holders([one for one in numbers if one not in around.by_number]):
        people = {pupil.id: pupil for pupil in _pupils(PUPILS.c.id.in_(set(had.values())))}
        for number, pupil_id in had.items():
            around.by_number[number] = people[pupil_id]
            around.former[pupil_id].add(number)
    sound = [row for row in rows if not row.faulty]
    unknown = [row for row in rows if row.values.get("student_number", "") not in around.by_number]
    for pupil in _pupils(PUPILS.c.id_number.in_({one for row in unknown for one in _identities(row)})):
        around.by_identity[pupil.id_number].append(pupil)
    identities = {row.values["id_number"] for row in sound if row.values.get("id_number")}
    held = select(PUPILS.c.id_number, PUPILS.c.id, PUPILS.c.school_id)
    for number, pupil_id, school_id in db.session.execute(held.where(PUPILS.c.id_number.in_(identities))):
        around.holders[number][pupil_id] = school_id
    _look_for_namesakes(around, unknown, schools)
    return around


def _pupils(condition: Any) -> Iterable[Any]:
    return db.session.execute(select(*_COMPARED).where(condition))


def _identities(row: CheckedRow) -> list[str]:
    """The identity number of a row, and the one within its G number."""
    number = row.values.get("student_number", "")
    inner = number[1:] if number[:1] == "G" else ""
    return [one for one in dict.fromkeys((row.values.get("id_number", ""), inner)) if one]


def _look_for_namesakes(around: Around, rows: Sequence[CheckedRow], schools: Collection[uuid.UUID]) -> None:
    keys = {names.name_key(row.values.get("name", "")) for row in rows} - {""}
    if not keys:
        return
    number = PUPILS.c.student_number
    open_to_one = or_(number.is_(None), *(number.startswith(letter) for letter in PROVISIONAL))
    for pupil in _pupils(PUPILS.c.name_key.in_(keys) & open_to_one):
        if pupil.school_id in schools:
            around.namesakes[_place(pupil.school_id, pupil.name_key, pupil.birth_date)].append(pupil)


def _place(school_id: Any, name_key: str, born: date | str | None) -> tuple[Any, ...]:
    return school_id, name_key, born.isoformat() if isinstance(born, date) else born or ""


def match(
    row: CheckedRow, around: Around, in_file: Collection[str], shared: Collection[str], twice: bool
) -> Match:
    """Whom a row is about. `in_file` are the student numbers of the whole file, `shared` the identity numbers that it has
    twice; `twice` says that it has the row's name and birth date twice."""
    number = row.values.get("student_number", "")
    if (known := around.by_number.get(number)) is not None:
        return Match(known)
    if row.faulty:
        return Match()
    same = _same(row, around)
    found = [one for one in _possible(row, around, same) if one.student_number not in in_file]
    if not found:
        return Match()
    only = found[0]
    new = len(found) == 1 and only.student_number is None
    if new and only.id in same and _says_the_same(row, only):
        return Match(only)
    others = [one for one in same.values() if one.id != only.id]
    if new and not twice and not others and not (only.id_number and row.values.get("id_number")):
        return Match(only)
    doubts = list(_doubts(row, found, others, shared, twice))
    return Match(maybe=found, doubts=doubts)


def candidates(row: CheckedRow, around: Around) -> list[Any]:
    """Who a row under an unknown number may be about, whatever else is wrong with it."""
    return list(_possible(row, around, _same(row, around)))


def is_stale(row: CheckedRow, pupil: Any, in_file: Collection[str]) -> bool:
    """Whether a row has a number that the pupil had before, and the file has the present one too."""
    return row.values["student_number"] != pupil.student_number and pupil.student_number in in_file


def _same(row: CheckedRow, around: Around) -> dict[uuid.UUID, Any]:
    """The pupils who have the identity number of a row, or the one within its G number."""
    return {pupil.id: pupil for one in _identities(row) for pupil in around.by_identity.get(one, [])}


def _says_the_same(row: CheckedRow, pupil: Any) -> bool:
    """Whether a row's own identity number is the pupil's; where it has none, its name: the number within a G number may be
    one that two had in common once."""
    identity = row.values.get("id_number", "")
    return (
        pupil.id_number == identity if identity else alike("name", pupil.name, row.values.get("name", ""), {})
    )


def _possible(row: CheckedRow, around: Around, same: Mapping[uuid.UUID, Any]) -> list[Any]:
    """Who has no number yet, or one that a G number takes the place of: by identity number, else by name and birth date."""
    place = _place(
        row.school.id if row.school else None,
        names.name_key(row.values.get("name", "")),
        row.values.get("birth_date", ""),
    )
    gets = row.values.get("student_number", "")[:1] in ("G", "")
    found = dict(same) | {pupil.id: pupil for pupil in around.namesakes.get(place, [])}
    return [
        one
        for one in found.values()
        if one.student_number is None or (gets and one.student_number[0] in PROVISIONAL)
    ]


def _doubts(
    row: CheckedRow, candidates: Sequence[Any], others: Sequence[Any], shared: Collection[str], twice: bool
) -> Iterable[CellFault]:
    """What keeps a row from being confirmed with many: everything but one pupil of the same name, birth date and number."""
    values, only = row.values, candidates[0]
    if len(candidates) > 1:
        yield _doubt(row, "student_number", f"可能是登记中的 {len(candidates)} 名学生之一，例如双胞胎")
        return
    if not alike("name", only.name, values.get("name", ""), {}):
        yield _doubt(row, "name", f"登记中的姓名是“{only.name}”")
    if (only.birth_date.isoformat() if only.birth_date else "") != values.get("birth_date", ""):
        yield _doubt(row, "birth_date", f"登记中的出生日期是 {only.birth_date or '空'}")
    identity = values.get("id_number", "")
    if not identity or only.id_number != identity:
        yield _doubt(
            row, "id_number", "与登记中的身份证件号不一致" if only.id_number else "登记中没有身份证件号"
        )
    elif others or identity in shared:
        yield _doubt(row, "id_number", "还有别的学籍号使用同一身份证件号")
    elif twice:
        yield _doubt(row, "name", "文件中另有一行姓名和出生日期相同")


def _doubt(row: CheckedRow, key: str, reason: str) -> CellFault:
    return CellFault(key, BY_KEY[key].title, row.values.get(key, ""), reason, _NEITHER, WARNING)


def taken(row: CheckedRow, pupil: Any, by: int) -> Match:
    """A row about a pupil for whom another row has brought a number already."""
    return Match(maybe=[pupil], doubts=[_doubt(row, "student_number", f"第 {by} 行已对应登记中的这名学生")])
