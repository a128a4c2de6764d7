"""The province's return: 学籍辅号 by 学号, written to rosters and register. Loading the same file again changes nothing.

A row that cannot be used is kept with what is wrong until a later load settles it (province_unsettled.py).
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from sqlalchemy import bindparam, select, update

from portal import audit
from portal.cases import clock, register
from portal.cases.access import visible_to
from portal.cases.intake import province_unsettled
from portal.cases.intake.province_unsettled import Holder, given_to, holders
from portal.cases.intake.scope import Scope
from portal.cases.loads.reading import NotThisSheet, Sheet
from portal.cases.refusing import Refused
from portal.cases.rosters.reading import chunks
from portal.cases.rosters.sheet import SheetRows, read_sheet, unread_in
from portal.extensions import db
from portal.models import Case, ProvinceFiling, RosterRow
from portal.standards import id_number
from portal.workflows.roster import RosterColumn

COLUMNS = (
    RosterColumn("number", "学号", aliases=("省学号", "地区学号"), is_number=True),
    RosterColumn("secondary", "学籍辅号", aliases=("辅号", "学籍副号"), is_number=True),
    RosterColumn("name", "姓名", required=False, aliases=("学生姓名",)),
    RosterColumn(
        "id_number",
        "身份证号",
        required=False,
        aliases=("身份证件号", "身份证号码", "身份证件号码"),
        is_number=True,
    ),
)
MOST = 40  # characters of a 学籍辅号
ROWS = RosterRow.__table__


@dataclass(frozen=True)
class Refusal:
    """A row that could not be used. `fault` is a key of province_unsettled.REMEDIES, `row_id` the roster row of its 学号."""

    row: int
    number: str
    secondary: str
    fault: str
    reason: str
    row_id: uuid.UUID | None


@dataclass
class Report:
    """What became of a return: rows newly written, rows that said what stood already, and the others. `waiting` counts the
    others by the year on whose page they stand."""

    written: int = 0
    known: int = 0
    refused: list[Refusal] = field(default_factory=list)
    waiting: Mapping[int, int] = field(default_factory=dict)
    completed: list[Case] = field(default_factory=list)
    noted: list[tuple[uuid.UUID, str]] = field(default_factory=list)  # case, digest of the register changes
    ignored: tuple[str, ...] = ()
    sheet: Sheet = field(default_factory=Sheet)
    told: str = ""  # which sheet was read, and which of its rows were not


def read(stream: BinaryIO, sheet: str = "") -> SheetRows:
    """Slow and without the database. Raises Unreadable with a sentence."""
    found = read_sheet(stream, COLUMNS, sheet)
    if found.missing:
        raise NotThisSheet(f"{found.sheet.told()}返回表缺少“{'”“'.join(found.missing)}”列", found.sheet)
    return found


def take(scope: Scope, sheet: SheetRows, filename: str, sha256: str) -> Report:
    """Write every row that fits a person who was sent to the province. Raises Refused, RegisterMoved."""
    if not scope.may_set:
        raise Refused("只有州级审批人员可以导入省厅返回表")
    report = Report(ignored=sheet.ignored, sheet=sheet.sheet, told=sheet.told())
    people = _people(scope, [texts["number"] for _row, texts in sheet.rows])
    twice = _twice(sheet)
    taken = holders(scope, [texts["secondary"] for _row, texts in sheet.rows])
    new: dict[uuid.UUID, list[tuple[Any, str]]] = defaultdict(list)
    for number, texts in sheet.rows:
        one = people.get(texts["number"])
        fault, reason = _fault(texts, one, twice, taken)
        if fault or one is None:
            at = one.id if one is not None else None
            report.refused.append(Refusal(number, texts["number"], texts["secondary"], fault, reason, at))
        elif one.secondary_number:
            report.known += 1
        else:
            new[one.case_id].append((one, texts["secondary"]))
    for case_id, several in new.items():
        report.written += _write(case_id, several, report)
    report.waiting = province_unsettled.keep(
        scope,
        filename,
        _source(sheet, sha256),
        numbers=[texts["number"] for _row, texts in sheet.rows],
        written=[text for several in new.values() for _one, text in several],
        refused=report.refused,
    )
    _settle(scope, {one.case_id for one in people.values()}, report, filename, sha256)
    return report


def _source(sheet: SheetRows, sha256: str) -> str:
    """What the rows that cannot be used are kept under: the file, of a workbook with several sheets the one that was read."""
    if not sheet.sheet.others:
        return sha256
    return hashlib.sha256(f"{sha256}:{sheet.sheet.sheet}".encode()).hexdigest()


def _people(scope: Scope, numbers: list[str]) -> dict[str, Any]:
    """{学号: roster row} of people whose rosters were sent, as far as the person may see."""
    found: dict[str, Any] = {}
    for chunk in chunks(number for number in numbers if number):
        query = (
            select(ROWS)
            .join(Case, Case.id == ROWS.c.case_id)
            .join(ProvinceFiling, ProvinceFiling.case_id == Case.id)
            .where(ROWS.c.number.in_(chunk), visible_to(scope.actor))
            .with_for_update(of=ROWS)
        )
        found |= {row.number: row for row in db.session.execute(query)}
    return found


def _twice(sheet: SheetRows) -> set[tuple[str, str]]:
    """(column, text) of what stands in more than one row; the same line said twice is told as well."""
    counts = Counter(
        (key, texts[key]) for _row, texts in sheet.rows for key in ("number", "secondary") if texts[key]
    )
    return {one for one, count in counts.items() if count > 1}


def _fault(
    texts: Mapping[str, str], one: Any, twice: set[tuple[str, str]], taken: Mapping[str, Holder]
) -> tuple[str, str]:
    """(key of what is wrong, sentence), both "" for a row that fits."""
    number, secondary = texts["number"], texts["secondary"]
    if said := unread_in(texts, COLUMNS):
        return "unread", said
    if not number or not secondary:
        return "empty", "学号或学籍辅号是空的"
    if ("number", number) in twice:
        return "twice", "这个学号在表中出现了不止一次"
    if ("secondary", secondary) in twice:
        return "shared", "这个学籍辅号在表中给了不止一个人"
    if one is None:
        return "unknown", "没有这个学号，或所在名单还没有登记报省"
    if not well_formed(secondary):
        return "shape", f"学籍辅号应是字母和数字，最多 {MOST} 位"
    if differing := _differs(texts, one.values):
        return "differs", differing
    holder = taken.get(secondary)
    if holder and holder.number != number:
        return "taken", given_to(holder)
    if one.secondary_number not in ("", secondary):
        return "other", f"已登记的学籍辅号是 {one.secondary_number}，与表中的 {secondary} 不同"
    return "", ""


def well_formed(secondary: str) -> bool:
    return len(secondary) <= MOST and secondary.isascii() and secondary.isalnum()


def _differs(texts: Mapping[str, str], values: Mapping[str, str]) -> str:
    name, number = texts.get("name", ""), id_number.tidy(texts.get("id_number", ""))
    said = []
    if name and name != values.get("name", ""):
        said.append(f"姓名不符：名单是{values.get('name', '')}，表中是{name}")
    if number and number != values.get("id_number", ""):
        said.append("身份证号与名单不符")
    return "；".join(said)


def _write(case_id: uuid.UUID, several: list[tuple[Any, str]], report: Report) -> int:
    case = db.session.get_one(Case, case_id)
    db.session.connection().execute(
        update(ROWS).where(ROWS.c.id == bindparam("row_id")).values(secondary_number=bindparam("text")),
        [{"row_id": row.id, "text": text} for row, text in several],
    )
    of = {str(row.pupil_id): (row.pupil_id, text) for row, text in several if row.pupil_id}
    for chunk in chunks(of):
        written = register.note_later(case, "secondary_number", dict(of[key] for key in chunk))
        report.noted.append((case_id, written))
    return len(several)


def _settle(scope: Scope, case_ids: set[uuid.UUID], report: Report, filename: str, sha256: str) -> None:
    """Note the file with every filing that it is about, and the day on those that are complete now."""
    for case_id in sorted(case_ids):
        filing = db.session.get_one(ProvinceFiling, case_id)
        query = select(ROWS.c.secondary_number).where(ROWS.c.case_id == case_id, ROWS.c.struck_at.is_(None))
        numbers = list(db.session.scalars(query))
        filing.returned = {
            "filename": filename[-200:], "sha256": sha256, "matched": sum(map(bool, numbers))
        }  # fmt: skip
        if filing.returned_on is None and all(numbers):
            filing.returned_on = clock.today()
            report.completed.append(filing.case)
    db.session.flush()
    for case_id, changes in report.noted:
        audit.append("register.noted", "case", case_id, changes=changes)
    audit.append(
        "intake.province_returned",
        "office",
        scope.state.id,
        written=report.written,
        known=report.known,
        refused=len(report.refused),
        sha256=sha256,
    )
