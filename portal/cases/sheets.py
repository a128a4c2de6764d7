"""A form that is one table as XLSX: the same cells as its DOCX, for offices that go on working with a list.

Every cell is written as text: nothing in it can become a formula, and no number loses a digit.

The QR code stands in the last line above the table, which the printer repeats with the headings on every page: a picture in a
footer is printed by Excel and dropped by LibreOffice, one in a repeated row is printed by both.

What never belongs here: the name of a procedure, the database, HTTP.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from portal.cases.docx_forms import NAME, clean
from portal.workflows.vocabulary import Sheet

A4 = 9
INCH = 25.4  # mm
PIXELS = 96  # an inch
LONGEST_NAME = 31  # characters that a worksheet's name may have
FORBIDDEN_IN_NAMES = "[]:*?/\\'"
TEXT_ONLY = {"strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
SAID_LAST = (
    "编号：«case_number»　状态：«status»　版本：第 «version» 版　打印时间：«printed_at»　存证码：«anchor»"
)
FOOTER = (
    "&L&8编号：«case_number»　状态：«status»　版本：第 «version» 版\n打印时间：«printed_at»　存证码：«anchor»"
)
PAGE_NUMBER = "&R&9第 &P 页 共 &N 页"
# Points: a title, a line beside the table, a heading or cell, the last line; row heights in points.
TITLE_SIZE, LINE_SIZE, CELL_SIZE, SMALL = 18, 11, 10.5, 8
TITLE_HEIGHT, LINE_HEIGHT, ROW_HEIGHT, SIGNED_HEIGHT = 30, 20, 40, 82
CODE_WIDTH, CODE_SPACE = 21.0, 1.0  # mm, as in the DOCX; what is left around the code in its row


@dataclass(frozen=True)
class Words:
    """What the «names» of a sheet stand for, the PNG of its QR code, and the rows of its group: {name: text}, one after the
    other."""

    texts: Mapping[str, str]
    code: bytes
    rows: Sequence[Mapping[str, str]] = ()

    def put_into(self, text: str) -> str:
        """The text with values in the place of its «names». Raises KeyError for an unknown one."""
        return NAME.sub(lambda match: clean(self.texts[match[1]]), text)


def write(sheet: Sheet, words: Words, title: str, moment: datetime) -> bytes:
    """The XLSX; the same bytes for the same arguments. `moment` (naive) is the time of the file's properties."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, **TEXT_ONLY}) as book:
        book.set_properties({"title": title, "author": "", "created": moment})
        page = book.add_worksheet(_sheet_name(title))
        _set_page(page, sheet, _footer(sheet, words))
        writer = _Writer(page, sheet, _formats(book, centred=bool(sheet.group)))
        writer.line(words.put_into(sheet.mark), "line")
        title = words.put_into(sheet.title)
        writer.line(title, "title", TITLE_HEIGHT * _lines_of_title(title, sheet))
        _write_above(writer, sheet, words)
        _write_table(writer, sheet, words)
        for text in (*sheet.notes, SAID_LAST):
            writer.line(words.put_into(text), "small" if text is SAID_LAST else "line", LINE_HEIGHT)
        page.print_area(0, 0, writer.row - 1, len(sheet.widths) - 1)
    return out.getvalue()


def _sheet_name(title: str) -> str:
    return "".join(one for one in title if one not in FORBIDDEN_IN_NAMES)[:LONGEST_NAME]


def _set_page(page: Any, sheet: Sheet, footer: str) -> None:
    """A4 as the DOCX has it, as wide as the paper and as many pages high as the rows need."""
    if sheet.landscape:
        page.set_landscape()
    page.set_paper(A4)
    page.set_margins(left=0.5, right=0.5, top=0.5, bottom=0.75)
    page.center_horizontally()
    page.fit_to_pages(1, 0)
    page.set_footer(footer)
    for column, width in enumerate(sheet.widths):
        page.set_column_pixels(column, column, round(width / INCH * PIXELS))


def _footer(sheet: Sheet, words: Words) -> str:
    """Number, status, version and anchor on every page; of a list also the number of the page."""
    safe = Words({name: text.replace("&", "&&") for name, text in words.texts.items()}, b"")
    return safe.put_into(FOOTER) + (PAGE_NUMBER if sheet.group else "")


def _lines_of_title(title: str, sheet: Sheet) -> int:
    """How many lines a title takes, its characters as wide as they are high."""
    room = sum(sheet.widths) / INCH * 72
    return math.ceil(len(title) * TITLE_SIZE / room)


