"""The words in which a procedure is written. All values are frozen; conditions are plain functions of Facts.

What never belongs here: a procedure's own names, Flask, SQL, who is signed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Literal

from portal.forms import AnswersForm
from portal.policies import Article, Policy
from portal.standards import enrolment
from portal.standards.columns import BY_KEY


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

    @property
    def has_county(self) -> bool:
        """Whether a county supervises it; a school run by the state skips that step."""
        return Office.COUNTY in self.supervisors


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
        return policy.source(self.article) if self.article in policy.values else policy.article(self.article)


@dataclass(frozen=True)
class Refusal:
    """Why a case cannot go on, as a person reads it; `field` is an answer's or a slot's name, "" for the whole case."""

    rule: str
    text: str
    remedy: str
    article: Article
    field: str = ""


@dataclass(frozen=True)
class Evidence:
    """A slot for papers. `when` decides whether it is shown, `required` whether the case stops without it."""

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
    shows_new: bool = True  # False: it holds the old values by nature, e.g. of a cancelled registration


@dataclass(frozen=True)
class Page:
    """One page of questions."""

    id: str
    title: str
    fields: tuple[str, ...]
    intro: str = ""


@dataclass(frozen=True)
class Step:
    """A place in the chain: who looks, and whether this case goes there at all."""

    id: str
    title: str
    office: Office
    role: str
    when: Condition = always


@dataclass(frozen=True)
class Printout:
    """A paper that can be printed: its blank in portal/printouts and the values of the blank's «names»."""

    id: str
    title: str
    blank: str
    names: Callable[[Facts], Mapping[str, str]]
    rows: Callable[[Facts], Mapping[str, tuple[Mapping[str, str], ...]]] | None = None


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
        return tuple(item for item in self.evidence if item.when(facts))

    def steps(self, facts: Facts) -> tuple[Step, ...]:
        """The chain as it runs for these facts."""
        return tuple(step for step in self.chain if step.when(facts))

    def step(self, step_id: str) -> Step:
        return next(step for step in self.chain if step.id == step_id)

    def slot(self, slot_id: str) -> Evidence | None:
        return next((item for item in self.evidence if item.id == slot_id), None)

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
