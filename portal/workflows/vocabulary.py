"""The words in which a procedure is written. All values are frozen; conditions are plain functions of Facts.

What never belongs here: a procedure's own names, Flask, SQL, who is signed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any, Literal

from portal.forms import AnswersForm
from portal.policies import Article, Policy
from portal.standards import enrolment
from portal.standards.columns import BY_KEY

NOT_NEEDED = "按规定无需本级审批。"  # in the box of an office that a case does not go to


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
    # The list's entry is another school's, whose people this school does not get to read.
    admitted_elsewhere: bool = False
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


@dataclass(frozen=True)
class Holder:
    """Another pupil who already has a value that must be one pupil's only. Named only inside the same school: who
    stands in another office's register is not this office's to read."""

    name: str  # "" outside the school
    here: bool

    def __str__(self) -> str:
        return f"本校学生{self.name}" if self.here else "其他学校的一名学生"


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


Condition = Callable[[Facts], bool]


def always(_facts: Facts) -> bool:
    """The condition of what holds in every case."""
    return True


def never(_facts: Facts) -> bool:
    """The condition of what holds in no case."""
    return False


When = Literal["start", "answers", "evidence"]


@dataclass(frozen=True)
class Rule:
    """A stop: when `stops(facts)` holds, the person reads `text` and `remedy`, with the article it rests on.

    `at` says how early it can be known: when the pupil is chosen, when the answers are in, with the evidence.
    `article` is an article id, or the key of the policy value whose article it is.
    """

    id: str
    article: str
    stops: Condition
    text: str | Callable[[Facts], str]
    remedy: str
    at: When = "answers"
    field: str = ""

    def __post_init__(self) -> None:
        if not (self.id and self.article):
            raise ValueError(f"rule {self.id!r} needs an id and an article")

    def refuse(self, facts: Facts) -> Refusal | None:
        """The refusal where this rule stops the case, else None."""
        if not self.stops(facts):
            return None
        text = self.text if isinstance(self.text, str) else self.text(facts)
        return Refusal(self.id, text, self.remedy, self.article_in(facts.policy), self.field)

    def article_in(self, policy: Policy) -> Article:
        return source(policy, self.article)


def source(policy: Policy, name: str) -> Article:
    """The article of this id, or the one that the policy value of this key rests on."""
    return policy.source(name) if name in policy.values else policy.article(name)


@dataclass(frozen=True)
class Refusal:
    """Why a case cannot go on, as a person reads it; `field` is an answer's or a slot's name, "" for the whole case."""

    rule: str
    text: str
    remedy: str
    article: Article
    field: str = ""


@dataclass(frozen=True)
class RosterColumn:
    """A column of a roster. `key` is the register's column where it has one; `aliases` are other headings it comes under."""

    key: str
    title: str
    required: bool = True
    aliases: tuple[str, ...] = ()
    compared: bool = False  # held against the list of the admitted


@dataclass(frozen=True)
class RowRule:
    """What can be wrong with one row of a roster. `finds(facts, row)` is the sentence for the person, "" for nothing.

    `level` "stop" keeps the roster from being submitted; "ask" is a question that the people along the chain see.
    `settled_by` is the evidence with a piece for the row that settles what was found, "" for none.
    """

    id: str
    article: str
    finds: Callable[[Facts, RosterRow], str]
    remedy: str
    column: str
    level: Literal["stop", "ask"] = "stop"
    settled_by: str = ""

    def __post_init__(self) -> None:
        if not (self.id and self.article):
            raise ValueError(f"row rule {self.id!r} needs an id and an article")


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
class Roster:
    """The word for a case about many people at once, under a quota and with a range of numbers.

    `person` is the column by which somebody is found on the list of the admitted. `enters(facts, row)` is what the
    register is told of a row when the case is approved, {column: text}; it may only name columns of Workflow.may_change.
    """

    columns: tuple[RosterColumn, ...]
    rules: tuple[RowRule, ...]
    person: str
    stage: str  # of schools that may send one
    enters: Callable[[Facts, RosterRow], Mapping[str, str]]

    @property
    def titles(self) -> dict[str, str]:
        return {column.key: column.title for column in self.columns}

    def findings(self, facts: Facts, rows: Iterable[RosterRow] | None = None) -> list[Finding]:
        """Everything found about the standing rows (or these), in their order; what the facts have found already is not
        looked for again."""
        if rows is None and facts.findings is not None:
            return list(facts.findings)
        articles = {rule.id: source(facts.policy, rule.article) for rule in self.rules}
        found = []
        for row in facts.standing_rows if rows is None else rows:
            found += [
                Finding("", row, column, reason, remedy, "stop")
                for column, (reason, remedy) in row.faults.items()
            ]
            for rule in self.rules:
                if text := rule.finds(facts, row):
                    found.append(
                        Finding(
                            rule.id,
                            row,
                            rule.column,
                            text,
                            rule.remedy,
                            rule.level,
                            articles[rule.id],
                            rule.settled_by,
                        )
                    )
        return found


