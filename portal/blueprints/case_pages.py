"""The pages on which a school works at a case of its own: questions, papers, the last look. Drawn for several blueprints.

What never belongs here: a route, a change; the case has been found as one that its school may edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal import keeping
from portal.blueprints import case_frame, casefile, reading_view, roster_view, slots_view
from portal.blueprints.fill_kept import fill_kept
from portal.cases import actions, clock, holds, unsent, whose_papers
from portal.cases.actions import stamp
from portal.cases.facts import read_facts
from portal.cases.refusing import Refused
from portal.models import Case, Status
from portal.web import actor, found, go, reply, wants_fragment
from portal.workflows import workflow
from portal.workflows.facts import Facts
from portal.workflows.vocabulary import Page, Workflow


def papers_page(case: Case, status: int = 200, slot: str = "", message: str = "") -> Response:
    """The page of slots; `message` stands at `slot`, or on top where the case has no such slot."""
    facts = read_facts(case)
    views = slots_view.slots(case, facts, error=(slot, message))
    return reply(
        "cases/papers.html",
        status,
        **case_frame.head(case, facts),
        progress=case_frame.progress(case, facts, case_frame.PAPERS),
        slots=views,
        message="" if slot in {view.id for view in views} else message,
        **_beside_slots(case, facts),
    )


def slot_answer(case: Case, slot: str, status: int = 200, message: str = "") -> BaseResponse:
    """One slot as it is now, with what stands beside it; without scripts its page, with `message` at the slot."""
    if wants_fragment():
        views = slots_view.slots(case, error=(slot, message))
        asked = found(next((one for one in views if one.id == slot), None))
        beside = _beside_slots(case, read_facts(case))
        return reply("cases/_slot.html", status, case=case, slot=asked, slots=views, **beside)
    if message:
        return papers_page(case, status, slot, message)
    return go("cases.papers", case_id=case.id, _anchor=f"slot-{slot}")


def _beside_slots(case: Case, facts: Facts) -> dict[str, Any]:
    """What stands beside the slots and changes with them: what was read on them, and what a return said of them."""
    return {**reading_view.school(case, facts), "remarks": case_frame.remarks_on(case, "evidence")}


def fill_page(
    case: Case,
    law: Workflow,
    page: Page,
    status: int = 200,
    message: str = "",
    raw: dict[str, Any] | None = None,
    *,
    revealed: bool = False,
) -> Response:
    """A page of questions as it stands; `raw` is what was typed and not kept, `revealed` shows old numbers in full."""
    facts = read_facts(case)
    unsaved = fill_kept(case, facts, page, raw)
    form = law.form.from_raw({**case.answers, **unsaved.raw}, facts)
    asked = [name for name in page.fields if name in law.asked(facts)]
    incomplete = form.errors_in(asked) if status == 422 else {}
    refusals = [
        item for item in law.refusals(facts, "answers") if not item.field or item.field in page.fields
    ]
    for item in refusals:  # the stop tells the clause; the field tells where
        if item.field in asked:
            form[item.field].errors = [*form[item.field].errors, item.text]
    return reply(
        "cases/fill.html",
        status,
        **case_frame.head(case, facts),
        page=page,
        form=form,
        unsaved=unsaved,
        asked=asked,
        incomplete=incomplete,
        compare_values={
            name: casefile.old_value(facts, law.compare[name], revealed=revealed)
            for name in asked
            if name in law.compare
        },
        may_reveal=not revealed and any(casefile.is_hidden(facts, law.compare.get(name)) for name in asked),
        message=message,
        refusals=refusals,
        remarks=case_frame.remarks_on(case, "field", set(page.fields)),
        progress=case_frame.progress(case, facts, page.id),
        back=case_frame.previous_page(law, facts, page),
        fragment="cases/_fill.html",
    )


def check_page(
    case: Case,
    status: int = 200,
    refused: Refused | None = None,
    typed: dict[str, str] | None = None,
    word: str = "",
    words: str | None = None,
    *,
    revealed: bool = False,
) -> Response:
    """The last page before a case goes: everything once more, and what was typed on it before it was refused."""
    facts = read_facts(case)
    message = refused.message if refused else ""
    fault = message if refused and refused.field == actions.CONFIRMATION else ""
    law = workflow(case.workflow)
    first = next(iter(law.steps(facts)), None)
    kept = keeping.kept_for(
        unsent.CASE, case.id, "submit", stamp=stamp(case), back=url_for("cases.check", case_id=case.id)
    )
    if typed is None and kept.text is not None:
        typed, words = explanations(kept.text), kept.text.get(whose_papers.WORDS)
    return reply(
        "cases/check.html",
        status,
        **case_frame.head(case, facts),
        message=message,
        progress=case_frame.progress(case, facts, case_frame.CHECK),
        changes=casefile.changes(facts)
        if revealed
        else casefile.masked(casefile.changes(facts), keep_new=True),
        revealed=revealed,
        answers=casefile.answers(facts, case),
        slots=slots_view.slots(case, facts, readonly=True),
        refusals=[(item, casefile.refusal_url(case, item)) for item in actions.refusals_now(case, facts)],
        busy=holds.told(case, actor(), facts),
        remarks=casefile.remark_items(case) if case.status == Status.RETURNED else [],
        typed=typed or {},
        kept=kept,
        confirm=casefile.confirmation(facts, word, fault),
        papers_words=whose_papers.said_by_school(case) if words is None else words,
        words_fault=message if refused and refused.field == whose_papers.WORDS else "",
        **reading_view.school(case, facts, revealed=revealed),
        first_step=first,
        figures=figures(case, facts),
        limit=clock.limit_text(case),
        limit_article=facts.policy.source(f"clock.{law.id}"),
    )


def explanations(form: Mapping[str, str]) -> dict[str, str]:
    """{id of a remark: why what it names stays} as typed."""
    return {key.removeprefix("explain-"): text for key, text in form.items() if key.startswith("explain-")}


def figures(case: Case, facts: Facts) -> roster_view.Figures | None:
    return roster_view.figures(case, facts) if workflow(case.workflow).roster else None
