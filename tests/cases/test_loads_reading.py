"""Files as people have them: headings in every wording and place, numbers that Excel touched, files that are none."""

from __future__ import annotations

import io
from datetime import datetime

import pytest
import xlsxwriter
from docx import Document

from portal.cases.loads import mapping
from portal.cases.loads.reading import Unreadable, head_of, open_table
from portal.models import Level
from tests import exports


def a_word_file() -> bytes:
    out = io.BytesIO()
    Document().save(out)
    return out.getvalue()


def recognised(*headings: str) -> list[str]:
    found = mapping.propose(headings)
    return [found.get(str(position), "") for position in range(len(headings))]


def test_the_form_is_recognised_by_place_and_the_full_titles_by_name() -> None:
    assert recognised(*exports.FORM_HEADINGS) == list(exports.FORM_COLUMNS)
    assert recognised(*exports.EVERY_HEADING) == list(exports.EVERY_COLUMN)


def test_stars_spaces_and_other_wordings() -> None:
    assert recognised("*全国学籍号", "学生 姓名（必填）", "身份证号：", "★性别") == [
        "student_number", "name", "id_number", "sex",
    ]  # fmt: skip
    assert recognised("姓名", "监护人1姓名", "监护人2联系电话", "家庭成员二关系") == [
        "name", "guardian1_name", "guardian2_phone", "guardian2_relation",
    ]  # fmt: skip
    assert recognised("姓名", "监护人姓名", "监护人关系", "监护人姓名", "监护人关系") == [
        "name", "guardian1_name", "guardian1_relation", "guardian2_name", "guardian2_relation",
    ]  # fmt: skip
    assert recognised("姓名", "联系电话", "备注", "姓名", "关系", "联系电话") == [
        "name", "", "", "guardian1_name", "guardian1_relation", "guardian1_phone",
    ]  # fmt: skip


def test_a_third_block_of_the_same_headings_is_left_alone() -> None:
    block = ("姓名", "关系")
    found = recognised("姓名", *block, *block, *block)
    assert found[-2:] == ["", ""] and len({key for key in found if key}) == 5


def test_a_mapping_must_be_whole_and_unambiguous() -> None:
    whole = mapping.propose(exports.FORM_HEADINGS)
    assert mapping.fault_in(whole, Level.COUNTY) == ""
    without_school = {place: key for place, key in whole.items() if key != "school_code"}
    assert mapping.fault_in(without_school, Level.SCHOOL) == ""
    assert "学校标识码" in mapping.fault_in(without_school, Level.COUNTY)
    assert "不止一列" in mapping.fault_in(whole | {"90": "name"}, Level.COUNTY)
    assert mapping.fault_in(whole | {"90": "password"}, Level.COUNTY)


def test_rows_keep_their_numbers_in_the_sheet_and_numbers_their_digits() -> None:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        sheet = book.add_worksheet()
        sheet.write_string(0, 0, "2026年秋季学生名单")
        for place, heading in enumerate(("学籍号", "姓名", "出生日期", "身份证件号")):
            sheet.write_string(2, place, heading)
        sheet.write_string(5, 1, " 马·明 ")
        sheet.write_datetime(5, 2, datetime(2010, 5, 6), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write_number(5, 3, 622999201005060013)
        sheet.write_number(6, 2, 20100506)
        sheet.write_string(6, 0, "L622999200001010001")
    with open_table(io.BytesIO(target.getvalue())) as table:
        assert table.head.row == 3
        assert list(table.rows()) == list(table.rows())
        first, second = table.rows()
    assert first[:1] == (6,) and first[1][:3] == ["", " 马·明 ", "2010-05-06"]
    assert "e+17" in first[1][3]
    assert second == (7, ["L622999200001010001", "", "20100506", ""])


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_text_files_with_quoted_digits(delimiter: str) -> None:
    lines = (["学籍号", "姓名"], ['="L622999200001010001"', "马明"], ["\tL622999200001010002", "马强"])
    text = "\r\n".join(delimiter.join(line) for line in lines)
    if delimiter == "\t":
        text = text.replace("\tL", "L")
    with open_table(io.BytesIO(text.encode())) as table:
        assert [texts[0][-4:] for _, texts in table.rows()] == ["0001", "0002"]
        assert all(texts[0].startswith("L") for _, texts in table.rows())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "没有找到列标题"),
        (b"PK\x03\x04 cut off", "打不开"),
        (b"\xd0\xcf\x11\xe0", "旧格式"),
        (b"\x00\x01\x02", "不是 XLSX 或 CSV"),
        (b"%PDF-1.4", "这是 PDF 文件"),
        (b"\xff\xd8\xff\xe0", "这是图片"),
        (a_word_file(), "这是 Word 文档"),
        ("学籍号,姓名\n".encode() + b"\xff\xff\xff", "编码认不出来"),
        (("学籍号,姓名\nL1," + "马" * 10_001).encode(), "10,000"),
        (("学籍号,姓名\n" + "," * 300 + "x").encode(), "列数超过"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(data: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words), open_table(io.BytesIO(data)) as table:
        list(table.rows())
    with pytest.raises(Unreadable):
        head_of(io.BytesIO(data if b"\n" not in data else b"x"))
