"""Texts by which a spreadsheet says that a cell holds no value of its own. Nothing is guessed from them."""

from __future__ import annotations

import re
from datetime import date, timedelta

from portal.standards.id_number import Fault

_LOST = re.compile(r"-?[0-9](?:\.[0-9]+)?[eE]\+?[0-9]+|[0-9]{16,}\.0")
_NO_RESULT = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|公式没有结果)")
_SERIAL = re.compile(r"[1-5][0-9]{4}(?:\.[0-9]+)?")
_FIRST_DAY = date(1899, 12, 30)


def lost_digits(text: str) -> Fault | None:
    """A number of more places than a spreadsheet keeps: 6.22999E+17, 1234567890123456.0."""
    if not _LOST.fullmatch(text.strip()):
        return None
    return Fault(
        "号码被 Excel 存成了数字，末几位已经丢失", "请从原处重新导出，或把这一列设为文本格式后重新填写"
    )


def without_result(text: str) -> Fault | None:
    """An error, or a formula that was stored without what comes out of it."""
    if not _NO_RESULT.fullmatch(text.strip()):
        return None
    said = text.strip().removeprefix("#")
    return Fault(f"单元格没有结果（{said}）", "请在表中改成真正的值后重新上传；原有的值没有改动")


def serial_day(text: str) -> date | None:
    """The day that a bare number of five places means where the cell has lost its date format."""
    if not _SERIAL.fullmatch(text.strip()):
        return None
    return _FIRST_DAY + timedelta(days=int(float(text)))
