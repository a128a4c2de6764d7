"""The DOCX blank of a form that is one table, drawn from its Sheet: mark, title, lines, bordered table, notes.

Number, version and QR code stand small in the footer, on every page: a page of a long list that is scanned by itself is
told by its own code.
"""

from __future__ import annotations

from typing import Any

from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_ROW_HEIGHT_RULE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from portal.printouts.drawing import (
    CENTRE,
    LEFT,
    TITLE,
    Margins,
    border,
    empty_page,
    saved,
    shaped,
    table_of,
    thin,
    write,
    write_lines,
)
from portal.workflows.vocabulary import Sheet

CODE_COLUMN, NUMBER_COLUMN = 24, 40  # mm, for the QR code and the number of the page in the footer
MARGINS = Margins(side=18, top=13, bottom=32)
WIDE_MARGINS = Margins(side=15, top=11, bottom=30)
ROW_HEIGHT, SIGNED_HEIGHT, LIST_HEIGHT = 14.0, 29.0, 7.0  # mm, at least
INDENT = 1.5  # mm
# Points. In 9.5 a number stays in one line even where a wider font has to take the place of Times New Roman.
COVER_SIZE, LINE_SIZE, LIST_SIZE = 12.0, 10.5, 9.5


def form_of(sheet: Sheet, title: str) -> bytes:
    """The blank. `title` is the document's own property."""
    document = empty_page(WIDE_MARGINS if sheet.landscape else MARGINS, landscape=sheet.landscape)
    _footer(document, sheet)
    _line(document, sheet.mark, size=LINE_SIZE)
    heading = document.add_paragraph()
    heading.alignment, heading.paragraph_format.space_after = CENTRE, Pt(8)
    write(heading, sheet.title, size=18, font=TITLE)
    for text in sheet.above:
        _line(document, text, size=LINE_SIZE if sheet.landscape else COVER_SIZE, after=4)
    _table(document, sheet)
    for text in sheet.notes:
        _line(document, text, size=LINE_SIZE, before=4)
    return saved(document, title)


def _line(document: Any, text: str, *, size: float, before: float = 0, after: float = 0) -> None:
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = Pt(before), Pt(after)
    write(paragraph, text, size=size)


def _table(document: Any, sheet: Sheet) -> None:
    table = table_of(document, sheet.widths, rows=0)
    border(table)
    if sheet.headings:
        row = _row(table, sheet, sheet.headings, height=9, bold=True)
        row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    label = None
    for texts in sheet.rows:
        signed = len(texts) == len(sheet.widths)
        row = _row(table, sheet, texts, height=SIGNED_HEIGHT if signed else ROW_HEIGHT)
        if texts[0]:
            label = row.cells[0]
        elif label is not None:
            _join(label, row.cells[0])
    if sheet.group:
        _row(table, sheet, tuple(f"«{sheet.group}:{key}»" for key in sheet.keys), height=LIST_HEIGHT)


def _row(table: Any, sheet: Sheet, texts: tuple[str, ...], *, height: float, bold: bool = False) -> Any:
    """A row that no page break divides; the last text takes the columns that are left."""
    row = table.add_row()
    row.height, row.height_rule = Mm(height), WD_ROW_HEIGHT_RULE.AT_LEAST
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    cells = list(row.cells)
    for position, text in enumerate(texts):
        cell = cells[position]
        last = len(sheet.widths) if position == len(texts) - 1 else position + 1
        if last - position > 1:
            cell = cell.merge(cells[last - 1])
        cell.width = Mm(sum(sheet.widths[position:last]))
        beside_label = not sheet.group and position > 0
        size = LIST_SIZE if sheet.group else COVER_SIZE
        write_lines(cell, text, align=LEFT if beside_label else CENTRE, size=size, bold=bold)
        for paragraph in cell.paragraphs if beside_label else ():
            paragraph.paragraph_format.left_indent = Mm(INDENT)
    return row


def _join(label: Any, cell: Any) -> None:
    """Make a cell go on with the label above it."""
    label._tc.get_or_add_tcPr().get_or_add_vMerge().val = "restart"
    cell._tc.get_or_add_tcPr().get_or_add_vMerge().val = "continue"


def _footer(document: Any, sheet: Sheet) -> None:
    """What tells this copy from others at the left, the number of the page in the middle of a list, the code at the right."""
    footer, width = document.sections[0].footer, sum(sheet.widths)
    side = (width - NUMBER_COLUMN) / 2
    widths = [side, NUMBER_COLUMN, side] if sheet.group else [width - CODE_COLUMN, CODE_COLUMN]
    table = shaped(footer.add_table(1, len(widths), Mm(width)), widths)
    footer._element.insert(0, table._tbl)  # Word wants a paragraph after a table, not before it
    thin(footer.paragraphs[0])
    cells = table.rows[0].cells
    lines = (
        "编号：«case_number»　状态：«status»　版本：第 «version» 版",
        "打印时间：«printed_at»　存证码：«anchor»",
        "依据：«basis»",
    )
    write_lines(cells[0], "\n".join(lines), align=LEFT, size=8)
    if sheet.group:
        _page_number(cells[1].paragraphs[0])
    code = cells[-1].paragraphs[0]
    code.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    write(code, "«qr»")
    for cell in cells:
        cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.BOTTOM


def _page_number(paragraph: Any) -> None:
    """第 X 页 共 Y 页, counted by the software that prints it."""
    paragraph.alignment = CENTRE
    for before, field in (("第 ", "PAGE"), (" 页 共 ", "NUMPAGES")):
        write(paragraph, before, size=9)
        counted = OxmlElement("w:fldSimple")
        counted.set(qn("w:instr"), field)
        write(paragraph, "1", size=9)
        counted.append(paragraph.runs[-1]._r)
        paragraph._p.append(counted)
    write(paragraph, " 页", size=9)
