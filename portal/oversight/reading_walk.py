"""What was read on papers held against the audit chain: a paper is taken for the pupil's by what the machine or a reviewer read."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases import digests
from portal.models import AuditRecord, Case, EvidencePage, PageReading, ReadingCorrection
from portal.oversight.batches import batches
from portal.oversight.findings import Findings

ROWS = 500
RECORDS = AuditRecord.__table__


def walk_readings(session: Session, findings: Findings) -> None:
    """What the machine read on each page, then what reviewers read otherwise. Records of the time before they held a digest
    say nothing of it."""
    pages, readings = EvidencePage.__table__, PageReading.__table__
    query = (
        select(pages.c.id, pages.c.file_id, pages.c.page, readings.c.lines)
        .join(readings, readings.c.page_id == pages.c.id)
        .where(readings.c.status == "done")
    )
    for rows in batches(session, query, pages.c.id, ROWS):
        _machine(session, findings, rows)
        findings.went_on(len(rows), "识读的页")
    _people(session, findings)


def _machine(session: Session, findings: Findings, rows: Sequence[Any]) -> None:
    last = {
        (one.object_id, one.body.get("page")): one
        for one in _records(session, "evidence", "evidence.read", {str(row.file_id) for row in rows})
    }
    for row in rows:
        record = last.get((str(row.file_id), row.page))
        if record is None:
            findings.fault(
                f"材料 {row.file_id} 第 {row.page} 页：识读的内容在审计链中没有记录，不是由本系统写入的"
            )
        elif (content := record.body.get("lines")) and content != digests.of_lines(
            row.id, row.lines, record.key_id
        ):
            findings.fault(f"材料 {row.file_id} 第 {row.page} 页：识读的内容与记录 {record.seq} 不符，被改动")


def _people(session: Session, findings: Findings) -> None:
    """By cases: as many readings as the chain tells of, and each as it was noted."""
    table = ReadingCorrection.__table__
    told = select(RECORDS.c.object_id).where(RECORDS.c.action == "reading.corrected")
    cases = {uuid.UUID(one) for one in session.scalars(told)} | set(session.scalars(select(table.c.case_id)))
    ordered = sorted(cases, key=str)
    for start in range(0, len(ordered), ROWS):
        chosen = ordered[start : start + ROWS]
        named = session.execute(select(Case.id, Case.number).where(Case.id.in_(chosen)))
        numbers = {row.id: row.number for row in named}
        rows, records = defaultdict(list), defaultdict(list)
        for row in session.execute(select(table).where(table.c.case_id.in_(chosen))):
            rows[row.case_id].append(row)
        for one in _records(session, "case", "reading.corrected", {str(case) for case in chosen}):
            records[uuid.UUID(one.object_id)].append(one)
        for case in chosen:
            if not _agree(rows[case], records[case]):
                findings.fault(
                    f"业务 {numbers.get(case, case)}：审核人更正的识读与审计链不符，被改动、删除或添加"
                )
        findings.went_on(len(chosen), "更正的识读")


def _agree(rows: Sequence[Any], records: Sequence[Any]) -> bool:
    if len(rows) != len(records):
        return False
    wanted = [(one.key_id, content) for one in records if (content := one.body.get("content"))]
    return all(any(digests.of_correction(row, key) == content for row in rows) for key, content in wanted)


def _records(session: Session, kind: str, action: str, ids: set[str]) -> Iterator[Any]:
    query = select(RECORDS).where(
        RECORDS.c.object_kind == kind, RECORDS.c.object_id.in_(ids), RECORDS.c.action == action
    )
    yield from session.execute(query.order_by(RECORDS.c.seq))
