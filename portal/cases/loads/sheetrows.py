"""The rows of one sheet while expat goes through it (ECMA-376 part 1, 18.3); nothing is held but the row that is read."""

from __future__ import annotations

from xml.parsers import expat

from .cells import (
    BROKEN,
    LONG_CELL,
    MANY_COLUMNS,
    MAX_CELL,
    MAX_COLUMNS,
    SHEET_COLUMNS,
    SHEET_ROWS,
    UNCOMPUTED,
    Looks,
    Unreadable,
    column_of,
    plain,
    text_of,
)
from .strings import Strings, parser_of, within_a_cell

Row = tuple[int, list[str]]


class Enough(Exception):
    """What was wanted of a part has been read."""


class About:
    """What is learned of a sheet while its rows come by; `only_hidden` is set once its rows are wanted no more."""

    def __init__(self) -> None:
        self.hidden = 0
        self.only_hidden = False


class SheetRows:
    """Listens to a parser; taken() gives the rows that are complete."""

    def __init__(self, strings: Strings, looks: Looks, about: About, last: int = SHEET_ROWS) -> None:
        self.parser = parser_of()
        self.parser.StartElementHandler = self._root
        self._strings, self._looks, self._about, self._last = strings, looks, about, last
        self._found: list[Row] = []
        self._texts: list[str] = []

    def taken(self) -> list[Row]:
        found = self._found[:]
        self._found.clear()
        return found

    def fed(self) -> None:
        """After each piece: what has been heard must be a cell at most."""
        within_a_cell(self._texts)
        if self._about.only_hidden:
            self._texts.clear()
            self.parser.StartElementHandler = self._count_hidden
            self.parser.EndElementHandler = self._end_only
            self.parser.CharacterDataHandler = None

    def _root(self, name: str, _: dict[str, str]) -> None:
        """Elements bear the prefix that the root bears; those with another belong to other programs."""
        prefix = name.removesuffix("worksheet")
        if prefix == name or (prefix and not prefix.endswith(":")):
            raise Unreadable(BROKEN)
        self._row, self._data = f"{prefix}row", f"{prefix}sheetData"
        self._listen(prefix)

    def _count_hidden(self, name: str, has: dict[str, str]) -> None:
        if name == self._row and has.get("hidden") in ("1", "true"):
            self._about.hidden += 1

    def _end_only(self, name: str) -> None:
        if name == self._data:
            raise Enough

    def _listen(self, prefix: str) -> None:
        """Two functions with local variables: they run for each of millions of cells."""
        cell_, value_, text_, formula_ = (f"{prefix}{name}" for name in ("c", "v", "t", "f"))
        row_, phonetic_, data_ = (f"{prefix}{name}" for name in ("row", "rPh", "sheetData"))
        texts, found, about, last = self._texts, self._found, self._about, self._last
        string, look, epoch = self._strings.get, self._looks.of, self._looks.epoch
        columns: dict[str, int] = {}
        line: list[str] = []
        number = cells = column = runs = 0
        digits = ""  # the number of the row as it is written; "" where the row does not say it
        kind: str | None = None
        style: str | None = None
        value: str | None = None
        formula = kept = skipping = False

        def start(name: str, has: dict[str, str]) -> None:
            nonlocal number, cells, column, digits, kind, style, value, formula, kept, skipping, line, runs
            if name == cell_:
                kind, style, value, formula, runs = has.get("t"), has.get("s"), None, False, 0
                cells += 1
                if cells > SHEET_COLUMNS:
                    raise Unreadable(MANY_COLUMNS)
                at = has.get("r")
                if at is None:
                    column += 1
                    return
                letters = at.rstrip("0123456789")
                column = columns.get(letters) or columns.setdefault(letters, column_of(letters))
                if at[len(letters) :] != digits:
                    if digits:
                        raise Unreadable(BROKEN)  # a cell of another row than the one it stands in
                    digits = at[len(letters) :]
                    number = row_number(digits, number)
            elif name == text_ or name == value_:
                texts.clear()
                kept = has.get("xml:space") == "preserve"
            elif name == row_:
                line, cells, column = [], 0, 0
                digits = has.get("r", "")
                number = row_number(digits, number + 1) if digits else number + 1
                if number > last:
                    raise Enough if last < SHEET_ROWS else Unreadable(BROKEN)
                if has.get("hidden") in ("1", "true"):
                    about.hidden += 1
            elif name == formula_:
                formula = True
            elif name == phonetic_:
                skipping = True

        def end(name: str) -> None:
            nonlocal value, skipping, runs
            if name == text_:
                if not skipping:
                    text = plain(texts[0] if len(texts) == 1 else "".join(texts), kept=kept)
                    value = text if value is None else value + text
                    runs += 1
                    if len(value) > MAX_CELL or runs > MAX_CELL:
                        raise Unreadable(f"第 {number} 行{LONG_CELL}")
                texts.clear()
            elif name == value_:
                value = texts[0] if len(texts) == 1 else "".join(texts)
                texts.clear()
            elif name == cell_:
                if kind == "inlineStr":
                    text = value or (UNCOMPUTED if formula else "")
                elif kind == "s" and value:
                    text = string(value)
                else:
                    text = text_of(kind, value, look(style), formula=formula, epoch=epoch)
                if text:
                    if len(text) > MAX_CELL:
                        raise Unreadable(f"第 {number} 行{LONG_CELL}")
                    put(line, column, text)
            elif name == row_:
                if line:
                    found.append((number, line))
            elif name == phonetic_:
                skipping = False
            elif name == data_:
                raise Enough  # what follows is about looks
            elif name == formula_:
                texts.clear()

        self.parser.StartElementHandler = start
        self.parser.EndElementHandler = end
        self.parser.CharacterDataHandler = texts.append


def row_number(digits: str, least: int) -> int:
    """Rows stand in their order. Raises Unreadable for a number that no row can have here."""
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 7 or int(digits) < least:
        raise Unreadable(BROKEN)
    return int(digits)


def put(line: list[str], column: int, text: str) -> None:
    if column > MAX_COLUMNS:
        raise Unreadable(MANY_COLUMNS)
    if len(line) == column - 1:
        line.append(text)
        return
    line.extend([""] * (column - len(line)))
    line[column - 1] = text
