"""Workbooks and text files with what people's files hold: hidden and other sheets, errors, two heading rows, bombs."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable, Iterable, Sequence

import openpyxl
import pytest
from flask import Flask

from portal.cases.loads import lifecycle, readers
from portal.cases.loads.lifecycle import LoadRefused
from portal.cases.loads.reading import Sheet, Unreadable, head_of, open_table
from portal.extensions import db
from portal.models import Pupil
from tests import exports, peak
from tests.builders import Cast
from tests.cases.test_loads import apply, as_exported, check, expecting, findings

HEADINGS = ["学籍号", "姓名", "身份证件号", "出生日期"]
PUPIL = ["L622999200001010001", "马明", "622999200001010013", "2000-01-01"]


def book(
    *sheets: tuple[str, Iterable[Sequence[object]]], edit: Callable[[openpyxl.Workbook], None] | None = None
) -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets:
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    if edit:
        edit(made)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def table_of(data: bytes, sheet: str = "") -> tuple[Sheet, list[str], list[tuple[int, list[str]]], list[int]]:
    with open_table(io.BytesIO(data), sheet=sheet) as table:
        return table.sheet, table.head.headings, list(table.rows()), table.totals()


def test_the_first_visible_sheet_with_the_headings_is_read_and_named() -> None:
    def hide(made: openpyxl.Workbook) -> None:
        made["旧名单"].sheet_state = "hidden"

    data = book(
        ("旧名单", [HEADINGS, PUPIL]),
        ("说明", [["一、请逐项填写"], ["二、不要改动标题", "见附件"]]),
        ("本次", [HEADINGS, [*PUPIL[:1], "马强", *PUPIL[2:]]]),
        ("下次", [HEADINGS, PUPIL]),
        edit=hide,
    )
    sheet, _, rows, _ = table_of(data)
    assert (sheet.sheet, sheet.others) == ("本次", ["说明", "下次"]) and rows[0][1][1] == "马强"
    assert table_of(data, "下次")[2][0][1][1] == "马明"
    assert table_of(data, "旧名单")[0].sheet == "本次", "a hidden sheet is not to be had by its name"


def test_hidden_rows_are_read_and_counted_and_rows_count_as_in_the_file() -> None:
    def edit(made: openpyxl.Workbook) -> None:
        sheet = made["名单"]
        sheet.insert_rows(1, 2)
        sheet.insert_cols(1)
        sheet.row_dimensions[5].hidden = True

    sheet, headings, rows, _ = table_of(book(("名单", [HEADINGS, PUPIL, PUPIL]), edit=edit))
    assert sheet.hidden == 1 and headings == ["", *HEADINGS]
    assert [number for number, _ in rows] == [4, 5]


def test_cells_without_a_result_are_named_and_empty_results_are_empty() -> None:
    def edit(made: openpyxl.Workbook) -> None:
        sheet = made["名单"]
        sheet["B2"], sheet["C2"] = "=A1", "#N/A"
        sheet["C2"].data_type = "e"
        sheet["C3"] = "#REF!"
        sheet["C3"].data_type = "e"

    rows = table_of(book(("名单", [HEADINGS, list(PUPIL), list(PUPIL)]), edit=edit))[2]
    assert rows[0][1][1:3] == ["#公式没有结果", "#N/A"] and rows[1][1][2] == "#REF!"
    data = book(("名单", [HEADINGS, [*PUPIL[:2], "x", PUPIL[3]]]))
    source, out = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in source.namelist():
            text = source.read(name)
            if name.endswith("sheet1.xml"):
                cell = text[text.index(b'<c r="C2"') :].partition(b"</c>")[0] + b"</c>"
                text = text.replace(cell, b'<c r="C2" t="str"><f>IF(A2="","",1)</f><v></v></c>')
            made.writestr(name, text)
    assert table_of(out.getvalue())[2][0][1][2] == ""


def test_two_heading_rows_are_joined_and_totals_left_out() -> None:
    upper = ["学籍号", "姓名", "监护人一", None, "监护人二", None]
    lower = [None, None, "姓名", "联系电话", "姓名", "联系电话"]
    row = ["L622999200001010001", "马明", "马父", "13900000001", "马母", "13900000002"]
    total = ["合 计", None, "1", None, None, None]
    _, headings, rows, totals = table_of(book(("名单", [["2026 年名单"], upper, lower, row, total])))
    assert headings == [
        "学籍号",
        "姓名",
        "监护人一姓名",
        "监护人一联系电话",
        "监护人二姓名",
        "监护人二联系电话",
    ]
    assert [number for number, _ in rows] == [4] and totals == [5]
    _, plain, rows, _ = table_of(book(("名单", [HEADINGS, PUPIL])))
    assert plain == HEADINGS and len(rows) == 1, "a row of a pupil is no second row of headings"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "gb18030", "utf-8-sig"])
@pytest.mark.parametrize("delimiter", ["\t", ";", ","])
def test_text_files_of_every_kind_with_a_title_above(encoding: str, delimiter: str) -> None:
    lines = ["2026年秋季学生名单，共一人", delimiter.join(HEADINGS), delimiter.join(PUPIL)]
    mark = {"utf-16-be": b"\xfe\xff", "gb18030": b"\x84\x31\x95\x33"}.get(encoding, b"")
    _, headings, rows, _ = table_of(mark + "\r\n".join(lines).encode(encoding))
    assert headings == HEADINGS and rows == [(3, PUPIL)]


LIST = [HEADINGS, PUPIL]


@pytest.mark.parametrize(
    ("data", "first"),
    [
        ("\r\n".join("\t".join(row) for row in LIST).encode("utf-16-le"), 2),
        ("\r\n".join(",".join(row) for row in LIST).encode("utf-16-be"), 2),
        (("sep=;\r\n" + "\r\n".join(";".join(row) for row in LIST)).encode(), 3),
        (("名单,2026年,秋季,第一版,甲,乙\r\n" + "\r\n".join("\t".join(row) for row in LIST)).encode(), 3),
        (("说明:一,二,三,四,五,六,七\r\n" + "\r\n".join(";".join(row) for row in LIST)).encode(), 3),
        (("\r\n\r\n" + "\r\n".join("|".join(row) for row in LIST)).encode(), 4),
    ],
)
def test_text_files_say_their_delimiter_by_their_rows(data: bytes, first: int) -> None:
    _, headings, rows, _ = table_of(data)
    assert headings == HEADINGS and rows == [(first, PUPIL)]


def test_a_line_break_within_a_cell_makes_no_row() -> None:
    text = ",".join(HEADINGS) + f'\r\n{PUPIL[0]},"马\n明",{PUPIL[2]},{PUPIL[3]}\r\n' + ",".join(PUPIL)
    _, _, rows, _ = table_of(text.encode())
    assert [number for number, _ in rows] == [2, 3] and rows[0][1][1] == "马\n明"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"Rar!\x1a\x07\x00a", "压缩包"),
        (b"7z\xbc\xaf\x27\x1ca", "压缩包"),
        (b"\x1f\x8b\x08\x00", "压缩包"),
        (b"{\\rtf1 hello}", "RTF"),
        (b"ID;PWXL;N;E", "SYLK"),
    ],
)
def test_wrong_files_are_told_by_name(data: bytes, kind: str) -> None:
    with pytest.raises(Unreadable, match=f"这是 ?{kind}"):
        head_of(io.BytesIO(data))


@pytest.mark.parametrize(
    "text",
    [
        "<html><table><tr><td>学籍号</td><td>姓名</td></tr></table></html>",
        "\ufeff<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'/>",
        "  <!DOCTYPE html><html></html>",
        "MIME-Version: 1.0\nX-Document-Type: Workbook",
        "<!-- saved from url --><html><table><tr><td>学籍号</td><td>姓名</td></tr></table>",
        "<div><table><tr><td>学籍号,姓名</td></tr></table></div>",
        "<style>td{}</style><table><tr><td>学籍号,姓名</td></tr></table>",
        "\r\n" * 150 + "<html><table>",
    ],
)
def test_a_web_page_that_is_called_a_workbook_is_told_as_such(text: str) -> None:
    with pytest.raises(Unreadable, match="网页或 XML"):
        head_of(io.BytesIO(text.encode()))


def test_no_more_than_a_few_files_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "READERS", 1)
    monkeypatch.setattr(readers, "WAIT_SECONDS", 1)
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with readers.one_of_few():
            held.set()
            free.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    with pytest.raises(readers.Busy, match="请稍后再试"), readers.one_of_few():
        pass
    free.set()
    thread.join()
    with readers.one_of_few():
        pass


def test_the_reader_needs_nothing_of_the_portal() -> None:
    code, _, told = peak.of_reader(book(("名单", [HEADINGS, PUPIL])), "assert 'portal' not in sys.modules")
    assert code == 0, told


# --- what a load makes of it -----------------------------------------------------------------------------------------


@pytest.fixture
def cast(app: Flask) -> Cast:
    return Cast()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("#N/A", "没有结果"),
        ("#公式没有结果", "没有结果"),
        ("6.22999201204158e+17", "末几位已经丢失"),
        ("6.22999E+17", "末几位已经丢失"),
        ("1234567890123456.0", "末几位已经丢失"),
    ],
)
def test_nothing_is_emptied_by_a_cell_that_holds_no_value(cast: Cast, value: str, words: str) -> None:
    pupil = cast.pupil
    pupil.id_number = pupil.id_number or "622999201005060013"
    pupil.particulars = {"guardian1_id_number": "622999198001015517", "guardian1_phone": "13900000000"}
    before = pupil.id_number
    row = as_exported(pupil, guardian1_id_number=value, guardian1_phone=value)
    load = apply(check(cast.reviewer, [row | {"class_name": "9班"}]), cast.reviewer)
    told = {fault["column"]: fault["reason"] for one in findings(load, "warning") for fault in one.faults}
    assert words in told["guardian1_id_number"] and words in told["guardian1_phone"]
    db.session.refresh(pupil)
    assert pupil.particulars["guardian1_id_number"] == "622999198001015517" and pupil.class_name == "9班"
    load = check(cast.reviewer, [as_exported(pupil, id_number=value)])
    (fault,) = findings(load, "faulty")[0].faults
    assert fault["column"] == "id_number" and words in fault["reason"]
    db.session.refresh(pupil)
    assert pupil.id_number == before


def test_an_empty_cell_takes_no_identity_number_away(cast: Cast) -> None:
    pupil: Pupil = cast.pupil
    pupil.id_number = before = "622999201005060013"
    load = apply(check(cast.reviewer, [as_exported(pupil, id_number="", class_name="9班")]), cast.reviewer)
    assert load.status == "applied" and "保留原号" in findings(load, "emptied")[0].faults[0]["reason"]
    db.session.refresh(pupil)
    assert pupil.id_number == before and pupil.class_name == "9班"


def test_a_day_that_became_a_number_is_told_with_the_day_it_means(cast: Cast) -> None:
    load = check(cast.reviewer, [as_exported(cast.pupil, birth_date="40304")])
    assert "2010-05-06" in findings(load, "faulty")[0].faults[0]["reason"]


@pytest.mark.parametrize(
    "text", ["2010-5-6", "2010/5/6", "20100506", "2010年5月6日", "2010.5.6", "２０１０．５．６"]
)
def test_the_usual_spellings_of_a_date_are_one(cast: Cast, text: str) -> None:
    load = check(cast.reviewer, [as_exported(cast.pupil, birth_date=text)])
    assert "faulty" not in load.counts
    changed = [one.after.get("birth_date") for one in findings(load, "changed")]
    assert changed in ([], [None], ["2010-05-06"])


def test_another_sheet_can_be_chosen_and_a_missing_one_cannot(cast: Cast) -> None:
    rows = list(exports.rows_of(1, [cast.school.code]))
    data = book(
        ("甲", [["学籍号", "姓名"], [rows[0]["student_number"], "甲名"]]),
        ("乙", [["学籍号", "姓名", "班级"], [rows[0]["student_number"], "乙名", "3班"]]),
    )
    db.session.commit()
    load = lifecycle.begin(cast.registrar, lifecycle.receive("名单.xlsx", data, expecting(cast.registrar)))
    db.session.commit()
    assert load.sheet["sheet"] == "甲" and load.headings == ["学籍号", "姓名"]
    lifecycle.choose_sheet(load, cast.registrar, "乙")
    db.session.commit()
    assert load.sheet["sheet"] == "乙" and load.headings[2] == "班级" and load.mapping["2"] == "class_name"
    with pytest.raises(LoadRefused):
        lifecycle.choose_sheet(load, cast.registrar, "丙")


def test_an_office_has_so_many_loads_under_way(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "MOST_IN_FLIGHT", 1)
    assert lifecycle.fault_in_flight(cast.registrar) == ""
    load = check(cast.registrar, exports.rows_of(1, [cast.school.code]))
    assert "已有 1 份导入没有应用" in lifecycle.fault_in_flight(cast.registrar)
    assert lifecycle.fault_in_flight(cast.reviewer) == ""
    received = lifecycle.receive("名单.xlsx", book(("名单", [HEADINGS, PUPIL])), expecting(cast.registrar))
    with pytest.raises(LoadRefused, match="没有应用"):
        lifecycle.begin(cast.registrar, received)  # counted again in the transaction that adds it
    db.session.rollback()
    lifecycle.discard(load)
    assert lifecycle.fault_in_flight(cast.registrar) == ""
