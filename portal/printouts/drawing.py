"""The parts that every form shares: page, head, bordered rows, fonts, and the file itself.

What never belongs here: what stands on one particular form.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_ROW_HEIGHT_RULE, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.table import _Cell

from portal.printouts.packing import repacked

# 宋体 and 黑体 by the names under which Office, WPS and LibreOffice all know them, or know what to put in their place.
BODY, TITLE, LATIN = "SimSun", "SimHei", "Times New Roman"
STYLES = frozenset({"Normal", "DefaultParagraphFont", "TableNormal", "NoList", "Footer"})
BAGGAGE = frozenset({"thumbnail", "stylesWithEffects", "customXml", "numbering"})
CENTRE, LEFT = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.LEFT
GRID = (18, 14, 32, 12, 12, 12, 18, 18, 38)  # mm, 174 in all: A4 less its margins
WIDE = 8  # columns beside the label
DRAWN = datetime(2026, 1, 1)


def page() -> Any:
    """An A4 page with what every form says in its footer."""
    document = empty_page(Margins(side=18, top=14, bottom=19))
    footer = document.sections[0].footer
    first, second = footer.paragraphs[0], footer.add_paragraph()
    write(first, "依据：«basis»", size=8)
    write(second, "版本：第 «version» 版　打印时间：«printed_at»　存证码：«anchor»", size=8)
    return document


@dataclass(frozen=True)
class Margins:
    """In mm."""

    side: float
    top: float
    bottom: float


def empty_page(margins: Margins, *, landscape: bool = False) -> Any:
    """An A4 page with a footer of its own and nothing on it."""
    document = Document()
    _trim_styles(document)
    _drop_baggage(document)
    section = document.sections[0]
    wide, high = (297, 210) if landscape else (210, 297)
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(wide), Mm(high)
    section.left_margin = section.right_margin = Mm(margins.side)
    section.top_margin, section.bottom_margin = Mm(margins.top), Mm(margins.bottom)
    section.header_distance, section.footer_distance = Mm(8), Mm(8)
    section.footer.is_linked_to_previous = False
    return document


def head(document: Any, title: str) -> None:
    """The title in the middle with the number below it, the QR code at the top right."""
    table = table_of(document, (24, 126, 24))
    cells = table.rows[0].cells
    for cell in cells:
        cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    heading = cells[1].paragraphs[0]
    heading.alignment, heading.paragraph_format.space_after = CENTRE, Pt(6)
    write(heading, title, size=20, font=TITLE)
    line = cells[1].add_paragraph()
    line.alignment = CENTRE
    write(line, "编号：«case_number»　　状态：«status»", size=10.5)
    cells[2].paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    write(cells[2].paragraphs[0], "«qr»")
    thin(document.add_paragraph())


def line(document: Any, text: str, *, indent: bool = True, right: bool = False) -> None:
    """A line of a letter, with the two characters of indent that a Chinese paragraph begins with."""
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(5)
    paragraph.paragraph_format.line_spacing = 1.4
    if indent:
        paragraph.paragraph_format.first_line_indent = Pt(24)
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    write(paragraph, text, size=12)


def thin(paragraph: Any) -> None:
    """Make an empty paragraph a gap of 4 points."""
    paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.EXACTLY
    paragraph.paragraph_format.line_spacing = Pt(4)


class Rows:
    """The rows of the bordered table, added one after the other under a label at the left."""

    def __init__(self, document: Any) -> None:
        self._table = table_of(document, GRID, rows=0)
        border(self._table)
        self._label: str | None = None

    def labelled(self, label: str, draw: Callable[[Rows], object]) -> None:
        """Rows that share one cell with the label at their left."""
        start = len(self._table.rows)
        draw(self)
        rows = self._table.rows
        first = rows[start].cells[0]
        for position in range(start, len(rows)):
            _merge_down(rows[position].cells[0], begins=position == start)
        write_lines(first, label, bold=True)

    def row(
        self,
        cells: Sequence[tuple[int, str, bool]],
        *,
        height: float = 8,
        align: Any = CENTRE,
        size: float = 10.5,
    ) -> list[_Cell]:
        """One row of (columns spanned, text, whether it is a heading); returns the cells beside the label's."""
        row = self._table.add_row()
        row.height, row.height_rule = Mm(height), WD_ROW_HEIGHT_RULE.AT_LEAST
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        made, column, all_cells = [], 1, list(row.cells)
        for width, text, heading in cells:
            cell = all_cells[column].merge(all_cells[column + width - 1])
            cell.width = Mm(sum(GRID[column : column + width]))
            write_lines(cell, text, align=align, size=size, bold=heading)
            made.append(cell)
            column += width
        return made


