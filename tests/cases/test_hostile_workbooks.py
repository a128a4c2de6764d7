"""Workbooks by programs that nobody knows: cells without a readable value are never empty, and bombs stay small."""

from __future__ import annotations

import io
import re
import subprocess
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from portal.cases.loads.cells import UNCOMPUTED, UNREADABLE, look_of_format
from portal.cases.loads.reading import Unreadable, open_lines, open_table
from tests import peak
from tests.cases.test_sheets_as_people_have_them import HEADINGS, PUPIL, book, table_of

MEGABYTE = 1 << 20
MOST = 100 << 10  # kB of the reader, whatever the file
FIRST, SECOND, ERROR = b'<c r="A2"', b'<c r="B2"', b'<c r="C2" t="e"><v>#N/A</v></c>'


def changed(
    data: bytes, *changes: Callable[[str, bytes], bytes], added: dict[str, bytes] | None = None
) -> bytes:
    """The workbook with each part as `changes` give it for (name, bytes)."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in source.namelist():
            part = source.read(name)
            for change in changes:
                part = change(name, part)
            made.writestr(name, part)
        for name, part in (added or {}).items():
            made.writestr(name, part)
    return out.getvalue()


def with_cell(cell: bytes) -> bytes:
    """A list in which the ID number of its pupil is this cell."""

    def put(name: str, part: bytes) -> bytes:
        return (
            re.sub(rb'<c r="C2".*?</c>', cell, part, flags=re.DOTALL) if name.endswith("sheet1.xml") else part
        )

    return changed(book(("名单", [HEADINGS, PUPIL])), put)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (b"<c r='C2' t='e'><v>#N/A</v></c>", "#N/A"),
        (b'<c r="C2" t = "e"><v>#N/A</v></c>', "#N/A"),
        (b'<c t="e"><v>#REF!</v></c>', "#REF!"),
        (b'<c r="C2" t="e" vm="1"><v>#SPILL!</v></c>', "#SPILL!"),
        (b'<c r="C2" t="e"><v>622999201005060013</v></c>', UNCOMPUTED),
        (b'<c r="C2" t="e"><v></v></c>', UNCOMPUTED),
        (b'<c r="C2" t="e"/>', UNCOMPUTED),
        (b'<c r="C2" t="str"><f>A1</f></c>', UNCOMPUTED),
        (b'<c r="C2"><f t="array" ref="C2">A1</f></c>', UNCOMPUTED),
        (b'<c r="C2"><f>A1</f><v/></c>', UNCOMPUTED),
        (b'<c r="C2" t="s"><v>999</v></c>', UNREADABLE),
        (b'<c r="C2" t="s"><v>-1</v></c>', UNREADABLE),
        (b'<c r="C2"><v>abc</v></c>', UNREADABLE),
        (b'<c r="C2"><v>nan</v></c>', UNREADABLE),
        (b'<c r="C2"><v>1_000</v></c>', UNREADABLE),
        (b'<c r="C2" t="d"><v>xx</v></c>', UNREADABLE),
        (b'<c r="C2" t="b"><v>2</v></c>', UNREADABLE),
        (b'<c r="C2" t="zz"><v>1</v></c>', UNREADABLE),
        (b'<c r="C2" t="str"><f>A1</f><v></v></c>', ""),
        (
            b'<c r="C2" t="inlineStr"><is><r><t>6<!-- - -->2</t></r><r><t><![CDATA[29]]></t></r>'
            b'<rPh sb="0" eb="1"><t>x</t></rPh></is></c>',
            "6229",
        ),
    ],
)
def test_a_cell_without_a_readable_value_is_never_empty(cell: bytes, text: str) -> None:
    assert table_of(with_cell(cell))[2][0][1][2] == text


@pytest.mark.parametrize(
    "without", [rb'(<c) r="[A-Z]+[0-9]+"', rb'(<(?:c|row)) r="[A-Z]*[0-9]+"', rb'(<row) r="[0-9]+"']
)
def test_cells_and_rows_that_do_not_say_where_they_stand(without: bytes) -> None:
    def strip(name: str, part: bytes) -> bytes:
        return re.sub(without, rb"\1", part) if name.endswith("sheet1.xml") else part

    rows = table_of(changed(with_cell(ERROR), strip))[2]
    assert rows == [(2, [*PUPIL[:2], "#N/A", PUPIL[3]])]


def test_other_prefixes_quotes_and_namespaces_are_read_alike() -> None:
    def other(name: str, part: bytes) -> bytes:
        if not name.endswith("sheet1.xml"):
            return part.replace(
                b"schemas.openxmlformats.org/spreadsheetml/2006/main",
                b"purl.oclc.org/ooxml/spreadsheetml/main",
            )
        part = part.replace(b'<row r="2"', b"<row r='2' hidden='1'")
        part = re.sub(rb"<(/?)([a-zA-Z])", rb"<\1x:\2", part)
        return part.replace(b"xmlns=", b"xmlns:x=")

    sheet, headings, rows, _ = table_of(changed(with_cell(ERROR), other))
    assert (sheet.hidden, headings, rows[0][1][2]) == (1, HEADINGS, "#N/A")
    with open_table(io.BytesIO(changed(with_cell(ERROR), other)), limit=1) as table:
        assert table.sheet.hidden == 1, "hidden rows below the last one that is wanted are counted too"


# --- as another reader reads it --------------------------------------------------------------------------------------


def honest() -> bytes:
    rows: list[list[object]] = [
        ["学籍号", "姓名", "日期", "数", "真假"],
        ["L1", " 王  芳 ", date(2012, 9, 1), 12, True],
        ["L2", "a_x000D_b", datetime(2012, 9, 1, 8, 30, 15), 0.1, False],
        ["L3", "两\n行", time(8, 30), 622999201005060013, None],
        ["L4", "<&>\U0002a700", timedelta(hours=30, minutes=5), -1e-7, 1e15],
        ["L5", None, date(1900, 1, 5), 123456789012345, 1e3],
    ]

    def look(made: object) -> None:
        sheet = made["甲"]
        sheet["C7"], sheet["C7"].number_format = 40000.5, '[$-804]yyyy"年"m"月";@'
        sheet["D7"], sheet["D7"].number_format = 40000.5, '[Red]0"d"'

    return book(("甲", rows), edit=look)


def by_calamine(data: bytes) -> list[tuple[int, list[str]]]:
    said: list[tuple[int, list[str]]] = []
    for number, line in enumerate(
        CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).iter_rows(), 1
    ):
        texts = [aloud(value) for value in line]
        while texts and not texts[-1]:
            texts.pop()
        said += [(number, texts)] if texts else []
    return said


def aloud(value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, (int, float)):
        return (
            f"{float(value):.14e}"
            if abs(value) >= 10**15
            else str(int(value) if value == int(value) else value)
        )
    if isinstance(value, datetime):
        return value.isoformat(" ") if value.time() != time.min else value.date().isoformat()
    return str(value)


def read(data: bytes) -> list[tuple[int, list[str]]]:
    with open_lines(io.BytesIO(data)) as lines:
        return list(lines.all())


def test_honest_files_say_the_same_as_by_another_reader(tmp_path: Path) -> None:
    data = honest()
    assert read(data) == by_calamine(data) and len(read(data)) == 7
    (tmp_path / "a.xlsx").write_bytes(data)
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", str(tmp_path / "again")]
    subprocess.run([*command, str(tmp_path / "a.xlsx")], check=True, capture_output=True, timeout=120)
    again = (tmp_path / "again" / "a.xlsx").read_bytes()
    assert b"xl/sharedStrings.xml" in again and read(again) == by_calamine(again)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("yyyy/m/d", "d"),
        ("[h]:mm", "t"),
        ('0"days"', ""),
        ("[Red]0", ""),
        ("General", ""),
        ("0\\d", ""),
        ("[$-804]m月", "d"),
    ],
)
def test_a_format_is_one_of_days_by_its_letters_outside_quotes(code: str, kind: str) -> None:
    assert look_of_format(code) == kind


# --- bombs -----------------------------------------------------------------------------------------------------------

RUN = b"A" * 30_000
CELL = (b'<row r="9"><c r="A9" t="inlineStr"><is><t>', b"</t></is></c></row>")
BOMBS = {
    "one text": ("sheet", *CELL, RUN),
    "comments within": ("sheet", *CELL, RUN + b"<!---->"),
    "CDATA within": ("sheet", *CELL, b"<![CDATA[" + RUN + b"]]>"),
    "runs": ("sheet", CELL[0] + b"</t>", b"<t>" + CELL[1], b"<r><t>" + RUN + b"</t></r>"),
    "small runs": ("sheet", CELL[0] + b"</t>", b"<t>" + CELL[1], b"<r><t>a</t></r>" * 2000),
    "empty cells": ("sheet", b'<row r="9">', b"</row>", b'<c r="A9"/>' * 3000),
    "an attribute": ("sheet", b'<row r="9" x="', b'"></row>', RUN),
    "a comment": ("sheet", b"<!--", b"-->", RUN),
    "between rows": ("sheet", b"", b"", RUN),
    "elements in elements": ("sheet", b"", b"", b"<a>" * 3000),
    "texts in texts": ("sheet", b"", b"", b"<t>" * 3000),
    "shared: one": ("shared", b"<si><t>", b"</t></si>", RUN),
    "shared: many": ("shared", b"", b"", b"<si><t>" + RUN[:9_999] + b"</t></si>"),
    "shared: runs": ("shared", b"<si>", b"</si>", b"<r><t>a</t></r>" * 2000),
    "shared: tiny": ("shared", b"", b"", b"<si/>" * 3000),
    "shared: deep": ("shared", b"", b"", b"<a>" * 3000),
}


def bomb(kind: str, before: bytes, after: bytes, piece: bytes, size: int, *, part: str = "") -> bytes:
    """A list with `size` bytes of repeated pieces in its sheet or its shared strings, which may be named as `part`."""
    target = part or ("xl/worksheets/sheet1.xml" if kind == "sheet" else "xl/other.XML")
    link = f'<Relationship Id="r" Type="x/sharedStrings" Target="/{target}"/></Relationships>'.encode()
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book(("名单", [HEADINGS, PUPIL])))) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made,
    ):
        head, tail = b"<sst>", b"</sst>"
        for name in source.namelist():
            text = source.read(name)
            if name.endswith("workbook.xml.rels"):
                text = text.replace(b"</Relationships>", link) if kind == "shared" else text
                text = (
                    text.replace(b"/xl/worksheets/sheet1.xml", f"/{target}".encode())
                    if kind == "sheet"
                    else text
                )
            if name.endswith("sheet1.xml") and kind == "sheet":
                head, tail = text.split(b"</sheetData>")
                tail = b"</sheetData>" + tail
                continue
            made.writestr(name, text)
        with made.open(target, "w") as stream:
            stream.write(head + before)
            block = piece * max(1, MEGABYTE // len(piece))
            for _ in range(size // len(block)):
                stream.write(block)
            stream.write(after + tail)
    return out.getvalue()


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_while_it_is_small(name: str) -> None:
    """Below the size from which the ratio is looked at, so that each limit is met by itself."""
    kind, before, after, piece = BOMBS[name]
    size = (60 if name == "shared: many" else 24) * MEGABYTE
    code, most, told = peak.of_reader(bomb(kind, before, after, piece, size))
    assert most <= MOST, (most, told)
    if name != "shared: many":  # what fits into the room of texts is no harm
        assert code == 3 and ("10,000" in told or "展开后过大" in told or "列数超过" in told), told


def test_what_packs_to_nothing_is_not_begun() -> None:
    for part in ("xl/worksheets/sheet1.dat", "xl/worksheets/SHEET1.XML"):
        code, most, told = peak.of_reader(bomb("sheet", *CELL, RUN, 80 * MEGABYTE, part=part))
        assert code == 3 and most <= MOST and "展开后过大" in told


def test_a_far_cell_and_rows_without_end_are_refused() -> None:
    far = book(("名单", [HEADINGS, PUPIL]), edit=lambda made: made["名单"].__setitem__("XFD1048576", "x"))
    low = book(("名单", [HEADINGS, PUPIL]), edit=lambda made: made["名单"].__setitem__("A1048576", "x"))
    assert peak.of_reader(far)[0] == 3
    code, most, _ = peak.of_reader(low)
    assert code == 0 and most <= MOST, "a cell far below is a row like others"


def test_entities_and_mixed_up_rows_are_refused() -> None:
    def declare(name: str, part: bytes) -> bytes:
        return b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + part if name.endswith("sheet1.xml") else part

    def mix(name: str, part: bytes) -> bytes:
        return part.replace(b'r="B2"', b'r="B3"')

    for change in (declare, mix):
        with pytest.raises(Unreadable):
            table_of(changed(book(("名单", [HEADINGS, PUPIL])), change))
