"""What a cell of a workbook says, as text: numbers without ".0", dates as 2012-09-01; and the limits of a list.

A cell that holds no readable value becomes a text that begins with "#", never an empty one: an error, a formula without
a stored value, a reference to nothing, a number that is none. ECMA-376 part 1, 18.18.11 (kinds of cells), 18.8.30
(formats), 22.9.2.19 (escapes). Imported by the child process that reads a file: nothing of the portal.
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

MAX_CELL = 10_000  # characters
MAX_COLUMNS = 200
SHEET_COLUMNS, SHEET_ROWS = 16_384, 1_048_576  # more does not exist in a sheet
EXACT = 10**15  # beyond this a number kept by Excel has lost digits
UNCOMPUTED = "#公式没有结果"  # what stands for a formula without a stored value
UNREADABLE = "#读不出来!"  # and for what its kind of cell does not allow
LONG_CELL = f"有超过 {MAX_CELL:,} 个字的单元格，请核对是不是学生名单"
MANY_COLUMNS = f"列数超过 {MAX_COLUMNS}，请核对是不是学生名单"
BROKEN = "这个工作簿打不开，可能没有下载完整；请在 WPS 或 Excel 中打开，另存为 .xlsx 再传"

_ERROR = re.compile(r"#(?:N/A|[^\s#]{1,20}[!?])")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_NOT_FORMAT = re.compile(r'"[^"]*"|[\\_*].|\[(?![hms]+\])[^\]]*\]', re.IGNORECASE)
_ELAPSED = re.compile(r"\[[hms]+\]", re.IGNORECASE)
_DAYS = frozenset((*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)))  # 18.8.30, with those of zh-CN
_SPANS = frozenset((46,))
BLANK = " \t\r\n"
_LAST_DAY = 2_958_466  # 9999-12-31 is the day before
_TRUTH = {"1": "是", "true": "是", "0": "否", "false": "否"}


class Unreadable(Exception):
    """Why a file cannot be taken, in Chinese, for the person who chose it; `status` is how a page answers."""

    status = 422


class Looks:
    """How cells are shown, as far as it makes a number a day ("d") or a span of time ("t"); and the first day."""

    def __init__(self) -> None:
        self.styles: list[str] = []
        self.epoch = datetime(1899, 12, 30)

    def of(self, style: str | None) -> str:
        number = int(style) if style and style.isascii() and style.isdigit() and len(style) < 8 else 0
        return self.styles[number] if number < len(self.styles) else ""


def text_of(kind: str | None, value: str | None, looks: str, *, formula: bool, epoch: datetime) -> str:
    """A cell that holds its value itself."""
    if kind == "str":
        return (UNCOMPUTED if formula else "") if value is None else unescaped(value)
    value = (value or "").strip(BLANK)
    if kind == "e":
        return value if _ERROR.fullmatch(value) else UNCOMPUTED
    if not value:
        return UNCOMPUTED if formula else ""
    if kind is None or kind == "n":
        return _number(value, looks, epoch)
    if kind == "b":
        return _TRUTH.get(value, UNREADABLE)
    return _iso(value) if kind == "d" else UNREADABLE


def _number(value: str, looks: str, epoch: datetime) -> str:
    if not looks and len(value) < 16 and value.isascii() and value.isdigit() and value[0] != "0":
        return value
    if not _NUMBER.fullmatch(value) or abs(number := float(value)) == float("inf"):
        return UNREADABLE
    if looks:
        return _day(number, looks, epoch)
    if abs(number) >= EXACT:
        return f"{number:.14e}"  # a number of so many places is no longer what was typed
    return str(int(number)) if number.is_integer() else str(number)


def _day(value: float, looks: str, epoch: datetime) -> str:
    """A serial as a day, a day with its time, a time of day or a span of time."""
    if not 0 <= value < _LAST_DAY:
        return UNREADABLE
    span = timedelta(milliseconds=round(value * 86_400_000))
    if looks == "t":
        return str(span)
    if value < 1:
        return str((epoch + span).time())
    if epoch.year == 1899 and value < 60:
        span += timedelta(days=1)  # Excel's own 29 February 1900
    try:
        return _dated(epoch + span)
    except OverflowError:
        return UNREADABLE


def _dated(moment: datetime) -> str:
    return moment.date().isoformat() if moment.time() == time.min else moment.isoformat(" ")


def _iso(value: str) -> str:
    try:
        return _dated(datetime.fromisoformat(value))
    except ValueError:
        return UNREADABLE


def plain(text: str, *, kept: bool) -> str:
    """The text of an element t, without the blanks around it where it does not say that they count."""
    return unescaped(text if kept else text.strip(BLANK))


def unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "_x" in text else text


def _character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return found[0] if code == 0 or 0xD800 <= code < 0xE000 else chr(code)


def look_of(number: str, custom: dict[str, str]) -> str:
    """How the format with this number shows a number; `custom` are the workbook's own."""
    if number in custom:
        return custom[number]
    known = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0
    return "d" if known in _DAYS else "t" if known in _SPANS else ""


def look_of_format(code: str) -> str:
    """Letters of days and times count outside quotes, escapes and brackets."""
    bare = _NOT_FORMAT.sub("", code.partition(";")[0])
    if _ELAPSED.search(bare):
        return "t"
    return "d" if re.search("[ymdhs]", bare, re.IGNORECASE) else ""


def column_of(letters: str) -> int:
    """1 for A. Raises Unreadable for what no sheet has."""
    number = 0
    if 1 <= len(letters) <= 3 and letters.isascii() and letters.isalpha():
        for letter in letters.upper():
            number = number * 26 + ord(letter) - 64
    if not 1 <= number <= SHEET_COLUMNS:
        raise Unreadable(BROKEN)
    return number


def letters_of(column: int) -> str:
    """A for 1."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
