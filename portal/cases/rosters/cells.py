"""One cell of a roster: a text as written -> the value as the register stores it, and what is wrong with it.

Judging a stored value again gives the same value, so rows are kept as stored and judged whenever they are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

from portal.standards import classes, codes, dates, grades, id_number, names
from portal.standards.columns import BY_KEY
from portal.standards.spreadsheet import serial_day, unread
from portal.standards.words import plain
from portal.workflows.roster import Roster, RosterColumn

Fault = tuple[str, str]  # reason, remedy
Judged = tuple[str, Fault | None]
MOST = 80  # characters of a cell that is a plain text
LIMITS = {"class_name": 40}  # where the register takes fewer
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_EXAM_NUMBER = re.compile(r"[0-9A-Z]{4,20}")
_SCORE = re.compile(r"[0-9]{1,4}(\.[0-9]{1,2})?")


class Judge:
    """Judges the cells of one school's roster, remembering what it has judged: most cells of a column repeat."""

    def __init__(self, roster: Roster, school: str, today: date) -> None:
        self._today, self._school = today, school
        firsts = (one for one in grades.every() if one.stage == roster.stage and one.first)
        self._stage, self._grade = roster.stage, next((one.title for one in firsts), "")
        self._columns: list[tuple[RosterColumn, Callable[[str], Judged], dict[str, Judged]]] = [
            (column, self._for(column), {}) for column in roster.columns
        ]

    def row(self, texts: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Fault]]:
        """({column: value}, {column: fault}) of one row of {column: text}."""
        values: dict[str, str] = {}
        faults: dict[str, Fault] = {}
        for column, judge, known in self._columns:
            text = texts.get(column.key, "")
            if text not in known:
                known[text] = judge(text)
            values[column.key], fault = known[text]
            if fault:
                faults[column.key] = fault
        return values, faults

    def _for(self, column: RosterColumn) -> Callable[[str], Judged]:
        kinds: dict[str, Callable[[str], Judged]] = {
            "name": self._name,
            "birth_date": self._date,
            "id_number": self._id_number,
            "exam_number": self._exam_number,
            "exam_score": self._score,
            "school": self._own_school,
            "class_name": lambda text: _class(text, self._stage, self._grade),
        }
        table = BY_KEY[column.key].table if column.key in BY_KEY else ""
        most = LIMITS.get(column.key, MOST)
        kind = kinds.get(column.key) or (
            (lambda text: _code(table, text)) if table else (lambda text: _text(text, most))
        )
        missing = (f"没有填写{column.title}", f"请补填{column.title}") if column.required else None

        def judged(text: str) -> Judged:
            bare = plain(text).strip()
            if said := unread(bare, is_number=column.is_number):
                return _kept(bare), (said.reason, said.remedy)
            return kind(bare) if bare else ("", missing)

        return judged

    def _name(self, text: str) -> Judged:
        name = names.read(
            text
        )  # names of two characters are lined up in a school's own list: not worth a question
        return name.value, (name.fault.reason, name.fault.remedy) if name.fault else None

    def _date(self, text: str) -> Judged:
        if serial := serial_day(text):
            return _kept(text), (f"是 Excel 的日期序号（{serial}）", "请把这一列设成日期或文本格式后重新填写")
        day = dates.read_date(text)
        fault = dates.fault_of_birth(day, self._today) if day else dates.fault_in(text)
        value = day.isoformat() if day else _kept(text)
        return value, (fault.reason, fault.remedy) if fault else None

    def _id_number(self, text: str) -> Judged:
        number = id_number.tidy(text)
        if len(number) > 20 or _CONTROL.search(number):
            return _kept(number)[:20], ("证件号超过 20 个字符", "请对照证件核对")
        return number, None

    def _exam_number(self, text: str) -> Judged:
        number = id_number.tidy(text)
        if _EXAM_NUMBER.fullmatch(number):
            return number, None
        return _kept(number)[:20], ("准考证号应为 4 到 20 位数字或字母", "请对照准考证或录取名单核对")

    def _score(self, text: str) -> Judged:
        score = id_number.tidy(text).removesuffix("分")
        if not _SCORE.fullmatch(score):
            return _kept(score)[:10], ("成绩应是数字，最多两位小数", "请对照录取名单核对")
        return (score.rstrip("0").rstrip(".") if "." in score else score), None

    def _own_school(self, text: str) -> Judged:
        value, fault = _text(text)
        if fault is None and value != self._school:
            fault = ("不是本校", f"本校名单只列本校学生；校名应为“{self._school}”，也可以空着不填")
        return value, fault


def _code(table: str, text: str) -> Judged:
    code = codes.code_of(table, text)
    if code is not None:
        return code, None
    some = "、".join(list(codes.table(table).values())[:4])
    return _kept(text)[:MOST], ("没有这个名称", f"请用标准名称，例如：{some}")


def _class(text: str, stage: str, grade: str) -> Judged:
    """A class, in one form where there is no doubt (standards.classes)."""
    value, fault = _text(text, LIMITS["class_name"])
    return (value, fault) if fault else (classes.one_form(value, stage, grade), None)


def _text(text: str, most: int = MOST) -> Judged:
    if _CONTROL.search(text):
        return _kept(text), ("有不能使用的控制字符（如换行）", "请删去换行等字符")
    if len(text) > most:
        return text[:MOST], (f"超过 {most} 个字", "请核对是否填错了列")
    return text, None


def _kept(text: str) -> str:
    """What can be kept of a text that is wrong, so that the person sees what was typed."""
    return _CONTROL.sub("\ufffd", text)[:MOST]
