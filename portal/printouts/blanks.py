"""Draws the blanks of this folder: `python -m portal.printouts.blanks` writes them, the same bytes every time.

The forms follow 附表1 of 临州教学管发〔2022〕5号: a bordered table on one A4 page, 宋体, one box for each office with places for
signature, seal and date. A «name» stands where cases.printing puts a value; in «group:name» the row is repeated, and
rows of one group that follow each other are filled first and struck through where nothing is left to fill them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from docx import Document
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_ROW_HEIGHT_RULE, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.table import _Cell

from portal.printouts import FOLDER
from portal.printouts.packing import repacked

# 宋体 and 黑体 by the names under which Office, WPS and LibreOffice all know them, or know what to put in their place.
BODY, TITLE, LATIN = "SimSun", "SimHei", "Times New Roman"
STYLES = frozenset({"Normal", "DefaultParagraphFont", "TableNormal", "NoList", "Footer"})
BAGGAGE = frozenset({"thumbnail", "stylesWithEffects", "customXml", "numbering"})
CENTRE, LEFT = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.LEFT
GRID = (18, 14, 32, 12, 12, 12, 18, 18, 38)  # mm, 174 in all: A4 less its margins
WIDE = 8  # columns beside the label
DRAWN = datetime(2026, 1, 1)


def key_information_change() -> bytes:
    """关键信息变更审批表: particulars, old and new, reason, papers, and the boxes of school, county and state."""
    return _approval_form(
        "学籍关键信息变更审批表",
        ("学生\n基本情况", _particulars),
        ("变更内容", _changes),
        ("变更原因", lambda rows: _words(rows, "«cause»\n«explanation»")),
    )


def withdrawal() -> bytes:
    """普通高中学生退学审批表: particulars, kind and ground with its clause, the register's change, papers, three opinions."""
    return _approval_form(
        "普通高中学生退学审批表",
        ("学生\n基本情况", _particulars_and_guardian),
        ("申请事项", _asked_for),
        ("情况说明", lambda rows: _words(rows, "«explanation»")),
        ("学籍变动", lambda rows: _changes(rows, lines=3)),
        height=30,
    )


def withdrawal_reversal() -> bytes:
    """撤销退学（除名）审批表: the case that is taken back by its number, on what authority, and what the record becomes again."""
    return _approval_form(
        "撤销退学（除名）审批表",
        ("学生\n基本情况", _particulars),
        ("撤销事项", _undone),
        ("情况说明", lambda rows: _words(rows, "«explanation»")),
        ("学籍变动", lambda rows: _changes(rows, lines=3)),
        height=30,
    )


def _approval_form(title: str, *sections: tuple[str, Callable[[_Rows], object]], height: float = 34) -> bytes:
    """A form with its own sections, then the papers and the boxes of school, county and state."""
    document = _page()
    _head(document, title)
    rows = _Rows(document)
    for label, draw in sections:
        rows.labelled(label, draw)
    rows.labelled("证明材料\n清　　单", _evidence)
    _opinions(rows, height)
    return _saved(document, title)


def withdrawal_notice() -> bytes:
    """退学告知书: to the guardian, what was decided on which clause, that there is no return, where to object, and the receipt."""
    title = "退学告知书"
    document = _page()
    _head(document, title)
    _line(document, "«guardian»：", indent=False)
    _line(
        document,
        "学生«pupil.name»（学籍号«pupil.student_number»，«school»«class»）的«kind»事项，«decision»。"
        "条件：«ground»（依据：«ground_clause»）。原因：«reason»。",
    )
    rows = _Rows(document)
    rows.labelled("学籍变动", lambda r: _changes(r, lines=3))
    _line(document, "一、«no_return_text»（依据：«no_return_clause»）")
    _line(
        document,
        "二、对本决定有异议的，可以自收到本告知书之日起＿＿＿日内，向＿＿＿＿＿＿＿＿＿＿＿＿＿＿＿＿（单位、地址、电话）提出。",
    )
    _line(document, "三、学生今后接受其他教育、参加考试和就业的办法，可以向学校或者县级教育行政部门询问。")
    for text in ("«school»（盖章）", "年　　月　　日"):
        _line(document, text, indent=False, right=True)
    receipt = _Rows(document)
    receipt.labelled("送达回执", _receipt)
    return _saved(document, title)


def _words(rows: _Rows, text: str) -> None:
    rows.row([(WIDE, text, False)], height=12, align=LEFT)


def _particulars_and_guardian(rows: _Rows) -> None:
    _particulars(rows)
    rows.row(
        [
            (1, "监护人", True),
            (3, "«pupil.guardian1_name»", False),
            (2, "联系电话", True),
            (2, "«pupil.guardian1_phone»", False),
        ]
    )


def _asked_for(rows: _Rows) -> None:
    rows.row([(1, "类别", True), (3, "«kind»", False), (2, "异动原因", True), (2, "«reason»", False)])
    rows.row([(1, "条件", True), (3, "«ground»", False), (2, "条款", True), (2, "«ground_clause»", False)])


def _undone(rows: _Rows) -> None:
    rows.row([(1, "原业务", True), (7, "«decision»", False)])
    rows.row([(1, "文号", True), (7, "«authority»", False)])


