"""The citizen identity number: GB 11643-1999, check digit by ISO 7064 MOD 11-2."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from operator import mul

from portal.standards.words import plain

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS = "10X98765432"
RESIDENT_CARD = "1"  # SFZJLX code of 居民身份证
_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}


@dataclass(frozen=True)
class Fault:
    """What is wrong with a value and what to do, both in Chinese for the person at the field."""

    reason: str
    remedy: str


class Note(Fault):
    """Something that is pointed at and stops nothing."""


def tidy(text: str) -> str:
    """Remove white space and what nobody sees, fold full-width characters, raise x to X. Nothing else is guessed."""
    return "".join(plain(text).translate(_FULL_WIDTH).split()).upper()


def is_shaped(number: str) -> bool:
    """Whether a tidied text is 17 digits and a digit or X; nothing is said of its truth."""
    return _SHAPE.fullmatch(number) is not None


def check_digit(first_17: str) -> str:
    """The 18th character that belongs to 17 digits (GB 11643-1999 clause 4.2)."""
    return CHECK_DIGITS[sum(map(mul, map(int, first_17), WEIGHTS)) % 11]


def birth_date(number: str) -> date | None:
    """The birth date in digits 7-14, or None where they are no date."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def sex(number: str) -> str:
    """The GB/T 2261.1 code that digit 17 carries: odd "1" 男, even "2" 女."""
    return "1" if int(number[16]) % 2 else "2"


def fault_in(number: str, today: date) -> Fault | None:
    """The first thing wrong with a tidied resident identity number, or None.

    The address code is not judged: codes are retired and people keep their numbers.
    """
    if re.fullmatch(r"[0-9]{15}", number):
        return Fault("这是 15 位旧身份证号", "请填写 18 位身份证号，以户口簿或身份证为准")
    if not _SHAPE.fullmatch(number):
        return Fault(
            f"身份证号应为 18 位（现有 {len(number)} 位），前 17 位是数字，末位是数字或 X",
            "请对照证件逐位核对",
        )
    born = birth_date(number)
    if born is None or born.year < 1900 or born > today:
        return Fault("第 7 至 14 位不是有效的出生日期", "请对照证件核对出生日期部分")
    if check_digit(number[:17]) != number[17]:
        return Fault("末位校验码不符，号码中至少有一位填错", "请对照证件逐位核对")
    return None


def masked(number: str) -> str:
    """Region digits only. The tail stays hidden wholly, because birth date and sex stand beside it."""
    return number[:6] + "*" * (len(number) - 6) if len(number) > 6 else "*" * len(number)
