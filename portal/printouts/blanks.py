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
from portal.printouts.drawing import LEFT, WIDE, Rows, head, line, page, saved, write
from portal.printouts.tables import form_of
from portal.workflows import enrolment_forms


def key_information_change() -> bytes:
    """关键信息变更审批表: particulars, old and new, reason, who asked, papers, and the boxes of school, county and state."""
    return _approval_form(
        "学籍关键信息变更审批表",
        ("学生\n基本情况", _particulars),
        ("变更内容", _changes),
        ("变更原因", lambda rows: _words(rows, "«cause»\n«explanation»")),
        ("申请人", _asked_by),
        height=29,
    )


def withdrawal() -> bytes:
    """普通高中学生退学审批表: particulars, kind and ground with its clause, who asked, the register's change, papers, three
    opinions."""
    return _approval_form(
        "普通高中学生退学审批表",
        ("学生\n基本情况", _particulars_and_guardian),
        ("申请事项", _asked_for),
        ("情况说明", lambda rows: _words(rows, "«explanation»")),
        ("申请人", _asked_by),
        ("学籍变动", lambda rows: _changes(rows, lines=3)),
        height=27,
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


def _approval_form(title: str, *sections: tuple[str, Callable[[Rows], object]], height: float = 34) -> bytes:
    """A form with its own sections, then the papers and the boxes of school, county and state."""
    document = page()
    head(document, title)
    rows = Rows(document)
    for label, draw in sections:
        rows.labelled(label, draw)
    rows.labelled("证明材料\n清　　单", _evidence)
    _opinions(rows, height)
    return saved(document, title)


def withdrawal_notice() -> bytes:
    """退学告知书: to the guardian, what was decided on which clause, that there is no return, where to object, and the receipt."""
    title = "退学告知书"
    document = page()
    head(document, title)
    line(document, "«guardian»：", indent=False)
    line(
        document,
        "学生«pupil.name»（学籍号«pupil.student_number»，«school»«class»）的«kind»事项，«decision»。"
        "条件：«ground»（依据：«ground_clause»）。原因：«reason»。",
    )
    rows = Rows(document)
    rows.labelled("学籍变动", lambda r: _changes(r, lines=3))
    line(document, "一、«no_return_text»（依据：«no_return_clause»）")
    line(
        document,
        "二、对本决定有异议的，可以自收到本告知书之日起＿＿＿日内，向＿＿＿＿＿＿＿＿＿＿＿＿＿＿＿＿（单位、地址、电话）提出。",
    )
    line(document, "三、学生今后接受其他教育、参加考试和就业的办法，可以向学校或者县级教育行政部门询问。")
    for text in ("«school»（盖章）", "年　　月　　日"):
        line(document, text, indent=False, right=True)
    receipt = Rows(document)
    receipt.labelled("送达回执", _receipt)
    return saved(document, title)


def _words(rows: Rows, text: str) -> None:
    rows.row([(WIDE, text, False)], height=12, align=LEFT)


def _particulars_and_guardian(rows: Rows) -> None:
    _particulars(rows)
    rows.row(
        [
            (1, "监护人", True),
            (3, "«pupil.guardian1_name»", False),
            (2, "联系电话", True),
            (2, "«pupil.guardian1_phone»", False),
        ]
    )


def _asked_for(rows: Rows) -> None:
    rows.row([(1, "类别", True), (3, "«kind»", False), (2, "异动原因", True), (2, "«reason»", False)])
    rows.row([(1, "条件", True), (3, "«ground»", False), (2, "条款", True), (2, "«ground_clause»", False)])


def _asked_by(rows: Rows) -> None:
    """Who asked, and the place for the signature; what nobody has typed is written by hand."""
    name, relation = ("姓名", "«guardian_name»"), ("关系", "«guardian_relation»")
    typed = [(1, text, position == 0) for pair in (name, relation) for position, text in enumerate(pair)]
    cells = rows.row(
        [*typed, (1, "日期", True), (2, "«guardian_day»", False), (1, "签名：", False)], height=9
    )
    cells[-1].paragraphs[0].alignment = LEFT


def _undone(rows: Rows) -> None:
    rows.row([(1, "原业务", True), (7, "«decision»", False)])
    rows.row([(1, "文号", True), (7, "«authority»", False)])


def _receipt(rows: Rows) -> None:
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


def _changes(rows: Rows, lines: int = 4) -> None:
    rows.row([(2, "变更项目", True), (4, "原登记内容", True), (2, "变更后内容", True)], height=5.5)
    for _ in range(lines):
        rows.row(
            [(2, "«changes:title»", False), (4, "«changes:before»", False), (2, "«changes:after»", False)],
            height=5.5,
        )


def _evidence(rows: Rows) -> None:
    rows.row(
        [(1, "序号", True), (4, "材料名称", True), (1, "数量", True), (2, "文件指纹（前 12 位）", True)],
        height=5.5,
    )
    for _ in range(3):
        rows.row(
            [
                (1, "«evidence:position»", False),
                (4, "«evidence:title»", False),
                (1, "«evidence:count»", False),
                (2, "«evidence:fingerprints»", False),
            ],
            height=5.5,
            size=9.5,
        )


def _opinions(rows: Rows, height: float) -> None:
    """The boxes of school, county and state."""
    for level, label in (
        ("school", "学校意见"),
        ("county", "县级教育\n行政部门\n意　　见"),
        ("state", "州(市)级\n教育行政\n部门意见"),
    ):
        rows.labelled(label, lambda r, level=level: _opinion(r, level, height))  # type: ignore[misc]


def _opinion(rows: Rows, level: str, height: float) -> None:
    """What was decided, and below it the places that stay empty for signature, seal and date."""
    (cell,) = rows.row([(WIDE, f"«{level}_opinion»", False)], height=height, align=LEFT)
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
