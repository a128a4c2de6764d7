"""The examination authority's sheet of the admitted, cell by cell: texts as written -> rows of `admitted`, and what is wrong."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from portal.cases import clock
from portal.cases.rosters.cells import Fault, Judge
from portal.cases.rosters.reading import FROM_LIST
from portal.cases.rosters.sheet import SheetRows
from portal.models import Office
from portal.workflows.roster import Roster, RosterColumn

SCHOOL = RosterColumn(
    "admitted_to",
    "录取学校",
    aliases=("录取学校名称", "学校标识码", "录取学校标识码", "录取学校代码", "高中就读学校"),
    is_number=True,  # where it is given by its code
)
COUNTY = RosterColumn(
    "exam_county", "中考报名县市", aliases=("中考报名所在县市", "报名县市", "中考报名县（市）", "报名县区")
)
NO_SCHOOL = "没有这所高中"
TWICE = "请核对，同一人只能列一次"


@dataclass(frozen=True)
class CellFault:
    """One cell that cannot be taken: row in the sheet, column, what stands there, why, what to do."""

    row: int
    title: str
    value: str
    reason: str
    remedy: str


@dataclass
class Judged:
    """`rows` are values of the table `admitted` without id and list, `faults` in the order of the sheet."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    faults: list[CellFault] = field(default_factory=list)


@dataclass(frozen=True)
class Schools:
    """The schools that somebody can be admitted to, by what a sheet may call them; a name that two have is no name."""

    by_code: Mapping[str, uuid.UUID]
    by_name: Mapping[str, uuid.UUID | None]

    @classmethod
    def of(cls, schools: Sequence[Office]) -> Schools:
        names: dict[str, uuid.UUID | None] = {}
        for one in schools:
            names[one.name] = None if one.name in names else one.id
        return cls({one.code: one.id for one in schools}, names)

    def find(self, text: str) -> tuple[uuid.UUID | None, Fault | None]:
        if text in self.by_code:
            return self.by_code[text], None
        if text in self.by_name and self.by_name[text] is None:
            return None, ("有两所同名的高中", "请填学校标识码")
        found = self.by_name.get(text)
        remedy = "请填本州高中的全称或学校标识码；新学校请先由管理员建立单位"
        return found, None if found else (NO_SCHOOL, remedy)


def columns(roster: Roster) -> tuple[RosterColumn, ...]:
    """Those of the roster that the list has too, and whither and whence."""
    return (*(column for column in roster.columns if column.key in FROM_LIST), SCHOOL, COUNTY)


def judge(roster: Roster, sheet: SheetRows, schools: Schools) -> Judged:
    """Judge every cell of a sheet that has all the columns it needs."""
    asked = columns(roster)
    titles = {column.key: column.title for column in asked}
    cells = Judge(replace(roster, columns=asked), "", clock.today())
    judged = Judged()
    met: dict[tuple[str, str], int] = {}
    for number, texts in sheet.rows:
        values, faults = cells.row(texts)
        school_id = _school(values, faults, schools)
        _twice(values, faults, met, number)
        judged.faults += [
            CellFault(number, titles[key], values[key] or texts.get(key, "")[:80], reason, remedy)
            for key, (reason, remedy) in faults.items()
        ]
        if not faults and not judged.faults:
            judged.rows.append(_row(values, school_id))
    return judged


def _school(values: Mapping[str, str], faults: dict[str, Fault], schools: Schools) -> uuid.UUID | None:
    if SCHOOL.key in faults:
        return None
    found, fault = schools.find(values[SCHOOL.key])
    if fault:
        faults[SCHOOL.key] = fault
    return found


def _twice(
    values: Mapping[str, str], faults: dict[str, Fault], met: dict[tuple[str, str], int], number: int
) -> None:
    for key in ("exam_number", "id_number"):
        if values[key] and key not in faults:
            first = met.setdefault((key, values[key]), number)
            if first != number:
                faults[key] = (f"与第 {first} 行相同", TWICE)


def _row(values: Mapping[str, str], school_id: uuid.UUID | None) -> dict[str, Any]:
    return {
        **{key: values[key] for key in FROM_LIST if key != "birth_date"},
        "birth_date": date.fromisoformat(values["birth_date"]),
        "school_id": school_id,
        "exam_county": values[COUNTY.key].removesuffix("教育局"),
    }
