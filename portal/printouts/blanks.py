"""Draws the blanks of this folder: `python -m portal.printouts.blanks` writes them, the same bytes every time.

The forms follow 附表1 of 临州教学管发〔2022〕5号: a bordered table on one A4 page, 宋体, one box for each office with places for
signature, seal and date. A «name» stands where cases.printing puts a value; in «group:name» the row is repeated, and
rows of one group that follow each other are filled first and struck through where nothing is left to fill them.
"""

from __future__ import annotations

from collections.abc import Callable

from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
from docx.enum.text import WD_TAB_ALIGNMENT
from docx.shared import Mm, Pt

from portal.printouts import FOLDER
from portal.printouts.drawing import LEFT, WIDE, Rows, head, page, saved, write
from portal.printouts.tables import form_of
from portal.workflows import enrolment_forms


def key_information_change() -> bytes:
    """关键信息变更审批表: particulars, old and new, reason, papers, and the boxes of school, county and state."""
    document = page()
    head(document, "学籍关键信息变更审批表")
    rows = Rows(document)
    rows.labelled("学生\n基本情况", _particulars)
    rows.labelled("变更内容", _changes)
    rows.labelled(
        "变更原因", lambda r: r.row([(WIDE, "«cause»\n«explanation»", False)], height=12, align=LEFT)
    )
    rows.labelled("证明材料\n清　　单", _evidence)
    for level, label in (
        ("school", "学校意见"),
        ("county", "县级教育\n行政部门\n意　　见"),
        ("state", "州(市)级\n教育行政\n部门意见"),
    ):
        rows.labelled(label, lambda r, level=level: _opinion(r, level))  # type: ignore[misc]
    return saved(document, "学籍关键信息变更审批表")


def _particulars(rows: Rows) -> None:
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


def _changes(rows: Rows) -> None:
    rows.row([(2, "变更项目", True), (4, "原登记内容", True), (2, "变更后内容", True)], height=7)
    for _ in range(4):
        rows.row(
            [(2, "«changes:title»", False), (4, "«changes:before»", False), (2, "«changes:after»", False)],
            height=7,
        )


def _evidence(rows: Rows) -> None:
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


def _opinion(rows: Rows, level: str) -> None:
    """What was decided, and below it the places that stay empty for signature, seal and date."""
    (cell,) = rows.row([(WIDE, f"«{level}_opinion»", False)], height=34, align=LEFT)
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.BOTTOM
    cell.paragraphs[0].paragraph_format.space_after = Pt(4)
    sign = cell.add_paragraph()
    for place, side in ((86, WD_TAB_ALIGNMENT.LEFT), (150, WD_TAB_ALIGNMENT.RIGHT)):
        sign.paragraph_format.tab_stops.add_tab_stop(Mm(place), side)
    sign.paragraph_format.space_after = Pt(2)
    write(sign, f"«{level}_sign»")


def enrolment_approval() -> bytes:
    """《普通高中新生学籍注册审批表》 (临州教学管发〔2022〕5号 附表1): the school's report and the opinions of county and state."""
    return form_of(enrolment_forms.APPROVAL, "普通高中新生学籍注册审批表")


def enrolment_register() -> bytes:
    """《普通高中学生学籍注册登记表》 (临州教学管发〔2022〕5号 附件2): a row a pupil, by 学号 ascending."""
    return form_of(enrolment_forms.REGISTER, "普通高中学生学籍注册登记表")


BLANKS: dict[str, Callable[[], bytes]] = {
    "key_information_change.docx": key_information_change,
    "enrolment_approval.docx": enrolment_approval,
    "enrolment_register.docx": enrolment_register,
}


def main() -> None:
    """Write every blank into this folder."""
    for name, draw in BLANKS.items():
        (FOLDER / name).write_bytes(draw())


if __name__ == "__main__":
    main()
