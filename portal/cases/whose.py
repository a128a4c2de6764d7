"""Whose papers are these? Every paper of a case held against the person whom it is about. Pure functions.

A paper is somebody else's when it gives a name or a number that is neither in the register nor asked for. Papers are not
accused on a doubt: a number that does not hold together and a name that is one character away are looked at again, and
what was not read says nothing. Of a household's pages those of the pupil count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from portal.cases import named_on_paper
from portal.cases.named_on_paper import Said, Sheet
from portal.cases.read_text import Place, by_file, search
from portal.cases.readings import (
    CHECK_DIGIT,
    DIGITS,
    LOOK_HERE,
    NEAR,
    Paper,
    almost,
    one_edit,
    places_apart,
    plain_name,
)
from portal.standards import id_number

Mark = Literal["match", "mismatch", "doubtful", "unread"]
Verdict = Literal["own", "other", "doubtful", "unread"]
COLUMNS = ("name", "id_number", "birth_date", "sex")
DECISIVE = ("name", "id_number")  # one birth date or sex is many people's

NOT_SURE = "读到的号码不能确认是该生的，请看原件"
NEARLY = "读到的名字与登记差一个字，请看原件"
WRONG_LENGTH = "号码处读到的不是 18 位，请看原件"
NO_NUMBER = "登记中没有身份证号，无从比对"
PUT_RIGHT = "审核人已更正识读"


@dataclass(frozen=True)
class Person:
    """Whose papers they should be: the register's values, and what else may rightly stand on a paper (new values, a former
    name). `key` is a number by which people are told apart on a roster, with its title."""

    register: Mapping[str, str]
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    key_title: str = ""
    key: str = ""

    def values(self, column: str) -> tuple[str, ...]:
        """Every value that may rightly stand there, the register's first."""
        tidy: Callable[[str], str] = {"name": plain_name, "id_number": id_number.tidy}.get(column, str)
        every = (self.register.get(column, ""), *self.also.get(column, ()))
        found = tuple(dict.fromkeys(tidy(one) for one in every if one))
        return found if column != "id_number" else tuple(one for one in found if id_number.is_shaped(one))

    def is_new(self, column: str, value: str) -> bool:
        """Whether a right value is one asked for and not the register's own."""
        return value not in Person({column: self.register.get(column, "")}).values(column)


@dataclass(frozen=True)
class Correction:
    """What a person reads where the machine had read something else, "" for nothing."""

    column: str
    read: str
    value: str


@dataclass(frozen=True)
class Cell:
    """One value of a paper. `as_new` says that it is a value asked for and not the register's."""

    column: str
    mark: Mark = "unread"
    value: str = ""
    note: str = ""
    place: Place | None = None
    as_new: bool = False


@dataclass(frozen=True)
class Named:
    """Whom one paper names, and whether that is the person."""

    slot: str
    title: str
    names: str
    person: Person
    verdict: Verdict
    cells: Mapping[str, Cell]

    @property
    def stops(self) -> bool:
        """Whether an approval has to say in words why it is right. A guardian's paper names somebody else by nature."""
        return self.verdict == "other" and self.names not in ("guardian", "nobody")

    @property
    def differing(self) -> tuple[Cell, ...]:
        """What makes it somebody else's."""
        return tuple(
            cell for cell in self.cells.values() if cell.mark == "mismatch" and cell.column in DECIDES
        )


DECIDES = (*DECISIVE, "key")
BEST: tuple[Verdict, ...] = ("own", "doubtful", "other", "unread")
WORST: tuple[Verdict, ...] = ("other", "own", "doubtful", "unread")


def judge(paper: Paper, person: Person, corrections: Iterable[Correction] = ()) -> Named:
    """Whom a paper names. Of a household's pages the person's own count; of any other paper each file stands for itself,
    so that a right one does not hide a wrong one beside it."""
    told = {(one.column, one.read): one.value for one in corrections}
    household = paper.names == "household"
    units = [[page] for page in paper.pages] if household else by_file(paper.pages)
    judged = [_unit(Sheet.of(unit), person, told) for unit in units]
    order = BEST if household else WORST
    verdict: Verdict = min((one for one, _ in judged), key=order.index, default="unread")
    cells = {column: Cell(column) for column in (*COLUMNS, *(("key",) if person.key else ()))}
    for own, found in sorted(judged, key=lambda one: order.index(one[0])):
        for column, cell in found.items():
            if cells[column].mark == "unread" and (own == verdict or cell.mark == "match"):
                cells[column] = cell
    return Named(paper.slot, paper.title, paper.names, person, verdict, cells)


def put_in(one: Named, correction: Correction) -> Named:
    """A paper with a value that a person read where the machine had read none."""
    right = one.person.values(correction.column)
    mark: Mark = "match" if correction.value in right else "mismatch"
    cell = replace(one.cells[correction.column], mark=mark, value=correction.value, note=PUT_RIGHT)
    cells = {**one.cells, correction.column: cell}
    return replace(one, cells=cells, verdict=_verdict(cells))


def _verdict(cells: Mapping[str, Cell]) -> Verdict:
    marks = {cell.mark for cell in cells.values() if cell.column in DECIDES}
    found: tuple[tuple[Mark, Verdict], ...] = (
        ("mismatch", "other"),
        ("match", "own"),
        ("doubtful", "doubtful"),
    )
    return next((verdict for mark, verdict in found if mark in marks), "unread")