def _formats(book: Any, *, centred: bool) -> dict[str, Any]:
    plain = {"font_name": "SimSun", "num_format": "@", "valign": "vcenter", "text_wrap": True}
    cell = {**plain, "border": 1, "font_size": CELL_SIZE}
    kinds = {
        "title": {**plain, "font_name": "SimHei", "font_size": TITLE_SIZE, "align": "center"},
        "line": {**plain, "font_size": LINE_SIZE},
        "small": {**plain, "font_size": SMALL},
        "heading": {**cell, "bold": True, "align": "center"},
        "label": {**cell, "align": "center"},
        "cell": {**cell, "align": "center" if centred else "left"},
    }
    return {kind: book.add_format(values) for kind, values in kinds.items()}


@dataclass
class _Writer:
    """Writes row after row; `row` is the next one, from 0."""

    page: Any
    sheet: Sheet
    formats: Mapping[str, Any]
    row: int = 0

    def line(self, text: str, kind: str, height: float | None = None) -> None:
        """A text across the whole width."""
        self.cell(0, text, kind, until=len(self.sheet.widths) - 1)
        if height:
            self.page.set_row(self.row, height)
        self.row += 1

    def code(self, png: bytes) -> None:
        """The QR code in this row, at the right end of the last column that is wide enough: one that reached over two columns
        would be drawn out of shape wherever another font makes the columns wider."""
        widths, room = self.sheet.widths, CODE_WIDTH + CODE_SPACE
        column = max(at for at, width in enumerate(widths) if width >= room)
        scale = CODE_WIDTH / INCH * PIXELS / _pixels_across(png)
        place = {
            "image_data": io.BytesIO(png),
            "x_scale": scale,
            "y_scale": scale,
            "x_offset": (widths[column] - room) / INCH * PIXELS,
            "y_offset": CODE_SPACE / INCH * PIXELS,
            "object_position": 2,  # goes with its row, keeps its size
            "description": "二维码",
        }
        self.page.insert_image(self.row, column, "code.png", place)

    def cell(self, column: int, text: str, kind: str, *, until: int | None = None, rows: int = 1) -> None:
        """A cell, or a box of cells up to the column `until` and over some rows."""
        last = column if until is None else until
        if last > column or rows > 1:
            self.page.merge_range(self.row, column, self.row + rows - 1, last, "", self.formats[kind])
        self.page.write_string(self.row, column, text, self.formats[kind])


def _write_above(writer: _Writer, sheet: Sheet, words: Words) -> None:
    """The lines between title and table, the QR code at the end of the last; that one and the headings stand on every page."""
    *lines, last = sheet.above or ("",)
    for text in lines:
        writer.line(words.put_into(text), "line", LINE_HEIGHT)
    writer.page.repeat_rows(writer.row, writer.row + bool(sheet.headings))
    writer.code(words.code)
    writer.line(words.put_into(last), "line", (CODE_WIDTH + 2 * CODE_SPACE) / INCH * 72)


def _write_table(writer: _Writer, sheet: Sheet, words: Words) -> None:
    if sheet.headings:
        writer.page.freeze_panes(writer.row + 1, 0)
        for column, text in enumerate(sheet.headings):
            writer.cell(column, text, "heading")
        writer.row += 1
    for texts, labelled in _labelled(sheet.rows):
        if labelled:
            writer.cell(0, words.put_into(texts[0]), "label", rows=labelled)
        for column, text in enumerate(texts[1:], start=1):
            last = len(sheet.widths) - 1 if column == len(texts) - 1 else column
            writer.cell(column, words.put_into(text), "cell", until=last)
        signed = len(texts) == len(sheet.widths)
        writer.page.set_row(writer.row, SIGNED_HEIGHT if signed else ROW_HEIGHT)
        writer.row += 1
    body = writer.formats["cell"]
    for values in words.rows:
        for column, key in enumerate(sheet.keys):
            writer.page.write_string(writer.row, column, clean(values[key]), body)
        writer.row += 1


def _pixels_across(png: bytes) -> int:
    """The width that a PNG's header gives."""
    return int.from_bytes(png[16:20], "big")


def _labelled(rows: Sequence[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Each row with the number of rows that its label stands for, 0 where it goes on with the label above."""
    for position, texts in enumerate(rows):
        following = 1
        while position + following < len(rows) and not rows[position + following][0]:
            following += 1
        yield texts, following if texts[0] else 0
