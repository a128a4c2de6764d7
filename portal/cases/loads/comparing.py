"""Checked rows beside the working copy: what is added, changed, held back, landed, and what is only pointed at.

A value that an approved case of ours changed and that the export does not show yet is held: the working copy keeps it.
Where the export shows it, the case has landed. A record that a case has ended is never opened by an export, landed or not.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select

from portal.cases import register, telling
from portal.cases.endings import standing
from portal.cases.loads import matching
from portal.cases.loads.checking import ERROR, WARNING, CellFault, CheckedRow, storable
from portal.extensions import db
from portal.models import NationalEntry, Office, Pupil, RegisterChange, RosterRow, keyed_rows
from portal.models.types import new_id
from portal.standards import enrolment, grades
from portal.standards.alike import alike
from portal.standards.columns import BY_KEY
from portal.workflows.facts import ANOTHER, Ending

ADDED, CHANGED, MISSING, RENUMBERED = "added", "changed", "missing", "renumber"
HELD, LANDED, WARNED, FAULTY = "held", "landed", "warning", "faulty"
EMPTIED = "emptied"  # an identity number that the export would take away: for a person to confirm
WAITING, MOVED = "waiting", "moved"  # for the bureau above the school; and what its yes could no longer write
KINDS = (ADDED, CHANGED, MISSING, RENUMBERED, EMPTIED, WAITING, MOVED, HELD, LANDED, WARNED, FAULTY)
WRITTEN = (ADDED, CHANGED, MISSING)  # the kinds that applying writes into pupils
PUPILS = Pupil.__table__
STORED = tuple(column.key for column in BY_KEY.values() if column.stored)
NOBODY = SimpleNamespace(particulars={})  # as the pupil before there was one
_BLANK = dict.fromkeys(STORED, "") | {
    **{"enrolment_status": "01", "birth_date": None, "student_number": None},
    **{"gone_since": None, "version": 0},
}


@dataclass(frozen=True)
class Scope:
    """What the loading office may touch: the schools below it by id. And what a whole walk over the file told: the identity
    numbers used twice, all student numbers, the rows that have a name and birth date in common."""

    codes: Mapping[uuid.UUID, str]
    shared_ids: frozenset[str] = frozenset()
    school_system: str = grades.USUAL
    numbers: Collection[str] = frozenset()
    twins: Collection[int] = frozenset()
    taken: dict[uuid.UUID, int] = field(default_factory=dict)  # pupil -> the row that brings a number


@dataclass(frozen=True)
class Approved:
    """A change that an approved, not yet confirmed case made to one column of a pupil."""

    column: str
    before: str
    after: str


@dataclass
class _Known:
    """What the database holds about the numbers of one chunk."""

    around: matching.Around
    approved: dict[uuid.UUID, list[Approved]] = field(default_factory=lambda: defaultdict(list))
    ended: dict[uuid.UUID, Ending] = field(default_factory=dict)


def compare(
    load_id: uuid.UUID,
    rows: Sequence[CheckedRow],
    scope: Scope,
    said: Mapping[int, uuid.UUID | None] = {},
) -> list[dict[str, Any]]:
    """The register_load_rows of one chunk, as column -> value; equal rows give none. `said` tells of rows whom they are about,
    by the word of a person; None is somebody new."""
    known = _look_up(rows, scope, [one for one in said.values() if one])
    found: list[dict[str, Any]] = []
    for row in rows:
        about = _about(row, known, scope, said)
        pupil = about.pupil
        if any(one.school_id not in scope.codes for one in (*about.maybe, *([pupil] if pupil else []))):
            row.faults.append(_held_outside(row, known))
            pupil, about = None, matching.Match()  # a finding names nobody who is not the loading office's
        if row.faulty:
            finding = _finding(load_id, row, pupil, FAULTY, faults=row.faults)
            found.append(finding | {"asked": _may_be(row, pupil, known)})
            continue
        still_ended = about.maybe and row.values.get(enrolment.STATUS) in enrolment.TERMINAL
        if pupil is None and not still_ended and (ended := _ended_namesake(row, known, scope)):
            found.append(_finding(load_id, row, None, FAULTY, faults=[*row.faults, ended]))
            continue
        if about.maybe:
            found.append(_asked(load_id, row, about, known, scope))
            continue
        _point_at_shared_id(row, pupil, known, scope)
        findings = _added(row) if pupil is None else _against(row, pupil, known, scope)
        found += [_finding(load_id, row, pupil, kind, **values) for kind, values in findings]
        if row.faults:
            found.append(_finding(load_id, row, pupil, WARNED, faults=row.faults))
    return found


def _about(
    row: CheckedRow, known: _Known, scope: Scope, said: Mapping[int, uuid.UUID | None]
) -> matching.Match:
    """Whom a row is about. Of two rows about one pupil the second is asked about; one with a former number is left out where
    another has the present one."""
    if row.row in said:
        told = said[row.row]
        return matching.Match(known.around.named[told] if told else None)
    about = matching.match(row, known.around, scope.numbers, scope.shared_ids, row.row in scope.twins)
    if about.pupil is not None and matching.is_stale(row, about.pupil, scope.numbers):
        row.faults.append(_stale(row))
        return about
    only = about.pupil if about.pupil is not None else (about.maybe[0] if about.agrees else None)
    if only is not None and scope.taken.setdefault(only.id, row.row) != row.row:
        return matching.taken(row, only, scope.taken[only.id])
    return about


def _may_be(row: CheckedRow, pupil: Any, known: _Known) -> dict[str, Any]:
    """Whom a row with errors may be about, where no number says it: nobody of them is missing from the file."""
    people = [] if pupil is not None else matching.candidates(row, known.around)
    return {"pupils": [one.id.hex for one in people]} if people else {}


def _look_up(rows: Sequence[CheckedRow], scope: Scope, named: Sequence[uuid.UUID]) -> _Known:
    known = _Known(matching.look_up(rows, scope.codes, named))
    people = known.around.everybody().keys()
    holding = {pupil_id for holders in known.around.holders.values() for pupil_id in holders}
    known.ended = standing(people | holding)
    columns = (RegisterChange.pupil_id, RegisterChange.column, RegisterChange.before, RegisterChange.after)
    waiting = (
        select(*columns)
        .join(NationalEntry, NationalEntry.case_id == RegisterChange.case_id)
        .where(NationalEntry.confirmed_at.is_(None), RegisterChange.pupil_id.in_(people))
        .order_by(RegisterChange.pupil_version)
    )
    entered = (  # by a roster that no export has shown so far
        select(*columns)
        .join(
            RosterRow,
            (RosterRow.case_id == RegisterChange.case_id) & (RosterRow.pupil_id == RegisterChange.pupil_id),
        )
        .where(RosterRow.landed_load_id.is_(None), RosterRow.pupil_id.in_(people))
    )
    for query in (entered, waiting):
        for pupil_id, column, before, after in db.session.execute(query):
            known.approved[pupil_id].append(Approved(column, before, after))
    return known


def _asked(
    load_id: uuid.UUID, row: CheckedRow, about: matching.Match, known: _Known, scope: Scope
) -> dict[str, Any]:
    """A row that a person has to say of whom it is about, with all that is needed to go on from the answer."""
    only = about.maybe[0] if len(about.maybe) == 1 else None
    before, after = {}, {"student_number": row.values["student_number"]}
    for kind, values in _against(row, only, known, scope) if only is not None else ():
        if kind == CHANGED:
            before, after = values["before"], values["after"]
    asked = {
        "values": row.values,
        "faults": [fault.as_json() for fault in row.faults],
        "pupils": [one.id.hex for one in about.maybe],
        "shared": row.values.get("id_number", "") in scope.shared_ids,
    }
    finding = _finding(load_id, row, only, RENUMBERED, faults=about.doubts)
    return finding | {"before": before, "after": after, "asked": asked, "agrees": about.agrees}


def _added(row: CheckedRow) -> Iterable[tuple[str, dict[str, Any]]]:
    after = {key: text for key, text in row.values.items() if text or BY_KEY[key].stored}
    yield ADDED, {"pupil_id": new_id(), "after": after}


def _against(
    row: CheckedRow, pupil: Any, known: _Known, scope: Scope
) -> Iterable[tuple[str, dict[str, Any]]]:
    """The findings about a row whose pupil the working copy has."""
    present = stored_texts(pupil, scope.codes)
    approved = known.approved.get(pupil.id, [])
    if not approved and pupil.gone_since is None and row.values.items() <= present.items():
        return  # nearly every row of a later load
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
        if key == "student_number" and text in known.around.former[pupil.id]:
            held[key] = text
            told.append(_former(row))
            continue
        ended = known.ended.get(pupil.id) if key == enrolment.STATUS else None
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


def _former(row: CheckedRow) -> CellFault:
    """An export that still shows a number that the pupil had before takes nothing back."""
    return CellFault(
        "student_number",
        BY_KEY["student_number"].title,
        row.values["student_number"],
        "是该生以前的学籍号，登记中已换为新号，保留新号",
        "请重新从全国学籍系统导出；新号有误的，请核对换号的依据",
        WARNING,
    )


def _stale(row: CheckedRow) -> CellFault:
    return CellFault(
        "student_number",
        BY_KEY["student_number"].title,
        row.values["student_number"],
        "是该生以前的学籍号，文件中另有一行是该生现在的学籍号，这一行不载入",
        "请删去旧学籍号的一行",
    )


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
    holders = known.around.holders.get(number, {}) if number else {}
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


_VALUES = attrgetter(*STORED)


def stored_texts(pupil: Any, codes: Mapping[uuid.UUID, str]) -> dict[str, str | None]:
    """{column key: text} of a row of the pupils table; a loose item that was never there is left out."""
    texts: dict[str, str | None] = dict(pupil.particulars)
    for key, value in zip(STORED, _VALUES(pupil), strict=True):
        texts[key] = value.isoformat() if isinstance(value, date) else value or ""
    texts["school_code"] = codes.get(pupil.school_id, "")
    return texts


def _held_outside(row: CheckedRow, known: _Known) -> CellFault:
    number = row.values.get("student_number", "")
    by = (
        "id_number"
        if row.values.get("id_number") and number not in known.around.by_number
        else "student_number"
    )
    return _another(by, row.values[by], ERROR)


def _another(key: str, text: str, level: str) -> CellFault:
    """Somebody of another office has this number: that is all the loading office is told, whatever it means for the row."""
    return CellFault(key, BY_KEY[key].title, text, ANOTHER, telling.PLAIN_REMEDY, level)


def _point_at_shared_id(row: CheckedRow, pupil: Any, known: _Known, scope: Scope) -> None:
    number = row.values.get("id_number", "")
    holders = known.around.holders.get(number, {})
    others = {one: school for one, school in holders.items() if pupil is None or one != pupil.id}
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
        "asked": {},
        "agrees": False,
    } | values


def new_pupil(
    load_id: uuid.UUID, pupil_id: uuid.UUID, school_id: uuid.UUID, after: Mapping[str, str]
) -> dict[str, Any]:
    """The pupils row of an added pupil."""
    texts = dict(after)
    texts.pop("school_code", None)
    values = {
        **_BLANK,
        "id": pupil_id,
        "load_id": load_id,
        "school_id": school_id,
        "particulars": {},
        **register.attributes(NOBODY, texts),
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