Told = Mapping[tuple[str, str], str]


def _unit(sheet: Sheet, person: Person, told: Told) -> tuple[Verdict, dict[str, Cell]]:
    cells = {
        "name": _name(sheet, person, told),
        "id_number": _number(sheet, person, told),
        "birth_date": _plain("birth_date", named_on_paper.birth_dates(sheet), person, told),
        "sex": _plain("sex", named_on_paper.sexes(sheet), person, told),
    }
    if person.key:
        cells["key"] = _key(sheet, person)
    return _verdict(cells), cells


def _corrected(column: str, every: Sequence[Said], told: Told) -> list[Said]:
    """The values with what a person read in the place of what the machine had read."""
    return [
        replace(one, value=told[column, one.value], told=True) if (column, one.value) in told else one
        for one in every
    ]


def _right(column: str, every: Sequence[Said], person: Person) -> Cell | None:
    """The first value that may rightly stand there; else, what a person read that may not."""
    right = person.values(column)
    for one in every:
        if one.value in right:
            note = PUT_RIGHT if one.told else ""
            new = person.is_new(column, one.value)
            return Cell(column, "match", one.value, note, one.found.place, new)
    for one in every:
        if one.told and right:
            return Cell(column, "mismatch", one.value, PUT_RIGHT, one.found.place)
    return None


def _number(sheet: Sheet, person: Person, told: Told) -> Cell:
    column, right = "id_number", person.values("id_number")
    every = _corrected(column, named_on_paper.numbers(sheet), told)
    if cell := _right(column, every, person):
        return cell
    sure = [one for one in every if one.sure]
    if not right:
        first = next(iter(sure), None)
        return Cell(column, "unread", first.value, NO_NUMBER, first.found.place) if first else Cell(column)
    unsound = [one for one in every if not named_on_paper.is_sound(one.value)]
    torn = [
        one
        for one in search(sheet.rows, DIGITS)
        if any(one_edit(one.text.upper(), number) for number in right)
    ]
    near = [one for one in unsound if any(places_apart(one.value, number) <= NEAR for number in right)]
    if near:
        return Cell(column, "doubtful", near[0].value, CHECK_DIGIT, near[0].found.place)
    if torn:
        return Cell(column, "doubtful", "", LOOK_HERE, torn[0].place)
    for one in every:
        alike = any(places_apart(one.value, number) <= NEAR for number in right)
        if (one.sure or alike) and named_on_paper.is_sound(one.value):
            return Cell(column, "mismatch", one.value, "", one.found.place)
    if broken := named_on_paper.broken_numbers(sheet):
        return Cell(column, "doubtful", "", WRONG_LENGTH, broken[0].place)
    if unsound:
        return Cell(column, "doubtful", unsound[0].value, CHECK_DIGIT, unsound[0].found.place)
    return Cell(column, "unread", "", NOT_SURE, every[0].found.place) if every else Cell(column)


def _name(sheet: Sheet, person: Person, told: Told) -> Cell:
    column, right = "name", person.values("name")
    every = _corrected(column, named_on_paper.names(sheet), told)
    if cell := _right(column, every, person):
        return cell
    for name in right:
        for place in named_on_paper.standing(sheet, name):
            if not named_on_paper.within(place, every):
                return Cell(column, "match", name, "", place.place, person.is_new(column, name))
    for one in every:
        if any(nearly(one.value, name) for name in right):
            return Cell(column, "doubtful", one.value, NEARLY, one.found.place)
    if every:
        return Cell(column, "mismatch", every[0].value, "", every[0].found.place)
    look = next((found for name in right if (found := almost(sheet.rows, name))), None)
    return Cell(column, "doubtful", "", LOOK_HERE, look.place) if look else Cell(column)


def nearly(a: str, b: str) -> bool:
    """Whether a name may be a misreading of another: one character off, or two of a long one."""
    if one_edit(a, b):
        return True
    longer = max(len(a), len(b))
    return longer >= 6 and abs(len(a) - len(b)) <= 2 and _distance(a, b) <= 2


def _distance(a: str, b: str) -> int:
    """Levenshtein: characters put in, left out or replaced."""
    row = list(range(len(b) + 1))
    for n, x in enumerate(a, start=1):
        left, row = row, [n]
        for m, y in enumerate(b):
            row.append(min(left[m] + (x != y), left[m + 1] + 1, row[m] + 1))
    return row[-1]


def _plain(column: str, every: Sequence[Said], person: Person, told: Told) -> Cell:
    """A value that many people share: the right one anywhere, else what stands behind the label."""
    right = person.values(column)
    every = _corrected(column, every, told)
    if not right or not every:
        return Cell(column)
    if cell := _right(column, every, person):
        return cell
    return Cell(column, "mismatch", every[0].value, "", every[0].found.place)


def _key(sheet: Sheet, person: Person) -> Cell:
    every = named_on_paper.keyed(sheet, person.key_title)
    for one in every:
        if one.value == person.key:
            return Cell("key", "match", one.value, "", one.found.place)
    for one in every:
        # it has no check digit: with digits lost, or one read otherwise, somebody has to look
        if len(one.value) != len(person.key) or one_edit(one.value, person.key):
            return Cell("key", "doubtful", one.value, LOOK_HERE, one.found.place)
    return Cell("key", "mismatch", every[0].value, "", every[0].found.place) if every else Cell("key")
