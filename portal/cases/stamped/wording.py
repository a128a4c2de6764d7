"""Whether what is read on a page is what was printed on the form. Pure functions; texts are never given out, labels are.

A copied code on another sheet, on somebody else's form or on one edited before it was printed is told by this. Only what
tells a form from others is looked for: its number and title, who it is about, what it changes, what the procedure prints of
its own; of a list the people of the page, without a gap. What was read wrongly costs a look by a person, nothing more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from portal.cases import printing, versions
from portal.standards import id_number
from portal.standards.columns import BY_KEY
from portal.workflows.facts import Facts
from portal.workflows.vocabulary import Printout

WHOM = ("pupil.name", "pupil.student_number", "pupil.id_number")
SHORT = 8  # characters: longer words, in which a character or a line's end is easily lost, are held by their thirds
ENOUGH = 0.7  # of the runs of three characters of a long text
CASE_NUMBER = re.compile(r"[A-Z]{2}20[0-9]{8,12}")
IDENTITY = re.compile(r"(?<![0-9])[0-9]{17}[0-9X](?![0-9X])")
ALIKE = str.maketrans("OIL", "011")  # what print hardly tells apart
FOREIGN_NUMBER, FOREIGN_PERSON = FOREIGN = "另一件业务的编号", "表上没有的身份证件号"


@dataclass(frozen=True)
class Wanted:
    """What a form shows: (label, text), of a list (key, name) of its people in order, and all its text in one."""

    texts: tuple[tuple[str, str], ...]
    people: tuple[tuple[str, str], ...]
    whole: str


def wanted(printout: Printout, facts: Facts) -> Wanted:
    """What can be read on this form of a case as it stood when it was printed."""
    parts = versions.parts(printout, facts)
    own = printout.rows(facts) if printout.rows else {}
    people = tuple((_key(row), row.get("name", "")) for rows in own.values() for row in rows)
    texts: list[tuple[str, str]] = []
    if not own:  # of a list the people tell enough: title and place of the seal stand on its first page, the number is small
        texts = [(versions.TITLES["case_number"], facts.number), (versions.TITLES["title"], printout.title)]
        names = [*WHOM, *printout.names(facts)]
        texts += [(versions.title_of(printout, facts, one), parts[one]) for one in names if parts.get(one)]
        texts += _changes(facts, parts)
    every = (*parts.values(), *(text for rows in own.values() for row in rows for text in row.values()))
    return Wanted(tuple(texts), people, "\n".join((facts.number, *every)).upper())


def _key(row: Mapping[str, str]) -> str:
    """The number by which a list's row is told from others."""
    of_kind = (
        text for column, text in row.items() if column in BY_KEY and BY_KEY[column].kind == "id_number"
    )
    return next((text for text in of_kind if text), row.get("number", ""))


def _changes(facts: Facts, parts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for row in printing.change_rows(facts):
        for key, label in (("before", "原登记内容"), ("after", "变更后内容")):
            if f"changes:{row['title']}" in parts and row[key] != printing.EMPTY:
                yield f"{row['title']}（{label}）", row[key]


def enough(form: Wanted, lines: Sequence[str]) -> bool:
    """Whether the rest of the page need not be read: it is no list, and everything has been found."""
    return not form.people and not missing(form, lines)


def missing(form: Wanted, lines: Sequence[str]) -> tuple[str, ...]:
    """The labels of what is not on the page, and of what should not be there; () where the page is the form's."""
    page = _Page.of(lines)
    found = [label for label, text in form.texts if not page.shows(text)]
    found += _gaps(form.people, page) if form.people else []
    if any(number not in form.whole for number in CASE_NUMBER.findall(page.plain)):
        found.append(FOREIGN_NUMBER)
    if any(one not in form.whole for one in IDENTITY.findall(page.plain) if _is_sound(one)):
        found.append(FOREIGN_PERSON)
    return tuple(dict.fromkeys(found))


def _gaps(people: Sequence[tuple[str, str]], page: _Page) -> list[str]:
    """A page shows a run of the list: its rows from the first to the last that is found, each with its name."""
    found = [position for position, (key, _name) in enumerate(people) if key and page.shows(key)]
    if not found:
        return ["名单"]
    between = range(found[0], found[-1] + 1)
    wrong = [at for at in between if not page.shows(people[at][1])]
    return [f"名单第 {at + 1} 人的姓名" for at in wrong[:5]]


def _is_sound(number: str) -> bool:
    return id_number.check_digit(number[:17]) == number[17] and id_number.birth_date(number) is not None


@dataclass(frozen=True)
class _Page:
    """The lines of a page without blanks and signs: one by one, and in one; `plain` keeps what stands between numbers."""

    lines: tuple[str, ...]
    text: str
    plain: str

    @classmethod
    def of(cls, lines: Iterable[str]) -> _Page:
        lines = tuple(lines)
        folded = tuple(_folded(line) for line in lines)
        return cls(
            folded, "".join(folded), "\n".join(unicodedata.normalize("NFKC", one).upper() for one in lines)
        )

    def shows(self, text: str) -> bool:
        """Whether a text stands on the page; one of which nothing can be read by a machine is taken to."""
        wanted = _folded(text)
        if len(wanted) > SHORT and any(_is_han(character) for character in wanted):
            runs = [wanted[at : at + 3] for at in range(len(wanted) - 2)]
            return sum(run in self.text for run in runs) >= ENOUGH * len(runs)
        if all(map(_is_readable, wanted)):
            return wanted in self.text or self._in_a_cell(wanted)
        pattern = "".join(character if _is_readable(character) else ".{0,2}" for character in wanted)
        return re.search(pattern, self.text) is not None

    def _in_a_cell(self, wanted: str) -> bool:
        """Whether it stands in two lines of one cell, between which other cells were read."""
        ends, starts = set(self.lines), self.lines
        return any(
            any(line.endswith(wanted[:at]) for line in ends)
            and any(line.startswith(wanted[at:]) for line in starts)
            for at in range(2, len(wanted) - 1)
        )


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(one for one in plain if one.isalnum() or not _is_readable(one)).translate(ALIKE)


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff"


def _is_readable(character: str) -> bool:
    """Whether print of this kind is read at all: neither characters beyond the engine's list nor private ones."""
    return character < "\uac00" and unicodedata.category(character) not in ("Co", "Cn")
