"""Facts of a school's roster for printed forms, written by hand: no database."""

from __future__ import annotations

from datetime import date
from typing import Any

from portal.policies import policy
from portal.workflows import workflow
from portal.workflows.facts import Facts, NumberRange, Quota, RosterRow, SchoolFacts
from tests.intakes import ENROLMENT, people

LAW = workflow(ENROLMENT)
APPROVAL, REGISTER = LAW.printouts
IN_COUNTY = SchoolFacts(
    "青禾县第一高级中学", "3462000001", {"county": "青禾县教育局", "state": "云岭州教育局"}, ("高中",)
)
STATE_RUN = SchoolFacts("云岭州第一中学", "3462000002", {"state": "云岭州教育局"}, ("高中",))
CODES = {"男": "1", "女": "2", "回族": "03", "东乡族": "26", "汉族": "01", "保安族": "47", "撒拉族": "35"}


def roster_rows(count: int) -> tuple[RosterRow, ...]:
    """Rows as the register stores them, with consecutive numbers."""
    return tuple(
        RosterRow(str(n), n, {key: CODES.get(text, text) for key, text in one.items()}, number=f"2613{n:08d}")
        for n, one in enumerate(people(count), start=1)
    )


def roster_facts(count: int, **changes: Any) -> Facts:
    """A submitted roster of so many pupils."""
    base: dict[str, Any] = {
        "workflow": ENROLMENT,
        "number": "XS2026000001",
        "today": date(2026, 9, 20),
        "policy": policy("gs-linxia-2022"),
        "school": IN_COUNTY,
        "answers": {"actual": count},
        "roster": roster_rows(count),
        "quota": Quota(2026, "云州教基发〔2026〕12号", 400, count, 900, 3000),
        "numbers": NumberRange("261300000001", f"2613{count:08d}"),
        "applicant": "王敏",
        "submitted_on": date(2026, 9, 20),
    }
    return Facts(**{**base, **changes})
