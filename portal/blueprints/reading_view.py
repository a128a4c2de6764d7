"""What pages show of the reading: a row a changed column, a row a paper, corrections in the history.

What never belongs here: a query about who may see it, a change, a comparison (cases.readings).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portal.blueprints import casefile, desk_view, identity_view
from portal.blueprints.casefile import Change, TimelineItem
from portal.blueprints.desk_view import MarkedChange, Piece
from portal.blueprints.reading_places import Frame, frame
from portal.cases import clock, page_readings, paper_advice, paper_readings, read_papers, readings
from portal.cases.paper_readings import Fact, Kind, PaperReading
from portal.cases.readings import FieldReading
from portal.models import Case, ReadingCorrection
from portal.standards import id_number
from portal.standards.columns import BY_KEY
from portal.workflows import workflow
from portal.workflows.facts import Facts

MOST_BEATS = 60  # an open page asks every three seconds for three minutes, then the person reloads it


@dataclass(frozen=True)
class FieldRow:
    """One changed column: register, form, and what the papers say. `mark` is "" where there is nothing to compare, `on_paper`
    false for what no paper shows, `typed` a correction that was refused."""

    change: MarkedChange
    column: str
    read: tuple[Piece, ...]
    remark: str
    mark: str
    note: str
    frame: Frame | None
    paper: str
    corrected: str
    on_paper: bool = True
    typed: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Fault:
    """A correction that was refused: for which column, what was typed, why."""

    column: str = ""
    typed: str = ""
    text: str = ""


def desk(
    case: Case,
    facts: Facts,
    changes: Sequence[Change],
    *,
    revealed: bool,
    may_correct: bool,
    fault: Fault | None = None,
    beat: int = 0,
) -> dict[str, Any]:
    """The context of review/_comparison.html beyond the case itself."""
    compared = paper_advice.compare(case, facts)
    progress = page_readings.progress(case)
    return {
        "rows": _rows(case, facts, changes, compared.papers, revealed, fault or Fault()),
        "papers_read": _papers(case, compared.papers),
        **identity_view.desk(case, facts, compared, revealed=revealed),
        "frame_of": frame,
        "facts_of": facts_of,
        "reading": progress,
        "reading_beat": beat,
        "reading_polls": progress.running and not revealed and beat < MOST_BEATS,
        "may_correct": may_correct and not progress.running,
    }


def _rows(
    case: Case,
    facts: Facts,
    changes: Sequence[Change],
    papers: Sequence[readings.Paper],
    revealed: bool,
    fault: Fault,
) -> list[FieldRow]:
    """A row a changed column; where no paper can show any of them, the name before them."""
    if changes and not any(read_papers.on_paper(one.column) for one in changes):
        name = facts.pupil[page_readings.WHOSE]
        changes = [Change(page_readings.WHOSE, BY_KEY[page_readings.WHOSE].title, name, name), *changes]
    pairs = {
        one.column: (readings.stored(one.column, one.old), readings.stored(one.column, one.new))
        for one in changes
        if read_papers.on_paper(one.column)
    }
    machine = readings.compare(pairs, papers)
    persons = read_papers.standing_corrections(case)
    titles = {paper.slot: paper.title for paper in papers}
    marked = desk_view.marked(changes, revealed=revealed)
    return [
        _row(change, one, machine.get(change.column), persons.get(change.column), titles, revealed, fault)
        for change, one in zip(changes, marked, strict=True)
    ]


def _row(
    change: Change,
    marked: MarkedChange,
    machine: FieldReading | None,
    person: ReadingCorrection | None,
    titles: dict[str, str],
    revealed: bool,
    fault: Fault,
) -> FieldRow:
    column, new = change.column, readings.stored(change.column, change.new)
    value = person.value if person else machine.value if machine else ""
    mark = readings.judge(column, value, new) if person else machine.mark if machine else ""
    mine = fault if fault.column == column else Fault()
    return FieldRow(
        change=marked,
        column=column,
        read=_shown(column, new, value, revealed),
        remark=desk_view.count(new, value) if marked.is_number and mark == "mismatch" else "",
        mark=mark,
        note=machine.note if machine and not person else "",
        frame=frame(machine.place) if machine and machine.place else None,
        paper=titles.get(machine.slot, "") if machine and machine.place else "",
        corrected=_by(person, revealed) if person else "",
        on_paper=read_papers.on_paper(column),
        typed=mine.typed,
        fault=mine.text,
    )


def _shown(column: str, new: str, value: str, revealed: bool) -> tuple[Piece, ...]:
    """A read value as a person reads it, masked like the others; where it is not, what differs is marked."""
    text = BY_KEY[column].shown(value)
    if not text:
        return ()
    if BY_KEY[column].private and not revealed:
        return (Piece(id_number.masked(text), False),)
    return desk_view.differences(BY_KEY[column].shown(new), text)[1]


def _by(person: ReadingCorrection, revealed: bool) -> str:
    at = clock.local(person.at).strftime("%m-%d %H:%M")
    return f"{person.account.name} {at} 更正；机器识读为“{_plain(person.field, person.read, revealed)}”"


def _plain(column: str, value: str, revealed: bool = False) -> str:
    text = BY_KEY[column].shown(value)
    if BY_KEY[column].private and not revealed:
        text = id_number.masked(text)
    return text or "未识别"


def _papers(case: Case, papers: Sequence[readings.Paper]) -> list[PaperReading]:
    """One row for every paper that is there: which kind it is, by whom, when, under which number."""
    kinds = [Kind(slot.id, slot.titles, slot.issuers) for slot in workflow(case.workflow).evidence]
    return [paper_readings.describe(paper, kinds) for paper in papers if paper.pages]


def facts_of(paper: PaperReading) -> list[tuple[str, Fact]]:
    """A paper's things with the words of their columns."""
    return [("种类", paper.kind), ("出具单位", paper.issuer), ("日期", paper.day), ("文号", paper.number)]


