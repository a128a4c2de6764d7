"""The invariants I1-I9 of the portal, checked on the database and the store as they stand.

Each function returns what it found wrong, in plain words; an empty list means that the invariant holds. `cheap()` is for
after every step of a state machine, `everything()` for the end of one and for after a crash.

What never belongs here: a way to bring about a state, an expectation of one test.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise

from flask import current_app
from sqlalchemy import func, select

from portal.cases.actions import ACTIONS
from portal.cases.evidence import files_of
from portal.cases.evidence_rows import sealed_original, sealed_picture
from portal.cases.facts import read_facts
from portal.cases.register import stored_text
from portal.cases.sights import originals
from portal.cases.stored_files import EVIDENCE
from portal.extensions import db
from portal.models import (
    AuditRecord,
    Case,
    CaseEvent,
    Decision,
    EvidenceFile,
    NationalEntry,
    Pupil,
    RegisterChange,
    RegisterLoad,
    RegisterLoadRow,
    Status,
    StoredFile,
)
from portal.oversight import audit_walk, stored_walk
from portal.oversight.findings import Findings
from portal.workflows import workflow
from storage.objects import ObjectStore, Sealed, StoreError

MOVES = {action.event: action for action in ACTIONS.values()}
TRANSITIONS = frozenset({"started", *MOVES})
ENDED = frozenset({Status.APPROVED, Status.REJECTED, Status.WITHDRAWN})
VERSIONS_BY_A_LOAD = {"applied": 1, "undoing": 1, "undone": 2}  # added to a pupil that the load changed


def cheap() -> list[str]:
    """I2, I3, I5, I7, I8, I9 and that a decision saw the files that stand in the case."""
    db.session.remove()
    found = [
        *i2_status_follows_from_the_events(),
        *i3_approved_cases_and_register_changes(),
        *i5_who_decided(),
        *i7_versions_of_pupils(),
        *i8_one_pupil_one_number(),
        *i9_numbers_of_cases(),
        *decisions_saw_what_is_stored(),
    ]
    db.session.remove()
    return found


def everything(acknowledged: Iterable[str] = (), *, lying: Iterable[str] = ()) -> list[str]:
    """All of I1-I9. `acknowledged` are the SHA-256 of files whose receipt somebody has been told; `lying` are keys of
    evidence that lay in the store before, where a bucket is shared with other tests."""
    found = cheap()
    found += i1_evidence_is_there(acknowledged)
    found += i4_every_transition_is_recorded()
    found += i6_rows_and_objects(lying)
    db.session.remove()
    return found


def store() -> ObjectStore:
    found: ObjectStore = current_app.extensions["store"]
    return found


def i1_evidence_is_there(acknowledged: Iterable[str] = ()) -> list[str]:
    """Acknowledged evidence exists, by version and with its hash; so does every committed row's."""
    faults, held = [], set()
    for file in db.session.scalars(select(EvidenceFile).where(EvidenceFile.status == "committed")):
        held.add(file.sha256)
        faults += _unreadable(f"I1 file {file.id}", sealed_original(file))
    return faults + [f"I1 acknowledged {one} has no committed row" for one in set(acknowledged) - held]


def _unreadable(what: str, sealed: Sealed) -> list[str]:
    try:
        store().read(sealed)
    except StoreError as error:
        return [f"{what}: {error}"]
    return []


def i2_status_follows_from_the_events() -> list[str]:
    """From "started" on, each recorded event starts from a status that its verb allows, and the last one's is the case's."""
    faults = []
    events: dict[uuid.UUID, list[CaseEvent]] = defaultdict(list)
    for event in db.session.scalars(select(CaseEvent).order_by(CaseEvent.case_id, CaseEvent.seq)):
        events[event.case_id].append(event)
    for case in db.session.scalars(select(Case)):
        story = events[case.id]
        if [event.verb for event in story[:1]] != ["started"]:
            faults.append(f"I2 {case.number} does not begin with its start")
            continue
        for before, event in pairwise(story):
            faults += _impossible(case, before, event)
        if story[-1].status != case.status or story[-1].seq > case.version:
            faults.append(f"I2 {case.number} is {case.status}, its last event says {story[-1].status}")
        if (case.status in ENDED) != (case.ended_at is not None) or bool(case.step) != (
            case.status == Status.IN_REVIEW
        ):
            faults.append(f"I2 {case.number} is {case.status} with step {case.step!r}")
    return faults


