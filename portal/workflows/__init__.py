"""The law: one file per procedure, written in the words of vocabulary.py (of roster.py where it is about many).

What never belongs here: Flask, SQL, storage, who is signed in, a status.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from portal.policies import Policy, PolicyError, source
from portal.standards.columns import BY_KEY
from portal.workflows import high_school_enrolment, key_information_change, withdrawal, withdrawal_reversal
from portal.workflows.vocabulary import Workflow

WORKFLOWS: tuple[Workflow, ...] = (
    key_information_change.WORKFLOW,
    withdrawal.WORKFLOW,
    withdrawal_reversal.WORKFLOW,
    high_school_enrolment.WORKFLOW,
)


class WorkflowError(Exception):
    """A procedure that is not written soundly; raised at start-up, never to a clerk."""


def workflow(workflow_id: str) -> Workflow:
    """The procedure with this id. Raises KeyError."""
    return {item.id: item for item in WORKFLOWS}[workflow_id]


def check_workflows(workflows: Iterable[Workflow], policies: Mapping[str, Policy], blanks: Path) -> None:
    """Fail on duplicate ids, unknown columns or fields, a missing blank, or an article that an offering policy lacks."""
    workflows = tuple(workflows)
    _unique("workflow", [item.id for item in workflows])
    _unique("number prefix", [item.number_prefix for item in workflows])
    ids = {item.id for item in workflows}
    for item in workflows:
        _check_names(item)
        if item.reverses and item.reverses not in ids:
            raise WorkflowError(f"{item.id}: reverses the unknown {item.reverses}")
        for printout in item.printouts:
            if not (blanks / printout.blank).is_file():
                raise WorkflowError(f"{item.id}: the blank {printout.blank} is missing")
        for policy in policies.values():
            _check_policy(item, policy)
        if not any(f"{item.id}.offered" in policy.values for policy in policies.values()):
            raise WorkflowError(f"{item.id}: no policy says whether it is offered")


def _unique(what: str, ids: list[str]) -> None:
    twice = {one for one in ids if ids.count(one) > 1}
    if twice:
        raise WorkflowError(f"duplicate {what}: {', '.join(sorted(twice))}")


def _check_names(item: Workflow) -> None:
    for what, ids in (
        ("rule", [rule.id for rule in item.rules]),
        ("evidence", [slot.id for slot in item.evidence]),
        ("step", [step.id for step in item.chain]),
        ("page", [page.id for page in item.pages]),
    ):
        _unique(f"{what} in {item.id}", ids)
    fields = set(item.form()._fields)
    asked = {name for page in item.pages for name in page.fields}
    if asked - fields:
        raise WorkflowError(f"{item.id}: pages ask for unknown fields {sorted(asked - fields)}")
    if item.roster:
        _unique(f"roster column in {item.id}", [column.key for column in item.roster.columns])
        _unique(f"row rule in {item.id}", [rule.id for rule in item.roster.rules])
    if (item.may_change | set(item.compare.values()) | item.unique) - BY_KEY.keys():
        raise WorkflowError(f"{item.id}: names columns that the register lacks")
    if "student_number" in item.may_change:
        raise WorkflowError(f"{item.id}: the student number is never rewritten")
    if "school_code" in item.may_change and item.roster is None:
        raise WorkflowError(f"{item.id}: changes the school, but only a roster moves pupils")


def _check_numbers(item: Workflow, policy: Policy) -> None:
    """A 学号 is digits, and what is counted stands last: ranges are counted on by their ends."""
    pattern = policy.value(f"{item.id}.numbers")
    kinds = [part["part"] for part in pattern]
    fixed = "".join(part.get("text", "0") for part in pattern)
    if kinds.count("serial") != 1 or kinds[-1] != "serial" or not (fixed.isascii() and fixed.isdecimal()):
        raise WorkflowError(f"{item.id}: {policy.code} makes numbers that cannot be counted through")


def _check_policy(item: Workflow, policy: Policy) -> None:
    try:
        if not item.offered(policy):
            return
        for rule in item.every_rule:
            rule.article_in(policy)
        if item.terminal:
            policy.article(item.terminal.article)
        for one in item.supplements:
            policy.value(f"{item.id}.{one.key}")
        for slot in item.evidence:
            source(policy, slot.article)
        if item.roster:
            for row_rule in item.roster.rules:
                source(policy, row_rule.article)
            _check_numbers(item, policy)
        policy.value(f"clock.{item.id}")
        policy.value("return_reasons")
    except PolicyError as error:
        raise WorkflowError(f"{item.id}: {error}") from error
