"""The two walks through everything that is kept, and where their results stand: the newest of each kind tells."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from portal.audit import Anchor
from portal.extensions import db
from portal.models import Walk
from portal.oversight import anchors, audit_walk, evidence_walk
from portal.oversight.findings import Findings, silent
from storage.objects import ObjectStore

EVIDENCE, AUDIT = "evidence", "audit"
TITLES = {EVIDENCE: "材料", AUDIT: "审计"}


def walk_audit(
    store: ObjectStore, given: Anchor | None = None, say: Callable[[str], None] = silent
) -> Findings:
    """Chain and contents, with the anchor that was given and the newest of the store. Raises StoreUnavailable."""
    findings = Findings(say)
    noted = anchors.newest(store)
    for text in noted.faults:
        findings.fault(text)
    if noted.anchor is None and given is None:
        findings.remarks.append("存储中还没有锚点，也没有给出锚点：链尾若被截去，单凭数据库看不出来")
    both = (*noted.anchors, *([given] if given else []))
    return audit_walk.walk(findings, *both)


def walk_evidence(store: ObjectStore, say: Callable[[str], None] = silent) -> Findings:
    """Raises StoreUnavailable."""
    return evidence_walk.walk(store, Findings(say))


def keep(kind: str, findings: Findings) -> Walk:
    """Write down what a walk found, in the running transaction."""
    walk = Walk(
        kind=kind,
        seconds=round(findings.seconds, 1),
        checked=findings.checked,
        faults=findings.faults,
        first=findings.told[0] if findings.told else "",
    )
    db.session.add(walk)
    db.session.flush()
    return walk


def newest(kind: str) -> Walk | None:
    """The last walk of this kind."""
    return db.session.scalars(
        select(Walk).where(Walk.kind == kind).order_by(Walk.at.desc()).limit(1)
    ).one_or_none()
