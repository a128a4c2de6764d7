"""A table of days off as a file: XLSX or CSV with Chinese headings in, the template out.

What never belongs here: what a whole notice must hold (portal.standards.holiday_notice), the database.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import xlsxwriter  # type: ignore[import-untyped]

from portal.cases.loads.reading import Lines, open_lines
from portal.cases.loads.unpacking import Unreadable
from portal.standards.holiday_notice import Fault, Row, doubled, kind_of, spans_in
from portal.standards.spreadsheet import without_result
from portal.standards.workdays import WORK

HEAD_ROWS = 12  # the headings stand within these
HEADINGS: dict[str, tuple[str, ...]] = {
    "day": ("日期", "放假日期", "开始日期", "起始日期", "开始", "起", "时间", "日期范围", "起止日期", "date"),
    "end": ("结束日期", "截止日期", "终止日期", "结束", "止"),
    "name": ("名称", "节日", "节日名称", "节假日", "节假日名称", "假日", "假期", "name"),
    "kind": ("类型", "性质", "安排", "放假或上班", "类别", "状态", "kind"),
    "document": ("依据", "文号", "通知", "文件", "通知文号", "official_notice", "notice"),
}
TITLES = {"day": "日期", "end": "结束日期", "name": "名称", "kind": "类型", "document": "依据"}
TEMPLATE = ("日期", "结束日期", "名称", "类型")


@dataclass
class Found:
    """What a table holds: the days, what is wrong by cell, and the document that its lines name, where they name one."""

    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    document: str = ""


def read_table(content: bytes, year: int) -> Found:
    """The days of a year from a sheet."""
    try:
        with open_lines(io.BytesIO(content)) as lines:
            return _read(lines, year)
    except Unreadable as error:
        return Found(faults=[Fault("", str(error))])


def _read(lines: Lines, year: int) -> Found:
    found = Found()
    head, columns = _head(lines)
    if not {"day", "kind"} <= columns.keys():
        found.faults.append(
            Fault("", "没有找到列标题“日期”和“类型”，请用下载的模板填写，或把标题改成这两个名称")
        )
        return found
    documents: set[str] = set()
    for number, cells in lines.all():
        if number > head and any(cell.strip() for cell in cells):
            one = {name: cells[at].strip() if at < len(cells) else "" for name, at in columns.items()}
            documents.add(one.get("document", ""))
            rows, faults = _line(number, one, columns, year)
            found.rows += rows
            found.faults += faults
    if not found.rows and not found.faults:
        found.faults.append(Fault("", "表中没有任何日期"))
    found.faults += doubled(found.rows)
    found.document = documents.pop()[:200] if len(documents) == 1 else ""
    return found


def _head(lines: Lines) -> tuple[int, dict[str, int]]:
    """(row, {column: position}) of the row that names most columns."""
    best: tuple[int, dict[str, int]] = (0, {})
    for number, texts in lines.first(HEAD_ROWS):
        columns: dict[str, int] = {}
        for position, text in enumerate(texts):
            plain = "".join(text.split()).strip("*＊").lower()
            name = next((one for one, words in HEADINGS.items() if plain in words), "")
            if name:
                columns.setdefault(name, position)
        if len(columns) > len(best[1]):
            best = (number, columns)
    return best


def _line(
    number: int, cells: dict[str, str], columns: dict[str, int], year: int
) -> tuple[list[Row], list[Fault]]:
    faults: list[Fault] = []

    def wrong(column: str, text: str) -> None:
        letter = chr(65 + columns[column]) if columns[column] < 26 else ""
        faults.append(Fault(f"第 {number} 行 {letter} 列（{TITLES[column]}）", text))

    day, end = cells["day"], cells.get("end", "")
    days, unreadable = spans_in(f"{day}至{end}" if end and end != day else day, year)
    for text in unreadable:
        wrong("day", text)
    if not days and not unreadable:
        wrong(
            "day", f"“{day[:20]}”没有认出日期，应写成 {year}-10-01 或 10月1日至7日" if day else "没有填写日期"
        )
    kind = kind_of(cells["kind"])
    if not kind:
        wrong(
            "kind", f"“{cells['kind'][:20]}”应写“放假”或“调休上班”" if cells["kind"] else "没有写放假还是上班"
        )
    for late in days if kind == WORK else []:
        if late.weekday() < 5:
            wrong("kind", f"{late.isoformat()} 本来就是工作日，调休上班只能是周六或周日")
    for column in ("name", "document"):
        if without := without_result(cells.get(column, "")):
            wrong(column, without.reason)
    name = cells.get("name", "")
    if len(name) > 40 or any(ord(sign) < 32 for sign in name):
        wrong("name", "名称不超过 40 个字，也不能有控制字符")
    return ([] if faults else [Row(one, name, kind) for one in days]), faults


def template(year: int, rows: list[tuple[str, str, str, str]]) -> bytes:
    """The empty table as a workbook, with the days that the law fixes filled in as a beginning."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet(f"{year}年放假安排")
    bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
    sheet.set_column(0, 3, 16, text)
    sheet.write_row(0, 0, TEMPLATE, bold)
    for at, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            sheet.write_string(at, column, value, text)
    sheet.data_validation(1, 3, 200, 3, {"validate": "list", "source": ["放假", "调休上班"]})
    book.close()
    return out.getvalue()


def template_rows(days: Iterator[tuple[str, str]]) -> list[tuple[str, str, str, str]]:
    """Lines of the template from (day, name)."""
    return [(day, "", name, "放假") for day, name in days]
