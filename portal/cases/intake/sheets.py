"""Workbooks that an intake hands out. Texts are written as text, so that nothing that starts with = becomes a formula."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import xlsxwriter  # type: ignore[import-untyped]

Cell = str | int | None


def workbook(
    title: str, headings: Sequence[str], lines: Iterable[Sequence[Cell]], widths: Sequence[int]
) -> bytes:
    """One sheet: a heading row, then `lines`; None is an empty cell. `widths` are in characters."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"constant_memory": True}) as book:
        bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        text = book.add_format({"num_format": "@"})
        sheet = book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        for place, (heading, width) in enumerate(zip(headings, widths, strict=True)):
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, heading, bold)
        for row, cells in enumerate(lines, start=1):
            for place, cell in enumerate(cells):
                if isinstance(cell, int):
                    sheet.write_number(row, place, cell)
                elif cell is not None:
                    sheet.write_string(row, place, cell, text)
    return out.getvalue()
