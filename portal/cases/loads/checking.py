"""One row of an export, cell by cell: texts as written -> values as stored, and what is wrong with each cell.

Most cells of a column repeat (codes, dates, schools, grades), so each column remembers what it has already judged.
"""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from portal.standards import alike, codes, dates, grades, id_number, names, school_numbers
from portal.standards.columns import BY_KEY, STAGES, Column
from portal.standards.id_number import Fault, Note
from portal.standards.spreadsheet import serial_day, unread
from portal.standards.words import plain

ERROR, WARNING = "error", "warning"
REMEMBERED = 5_000  # distinct texts kept for a column: enough for every code, date, school and class
LIMITS = {"former_name": 80, "nationality": 40, "grade": 20, "class_name": 40, "problem": 200}
LOOSE_LIMIT = 300
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_STAGE_NAMES = {
    **{stage: stage for stage in STAGES},
    **{"普通高中": "高中", "高级中学": "高中", "普通初中": "初中", "初级中学": "初中"},
    **{"小学教育": "小学", "初中教育": "初中", "高中教育": "高中", "特殊教育": "特教"},
}
_GRADES = (
    (re.compile("高[一二三四]|高中|1[0-2]年级|十[一二]?年级"), "高中"),
    (re.compile("初[一二三四]|初中|[七八九]年级|[7-9]年级"), "初中"),
    (re.compile("[一二三四五六]年级|[1-6]年级|小学"), "小学"),
)


@dataclass(frozen=True)
class CellFault:
    """What is wrong with one cell: the register's column, the heading in the sheet, the value as written."""

    column: str
    heading: str
    value: str
    reason: str
    remedy: str
    level: str = ERROR

    def as_json(self) -> dict[str, str]:
        return dict(vars(self))


@dataclass(frozen=True)
class School:
    """A school to which rows may belong."""

    id: uuid.UUID
    code: str
    stages: tuple[str, ...]


@dataclass
class CheckedRow:
    """A row as it would be stored: {column key: text}, with what is wrong. `school` is None where it is unknown."""

    row: int
    values: dict[str, str]
    school: School | None
    faults: list[CellFault] = field(default_factory=list)

    @property
    def faulty(self) -> bool:
        return any(fault.level == ERROR for fault in self.faults)


Judged = tuple[
    str | None, Fault | None
]  # the value to store (None: what the register holds stays), what is wrong
Judge = Callable[[str], Judged]  # of a text as written