def _impossible(case: Case, before: CaseEvent, event: CaseEvent) -> list[str]:
    action = MOVES.get(event.verb)
    if action is None or before.status not in action.sources or event.seq <= before.seq:
        return [f"I2 {case.number}: {event.verb} ({event.seq}) from {before.status} ({before.seq})"]
    between = event.seq - before.seq - 1  # edits leave an audit record and a version, no event
    if between and before.status not in ACTIONS["edit"].sources:
        return [f"I2 {case.number}: {between} unrecorded acts before {event.verb}"]
    return []


def i3_approved_cases_and_register_changes() -> list[str]:
    """Each approved case changed exactly what its answers say, once; nothing else changed anything."""
    faults = []
    changes: dict[uuid.UUID, list[RegisterChange]] = defaultdict(list)
    for change in db.session.scalars(select(RegisterChange).order_by(RegisterChange.pupil_version)):
        changes[change.case_id].append(change)
    entered = set(db.session.scalars(select(NationalEntry.case_id)))
    for case in db.session.scalars(select(Case)):
        made = changes.pop(case.id, [])
        if case.status != Status.APPROVED:
            faults += [f"I3 {case.number} is {case.status} and changed the register"] if made else []
            faults += [f"I3 {case.number} is {case.status} and waits to land"] if case.id in entered else []
            continue
        wanted = workflow(case.workflow).changes(read_facts(case))
        if {one.column: one.after for one in made} != dict(wanted) or len(made) != len(wanted) or not made:
            faults.append(f"I3 {case.number} wanted {wanted}, changed {[(o.column, o.after) for o in made]}")
        if {one.pupil_id for one in made} != {case.pupil_id} or len({one.pupil_version for one in made}) != 1:
            faults.append(f"I3 {case.number} changed other pupils, or in pieces")
        if case.id not in entered:
            faults.append(f"I3 {case.number} is approved and does not wait to land")
    faults += [f"I3 a change of no case: {case_id}" for case_id in changes]
    return faults + _broken_histories()


def _broken_histories() -> list[str]:
    """Of pupils that no load touched: each change's `before` is what stood there, and the last one stands now."""
    faults = []
    loaded = set(db.session.scalars(select(RegisterLoadRow.pupil_id)))
    standing: dict[tuple[uuid.UUID, str], str] = {}
    for change in db.session.scalars(select(RegisterChange).order_by(RegisterChange.pupil_version)):
        if change.pupil_id in loaded:
            continue
        place = (change.pupil_id, change.column)
        if standing.get(place, change.before) != change.before:
            faults.append(f"I3 {change.column}: before {change.before}, but {standing[place]} stood there")
        standing[place] = change.after
    for (pupil_id, column), text in standing.items():
        if stored_text(db.session.get_one(Pupil, pupil_id), column) != text:
            faults.append(f"I3 pupil {pupil_id}: {column} is not the last change's {text}")
    return faults


def i4_every_transition_is_recorded() -> list[str]:
    """Each version of a case has exactly one audit record, in the order of its events; the chain verifies, and so does all
    that it says was done."""
    walked = audit_walk.walk(Findings())
    faults = [f"I4 {fault}" for fault in walked.told]
    recorded: dict[str, list[str]] = defaultdict(list)
    acts = [f"case.{verb}" for verb in TRANSITIONS]
    query = select(AuditRecord).where(AuditRecord.action.in_(acts)).order_by(AuditRecord.seq)
    for record in db.session.scalars(query):
        recorded[record.object_id].append(record.action.removeprefix("case."))
    for case in db.session.scalars(select(Case)):
        acted = recorded.pop(str(case.id), [])
        told = list(
            db.session.scalars(
                select(CaseEvent.verb).where(CaseEvent.case_id == case.id).order_by(CaseEvent.seq)
            )
        )
        if [verb for verb in acted if verb != "edited"] != told or len(acted) != case.version:
            faults.append(f"I4 {case.number}: version {case.version}, recorded {acted}, events {told}")
    return faults + [f"I4 records of no case: {one}" for one in recorded]


def i5_who_decided() -> list[str]:
    """Nobody decided what they started or submitted, or twice in one round; each decision has its event."""
    faults = []
    submitted = _people_of("started", "submitted")
    by_round: Counter[tuple[uuid.UUID, int, uuid.UUID]] = Counter()
    for decision in db.session.scalars(select(Decision)):
        by_round[(decision.case_id, decision.round, decision.actor_id)] += 1
        if decision.actor_id in submitted[decision.case_id]:
            faults.append(f"I5 {decision.actor_id} decided {decision.case_id} and had submitted it")
    faults += [f"I5 {key} decided {times} times" for key, times in by_round.items() if times > 1]
    decisions = db.session.execute(select(func.count()).select_from(Decision)).scalar_one()
    deciding = [action.event for action in ACTIONS.values() if action.decides]
    told = select(func.count()).select_from(CaseEvent).where(CaseEvent.verb.in_(deciding))
    if db.session.execute(told).scalar_one() != decisions:
        faults.append("I5 decisions and deciding events differ in number")
    return faults


