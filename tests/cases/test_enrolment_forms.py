"""The two forms of 普通高中新生学籍注册 against the source, cell by cell, as DOCX and as XLSX."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from docx import Document
from docx.oxml.ns import qn

from portal.cases import printing
from portal.cases.docx_forms import NAME
from portal.policies import policy
from portal.workflows.facts import Facts
from portal.workflows.vocabulary import Printout
from tests.cases.enrolment import APPROVAL, REGISTER, STATE_RUN, roster_facts, roster_rows
from tests.cases.forms import pdf_of, said
from tests.services import calc_path, soffice_path

pytestmark = pytest.mark.pages

# As 临州教学管发〔2022〕5号 prints them: a line a row, a tab between cells.
SOURCE_APPROVAL = """附表1:
2022届XXX县（市）普通高中新生学籍注册审批表
学校名称:
学校呈报意见	州、县下达普通高中招生计划:
	学校实际招生人数:
	学校申请注册学籍人数:
	申请注册学号: 自 号起, 至 号终
	学校负责人(签名)	单位盖章 年 月 日
县(市)教育局 审批意见	初中毕业生总人数:
	教育局下达普通高中招生计划:
	同意申请注册学籍人数:
	县(市)教育局负责人(签名)	单位盖章 年 月 日
州教育局审批意见	经审核, 同意 名学生注册甘肃省普通高中学籍, 学号自 号起, 至 号终。
	负责人(签字)	单位盖章 年 月 日"""
SOURCE_REGISTER = """附件2
2022届XXX市（州）普通高中学生学籍注册登记表
填表单位（盖章）
学号	姓名	准考证号	性别	民族	出生日期	身份证号	高中就读学校	中考成绩
说明：按学号顺序由小到大排列。"""
PRINTED_AT = datetime(2026, 9, 20, 10, 5)
CIRCUMSTANCES: dict[str, Any] = {
    "version": 5,
    "anchor": "1024-3f9a0c12be77",
    "qr_text": "XS2026000001|register-form|5|0123456789ab",
    "status": "审核中",
    "printed_at": PRINTED_AT,
}
BOTH = (said("county_review"), said("state_approval", day=3))


def docx(printout: Printout, facts: Facts) -> Any:
    return Document(io.BytesIO(printing.render(printout, facts, **CIRCUMSTANCES)))


def xlsx(printout: Printout, facts: Facts) -> Any:
    assert printout.sheet is not None
    data = printing.render_sheet(printout, printout.sheet, facts, **CIRCUMSTANCES)
    return openpyxl.load_workbook(io.BytesIO(data)).active


def tight(text: str) -> str:
    return re.sub(r"\s", "", text)


def source(text: str) -> list[list[str]]:
    """The source's lines as cells, its place and year in those of the tests."""
    text = text.replace("2022届XXX县（市）", "2026届青禾县").replace("2022届XXX市（州）", "2026届云岭州")
    return [[tight(cell) for cell in line.split("\t") if cell] for line in text.split("\n")]


def lines_of_docx(document: Any) -> list[list[str]]:
    """Paragraphs and table rows of the body in order, as cells without white space; what goes on from above once."""
    found = []
    for element in document.element.body:
        if element.tag == qn("w:p") and _text(element):
            found.append([_text(element)])
        for row in element.iter(qn("w:tr")):
            found.append([_text(cell) for cell in row.iter(qn("w:tc")) if not _goes_on(cell)])
    return found


def _text(element: Any) -> str:
    return tight("".join(one.text or "" for one in element.iter(qn("w:t"))))


def _goes_on(cell: Any) -> bool:
    merge = cell.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
    return merge is not None and merge.get(qn("w:val")) != "restart"


def lines_of_xlsx(page: Any) -> list[list[str]]:
    """The rows as cells without white space, but for the last one, which only tells this copy from others."""
    rows = [[tight(cell) for cell in row if cell] for row in page.iter_rows(values_only=True)]
    assert rows.pop()[0].startswith("编号：XS2026000001")
    return rows


