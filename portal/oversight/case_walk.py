"""Cases held against the audit chain: events, decisions, answers, status and register changes of each."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases import digests
from portal.cases.actions import ACTIONS
from portal.cases.history import EVENT_TEXT
from portal.models import AuditRecord, Case, CaseEvent, Decision, RegisterChange, RosterRow, Status
from portal.oversight.batches import batches
from portal.oversight.findings import Findings

CASES = 200
DECIDING = frozenset(action.event for action in ACTIONS.values() if action.decides)
ACTS = frozenset({"started", *(action.event for action in ACTIONS.values())})
STANDING = (Status.IN_REVIEW, Status.APPROVED, Status.REJECTED)  # of a roster whose people nobody may change
OTHERS = ("case.backdated", "register.noted", "intake.secondary_corrected")
RECORDED = tuple(f"case.{verb}" for verb in sorted(ACTS)) + OTHERS


@dataclass
class Story:
    """A case with all that is kept of it."""

    case: Any
    records: list[Any] = field(default_factory=list)
    events: dict[int, Any] = field(default_factory=dict)
    decisions: dict[tuple[int, str], Any] = field(default_factory=dict)
    changes: list[Any] = field(default_factory=list)
    roster: list[Any] = field(default_factory=list)

    @property
    def acts(self) -> list[Any]:
        return [one for one in self.records if verb_of(one) in ACTS]


def verb_of(record: Any) -> str:
    return str(record.action).removeprefix("case.")


def walk_cases(session: Session, findings: Findings) -> None:
    """Every case, then every beginning that the chain knows."""
    for cases in _batches(session):
        for story in _stories(session, cases):
            for text in faults_of(story):
                findings.fault(f"业务 {story.case.number}：{text}")
        findings.went_on(len(cases), "业务")
    _deleted(session, findings)


def _batches(session: Session) -> Iterator[Sequence[Any]]:
    """Rosters one by one: each has as many changes as hundreds of other cases."""
    table: Any = Case.__table__
    for rows in batches(session, select(table), table.c.id, CASES):
        plain = [row for row in rows if row.pupil_id is not None]
        if plain:
            yield plain
        yield from ([row] for row in rows if row.pupil_id is None)


def _stories(session: Session, cases: Sequence[Any]) -> list[Story]:
    stories = {case.id: Story(case) for case in cases}
    named = {str(key): story for key, story in stories.items()}
    for event in _children(session, CaseEvent, stories):
        stories[event.case_id].events[event.seq] = event
    for decision in _children(session, Decision, stories):
        stories[decision.case_id].decisions[(decision.round, decision.step)] = decision
    for change in _children(session, RegisterChange, stories):
        stories[change.case_id].changes.append(change)
    for person in _children(session, RosterRow, [one.id for one in cases if one.pupil_id is None]):
        stories[person.case_id].roster.append(person)
    table = AuditRecord.__table__
    records = select(table).where(
        table.c.object_kind == "case", table.c.object_id.in_(named), table.c.action.in_(RECORDED)
    )
    for record in session.execute(records.order_by(table.c.seq)):
        named[record.object_id].records.append(record)
    return list(stories.values())


def _children(session: Session, model: Any, ids: Any) -> Any:
    table = model.__table__
    return session.execute(select(table).where(table.c.case_id.in_(list(ids)))) if ids else ()


def faults_of(story: Story) -> Iterator[str]:
    """What is wrong with one case, in words."""
    if not story.acts:
        yield "审计链中没有它的记录，不是由本系统写入的"
        return
    yield from _events(story)
    yield from _decisions(story)
    yield from _standing(story)
    yield from _changes(story)


def _events(story: Story) -> Iterator[str]:
    moved = _backdated(story)
    told = [one for one in story.acts if verb_of(one) != "edited"]
    for record in told:
        seq = record.body.get("version", 1)
        event, title = story.events.get(seq), EVENT_TEXT[verb_of(record)]
        if event is None:
            yield f"第 {seq} 版的经过“{title}”没有了（记录 {record.seq}），被删除"
        elif (content := moved.get(str(seq)) or record.body.get("event")) and content != digests.of_event(
            event, record.key_id
        ):
            yield f"第 {seq} 版的经过“{title}”与记录 {record.seq} 不符，被改动"
    recorded = {one.body.get("version", 1) for one in told}
    for seq in sorted(story.events.keys() - recorded):
        yield f"第 {seq} 版的经过在审计链中没有记录，不是由本系统写入的"


def _backdated(story: Story) -> Mapping[str, str]:
    """Events that the demonstration moved into the past, with what they then were."""
    moved: dict[str, str] = {}
    for record in story.records:
        if record.action == "case.backdated":
            moved |= record.body.get("events", {})
    return moved


def _decisions(story: Story) -> Iterator[str]:
    recorded = set()
    for record in story.acts:
        if verb_of(record) not in DECIDING:
            continue
        place = (record.body["round"], record.body["step"])
        recorded.add(place)
        decision, content = story.decisions.get(place), record.body.get("decision")
        if decision is None:
            yield f"第 {place[0]} 轮“{place[1]}”的决定没有了（记录 {record.seq}），被删除"
        elif content and digests.of_decision(decision, record.key_id) != content:
            yield f"第 {place[0]} 轮“{place[1]}”的决定（结果、意见或所见材料）与记录 {record.seq} 不符，被改动"
        elif not content and decision.verb != verb_of(record):
            yield f"第 {place[0]} 轮“{place[1]}”的决定与记录 {record.seq} 的结果不符，被改动"
    for round_, step in sorted(story.decisions.keys() - recorded):
        yield f"第 {round_} 轮“{step}”的决定在审计链中没有记录，不是由本系统写入的"


def _standing(story: Story) -> Iterator[str]:
    """Status, version, whom it is about, answers and people as the last act left them."""
    case, last = story.case, story.acts[-1]
    status = last.body.get("status") or _status_of_events(story)
    if case.status != status:
        yield f"状态是 {case.status}，而记录 {last.seq} 之后应是 {status}，被改动"
    if case.version != last.body.get("version", case.version):
        yield f"现为第 {case.version} 版，而最后一条记录 {last.seq} 是第 {last.body['version']} 版"
    about = last.body.get("about")
    if about and digests.of_case(case, last.key_id) != about:
        yield f"所关学生、学校、政策、环节或受理机关与记录 {last.seq} 之后不符，被改动"
    answers = last.body.get("answers")
    if answers and digests.of_answers(case.id, case.answers, last.key_id) != answers:
        yield f"填写的内容与记录 {last.seq} 不符，被改动"
    rosters = [one for one in story.acts if one.body.get("roster")]
    if rosters and case.status in STANDING:
        newest = rosters[-1]
        if digests.of_roster(case.id, story.roster, newest.key_id) != newest.body["roster"]:
            yield f"名单与记录 {newest.seq} 提交时不符，被改动"


def _status_of_events(story: Story) -> str:
    """Of the time before records named it: what the last event says."""
    return str(story.events[max(story.events)].status) if story.events else ""


def _changes(story: Story) -> Iterator[str]:
    """What each act wrote into the register, by its moment."""
    found = digests.acts_of(story.changes)
    made: dict[str, dict[str, Any]] = defaultdict(dict)  # key -> digest -> moment
    wanted = [one for one in story.records if one.body.get("changes")]
    for key in {one.key_id for one in wanted}:
        made[key] = {digests.of_changes(story.case.id, rows, key): at for at, rows in found.items()}
    left = set(found)
    for record in wanted:
        at = made[record.key_id].get(record.body["changes"])
        if at is None:
            yield f"记录 {record.seq} 所写的登记变更缺失或不符，被删除或改动"
        left.discard(at)
    if left and len(wanted) == sum(1 for one in story.records if _changes_register(one, story)):
        yield "有登记变更在审计链中没有相符的记录，被改动或不是由本系统写入的"


def _changes_register(record: Any, story: Story) -> bool:
    """Whether an act must have changed the register: the approval that ended the case, and what was noted after it."""
    if record.action in OTHERS[1:]:
        return bool(record.body.get("changes", True))
    return verb_of(record) == "approved" and story.acts[-1] is record and story.case.status == Status.APPROVED


def _deleted(session: Session, findings: Findings) -> None:
    """Cases that the chain saw begin and that are not there."""
    table: Any = AuditRecord.__table__
    begun = select(table.c.seq, table.c.object_id).where(table.c.action == "case.started")
    for rows in batches(session, begun, table.c.seq, CASES):
        named = {uuid.UUID(row.object_id): row.seq for row in rows}
        there = set(session.scalars(select(Case.id).where(Case.id.in_(named))))
        for gone in sorted(named.keys() - there, key=str):
            findings.fault(f"业务 {gone}：记录 {named[gone]} 写明发起过，现在没有，被删除")