def _receipt(rows: _Rows) -> None:
    rows.row(
        [(WIDE, "本人已收到《退学告知书》（编号：«case_number»），知道退学、除名后不得复学。", False)],
        height=9,
        align=LEFT,
    )
    for left, right in (
        ("监护人\n签　名", "与学生关系"),
        ("学　生\n签　名", "收到日期"),
        ("送达人\n签　名", "送达方式"),
    ):
        rows.row([(1, left, True), (3, "", False), (2, right, True), (2, "", False)], height=11)


def _particulars(rows: _Rows) -> None:
    rows.row(
        [
            (1, "姓名", True),
            (1, "«pupil.name»", False),
            (1, "性别", True),
            (1, "«pupil.sex»", False),
            (1, "民族", True),
            (1, "«pupil.ethnicity»", False),
            (1, "出生日期", True),
            (1, "«pupil.birth_date»", False),
        ]
    )
    for first, second in (
        (("学籍号", "«pupil.student_number»"), ("身份证件号", "«pupil.id_number»")),
        (("学校", "«school»"), ("年级班级", "«class»")),
    ):
        rows.row([(1, first[0], True), (3, first[1], False), (2, second[0], True), (2, second[1], False)])


def _changes(rows: _Rows, lines: int = 4) -> None:
    rows.row([(2, "变更项目", True), (4, "原登记内容", True), (2, "变更后内容", True)], height=7)
    for _ in range(lines):
        rows.row(
            [(2, "«changes:title»", False), (4, "«changes:before»", False), (2, "«changes:after»", False)],
            height=7,
        )


def _evidence(rows: _Rows) -> None:
    rows.row(
        [(1, "序号", True), (4, "材料名称", True), (1, "数量", True), (2, "文件指纹（前 12 位）", True)],
        height=6,
    )
    for _ in range(3):
        rows.row(
            [
                (1, "«evidence:position»", False),
                (4, "«evidence:title»", False),
                (1, "«evidence:count»", False),
                (2, "«evidence:fingerprints»", False),
            ],
            height=6,
            size=9.5,
        )


def _opinions(rows: _Rows, height: float) -> None:
    """The boxes of school, county and state."""
    for level, label in (
        ("school", "学校意见"),
        ("county", "县级教育\n行政部门\n意　　见"),
        ("state", "州(市)级\n教育行政\n部门意见"),
    ):
        rows.labelled(label, lambda r, level=level: _opinion(r, level, height))  # type: ignore[misc]


def _opinion(rows: _Rows, level: str, height: float) -> None:
    """What was decided, and below it the places that stay empty for signature, seal and date."""
    (cell,) = rows.row([(WIDE, f"«{level}_opinion»", False)], height=height, align=LEFT)
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.BOTTOM
    cell.paragraphs[0].paragraph_format.space_after = Pt(4)
    sign = cell.add_paragraph()
    for place, side in ((86, WD_TAB_ALIGNMENT.LEFT), (150, WD_TAB_ALIGNMENT.RIGHT)):
        sign.paragraph_format.tab_stops.add_tab_stop(Mm(place), side)
    sign.paragraph_format.space_after = Pt(2)
    _write(sign, f"«{level}_sign»")


def enrolment_approval() -> bytes:
    """《普通高中新生学籍注册审批表》 (临州教学管发〔2022〕5号 附表1): the school's report and the opinions of county and state."""
    document = _page()
    _head(document, "«year_title»«county_title»普通高中新生学籍注册审批表")
    rows = _Rows(document)
    rows.labelled("学校名称", lambda r: r.row([(WIDE, "«school»", False)], align=LEFT))
    rows.labelled(
        "学校呈报意见",
        lambda r: [
            r.row([(WIDE, text, False)], align=LEFT)
            for text in (
                "州、县下达普通高中招生计划：«places»",
                "学校实际招生人数：«actual»",
                "学校申请注册学籍人数：«applied»",
                "申请注册学号：自 «first» 号起，至 «last» 号终",
                "学校负责人（签名）　　　　单位盖章　　　　年　　月　　日",
            )
        ],
    )
    rows.labelled(
        "县（市）教育局\n审批意见",
        lambda r: [
            r.row([(WIDE, text, False)], align=LEFT)
            for text in (
                "初中毕业生总人数：«graduates»",
                "教育局下达普通高中招生计划：«county_places»",
                "同意申请注册学籍人数：«county_agreed»",
                "县（市）教育局负责人（签名）　　　　单位盖章　　　　年　　月　　日",
            )
        ],
    )
    rows.labelled(
        "州教育局审批意见",
        lambda r: r.row(
            [
                (
                    WIDE,
                    "经审核，同意 «state_agreed» 名学生注册甘肃省普通高中学籍，学号自 «state_first» 号起，至 «state_last» 号终。",
                    False,
                )
            ],
            align=LEFT,
        ),
    )
    return _saved(document, "普通高中新生学籍注册审批表")