@dataclass(frozen=True)
class Piece:
    """One of the papers that a slot asks for one by one: `key` tells it from the others (letters and digits only)."""

    key: str
    title: str
    issuer: str = ""


@dataclass(frozen=True)
class Evidence:
    """A slot for papers. `when` decides whether it is shown, `required` whether the case stops without it. With `each`
    there is a slot for every piece, under the id "slot-key"."""

    id: str
    title: str
    issuer: str
    help: str
    article: str
    when: Condition = always
    required: Condition = always
    paper: str = (
        ""  # the kind of paper, by which thresholds it is checked: storage.thresholds.papers(); "" for any
    )
    pages: tuple[str, ...] = ()  # the pages that it has when whole, by name; fewer are said, never stopped
    titles: tuple[str, ...] = ()  # words by which such a paper is recognised when it is read; never a rule
    issuers: tuple[str, ...] = ()  # how the names of those who issue it end
    each: Callable[[Facts], Iterable[Piece]] | None = None
    shows_new: bool = True  # False: it holds the old values by nature, e.g. of a cancelled registration

    def pieces(self, facts: Facts) -> Iterator[Evidence]:
        """The slots that a person sees of this one."""
        if self.each is None:
            yield self
            return
        for piece in self.each(facts):
            yield replace(
                self,
                id=f"{self.id}-{piece.key}",
                title=piece.title,
                issuer=piece.issuer or self.issuer,
                each=None,
            )


def base_id(slot_id: str) -> str:
    """The id of the evidence that a slot belongs to: "letter" of "letter-2262" and of "letter"."""
    return slot_id.partition("-")[0]


@dataclass(frozen=True)
class Page:
    """One page of questions."""

    id: str
    title: str
    fields: tuple[str, ...]
    intro: str = ""
    steers: str = ""  # the field by whose answer the others of this page are asked or not, "" for none


@dataclass(frozen=True)
class Step:
    """A place in the chain: who looks, and whether this case goes there at all."""

    id: str
    title: str
    office: Office
    role: str
    when: Condition = always


@dataclass(frozen=True)
class Sheet:
    """A form that is one table, as data: its DOCX blank is drawn from it and its XLSX written from it, so that both hold the
    same cells. The texts hold the «names» of the printout.

    `rows` stand under the `headings`: an empty first cell belongs to the label above it, and the last cell of a short row
    takes what is left of the width. The rows of `group` (of Printout.rows) follow them, with one of `keys` a column.
    """

    mark: str  # what the paper is of its document, e.g. 附表1
    title: str
    widths: tuple[float, ...]  # mm, a column each
    above: tuple[str, ...] = ()  # lines between title and table
    headings: tuple[str, ...] = ()  # repeated on every page
    rows: tuple[tuple[str, ...], ...] = ()
    group: str = ""
    keys: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # lines below the table
    landscape: bool = False


@dataclass(frozen=True)
class Printout:
    """A paper that can be printed: its blank in portal/printouts and the values of the blank's «names»."""

    id: str
    title: str
    blank: str
    names: Callable[[Facts], Mapping[str, str]]
    rows: Callable[[Facts], Mapping[str, tuple[Mapping[str, str], ...]]] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)  # what people call its own names
    sheet: Sheet | None = None  # of a form that is given out as XLSX too


@dataclass(frozen=True)
class Terminal:
    """An effect that cannot be taken back: what follows is read, and a word typed, before it is asked for and again
    before the last office grants it. So such a case is decided by itself and never along with others."""

    article: str
    follows: Callable[[Facts], tuple[str, ...]]  # what a person has to know, a sentence each
    asks: str  # the label of the field, e.g. which word
    word: Callable[[Facts], str]


