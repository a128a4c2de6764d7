"""The papers of a case held against the person whom it is about, and the words that a paper of somebody else asks for.

The same for every procedure: its slots say by a word whom their papers name by nature. What was not read stops nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from portal.cases import register, whose
from portal.cases.read_papers import papers_of, standing_corrections, standing_files
from portal.cases.readings import Paper
from portal.cases.refusing import Refused
from portal.cases.whose import Correction, Named, Person
from portal.extensions import db
from portal.models import Case, CaseEvent, EvidenceFile
from portal.standards.words import letters_in
from portal.workflows import workflow
from portal.workflows.facts import Facts

WORDS = "papers_words"  # the field in which they are typed, and the key under which the event keeps them
LEAST, MOST = 4, 500
FORMER = "former_name"


def named(case: Case, facts: Facts, papers: Iterable[Paper]) -> list[Named]:
    """Whom each of these papers names that is there, in their order."""
    papers = [one for one in papers if one.names != "nobody" and facts.in_slot(one.slot)]
    if not papers:
        return []
    person = person_of(case, facts)
    told = [
        Correction(column, one.read, one.value)
        for column, one in standing_corrections(case).items()
        if column in whose.COLUMNS
    ]
    found = [whose.judge(one, _of_piece(one, facts) or person, told) for one in papers]
    for correction in told:
        if not correction.read and correction.column in whose.DECISIVE:
            found = _put_in(found, correction)
    return found


def person_of(case: Case, facts: Facts) -> Person:
    """The pupil as the register has them, with the values asked for and, once it is decided, those from before."""
    also: dict[str, list[str]] = defaultdict(list)
    for column, new in workflow(case.workflow).changes(facts).items():
        also[column].append(new)
    for change in register.changes_of(case):
        also[change.column] += [change.before or "", change.after or ""]
    also["name"].append(facts.pupil[FORMER])
    values = {column: tuple(one for one in also[column] if one) for column in whose.COLUMNS}
    return Person({column: facts.pupil[column] for column in whose.COLUMNS}, values)


def _of_piece(paper: Paper, facts: Facts) -> Person | None:
    """The one person of many whom a piece is about."""
    roster = workflow(facts.workflow).roster
    if not paper.of or roster is None:
        return None
    first, *others = paper.of
    also = {column: tuple(one[column] for one in others if one.get(column)) for column in whose.COLUMNS}
    return Person(dict(first), also, roster.titles[roster.person], first.get(roster.person, ""))


def _put_in(papers: Sequence[Named], correction: Correction) -> list[Named]:
    """The papers with a person's reading on the first on which the machine had read nothing there."""
    at = next(
        (n for n, one in enumerate(papers) if one.cells[correction.column].mark in ("unread", "doubtful")),
        None,
    )
    return [whose.put_in(one, correction) if n == at else one for n, one in enumerate(papers)]


def others(case: Case, facts: Facts) -> list[Named]:
    """The papers that name somebody else and should not."""
    return [one for one in named(case, facts, papers_of(case, facts)) if one.stops]


def refuse_unsaid(case: Case, facts: Facts, words: str) -> None:
    """An approval over somebody else's papers says in words why it is right. Raises Refused."""
    if letters_in(words) >= LEAST:
        return
    if strangers := others(case, facts):
        titles = "、".join(f"“{one.title}”" for one in strangers)
        raise Refused(
            f"{titles}写的不是该生。确应同意的，请写明理由（至少 {LEAST} 个字）；拿错了材料的，请退回",
            field=WORDS,
        )


def fault_in_words(words: str) -> str:
    """Why these words cannot be kept, "" where they can."""
    if len(words) > MOST:
        return f"材料说明请不超过 {MOST} 个字"
    if any(ord(character) < 32 and character not in "\r\n\t" for character in words):
        return "材料说明中有不能使用的控制字符，请删去后重新提交"
    return ""


@dataclass(frozen=True)
class Saying:
    """What somebody said of the papers when they sent or approved the case."""

    verb: str
    step: str
    who: str
    office: str
    words: str


def sayings(case: Case) -> list[Saying]:
    """What the school said at its last submission and the offices since, oldest first."""
    query = select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.seq)
    events = list(db.session.scalars(query))
    last = max((n for n, one in enumerate(events) if one.verb == "submitted"), default=0)
    return [
        Saying(one.verb, one.step, one.actor.name, one.office.name, str(one.data[WORDS]))
        for one in events[last:]
        if one.data.get(WORDS)
    ]


def said_by_school(case: Case) -> str:
    """The school's own words at its last submission, to be said again or changed; none of papers that have come since."""
    query = select(CaseEvent).where(CaseEvent.case_id == case.id, CaseEvent.verb == "submitted")
    last = db.session.scalars(query.order_by(CaseEvent.seq.desc()).limit(1)).first()
    newest = db.session.scalar(select(func.max(EvidenceFile.uploaded_at)).where(*standing_files(case)))
    if last is None or (newest is not None and newest > last.at):
        return ""
    return str(last.data.get(WORDS, ""))
