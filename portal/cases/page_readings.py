"""What is remembered of reading: pages that wait, lines that were read, and what a reviewer read otherwise.

A page's row is made with the page, in its transaction; the reading itself is a task. Nothing that was not read can stop a case.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from flask import current_app
from sqlalchemy import func, select, update

from portal import audit, tasks
from portal.cases import digests, readings
from portal.cases.access import Actor
from portal.cases.actions import available
from portal.cases.read_papers import on_paper, papers_of, standing_files
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Case, EvidenceFile, EvidencePage, PageReading, ReadingCorrection, Status
from portal.models.types import utcnow
from portal.settings import Settings
from portal.standards import id_number
from portal.standards.columns import BY_KEY
from portal.workflows import workflow
from portal.workflows.facts import Facts
from storage import reading
from storage.objects import Missing, Sealed

WHOSE = "name"  # where no change can stand on a paper, papers are at least this pupil's
READ_TASK = "evidence.read"
LONGEST = 200  # characters of a value that a person types


def wanted() -> bool:
    """Whether this installation reads papers at all (XUEJI_READING)."""
    settings: Settings = current_app.extensions["settings"]
    return settings.reading


def installed() -> bool:
    """Whether papers are read here and the engine is there."""
    return wanted() and reading.available()


def ask(page: EvidencePage) -> None:
    """Have a page's shown view read, in the running transaction; again when another view is shown now."""
    row = db.session.get(PageReading, page.id)
    if not wanted():
        if row is not None:
            db.session.delete(row)
        return
    if row is None:
        row = PageReading(page_id=page.id)
        db.session.add(row)
    row.status, row.lines, row.asked_at, row.read_at = "waiting", [], utcnow(), None
    tasks.enqueue(READ_TASK, page_id=str(page.id))


@tasks.task(READ_TASK)
def read_page(page_id: str) -> None:
    """Read one waiting page. No transaction is open meanwhile; an answer that a newer question overtook is dropped."""
    page = db.session.get(EvidencePage, uuid.UUID(page_id))
    row = page.reading if page else None
    if page is None or row is None or row.status != "waiting" or not reading.available():
        return
    file_id, number, asked_at, view = page.file_id, page.page, row.asked_at, _shown_view(page)
    db.session.rollback()
    try:
        values = _read(view)
    except (
        reading.NotWorking
    ):  # no word about this page: it waits until the engine works (a start, or the daily sweep)
        return
    done = db.session.execute(
        update(PageReading)
        .where(
            PageReading.page_id == uuid.UUID(page_id),
            PageReading.status == "waiting",
            PageReading.asked_at == asked_at,
        )
        .values(read_at=utcnow(), **values),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount == 1:  # type: ignore[attr-defined]
        result = "ok" if values["status"] == "done" else "failed"
        lines = digests.of_lines(uuid.UUID(page_id), values["lines"])
        audit.append("evidence.read", "evidence", file_id, result=result, page=number, lines=lines)
    db.session.commit()


def _shown_view(page: EvidencePage) -> dict[str, Any]:
    return page.plain if page.shown == "plain" and page.plain else page.view


def _read(view: dict[str, Any]) -> dict[str, Any]:
    """The columns of a reading of one sealed picture."""
    try:
        found = reading.read(tasks.store().read(Sealed(**view)) if view else b"")
    except reading.NotWorking:
        raise
    except (reading.ReadingError, Missing):
        return {"status": "failed", "lines": []}
    return {
        "status": "done",
        "engine": found.engine[:40],
        "lines": [asdict(line) for line in found.lines],
        "seconds": round(found.seconds, 3),
    }


@tasks.unfinished
def waiting_pages() -> Iterable[tuple[str, dict[str, str]]]:
    """Pages that a dead process left unread, or that came before the engine was installed."""
    if not installed():
        return []
    waiting = (
        select(PageReading.page_id).where(PageReading.status == "waiting").order_by(PageReading.asked_at)
    )
    return [(READ_TASK, {"page_id": str(one)}) for one in db.session.scalars(waiting)]


# --- what there is of a case ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """How far the reading of a case's standing pages has come, in pages."""

    waiting: int
    done: int
    failed: int
    installed: bool

    @property
    def running(self) -> bool:
        return self.installed and self.waiting > 0


def progress(case: Case) -> Progress:
    query = (
        select(PageReading.status, func.count())
        .join(EvidencePage, EvidencePage.id == PageReading.page_id)
        .join(EvidenceFile, EvidenceFile.id == EvidencePage.file_id)
        .where(*standing_files(case))
        .group_by(PageReading.status)
    )
    counted: dict[str, int] = {row[0]: row[1] for row in db.session.execute(query)}
    return Progress(counted.get("waiting", 0), counted.get("done", 0), counted.get("failed", 0), installed())


# --- a person's reading ---------------------------------------------------------------------------------------------


def may_correct(case: Case, actor: Actor) -> bool:
    """Whoever may decide the case now may say what a paper reads."""
    return case.status == Status.IN_REVIEW and "approve" in available(case, actor)


def correct(case: Case, actor: Actor, facts: Facts, column: str, text: str) -> ReadingCorrection:
    """Note what a reviewer reads on the papers for a changed column. Raises Refused with what is wrong with the value."""
    if not may_correct(case, actor):
        raise Refused("这件业务现在不由您办理，不能更正识读", conflict=True)
    changes = workflow(case.workflow).changes(facts)
    if column == WHOSE and not any(map(on_paper, changes)):
        changes = {WHOSE: facts.pupil[WHOSE]}
    if column not in changes or not on_paper(column):
        raise Refused("这件业务没有变更这一项，请刷新页面")
    value = readings.stored(column, text)
    fault = _fault(column, text, value)
    if fault:
        raise Refused(f"{BY_KEY[column].title}：{fault}")
    pair = {column: (facts.pupil[column], changes[column])}
    machine = readings.compare(pair, papers_of(case, facts))[column]
    row = ReadingCorrection(
        case_id=case.id, field=column, read=machine.value, value=value, account_id=actor.id
    )
    db.session.add(row)
    db.session.flush()
    audit.append("reading.corrected", "case", case.id, field=column, content=digests.of_correction(row))
    return row


def _fault(column: str, text: str, value: str) -> str:
    """Why a typed value cannot be a reading of this column, or ""."""
    if not text.strip():
        return "请写出材料上的内容"
    if len(text) > LONGEST or any(ord(character) < 32 for character in text):
        return f"请写一行，不超过 {LONGEST} 个字"
    kind = BY_KEY[column].kind
    if kind == "id_number" and not id_number.is_shaped(value):
        return "身份证号应为 18 位，请对照材料逐位填写"
    if kind == "date" and readings.day_of(value) is None:
        return "日期格式应为 2012-09-01"
    if column == "sex" and value not in ("1", "2"):
        return "请填写“男”或“女”"
    return ""