@pytest.mark.parametrize(("made", "lines"), [(docx, lines_of_docx), (xlsx, lines_of_xlsx)])
def test_the_approval_form_is_the_source_s_cell_for_cell(made: Any, lines: Any) -> None:
    """A roster before its figures are known, so that nothing stands in the cells but the form's own words."""
    blank = roster_facts(1, quota=None, numbers=None, answers={}, submitted_on=None)
    expected = source(SOURCE_APPROVAL)
    expected[2][0] += "青禾县第一高级中学"
    expected[5][0] += "1"  # 申请注册学籍人数 is counted
    assert lines(made(APPROVAL, blank)) == expected


@pytest.mark.parametrize(("made", "lines"), [(docx, lines_of_docx), (xlsx, lines_of_xlsx)])
def test_the_register_is_the_source_s_with_a_row_a_pupil(made: Any, lines: Any) -> None:
    found = lines(made(REGISTER, roster_facts(2)))
    expected = source(SOURCE_REGISTER)
    expected[2][0] += "青禾县第一高级中学"
    rows = found[4:6]
    assert [*found[:4], *found[6:]] == expected
    school = "青禾县第一高级中学"
    assert rows == [
        [f"2613{n:08d}", one["name"], f"2262{n:08d}", sex, ethnicity, one["birth_date"], one["id_number"], school, one["exam_score"]]
        for n, sex, ethnicity, one in ((1, "男", "东乡族", roster_rows(2)[0]), (2, "女", "汉族", roster_rows(2)[1]))
    ]  # fmt: skip


@pytest.mark.parametrize(("made", "lines"), [(docx, lines_of_docx), (xlsx, lines_of_xlsx)])
def test_the_figures_of_each_office_stand_there_once_it_has_agreed(made: Any, lines: Any) -> None:
    def cells(**changes: Any) -> list[str]:
        return [cell for line in lines(made(APPROVAL, roster_facts(12, **changes))) for cell in line]

    submitted, by_county, by_both = cells(), cells(opinions=BOTH[:1]), cells(opinions=BOTH)
    for found in (submitted, by_county, by_both):
        assert "州、县下达普通高中招生计划:400" in found and "学校实际招生人数:12" in found
        assert "申请注册学号:自261300000001号起,至261300000012号终" in found
        assert "初中毕业生总人数:3000" in found and "教育局下达普通高中招生计划:900" in found
        assert sum(cell == "单位盖章年月日" for cell in found) == 3
    assert "同意申请注册学籍人数:" in submitted and "同意申请注册学籍人数:12" in by_county
    empty = "经审核,同意名学生注册甘肃省普通高中学籍,学号自号起,至号终。"
    assert empty in submitted and empty in by_county
    assert "经审核,同意12名学生注册甘肃省普通高中学籍,学号自261300000001号起,至261300000012号终。" in by_both


@pytest.mark.parametrize(("made", "lines"), [(docx, lines_of_docx), (xlsx, lines_of_xlsx)])
def test_a_school_run_by_the_state_has_no_county_to_sign(made: Any, lines: Any) -> None:
    found = [cell for line in lines(made(APPROVAL, roster_facts(3, school=STATE_RUN))) for cell in line]
    assert found[1] == "2026届云岭州普通高中新生学籍注册审批表"
    assert "按规定无需本级审批。" in found and "县(市)教育局负责人(签名)" not in found
    assert sum(cell == "单位盖章年月日" for cell in found) == 2


def test_place_words_follow_the_policy() -> None:
    elsewhere = roster_facts(2, policy=policy("cn-2025"), opinions=BOTH)
    found = [cell for line in lines_of_docx(docx(APPROVAL, elsewhere)) for cell in line]
    assert found[1] == "2026级青禾县普通高中新生学籍注册审批表"
    assert "市、县下达普通高中招生计划:400" in found and "市教育局审批意见" in found
    assert any(cell.startswith("经审核,同意2名学生注册普通高中学籍,") for cell in found)


