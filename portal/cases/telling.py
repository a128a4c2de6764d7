"""What somebody may be told of a record that another one meets: all of it where they may read it, else that there is one.

Every sentence about another pupil or another pupil's case goes through `told`: rules, rows of rosters, findings of loads. Who
is not theirs is not described: no number, date, kind, name or school, and not whether the record is open or has ended.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select

from portal.cases.access import Actor, pupils_visible_to, visible_to
from portal.extensions import db
from portal.models import Case, Office, Pupil
from portal.workflows.facts import ANOTHER

PLAIN_REMEDY = "请核对号码；号码无误的，请联系主管教育局查明"


@dataclass(frozen=True)
class Reader:
    """Whose eyes a sentence is for, as the conditions by which pupils and cases are theirs to read."""

    pupils: ColumnElement[bool]
    cases: ColumnElement[bool]

    @classmethod
    def of(cls, actor: Actor) -> Reader:
        return cls(pupils_visible_to(actor), visible_to(actor))

    @classmethod
    def of_school(cls, school: Office) -> Reader:
        """The school that keeps a case, whoever of its people reads."""
        return cls(Pupil.school_id == school.id, Case.owner_office_id == school.id)

    def pupils_among(self, ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
        """Those of these pupils that they may read."""
        return (
            set(db.session.scalars(select(Pupil.id).where(Pupil.id.in_(ids), self.pupils))) if ids else set()
        )

    def cases_among(self, ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
        """Those of these cases that they may read."""
        return set(db.session.scalars(select(Case.id).where(Case.id.in_(ids), self.cases))) if ids else set()


def told(full: str, *, readable: bool) -> str:
    """The whole sentence for who may read all that it rests on, else the plain one."""
    return full if readable else ANOTHER
