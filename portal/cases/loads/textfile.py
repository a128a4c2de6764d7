"""The rows of a text file: which encoding and which delimiter it is in, and what is no list at all.

Imported by the child process that reads a file (unpacking.py): nothing of the portal.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from .cells import LONG_CELL, MAX_CELL, Unreadable
from .sheetrows import Row

HEAD_ROWS = 40  # by which the delimiter is told
HEAD_CHARACTERS = 64 << 10
DELIMITERS = ",\t;|"  # of equals the first
NUL_SHARE = 50  # one byte of so many at least is 0 in a list in UTF-16
WEB = "这是网页或 XML 格式的 .xls，不是真正的工作簿，请在 WPS 或 Excel 中打开后另存为 .xlsx 再传"
NO_TABLE = "这不是 XLSX 或 CSV 工作表，请核对选择的文件"
UNKNOWN = "文字编码认不出来，请在 WPS 或 Excel 中另存为 .xlsx 再传"
GB18030_MARK = b"\x84\x31\x95\x33"
MARKUP = re.compile(r"<[a-z!?/]|mime-version:|from: <saved by", re.IGNORECASE)
TABLE = re.compile(r"<(?:html|table|tbody|tr|workbook)\b[^<>]*>", re.IGNORECASE)
SEPARATOR = re.compile(r"\"?sep=(.)\"?\s*", re.IGNORECASE)


def text_rows(data: bytes, wanted: dict[str, Any]) -> Iterator[Row]:
    """(row number, texts) of each record, numbered as a spreadsheet numbers them. Raises Unreadable."""
    encoding, skipped = encoding_of(data)
    head = _opened(data, encoding, skipped).read(HEAD_CHARACTERS)
    if MARKUP.match(head.lstrip()) or TABLE.search(head):
        raise Unreadable(WEB)
    csv.field_size_limit(4 * MAX_CELL)
    return _records(_opened(data, encoding, skipped), _delimiter(head, wanted))


def _records(stream: io.TextIOWrapper, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(stream, delimiter=delimiter)
    try:
        began = width = 0
        for number, line in enumerate(reader, start=1):
            if reader.line_num - began > 1 and _swallowed(line, delimiter, width):
                raise Unreadable(
                    f"第 {began + 1} 行起有引号没有结束，后面的行读不出来；请核对引号，或另存为 .xlsx 再传"
                )
            began, width = reader.line_num, max(width, len(line))
            texts = [_bare(cell) for cell in line]
            if any("\0" in text for text in texts):
                raise Unreadable(NO_TABLE)
            if number > 1 or not SEPARATOR.fullmatch(delimiter.join(texts)):
                yield number, texts
    except csv.Error as error:
        if "field larger" in str(error):
            raise Unreadable(f"第 {reader.line_num} 行{LONG_CELL}") from error
        raise Unreadable(f"第 {reader.line_num} 行读不下去，请另存为 .xlsx 再传") from error


def _swallowed(record: list[str], delimiter: str, width: int) -> bool:
    """Whether a cell with line breaks holds whole records, as wide as those before it: a quotation that nobody ended."""
    least = max(2, width - 1)
    return any(line.count(delimiter) >= least for cell in record for line in cell.splitlines()[1:])


def _opened(data: bytes, encoding: str, skipped: int) -> io.TextIOWrapper:
    stream = io.BytesIO(data)
    stream.seek(skipped)
    return io.TextIOWrapper(stream, encoding, newline="")


def encoding_of(data: bytes) -> tuple[str, int]:
    """By its mark, UTF-16 by its zeros, UTF-8 where it fits, else GB18030, which holds every character of the others that
    China uses; and how many bytes the mark takes. Raises Unreadable."""
    marks = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
    tried = [(name, len(mark)) for mark, name in marks if data.startswith(mark)]
    if not tried and (zeros := data.count(b"\0")):
        odd = data[1::2].count(b"\0")
        if zeros * NUL_SHARE < len(data) or min(odd, zeros - odd) * 4 > zeros:
            raise Unreadable(NO_TABLE)
        name = "utf-16-le" if 2 * odd > zeros else "utf-16-be"
        if not _fits(data, name, 0):
            raise Unreadable(NO_TABLE)
        return name, 0
    if not tried:
        marked = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
        tried = [("utf-8", marked), ("gb18030", len(GB18030_MARK) * data.startswith(GB18030_MARK))]
    for name, skipped in tried:
        if _fits(data, name, skipped):
            return name, skipped
    raise Unreadable(UNKNOWN)


def _fits(data: bytes, encoding: str, skipped: int) -> bool:
    """Whether all of it can be decoded, a piece at a time."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for at in range(skipped, len(data), 1 << 20):
            decoder.decode(data[at : at + (1 << 20)])
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(head: str, wanted: dict[str, Any]) -> str:
    """What the first line says, else the one that yields most known headings, most rows of one width, the widest."""
    first = head.split("\n", 1)[0].strip()
    if (said := SEPARATOR.fullmatch(first)) and said[1] not in "\"'":
        return said[1]
    noise, titles = re.compile(wanted["noise"] or "(?!)"), set(wanted["titles"])
    best, most = DELIMITERS[0], (0, 0, 0)
    for mark in DELIMITERS:
        try:
            rows = list(islice(csv.reader(io.StringIO(head, newline=""), delimiter=mark), HEAD_ROWS))
        except csv.Error:
            continue
        known = max(
            (len(titles.intersection(noise.sub("", cell) for cell in row)) for row in rows), default=0
        )
        width, times = _commonest([len(row) for row in rows if len(row) > 1])
        if (score := (known if known > 1 else 0, times, width)) > most:
            best, most = mark, score
    return best


def _commonest(widths: list[int]) -> tuple[int, int]:
    """The width that most rows have, of equals the greatest, and how many have it."""
    counts = Counter(widths)
    times = max(counts.values(), default=0)
    return max((width for width, found in counts.items() if found == times), default=0), times


def _bare(cell: str) -> str:
    """Without what exports put around digits so that Excel keeps them: a tab, or ="…"."""
    cell = cell.strip("\t")
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') else cell
