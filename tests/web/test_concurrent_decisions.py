"""Two people decide the same cases at the same moment, over real HTTP against several workers: one decision each, one
effect each, no 500, and the loser is told who was quicker. G6_CASES=1000 is the full run."""

from __future__ import annotations

import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal import audit
from portal.extensions import db
from portal.models import AuditRecord, Case, CaseEvent, Decision, NationalEntry, Pupil, RegisterChange, Status
from portal.settings import Settings
from tests.builders import Cast, a_case, a_pupil
from tests.web.live import Answer, Visitor, seal_papers, serving

CASES = int(os.environ.get("G6_CASES", "40"))
Act = Callable[[Visitor, Case, str], Answer]
REASON = {
    "reason-0-code": "image_unclear",
    "reason-0-about": "evidence:change_certificate",
    "reason-0-note": "红章看不清",
}


def decides(verb: str) -> Act:
    def act(visitor: Visitor, case: Case, seen: str) -> Answer:
        fields = {
            "seen": seen,
            "verb": verb,
            "note": "证明与本人不符",
            **(REASON if verb == "return" else {}),
        }
        return visitor.post(f"/cases/{case.id}/decide?box=todo", fields)

    return act


def withdraws(visitor: Visitor, case: Case, seen: str) -> Answer:
    return visitor.post(f"/cases/{case.id}/withdraw", {"version": seen, "note": "不办了"})


def edits(visitor: Visitor, case: Case, seen: str) -> Answer:
    return visitor.post(f"/cases/{case.id}/autosave/values", {"version": seen, "new_name": "马改名"})


@dataclass(frozen=True)
class Contest:
    """Who meets whom. `share` of CASES is run; an edit can never win, since a case in review is not the school's."""

    name: str
    first: Act
    second: Act
    second_is: str
    share: int
    second_can_win: bool = True


CONTESTS = (
    Contest("approve-approve", decides("approve"), decides("approve"), "reviewer2", 1),
    Contest("approve-return", decides("approve"), decides("return"), "reviewer2", 4),
    Contest("return-reject", decides("return"), decides("reject"), "reviewer2", 4),
    Contest("approve-withdraw", decides("approve"), withdraws, "registrar", 4),
    Contest("approve-edit", decides("approve"), edits, "registrar", 4, second_can_win=False),
)


@pytest.mark.parametrize("contest", CONTESTS, ids=lambda contest: contest.name)
def test_exactly_one_of_two_wins(app: Flask, settings: Settings, contest: Contest) -> None:
    cast = Cast()
    number = max(5, CASES // contest.share)
    cases = [a_case(cast, "county_review", pupil=a_pupil(cast.school, stage="初中")) for _ in range(number)]
    seal_papers()
    db.session.commit()
    with serving(settings) as port:
        pair = [Visitor.signed_in(app, port, getattr(cast, who)) for who in ("reviewer", contest.second_is)]
        begun = time.monotonic()
        answers = [meet(pair, contest, case) for case in cases]
        taken = time.monotonic() - begun
    db.session.rollback()
    db.session.expire_all()
    won = Counter(check(cast, contest, case, both) for case, both in zip(cases, answers, strict=True))
    check_totals(cases)
    kind = db.engine.dialect.name
    print(
        f"{kind} {contest.name}: {number} cases, won {dict(won)}, 0 errors, {taken / number * 1000:.0f} ms a pair"
    )


def meet(pair: list[Visitor], contest: Contest, case: Case) -> list[Answer]:
    """Both open the page, then both act at once."""
    stamps = [page_stamp(visitor, case) for visitor in pair]
    barrier = threading.Barrier(2)

    def run(visitor: Visitor, act: Act, seen: str) -> Answer:
        barrier.wait(30)
        return act(visitor, case, seen)

    with ThreadPoolExecutor(2) as pool:
        running = [
            pool.submit(run, visitor, act, seen)
            for visitor, act, seen in zip(pair, (contest.first, contest.second), stamps, strict=True)
        ]
        return [one.result(120) for one in running]


def page_stamp(visitor: Visitor, case: Case) -> str:
    """Open the case as a person does and take the stamp that its form would post."""
    page = visitor.get(f"/cases/{case.id}/desk")
    if "form" in page.text and (found := re.search(r'name="seen" value="([^"]+)"', page.text)):
        return found[1]
    page = visitor.get(f"/cases/{case.id}")
    found = re.search(r'name="version" value="([^"]+)"', page.text)
    assert page.status == 200 and found, page.text
    return found[1]


def check(cast: Cast, contest: Contest, case: Case, answers: list[Answer]) -> str:
    """One winner, one loser who was told, and exactly the winner's effect. Returns the winner's place."""
    statuses = [answer.status for answer in answers]
    assert max(statuses) < 500, statuses
    kept = db.session.get_one(Case, case.id)
    if not contest.second_can_win:
        assert statuses == [303, 404] and kept.answers["new_name"] == "马晓明"
        return "first"
    assert sorted(statuses) == [303, 409], statuses
    winner = statuses.index(303)
    name = (cast.reviewer, getattr(cast, contest.second_is))[winner].name
    assert re.search(f"已由[^，]*{name}于 ", answers[1 - winner].text), "the loser is told who was quicker"
    approved = kept.status == Status.APPROVED
    pupil = db.session.get_one(Pupil, kept.pupil_id)
    assert pupil.version == (1 if approved else 0) and (pupil.name == "马晓明") is approved
    return ("first", "second")[winner]


def check_totals(cases: list[Case]) -> None:
    """Nothing doubled and nothing left over, in any table that a decision writes."""
    statuses = Counter(case.status for case in db.session.scalars(select(Case)))
    approved = statuses[Status.APPROVED]
    decided = approved + statuses[Status.RETURNED] + statuses[Status.REJECTED]
    assert sum(statuses.values()) == len(cases) and decided + statuses[Status.WITHDRAWN] == len(cases)
    counts = {
        model.__tablename__: db.session.scalar(select(func.count()).select_from(model))
        for model in (Decision, RegisterChange, NationalEntry)
    }
    assert counts == {"decisions": decided, "register_changes": approved, "national_entries": approved}
    for model, column in ((CaseEvent, CaseEvent.verb), (AuditRecord, AuditRecord.action)):
        rows: Counter[str] = Counter(db.session.scalars(select(column)))  # type: ignore[type-var]
        ends = {
            one: n
            for one, n in rows.items()
            if one.removeprefix("case.") in ("approved", "returned", "rejected", "withdrawn")
        }
        assert sum(ends.values()) == len(cases), (model.__tablename__, ends)
    assert audit.verify().fault == ""
