"""What a procedure reads: all values are frozen and read once per decision; nothing here judges them.

What never belongs here: a rule, a procedure's own names, Flask, SQL, who is signed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from portal.policies import Article, Policy
from portal.standards import enrolment


class Office(StrEnum):
    """Levels that can hold a step. A district supervises but decides nothing."""

    SCHOOL = "school"
    COUNTY = "county"
    STATE = "state"


@dataclass(frozen=True)
class PupilFacts:
    """A pupil as the register holds them: {column key: stored value as text}, see standards.columns."""

    id: str
    values: Mapping[str, str]
    version: int

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")

    @property
    def birth_date(self) -> date | None:
        return date.fromisoformat(self["birth_date"]) if self["birth_date"] else None


NOBODY = PupilFacts("", {}, 0)  # of a case that is about no single pupil


@dataclass(frozen=True)
class SchoolFacts:
    """The school whose case it is, and who stands above it."""

    name: str
    code: str = ""
    supervisors: Mapping[str, str] = field(
        default_factory=dict
    )  # office level -> name, nearest of each level

    stages: tuple[str, ...] = ()  # 小学, 初中, 高中, 特教

    @property
    def has_county(self) -> bool:
        """Whether a county supervises it; a school run by the state skips that step."""
        return Office.COUNTY in self.supervisors


@dataclass(frozen=True)
class Strike:
    """A row-level refusal: who struck this one person from a roster, at which step, and why."""

    step: str
    office: str
    person: str
    day: date
    reason: str


@dataclass(frozen=True)
class RosterRow:
    """One person on a roster. `values` are {column key: text}: as stored in the register's codes where the text can be
    read, else as typed, and then `faults` says of the column what is wrong with it: {column key: (reason, remedy)}."""

    id: str
    position: int
    values: Mapping[str, str]
    faults: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    number: str = ""  # 学号; "" before a range is given, and of a struck row
    admitted: Mapping[str, str] | None = (
        None  # what the list of the admitted says of the person, None: not on it
    )
    exam_county: str = ""  # where the examination was sat
    elsewhere: str = ""  # where the person is registered already, or on whose other roster
    twice: tuple[int, ...] = ()  # positions of other rows about the same person
    strike: Strike | None = None
    secondary_number: str = ""  # 学籍辅号

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")

    @property
    def standing(self) -> bool:
        return self.strike is None


@dataclass(frozen=True)
class Quota:
    """What the year's plan gives, and what other rosters of the same school have taken of it."""

    year: int
    document: str = ""  # of the plan; "" while there is none
    places: int | None = None  # of the school
    admitted: int | None = (
        None  # people on the list of the admitted for the school; None while there is no list
    )
    county_places: int | None = None
    county_graduates: int | None = None  # 初中毕业生总人数
    applied: int = 0  # on the school's other rosters that are under way or approved
    approved: int = 0  # of those, approved
    in_review: bool = False  # whether the roster that asks is under way itself

    @property
    def taken(self) -> int:
        """Places that come before this roster's: of those under way at the same time, the first to be approved has them."""
        return self.approved if self.in_review else self.applied

    @property
    def left(self) -> int | None:
        """Places that no other roster of the school has taken."""
        return None if self.places is None else self.places - self.taken


@dataclass(frozen=True)
class NumberRange:
    """The 学号 asked for by a roster: first and last as they are written, and how many that is."""

    first: str
    last: str

    @property
    def size(self) -> int:
        return int(self.last) - int(self.first) + 1

    def at(self, index: int) -> str:
        """The number that stands `index` places after the first."""
        return str(int(self.first) + index).zfill(len(self.first))

    def upto(self, count: int) -> NumberRange:
        """Its first `count` numbers."""
        return NumberRange(self.first, self.at(count - 1))


@dataclass(frozen=True)
class Finding:
    """One thing found about one row, beside its cell."""

    rule: str  # "" where the cell itself cannot be read
    row: RosterRow
    column: str
    text: str
    remedy: str
    level: str
    article: Article | None = None
    settled_by: str = ""