class Checker:
    """Checks the rows of one load.

    `mapping` is {position: column key}, `schools` those below the loading office by code, `own` the school whose rows
    need no code of their own (a school's own load), `duplicates` {student number: the rows it stands in}.
    """

    def __init__(
        self,
        headings: Sequence[str],
        mapping: Mapping[str, str],
        schools: Mapping[str, School],
        own: School | None,
        duplicates: Mapping[str, Sequence[int]],
        today: date,
        school_system: str = grades.USUAL,
    ) -> None:
        self._schools, self._own, self._duplicates, self._today = schools, own, duplicates, today
        self._system = school_system
        self._headings = {key: headings[int(position)] for position, key in mapping.items()}
        self._columns: list[tuple[int, Column, Judge]] = [
            (int(position), BY_KEY[key], _remembering(self._judge(BY_KEY[key])))
            for position, key in mapping.items()
        ]

    def check(self, lines: Sequence[tuple[int, Sequence[str]]]) -> list[CheckedRow]:
        """Judge every mapped cell of (row number, texts), a column at a time, then what the cells of a row say about each
        other."""
        faults: dict[int, list[CellFault]] = defaultdict(list)
        unsaid: list[tuple[int, str]] = []
        columns = []
        for position, column, judge in self._columns:
            judged = [judge(texts[position]) for _, texts in lines]
            columns.append([value for value, _ in judged])
            for place, (value, fault) in enumerate(judged):
                if fault:
                    text = lines[place][1][position]
                    faults[place].append(self._fault(column.key, text, fault, _level(column, fault)))
                if value is None:
                    unsaid.append((place, column.key))
        keys = [column.key for _, column, _ in self._columns]
        values: list[Any] = [dict(zip(keys, cells, strict=True)) for cells in zip(*columns, strict=True)]
        for place, key in unsaid:
            del values[place][key]
        return [
            self._together(row, values[place], faults.get(place, [])) for place, (row, _) in enumerate(lines)
        ]

    def _together(self, row: int, values: dict[str, str], faults: list[CellFault]) -> CheckedRow:
        checked = CheckedRow(row, values, self._school_of(values), faults)
        self._judge_together(checked)
        return checked

    # --- cells by themselves ---------------------------------------------------------------------------------------

    def _judge(self, column: Column) -> Judge:
        kinds: dict[str, Judge] = {
            "name": _name,
            "student_number": self._student_number,
            "school_code": self._school_code,
            "date": self._date,
            "id_number": lambda text: (id_number.tidy(text), None),
            "code": lambda text: _code(column, text),
        }
        by_kind: Judge = kinds.get(column.kind, lambda text: _text(column, text))
        by_kind = _stage if column.key == "stage" else by_kind
        blank: Judged = ("", _empty(column)) if column.required else (_default(column), None)

        def judged(text: str) -> Judged:
            bare = plain(text)
            if unread := _unread(column, bare.strip()):
                return unread
            return by_kind(text if column.kind == "name" else bare) if bare.strip() else blank

        return judged

    def _student_number(self, text: str) -> tuple[str, Fault | None]:
        number = id_number.tidy(text)
        rows = self._duplicates.get(number)
        if rows:
            where = "、".join(map(str, rows[:6]))
            return number, Fault(f"学籍号在文件中重复：第 {where} 行", "请删去重复的行，只保留正确的一行")
        return number, school_numbers.student_number_fault(number, self._today)

    def _school_code(self, text: str) -> tuple[str, Fault | None]:
        code = id_number.tidy(text)
        if code in self._schools:
            return code, None
        if self._own:
            return code, Fault(
                f"不是本校的学校标识码（{self._own.code}）", "本校只能导入本校学生，请删去外校的行"
            )
        shape = school_numbers.school_code_fault(code)
        return code, shape or Fault(
            "本单位管辖的学校中没有这个标识码", "请核对标识码；新学校请先由管理员登记"
        )

    def _date(self, text: str) -> tuple[str, Fault | None]:
        if serial := serial_day(text):
            return "", Fault(
                f"是 Excel 的日期序号（{serial}）", "请把这一列设成日期或文本格式后另存，写成 2012-09-01"
            )
        day = dates.read_date(text)
        if day is None:
            return "", dates.fault_in(text)
        fault = dates.fault_of_birth(day, self._today)
        return ("", fault) if fault else (day.isoformat(), None)

    # --- cells beside each other -----------------------------------------------------------------------------------

    def _school_of(self, values: Mapping[str, str]) -> School | None:
        if not values.get("school_code") and self._own:
            return self._own
        return self._schools.get(values.get("school_code", ""))

    def _judge_together(self, checked: CheckedRow) -> None:
        values = checked.values
        if checked.school:
            values["school_code"] = checked.school.code
        if not values.get("stage"):
            self._derive_stage(checked)
        number = values.get("id_number", "")
        if not number or values.get("id_type", "") not in ("", id_number.RESIDENT_CARD):
            if len(number) > 20 or _CONTROL.search(number):
                checked.faults.append(
                    self._fault("id_number", number, Fault("证件号超过 20 个字符", "请对照证件核对"))
                )
            return
        if any(fault.column == "id_number" for fault in checked.faults):
            return
        fault = id_number.fault_in(number, self._today)
        if fault:
            checked.faults.append(self._fault("id_number", number, fault))
            return
        self._compare_with_number(checked, number)

    def _compare_with_number(self, checked: CheckedRow, number: str) -> None:
        """Two sound values that disagree are how the national register stands: they are loaded and pointed at, since
        correcting them is what a key-information change is for."""
        born, written = id_number.birth_date(number), checked.values.get("birth_date", "")
        remedy = "照原样载入；请查对户口簿，有误的为该生发起更正的业务"
        if born and written and born.isoformat() != written:
            reason = f"出生日期与身份证件号不一致（号码中是 {born}）"
            checked.faults.append(self._fault("birth_date", written, Fault(reason, remedy), WARNING))
        sex = checked.values.get("sex", "")
        if sex in ("1", "2") and id_number.sex(number) != sex:
            shown = BY_KEY["sex"].shown(sex)
            reason = f"性别与身份证件号不一致（号码第 17 位是{BY_KEY['sex'].shown(id_number.sex(number))}）"
            checked.faults.append(self._fault("sex", shown, Fault(reason, remedy), WARNING))

    def _derive_stage(self, checked: CheckedRow) -> None:
        stages = checked.school.stages if checked.school else ()
        if len(stages) == 1:
            checked.values["stage"] = stages[0]
            return
        grade = checked.values.get("grade", "")
        named = grades.of("", grade, self._system)
        stage = named.stage if named else next((one for shape, one in _GRADES if shape.search(grade)), "")
        if stage:
            checked.values["stage"] = stage
            return
        checked.values.pop("stage", None)  # nothing is known: what the register holds stays
        if grade:
            reason = Fault("从年级看不出学段", "可在名单中加“学段”一列，或把年级写成“七年级”“高一”")
            checked.faults.append(self._fault("grade", grade, reason, WARNING))

    def _fault(self, key: str, value: str, fault: Fault, level: str = ERROR) -> CellFault:
        heading = self._headings.get(key, BY_KEY[key].title)
        return CellFault(key, heading, storable(value)[:100], fault.reason, fault.remedy, level)


