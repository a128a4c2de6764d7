"""Cases that end a record and cases that take it back, brought to their place by the engine's own acts."""

from __future__ import annotations

from portal.cases import starting
from portal.models import Case, Pupil
from portal.workflows import workflow
from tests.builders import FATHER, Cast, a_file, act
from tests.workflows.test_withdrawal import DISMISSAL, LEAVING, MORE_PAPERS, PAPERS
from tests.workflows.test_withdrawal_reversal import ANSWERS
from tests.workflows.test_withdrawal_reversal import PAPERS as REVERSAL_PAPERS

ENDS, REVERSES = "withdrawal", "withdrawal_reversal"


def a_withdrawal(
    cast: Cast, at: str = "approved", pupil: Pupil | None = None, *, dismissed: bool = False
) -> Case:
    """At ready, county_review, state_approval or approved."""
    pupil = pupil or cast.pupil
    case = starting.start(cast.registrar, workflow(ENDS), pupil)
    act(case, cast.registrar, "edit", answers=DISMISSAL if dismissed else LEAVING | FATHER)
    for slot in MORE_PAPERS if dismissed else PAPERS:
        a_file(case, slot, cast.registrar)
    if at != "ready":
        act(case, cast.registrar, "submit", confirmation=pupil.name)
    if at in ("state_approval", "approved"):
        act(case, cast.reviewer, "approve")
    if at == "approved":
        act(case, cast.approver, "approve", confirmation=pupil.name)
    return case


def a_reversal(cast: Cast, ended: Case, at: str = "approved") -> Case:
    """Of a case that ended the record; at state_approval or approved."""
    assert ended.pupil is not None
    case = starting.start(cast.registrar, workflow(REVERSES), ended.pupil)
    act(case, cast.registrar, "edit", answers={**ANSWERS, "decision": ended.number})
    for slot in REVERSAL_PAPERS:
        a_file(case, slot, cast.registrar)
    act(case, cast.registrar, "submit")
    act(case, cast.reviewer, "approve")
    if at == "approved":
        act(case, cast.approver, "approve")
    return case