@dataclass(frozen=True)
class OtherCase:
    """Another open case about the same pupil."""

    number: str
    workflow: str
    title: str
    status_text: str
    columns: frozenset[str]


@dataclass(frozen=True)
class Ending:
    """A decided case that ended the pupil's record, and what stood in the register before it."""

    number: str
    workflow: str
    title: str
    day: date
    before: Mapping[str, str]
    stands: bool  # no later case has changed the status again


@dataclass(frozen=True)
class LocalCondition:
    """A condition that a state bureau has added to a list of the policy. Its words never change; a retired one is kept
    for the cases that named it."""

    code: str
    title: str
    scope: str  # one of its list's scopes
    document: str
    clause: str
    text: str = ""
    retired: bool = False

    @property
    def article(self) -> Article:
        return Article(self.code, self.document, self.clause, self.text or self.title)


ANOTHER = "登记中另有一名学生"  # all that is said of a record that the reader may not read


@dataclass(frozen=True)
class Holder:
    """Another pupil who already has a value that must be one pupil's only. Named only to who may read them: both are "" for a
    pupil of whom the reader is told nothing."""

    name: str
    school: str

    def __str__(self) -> str:
        return f"{self.school}学生{self.name}"


@dataclass(frozen=True)
class EvidenceFact:
    """One committed file in a slot."""

    slot: str
    name: str
    sha256: str
    pages: int
    verdict: str  # pass, mend, advise, refuse
    override_reason: str


@dataclass(frozen=True)
class Opinion:
    """A decision as it stands on the printed form."""

    step: str
    office: str
    person: str
    day: date
    verb: str
    note: str


@dataclass(frozen=True)
class Facts:
    """All that rules, steps and printouts may look at; read once per decision by cases.facts."""

    workflow: str
    number: str
    today: date
    policy: Policy
    school: SchoolFacts
    pupil: PupilFacts = NOBODY
    answers: Mapping[str, Any] = field(default_factory=dict)
    evidence: tuple[EvidenceFact, ...] = ()
    other_cases: tuple[OtherCase, ...] = ()
    held_elsewhere: Mapping[str, tuple[Holder, ...]] = field(default_factory=dict)  # column -> other holders
    roster: tuple[RosterRow, ...] = ()  # of a case about many; in the school's order
    quota: Quota | None = None
    numbers: NumberRange | None = None  # given at the submission
    findings: tuple[Finding, ...] | None = (
        None  # about the roster's standing rows, found once; see Roster.findings
    )
    opinions: tuple[Opinion, ...] = ()
    with_school: bool = True  # the school can still change what was answered
    applicant: str = ""  # the registrar who submitted
    submitted_on: date | None = None
    endings: tuple[Ending, ...] = ()  # of this pupil's record, by cases decided here, oldest first
    local: Mapping[str, tuple[LocalCondition, ...]] = field(
        default_factory=dict
    )  # list -> what was added to it

    @property
    def ended_by(self) -> Ending | None:
        """The case by which the record stands ended, None where none was decided here or a later one took it back."""
        return next((one for one in self.endings if one.stands), None)

    @property
    def record_ended(self) -> bool:
        """Whether the record has ended for good, by a case decided here or as the register was loaded."""
        return bool(self.ended_by) or self.pupil[enrolment.STATUS] in enrolment.TERMINAL

    def answer(self, name: str) -> Any:
        """The typed answer, "" where nothing was given."""
        return self.answers.get(name) or ""

    def setting(self, key: str) -> Any:
        """A policy value of this workflow."""
        return self.policy.value(f"{self.workflow}.{key}")

    @property
    def standing_rows(self) -> tuple[RosterRow, ...]:
        """The rows that nobody has struck."""
        return tuple(row for row in self.roster if row.standing)

    def in_slot(self, slot: str) -> tuple[EvidenceFact, ...]:
        return tuple(item for item in self.evidence if item.slot == slot)
