"""The audit chain held against everything that it says was done: cases with their events, decisions and register changes,
rows with their digests, versions of plans and standards, accounts and offices.

One pass by cases and one by tables, each in batches: memory does not grow with the installation. It reads one snapshot, so
that acts going on meanwhile are no faults.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal import audit
from portal.audit import Anchor
from portal.cases import digests
from portal.extensions import db, reading_only
from portal.models import (
    Account,
    AdmittedList,
    AuditHead,
    AuditRecord,
    IntakePlan,
    LocalConditionSet,
    Office,
    Pupil,
    RegisterChange,
    ThresholdSet,
    keyed_rows,
)
from portal.oversight.case_walk import walk_cases
from portal.oversight.findings import Findings
from portal.oversight.reading_walk import walk_readings
from portal.oversight.stamped_walk import walk_stamped

ROWS = 2000
NAMES = {
    "accounts": "账号",
    "evidence_files": "材料",
    "evidence_pages": "材料的一页",
    "offices": "单位",
    "pupils": "学生",
    "stamped_batches": "盖章表扫描",
    "stamped_pages": "盖章表的一页",
    "walks": "核查结果",
}
# Versions that are written once: {action of the record: (model, what it is called)}.
VERSIONS: dict[str, tuple[Any, str]] = {
    "thresholds.changed": (ThresholdSet, "图片检查标准"),
    "local_conditions.changed": (LocalConditionSet, "本地条件"),
    "intake.plan_set": (IntakePlan, "招生计划"),
    "intake.list_set": (AdmittedList, "录取名单"),
}
# What has a last word: {kind: (model, actions that say how it stands, digest, what it is called)}.
LAST: dict[str, tuple[Any, tuple[str, ...], Callable[..., str], str]] = {
    "account": (
        Account,
        ("account.created", "account.changed", "account.opened", "account.closed"),
        digests.of_account,
        "账号",
    ),
    "office": (
        Office,
        ("office.created", "office.changed", "office.opened", "office.closed"),
        digests.of_office,
        "单位",
    ),
}


def walk(findings: Findings, *anchors: Anchor) -> Findings:
    """The chain first, then all that it covers."""
    verdict = audit.verify(*anchors)
    findings.went_on(verdict.records, "审计记录")
    if verdict.fault:
        findings.fault(f"审计链：前 {verdict.records} 条完好，之后：{verdict.fault}")
    if verdict.keyed_since > 1:
        findings.remarks.append(
            f"第 1 至 {verdict.keyed_since - 1} 条记录写在启用密钥之前：链由第 {verdict.keyed_since} 条封存，"
            "其中所说的内容没有摘要可对"
        )
    elif verdict.records and not verdict.keyed_since:
        findings.remarks.append("还没有用密钥封存的记录：内容没有摘要可对")
    with _snapshot() as session:
        walk_cases(session, findings)
        walk_readings(session, findings)
        walk_stamped(session, findings)
        _rows(session, findings, verdict.keyed_since)
        _register(session, findings)
        _versions(session, findings)
        for kind in LAST:
            _last_words(session, findings, kind)
    return findings


@contextmanager
def _snapshot() -> Iterator[Session]:
    """A session that sees one moment of the database; it writes nothing."""
    engine = db.engine
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with reading_only(), Session(engine) as session:
        yield session


def _rows(session: Session, findings: Findings, keyed_since: int) -> None:
    """Every row that carries a digest fits it; one without is a fault once all have one."""
    complete = _all_sealed(session, findings, keyed_since)
    for name in sorted(keyed_rows.COLUMNS):
        table = db.metadata.tables[name]
        sealed = unsealed = 0
        for rows in _batches(session, select(table), table.c.id):
            for row in rows:
                if row.row_digest:
                    sealed += 1
                    if not keyed_rows.fits(name, row._mapping):
                        findings.fault(f"{NAMES[name]} {row.id}：内容不是由本系统写入的，被改动")
                elif complete:
                    findings.fault(f"{NAMES[name]} {row.id}：没有封存，不是由本系统写入的")
                else:
                    unsealed += 1
            findings.went_on(len(rows), NAMES[name])
        if sealed and not keyed_since:
            findings.fault(
                f"{NAMES[name]}：{sealed} 行有密钥封存，而审计链没有一条用密钥封存的记录：记录被改写成未封存的样子"
            )
        if unsealed:
            findings.remarks.append(
                f"{NAMES[name]}：{unsealed} 行写在启用密钥之前，还没有封存。核对无误后请运行 flask audit seal"
            )


def _all_sealed(session: Session, findings: Findings, keyed_since: int) -> bool:
    """Whether every row must carry a digest; what the head says of it is held against the chain."""
    said = session.scalar(select(AuditHead.rows_sealed))
    recorded = session.scalar(
        select(func.count()).select_from(AuditRecord).where(AuditRecord.action == "audit.rows_sealed")
    )
    if recorded and not said:
        findings.fault(
            "审计链记着各行都已封存，链尾的登记却不是：被改动；降级后再升级的，请运行 flask audit seal"
        )
    return bool(said or recorded or keyed_since == 1)


def _register(session: Session, findings: Findings) -> None:
    """A pupil's version only grows: one that is behind its last change was put back to an earlier row."""
    last = (
        select(RegisterChange.pupil_id, func.max(RegisterChange.pupil_version).label("version"))
        .group_by(RegisterChange.pupil_id)
        .subquery()
    )
    query = (
        select(last.c.pupil_id, Pupil.version, last.c.version)
        .outerjoin(Pupil, Pupil.id == last.c.pupil_id)
        .where((Pupil.version < last.c.version) | Pupil.id.is_(None))
    )
    for pupil_id, version, wanted in session.execute(query):
        if version is None:
            findings.fault(f"学生 {pupil_id}：有登记变更而没有这名学生，被删除")
        else:
            findings.fault(f"学生 {pupil_id}：现为第 {version} 版，而登记变更已到第 {wanted} 版，被退回旧值")


