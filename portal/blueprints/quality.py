"""材料质量: figures on pictures for the bureaus, for the cases of their own subtree."""

from __future__ import annotations

import io
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]
from flask import Blueprint, Response, request

from portal import audit
from portal.blueprints.downloads import download
from portal.cases import quality_figures
from portal.models import Role
from portal.standards.dates import read_date
from portal.web import actor, reply, roles

bp = Blueprint("quality", __name__, url_prefix="/quality")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
READERS = (Role.APPROVER, Role.REVIEWER, Role.AUDITOR)
CHECKS = {
    "blank": "空白页",
    "resolution": "图片大小",
    "text_size": "字的大小",
    "sharpness": "清晰",
    "completeness": "完整",
    "exposure": "亮度与反差",
    "inverted": "黑白颠倒",
    "glare": "反光",
    "shadow": "阴影",
    "orientation": "方向",
    "skew": "端正",
    "perspective": "变形",
    "screenshot": "截屏",
    "screen": "翻拍屏幕",
    "seal": "印章",
    "colour": "彩色",
}


@bp.get("")
@roles(*READERS)
def figures() -> Response:
    """First-time-pass rates and the table of overrides, for the cases of the own subtree."""
    when = _period()
    audit.append_now("quality.viewed", "office", actor().office_id, **_days(when))
    return reply("quality/figures.html", **_figures(when), when=when, limits=quality_figures)


@bp.get("/figures.xlsx")
@roles(*READERS)
def workbook() -> Response:
    """The same figures as XLSX."""
    when = _period()
    audit.append_now("quality.exported", "office", actor().office_id, **_days(when))
    name = f"材料质量_{when.first:%Y%m%d}-{when.last:%Y%m%d}.xlsx"
    return download(_sheets(_figures(when)), name, XLSX)


def _period() -> quality_figures.Period:
    first, last = (read_date(request.args.get(name, "")) for name in ("first", "last"))
    return quality_figures.period(first, last)


def _days(when: quality_figures.Period) -> dict[str, str]:
    return {"first": when.first.isoformat(), "last": when.last.isoformat()}


def _figures(when: quality_figures.Period) -> dict[str, Any]:
    return {
        "schools": quality_figures.by_school(actor(), when),
        "papers": quality_figures.by_paper(actor(), when),
        "scores": quality_figures.scores(actor(), when),
        "checks": CHECKS,
    }


def _sheets(figures: dict[str, Any]) -> bytes:
    """Three sheets; every text is written as text, so that none becomes a formula."""
    out = io.BytesIO()
    heads = ("件数", "首次上传份数", "一次通过份数", "一次通过率", "质量存疑件数")
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        for title, label, rates in (
            ("按学校", "学校", figures["schools"]),
            ("按材料", "材料", figures["papers"]),
        ):
            lines = [
                (one.title, one.cases, one.first, one.passed, one.percent, one.doubtful) for one in rates
            ]
            _sheet(book, title, (label, *heads), lines)
        lines = [
            (
                CHECKS.get(check.name, "其他检查"),
                one.title,
                one.pages,
                one.overridden,
                one.approved,
                one.unclear,
            )
            for check in figures["scores"].checks
            for one in check.bins
        ]
        _sheet(
            book,
            "分数与处理",
            ("检查", "分数所在", "页数", "说明原因后提交", "终审同意", "因不清退回"),
            lines,
        )
    return out.getvalue()


def _sheet(book: Any, title: str, heads: tuple[str, ...], lines: list[tuple[Any, ...]]) -> None:
    page = book.add_worksheet(title)
    page.set_column(0, 0, 36)
    page.freeze_panes(1, 0)
    for row, cells in enumerate([heads, *lines]):
        for column, value in enumerate(cells):
            write = page.write_string if isinstance(value, str) else page.write_number
            write(row, column, value)
