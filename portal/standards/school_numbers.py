"""学籍号 (student number) and 学校标识码 (school code) as the national system forms them."""

from __future__ import annotations

import re
from datetime import date

from portal.standards.id_number import Fault, check_digit, fault_in

STUDENT_NUMBER = re.compile(r"[GLJ][0-9]{17}[0-9X]")
STUDENT_NUMBER_LENGTH = 19
NONE_YET = "尚无学籍号"
SCHOOL_CODE = re.compile(r"(21|31|34|37|51)[0-9]{8}")


def student_number_fault(number: str, today: date) -> Fault | None:
    """The first thing wrong with a 学籍号, or None.

    G + identity number is formal and is checked as one; L is temporary and only looks like one, so neither its check
    digit nor a birth date is read from it; J is for a pupil without a usable number.
    """
    if not STUDENT_NUMBER.fullmatch(number):
        return Fault("学籍号应为 19 位：G、L 或 J 加 18 位", "请从全国学籍系统导出文件原样复制")
    if number[0] == "G":
        inner = fault_in(number[1:], today)
        return inner and Fault(f"G 号内的身份证号有误：{inner.reason}", "请从全国学籍系统导出文件原样复制")
    if number[0] == "J" and check_digit(number[1:18]) != number[18]:
        return Fault("J 号末位校验码不符", "请从全国学籍系统导出文件原样复制")
    return None


def school_code_fault(code: str) -> Fault | None:
    """The first thing wrong with a 10-digit 学校标识码 (two digits kind, two province, six serial), or None."""
    if SCHOOL_CODE.fullmatch(code):
        return None
    return Fault("学校标识码应为 10 位数字，以 21、31、34、37 或 51 开头", "请核对学校标识码")


def masked(number: str) -> str:
    """A G number holds the identity number, so it is masked like one; L and J numbers keep their first seven. What a person
    wrote in its place stays as it is."""
    if len(number) != STUDENT_NUMBER_LENGTH:
        return number
    return number[:7] + "*" * (len(number) - 7)


def shown(number: str | None, *, revealed: bool = False) -> str:
    """A pupil's 学籍号 as pages show it, or that there is none yet."""
    return (number if revealed else masked(number)) if number else NONE_YET
