"""The 补正 list: coded reasons tied to a field, a slot or a place on a picture, ticked off by the actual change."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.cases import marks
from portal.extensions import db
from portal.models import Case, EvidenceFile, Remark, RosterRow
from portal.policies import policy
from portal.standards.words import letters_in
from portal.workflows import workflow

FIELD, EVIDENCE, ROSTER, CASE = "field", "evidence", "roster", "case"


@dataclass(frozen=True)
class Reason:
    """One reason chosen by a reviewer: code of the policy's list, what it is about, and a note. Plain values, since the
    event keeps them as they are.

    Where a place is marked, `file_id` (as text) and `page` name the picture and `box` is the place, see cases.marks."""

    code: str
    target: str = CASE
    key: str = ""
    note: str = ""
    file_id: str = ""
    page: int = 0
    box: Mapping[str, float] | None = None


def reason_titles(case: Case) -> dict[str, str]:
    """code -> title of the policy's return reasons."""
    return {row["code"]: row["title"] for row in policy(case.policy).value("return_reasons")}


def fault_in_reasons(case: Case, reasons: tuple[Reason, ...]) -> str:
    """Why these reasons cannot be sent, "" when they can."""
    if not reasons:
        return "请至少选择一条退回原因，并指明对应的项目或证明材料"
    law, titles = workflow(case.workflow), reason_titles(case)
    fields = {name for page in law.pages for name in page.fields}
    for reason in reasons:
        if reason.code not in titles:
            return "退回原因不在列表中，请重新选择"
        if reason.target == FIELD and reason.key not in fields:
            return f"“{titles[reason.code]}”没有指明是哪一项"
        if reason.target == EVIDENCE and law.slot(reason.key) is None:
            return f"“{titles[reason.code]}”没有指明是哪一份证明材料"
        if reason.target == ROSTER and law.roster is None:
            return f"“{titles[reason.code]}”：这项业务没有学生名单"
        if reason.target not in (FIELD, EVIDENCE, ROSTER, CASE):
            return "退回原因的对象有误，请重新选择"
        if reason.target in (ROSTER, CASE) and not reason.note.strip():
            return f"“{titles[reason.code]}”须写明具体要求"
        if reason.file_id and reason.target != EVIDENCE:
            return f"“{titles[reason.code]}”框选了影像，请在“对应哪一项”中选这份证明材料"
        if reason.file_id and (
            fault := marks.fault_in_place(case, reason.key, reason.file_id, reason.page, reason.box)
        ):
            return f"“{titles[reason.code]}”：{fault}"
    return ""


def write_remarks(case: Case, reasons: tuple[Reason, ...]) -> None:
    """Keep the reasons with what stands there now, so that a change can be told."""
    for position, reason in enumerate(reasons, start=1):
        db.session.add(
            Remark(
                case_id=case.id,
                round=case.round,
                position=position,
                target=reason.target,
                key=reason.key,
                code=reason.code,
                note=reason.note.strip(),
                file_id=uuid.UUID(reason.file_id) if reason.file_id else None,
                page=reason.page or None,
                box=dict(reason.box) if reason.box else None,
                before=_snapshot(case, reason.target, reason.key),
            )
        )


def open_remarks(case: Case) -> list[Remark]:
    """The remarks of the latest return, in order."""
    query = select(Remark).where(Remark.case_id == case.id).order_by(Remark.round.desc(), Remark.position)
    found = list(db.session.scalars(query))
    return [remark for remark in found if remark.round == found[0].round]


def marked_places(case: Case, file_id: uuid.UUID) -> list[Remark]:
    """The remarks that mark a place on a file, of the last return that did."""
    query = select(Remark).where(
        Remark.case_id == case.id, Remark.file_id == file_id, Remark.page.is_not(None)
    )
    found = list(db.session.scalars(query.order_by(Remark.round.desc(), Remark.position)))
    return [remark for remark in found if remark.round == found[0].round]


def settled(case: Case, remark: Remark) -> bool:
    """Whether what the remark is about has changed, or the school has written why it stays. A marked picture has to go:
    another one beside it settles nothing."""
    if remark.explanation.strip():
        return True
    if remark.file_id:
        return db.session.get_one(EvidenceFile, remark.file_id).removed_at is not None
    return remark.target != CASE and _snapshot(case, remark.target, remark.key) != remark.before


def unsettled(case: Case) -> list[Remark]:
    """Remarks that still keep the case from being submitted again."""
    return [remark for remark in open_remarks(case) if not settled(case, remark)]


def explain(case: Case, explanations: Mapping[str, str]) -> None:
    """Keep the school's reasons for leaving items as they are: {remark id: text}."""
    for remark in open_remarks(case):
        if str(remark.id) in explanations:
            text = explanations[str(remark.id)].strip()
            remark.explanation = text if letters_in(text) else ""


def _snapshot(case: Case, target: str, key: str) -> str:
    value: Any = None
    if target == FIELD:
        value = case.answers.get(key)
    elif target == EVIDENCE:
        query = select(EvidenceFile.sha256).where(
            EvidenceFile.case_id == case.id,
            EvidenceFile.slot == key,
            EvidenceFile.status == "committed",
            EvidenceFile.removed_at.is_(None),
        )
        value = sorted(db.session.scalars(query))
    elif target == ROSTER:
        rows = select(RosterRow.values).where(RosterRow.case_id == case.id, RosterRow.struck_at.is_(None))
        value = sorted(json.dumps(one, sort_keys=True) for one in db.session.scalars(rows))
        value = hashlib.sha256(json.dumps(value).encode()).hexdigest()
    return json.dumps(value, ensure_ascii=False)
