"""退学、除名: which grounds and reasons there are, which reason goes with which ground, and what the register says against one.

The policy's rows say of a ground or a reason which statuses of XSDQZT it presupposes (`statuses`), and of a ground which
reasons of XJYDYY say the same (`reasons`); a row that says nothing goes with any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.policies import Article
from portal.standards import enrolment
from portal.standards.columns import BY_KEY
from portal.workflows.facts import Facts
from portal.workflows.vocabulary import Rule

LEAVES, DISMISSED = "退学", "除名"

Reason = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """What becomes of the record, in the codes of JY/T 1001: XSDQZT and XJYDLB."""

    status: str
    change: str
    ground: (
        str  # the fields that hold its ground and its reason, so that switching between kinds loses neither
    )
    reason: str


KINDS = {
    LEAVES: Kind("03", "31", "ground", "reason"),
    DISMISSED: Kind("14", "42", "dismissal_ground", "dismissal_reason"),
}


@dataclass(frozen=True)
class Ground:
    """A condition on which a pupil may leave, of the policy or added by the state bureau."""

    code: str
    title: str
    kind: str
    article: Article
    retired: bool = False
    statuses: Sequence[str] = ()
    reasons: Sequence[str] = ()


def grounds(facts: Facts) -> tuple[Ground, ...]:
    """The policy's grounds, then the local ones, retired ones too."""
    source = facts.policy.source(f"{facts.workflow}.grounds")
    own = (
        Ground(
            row["code"],
            row["title"],
            row["kind"],
            source,
            statuses=row.get("statuses", ()),
            reasons=row.get("reasons", ()),
        )
        for row in facts.setting("grounds")
    )
    local = facts.local.get("grounds", ())
    added = (Ground(one.code, one.title, one.scope, one.article, one.retired) for one in local)
    return (*own, *added)


def ground_of(facts: Facts, kind: str, code: str) -> Ground | None:
    return next((one for one in grounds(facts) if (one.kind, one.code) == (kind, code)), None)


def ground(facts: Facts) -> Ground | None:
    """The ground that was chosen, of the kind that was chosen."""
    kind = facts.answer("kind")
    return ground_of(facts, kind, facts.answer(KINDS[kind].ground)) if kind in KINDS else None


def reason(facts: Facts) -> Reason:
    """The row of the policy's reasons (XJYDYY) that was chosen, of the kind that was chosen; {} for none."""
    kind = facts.answer("kind")
    code = facts.answer(KINDS[kind].reason) if kind in KINDS else ""
    return next((row for row in facts.setting("reasons") if (row["kind"], row["code"]) == (kind, code)), {})


def contradicted(facts: Facts, statuses: Sequence[str]) -> bool:
    """Whether the register shows another status than what was chosen presupposes."""
    return bool(statuses) and facts.pupil[enrolment.STATUS] not in statuses


def goes_with(one: Ground | None, code: str) -> bool:
    """Whether a reason says what the ground says."""
    return one is None or not one.reasons or code in one.reasons


def offered_grounds(facts: Facts, kind: str, answered: str) -> list[tuple[str, str]]:
    """(code, title with its clause) of what this pupil's record allows; also what was answered, of which a rule speaks."""
    return [
        (one.code, f"{one.title}（{one.article.cited}）")
        for one in grounds(facts)
        if one.kind == kind
        and (one.code == answered or not (one.retired or contradicted(facts, one.statuses)))
    ]


def offered_reasons(facts: Facts, kind: str, chosen: str, answered: str) -> list[tuple[str, str]]:
    """(code, title) of the reasons that go with the ground of this code and with the record; also the one answered."""
    one = ground_of(facts, kind, chosen)
    return [
        (row["code"], row["title"])
        for row in facts.setting("reasons")
        if row["kind"] == kind
        and (
            row["code"] == answered
            or (goes_with(one, row["code"]) and not contradicted(facts, row.get("statuses", ())))
        )
    ]


def _of(name: str, stops: Callable[[Facts], bool]) -> Callable[[Facts], bool]:
    """The condition, for the kind whose field of this name applies."""
    return lambda facts: (
        (kind := KINDS.get(facts.answer("kind"))) is not None
        and name in (kind.ground, kind.reason)
        and stops(facts)
    )


def _status(facts: Facts) -> str:
    return BY_KEY[enrolment.STATUS].shown(facts.pupil[enrolment.STATUS])


def _ground_contradicted(facts: Facts) -> bool:
    return bool((one := ground(facts)) and contradicted(facts, one.statuses))


def _told_reason(facts: Facts) -> str:
    one, row = ground(facts), reason(facts)
    if one and not goes_with(one, row["code"]):
        return f"异动原因“{row['title']}”与所选条件“{one.title}”不相符"
    return f"该生当前学籍状态为“{_status(facts)}”，异动原因不能是“{row['title']}”"


def _reason_misfit(facts: Facts) -> bool:
    row = reason(facts)
    return bool(row) and (
        not goes_with(ground(facts), row["code"]) or contradicted(facts, row.get("statuses", ()))
    )


def ground_rules(workflow_id: str) -> tuple[Rule, ...]:
    """What stops a ground and a reason, at the field of each kind."""
    return tuple(rule for kind in KINDS.values() for rule in _rules(workflow_id, kind))


def _rules(workflow_id: str, kind: Kind) -> tuple[Rule, ...]:
    return (
        Rule(
            f"{kind.ground}_retired",
            f"{workflow_id}.grounds",
            _of(kind.ground, lambda facts: bool((one := ground(facts)) and one.retired)),
            "所选条件已由州级教育行政部门停用",
            "请选择现行的条件",
            field=kind.ground,
        ),
        Rule(
            f"{kind.ground}_contradicted",
            f"{workflow_id}.grounds",
            _of(kind.ground, _ground_contradicted),
            lambda facts: (
                f"该生当前学籍状态为“{_status(facts)}”，不符合条件“{one.title if (one := ground(facts)) else ''}”"
            ),
            "请选择与学籍状态相符的条件；状态有误的，先在全国学籍系统更正后重新导入",
            field=kind.ground,
        ),
        Rule(
            f"{kind.reason}_misfit",
            f"{workflow_id}.reasons",
            _of(kind.reason, _reason_misfit),
            _told_reason,
            "请选择与所选条件和学籍状态相符的异动原因",
            field=kind.reason,
        ),
    )