def test_the_register_lies_across_and_repeats_its_heading_and_counts_its_pages() -> None:
    document = docx(REGISTER, roster_facts(30))
    section = document.sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (297, 210)
    rows = list(document.element.body.iter(qn("w:tr")))
    assert [row.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None for row in rows] == [
        True,
        *[False] * 30,
    ]
    assert all(row.find(f"{qn('w:trPr')}/{qn('w:cantSplit')}") is not None for row in rows)
    footer = section.footer._element
    assert [one.get(qn("w:instr")) for one in footer.iter(qn("w:fldSimple"))] == ["PAGE", "NUMPAGES"]
    assert "第1页共1页" in _text(footer)
    assert "编号：XS2026000001状态：审核中版本：第5版" in _text(footer)
    assert "存证码：1024-3f9a0c12be77" in _text(footer)
    assert len(list(footer.iter(qn("pic:pic")))) == 1  # the code, on every page


def test_the_sheet_lies_across_and_repeats_its_heading_and_counts_its_pages() -> None:
    page = xlsx(REGISTER, roster_facts(30))
    assert page.page_setup.orientation == "landscape" and page.page_setup.paperSize == 9
    assert page.print_title_rows == "$3:$4" and page.freeze_panes == "A5"
    assert page.sheet_properties.pageSetUpPr.fitToPage and page.page_setup.fitToHeight == 0
    assert page.print_area.endswith("$A$1:$I$36")
    assert page.oddFooter.right.text == "第 &P 页 共 &N 页"
    assert page.oddFooter.left.text == (
        "编号：XS2026000001　状态：审核中　版本：第 5 版\n打印时间：2026-09-20 10:05　存证码：1024-3f9a0c12be77"
    )
    assert page.column_dimensions["G"].width >= 20  # 18 digits in one line
    assert page.cell(36, 1).value.endswith("存证码：1024-3f9a0c12be77")


@pytest.mark.parametrize("printout", [APPROVAL, REGISTER], ids=lambda one: one.id)
def test_the_code_stands_square_in_a_row_that_every_page_repeats(printout: Printout) -> None:
    page = xlsx(printout, roster_facts(30))
    (picture,) = page._images
    anchor = picture.anchor
    assert anchor._from.row == anchor.to.row == 2 and page.print_title_rows.startswith("$3:$")
    assert anchor._from.col == anchor.to.col  # within one column, whatever its width comes to
    wide, high = (getattr(anchor.to, one) - getattr(anchor._from, one) for one in ("colOff", "rowOff"))
    assert wide == pytest.approx(high, rel=0.02) and wide / 36000 == pytest.approx(21, abs=0.5)  # mm
    assert picture._data() == printing.qr_png(CIRCUMSTANCES["qr_text"])


def test_a_long_title_takes_a_second_line() -> None:
    long = replace(roster_facts(1).school, supervisors={"county": "云岭青禾保安族东乡族撒拉族自治县教育局"})
    short, tall = (xlsx(APPROVAL, roster_facts(1, **given)) for given in ({}, {"school": long}))
    assert tall.row_dimensions[2].height == 2 * short.row_dimensions[2].height


