"""The faults of a load as a workbook that a person can work through beside the export."""

from __future__ import annotations

import io

import xlsxwriter  # type: ignore[import-untyped]
from sqlalchemy import Select, select

from portal.cases.loads.checking import WARNING
from portal.cases.loads.comparing import FAULTY, WARNED
from portal.extensions import db
from portal.models import RegisterLoad, RegisterLoadRow

HEADINGS = ("行号", "列", "姓名", "学籍号", "单元格内容", "问题", "怎样改正", "级别")
WIDTHS = (8, 18, 14, 22, 26, 40, 44, 18)


def workbook(load: RegisterLoad) -> bytes:
    """One line a faulty cell. Every cell is written as text: nothing that starts with = becomes a formula."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"constant_memory": True}) as book:
        heading, text = book.add_format({"bold": True, "bottom": 1}), book.add_format({"text_wrap": True})
        sheet = book.add_worksheet("错误清单")
        sheet.freeze_panes(1, 0)
        for position, width in enumerate(WIDTHS):
            sheet.set_column(position, position, width, text)
            sheet.write_string(0, position, HEADINGS[position], heading)
        line = 0
        for row in db.session.scalars(_faulty(load)).yield_per(500):
            for fault in row.faults:
                line += 1
                level = "提醒（照原样载入）" if fault["level"] == WARNING else "错误（该行不载入）"
                cells = (
                    str(row.row), fault["heading"], row.name, row.student_number,
                    fault["value"], fault["reason"], fault["remedy"], level,
                )  # fmt: skip
                for position, cell in enumerate(cells):
                    sheet.write_string(line, position, cell)
    return target.getvalue()


def _faulty(load: RegisterLoad) -> Select[RegisterLoadRow]:
    return (
        select(RegisterLoadRow)
        .where(RegisterLoadRow.load_id == load.id, RegisterLoadRow.kind.in_((FAULTY, WARNED)))
        .order_by(RegisterLoadRow.kind, RegisterLoadRow.id)
    )
