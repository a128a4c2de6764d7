"""What was read on the papers of a case, and what reviewers read otherwise, for whoever compares. Nothing is written here.

What never belongs here: who may act (cases.actions compares papers too), a comparison.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from portal.cases.read_text import ReadPage, TextLine
from portal.cases.readings import Paper
from portal.extensions import db
from portal.models import Case, EvidenceFile, EvidencePage, PageReading, ReadingCorrection
from portal.standards import enrolment
from portal.standards.columns import BY_KEY, DECIDED
from portal.workflows import workflow
from portal.workflows.facts import Facts


def standing_files(case: Case) -> tuple[Any, ...]:
    """The conditions for the files that stand in a case."""
    return (
        EvidenceFile.case_id == case.id,
        EvidenceFile.status == "committed",
        EvidenceFile.removed_at.is_(None),
    )


def papers_of(case: Case, facts: Facts) -> list[Paper]:
    """The slots that the answers call for, with what was read in them."""
    query = (
        select(EvidenceFile.slot, EvidencePage, PageReading)
        .join(EvidencePage, EvidencePage.file_id == EvidenceFile.id)
        .join(PageReading, PageReading.page_id == EvidencePage.id)
        .where(*standing_files(case), PageReading.status == "done")
        .order_by(EvidenceFile.uploaded_at, EvidenceFile.id, EvidencePage.page)
    )
    pages: dict[str, list[ReadPage]] = {}
    for slot, page, row in db.session.execute(query):
        pages.setdefault(slot, []).append(_page(page, row))
    return [
        Paper(slot.id, slot.title, tuple(pages.get(slot.id, ())), slot.shows_new, slot.names, slot.of)
        for slot in workflow(case.workflow).slots(facts)
    ]


def _page(page: EvidencePage, row: PageReading) -> ReadPage:
    lines = tuple(
        TextLine(
            str(line["text"]),
            ((*line["box"][0],), (*line["box"][1],), (*line["box"][2],), (*line["box"][3],)),
        )
        for line in row.lines
    )
    ratio = page.height / page.width if page.width and page.height else 1.414
    return ReadPage(str(page.file_id), page.page, lines, ratio)


def on_paper(column: str) -> bool:
    """Whether papers show a column. What a decision makes of a record (its status, the kind of change) they do not: a word
    of theirs that sounds alike proves nothing of this pupil."""
    return column != enrolment.STATUS and BY_KEY[column] not in DECIDED


def corrections(case: Case) -> list[ReadingCorrection]:
    """Every correction of a case, newest first."""
    query = select(ReadingCorrection).where(ReadingCorrection.case_id == case.id)
    return list(db.session.scalars(query.order_by(ReadingCorrection.at.desc(), ReadingCorrection.id.desc())))


def standing_corrections(case: Case) -> dict[str, ReadingCorrection]:
    """column -> the newest correction, as long as no paper has come since: a new paper is read anew."""
    newest = db.session.scalar(select(func.max(EvidenceFile.uploaded_at)).where(*standing_files(case)))
    found: dict[str, ReadingCorrection] = {}
    for one in corrections(case):
        if newest is None or one.at > newest:
            found.setdefault(one.field, one)
    return found
