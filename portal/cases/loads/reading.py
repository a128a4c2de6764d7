"""An export as rows of text: read once in a child process into an unnamed temporary file, then walked as often as needed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice, zip_longest
from pathlib import Path
from typing import IO, Any, BinaryIO

from portal.cases.loads import mapping
from portal.cases.loads.readers import one_of_few, wall_seconds
from portal.cases.loads.unpacking import REFUSED, Unreadable

SCRIPT = Path(__file__).with_name("unpacking.py")
HEAD_ROWS = 12  # the headings stand within these
BROKEN = "这个文件读不出来，请在 WPS 或 Excel 中打开后另存为 .xlsx 再传"

__all__ = ["Lines", "Sheet", "Table", "Unreadable", "head_of", "open_lines", "open_table"]


TOTALS = frozenset({"合计", "总计", "小计", "共计", "合计：", "总计："})


@dataclass(frozen=True)
class Sheet:
    """Which sheet of a workbook is read ("" for a text file), the other visible ones, and how many of its rows are hidden."""

    sheet: str = ""
    others: list[str] = field(default_factory=list)
    hidden: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Head:
    """The heading row: the number of its last line in the sheet, and its texts."""

    row: int
    headings: list[str]


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
            number, texts = json.loads(line)
            yield number, texts


class Table(Lines):
    """The rows of an export. `head` is the heading row; rows() gives those below it."""

    def __init__(self, lines: IO[bytes]) -> None:
        super().__init__(lines)
        self.head = _head(self.first(HEAD_ROWS))

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(row number in the sheet, texts) below the headings, each as wide as the headings; rows of totals are left out."""
        width = len(self.head.headings)
        for number, texts in self.all():
            if number > self.head.row and not is_total(texts):
                yield number, (texts + [""] * (width - len(texts)))[:width]

    def totals(self) -> list[int]:
        """The numbers of the rows that are totals."""
        return [number for number, texts in self.all() if number > self.head.row and is_total(texts)]


def is_total(texts: list[str]) -> bool:
    """Whether a row adds up others: the first thing that stands in it says so."""
    first = next((text for text in texts if text.strip()), "")
    return "".join(first.split()) in TOTALS


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
        yield Table(lines)


def head_of(stream: BinaryIO, sheet: str = "") -> tuple[Head, Sheet]:
    """The heading row, and which sheet it stands in. Raises Unreadable."""
    with open_table(stream, HEAD_ROWS, sheet) as table:
        return table.head, table.sheet


def _unpack(stream: BinaryIO, lines: IO[bytes], limit: int, titles: Iterable[str], sheet: str = "") -> None:
    wanted = {"limit": limit, "sheet": sheet, "titles": sorted(titles), "noise": mapping.NOISE.pattern}
    with one_of_few(), tempfile.TemporaryFile() as source:
        shutil.copyfileobj(stream, source)
        source.seek(0)
        try:
            done: subprocess.CompletedProcess[Any] = subprocess.run(  # noqa: S603 - our own script, no shell
                [sys.executable, "-I", str(SCRIPT), json.dumps(wanted)],
                stdin=source,
                stdout=lines,
                stderr=subprocess.PIPE,
                timeout=wall_seconds(),
                env={"LANG": "C.UTF-8"},
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Unreadable("文件太大，读取用时过长，请按学校或年级分几个文件导出") from error
    if done.returncode == REFUSED:
        raise Unreadable(done.stderr.decode("utf-8", "replace") or BROKEN)
    if done.returncode:
        raise Unreadable(BROKEN)


def _head(first: list[tuple[int, list[str]]]) -> Head:
    """The row, or two rows joined, that hold most known headings: a title may stand above, groups in the upper of two."""
    best = Head(0, [])
    most = 0
    for place, (number, texts) in enumerate(first):
        below = first[place + 1 : place + 2]
        candidates = [(number, texts), *((lower, _joined(texts, under)) for lower, under in below)]
        for row, headings in candidates:
            known = len(mapping.propose(headings))
            if known > most:
                most, best = known, Head(row, headings)
    if most < 2:
        raise Unreadable("没有找到列标题（如“学籍号”“姓名”）。请选择从全国学籍系统导出的名单，保留标题行")
    headings = [" ".join(text.split()) for text in best.headings]
    while headings and not headings[-1]:
        headings.pop()
    return Head(best.row, headings)


def _joined(upper: list[str], lower: list[str]) -> list[str]:
    """Two rows of headings as one: a group stands over the columns to its right, up to the next that names itself."""
    joined, group = [], ""
    for above, below in zip_longest(upper, lower, fillvalue=""):
        group = above.strip() or group
        if not below.strip():
            joined.append(above)
        else:
            joined.append(
                below if mapping.propose([below]) and not mapping.is_group(group) else group + below
            )
    return joined