def _versions(session: Session, findings: Findings) -> None:
    """Each version that the chain names is there as it was written."""
    for records in _records(session, AuditRecord.action.in_(VERSIONS)):
        for record in records:
            model, title = VERSIONS[record.action]
            row = session.get(model, uuid.UUID(record.object_id))
            content = record.body.get("content")
            if row is None:
                findings.fault(f"{title} {record.object_id}：记录 {record.seq} 写明保存过，现在没有，被删除")
            elif content and digests.of_version(row, record.key_id, session) != content:
                findings.fault(f"{title} {record.object_id}：与记录 {record.seq} 保存时不符，被改动")
        findings.went_on(len(records), "各类版本")
        session.expunge_all()


def _last_words(session: Session, findings: Findings, kind: str) -> None:
    """An account or office is as its last record left it."""
    model, actions, digest, title = LAST[kind]
    for rows in _batches(session, select(model.__table__), model.__table__.c.id):
        ids = [str(row.id) for row in rows]
        query = select(AuditRecord).where(
            AuditRecord.object_kind == kind,
            AuditRecord.object_id.in_(ids),
            AuditRecord.action.in_(actions),
        )
        last = {one.object_id: one for one in session.scalars(query.order_by(AuditRecord.seq))}
        for row in rows:
            record = last.get(str(row.id))
            content = record.body.get("content") if record else None
            if record and content and digest(row, record.key_id) != content:
                findings.fault(
                    f"{title} {row.id}：与记录 {record.seq} 最后一次办理时不符（岗位、单位、姓名或启停被改动）"
                )
        session.expunge_all()
    for records in _records(session, AuditRecord.action.in_(actions[:1])):
        named = {uuid.UUID(record.object_id) for record in records}
        there = set(session.scalars(select(model.id).where(model.id.in_(named))))
        for gone in sorted(named - there, key=str):
            findings.fault(f"{title} {gone}：记录写明建立过，现在没有，被删除")


def _batches(session: Session, query: Any, key: Any) -> Iterator[Sequence[Any]]:
    """Rows in the order of their key, a batch at a time."""
    last = None
    while True:
        page = query if last is None else query.where(key > last)
        rows = session.execute(page.order_by(key).limit(ROWS)).all()
        if not rows:
            return
        yield rows
        last = rows[-1].id


def _records(session: Session, wanted: Any) -> Iterator[Sequence[Any]]:
    """Audit records of one kind in their order, a batch at a time."""
    seq = 0
    while True:
        query = select(AuditRecord.__table__).where(wanted, AuditRecord.seq > seq)
        rows = session.execute(query.order_by(AuditRecord.seq).limit(ROWS)).all()
        if not rows:
            return
        yield rows
        seq = rows[-1].seq
