"""An export as rows of text: read once in a child process into an unnamed temporary file, then walked as often as needed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO

from portal.cases.loads import mapping
from portal.cases.loads.unpacking import REFUSED, Unreadable

SCRIPT = Path(__file__).with_name("unpacking.py")
WALL_SECONDS = 150
HEAD_ROWS = 12  # the headings stand within these
BROKEN = "这个文件读不出来，请在 WPS 或 Excel 中打开后另存为 .xlsx 再传"

__all__ = ["Lines", "Table", "Unreadable", "head_of", "open_lines", "open_table"]


@dataclass(frozen=True)
class Head:
    """The heading row: its number in the sheet and its texts."""

    row: int
    headings: list[str]


class Lines:
    """Every row of a sheet that has something in it, whatever it is about; to be walked any number of times."""

    def __init__(self, lines: IO[bytes]) -> None:
        self._lines = lines

    def first(self, count: int) -> list[tuple[int, list[str]]]:
        return list(islice(self.all(), count))

    def all(self) -> Iterator[tuple[int, list[str]]]:
        """(row number in the sheet, texts)."""
        self._lines.seek(0)
        for line in self._lines:
            number, texts = json.loads(line)
            yield number, texts


class Table(Lines):
    """The rows of an export. `head` is the heading row; rows() gives those below it."""

    def __init__(self, lines: IO[bytes]) -> None:
        super().__init__(lines)
        self.head = _head(self.first(HEAD_ROWS))

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(row number in the sheet, texts) below the headings, each as wide as the headings."""
        width = len(self.head.headings)
        for number, texts in self.all():
            if number > self.head.row:
                yield number, (texts + [""] * (width - len(texts)))[:width]


@contextmanager
def open_lines(stream: BinaryIO) -> Iterator[Lines]:
    """The rows of any sheet. Raises Unreadable with a sentence for the person."""
    with tempfile.TemporaryFile() as lines:
        _unpack(stream, lines, 0)
        yield Lines(lines)


@contextmanager
def open_table(stream: BinaryIO, limit: int = 0) -> Iterator[Table]:
    """The rows of an export (at most `limit` of them, 0 is all). Raises Unreadable with a sentence for the person."""
    with tempfile.TemporaryFile() as lines:
        _unpack(stream, lines, limit)
        yield Table(lines)


def head_of(stream: BinaryIO) -> Head:
    """Only the heading row. Raises Unreadable."""
    with open_table(stream, HEAD_ROWS) as table:
        return table.head


def _unpack(stream: BinaryIO, lines: IO[bytes], limit: int) -> None:
    with tempfile.TemporaryFile() as source:
        shutil.copyfileobj(stream, source)
        source.seek(0)
        try:
            done: subprocess.CompletedProcess[Any] = subprocess.run(  # noqa: S603 - our own script, no shell
                [sys.executable, "-I", str(SCRIPT), str(limit)],
                stdin=source,
                stdout=lines,
                stderr=subprocess.PIPE,
                timeout=WALL_SECONDS,
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
    """The row that holds most known headings: a title or group row may stand above it."""
    known = [(len(mapping.propose(texts)), number, texts) for number, texts in first]
    best = max(known, key=lambda one: (one[0], -one[1]), default=(0, 0, []))
    if best[0] < 2:
        raise Unreadable("没有找到列标题（如“学籍号”“姓名”）。请选择从全国学籍系统导出的名单，保留标题行")
    headings = [" ".join(text.split()) for text in best[2]]
    while headings and not headings[-1]:
        headings.pop()
    return Head(best[1], headings)