def test_nothing_in_a_sheet_becomes_a_formula_or_loses_a_digit() -> None:
    first = roster_rows(1)[0]
    hostile = {
        **first.values,
        "name": "=1+1",
        "exam_score": "@SUM(A1)",
        "exam_number": "002262000000000012345",
    }
    page = xlsx(REGISTER, roster_facts(1, roster=(replace(first, values=hostile),)))
    cells = [page.cell(5, column) for column in range(1, 10)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert (cells[1].value, cells[2].value, cells[8].value) == ("=1+1", "002262000000000012345", "@SUM(A1)")
    label = xlsx(APPROVAL, roster_facts(1, school=replace(STATE_RUN, name="=2+2")))
    assert label["A3"].value == "学校名称: =2+2" and label["A3"].data_type == "s"


@pytest.mark.parametrize(("made", "lines"), [(docx, lines_of_docx), (xlsx, lines_of_xlsx)])
def test_three_thousand_pupils_are_three_thousand_rows_in_order(made: Any, lines: Any) -> None:
    shuffled = roster_facts(3000)
    shuffled = replace(shuffled, roster=tuple(reversed(shuffled.roster)))
    rows = lines(made(REGISTER, shuffled))[4:-1]
    assert [row[0] for row in rows] == [f"2613{n:08d}" for n in range(1, 3001)]
    assert all(len(row) == 9 for row in rows)


def test_rows_with_long_or_strange_values_are_filled_like_the_others() -> None:
    rows = roster_rows(4)
    strange = ("买买提·阿卜杜热合曼" * 8, "甲\t乙\n丙", " 前后空格 ", "«pupil.name»\x00<w:t>")
    given = tuple(
        replace(row, values={**row.values, "name": name}) for row, name in zip(rows, strange, strict=True)
    )
    table = docx(REGISTER, roster_facts(4, roster=given)).tables[0]
    assert [row.cells[1].text for row in table.rows[1:]] == [*strange[:3], "«pupil.name»<w:t>"]


@pytest.mark.parametrize("printout", [APPROVAL, REGISTER], ids=lambda one: one.id)
def test_the_sheet_s_names_are_those_of_the_blank(printout: Printout) -> None:
    sheet = printout.sheet
    assert sheet is not None
    texts = [
        sheet.mark,
        sheet.title,
        *sheet.above,
        *sheet.notes,
        *(cell for row in sheet.rows for cell in row),
    ]
    assert len(sheet.widths) == (len(sheet.headings) or 3)
    known = printing.values(printout, roster_facts(1)).keys()
    assert {match[1] for text in texts for match in NAME.finditer(text)} <= known


def test_the_pages_as_office_software_prints_them(tmp_path: Path) -> None:
    """The approval form on one page; of the register every page with its number, every 18-digit number in one line."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    cover = printing.render(APPROVAL, roster_facts(60, opinions=BOTH), **CIRCUMSTANCES)
    assert len(pdf_of(cover, tmp_path / "a", soffice_path())) == 1
    paper = pdf_of(
        printing.render(REGISTER, roster_facts(60), **CIRCUMSTANCES), tmp_path / "b", soffice_path()
    )
    texts = [page.get_textpage().get_text_range() for page in paper]
    assert len(texts) > 1
    for number, text in enumerate(texts, start=1):
        assert f"第{number}页共{len(texts)}页" in tight(text) and "高中就读学校" in text
    _hold_every_number_in_one_line(texts)


def _hold_every_number_in_one_line(texts: list[str]) -> None:
    shown = [line for text in texts for line in text.splitlines()]
    assert all(any(row["id_number"] in line for line in shown) for row in roster_rows(60))


def test_the_sheets_as_office_software_prints_them(tmp_path: Path) -> None:
    """The approval form on one page; every page of the register with headings, its number and what tells this copy from others."""
    papers = []
    for printout, given in ((APPROVAL, roster_facts(60, opinions=BOTH)), (REGISTER, roster_facts(90))):
        assert printout.sheet is not None
        data = printing.render_sheet(printout, printout.sheet, given, **CIRCUMSTANCES)
        (tmp_path / printout.id).mkdir()
        papers.append(pdf_of(data, tmp_path / printout.id, calc_path(), "xlsx"))
    cover, register = [[page.get_textpage().get_text_range() for page in paper] for paper in papers]
    assert len(cover) == 1 and len(register) > 2
    for number, text in enumerate(register, start=1):
        assert f"第{number}页共{len(register)}页" in tight(text) and "高中就读学校" in text
    for text in (*cover, *register):
        assert (
            "编号：XS2026000001" in text
            and "存证码：1024-3f9a0c12be77" in text
            and "青禾县第一高级中学" in text
        )
    _hold_every_number_in_one_line(register)
