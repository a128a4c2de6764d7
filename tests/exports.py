"""Fictional exports of the national system: XLSX and CSV, in the headings of the 2022 采集表 or one heading a column.

Every person, school and number is invented: division code 622999 is not assigned.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

import xlsxwriter

from portal.standards import codes, id_number
from portal.standards.columns import COLUMNS

FAMILY = "马王李张赵陈杨刘黄周吴徐孙胡朱高林何郭罗"
GIVEN = "明华军丽芳伟娜静敏强磊洋艳勇杰娟涛超霞平刚桂英玉兰凤洁梅琳素云莲真环雪荣爱妹香月莺媛"
RARE_NAMES = ("买买提·阿不都热依木", "王\U0002c029", "李\ue863", "赵㛃", "陈\U00030edd")
FORM_PUPIL = [
    "姓名",
    "曾用名",
    "性别",
    "国籍/地区",
    "港澳台侨外",
    "民族",
    "身份证件类型",
    "身份证件号",
    "出生日期",
    "现居住详细地址",
    "户口所在地具体地址",
    "年级",
    "班级",
    "政治面貌",
    "是否寄宿生",
    "是否残疾人",
    "是否农村留守儿童",
]
FORM_GUARDIAN = [
    "姓名",
    "关系",
    "是否监护人",
    "民族",
    "身份证件类型",
    "身份证件号",
    "工作单位",
    "户口所在地具体地址",
    "联系电话",
]
FORM_HEADINGS = (
    "学籍号",
    "学校标识码",
    *FORM_PUPIL,
    *FORM_GUARDIAN,
    *FORM_GUARDIAN,
    "残疾类型",
    "特殊学生就读类型",
)
FORM_COLUMNS = (
    "student_number",
    "school_code",
    *[
        "name",
        "former_name",
        "sex",
        "nationality",
        "overseas",
        "ethnicity",
        "id_type",
        "id_number",
        "birth_date",
        "address",
        "household",
    ],
    *["grade", "class_name", "political", "boarding", "disabled", "left_behind"],
    *(
        f"guardian{number}_{item}"
        for number in (1, 2)
        for item in [
            "name",
            "relation",
            "is_guardian",
            "ethnicity",
            "id_type",
            "id_number",
            "work",
            "household",
            "phone",
        ]
    ),
    "disability",
    "special_study",
)
EVERY_COLUMN = tuple(column.key for column in COLUMNS)
EVERY_HEADING = tuple(column.title for column in COLUMNS)


def a_row(serial: int, school_code: str, grades: Sequence[str] = ("高一", "高二", "高三")) -> dict[str, str]:
    """One fictional pupil, {column key: what stands in the cell}; the same serial gives the same pupil."""
    sex = "1" if serial % 2 else "2"
    born = date(2008, 9, 1) + timedelta(days=serial * 7 % 1000)
    number = identity(serial, born, sex)
    name = FAMILY[serial % len(FAMILY)] + GIVEN[serial // 7 % len(GIVEN)] + GIVEN[serial // 3 % len(GIVEN)]
    grade = grades[serial % len(grades)]
    row = {
        "student_number": f"L622999{born:%Y%m%d}{serial % 10000:04d}" if serial % 5 else "G" + number,
        "school_code": school_code,
        "stage": {"高": "高中", "初": "初中"}.get(grade[0], "小学"),
        "name": RARE_NAMES[serial // 50 % len(RARE_NAMES)] if serial % 50 == 7 else name,
        "former_name": "",
        "sex": codes.label(codes.SEX, sex),
        "nationality": "中国",
        "overseas": "否",
        "ethnicity": ("回族", "汉族", "东乡族", "保安族", "藏族")[serial % 5],
        "id_type": "居民身份证",
        "id_number": number,
        "birth_date": born.strftime("%Y%m%d"),
        "address": f"青禾县河滩镇虚构村{serial % 900}号",
        "household": f"青禾县河滩镇虚构村{serial % 900}号",
        "grade": grade,
        "class_name": f"{serial % 8 + 1}班",
        "political": "共青团员" if serial % 3 == 0 else "群众",
        "boarding": "是" if serial % 2 else "否",
        "disabled": "否",
        "left_behind": "否",
        "disability": "",
        "special_study": "",
        "enrolment_status": "在读",
        "problem": "",
    }
    return row | _guardian(1, serial, "父亲") | _guardian(2, serial + 3, "母亲")


def identity(serial: int, born: date, sex: str) -> str:
    """A number with a valid check digit; the order digits keep the sex, the division code spreads large serials."""
    order = serial // 1000 % 499 * 2 + (1 if sex == "1" else 0)
    first = f"622999{born:%Y%m%d}{order:03d}"
    return first + id_number.check_digit(first)


def _guardian(number: int, serial: int, relation: str) -> dict[str, str]:
    born = date(1975, 1, 1) + timedelta(days=serial * 11 % 5000)
    values = {
        "name": FAMILY[serial % len(FAMILY)] + GIVEN[serial // 5 % len(GIVEN)],
        "relation": relation,
        "is_guardian": "是",
        "ethnicity": "回族",
        "id_type": "居民身份证",
        "id_number": identity(serial, born, "1" if number == 1 else "2"),
        "work": "务农",
        "household": f"青禾县河滩镇虚构村{serial % 900}号",
        "phone": f"1990000{serial % 10000:04d}",
    }
    return {f"guardian{number}_{key}": value for key, value in values.items()}


def rows_of(count: int, school_codes: Sequence[str], start: int = 1) -> Iterator[dict[str, str]]:
    """`count` different pupils spread over the schools. Student numbers and identity numbers are unique up to 498,000."""
    for position, code in zip(range(start, start + count), itertools.cycle(school_codes), strict=False):
        row = a_row(position, code)
        # The last four digits of an L number wrap after 10,000: the birth date of the number need not be the pupil's.
        if row["student_number"].startswith("L"):
            row["student_number"] = f"L622999{20000101 + position // 10000:08d}{position % 10000:04d}"
        yield row


def cells(rows: Iterable[Mapping[str, str]], columns: Sequence[str]) -> Iterator[list[str]]:
    return ([row.get(key, "") for key in columns] for row in rows)


def as_xlsx(
    rows: Iterable[Mapping[str, str]],
    columns: Sequence[str] = FORM_COLUMNS,
    headings: Sequence[str] = FORM_HEADINGS,
    above: Sequence[Sequence[str]] = (),
) -> bytes:
    """A workbook of text cells as the national system writes it. `above` are rows over the headings (a title)."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("学生")
        for number, line in enumerate((*above, headings, *cells(rows, columns))):
            for position, text in enumerate(line):
                sheet.write_string(number, position, text)
    return target.getvalue()


def as_csv(
    rows: Iterable[Mapping[str, str]],
    columns: Sequence[str] = FORM_COLUMNS,
    headings: Sequence[str] = FORM_HEADINGS,
    encoding: str = "utf-8-sig",
) -> bytes:
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(headings)
    writer.writerows(cells(rows, columns))
    return target.getvalue().encode(encoding)
