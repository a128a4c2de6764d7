"""Row-level refusal: a bureau takes single people off a roster that it otherwise lets pass, with a reason; they go back to
the school. Called by actions.perform(), which has made sure that the person may, and writes history and audit."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import func, select, update

from portal.cases.access import Actor
from portal.cases.refusing import Refused
from portal.cases.rosters.reading import chunks
from portal.extensions import db
from portal.models import Case, RosterRow
from portal.models.types import utcnow
from portal.standards.words import letters_in
from portal.workflows.facts import Facts
from portal.workflows.facts import RosterRow as RowFacts

LEAST, MOST = 4, 300  # characters of a reason
MOST_NAMED = 10


def strike(facts: Facts, actor: Actor, step: str, ids: Sequence[str], reason: str) -> str:
    """Take standing rows off. Returns what the history says. Raises Refused."""
    reason = reason.strip()
    if letters_in(reason) < LEAST or len(reason) > MOST:
        raise Refused(f"退回名单中的学生须写明理由（{LEAST} 到 {MOST} 个字）")
    rows = _chosen(facts, ids, standing=True)
    values = {
        "struck_step": step,
        "struck_reason": reason,
        "struck_by_id": actor.id,
        "struck_at": utcnow(),
    }
    _write(rows, values)
    return f"{_named(rows)}：{reason}"


def counts(cases: Iterable[Case]) -> dict[uuid.UUID, int]:
    """How many people are struck from each of these rosters, where any are; cases about one pupil ask nothing."""
    ids = [case.id for case in cases if case.pupil_id is None]
    if not ids:
        return {}
    struck = select(RosterRow.case_id, func.count()).where(
        RosterRow.case_id.in_(ids), RosterRow.struck_at.is_not(None)
    )
    return {row[0]: row[1] for row in db.session.execute(struck.group_by(RosterRow.case_id))}


def put_back(facts: Facts, _actor: Actor, step: str, ids: Sequence[str], note: str) -> str:
    """Take back strikes of the same step. Returns what the history says. Raises Refused."""
    rows = _chosen(facts, ids, standing=False)
    if any(row.strike is None or row.strike.step != step for row in rows):
        raise Refused("只能恢复本环节退回的行")
    if facts.numbers and len(facts.standing_rows) + len(rows) > facts.numbers.size:
        raise Refused(f"学校申请的学号只有 {facts.numbers.size} 个，恢复后不够用；请由学校放进新名单再报")
    _write(rows, {"struck_step": "", "struck_reason": "", "struck_by_id": None, "struck_at": None})
    return f"{_named(rows)}{'：' + note.strip() if note.strip() else ''}"


def _chosen(facts: Facts, ids: Sequence[str], *, standing: bool) -> list[RowFacts]:
    chosen = set(ids)
    rows = [row for row in facts.roster if row.id in chosen and row.standing is standing]
    if not chosen:
        raise Refused("还没有选择学生，请先在名单中勾选")
    if len(rows) != len(chosen):
        raise Refused("所选的行已有变动，请刷新页面后再办", conflict=True)
    return rows


def _write(rows: Sequence[RowFacts], values: dict[str, object]) -> None:
    ids = [uuid.UUID(row.id) for row in rows]
    for several in chunks(ids):
        db.session.execute(
            update(RosterRow).where(RosterRow.id.in_(several)).values(**values),
            execution_options={"synchronize_session": False},
        )


def _named(rows: Sequence[RowFacts]) -> str:
    named = "、".join(f"第 {row.position} 行{row['name']}" for row in rows[:MOST_NAMED])
    return named if len(rows) <= MOST_NAMED else f"{named}等 {len(rows)} 人"