@dataclass(frozen=True)
class Supplement:
    """A list of the policy to which a state bureau may add conditions of its own, each with document and clause."""

    key: str  # of the value, without the workflow's id
    title: str
    scopes: tuple[str, ...]  # what a condition can be for


def _told_ended(facts: Facts) -> str:
    status = BY_KEY[enrolment.STATUS].shown(facts.pupil[enrolment.STATUS])
    if one := facts.ended_by:
        return f"该生已于 {one.day} 经 {one.number}（{one.title}）批准，学籍已终止，不能恢复或再作变动"
    return f"该生学籍状态为“{status}”，学籍已终止，不能恢复或再作变动"


@dataclass(frozen=True)
class Workflow:
    """A whole procedure. Adding one touches its own file, the list in workflows/__init__.py, a blank and a test."""

    id: str
    title: str
    purpose: str
    form: type[AnswersForm]
    pages: tuple[Page, ...]
    evidence: tuple[Evidence, ...]
    rules: tuple[Rule, ...]
    chain: tuple[Step, ...]
    may_change: frozenset[str]  # the only register columns it can touch
    changes: Callable[[Facts], Mapping[str, str]]  # column -> new stored text
    printouts: tuple[Printout, ...]
    number_prefix: str  # of case numbers, two capital letters
    compare: Mapping[str, str] = field(
        default_factory=dict
    )  # answer field -> the column whose old value stands beside
    relevant: Callable[[Facts], frozenset[str]] | None = None  # fields that apply; None: all
    roster: Roster | None = None  # of a procedure about many; its cases have no pupil of their own
    unique: frozenset[str] = frozenset()  # columns whose value one pupil only may hold
    terminal: Terminal | None = None
    reverses: str = ""  # the workflow whose decision it takes back: the one way to open an ended record
    supplements: tuple[Supplement, ...] = ()

    @property
    def every_rule(self) -> tuple[Rule, ...]:
        """The rules of all procedures that touch the status of a record, then its own."""
        if enrolment.STATUS not in self.may_change:
            return self.rules
        ended = Rule(
            "record_ended",
            "ended_record",
            self._touches_ended,
            _told_ended,
            "确属错误批准的，凭依据另案撤销；状态与全国学籍系统不符的，请先在该系统更正后重新导入",
            at="start",
        )
        return (ended, *self.rules)

    def _touches_ended(self, facts: Facts) -> bool:
        if self.reverses:
            return facts.ended_by is not None and facts.ended_by.workflow != self.reverses
        return facts.record_ended

    def asked(self, facts: Facts) -> frozenset[str]:
        """The fields that apply to these facts."""
        every = frozenset(name for page in self.pages for name in page.fields)
        return every if self.relevant is None else every & self.relevant(facts)

    def slots(self, facts: Facts) -> tuple[Evidence, ...]:
        """The evidence that these answers call for, in order."""
        return tuple(piece for item in self.evidence if item.when(facts) for piece in item.pieces(facts))

    def steps(self, facts: Facts) -> tuple[Step, ...]:
        """The chain as it runs for these facts."""
        return tuple(step for step in self.chain if step.when(facts))

    def step(self, step_id: str) -> Step:
        return next(step for step in self.chain if step.id == step_id)

    def slot(self, slot_id: str, facts: Facts | None = None) -> Evidence | None:
        """The slot of this id. Of a piece its own title is known from the facts only; without them, that of all pieces."""
        if facts is not None and (
            found := next((one for one in self.slots(facts) if one.id == slot_id), None)
        ):
            return found
        base = base_id(slot_id)
        item = next((item for item in self.evidence if item.id == base), None)
        return item if item is None or (base != slot_id) == (item.each is not None) else None

    def closed_by(self, policy: Policy) -> Article | None:
        """Why it is not offered, None where the policy says nothing of it."""
        key = f"{self.id}.offered"
        return policy.source(key) if key in policy.values else None

    def offered(self, policy: Policy) -> bool:
        """Whether this procedure is open under a policy. A pack that says nothing of it does not offer it."""
        key = f"{self.id}.offered"
        return key in policy.values and bool(policy.value(key))

    def refusals(self, facts: Facts, *moments: When) -> tuple[Refusal, ...]:
        """Everything that stops the case now, of the given moments (all when none is given), in order of the rules."""
        found = (rule.refuse(facts) for rule in self.every_rule if not moments or rule.at in moments)
        return tuple(refusal for refusal in found if refusal)
