"""Run as a script, in a process of its own: an export on standard input becomes JSON lines on standard output.

A workbook of 100,000 rows takes 400 MB while it is open; a child gives all of it back, and a hostile file ends the
child and nothing else. Each line is [row number in the sheet, [texts]]; empty rows are left out. A failure is one line
of Chinese on standard error and exit code 3. It imports nothing of the portal, so that it starts small.

Arguments: how many rows to write (0 is all).
"""

from __future__ import annotations

import csv
import io
import json
import resource
import sys
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

MAX_MEMORY = 2 << 30  # address space; a workbook of 25 MB needs about half
MAX_SECONDS = 120
MAX_UNPACKED = 900 << 20  # bytes of XML inside a workbook
MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_CELL = 10_000  # characters
EXACT = 10**15  # beyond this a number kept by Excel has lost digits
REFUSED = 3
HEADS = ((b"%PDF-", " PDF 文件"), (b"\xff\xd8\xff", "图片"), (b"\x89PNG", "图片"))
OFFICE = (("word/", " Word 文档"), ("ppt/", "演示文稿"))


class Unreadable(Exception):
    """Why a file cannot be taken, in Chinese, for the person who chose it."""


def rows_of(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """(row number, texts) of each row with something in it. Raises Unreadable."""
    if kind := _known_by(data):
        raise Unreadable(f"这是{kind}，不是 XLSX 或 CSV 工作表，请核对选择的文件")
    if data[:4] == b"PK\x03\x04":
        found = _workbook_rows(data)
    elif data[:4] == b"\xd0\xcf\x11\xe0":
        raise Unreadable(
            "这是旧格式（.xls）或加了密码的工作簿，请在 WPS 或 Excel 中打开后另存为不带密码的 .xlsx"
        )
    else:
        found = _csv_rows(data)
    count = 0
    for number, texts in found:
        if any(texts):
            count += 1
            if count > MAX_ROWS:
                raise Unreadable(f"行数超过 {MAX_ROWS:,}，请按学校或年级分几个文件导出")
            if len(texts) > MAX_COLUMNS:
                raise Unreadable(f"列数超过 {MAX_COLUMNS}，请核对是不是学生名单")
            if any(len(text) > MAX_CELL for text in texts):
                raise Unreadable(f"第 {number} 行有超过 {MAX_CELL:,} 个字的单元格，请核对是不是学生名单")
            yield number, texts


def _known_by(data: bytes) -> str:
    """The kind of a file that is often chosen by mistake, by its first bytes; "" for any other."""
    if data[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as parts:
                names = parts.namelist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            return ""
        if "xl/workbook.xml" in names or "[Content_Types].xml" not in names:
            return ""
        return next((kind for folder, kind in OFFICE if any(one.startswith(folder) for one in names)), "")
    return next((kind for head, kind in HEADS if data.startswith(head)), "")


def _workbook_rows(data: bytes) -> Iterator[tuple[int, list[str]]]:
    from python_calamine import CalamineWorkbook

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            if sum(part.file_size for part in parts.infolist()) > MAX_UNPACKED:
                raise Unreadable("工作簿展开后过大，请按学校或年级分几个文件导出")
        sheets = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheet = sheets.get_sheet_by_index(0)
    except Unreadable:
        raise
    except Exception as error:  # the library's errors have no common class that leaves out bugs of its own
        raise Unreadable(
            "这个工作簿打不开，可能没有下载完整；请在 WPS 或 Excel 中打开，另存为 .xlsx 再传"
        ) from error
    for offset, line in enumerate(sheet.iter_rows(), start=1):
        yield offset, [_text(value) for value in line]


def _text(value: Any) -> str:
    """A cell as it would be read aloud: numbers without ".0", dates as 2012-09-01."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    if isinstance(value, int) and abs(value) >= EXACT:
        return repr(float(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)


def _csv_rows(data: bytes) -> Iterator[tuple[int, list[str]]]:
    text = _decoded(data)
    first = text.partition("\n")[0]
    delimiter = max(",\t;", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for number, line in enumerate(reader, start=1):
            yield number, [_csv_text(cell) for cell in line]
    except csv.Error as error:
        raise Unreadable(f"第 {reader.line_num} 行读不下去，请另存为 .xlsx 再传") from error


def _decoded(data: bytes) -> str:
    """UTF-8 with or without a mark, else GB18030, which holds every character of the others that China uses."""
    if b"\0" in data:
        raise Unreadable("这不是 XLSX 或 CSV 工作表，请核对选择的文件")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("文字编码认不出来，请在 WPS 或 Excel 中另存为 .xlsx 再传")


def _csv_text(cell: str) -> str:
    """Without what exports put around digits so that Excel keeps them: a tab, or ="…"."""
    cell = cell.strip("\t")
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') else cell


def write(rows: Iterable[tuple[int, list[str]]], limit: int) -> None:
    out = sys.stdout
    for written, row in enumerate(rows, start=1):
        out.write(json.dumps(row) + "\n")
        if written == limit:
            break
    out.flush()


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    try:
        write(rows_of(sys.stdin.buffer.read()), int(sys.argv[1]))
    except (Unreadable, MemoryError) as error:
        text = str(error) if isinstance(error, Unreadable) else "文件过大，请按学校或年级分几个文件导出"
        sys.stderr.buffer.write(text.encode())
        return REFUSED
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
