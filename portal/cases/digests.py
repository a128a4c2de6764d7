"""What the audit record of an act says of its contents: keyed digests, by which what was written can be held against it later.

The same functions make a digest when an act is done and again when everything is walked through, from the rows.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from portal import keyed_digests
from portal.extensions import db
from portal.models import Admitted, AdmittedList, IntakePlan, PlanFigure

EVENT = ("case_id", "seq", "verb", "status", "step", "round", "actor_id", "office_id", "at", "note", "data")
DECISION = ("case_id", "round", "step", "verb", "actor_id", "office_id", "at", "seen", "note")
CHANGE = ("pupil_id", "column", "before", "after", "pupil_version", "correction")
PARTS: dict[type, tuple[Any, str]] = {
    IntakePlan: (PlanFigure, "plan_id"),
    AdmittedList: (Admitted, "list_id"),
}
CASE = (
    "id",
    "number",
    "workflow",
    "policy",
    "pupil_id",
    "intake_year",
    "owner_office_id",
    "holder_office_id",
    "step",
    "round",
    "created_by_id",
    "submitted_by_id",
)
CORRECTION = ("id", "case_id", "field", "read", "value", "account_id", "at")
ACCOUNT = ("id", "login", "name", "role", "office_id", "phone", "active")
OFFICE = ("id", "name", "level", "code", "parent_id", "policy", "stages", "active")
ROSTER_ROW = ("id", "position", "values", "exam_number", "id_number")


def of_event(row: Any, key_id: str = "") -> str:
    return keyed_digests.digest("event", _values(row, EVENT), key_id)


def of_decision(row: Any, key_id: str = "") -> str:
    return keyed_digests.digest("decision", _values(row, DECISION), key_id)


def of_case(row: Any, key_id: str = "") -> str:
    """Of whom a case is about, under which rules, and whose turn it is."""
    return keyed_digests.digest("case", _values(row, CASE), key_id)


def of_answers(case_id: uuid.UUID, answers: Mapping[str, Any], key_id: str = "") -> str:
    return keyed_digests.digest("answers", [case_id, answers], key_id)


def of_roster(case_id: uuid.UUID, rows: Iterable[Any], key_id: str = "") -> str:
    """Of the people of a roster as the school wrote them, whatever has become of them since."""
    ordered = sorted((_values(row, ROSTER_ROW) for row in rows), key=lambda one: (one[1], str(one[0])))
    return keyed_digests.digest("roster", [case_id, ordered], key_id)


def of_changes(case_id: uuid.UUID, rows: Iterable[Mapping[str, Any]], key_id: str = "") -> str:
    """Of what one act of a case wrote into the register, at one moment; "" for nothing."""
    rows = list(rows)
    ordered = sorted(
        ([row[name] if name != "correction" else row.get(name, 0) for name in CHANGE] for row in rows),
        key=lambda one: (str(one[0]), one[1], one[5]),
    )
    return keyed_digests.digest("changes", [case_id, rows[0]["at"], ordered], key_id) if rows else ""


def acts_of(rows: Iterable[Any]) -> dict[Any, list[Mapping[str, Any]]]:
    """{moment: the register changes that one act made then}."""
    found: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row.at].append(row._mapping)
    return found


def of_renditions(file_id: uuid.UUID, pages: Iterable[Any], key_id: str = "") -> str:
    """Of every picture that was made of a file's pages."""
    ordered = sorted([page.page, page.view, page.thumb, page.plain] for page in pages)
    return keyed_digests.digest("renditions", [file_id, ordered], key_id)


def of_reason(file: Any, key_id: str = "") -> str:
    """Of why a poor picture goes on."""
    return keyed_digests.digest("override", [file.id, file.override_reason], key_id)


def of_lines(page_id: uuid.UUID, lines: Iterable[Mapping[str, Any]], key_id: str = "") -> str:
    """Of what was read on a page. Fractions in millionths: a database may keep -0.0 as 0."""
    return keyed_digests.digest("lines", [page_id, [_rounded(dict(one)) for one in lines]], key_id)


def _rounded(value: Any) -> Any:
    if isinstance(value, float | int) and not isinstance(value, bool):
        return round(value * 1_000_000)
    if isinstance(value, Mapping):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value


def of_correction(row: Any, key_id: str = "") -> str:
    """Of what a reviewer read otherwise than the machine."""
    return keyed_digests.digest("correction", _values(row, CORRECTION), key_id)


def of_version(row: Any, key_id: str = "", session: Any = None) -> str:
    """Of a row that is written once and never changed, with what belongs to it."""
    parts = []
    if (found := PARTS.get(type(row))) is not None:
        part, parent = found
        table: Any = part.__table__
        query = select(table).where(table.c[parent] == row.id)
        parts = sorted(
            (dict(one._mapping) for one in (session or db.session).execute(query)),
            key=lambda one: keyed_digests.canonical(one),
        )
    values = {column.name: getattr(row, column.name) for column in row.__table__.columns}
    return keyed_digests.digest(row.__tablename__, [values, parts], key_id)


def of_account(row: Any, key_id: str = "") -> str:
    return keyed_digests.digest("account", _values(row, ACCOUNT), key_id)


def of_office(row: Any, key_id: str = "") -> str:
    return keyed_digests.digest("office", _values(row, OFFICE), key_id)


def _values(row: Any, names: Iterable[str]) -> list[Any]:
    return [getattr(row, name) for name in names]
