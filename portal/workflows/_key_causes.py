"""关键信息变更: which cause explains which change of which record, and what becomes of the old name.

The table is the policy's `causes`: items that a cause explains by itself (`fields`), items that it explains only together
with one of those (`along`), and what the register must show (`record`); each row with its clause.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from portal.workflows._key_items import chosen, titles
from portal.workflows.facts import Facts, PupilFacts

FORMER = "former_name"  # the column
FORMER_ANSWER = f"new_{FORMER}"
KEEP, OLD, BOTH = "keep", "old", "both"
SEPARATOR = "、"
LONGEST_FORMER = 80  # characters that the register holds

Cause = Mapping[str, Any]

# What a cause can presuppose of the record: whether it holds, and what is said where it does not.
RECORDS: Mapping[str, tuple[Callable[[PupilFacts], bool], str]] = {
    "*": (lambda _pupil: True, ""),
    "no_number": (lambda pupil: not pupil["id_number"], "该生学籍已登记身份证件号"),
}


def cause_of(facts: Facts) -> Cause | None:
    """The row of the cause that was answered; None before that, and for a code that the policy lacks."""
    return next((row for row in facts.setting("causes") if row["code"] == facts.answer("cause")), None)


def unexplained(cause: Cause, picked: Sequence[str]) -> list[str]:
    """The picked items that this cause does not explain. A row without `fields` explains any."""
    own = cause.get("fields", picked)
    along = cause.get("along", ()) if set(own) & set(picked) else ()
    return [key for key in picked if key not in own and key not in along]


def contradicted(cause: Cause, pupil: PupilFacts) -> str:
    """What the register says against this cause, "" where it says nothing."""
    holds, told = RECORDS[cause.get("record", "*")]
    return "" if holds(pupil) else told


def offered(facts: Facts, picked: Sequence[str], answered: str) -> list[tuple[str, str]]:
    """(code, title) of the causes that fit what was picked and the record; also the one that was answered, which a rule
    speaks of where it no longer fits."""
    return [
        (row["code"], row["title"])
        for row in facts.setting("causes")
        if row["code"] == answered or not (contradicted(row, facts.pupil) or unexplained(row, picked))
    ]


def cause_fault(facts: Facts) -> str:
    """Why the cause that was answered cannot be the cause of this change, "" where it can."""
    cause = cause_of(facts)
    if cause is None or not chosen(facts):
        return ""
    if told := contradicted(cause, facts.pupil):
        return f"{told}，变更原因不能是“{cause['title']}”"
    left = unexplained(cause, chosen(facts))
    return f"变更原因“{cause['title']}”不能说明{titles(left)}为什么变更" if left else ""


def cause_article(facts: Facts) -> str:
    """The clause that says what the answered cause is for."""
    return str((cause_of(facts) or {}).get("article", f"{facts.workflow}.causes"))


def former_choices(facts: Facts) -> list[tuple[str, str]]:
    """What can become of the old name. A 曾用名 that stands already is seen, and lost only where that is chosen."""
    old, present = facts.pupil["name"], facts.pupil[FORMER]
    if not present:
        return [(OLD, f"把原姓名“{old}”登记为曾用名"), (KEEP, "不登记曾用名")]
    found = [(KEEP, f"保留已登记的“{present}”")]
    both = SEPARATOR.join((present, old))
    if old in present.split(SEPARATOR):
        return found
    if len(both) <= LONGEST_FORMER:
        found.append((BOTH, f"两个都登记：“{both}”"))
    return [*found, (OLD, f"改为原姓名“{old}”")]


def usual_former(facts: Facts, cause: str) -> str:
    """What is proposed: the old name after a cause that the policy marks so, and never in place of one that stands."""
    row: Cause = next((row for row in facts.setting("causes") if row["code"] == cause), {})
    return OLD if row.get("former") and not facts.pupil[FORMER] else KEEP


def new_former(facts: Facts) -> dict[str, str]:
    """{"former_name": text} where the name is changed and something else was chosen than what stands."""
    old, present = facts.pupil["name"], facts.pupil[FORMER]
    if "name" not in chosen(facts) or not facts.answer("new_name"):
        return {}
    wanted = {OLD: old, BOTH: SEPARATOR.join(part for part in (present, old) if part)}
    text = wanted.get(facts.answer(FORMER_ANSWER), present)
    return {FORMER: text} if text != present and len(text) <= LONGEST_FORMER else {}
