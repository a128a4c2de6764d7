"""The shared strings of a workbook (ECMA-376 part 1, 18.4), held in one stretch of bytes."""

from __future__ import annotations

from array import array
from xml.parsers import expat

from .cells import LONG_CELL, MAX_CELL, UNREADABLE, Unreadable, plain

LEAST_ROOM = 64 << 20  # bytes of texts that any workbook may hold
MANY = 100_000  # texts that any workbook may hold, and one more for each byte of its packed size
OFTEN = 4_096  # the first that are used are those that are used again: ethnicities, classes, relations
DEEP = 64  # elements within each other; a list has eight
ROOM = 8  # and so many times its packed size: texts of a list pack to a third or fourth
TOO_LARGE = "工作簿展开后过大，请按学校或年级分几个文件导出"


class Strings:
    """Millions of texts as a list would take five times as much. The room goes by the size of the file, so that a small
    file stays small."""

    def __init__(self, packed: int) -> None:
        self._room = LEAST_ROOM + ROOM * packed
        self._most = MANY + packed
        self._often: dict[str, str] = {}
        self._bytes = bytearray()
        self._ends = array("I", [0])

    def add(self, text: str) -> None:
        self._bytes += text.encode("utf-8", "replace")
        self._ends.append(len(self._bytes))
        if len(self._bytes) > self._room or len(self._ends) > self._most:
            raise Unreadable(TOO_LARGE)

    def get(self, place: str) -> str:
        """The text at a place; UNREADABLE where there is none."""
        text = self._often.get(place)
        if text is None:
            text = self._found(place)
            if len(self._often) < OFTEN:
                self._often[place] = text
        return text

    def _found(self, place: str) -> str:
        if not (place.isascii() and place.isdigit()) or len(place) > 9:
            return UNREADABLE
        number = int(place)
        if number + 1 >= len(self._ends):
            return UNREADABLE
        return self._bytes[self._ends[number] : self._ends[number + 1]].decode()


class StringReader:
    """Listens to a parser that goes through the shared strings; readings (rPh) are left out."""

    def __init__(self, strings: Strings) -> None:
        self.parser = parser_of()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self._texts: list[str] = []
        self.parser.CharacterDataHandler = self._texts.append
        self._whole: list[str] = []
        self._length = self._depth = 0
        self._strings = strings
        self._kept = self._skipping = False

    def fed(self) -> None:
        within_a_cell(self._texts)

    def _start(self, name: str, has: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        self._depth += 1
        if self._depth > DEEP:
            raise Unreadable(TOO_LARGE)
        if local == "t":
            self._texts.clear()
            self._kept = has.get("xml:space") == "preserve"
        elif local == "si":
            self._whole.clear()
            self._length = 0
        elif local == "rPh":
            self._skipping = True

    def _end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        self._depth -= 1
        if local == "t":
            if not self._skipping:
                text = plain("".join(self._texts), kept=self._kept)
                self._whole.append(text)
                self._length += len(text)
                if self._length > MAX_CELL or len(self._whole) > MAX_CELL:
                    raise Unreadable(LONG_CELL)
            self._texts.clear()
        elif local == "rPh":
            self._skipping = False
        elif local == "si":
            self._strings.add("".join(self._whole))


def parser_of() -> expat.XMLParserType:
    """A parser that takes no document type and keeps the names it met where they can be counted."""
    parser = expat.ParserCreate(intern={})
    parser.buffer_text = True
    parser.buffer_size = 16 << 10
    parser.StartDoctypeDeclHandler = _no_doctype
    return parser


def _no_doctype(*_: object) -> None:
    raise Unreadable("工作簿里有文档类型声明，不是普通的工作表，请在 WPS 或 Excel 中另存为 .xlsx 再传")


def within_a_cell(texts: list[str]) -> None:
    """Raises Unreadable when what has been heard without an end is more than a cell may hold."""
    if len(texts) > 4 and sum(map(len, texts)) > 4 * MAX_CELL:
        raise Unreadable(LONG_CELL)
