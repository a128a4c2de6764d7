"""Open cases that a policy pack touches that was put right: what the case has to have now and had not to have before.

What never belongs here: a decision about such a case; the school and the offices take it as with any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select

from portal.cases.actions import refusals_now
from portal.cases.facts import STATUS_TEXT, read_facts
from portal.extensions import db
from portal.models import OPEN, Case
from portal.policies import policy_before
from portal.workflows import workflow
from portal.workflows.facts import Facts
from portal.workflows.vocabulary import Evidence

MANDATORY, ONE_OF, OPTIONAL, NONE = "必须交", "几种中交一种", "可以交", "不用交"


@dataclass(frozen=True)
class Touched:
    """An open case with what has changed for it, a sentence each."""

    number: str
    title: str
    status: str
    office: str  # whose turn it is
    changed: tuple[str, ...]


def touched() -> Iterator[Touched]:
    """Every open case for which its pack says something else now, by number."""
    for case in db.session.scalars(select(Case).where(Case.status.in_(OPEN)).order_by(Case.number)):
        now = read_facts(case)
        before = replace(now, policy=policy_before(case.policy))
        if now.policy.values == before.policy.values:
            continue
        if changed := (*_papers(before, now), *_stops(case, before, now)):
            office = case.holder or case.owner
            yield Touched(
                case.number,
                workflow(case.workflow).title,
                STATUS_TEXT[case.status],
                office.name,
                tuple(changed),
            )


def _papers(before: Facts, now: Facts) -> Iterator[str]:
    old, new = _asked(before), _asked(now)
    for slot in {**old, **new}:
        title = (new.get(slot) or old[slot])[0]
        was, is_now = (found.get(slot, (title, NONE))[1] for found in (old, new))
        if was != is_now:
            lacking = "，还没有" if is_now == MANDATORY and not now.in_slot(slot) else ""
            yield f"{title}：{was} → {is_now}{lacking}"


def _asked(facts: Facts) -> Mapping[str, tuple[str, str]]:
    return {slot.id: (slot.title, _how(slot, facts)) for slot in workflow(facts.workflow).slots(facts)}


def _how(slot: Evidence, facts: Facts) -> str:
    if slot.required(facts):
        return MANDATORY
    return ONE_OF if slot.one_of(facts) else OPTIONAL


def _stops(case: Case, before: Facts, now: Facts) -> Iterator[str]:
    """What stops it now and did not; papers that lack are told as papers."""
    slots = {slot.id for slot in workflow(case.workflow).evidence}
    old = {(one.rule, one.field) for one in refusals_now(case, before)}
    for one in refusals_now(case, now):
        if (one.rule, one.field) not in old and one.field not in slots:
            yield f"{one.text}；{one.remedy}（{one.article.cited}）"