def enrolment_register() -> bytes:
    """《普通高中学生学籍注册登记表》 (临州教学管发〔2022〕5号 附件2): a row a pupil, by 学号 ascending."""
    document = _page()
    _head(document, "«year_title»«state_title»普通高中学生学籍注册登记表")
    rows = _Rows(document)
    rows.labelled(
        "",
        lambda r: r.row(
            [
                (1, text, True)
                for text in ("学号", "姓名", "准考证号", "性别", "民族", "出生日期", "身份证号", "中考成绩")
            ]
        ),
    )
    columns = ("number", "name", "exam_number", "sex", "ethnicity", "birth_date", "id_number", "exam_score")
    rows.labelled("", lambda r: r.row([(1, f"«pupils:{key}»", False) for key in columns]))
    return _saved(document, "普通高中学生学籍注册登记表")


# --- the parts that every form shares ---------------------------------------------------------------------------------


def _page() -> Any:
    document = Document()
    _trim_styles(document)
    _drop_baggage(document)
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(18)
    section.top_margin, section.bottom_margin = Mm(14), Mm(19)
    section.header_distance, section.footer_distance = Mm(8), Mm(8)
    section.footer.is_linked_to_previous = False
    first, second = section.footer.paragraphs[0], section.footer.add_paragraph()
    _write(first, "依据：«basis»", size=8)
    _write(second, "版本：第 «version» 版　打印时间：«printed_at»　存证码：«anchor»", size=8)
    return document


def _head(document: Any, title: str) -> None:
    """The title in the middle with the number below it, the QR code at the top right."""
    table = _table(document, (24, 126, 24))
    cells = table.rows[0].cells
    for cell in cells:
        cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    heading = cells[1].paragraphs[0]
    heading.alignment, heading.paragraph_format.space_after = CENTRE, Pt(6)
    _write(heading, title, size=20, font=TITLE)
    line = cells[1].add_paragraph()
    line.alignment = CENTRE
    _write(line, "编号：«case_number»　　状态：«status»", size=10.5)
    cells[2].paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    _write(cells[2].paragraphs[0], "«qr»")
    gap = document.add_paragraph()
    gap.paragraph_format.line_spacing_rule = WD_LINE_SPACING.EXACTLY
    gap.paragraph_format.line_spacing = Pt(4)


def _line(document: Any, text: str, *, indent: bool = True, right: bool = False) -> None:
    """A line of a letter, with the two characters of indent that a Chinese paragraph begins with."""
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(5)
    paragraph.paragraph_format.line_spacing = 1.4
    if indent:
        paragraph.paragraph_format.first_line_indent = Pt(24)
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    _write(paragraph, text, size=12)


class _Rows:
    """The rows of the bordered table, added one after the other under a label at the left."""

    def __init__(self, document: Any) -> None:
        self._table = _table(document, GRID, rows=0)
        _border(self._table)
        self._label: str | None = None

    def labelled(self, label: str, draw: Callable[[_Rows], object]) -> None:
        """Rows that share one cell with the label at their left."""
        start = len(self._table.rows)
        draw(self)
        rows = self._table.rows
        first = rows[start].cells[0]
        for position in range(start, len(rows)):
            _merge_down(rows[position].cells[0], begins=position == start)
        _write_lines(first, label, bold=True)

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
            _write_lines(cell, text, align=align, size=size, bold=heading)
            made.append(cell)
            column += width
        return made


def _table(document: Any, widths: Sequence[float], rows: int = 1) -> Any:
    table = document.add_table(rows=rows, cols=len(widths))
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
    for row in table.rows:
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = Mm(width)
    _set(table._tbl.tblPr, "w:tblCellMar", {"w:left": 57, "w:right": 57}, type="dxa")
    return table


def _border(table: Any) -> None:
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
    _write_lines(cell, "")


def _write_lines(
    cell: _Cell, text: str, *, align: Any = CENTRE, size: float = 10.5, bold: bool = False
) -> None:
    """Each line of the text as a paragraph of its own, in the middle of the cell's height."""
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    for position, line in enumerate(text.split("\n")):
        paragraph = cell.paragraphs[0] if position == 0 else cell.add_paragraph()
        paragraph.alignment = align
        if line:
            _write(paragraph, line, size=size, bold=bold)


def _write(paragraph: Any, text: str, *, size: float = 10.5, font: str = BODY, bold: bool = False) -> None:
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


def _saved(document: Any, title: str) -> bytes:
    about = document.core_properties
    about.title, about.author, about.comments, about.last_modified_by = title, "", "", ""
    about.created = about.modified = DRAWN
    about.revision = 1
    out = io.BytesIO()
    document.save(out)
    return repacked(out.getvalue())


BLANKS: dict[str, Callable[[], bytes]] = {
    "key_information_change.docx": key_information_change,
    "enrolment_approval.docx": enrolment_approval,
    "enrolment_register.docx": enrolment_register,
    "withdrawal.docx": withdrawal,
    "withdrawal_notice.docx": withdrawal_notice,
    "withdrawal_reversal.docx": withdrawal_reversal,
}


def main() -> None:
    """Write every blank into this folder."""
    for name, draw in BLANKS.items():
        (FOLDER / name).write_bytes(draw())


if __name__ == "__main__":
    main()
