"""The rows of a sheet in the one writing that nearly every program uses, several times faster than a parser goes through them.

Whole rows are matched as they stand, one right behind the other from <sheetData> on: every byte of a row must be accounted for.
The first that is written otherwise (an error, a formula, a comment, other quotes, a blank between two rows) and everything
behind it goes to the parser, behind what stood before the rows; so nothing is read here that the parser would read otherwise.
"""

from __future__ import annotations

import re

from .cells import BLANK, LONG_CELL, MAX_CELL, MAX_COLUMNS, Looks, Unreadable, column_of, plain, text_of
from .sheetrows import About, Enough, Row, SheetRows, put
from .strings import Strings

BEGIN, END = b"<sheetData>", b"</row>"
MOST_BEFORE = 64 << 10  # bytes before the rows: columns, views
MOST_ROW = 128 << 10
_PLAIN = "[^<&\\x00-\\x08\\x0b-\\x1f\\ufffe\\uffff]*"
_TEXT = f"{_PLAIN}(?:&(?:amp|lt|gt|quot|apos);{_PLAIN})*"
_ATTRIBUTES = '(?: [A-Za-z][A-Za-z0-9:]*="[^"<&\\x00-\\x1f]*")*'
_ROW = re.compile(f'<row r="([1-9][0-9]{{0,6}})"({_ATTRIBUTES})>')
_CELL = (
    '<c r="([A-Z]{1,3})([0-9]{1,7})"(?: s="([0-9]{1,6})")?(?: t="(s|n|str|inlineStr|b)")?'
    f'(?:/>|>(?:<v>({_TEXT})</v>|<is><t(?: xml:space="(preserve)")?>({_TEXT})</t></is>)?</c>)'
)
_CELLS = re.compile(_CELL)
_ONLY_CELLS = re.compile(f"(?:{re.sub('[(](?![?])', '(?:', _CELL)})*+")
_HIDDEN = (' hidden="1"', ' hidden="true"')
_HEADER = re.compile(rb"(?:\xef\xbb\xbf)?(?:<\?xml[^?>]*\?>)?\s*<worksheet[\s>]")
_ENCODING = re.compile(rb"encoding\s*=\s*[\"']([^\"']*)")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))


class UsualRows:
    """In the place of the parser of a sheet: takes rows itself for as long as it can, then lets the parser go on."""

    def __init__(self, strings: Strings, looks: Looks, about: About, last: int) -> None:
        self._slow = SheetRows(strings, looks, about, last)
        self._strings, self._looks, self._about, self._last = strings, looks, about, last
        self._kept = b""  # not looked at so far
        self._header: bytes | None = None  # what stood before the rows, once they have begun
        self._found: list[Row] = []
        self._number = self._skipped = 0
        self._usual = True
        self._columns: dict[str, int] = {}
        self.intern = self._slow.parser.intern

    @property
    def CurrentByteIndex(self) -> int:
        """How many bytes are behind what is being looked at."""
        if self._usual:
            return self._skipped
        return self._skipped + self._slow.parser.CurrentByteIndex - len(self._header or b"")

    def Parse(self, piece: bytes, final: bool) -> None:
        """Raises what the parser raises."""
        if not self._usual:
            self._slow.parser.Parse(piece, final)
            return
        self._kept += piece
        if self._about.only_hidden or final or not self._go_on():
            self._hand_over(final)

    def taken(self) -> list[Row]:
        found = self._found + self._slow.taken()
        self._found = []
        return found

    def fed(self) -> None:
        self._slow.fed()

    def _hand_over(self, final: bool) -> None:
        """Let the parser read what stood before the rows and what is left, as if there had been no others."""
        self._usual = False
        self._slow.above = self._number
        self._slow.parser.Parse((self._header or b"") + self._kept, final)
        self._kept = b""

    def _go_on(self) -> bool:
        """Take the whole rows there are; False where the parser has to go on."""
        if self._header is None:
            at = self._kept.find(BEGIN) + len(BEGIN)
            if at < len(BEGIN):
                return len(self._kept) < MOST_BEFORE
            if not _is_usual(self._kept[:at]):
                return False
            self._header = self._kept[:at]
            self._drop(at)
        place = 0
        while (end := self._kept.find(END, place)) >= 0:
            if not self._take(self._kept[place:end]):
                self._drop(place)
                return False
            place = end + len(END)
        self._drop(place)
        return len(self._kept) < MOST_ROW and self._kept[:4] in (b"<row"[: len(self._kept)], b"<row")

    def _drop(self, count: int) -> None:
        self._kept = self._kept[count:]
        self._skipped += count

    def _take(self, row: bytes) -> bool:
        """Read one row up to its end; False, and nothing done, where it is written in another way."""
        if b"]]>" in row:  # no XML, which the parser says
            return False
        try:
            text = row.decode()
        except UnicodeDecodeError:
            return False
        opened = _ROW.match(text)
        if opened is None or not _ONLY_CELLS.fullmatch(text, opened.end()):
            return False
        digits, number = opened[1], int(opened[1])
        if number <= self._number or number > 1_048_576:
            return False
        if number > self._last:
            raise Enough
        line = self._line(digits, text, _CELLS.findall(text, opened.end()))
        if line is None:
            return False
        self._number = number
        if any(one in opened[2] for one in _HIDDEN):
            self._about.hidden += 1
        if line:
            self._found.append((number, line))
        return True

    def _line(self, digits: str, row: str, cells: list[tuple[str, ...]]) -> list[str] | None:
        """The texts of a row; None where a cell says that it stands in another."""
        line: list[str] = []
        columns, string, look, epoch = self._columns, self._strings.get, self._looks.of, self._looks.epoch
        plain_words, long = not ("&" in row or "_x" in row), len(row) > MAX_CELL
        for letters, of_row, style, kind, value, kept, words in cells:
            if of_row != digits:
                return None
            if kind == "s":
                text = string(value or words) if value or words else ""
            elif plain_words and words and kind == "inlineStr":
                text = words if kept else words.strip(BLANK)
            elif kind == "inlineStr":
                text = _bare(value) or plain(_bare(words), kept=bool(kept))
            else:
                text = text_of(
                    kind or None, _bare(value or words), look(style or None), formula=False, epoch=epoch
                )
            if text:
                if long and len(text) > MAX_CELL:
                    raise Unreadable(f"第 {digits} 行{LONG_CELL}")
                column = columns.get(letters) or columns.setdefault(letters, column_of(letters))
                if len(line) == column - 1 and column <= MAX_COLUMNS:
                    line.append(text)
                else:
                    put(line, column, text)
        return line


def _is_usual(header: bytes) -> bool:
    """Whether what stands before the rows is UTF-8 and elements only: then <sheetData> is the element."""
    said = _ENCODING.search(header[:200])
    if said and said[1].lower() != b"utf-8":
        return False
    return bool(_HEADER.match(header)) and b"<!" not in header and b"<?" not in header[5:]


def _bare(text: str) -> str:
    if "&" in text:
        for entity, character in _ENTITIES:
            text = text.replace(entity, character)
    return text
