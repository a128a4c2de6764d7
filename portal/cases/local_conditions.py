"""本地条件: what a state bureau adds to a list of the policy, in versions that nothing overwrites.

A condition carries its document and clause like every value of a pack. It is retired, never rewritten or deleted: the
cases that named it keep their ground. What never belongs here: which procedure a list belongs to, what a condition does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal import audit
from portal.cases import digests
from portal.cases.access import Actor
from portal.cases.offices import line_of
from portal.extensions import db
from portal.models import Level, LocalConditionSet, Office, Role
from portal.models.types import new_id
from portal.standards.words import letters_in
from portal.workflows.facts import LocalCondition
from portal.workflows.vocabulary import Supplement, Workflow

REASON_LEAST, REASON_MOST = 4, 500
CHANGED_MEANWHILE = "本地条件刚被修改过，请核对现在的内容后再保存"
MOST = {"title": 120, "document": 80, "clause": 60, "text": 500}


class Unsaved(Exception):
    """Why nothing was saved: what is wrong with each field as typed, or a sentence. `conflict`: somebody was quicker."""

    def __init__(self, message: str, faults: dict[str, str] | None = None, *, conflict: bool = False) -> None:
        super().__init__(message)
        self.message, self.faults, self.conflict = message, faults or {}, conflict


@dataclass(frozen=True)
class Typed:
    """A condition as it was typed, and why it is added."""

    title: str = ""
    scope: str = ""
    document: str = ""
    clause: str = ""
    text: str = ""
    reason: str = ""


def key_of(law: Workflow, supplement: Supplement) -> str:
    return f"{law.id}.{supplement.key}"


def of_school(law: Workflow, school: Office) -> dict[str, tuple[LocalCondition, ...]]:
    """{list: conditions, retired ones too} that the state above a school has added to this procedure's lists."""
    if not law.supplements:
        return {}
    state = next((one for one in line_of(school) if one.level == Level.STATE), None)
    return (
        {one.key: conditions_of(newest(state, key_of(law, one))) for one in law.supplements} if state else {}
    )


def newest(office: Office | None, key: str) -> LocalConditionSet | None:
    """The version in force; None where nothing was ever added."""
    return next(iter(history(office, key)), None)


def history(office: Office | None, key: str) -> list[LocalConditionSet]:
    """Every version of an office's list, the newest first."""
    if office is None:
        return []
    query = select(LocalConditionSet).where(
        LocalConditionSet.office_id == office.id, LocalConditionSet.key == key
    )
    return list(db.session.scalars(query.order_by(LocalConditionSet.number.desc())))


def conditions_of(version: LocalConditionSet | None) -> tuple[LocalCondition, ...]:
    return tuple(LocalCondition(**one) for one in version.conditions) if version else ()


def may_set(actor: Actor) -> bool:
    """The state bureau's approver alone: a condition decides what schools may ask for."""
    return actor.role is Role.APPROVER and actor.office_level is Level.STATE


def add(actor: Actor, key: str, supplement: Supplement, typed: Typed, seen: int) -> LocalConditionSet:
    """A new version with one condition more, in the running transaction. `seen` is the number of the version that the
    page showed, 0 for none. Raises Unsaved."""
    tidy = Typed(**{name: " ".join(text.split()) for name, text in asdict(typed).items()})
    if faults := _faults(tidy, supplement):
        raise Unsaved("有几项要改正，没有保存；已填的都保留着", faults)
    before = _before(actor, key, seen)
    code = f"local-{len(before) + 1}"
    one = LocalCondition(code, tidy.title, tidy.scope, tidy.document, tidy.clause, tidy.text)
    return _save(actor, key, (*before, one), tidy.reason, seen)


def retire(actor: Actor, key: str, code: str, reason: str, seen: int) -> LocalConditionSet:
    """A new version in which this condition can no longer be chosen. Raises Unsaved, LookupError."""
    reason = " ".join(reason.split())
    if fault := _reason_fault(reason):
        raise Unsaved(fault, {f"reason-{code}": fault})
    before = _before(actor, key, seen)
    if code not in {one.code for one in before if not one.retired}:
        raise LookupError(code)
    after = (replace(one, retired=True) if one.code == code else one for one in before)
    return _save(actor, key, after, reason, seen)


def _faults(typed: Typed, supplement: Supplement) -> dict[str, str]:
    """{field: what is wrong}, for a condition as it was typed."""
    found = {
        name: f"最多 {most} 个字，也不能有控制字符"
        for name, most in MOST.items()
        if len(text := getattr(typed, name)) > most or not text.isprintable()
    }
    if len(typed.title) < 4:
        found["title"] = "请写明条件（至少 4 个字）"
    if typed.scope not in supplement.scopes:
        found["scope"] = "请选择用于哪一类"
    if len(typed.document) < 4:
        found["document"] = "请填写文件号或文件名称"
    if not typed.clause:
        found["clause"] = "请填写条款号，例如：第十二条"
    if fault := _reason_fault(typed.reason):
        found["reason"] = fault
    return found


def _reason_fault(reason: str) -> str:
    if letters_in(reason) >= REASON_LEAST and len(reason) <= REASON_MOST and reason.isprintable():
        return ""
    return f"请写明为什么修改（{REASON_LEAST} 到 {REASON_MOST} 个字）"


def _before(actor: Actor, key: str, seen: int) -> tuple[LocalCondition, ...]:
    """The conditions that stand, if the actor may change them and has seen them as they are. Raises Unsaved."""
    if not may_set(actor):
        raise Unsaved("只有州级审批人员可以修改本地条件")
    version = newest(db.session.get_one(Office, actor.office_id), key)
    if (version.number if version else 0) != seen:
        raise Unsaved(CHANGED_MEANWHILE, conflict=True)
    return conditions_of(version)


def _save(
    actor: Actor, key: str, conditions: Iterable[LocalCondition], reason: str, seen: int
) -> LocalConditionSet:
    one = LocalConditionSet(
        id=new_id(),
        office_id=actor.office_id,
        key=key,
        number=seen + 1,
        conditions=[asdict(condition) for condition in conditions],
        note=reason,
        account_id=actor.id,
    )
    db.session.add(one)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Unsaved(CHANGED_MEANWHILE, conflict=True) from error
    audit.append(
        "local_conditions.changed",
        "local_conditions",
        one.id,
        key=key,
        number=one.number,
        conditions=one.conditions,
        content=digests.of_version(one),
    )
    return one


def difference(newer: LocalConditionSet, older: LocalConditionSet | None) -> list[tuple[str, LocalCondition]]:
    """What a version changed: (what was done, the condition)."""
    before = {one.code: one for one in conditions_of(older)}
    return [
        ("增加" if one.code not in before else "停用", one)
        for one in conditions_of(newer)
        if before.get(one.code) != one
    ]
