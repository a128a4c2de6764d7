"""People who entered the register between the check of a load and its writing: what the check took for somebody new may be one
of them by now. Only rosters and other loads bring people in."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import or_, select

from portal.cases.access import offices_under
from portal.cases.loads.comparing import PUPILS, WARNED
from portal.extensions import db
from portal.models import Case, Item, Office, RegisterLoad, RegisterLoadRow, RosterRow
from portal.standards import names

ROWS = RegisterLoadRow.__table__
COLUMNS = [PUPILS.c[key] for key in ("id", "id_number", "student_number", "name_key", "birth_date")]
_Place = tuple[str, str, str]  # school code, folded name, birth date


@dataclass(frozen=True)
class Newcomers:
    """Those of a load's office, by what a row of an export may have in common with them."""

    load_id: uuid.UUID
    by_identity: dict[str, set[str]]
    without_number: dict[_Place, set[str]]

    @classmethod
    def since(cls, load: RegisterLoad) -> Newcomers:
        """Who came after the file of the load was received; who was there at the check already is told apart by claim()."""
        entered = select(RosterRow.pupil_id).join(Case, Case.id == RosterRow.case_id)
        written = select(Item.source_id).where(Item.kind == "load", Item.last_run >= load.created_at)
        loaded = select(RegisterLoad.id).where(
            or_(RegisterLoad.applied_at >= load.created_at, RegisterLoad.id.in_(written)),
            RegisterLoad.id != load.id,
        )
        here = select(Office.id).where(
            Office.id.in_(offices_under(load.office.path)), Office.level == "school"
        )
        query = (
            select(*COLUMNS, Office.code)
            .join(Office, Office.id == PUPILS.c.school_id)
            .where(
                PUPILS.c.school_id.in_(here),
                or_(
                    PUPILS.c.id.in_(entered.where(Case.ended_at >= load.created_at)),
                    PUPILS.c.load_id.in_(loaded),
                ),
            )
        )
        found = cls(load.id, {}, {})
        for pupil in db.session.execute(query):
            if pupil.id_number:
                found.by_identity.setdefault(pupil.id_number, set()).add(pupil.id.hex)
            if pupil.student_number is None:
                place = (pupil.code, pupil.name_key, _day(pupil.birth_date))
                found.without_number.setdefault(place, set()).add(pupil.id.hex)
        return found

    def claim(self, rows: Sequence[Any]) -> set[int]:
        """The ids of those rows about an added pupil that may be about one of them."""
        met = {row.id: who for row in rows if (who := self._met(row.after))}
        if not met:
            return set()
        query = select(ROWS.c.id, ROWS.c.row, ROWS.c.asked).where(ROWS.c.id.in_(met))
        rest = {one.id: (one.row, set(one.asked.get("not", []))) for one in db.session.execute(query)}
        told = told_of(self.load_id, [row for row, _ in rest.values()])
        return {
            row_id
            for row_id, (identical, namesakes) in met.items()
            if (identical and rest[row_id][0] not in told) or namesakes - rest[row_id][1]
        }

    def _met(self, texts: dict[str, str]) -> tuple[set[str], set[str]] | None:
        identical = self.by_identity.get(texts.get("id_number", ""), set())
        place = (texts["school_code"], names.name_key(texts["name"]), texts.get("birth_date", ""))
        namesakes = self.without_number.get(place, set())
        return (identical, namesakes) if identical or namesakes else None


def told_of(load_id: uuid.UUID, rows: Sequence[int]) -> set[int]:
    """Rows of the sheet of which the check said that somebody has the identity number."""
    warned = select(ROWS.c.row, ROWS.c.faults).where(
        ROWS.c.load_id == load_id, ROWS.c.kind == WARNED, ROWS.c.row.in_(rows)
    )
    return {
        row
        for row, faults in db.session.execute(warned)
        if any(fault["column"] == "id_number" for fault in faults)
    }


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
