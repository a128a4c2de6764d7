"""What an act leads to: the status, step and office that a case comes to, and what becomes of its clock. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.cases import clock, quality
from portal.cases.access import Actor
from portal.cases.offices import supervisor
from portal.cases.refusing import Refused
from portal.models import Case, Status
from portal.models.types import utcnow
from portal.workflows.facts import Facts
from portal.workflows.vocabulary import Step, Workflow


@dataclass(frozen=True)
class Place:
    """Where a case stands before the act."""

    status: str
    step: str
    round: int


@dataclass(frozen=True)
class Outcome:
    """Where the case goes; `values` are further columns of it."""

    status: Status
    step: str
    values: dict[str, Any]


def outcome(
    case: Case, actor: Actor, law: Workflow, facts: Facts, verb: str, *, answers: Mapping[str, Any], to: str
) -> Outcome:
    """Where this act takes the case. `answers` are the new ones of an edit, `to` is the step of a return, "" the school.

    Raises Refused where no office is found, or the step is no longer in the chain.
    """
    if verb == "edit":
        return Outcome(Status(case.status), case.step, {"answers": {**case.answers, **answers}})
    if verb == "submit":
        return _submitted(case, actor, law, facts)
    if verb == "approve":
        return _approved(case, law, facts)
    if verb in ("strike", "put_back"):
        return Outcome(Status(case.status), case.step, {})
    if verb == "return" and to:
        return _go_to(case, law.step(to), {"round": case.round + 1}, fresh=True)
    if verb == "return":
        return Outcome(Status.RETURNED, "", {"holder_office_id": case.owner_office_id, **_stopped(case)})
    return _ended(case, Status.REJECTED if verb == "reject" else Status.WITHDRAWN)


def _ended(case: Case, status: Status) -> Outcome:
    return Outcome(status, "", {"holder_office_id": None, "ended_at": utcnow(), **_stopped(case)})


def _stopped(case: Case) -> dict[str, Any]:
    return clock.stopped(case, clock.today(), clock.load_calendar(case.owner))


def _submitted(case: Case, actor: Actor, law: Workflow, facts: Facts) -> Outcome:
    steps = law.steps(facts)
    if not steps:
        raise Refused("没有找到受理机关：请管理员核对学校的主管机构")
    again = case.status == Status.RETURNED
    values: dict[str, Any] = {
        "round": case.round + 1,
        "submitted_at": utcnow(),
        "submitted_by_id": actor.id,
        "doubtful": any(item.override_reason for item in facts.evidence),
        "legibility": quality.legibility(case),
    }
    return _go_to(case, steps[0], values, fresh=not again)


def _approved(case: Case, law: Workflow, facts: Facts) -> Outcome:
    steps = law.steps(facts)
    ids = [step.id for step in steps]
    position = ids.index(case.step) if case.step in ids else -1
    if position < 0:
        raise Refused("本步骤已不在办理流程中，请管理员核对政策设置")
    if position + 1 < len(steps):
        per_stage = clock.clock_setting(case)["mode"] == "per_stage"
        return _go_to(case, steps[position + 1], {}, fresh=per_stage, running=not per_stage)
    return _ended(case, Status.APPROVED)


def _go_to(case: Case, step: Step, values: dict[str, Any], *, fresh: bool, running: bool = False) -> Outcome:
    """Hand the case to the office of a step. `running` lets a total clock go on undisturbed."""
    office = supervisor(case.owner, step.office) if step.office != "school" else case.owner
    if office is None:
        raise Refused(f"没有找到“{step.title}”的受理机关：请管理员核对学校的主管机构")
    if not running:
        values = values | clock.started(case, clock.today(), clock.load_calendar(case.owner), fresh=fresh)
    return Outcome(Status.IN_REVIEW, step.id, {"holder_office_id": office.id, **values})
