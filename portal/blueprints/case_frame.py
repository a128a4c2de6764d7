"""What frames every page of a case: its line at the top, and how far the guided pages have come."""

from __future__ import annotations

from typing import Any

from portal.blueprints import casefile
from portal.cases import actions, clock, remarks
from portal.cases.actions import available, stamp
from portal.cases.facts import STATUS_TEXT
from portal.models import Case, Status
from portal.web import actor
from portal.workflows import workflow
from portal.workflows.facts import Facts
from portal.workflows.vocabulary import Page, Refusal, Workflow

PUPIL, ROSTER, PAPERS, CHECK = "pupil", "roster", "papers", "check"


def head(case: Case, facts: Facts) -> dict[str, Any]:
    """What every page of a case shows at its top."""
    calendar = clock.load_calendar(case.owner)
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
    """The guided pages as steps: whom it is about, each page of questions, papers, check. One that was passed is done when
    nothing is wrong with it, else it is lacking and says what."""
    law = workflow(case.workflow)
    names = [
        (ROSTER, "学生名单") if law.roster else (PUPIL, "选择学生"),
        *((page.id, page.title) for page in law.pages),
        (PAPERS, "证明材料"),
        (CHECK, "核对提交"),
    ]
    position = [name for name, _ in names].index(current)
    open_items = lacking(case, facts)
    about = {PUPIL: facts.pupil["name"], ROSTER: f"{len(facts.standing_rows)} 人"}
    items = []
    for at, (name, title) in enumerate(names):
        missing = tuple(open_items.get(name, ())) if at < position else ()
        passed = "lacking" if missing else "done"
        state = passed if at < position else "current" if at == position else "todo"
        items.append(casefile.StepItem(title, state, about.get(name, ""), missing))
    return items


def lacking(case: Case, facts: Facts) -> dict[str, list[str]]:
    """{step: what keeps it from being right}: what stops the submission, and what a return named and nobody has settled."""
    found: dict[str, list[str]] = {}
    for refusal in actions.refusals_now(case, facts):
        found.setdefault(_step_of(case, refusal), []).append(refusal.text)
    if case.status == Status.RETURNED:
        for item in casefile.remark_items(case):
            if not item.settled:
                step = _step_of_target(case, item.target, item.key)
                found.setdefault(step, []).append(f"退回意见“{item.title}：{item.reason}”还没有处理")
    return found


def _step_of(case: Case, refusal: Refusal) -> str:
    """Where a refusal is mended; one that names no field belongs to the moment at which its rule stops."""
    law = workflow(case.workflow)
    if refusal.field:
        return _step_of_target(case, remarks.FIELD, refusal.field)
    moment = next((rule.at for rule in law.every_rule if rule.id == refusal.rule), "answers")
    first = ROSTER if law.roster else PUPIL
    return {"start": first, "answers": law.pages[-1].id}.get(moment, PAPERS)


def _step_of_target(case: Case, target: str, key: str) -> str:
    law = workflow(case.workflow)
    if remarks.ROSTER in (target, key):
        return ROSTER
    if target == remarks.EVIDENCE or law.slot(key):
        return PAPERS
    return next((page.id for page in law.pages if key in page.fields), CHECK)


def page_problems(case: Case, law: Workflow, facts: Facts, page: Page) -> bool:
    """Whether this page cannot be left yet: incomplete fields, or a rule about a field of this page."""
    form = law.form.from_raw(case.answers, facts)
    if form.errors_in([name for name in page.fields if name in law.asked(facts)]):
        return True
    here = set(page.fields)
    return any(item.field in here for item in law.refusals(facts, "answers")) or (
        page is law.pages[-1] and any(not item.field for item in law.refusals(facts, "answers"))
    )


def next_page(law: Workflow, facts: Facts, page: Page) -> Page | None:
    """The page of questions that comes after one, of those on which something is asked."""
    following = law.pages[law.pages.index(page) + 1 :]
    return next((one for one in following if set(one.fields) & law.asked(facts)), None)


def previous_page(law: Workflow, facts: Facts, page: Page) -> Page | None:
    """The page of questions that comes before one, of those on which something is asked."""
    earlier = law.pages[: law.pages.index(page)]
    return next((one for one in reversed(earlier) if set(one.fields) & law.asked(facts)), None)


def remarks_on(case: Case, target: str, keys: set[str] | None = None) -> list[casefile.RemarkItem]:
    """Open remarks of a returned case about fields (of one page) or papers."""
    if case.status != Status.RETURNED:
        return []
    return [
        item
        for item in casefile.remark_items(case)
        if item.target == target and (keys is None or item.key in keys)
    ]
