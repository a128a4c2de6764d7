"""Columns of the register: key, Chinese heading of the 2022 采集表, kind of value. One list serves loads, forms,
the pupil's page, the entry pack and the check of what a workflow may change.

Source: 教办基〔2022〕290号 附件1 (items 1-37) with 学籍号, 学校, 学段 and 学生状态 as the export carries them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from portal.standards import codes


@dataclass(frozen=True)
class Column:
    """One register column. `stored` columns are model attributes, the rest stand in Pupil.particulars.

    `kind` is text, date, code, id_number, student_number, school_code or name; `table` names the code table.
    """

    key: str
    title: str
    kind: str = "text"
    table: str = ""
    stored: bool = False
    required: bool = False
    aliases: tuple[str, ...] = ()
    private: bool = False  # shown masked until revealed

    @property
    def is_number(self) -> bool:
        """Whether the digits are what a value says, so that none of them may be lost."""
        return self.kind in ("id_number", "student_number", "school_code") or self.key.endswith(
            ("_number", "_phone")
        )

    def shown(self, value: object) -> str:
        """The value as a person reads it: codes by name, dates as 2012-09-01."""
        if value in (None, ""):
            return ""
        if isinstance(value, date):
            return value.isoformat()
        return codes.label(self.table, str(value)) if self.table else str(value)


def _guardian(number: str, word: str) -> Iterable[Column]:
    yield Column(f"guardian{number}_name", f"{word}姓名")
    yield Column(f"guardian{number}_relation", f"{word}关系", "code", codes.RELATION)
    yield Column(f"guardian{number}_is_guardian", f"{word}是否监护人", "code", codes.YES_NO)
    yield Column(f"guardian{number}_ethnicity", f"{word}民族", "code", codes.ETHNICITY)
    yield Column(f"guardian{number}_id_type", f"{word}身份证件类型", "code", codes.ID_TYPE)
    yield Column(f"guardian{number}_id_number", f"{word}身份证件号", "text", private=True)
    yield Column(f"guardian{number}_work", f"{word}工作单位")
    yield Column(f"guardian{number}_household", f"{word}户口所在地具体地址", private=True)
    yield Column(f"guardian{number}_phone", f"{word}联系电话", private=True)


COLUMNS: tuple[Column, ...] = (
    Column(
        "student_number",
        "学籍号",
        "student_number",
        stored=True,
        required=True,
        aliases=("全国学籍号", "学籍主号"),
    ),
    Column("school_code", "学校标识码", "school_code", required=True, aliases=("学校代码", "学校标识")),
    Column("stage", "学段", stored=True, aliases=("就读学段",)),
    Column("name", "姓名", "name", stored=True, required=True, aliases=("学生姓名",)),
    Column("former_name", "曾用名", stored=True),
    Column("sex", "性别", "code", codes.SEX, stored=True, required=True),
    Column("nationality", "国籍/地区", stored=True, aliases=("国籍", "国籍地区")),
    Column("overseas", "港澳台侨外", "code", codes.OVERSEAS, stored=True),
    Column("ethnicity", "民族", "code", codes.ETHNICITY, stored=True),
    Column("id_type", "身份证件类型", "code", codes.ID_TYPE, stored=True, aliases=("证件类型",)),
    Column(
        "id_number",
        "身份证件号",
        "id_number",
        stored=True,
        aliases=("身份证号", "身份证件号码"),
        private=True,
    ),
    Column("birth_date", "出生日期", "date", stored=True, required=True, aliases=("出生年月",)),
    Column("address", "现居住详细地址", aliases=("现住址",), private=True),
    Column("household", "户口所在地具体地址", aliases=("户口所在地",), private=True),
    Column("grade", "年级", stored=True, required=True),
    Column("class_name", "班级", stored=True, required=True),
    Column("political", "政治面貌", "code", codes.POLITICAL),
    Column("boarding", "是否寄宿生", "code", codes.YES_NO),
    Column("disabled", "是否残疾人", "code", codes.YES_NO),
    Column("left_behind", "是否农村留守儿童", "code", codes.YES_NO),
    *_guardian("1", "监护人一"),
    *_guardian("2", "监护人二"),
    Column("disability", "残疾类型", "code", codes.DISABILITY),
    Column("special_study", "特殊学生就读类型"),
    Column(
        "enrolment_status",
        "学生状态",
        "code",
        codes.ENROLMENT_STATUS,
        stored=True,
        aliases=("学生当前状态", "学籍状态"),
    ),
    Column("problem", "问题学籍", stored=True, aliases=("问题学籍类型",)),
)
# What only a decided case writes and no export carries: loads never touch it, and its landing waits for nothing of it.
DECIDED: tuple[Column, ...] = (
    Column("school_number", "学号"),
    Column("secondary_number", "学籍辅号"),
    Column("change_type", "学籍异动类别", "code", codes.CHANGE_TYPE),
    Column("change_reason", "学籍异动原因", "code", codes.CHANGE_REASON),
)
EVERY = (*COLUMNS, *DECIDED)
BY_KEY: dict[str, Column] = {column.key: column for column in EVERY}
STAGES = ("小学", "初中", "高中", "特教")
