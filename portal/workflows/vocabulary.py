"""The words in which a procedure is written. All values are frozen; conditions are plain functions of Facts.

What never belongs here: a procedure's own names, Flask, SQL, who is signed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from portal.forms import AnswersForm
from portal.policies import Article, Policy, source
from portal.standards import enrolment
from portal.standards.columns import BY_KEY
from portal.workflows.facts import Facts, Office
from portal.workflows.roster import Roster

NOT_NEEDED = "按规定无需本级审批。"  # in the box of an office that a case does not go to

Condition = Callable[[Facts], bool]


def always(_facts: Facts) -> bool:
    """The condition of what holds in every case."""
    return True


def never(_facts: Facts) -> bool:
    """The condition of what holds in no case."""
    return False


def alone(_facts: Facts) -> tuple[str, ...]:
    """Of a paper that no other can stand in for."""
    return ()


When = Literal["start", "answers", "evidence"]
Names = Literal["pupil", "household", "guardian", "nobody"]


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
    cites: Callable[[Facts], str] | None = None  # where the clause depends on what was answered

    def __post_init__(self) -> None:
        if not (self.id and self.article):
            raise ValueError(f"rule {self.id!r} needs an id and an article")

    def refuse(self, facts: Facts) -> Refusal | None:
        """The refusal where this rule stops the case, else None."""
        if not self.stops(facts):
            return None
        text = self.text if isinstance(self.text, str) else self.text(facts)
        article = source(facts.policy, self.cites(facts)) if self.cites else self.article_in(facts.policy)
        return Refusal(self.id, text, self.remedy, article, self.field)

    def article_in(self, policy: Policy) -> Article:
        return source(policy, self.article)


@dataclass(frozen=True)
class Refusal:
    """Why a case cannot go on, as a person reads it; `field` is an answer's or a slot's name, "" for the whole case."""

    rule: str
    text: str
    remedy: str
    article: Article
    field: str = ""


@dataclass(frozen=True)
class Piece:
    """One of the papers that a slot asks for one by one: `key` tells it from the others (letters and digits only). `of` says
    whose it is where the case is about many: the values, {column: stored text}, that may rightly stand on it."""

    key: str
    title: str
    issuer: str = ""
    of: tuple[Mapping[str, str], ...] = ()


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
    names: Names = (
        "pupil"  # whom it names by nature: the pupil, among others of a household, a guardian, nobody
    )
    of: tuple[Mapping[str, str], ...] = ()  # of a piece: see Piece.of
    # The ids of the slots of which one is enough, its own among them; () where it stands for itself.
    one_of: Callable[[Facts], tuple[str, ...]] = alone

    def still_one_of(self, facts: Facts) -> tuple[str, ...]:
        """The slots of which one is enough, while there is none; else ()."""
        group = self.one_of(facts)
        return () if any(facts.in_slot(slot) for slot in group) else group

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
                of=piece.of,
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
    steers: tuple[
        str, ...
    ] = ()  # the fields by whose answers the others of this page are asked, or offer what they offer


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
    seal: Literal["page", "copy", "none"] = (
        "page"  # whether each page bears one, a copy of all pages, or nobody stamps it
    )
    # Names that came onto the blank later: while empty they do not count, so that what was printed before stays true.
    later: frozenset[str] = frozenset()


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
    asked_by: Callable[[Facts], str] = lambda facts: (
        ""
    )  # the name of the guardian who asks, "" where none is told

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
