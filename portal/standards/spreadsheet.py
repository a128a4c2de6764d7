"""Texts by which a spreadsheet says that a cell holds no value of its own. Nothing is guessed from them."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta

from portal.standards import id_number
from portal.standards.id_number import Fault
from portal.standards.words import plain

KEPT_DIGITS = 15  # of a number: what a spreadsheet puts behind them is noughts
_POWER = re.compile(r"-?([0-9]+)([.,][0-9]+)?[eE](\+?)([0-9]+)")
_EXCELS = re.compile(r"[0-9]\.[0-9]+E\+[0-9]{2,}")
_BEYOND = re.compile(r"-?[0-9]{16,}\.0+")
_NOUGHTS = re.compile(rf"[1-9][0-9]{{{KEPT_DIGITS - 1}}}000+")
_NO_RESULT = re.compile(
    r"#(?:N/A.*|NV|GETTING_DATA\W*|公式没有结果|[^\s#]{1,20}[!?])|Err:[0-9]{3}|#{3,}", re.IGNORECASE
)
_SERIAL = re.compile(r"[1-5][0-9]{4}(?:\.[0-9]+)?")
_FIRST_DAY = date(1899, 12, 30)


def lost_digits(text: str) -> Fault | None:
    """A number of more places than a spreadsheet keeps: 6.22999E+17, 622999200001010000. Ask it of columns of numbers
    only: 7E12 is a class, and a number that a program shortened has a sign, a point or a high power."""
    bare = _folded(text)
    if not (_shortened(bare) or _BEYOND.fullmatch(bare) or _ends_in_noughts(bare)):
        return None
    return Fault(
        "号码被 Excel 存成了数字，末几位已经丢失", "请从原处重新导出，或把这一列设为文本格式后重新填写"
    )


def _shortened(text: str) -> bool:
    found = _POWER.fullmatch(text)
    if not found:
        return False
    _whole, point, sign, power = found.groups()
    if sign:
        return True
    return len(power) == 2 and int(power) >= (9 if point else KEPT_DIGITS)


def _ends_in_noughts(text: str) -> bool:
    """Of a thousand identity numbers one ends in 000 by itself: that one has its check digit."""
    if not _NOUGHTS.fullmatch(text):
        return False
    return not id_number.is_shaped(text) or id_number.check_digit(text[:17]) != text[17]


def without_result(text: str) -> Fault | None:
    """An error, a column that was too narrow, or a formula that was stored without what comes out of it."""
    said = _folded(text)
    if not _NO_RESULT.fullmatch(said):
        return None
    return Fault(
        f"单元格没有结果（{said.strip('#') or '####'}）", "请在表中改成真正的值后重新上传；原有的值没有改动"
    )


def unread(text: str, *, is_number: bool) -> Fault | None:
    """Why nothing can be read from a cell; of a column of numbers also because digits are missing. Of any other only where
    nobody can have typed it: 6.22999E+17 is no class, address or name."""
    return without_result(text) or (
        lost_digits(text) if is_number or _EXCELS.fullmatch(text.strip()) else None
    )


def serial_day(text: str) -> date | None:
    """The day that a bare number of five places means where the cell has lost its date format."""
    if not _SERIAL.fullmatch(text.strip()):
        return None
    return _FIRST_DAY + timedelta(days=int(float(text)))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", plain(text)).strip()
