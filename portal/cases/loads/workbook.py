"""The parts of an XLSX workbook: which sheets are visible, and the rows of one (ECMA-376 part 2, and part 1, 18.2).

Read piece by piece by expat in a child process (unpacking.py). A part, a token, a row and a cell end at a limit while
they are read: a file takes memory by what it says, not by what it unpacks to. Nothing of the portal is imported.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from xml.parsers import expat

from .cells import BROKEN, SHEET_COLUMNS, SHEET_ROWS, Looks, Unreadable, look_of, look_of_format
from .sheetrows import About, Enough, Row
from .strings import DEEP, TOO_LARGE, StringReader, Strings, parser_of
from .usualrows import UsualRows

MAX_UNPACKED = 1500 << 20  # bytes of XML that are read; 400,000 rows of 42 columns are 980 MB
MAX_RATIO = 200  # of a large part to its packed size; lists pack to a twelfth
LARGE = 64 << 20
PIECE = 64 << 10
LONGEST = 256 << 10  # bytes of one tag, comment or text that the parser has to keep
LONGEST_NAME, MOST_SHEETS = 255, 250  # of sheets; Excel itself lets a name have 31 characters
MOST_NAMES = 4_096  # different names of elements and attributes in a part

Start = Callable[[str, dict[str, str]], None]


class Workbook:
    """The visible sheets of a workbook by name, and their rows. Raises Unreadable, and what zipfile and expat raise."""

    def __init__(self, data: bytes) -> None:
        self._parts = zipfile.ZipFile(io.BytesIO(data))
        self._names = {one.filename.replace("\\", "/").lower(): one for one in self._parts.infolist()}
        self._room = MAX_UNPACKED
        self._looks = Looks()
        self._strings = Strings(len(data))
        self._related: dict[str, tuple[str, str]] = {}
        self._places: dict[str, str] = {}
        self._read_book(self._main_part())
        for kind, place in list(self._related.values()):
            if kind == "styles":
                self._read_styles(place)
            elif kind == "sharedStrings":
                reader = StringReader(self._strings)
                self._parse(place, reader.parser, reader.fed)

    @property
    def names(self) -> list[str]:
        return list(self._places)

    def rows(self, name: str, about: About, last: int = SHEET_ROWS) -> Iterator[Row]:
        """(row number, texts) of each row with something in it; `about` counts the hidden ones as they come by."""
        reader = UsualRows(self._strings, self._looks, about, last)
        for _ in self._pieces(self._places[name], reader, reader.fed):
            yield from reader.taken()

    def may_hide(self, name: str) -> bool:
        """Whether a sheet can say of a row that it is hidden, so that all of it has to be read to count them."""
        kept = b""
        with self._parts.open(self._part(self._places[name])) as stream:
            while piece := stream.read(PIECE):
                if b"hidden" in kept + piece or b"\0" in piece:
                    return True
                kept = piece[-8:]
        return False

    def _part(self, name: str) -> zipfile.ZipInfo:
        part = self._names.get(name.lstrip("/").lower())
        if part is None:
            raise Unreadable(BROKEN)
        if part.file_size > LARGE and part.file_size > part.compress_size * MAX_RATIO:
            raise Unreadable(TOO_LARGE)
        return part

    def _pieces(
        self, name: str, parser: expat.XMLParserType | UsualRows, fed: Callable[[], None] | None = None
    ) -> Iterator[int]:
        """Feed a part to its parser; yields after each piece. Ends early when the listener raises Enough."""
        given = 0
        with self._parts.open(self._part(name)) as stream:
            while piece := stream.read(PIECE):
                given += len(piece)
                self._room -= len(piece)
                if self._room < 0:
                    raise Unreadable(TOO_LARGE)
                try:
                    parser.Parse(piece, False)
                except Enough:
                    yield given
                    return
                if given - parser.CurrentByteIndex > LONGEST + PIECE or len(parser.intern) > MOST_NAMES:
                    raise Unreadable(TOO_LARGE)
                if fed:
                    fed()
                yield given
        with suppress(Enough):
            parser.Parse(b"", True)
        yield given

    def _parse(self, name: str, parser: expat.XMLParserType, fed: Callable[[], None] | None = None) -> None:
        for _ in self._pieces(name, parser, fed):
            pass

    def _walk(self, name: str, start: Start) -> None:
        """Call `start` with the name, without its prefix, and the attributes of each element."""
        depth = 0

        def opened(full: str, has: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            if depth > DEEP:
                raise Unreadable(TOO_LARGE)
            start(full.rpartition(":")[2], has)

        def closed(_: str) -> None:
            nonlocal depth
            depth -= 1

        parser = parser_of()
        parser.StartElementHandler, parser.EndElementHandler = opened, closed
        self._parse(name, parser)

    def _main_part(self) -> str:
        found = self._relations("_rels/.rels", "")
        return next((place for kind, place in found.values() if kind == "officeDocument"), "xl/workbook.xml")

    def _relations(self, name: str, folder: str) -> dict[str, tuple[str, str]]:
        """{id: (kind, place of the part)}."""
        found: dict[str, tuple[str, str]] = {}

        def start(element: str, has: dict[str, str]) -> None:
            if element == "Relationship" and has.get("TargetMode") != "External":
                if len(found) >= SHEET_COLUMNS:
                    raise Unreadable(TOO_LARGE)
                target = has.get("Target", "").replace("\\", "/")
                place = target if target.startswith("/") else f"{folder}/{target}"
                found[has.get("Id", "")] = (has.get("Type", "").rpartition("/")[2], _straight(place))

        self._walk(name, start)
        return found

    def _read_book(self, name: str) -> None:
        folder, _, file = name.rpartition("/")
        self._related = self._relations(f"{folder}/_rels/{file}.rels".lstrip("/"), folder)

        def start(element: str, has: dict[str, str]) -> None:
            if element == "workbookPr" and has.get("date1904") in ("1", "true"):
                self._looks.epoch = datetime(1904, 1, 1)
            elif element == "sheet" and has.get("state", "visible") == "visible":
                link = next((value for key, value in has.items() if key.endswith(":id")), "")
                kind, place = self._related.get(link, ("", ""))
                name = has.get("name", "")
                if len(name) > LONGEST_NAME or len(self._places) >= MOST_SHEETS:
                    raise Unreadable(TOO_LARGE)
                if kind == "worksheet":
                    self._places.setdefault(name, place)

        self._walk(name, start)

    def _read_styles(self, name: str) -> None:
        custom: dict[str, str] = {}
        within = ""

        def start(element: str, has: dict[str, str]) -> None:
            nonlocal within
            if element == "numFmt" and len(custom) < SHEET_COLUMNS:
                custom.setdefault(has.get("numFmtId", ""), look_of_format(has.get("formatCode", "")[:256]))
            elif element in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
                within = element
            elif element == "xf" and within == "cellXfs":
                if len(self._looks.styles) > SHEET_ROWS:
                    raise Unreadable(TOO_LARGE)
                self._looks.styles.append(look_of(has.get("numFmtId", ""), custom))

        self._walk(name, start)


def _straight(place: str) -> str:
    """A place without "." and ".."."""
    steps: list[str] = []
    for step in place.split("/"):
        if step == "..":
            del steps[-1:]
        elif step not in ("", "."):
            steps.append(step)
    return "/".join(steps)