def history(case: Case) -> list[TimelineItem]:
    """Everything that happened, with the corrections of readings, newest first."""
    events = zip([event.at for event in reversed(case.events)], casefile.timeline(case), strict=True)
    read = ((one.at, _correction_item(one)) for one in read_papers.corrections(case))
    return [item for _, item in sorted([*events, *read], key=lambda one: one[0], reverse=True)]


def _correction_item(one: ReadingCorrection) -> TimelineItem:
    title = BY_KEY[one.field].title
    return TimelineItem(
        at=clock.local(one.at).strftime("%Y-%m-%d %H:%M"),
        who=one.account.name,
        office=one.account.office.name,
        title=f"更正识读：{title}",
        note=f"机器识读为“{_plain(one.field, one.read)}”，材料上是“{_plain(one.field, one.value)}”",
        tone="info",
    )


def school(case: Case, facts: Facts, *, revealed: bool = False, beat: int = 0) -> dict[str, Any]:
    """The context of cases/_advice.html and cases/_reading.html: what the papers say, before the case is sent."""
    compared = paper_advice.compare(case, facts)
    rows = _rows(case, facts, casefile.changes(facts), compared.papers, revealed, Fault())
    shown = [row for row in rows if row.on_paper and row.change.title] if facts.evidence else []
    return {
        "read_rows": shown if workflow(case.workflow).changes(facts) and not _only_whose(shown) else [],
        **identity_view.school(case, facts, compared, revealed=revealed),
        **papers(case, beat),
    }


def _only_whose(rows: Sequence[FieldRow]) -> bool:
    """Whether nothing that changes can stand on a paper, so that only the name is compared, as it is above."""
    return all(row.change.old == row.change.new for row in rows)


def papers(case: Case, beat: int = 0) -> dict[str, Any]:
    """The context of cases/_reading.html beyond the case itself."""
    return {
        "reading": page_readings.progress(case),
        "reading_beat": beat,
        "reading_polls": beat < MOST_BEATS,
    }
