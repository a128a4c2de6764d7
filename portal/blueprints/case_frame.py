"""What frames every page of a case: its line at the top, and how far the guided pages have come."""

from __future__ import annotations

from typing import Any

from portal.blueprints import casefile
from portal.cases import clock
from portal.cases.actions import available, stamp
from portal.cases.facts import STATUS_TEXT
from portal.models import Case
from portal.web import actor
from portal.workflows import workflow
from portal.workflows.facts import Facts

PUPIL, ROSTER, PAPERS, CHECK = "pupil", "roster", "papers", "check"


def head(case: Case, facts: Facts) -> dict[str, Any]:
    """What every page of a case shows at its top."""
    calendar = clock.load_calendar()
    return {
        "case": case,
        "law": workflow(case.workflow),
        "pupil": casefile.subject_line(facts),
        "version": stamp(case),
        "verbs": available(case, actor()),
        "status_text": STATUS_TEXT[case.status],
        "due": clock.read_clock(case, clock.today(), calendar),
        "chain": casefile.steps(case, facts),
    }


def progress(case: Case, facts: Facts, current: str) -> list[casefile.StepItem]:
    """The guided pages as steps: whom it is about, each page of questions, papers, check."""
    law = workflow(case.workflow)
    names = [
        (ROSTER, "学生名单") if law.roster else (PUPIL, "选择学生"),
        *((page.id, page.title) for page in law.pages),
        (PAPERS, "证明材料"),
        (CHECK, "核对提交"),
    ]
    position = [name for name, _ in names].index(current)
    states = ["done" if n < position else "current" if n == position else "todo" for n in range(len(names))]
    about = {PUPIL: facts.pupil["name"], ROSTER: f"{len(facts.standing_rows)} 人"}
    return [
        casefile.StepItem(title, state, about.get(name, ""))
        for (name, title), state in zip(names, states, strict=True)
    ]
