"""招生计划 as a workbook: a template with the offices and figures as they stand, and the filled one read into the form."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import BinaryIO

from portal.cases.intake import plans
from portal.cases.intake.scope import Scope, counties
from portal.cases.intake.sheets import Cell, workbook
from portal.cases.rosters.sheet import read_sheet, unread_in
from portal.models import Level, Office
from portal.workflows.roster import RosterColumn

COLUMNS = (
    RosterColumn("office", "单位", aliases=("学校", "学校名称", "县市", "单位名称")),
    RosterColumn("code", "学校标识码", required=False, aliases=("学校代码", "标识码"), is_number=True),
    RosterColumn("places", "招生计划", aliases=("招生计划数", "计划", "计划数")),
    RosterColumn("graduates", "初中毕业生总人数", required=False, aliases=("初中毕业生人数", "毕业生总人数")),
)
WIDTHS = (32, 16, 12, 18)


@dataclass
class Filled:
    """The form fields that a sheet fills in, and what of it could not be used."""

    form: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)


def template(scope: Scope) -> bytes:
    """Every office with the figures in force."""
    figures = plans.figures_of(plans.plan_of(scope.state.id, scope.year))
    lines: list[tuple[Cell, ...]] = []
    for county in counties(scope):
        offices = (county.office, *county.schools) if county.office else county.schools
        for one in offices:
            has, school = figures.get(one.id), one.level == Level.SCHOOL
            lines.append(
                (one.name, one.code if school else None, has.places if has else None)
                + ((None,) if school else (has.graduates if has else None,))
            )
    return workbook("招生计划", [column.title for column in COLUMNS], lines, WIDTHS)


def fill(scope: Scope, stream: BinaryIO, name: str = "") -> Filled:
    """A filled sheet as form fields, judged by nobody yet. Raises Unreadable."""
    sheet = read_sheet(stream, COLUMNS, name)
    filled = Filled(notes=[told] if (told := sheet.told()) else [], sheets=sheet.sheet.names)
    if sheet.missing:
        filled.notes.append(f"没有“{'”“'.join(sheet.missing)}”列")
    if sheet.ignored:
        filled.notes.append(f"没有用到的列：{'、'.join(sheet.ignored)}")
    by_code, by_name = _offices(scope)
    for number, texts in sheet.rows:
        if said := unread_in(texts, COLUMNS):
            filled.notes.append(f"第 {number} 行：{said}")
            continue
        office = by_code.get(texts.get("code", "")) or by_name.get(texts.get("office", ""))
        if office is None:
            filled.notes.append(f"第 {number} 行：没有这个单位，或有同名单位而没有填学校标识码")
        elif f"places-{office.id}" in filled.form:
            filled.notes.append(f"第 {number} 行：{office.name}出现了不止一次，只用了前面一行")
        else:
            filled.form[f"places-{office.id}"] = texts.get("places", "")[:20]
            if office.level == Level.COUNTY and texts.get("graduates"):
                filled.form[f"graduates-{office.id}"] = texts["graduates"][:20]
    return filled


def _offices(scope: Scope) -> tuple[dict[str, Office], dict[str, Office]]:
    """({code: office}, {name: office}); a name that two have is no name."""
    every = [
        one
        for county in counties(scope)
        for one in ((county.office, *county.schools) if county.office else county.schools)
    ]
    names = Counter(one.name for one in every)
    return {one.code: one for one in every}, {one.name: one for one in every if names[one.name] == 1}
