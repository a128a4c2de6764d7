"""The store held against the rows that name it, and both against the audit chain.

Every sealed object is read and hashed, by its version; what lies in the store and belongs to no row is named; what the chain
says was received, or a decision names as seen, must be what the rows say. A batch at a time, so memory does not grow.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from portal.cases import digests
from portal.cases.evidence_rows import sealed_original, sealed_picture
from portal.extensions import db, reading_only
from portal.models import (
    AuditRecord,
    Case,
    Decision,
    EvidenceFile,
    StampedBatch,
    StampedPage,
    StoredFile,
)
from portal.oversight import stored_walk
from portal.oversight.findings import Findings
from portal.oversight.stored_walk import BATCH, batches
from storage.objects import Missing, ObjectStore, Sealed, Tampered

PICTURES = {"view": "显示图", "thumb": "缩略图", "plain": "原样图"}


@dataclass(frozen=True)
class Stored:
    """One object that a row names, and what to call it."""

    sealed: Sealed
    name: str


def walk(store: ObjectStore, findings: Findings) -> Findings:
    """Raises StoreUnavailable: a store that is away is no finding about what it holds."""
    for things in _everything(findings):
        for one in things:
            _read(store, one, findings)
        findings.went_on(len(things), "存储中的文件")
    _received(findings)
    _seen(findings)
    stored_walk.ownership(findings)
    stored_walk.orphans(store, findings)
    return findings


def _read(store: ObjectStore, one: Stored, findings: Findings) -> None:
    try:
        with store.open(one.sealed):
            pass
    except Missing:
        findings.fault(f"{one.name}：存储中没有这个版本（{one.sealed.key}），被删除")
    except Tampered:
        findings.fault(f"{one.name}：存储中的内容与登记的指纹不符（{one.sealed.key}），被改动或调换")


def _everything(findings: Findings) -> Iterator[list[Stored]]:
    for files in batches(_files(), EvidenceFile):
        _against_the_chain(files, findings)
        yield [one for file in files for one in _of_file(file)]
    arrived = select(StampedBatch).where(StampedBatch.status.in_(("sorting", "sorted")))
    for found in batches(arrived, StampedBatch):
        yield [Stored(sealed_original(one), f"盖章表扫描 {one.id}") for one in found]
    for pages in batches(select(StampedPage), StampedPage):
        yield [
            Stored(sealed_picture(stored), f"盖章表扫描 {page.batch_id} 第 {page.page} 页")
            for page in pages
            for stored in (page.view, page.thumb)
            if stored
        ]
    kept = select(StoredFile).where(StoredFile.status == "kept", StoredFile.kind.in_(stored_walk.READ_HERE))
    for files in batches(kept, StoredFile):
        yield [Stored(stored_walk.sealed(one), f"{stored_walk.KINDS[one.kind]} {one.id}") for one in files]


def _files() -> Any:
    committed = select(EvidenceFile).where(EvidenceFile.status == "committed")
    return committed.options(selectinload(EvidenceFile.pages))


def _of_file(file: EvidenceFile) -> Iterator[Stored]:
    yield Stored(sealed_original(file), f"材料 {file.id} 的原件")
    for page in file.pages:
        for which, title in PICTURES.items():
            if stored := getattr(page, which):
                yield Stored(sealed_picture(stored), f"材料 {file.id} 第 {page.page} 页的{title}")


def _against_the_chain(files: Sequence[EvidenceFile], findings: Findings) -> None:
    """A committed file is what the chain says was received, and stands in its case or not as the chain says; so are the
    pictures that were made of it."""
    told = _told_of(files)
    for file in files:
        records = told[str(file.id)]
        record = records.get("evidence.received")
        if record is None:
            findings.fault(f"材料 {file.id}：审计链中没有收到它的记录，不是由本系统写入的")
            continue
        if record.body.get("sha256") != file.sha256 or record.body.get("case") != file.case_id.hex:
            findings.fault(f"材料 {file.id}：原件与记录 {record.seq} 收到时不符，登记被改动")
        pictures = record.body.get("renditions")
        if pictures and digests.of_renditions(file.id, file.pages, record.key_id) != pictures:
            findings.fault(f"材料 {file.id}：显示的图片与记录 {record.seq} 收到时不符，图片连同登记被换")
        for text in _standing(file, records):
            findings.fault(f"材料 {file.id}：{text}")


def _told_of(files: Sequence[EvidenceFile]) -> Mapping[str, dict[str, Any]]:
    """{file: {action: its last record}} of what the chain says became of files."""
    table = AuditRecord.__table__
    query = select(table).where(
        table.c.object_kind == "evidence",
        table.c.object_id.in_([str(file.id) for file in files]),
        table.c.action.in_(("evidence.received", "evidence.removed", "evidence.overridden")),
    )
    told: dict[str, dict[str, Any]] = defaultdict(dict)
    with reading_only(), Session(db.engine) as session:
        for one in session.execute(query.order_by(table.c.seq)):
            told[one.object_id][one.action] = one
    return told


def _standing(file: EvidenceFile, records: Mapping[str, Any]) -> Iterator[str]:
    """Whether a file was taken out of its case, judged and gone on with by a reason as the chain says."""
    removed, reason = records.get("evidence.removed"), records.get("evidence.overridden")
    if (file.removed_at is not None) != (removed is not None):
        yield (
            f"记录 {removed.seq} 写明已移除，现在仍在业务中，被改动"
            if removed
            else "已从业务中移除，而审计链中没有移除的记录，被改动"
        )
    if file.verdict not in {
        one.body.get("verdict", file.verdict) for one in records.values() if one is not removed
    }:
        yield "图片检查的结果与收到时的记录不符，被改动"
    if bool(file.override_reason) != (reason is not None) or (
        reason
        and (content := reason.body.get("reason"))
        and digests.of_reason(file, reason.key_id) != content
    ):
        yield "图片存疑仍使用的原因与审计链不符，被改动"


def _received(findings: Findings) -> None:
    """What was received has a row."""
    table, seq = AuditRecord.__table__, 0
    while True:
        query = select(table.c.seq, table.c.object_id).where(
            table.c.action == "evidence.received", table.c.seq > seq
        )
        with reading_only(), Session(db.engine) as session:
            rows = session.execute(query.order_by(table.c.seq).limit(BATCH)).all()
            named = {uuid.UUID(row.object_id): row.seq for row in rows}
            committed = select(EvidenceFile.id).where(
                EvidenceFile.id.in_(named), EvidenceFile.status == "committed"
            )
            there = set(session.scalars(committed))
        if not rows:
            return
        for gone in sorted(named.keys() - there, key=str):
            findings.fault(f"材料 {gone}：记录 {named[gone]} 写明收到过，现在没有这份登记，被删除或改动")
        seq = rows[-1].seq


def _seen(findings: Findings) -> None:
    """A decision names files and pictures that are still the ones of the case."""
    query = select(Decision)
    for decisions in batches(query, Decision):
        entries = [(one, entry) for one in decisions for entry in one.seen if isinstance(entry, dict)]
        wanted = {uuid.UUID(entry["file"]) for _, entry in entries}
        with reading_only(), Session(db.engine, expire_on_commit=False) as session:
            files = _by_id(session, wanted)
            owners = select(Case.id, Case.number).where(Case.id.in_({one.case_id for one in decisions}))
            numbers = {row.id: row.number for row in session.execute(owners)}
        for decision, entry in entries:
            if not _matches(entry, files.get(uuid.UUID(entry["file"]))):
                number = numbers.get(decision.case_id, decision.case_id)
                findings.fault(
                    f"业务 {number}：第 {decision.round} 轮“{decision.step}”决定时所见的材料 {entry['file']} 已不是现在登记的这一份"
                )


def _by_id(session: Session, ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, EvidenceFile]:
    found: dict[uuid.UUID, EvidenceFile] = {}
    ordered = sorted(ids, key=str)
    for start in range(0, len(ordered), BATCH):
        query = _files().where(EvidenceFile.id.in_(ordered[start : start + BATCH]))
        found |= {file.id: file for file in session.scalars(query)}
    return found


def _matches(entry: Mapping[str, Any], file: EvidenceFile | None) -> bool:
    if file is None or file.sha256 != entry["original"]:
        return False
    now = [stored["sha256"] for page in file.pages for stored in (page.view, page.plain) if stored]
    return sorted(now) == sorted(entry["views"])
