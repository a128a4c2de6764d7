"""Checked rows beside the working copy: what is added, changed, held back, landed, and what is only pointed at.

A value that an approved case of ours changed and that the export does not show yet is held: the working copy keeps it.
Where the export shows it, the case has landed. A record that a case has ended is never opened by an export, landed or not.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, select

from portal.cases import register, telling
from portal.cases.endings import standing
from portal.cases.loads.checking import ERROR, WARNING, CellFault, CheckedRow, storable
from portal.extensions import db
from portal.models import NationalEntry, Office, Pupil, RegisterChange, RosterRow, keyed_rows
from portal.models.types import new_id
from portal.standards import enrolment, grades
from portal.standards.alike import alike
from portal.standards.columns import BY_KEY
from portal.standards.school_numbers import STUDENT_NUMBER, STUDENT_NUMBER_LENGTH
from portal.workflows.facts import ANOTHER, Ending

ADDED, CHANGED, MISSING = "added", "changed", "missing"
HELD, LANDED, WARNED, FAULTY = "held", "landed", "warning", "faulty"
EMPTIED = "emptied"  # an identity number that the export would take away: for a person to confirm
WAITING, MOVED = "waiting", "moved"  # for the bureau above the school; and what its yes could no longer write
KINDS = (ADDED, CHANGED, MISSING, EMPTIED, WAITING, MOVED, HELD, LANDED, WARNED, FAULTY)
WRITTEN = (ADDED, CHANGED, MISSING)  # the kinds that applying writes into pupils
PUPILS = Pupil.__table__
STORED = tuple(column.key for column in BY_KEY.values() if column.stored)
# A pupil who entered by a roster has the 学号 in the place of the 学籍号 until the export brings that one.
HAS_NATIONAL_NUMBER = func.length(PUPILS.c.student_number) == STUDENT_NUMBER_LENGTH


@dataclass(frozen=True)
class Scope:
    """What the loading office may touch: the schools below it by id, and the identity numbers used twice in the file."""

    codes: Mapping[uuid.UUID, str]
    shared_ids: frozenset[str] = frozenset()
    school_system: str = grades.USUAL


@dataclass(frozen=True)
class Approved:
    """A change that an approved, not yet confirmed case made to one column of a pupil."""

    column: str
    before: str
    after: str


@dataclass
class _Known:
    """What the database holds about the numbers of one chunk."""

    pupils: dict[str, Any] = field(default_factory=dict)
    awaiting: dict[str, Any] = field(
        default_factory=dict
    )  # by identity number: pupils without a 学籍号 so far
    holders: dict[str, dict[str, uuid.UUID]] = field(default_factory=lambda: defaultdict(dict))
    approved: dict[uuid.UUID, list[Approved]] = field(default_factory=lambda: defaultdict(list))
    ended: dict[str, Ending] = field(default_factory=dict)  # by student number


def compare(load_id: uuid.UUID, rows: Sequence[CheckedRow], scope: Scope) -> list[dict[str, Any]]:
    """The register_load_rows of one chunk, as column -> value; equal rows give none."""
    known = _look_up(rows)
    found: list[dict[str, Any]] = []
    for row in rows:
        pupil = known.pupils.get(row.values.get("student_number", "")) or known.awaiting.get(
            row.values.get("id_number", "")
        )
        if pupil is not None and pupil.school_id not in scope.codes:
            row.faults.append(_held_outside(row, known))
            pupil = None  # a finding names nobody who is not the loading office's
        if row.faulty:
            found.append(_finding(load_id, row, pupil, FAULTY, faults=row.faults))
            continue
        if pupil is None and (ended := _ended_namesake(row, known, scope)):
            found.append(_finding(load_id, row, None, FAULTY, faults=[*row.faults, ended]))
            continue
        _point_at_shared_id(row, known, scope)
        findings = _added(row) if pupil is None else _against(row, pupil, known, scope)
        found += [_finding(load_id, row, pupil, kind, **values) for kind, values in findings]
        if row.faults:
            found.append(_finding(load_id, row, pupil, WARNED, faults=row.faults))
    return found


def _look_up(rows: Sequence[CheckedRow]) -> _Known:
    known = _Known()
    numbers = [row.values["student_number"] for row in rows if _well_formed(row)]
    for pupil in db.session.execute(select(PUPILS).where(PUPILS.c.student_number.in_(numbers))):
        known.pupils[pupil.student_number] = pupil
    ids = [row.values["id_number"] for row in rows if row.values.get("id_number") and not row.faulty]
    awaiting = select(PUPILS).where(PUPILS.c.id_number.in_(ids), ~HAS_NATIONAL_NUMBER)
    known.awaiting = {pupil.id_number: pupil for pupil in db.session.execute(awaiting)}
    columns = (PUPILS.c.id, PUPILS.c.id_number, PUPILS.c.student_number, PUPILS.c.school_id)
    holders = select(*columns).where(PUPILS.c.id_number.in_(ids))
    numbers_of = {pupil.id: number for number, pupil in known.pupils.items()}
    for pupil_id, number, student_number, school_id in db.session.execute(holders):
        known.holders[number][student_number] = school_id
        numbers_of[pupil_id] = student_number
    known.ended = {numbers_of[pupil_id]: one for pupil_id, one in standing(numbers_of.keys()).items()}
    waiting = (
        select(RegisterChange.pupil_id, RegisterChange.column, RegisterChange.before, RegisterChange.after)
        .join(NationalEntry, NationalEntry.case_id == RegisterChange.case_id)
        .where(
            NationalEntry.confirmed_at.is_(None),
            RegisterChange.pupil_id.in_([pupil.id for pupil in known.pupils.values()]),
        )
        .order_by(RegisterChange.pupil_version)
    )
    entered = (  # by a roster that no export has shown so far
        select(RegisterChange.pupil_id, RegisterChange.column, RegisterChange.before, RegisterChange.after)
        .join(
            RosterRow,
            (RosterRow.case_id == RegisterChange.case_id) & (RosterRow.pupil_id == RegisterChange.pupil_id),
        )
        .where(
            RosterRow.landed_load_id.is_(None),
            RosterRow.pupil_id.in_(
                [pupil.id for pupil in (*known.pupils.values(), *known.awaiting.values())]
            ),
        )
    )
    for query in (entered, waiting):
        for pupil_id, column, before, after in db.session.execute(query):
            known.approved[pupil_id].append(Approved(column, before, after))
    return known


def _well_formed(row: CheckedRow) -> bool:
    return bool(STUDENT_NUMBER.fullmatch(row.values.get("student_number", "")))


def _added(row: CheckedRow) -> Iterable[tuple[str, dict[str, Any]]]:
    after = {key: text for key, text in row.values.items() if text or BY_KEY[key].stored}
    yield ADDED, {"pupil_id": new_id(), "after": after}


def _against(
    row: CheckedRow, pupil: Any, known: _Known, scope: Scope
) -> Iterable[tuple[str, dict[str, Any]]]:
    """The findings about a row whose pupil the working copy has."""
    present = stored_texts(pupil, scope.codes)
    approved = known.approved.get(pupil.id, [])
    before: dict[str, str | None] = {}
    after: dict[str, str | None] = {}
    held: dict[str, str] = {}
    told: list[CellFault] = []
    record = _common(row.values, present, scope.school_system)
    for key, text in row.values.items():
        if text == (here := present.get(key) or "") or alike(key, text, here, record, scope.school_system):
            continue
        if (
            key == "id_number"
            and not text
            and not any(_still_before(one, key, text, record) for one in approved)
        ):
            yield EMPTIED, {"before": {key: here}, "after": {key: text}, "faults": [_emptied(key, here)]}
            continue
        ended = known.ended.get(pupil.student_number) if key == enrolment.STATUS else None
        if ended and text not in enrolment.TERMINAL:
            held[key] = text
            told.append(_ended(key, text, ended, WARNING))
        elif any(_still_before(one, key, text, record) for one in approved):
            held[key] = text
        else:
            before[key], after[key] = present.get(key), text
            _point_at_third_value(row, key, approved)
    if pupil.gone_since is not None:
        before["gone_since"], after["gone_since"] = pupil.gone_since.isoformat(), None
    if after:
        yield CHANGED, {"before": before, "after": after}
    if held:
        yield HELD, {"before": {key: present.get(key) for key in held}, "after": held, "faults": told}
    shown = {one.column: row.values[one.column] for one in approved if one.column in row.values}
    if any(alike(one.column, one.after, shown.get(one.column) or "", record) for one in approved):
        yield LANDED, {"after": shown}


def _still_before(one: Approved, key: str, text: str, record: Mapping[str, str | None]) -> bool:
    """Whether the export shows what stood there before an approved change."""
    return one.column == key and alike(key, one.before, text, record)


def _common(
    values: Mapping[str, str], present: Mapping[str, str | None], system: str
) -> Mapping[str, str | None]:
    """The stage and grade that row and record share: what 一年级 and （2）班 are is said by them."""
    stage = present.get("stage") or ""
    if values.get("stage", stage) != stage:
        return {}
    grade = present.get("grade") or ""
    shared = alike("grade", values.get("grade", grade), grade, {"stage": stage}, system)
    return {"stage": stage, "grade": grade if shared else ""}


def _emptied(key: str, number: str) -> CellFault:
    """An identity number is never taken away by an empty cell: a person looks and says so (emptied.py)."""
    return CellFault(
        key,
        BY_KEY[key].title,
        BY_KEY[key].shown(number),
        "名单中这一格是空的，登记中已有证件号，保留原号",
        "确需清空的，核对后勾选确认；没有确认的不改动",
        WARNING,
    )


def _ended(key: str, text: str, ended: Ending, level: str) -> CellFault:
    """An export that shows an ended record as open: a finding with the case that ended it, never a change."""
    return CellFault(
        key,
        BY_KEY[key].title,
        BY_KEY[key].shown(text),
        f"该生已于 {ended.day} 经 {ended.number}（{ended.title}）批准，不得恢复学籍，这一项不载入",
        "请核对全国学籍系统是否已录入或被误恢复；确属错误批准的，另案撤销",
        level,
    )


def _ended_namesake(row: CheckedRow, known: _Known, scope: Scope) -> CellFault | None:
    """A new student number for a person whose record a case has ended is the same return under another number."""
    number = row.values.get("id_number", "")
    holders = known.holders.get(number, {}) if number else {}
    ended = next((one for one in holders if one in known.ended), None)
    if ended is None:
        return None
    if holders[ended] not in scope.codes:
        return _another("id_number", number, ERROR)
    return _ended("id_number", number, known.ended[ended], ERROR)


def _point_at_third_value(row: CheckedRow, key: str, approved: Iterable[Approved]) -> None:
    ours = [one.after for one in approved if one.column == key]
    if ours:
        reason = f"本系统已批准改为“{BY_KEY[key].shown(ours[-1])}”，导出文件却是另一个值"
        remedy = "按导出文件载入；请核对全国学籍系统的录入是否有误"
        row.faults.append(CellFault(key, BY_KEY[key].title, row.values[key], reason, remedy, WARNING))


def stored_texts(pupil: Any, codes: Mapping[uuid.UUID, str]) -> dict[str, str | None]:
    """{column key: text} of a row of the pupils table; a loose item that was never there is left out."""
    texts: dict[str, str | None] = dict(pupil.particulars)
    for key in STORED:
        value = getattr(pupil, key)
        texts[key] = value.isoformat() if isinstance(value, date) else value or ""
    return texts | {"school_code": codes.get(pupil.school_id, "")}


def _held_outside(row: CheckedRow, known: _Known) -> CellFault:
    number = row.values.get("student_number", "")
    by = "student_number" if number in known.pupils else "id_number"
    return _another(by, row.values[by], ERROR)


def _another(key: str, text: str, level: str) -> CellFault:
    """Somebody of another office has this number: that is all the loading office is told, whatever it means for the row."""
    return CellFault(key, BY_KEY[key].title, text, ANOTHER, telling.PLAIN_REMEDY, level)


def _point_at_shared_id(row: CheckedRow, known: _Known, scope: Scope) -> None:
    number = row.values.get("id_number", "")
    own = known.awaiting.get(number)
    mine = {row.values["student_number"], own.student_number if own else ""}
    others = {one: school for one, school in known.holders.get(number, {}).items() if one not in mine}
    if not number or not (others or number in scope.shared_ids):
        return
    if number not in scope.shared_ids and not any(school in scope.codes for school in others.values()):
        row.faults.append(_another("id_number", number, WARNING))
        return
    where = "文件中另有一行" if number in scope.shared_ids else "登记中另有一个学籍号"
    row.faults.append(
        CellFault(
            "id_number",
            BY_KEY["id_number"].title,
            number,
            f"{where}使用同一身份证件号，可能一人多籍",
            "照原样载入；请查明后按问题学籍处理办法认定保留哪一份",
            WARNING,
        )
    )


def _finding(load_id: uuid.UUID, row: CheckedRow, pupil: Any, kind: str, **values: Any) -> dict[str, Any]:
    faults: list[CellFault] = values.pop("faults", [])
    return {
        "load_id": load_id,
        "row": row.row,
        "kind": kind,
        "pupil_id": pupil.id if pupil is not None else None,
        "pupil_version": pupil.version if pupil is not None else 0,
        "student_number": storable(row.values.get("student_number", ""))[:20],
        "name": storable(row.values.get("name", ""))[:80],
        "before": {},
        "after": {},
        "faults": [fault.as_json() for fault in faults],
    } | values


def new_pupil(
    load_id: uuid.UUID, pupil_id: uuid.UUID, school_id: uuid.UUID, after: Mapping[str, str]
) -> dict[str, Any]:
    """The pupils row of an added pupil."""
    blank = Pupil(particulars={})
    texts = {key: text for key, text in after.items() if key != "school_code"}
    row = {key: "" for key in STORED if key != "birth_date"} | {"enrolment_status": "01", "birth_date": None}
    values = {
        **row,
        "id": pupil_id,
        "load_id": load_id,
        "school_id": school_id,
        "particulars": {},
        "gone_since": None,
        "version": 0,
        **register.attributes(blank, texts),
    }
    return keyed_rows.keyed(PUPILS.name, None, values)


def changed_pupil(
    pupil: Any, texts: Mapping[str, str | None], schools: Mapping[str, uuid.UUID]
) -> dict[str, Any]:
    """The pupils row after {column: text} was written over it; None takes a loose item away."""
    columns = {key: text or "" for key, text in texts.items() if key in BY_KEY and BY_KEY[key].stored}
    loose = {key: text for key, text in texts.items() if key in BY_KEY and not BY_KEY[key].stored}
    school = loose.pop("school_code", None)
    values = dict(pupil._mapping) | register.attributes(pupil, columns)
    if loose:
        merged = {**pupil.particulars, **loose}
        values["particulars"] = {key: text for key, text in merged.items() if text is not None}
    if school:
        values["school_id"] = schools[school]
    if "gone_since" in texts:
        gone = texts["gone_since"]
        values["gone_since"] = date.fromisoformat(gone) if gone else None
    return keyed_rows.keyed(PUPILS.name, pupil._mapping, values | {"version": pupil.version + 1})


def schools_of(office: Office) -> Any:
    """The schools at or below an office: rows of (id, code, stages)."""
    return db.session.execute(
        select(Office.id, Office.code, Office.stages).where(
            Office.path.startswith(office.path, autoescape=True), Office.level == "school"
        )
    ).all()
