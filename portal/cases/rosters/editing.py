"""Changes to the rows of a roster by its school. Each is an "edit" of the case, so that a stale page is refused and the
case's version tells that something changed; the caller commits.

Texts are kept as stored where they can be read, else as typed, so that nothing a person wrote is lost to an error.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, update

from portal.cases import clock
from portal.cases.access import Actor
from portal.cases.actions import perform
from portal.cases.intake import plans
from portal.cases.offices import supervisor
from portal.cases.refusing import Refused
from portal.cases.rosters.cells import Judge
from portal.cases.rosters.reading import FROM_LIST, chunks
from portal.extensions import db
from portal.models import OPEN, Admitted, Case, Level, RosterRow, Status
from portal.models.types import new_id
from portal.workflows import workflow
from portal.workflows.roster import Roster

MOST_ROWS = 5000
CLASS = "class_name"
ROWS = RosterRow.__table__


def replace_rows(case: Case, actor: Actor, seen: str, rows: Sequence[Mapping[str, str]]) -> None:
    """Put these rows, {column: text}, in the place of the whole roster. Raises Refused."""
    perform(case, actor, "edit", seen)
    if len(rows) > MOST_ROWS:
        raise Refused(f"一份名单最多 {MOST_ROWS} 行")
    judge = judge_of(case)
    db.session.execute(delete(ROWS).where(ROWS.c.case_id == case.id))
    _insert(case, judge, rows, 1)


def add_rows(case: Case, actor: Actor, seen: str, rows: Sequence[Mapping[str, str]]) -> int:
    """Put rows at the end; returns the position of the first. Raises Refused."""
    perform(case, actor, "edit", seen)
    count, last = db.session.execute(
        select(func.count(), func.coalesce(func.max(ROWS.c.position), 0)).where(ROWS.c.case_id == case.id)
    ).one()
    if count + len(rows) > MOST_ROWS:
        raise Refused(f"一份名单最多 {MOST_ROWS} 行")
    _insert(case, judge_of(case), rows, last + 1)
    return int(last) + 1


def change_row(
    case: Case,
    actor: Actor,
    seen: str,
    row_id: uuid.UUID,
    texts: Mapping[str, str],
    *,
    unchanged: bool = False,
) -> None:
    """Write one row anew. A row that a bureau struck stands again once something of it has been mended, or where the school
    says that it is right as it is (`unchanged`). Raises Refused."""
    perform(case, actor, "edit", seen)
    values, _faults = judge_of(case).row(texts)
    held = db.session.execute(select(ROWS.c["values"], ROWS.c.struck_at).where(ROWS.c.id == row_id)).first()
    if held and held.struck_at is not None and not unchanged and dict(held[0]) == values:
        raise Refused("这一行被退回，内容还没有改动。内容无误的，请勾选“核对无误，放回名单”后保存")
    done = db.session.execute(
        update(ROWS)
        .where(ROWS.c.id == row_id, ROWS.c.case_id == case.id)
        .values(
            values=values,
            exam_number=values["exam_number"][:20],
            id_number=values["id_number"][:20],
            struck_step="",
            struck_reason="",
            struck_by_id=None,
            struck_at=None,
        )
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused("这一行已不在名单中，请刷新页面", conflict=True)


def remove_rows(case: Case, actor: Actor, seen: str, ids: Sequence[uuid.UUID]) -> int:
    """Take rows out of the roster; how many there were. Raises Refused."""
    if not ids:
        raise Refused("还没有选择学生，请先在名单中勾选")
    perform(case, actor, "edit", seen)
    gone = 0
    for several in chunks(ids):
        done = db.session.execute(delete(ROWS).where(ROWS.c.id.in_(several), ROWS.c.case_id == case.id))
        gone += done.rowcount  # type: ignore[attr-defined]
    return gone


def assign_class(
    case: Case, actor: Actor, seen: str, ids: Sequence[uuid.UUID], class_name: str
) -> tuple[int, str]:
    """Write one class into several rows; (how many, the class as kept). Raises Refused."""
    if not ids:
        raise Refused("还没有选择学生，请先在名单中勾选")
    if not class_name.strip():
        raise Refused("请填写班级")
    values, faults = judge_of(case).row({CLASS: class_name})
    if CLASS in faults:
        raise Refused(f"班级{faults[CLASS][0]}")
    perform(case, actor, "edit", seen)
    changed = []
    for several in chunks(ids):
        query = select(ROWS.c.id, ROWS.c["values"]).where(ROWS.c.id.in_(several), ROWS.c.case_id == case.id)
        for row_id, texts in db.session.execute(query):
            changed.append({"row_id": row_id, "new_values": {**texts, CLASS: values[CLASS]}})
    if changed:
        written = update(ROWS).where(ROWS.c.id == bindparam("row_id"))
        db.session.connection().execute(written.values(values=bindparam("new_values")), changed)
    return len(changed), values[CLASS]


def add_admitted(case: Case, actor: Actor, seen: str, exam_numbers: Sequence[str] | None = None) -> int:
    """Put people from the school's list of the admitted at the end, all who are not there yet or these; how many.
    Raises Refused."""
    chosen = None if exam_numbers is None else set(exam_numbers)
    wanted = [one for one in not_on(case) if chosen is None or one.exam_number in chosen]
    if not wanted:
        raise Refused("录取名单中没有可以加入的学生")
    texts = [{key: _text(getattr(one, key)) for key in FROM_LIST} for one in wanted]
    add_rows(case, actor, seen, texts)
    return len(wanted)


def unsent_roster(school_id: uuid.UUID, workflow_id: str) -> Case | None:
    """A roster of the school that is a draft or has come back, the newest."""
    query = select(Case).where(
        Case.owner_office_id == school_id,
        Case.workflow == workflow_id,
        Case.status.in_((Status.DRAFT, Status.RETURNED)),
    )
    return db.session.scalars(query.order_by(Case.created_at.desc()).limit(1)).unique().one_or_none()


def open_roster_of(case: Case, exam_numbers: Sequence[str]) -> Case | None:
    """Another roster of the same school, still open, on which one of these people stands."""
    query = (
        select(Case)
        .join(RosterRow, RosterRow.case_id == Case.id)
        .where(
            Case.owner_office_id == case.owner_office_id,
            Case.id != case.id,
            Case.status.in_(OPEN),
            RosterRow.exam_number.in_(list(exam_numbers)),
        )
    )
    return db.session.scalars(query.limit(1)).unique().one_or_none()


def not_on(case: Case) -> list[Any]:
    """Who is admitted to the school and stands neither on this roster nor on one that is under way or approved, in order of
    exam number. Whom a bureau struck may be sent again."""
    state = supervisor(case.owner, Level.STATE)
    admitted = plans.list_of(state.id, case.intake_year or 0) if state else None
    if admitted is None:
        return []
    here = (
        select(RosterRow.exam_number)
        .join(Case, Case.id == RosterRow.case_id)
        .where(
            Case.owner_office_id == case.owner_office_id,
            Case.intake_year == case.intake_year,
            or_(
                Case.id == case.id,
                and_(Case.status.in_(plans.SPOKEN_FOR), RosterRow.struck_at.is_(None)),
            ),
        )
    )
    query = (
        select(Admitted)
        .where(
            Admitted.list_id == admitted.id,
            Admitted.school_id == case.owner_office_id,
            Admitted.exam_number.not_in(here),
        )
        .order_by(Admitted.exam_number)
    )
    return list(db.session.scalars(query))


def judge_of(case: Case) -> Judge:
    return Judge(roster_of(case), case.owner.name, clock.today())


def roster_of(case: Case) -> Roster:
    """The roster's law. Raises ValueError for a case about one pupil."""
    roster = workflow(case.workflow).roster
    if roster is None:
        raise ValueError(f"case {case.number} has no roster")
    return roster


def _insert(case: Case, judge: Judge, rows: Sequence[Mapping[str, str]], first: int) -> None:
    made = []
    for position, texts in enumerate(rows, start=first):
        values, _faults = judge.row(texts)
        made.append(
            {
                "id": new_id(),
                "case_id": case.id,
                "position": position,
                "values": values,
                "exam_number": values["exam_number"][:20],
                "id_number": values["id_number"][:20],
                "secondary_number": "",
                "struck_step": "",
                "struck_reason": "",
            }
        )
    if made:
        db.session.execute(insert(ROWS), made)


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
