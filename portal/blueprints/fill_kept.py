"""A page of questions of which something was typed and not saved: the session had ended, or the draft had moved on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from portal import keeping
from portal.blueprints import casefile
from portal.cases import unsent
from portal.cases.actions import stamp
from portal.forms import AnswersForm, raw_answers
from portal.models import Case
from portal.workflows import workflow
from portal.workflows.facts import Facts
from portal.workflows.vocabulary import Page


@dataclass(frozen=True)
class Difference:
    """A question with two answers: the one that was typed, and the one that is saved."""

    title: str
    typed: str
    saved: str


@dataclass(frozen=True)
class FillKept:
    """What a page of questions shows of it. `raw` are the answers to put into the form; `differences` stand beside it, the
    form holding the typed ones (`mine`) or the saved ones."""

    kept: keeping.Kept
    raw: dict[str, Any]
    differences: tuple[Difference, ...] = ()
    mine: bool = False
    mine_url: str = ""


def fill_kept(case: Case, facts: Facts, page: Page, posted: Mapping[str, Any] | None) -> FillKept:
    """`posted` are the answers of a form that comes back as it was sent; what differs is told only where the draft has
    moved on meanwhile."""
    here = url_for("cases.fill", case_id=case.id, page=page.id)
    kept = keeping.kept_for(unsent.CASE, case.id, f"fill:{page.id}", stamp=stamp(case), back=here)
    if posted is not None and request.form.get("version") == stamp(case):
        return FillKept(keeping.Kept(kept.token), dict(posted))
    if posted is not None:
        return FillKept(kept, dict(posted), _differences(case, facts, page, posted), mine=True)
    if kept.text is None:
        return FillKept(kept, {})
    typed = raw_answers(workflow(case.workflow).form, kept.text, page.fields)
    differences = _differences(case, facts, page, typed)
    if not differences:
        return FillKept(keeping.Kept(kept.token), {})
    if not kept.moved:
        return FillKept(kept, typed)
    mine = "mine" in request.args
    shown = keeping.Kept(kept.token if mine else keeping.apart(kept), kept.text, kept.saved)
    url = url_for("cases.fill", case_id=case.id, page=page.id, mine=1)
    return FillKept(shown, typed if mine else {}, differences, mine, url)


def _differences(case: Case, facts: Facts, page: Page, typed: Mapping[str, Any]) -> tuple[Difference, ...]:
    form = workflow(case.workflow).form
    names = [name for name in page.fields if name in typed and typed[name] != case.answers.get(name, "")]
    names = [name for name in names if typed[name] or case.answers.get(name)]
    theirs, mine = form.from_raw(case.answers, facts), form.from_raw({**case.answers, **typed}, facts)
    return tuple(_difference(name, mine, theirs) for name in names)


def _difference(name: str, mine: AnswersForm, theirs: AnswersForm) -> Difference:
    typed, saved = (_text(form, name) for form in (mine, theirs))
    return Difference(str(mine[name].label.text), typed, saved)


def _text(form: AnswersForm, name: str) -> str:
    """The answer as it is read; what cannot be read, as it was typed."""
    field = form[name]
    raw: Sequence[str] = getattr(field, "raw_data", None) or ()
    return casefile.shown(field) or "、".join(raw)
