"""Run as a script, in a process of its own: an export on standard input becomes JSON lines on standard output, a file.

A hostile file ends the child and nothing else. Each line is [row number in the sheet, [texts]]; empty rows are left out. A
failure is one line of Chinese on standard error and exit code 3. It imports nothing of the portal, so that it starts small.

Argument: JSON with `limit`, how many rows to write (0 is all); `sheet`, the name of the sheet ("" for the first visible one
that has the headings); `titles`, known headings without what `noise` (a pattern) takes away. The first line that is written
is an object: the sheet that is read, the other visible ones, and how many rows of it are hidden.
"""

from __future__ import annotations

import gc
import io
import json
import resource
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any
from xml.parsers.expat import ExpatError

import orjson

if (
    not __package__
):  # a script in isolated mode: its neighbours are a package of their own, without the portal
    sys.path.append(__file__.rsplit("/", 2)[0])
    __package__ = "loads"

from .cells import BROKEN, LONG_CELL, MANY_COLUMNS, MAX_CELL, MAX_COLUMNS, Unreadable
from .choosing import chosen
from .sheetrows import About, Row
from .strings import TOO_LARGE
from .textfile import text_rows
from .workbook import Workbook

__all__ = ["MAX_ROWS", "REFUSED", "Unreadable", "sheet_of"]

MAX_MEMORY = 768 << 20  # address space; the largest file that may be sent needs half
MAX_SECONDS = 300  # of computing; 400,000 rows take a third where the machine is slow
HEAD_SECONDS = 30  # when only headings are wanted
MAX_ROWS = 500_000
MOST_PARTS = 10_000  # of a workbook; each takes memory before anything is read of it
REFUSED = 3
HEADS = (
    (b"%PDF-", " PDF 文件"),
    (b"\xff\xd8\xff", "图片"),
    (b"\x89PNG", "图片"),
    (b"Rar!\x1a\x07", "压缩包"),
    (b"7z\xbc\xaf\x27\x1c", "压缩包"),
    (b"\x1f\x8b", "压缩包"),
    (b"{\\rtf", " RTF 文档"),
    (b"ID;P", " SYLK 格式（.slk）的文件"),
)
OLD = "这是旧格式（.xls）或加了密码的工作簿，请在 WPS 或 Excel 中打开后另存为不带密码的 .xlsx"
OFFICE = (("word/", " Word 文档"), ("ppt/", "演示文稿"))
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass
class Source:
    """The rows of a sheet as they are read; `about` is complete when they are, and need not be read where none hides."""

    rows: Iterator[Row]
    sheet: str = ""
    others: list[str] = field(default_factory=list)
    about: About = field(default_factory=About)
    may_hide: Callable[[], bool] = lambda: False

    def first_line(self) -> bytes:
        said = {"sheet": self.sheet, "others": self.others, "hidden": self.about.hidden}
        return json.dumps(said).encode()


def sheet_of(data: bytes, wanted: dict[str, Any]) -> Source:
    """What is read of the file. It and its rows raise Unreadable."""
    if kind := _known_by(data):
        raise Unreadable(f"这是{kind}，不是 XLSX 或 CSV 工作表，请核对选择的文件")
    if data.startswith(OLE):
        raise Unreadable(OLD)
    source = _workbook(data, wanted) if data.startswith(ZIP) else Source(text_rows(data, wanted))
    source.rows = _within_limits(_told(source.rows))
    return source


def _workbook(data: bytes, wanted: dict[str, Any]) -> Source:
    try:
        book = Workbook(data)
        name = chosen(book, wanted)
    except FAILURES as error:
        raise Unreadable(BROKEN) from error
    about = About()
    others = [one for one in book.names if one != name]
    return Source(book.rows(name, about), name, others, about, lambda: book.may_hide(name))


FAILURES = (  # what zipfile and expat make of a file that is damaged
    ExpatError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
    ValueError,
)


def _told(rows: Iterable[Row]) -> Iterator[Row]:
    try:
        yield from rows
    except FAILURES as error:
        raise Unreadable(BROKEN) from error


def _within_limits(found: Iterable[Row]) -> Iterator[Row]:
    count = 0
    for number, texts in found:
        while texts and not texts[-1]:
            texts.pop()
        if texts:
            count += 1
            if count > MAX_ROWS:
                raise Unreadable(f"行数超过 {MAX_ROWS:,}，请按学校或年级分几个文件导出")
            if len(texts) > MAX_COLUMNS:
                raise Unreadable(MANY_COLUMNS)
            if max(map(len, texts)) > MAX_CELL:
                raise Unreadable(f"第 {number} 行{LONG_CELL}")
            yield number, texts


def _known_by(data: bytes) -> str:
    """The kind of a file that is often chosen by mistake, by its first bytes; "" for any other. Raises Unreadable."""
    if not data.startswith(ZIP):
        return next((kind for head, kind in HEADS if data.startswith(head)), "")
    if data.count(b"PK\x01\x02") > MOST_PARTS:
        raise Unreadable(TOO_LARGE)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            names = parts.namelist()
    except FAILURES as error:
        raise Unreadable(BROKEN) from error
    if "[Content_Types].xml" not in names:
        return " ODS 表格" if "content.xml" in names else "压缩包"
    return next((kind for folder, kind in OFFICE if any(one.startswith(folder) for one in names)), "")


def write(source: Source, out: IO[bytes], limit: int) -> None:
    """The first line, rewritten in its room once the hidden rows are counted, and `limit` rows."""
    first = source.first_line() + b" " * 8
    out.write(first + b"\n")
    for written, row in enumerate(source.rows, start=1):
        out.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        if written == limit:
            break
    else:
        limit = 0
    if limit and source.may_hide():
        source.about.only_hidden = True
        for _ in source.rows:
            pass
    if source.about.hidden:
        out.seek(0)
        out.write(source.first_line().ljust(len(first)))
    out.flush()


def main() -> int:
    gc.disable()  # nothing here refers to itself, and there are millions of cells
    wanted = json.loads(sys.argv[1])
    seconds = HEAD_SECONDS if wanted["limit"] else MAX_SECONDS
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    try:
        write(sheet_of(sys.stdin.buffer.read(), wanted), sys.stdout.buffer, wanted["limit"])
    except (Unreadable, MemoryError) as error:
        sys.stderr.buffer.write((str(error) if isinstance(error, Unreadable) else TOO_LARGE).encode())
        return REFUSED
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