def _people_of(*verbs: str) -> dict[uuid.UUID, set[uuid.UUID]]:
    people: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for event in db.session.scalars(select(CaseEvent).where(CaseEvent.verb.in_(verbs))):
        people[event.case_id].add(event.actor_id)
    return people


def i6_rows_and_objects(lying: Iterable[str] = (), *, tombstones: bool = True) -> list[str]:
    """No committed row names a missing object; every evidence object is named by a row: a committed one, one
    that is still staged or being reaped, or a tombstone, which the daily sweep looks at again (without `tombstones`: has done so)."""
    faults, named = [], set(lying)
    for upload in db.session.scalars(select(StoredFile).where(StoredFile.kind == EVIDENCE)):
        if upload.status in ("staged", "reaping") or (tombstones and upload.status == "gone"):
            named.update(key for key, _ in store().keys(upload.key))
    for file in db.session.scalars(select(EvidenceFile).where(EvidenceFile.status == "committed")):
        if file.stored is None or stored_walk.sealed(file.stored) != sealed_original(file):
            faults.append(f"I6 file {file.id} is not what its stored file is")
        pictures = [
            sealed_picture(one) for page in file.pages for one in (page.view, page.thumb, page.plain) if one
        ]
        named.update((file.store_key, *(one.key for one in pictures)))
        for sealed in (sealed_original(file), *pictures):
            if not store().exists(sealed):
                faults.append(f"I6 file {file.id} names {sealed.key}, which is not there")
    return faults + [f"I6 no row names {key}" for key, _ in store().keys("evidence/") if key not in named]


def i7_versions_of_pupils() -> list[str]:
    """A pupil's version is the number of cases that changed them, and of loads that did or undid."""
    expected: Counter[uuid.UUID | None] = Counter()
    cases = select(RegisterChange.pupil_id, RegisterChange.case_id).distinct()
    expected.update(pupil_id for pupil_id, _ in db.session.execute(cases))
    rows = (
        select(RegisterLoadRow.pupil_id, RegisterLoad.status)
        .join(RegisterLoad, RegisterLoad.id == RegisterLoadRow.load_id)
        .where(RegisterLoadRow.kind.in_(("changed", "missing")))
    )
    for pupil_id, status in db.session.execute(rows):
        expected[pupil_id] += VERSIONS_BY_A_LOAD.get(status, 0)
    return [
        f"I7 pupil {pupil_id} has version {version}, {expected[pupil_id]} changes were applied"
        for pupil_id, version in db.session.execute(select(Pupil.id, Pupil.version))
        if version != expected[pupil_id]
    ]


def i8_one_pupil_one_number() -> list[str]:
    """No two pupils of the register hold one identity number."""
    query = (
        select(Pupil.id_number, func.count())
        .where(Pupil.id_number != "", Pupil.gone_since.is_(None))
        .group_by(Pupil.id_number)
        .having(func.count() > 1)
    )
    return [f"I8 {times} pupils hold {number}" for number, times in db.session.execute(query)]


def i9_numbers_of_cases() -> list[str]:
    """No case number, and so no number of a printed form, is given twice."""
    query = select(Case.number, func.count()).group_by(Case.number).having(func.count() > 1)
    return [f"I9 {number} was given {times} times" for number, times in db.session.execute(query)]


def decisions_saw_what_is_stored() -> list[str]:
    """Where the latest decision of a case left it with the offices, the files that it names stand in the case."""
    faults = []
    latest: dict[uuid.UUID, Decision] = {}
    for decision in db.session.scalars(select(Decision).order_by(Decision.round)):
        latest[decision.case_id] = decision
    for case_id, decision in latest.items():
        case = db.session.get_one(Case, case_id)
        settled = case.status in (Status.APPROVED, Status.REJECTED) or (
            case.status == Status.IN_REVIEW and decision.round == case.round
        )
        if settled and sorted(originals(decision.seen)) != sorted(file.sha256 for file in files_of(case)):
            faults.append(f"{case.number}: the decision at {decision.step} saw other files than stand there")
    return faults