def _remembering(judge: Judge) -> Judge:
    """The same judge with what it said of the first texts."""
    known: dict[str, Judged] = {}
    recall = known.get

    def judged(text: str) -> Judged:
        found = recall(text)
        if found is None:
            found = judge(text)
            if len(known) < REMEMBERED:
                known[text] = found
        return found

    return judged


def storable(text: str) -> str:
    """The text with a mark for each character that a database cannot hold, to be shown and never stored as a value."""
    return _CONTROL.sub("\ufffd", text)


def _empty(column: Column) -> Fault:
    return Fault(f"{column.title}没有填写", f"请在全国学籍系统补齐{column.title}后重新导出")


def _default(column: Column) -> str:
    return "01" if column.key == "enrolment_status" else ""


def _unread(column: Column, text: str) -> Judged | None:
    """A cell that holds no value of its own: an error, a formula without a result, a number that has lost digits. Nothing
    is emptied by it: of an item that no rule uses the register's value stays, any other keeps the row out."""
    fault = unread(text, is_number=column.is_number)
    if fault is None:
        return None
    return ("", fault) if column.stored or column.required else (None, Note(fault.reason, fault.remedy))


def _level(column: Column, fault: Fault) -> str:
    """An unknown code of an item that no rule uses is kept as written and pointed at; it must not keep a pupil out."""
    return WARNING if isinstance(fault, Note) or (column.kind == "code" and not column.stored) else ERROR


def _name(text: str) -> Judged:
    name = names.read(text)
    return (name.value, name.fault) if name.fault else (name.value, name.note)


def _code(column: Column, text: str) -> tuple[str, Fault | None]:
    code = codes.code_of(column.table, text)
    if code is not None:
        return code, None
    some = "、".join(list(codes.table(column.table).values())[:6])
    kept, fault = ("", None) if column.stored else _text(column, text)
    return kept, fault or Fault(f"“{column.title}”没有这个代码或名称", f"请改用标准名称或代码，例如：{some}")


def _text(column: Column, text: str) -> tuple[str, Fault | None]:
    value = names.tidy(text) if column.key in alike.NAMES and not _CONTROL.search(text) else text.strip()
    if _CONTROL.search(value):
        return "", Fault("有不能使用的控制字符（如换行）", "请删去换行等字符")
    limit = LIMITS.get(column.key, LOOSE_LIMIT)
    if len(value) > limit:
        return "", Fault(f"超过 {limit} 个字", "请核对是否填错了列")
    return value, None


def _stage(text: str) -> tuple[str, Fault | None]:
    found = _STAGE_NAMES.get(text.strip())
    if found:
        return found, None
    return "", Fault("没有这个学段", f"学段应为：{'、'.join(STAGES)}")
