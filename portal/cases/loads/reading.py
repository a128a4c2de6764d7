"""An export as rows of text: read once in a child process into an unnamed temporary file, then walked as often as needed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO

from portal import json_texts
from portal.cases.loads import heads, mapping
from portal.cases.loads.heads import HEAD_ROWS, Head, Known
from portal.cases.loads.readers import one_of_few, wait_for
from portal.cases.loads.unpacking import REFUSED, Unreadable

LONGEST_NAME = 255  # of a sheet; the name goes to the reader as an argument
SCRIPT = Path(__file__).with_name("unpacking.py")
BROKEN = "这个文件读不出来，请在 WPS 或 Excel 中打开后另存为 .xlsx 再传"

__all__ = [
    "HEAD_ROWS",
    "Lines",
    "NotThisSheet",
    "Sheet",
    "Table",
    "Unreadable",
    "head_of",
    "open_lines",
    "open_list",
    "open_table",
]


@dataclass(frozen=True)
class Sheet:
    """Which sheet of a workbook is read ("" for a text file), the other visible ones, and how many of its rows are hidden."""

    sheet: str = ""
    others: list[str] = field(default_factory=list)
    hidden: int = 0

    @property
    def names(self) -> list[str]:
        """The visible sheets, the one that was read first."""
        return [self.sheet, *self.others] if self.sheet else []

    def told(self) -> str:
        """Which sheet was read, in a sentence; "" for a text file."""
        if not self.sheet:
            return ""
        others = f"，另有“{'”“'.join(self.others)}”没有读" if self.others else ""
        hidden = f"；其中 {self.hidden} 行在表中是隐藏的，也已读入" if self.hidden else ""
        return f"读取的是工作表“{self.sheet}”{others}{hidden}。"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class NotThisSheet(Unreadable):
    """The workbook is sound, but what was looked for does not stand in the sheet that was read; another may be chosen."""

    def __init__(self, message: str, sheet: Sheet) -> None:
        super().__init__(message)
        self.sheet = sheet


def sheets_of(error: Unreadable) -> list[str]:
    """The sheets between which a person may choose after such a refusal."""
    return error.sheet.names if isinstance(error, NotThisSheet) else []


class Lines:
    """Every row of a sheet that has something in it, whatever it is about; to be walked any number of times."""

    def __init__(self, lines: IO[bytes]) -> None:
        self._lines = lines
        lines.seek(0)
        self.sheet = Sheet(**json.loads(lines.readline()))

    def first(self, count: int) -> list[tuple[int, list[str]]]:
        return list(islice(self.all(), count))

    def all(self) -> Iterator[tuple[int, list[str]]]:
        """(row number in the sheet, texts)."""
        self._lines.seek(0)
        self._lines.readline()
        for line in self._lines:
            number, texts = json_texts.loads(line)
            yield number, texts


class Table(Lines):
    """The rows of a list. `head` is the heading row, `found` how many of its headings are `known`; rows() gives the rows of
    the list below it."""

    def __init__(self, lines: IO[bytes], known: Known) -> None:
        super().__init__(lines)
        self.head, self.found = heads.find(self.first(HEAD_ROWS), known)
        self._passed: dict[int, str] | None = None

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(row number in the sheet, texts) below the headings, each as wide as the headings; what is no row of the list is
        left out."""
        width, seen = len(self.head.headings), self._passed
        passed: dict[int, str] = {}
        for number, texts in self.all():
            if number <= self.head.row:
                continue
            kind = heads.kind_of(texts, self.head) if seen is None else seen.get(number, "")
            if kind:
                passed[number] = kind
            else:
                yield number, (texts + [""] * (width - len(texts)))[:width]
        self._passed = passed

    def passed(self) -> dict[int, str]:
        """{row number: kind} of the rows that are no rows of the list: totals, notes, repeated headings."""
        if self._passed is None:
            for _ in self.rows():
                pass
        return self._passed or {}

    def totals(self) -> list[int]:
        """The numbers of the rows that are totals."""
        return [number for number, kind in self.passed().items() if kind == heads.TOTAL]


@contextmanager
def open_lines(stream: BinaryIO, titles: Iterable[str] = ()) -> Iterator[Lines]:
    """The rows of the first visible sheet that has some of these `titles` as headings, else of the first that looks like a
    list. Raises Unreadable with a sentence for the person."""
    with tempfile.TemporaryFile() as lines:
        _unpack(stream, lines, 0, titles)
        yield Lines(lines)


@contextmanager
def open_table(stream: BinaryIO, limit: int = 0, sheet: str = "") -> Iterator[Table]:
    """The rows of an export (at most `limit` of them, 0 is all), of the `sheet` with this name or the first visible one that
    has the headings. Raises Unreadable with a sentence for the person."""
    with tempfile.TemporaryFile() as lines:
        _unpack(stream, lines, limit, mapping.TITLES, sheet)
        table = Table(lines, known_headings)
        if table.found < 2:
            raise Unreadable("没有找到列标题（如“学籍号”“姓名”）。请选择从全国学籍系统导出的名单，保留标题行")
        yield table


@contextmanager
def open_list(stream: BinaryIO, titles: Iterable[str], known: Known, sheet: str = "") -> Iterator[Table]:
    """The rows of a list that has some of these `titles`, of the `sheet` with this name or the first visible one that has
    them. Raises Unreadable, also for a sheet that is not there."""
    with tempfile.TemporaryFile() as lines:
        _unpack(stream, lines, 0, titles, sheet)
        table = Table(lines, known)
        if sheet and table.sheet.sheet != sheet:
            there = f"，文件里有“{'”“'.join(table.sheet.names)}”" if table.sheet.names else ""
            raise NotThisSheet(f"没有工作表“{sheet}”{there}", table.sheet)
        yield table


def known_headings(headings: Sequence[str]) -> int:
    """How many of these are columns of the register."""
    return len(mapping.propose(headings))


def head_of(stream: BinaryIO, sheet: str = "") -> tuple[Head, Sheet]:
    """The heading row, and which sheet it stands in. Raises Unreadable."""
    with open_table(stream, HEAD_ROWS, sheet) as table:
        return table.head, table.sheet


def _unpack(stream: BinaryIO, lines: IO[bytes], limit: int, titles: Iterable[str], sheet: str = "") -> None:
    if len(sheet) > LONGEST_NAME:
        raise Unreadable("没有这张工作表，请核对名称")
    wanted = {"limit": limit, "sheet": sheet, "titles": sorted(titles), "noise": mapping.NOISE.pattern}
    with one_of_few(), tempfile.TemporaryFile() as source:
        shutil.copyfileobj(stream, source)
        source.seek(0)
        try:
            reader = subprocess.Popen(  # noqa: S603 - our own script, no shell
                [sys.executable, "-I", str(SCRIPT), json.dumps(wanted)],
                stdin=source,
                stdout=lines,
                stderr=subprocess.PIPE,
                env={"LANG": "C.UTF-8"},
            )
            said = wait_for(reader)
        except subprocess.TimeoutExpired as error:
            raise Unreadable("文件太大，读取用时过长，请按学校或年级分几个文件导出") from error
    if reader.returncode == REFUSED:
        raise Unreadable(said.decode("utf-8", "replace") or BROKEN)
    if reader.returncode:
        raise Unreadable(BROKEN)
