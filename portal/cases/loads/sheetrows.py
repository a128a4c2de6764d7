"""The rows of one sheet while expat goes through it (ECMA-376 part 1, 18.3); nothing is held but the row that is read."""

from __future__ import annotations

from .cells import (
    BLANK,
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
    letters_of,
    text_of,
    unescaped,
)
from .strings import DEEP, TOO_LARGE, Strings, parser_of, within_a_cell

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
        self._depth = 0
        self._texts: list[str] = []
        self.above = 0  # the number of the last row that was read before this one goes on

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
        self._depth += 1
        if self._depth > DEEP:
            raise Unreadable(TOO_LARGE)
        if name == self._row and has.get("hidden") in ("1", "true"):
            self._about.hidden += 1

    def _end_only(self, name: str) -> None:
        self._depth -= 1
        if name == self._data:
            raise Enough

    def _listen(self, prefix: str) -> None:
        """Two functions with local variables: they run for each of millions of cells."""
        names = ("c", "v", "t", "is", "row", "f", "rPh", "sheetData")
        cell_, value_, text_, inside_, row_, formula_, phonetic_, data_ = (f"{prefix}{one}" for one in names)
        self.parser.intern.update({f"{prefix}{one}": f"{prefix}{one}" for one in names})
        texts, found, about, last = self._texts, self._found, self._about, self._last
        string, look, epoch = self._strings.get, self._looks.of, self._looks.epoch
        letters = ["", *(letters_of(column) for column in range(1, SHEET_COLUMNS + 2))]
        line: list[str] = []
        cells = column = runs = 0
        number = self.above
        depth = 1
        digits = ""  # the number of the row as it is written; "" where the row does not say it
        kind: str | None = None
        style: str | None = None
        value: str | None = None
        formula = kept = skipping = False

        def start(name: str, has: dict[str, str]) -> None:
            nonlocal number, cells, column, digits, kind, style, value, formula, kept, skipping, line, runs
            nonlocal depth
            depth += 1
            if name == text_ or name == value_:  # noqa: SIM109 - a tuple would be made anew for each cell
                texts.clear()
                if depth > DEEP:
                    raise Unreadable(TOO_LARGE)
                kept = "xml:space" in has and has["xml:space"] == "preserve"
            elif name == cell_:
                texts.clear()
                kind, style, value, formula = has.get("t"), has.get("s"), None, False
                column += 1
                cells += 1
                at = has.get("r")
                if cells > SHEET_COLUMNS or depth > DEEP:
                    raise Unreadable(MANY_COLUMNS)
                if at is None or at == letters[column] + digits:
                    return
                named = at.rstrip("0123456789")
                column = column_of(named)
                if at[len(named) :] != digits:
                    if digits:
                        raise Unreadable(BROKEN)  # a cell of another row than the one it stands in
                    digits = at[len(named) :]
                    number = row_number(digits, number)
            elif depth > DEEP:
                raise Unreadable(TOO_LARGE)
            elif name == inside_:
                pass
            elif name == row_:
                texts.clear()
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
            nonlocal value, skipping, runs, depth
            depth -= 1
            if name == text_:
                if skipping:
                    return
                text = "".join(texts)
                if not kept:
                    text = text.strip(BLANK)
                if "_x" in text:
                    text = unescaped(text)
                if value is None:
                    value, runs = text, 0
                else:
                    value += text
                    runs += 1
                    if len(value) > MAX_CELL or runs > MAX_CELL:
                        raise Unreadable(f"第 {number} 行{LONG_CELL}")
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
                    if len(line) + 1 == column <= MAX_COLUMNS:
                        line.append(text)
                    else:
                        put(line, column, text)
            elif name == inside_:
                pass
            elif name == value_:
                value = "".join(texts)
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