def table_of(document: Any, widths: Sequence[float], rows: int = 1) -> Any:
    """A table without lines at the end of the document."""
    return shaped(document.add_table(rows=rows, cols=len(widths)), widths)


def shaped(table: Any, widths: Sequence[float]) -> Any:
    """The table in the middle of the page, with columns of these widths (mm) whatever stands in them."""
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
    for row in table.rows:
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = Mm(width)
    _set(table._tbl.tblPr, "w:tblCellMar", {"w:left": 57, "w:right": 57}, type="dxa")
    return table


def border(table: Any) -> None:
    sides = ("top", "left", "bottom", "right", "insideH", "insideV")
    borders = OxmlElement("w:tblBorders")
    for side in sides:
        line = OxmlElement(f"w:{side}")
        for name, value in (
            ("val", "single"),
            ("sz", "8" if side in sides[:4] else "4"),
            ("space", "0"),
            ("color", "000000"),
        ):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
    margins = table._tbl.tblPr.find(qn("w:tblCellMar"))
    margins.addprevious(borders)
    layout = table._tbl.tblPr.find(qn("w:tblLayout"))
    layout.addprevious(borders)


def _set(parent: Any, tag: str, children: dict[str, int], type: str) -> None:
    element = OxmlElement(tag)
    for name, value in children.items():
        child = OxmlElement(name)
        child.set(qn("w:w"), str(value))
        child.set(qn("w:type"), type)
        element.append(child)
    look = parent.find(qn("w:tblLook"))
    if look is None:
        parent.append(element)
    else:
        look.addprevious(element)


def _merge_down(cell: _Cell, *, begins: bool) -> None:
    cell.width = Mm(GRID[0])
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    merge = cell._tc.get_or_add_tcPr().get_or_add_vMerge()
    merge.val = "restart" if begins else "continue"
    write_lines(cell, "")


def write_lines(
    cell: _Cell, text: str, *, align: Any = CENTRE, size: float = 10.5, bold: bool = False
) -> None:
    """Each line of the text as a paragraph of its own, in the middle of the cell's height."""
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    for position, line in enumerate(text.split("\n")):
        paragraph = cell.paragraphs[0] if position == 0 else cell.add_paragraph()
        paragraph.alignment = align
        if line:
            write(paragraph, line, size=size, bold=bold)


def write(paragraph: Any, text: str, *, size: float = 10.5, font: str = BODY, bold: bool = False) -> None:
    run = paragraph.add_run(text)
    run.font.size, run.font.bold = Pt(size), bold or None
    _set_fonts(run._r.get_or_add_rPr(), font)


def _set_fonts(properties: Any, east: str = BODY) -> None:
    """Latin and East Asian fonts by name: a style without the latter lets Chinese fall into whatever font comes first."""
    fonts = properties.get_or_add_rFonts()
    for name in list(fonts.attrib):
        del fonts.attrib[name]
    for slot, font in (("ascii", LATIN), ("hAnsi", LATIN), ("eastAsia", east), ("cs", LATIN)):
        fonts.set(qn(f"w:{slot}"), font)


def _trim_styles(document: Any) -> None:
    """Keep the few styles in use and name the East Asian font in each of them and in the defaults."""
    styles = document.styles.element
    defaults = styles.find(qn("w:docDefaults")).find(qn("w:rPrDefault")).find(qn("w:rPr"))
    _set_fonts(defaults)
    defaults.find(qn("w:lang")).set(qn("w:eastAsia"), "zh-CN")
    for style in list(styles.findall(qn("w:style"))):
        if style.get(qn("w:styleId")) not in STYLES:
            styles.remove(style)
        elif style.get(qn("w:type")) in ("paragraph", "character"):
            _set_fonts(style.get_or_add_rPr())
    plain = document.styles["Normal"].paragraph_format
    plain.space_before = plain.space_after = Pt(0)
    plain.line_spacing = 1.0


def _drop_baggage(document: Any) -> None:
    """The library's template carries a picture of its own first page, lists and styles that no form uses."""
    for relations in (document.part.package.rels, document.part.rels):
        for name in [key for key, one in relations.items() if one.reltype.rsplit("/", 1)[-1] in BAGGAGE]:
            del relations[name]


def saved(document: Any, title: str) -> bytes:
    about = document.core_properties
    about.title, about.author, about.comments, about.last_modified_by = title, "", "", ""
    about.created = about.modified = DRAWN
    about.revision = 1
    out = io.BytesIO()
    document.save(out)
    return repacked(out.getvalue())
