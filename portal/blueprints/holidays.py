"""The holiday table: everybody's working days hang on it, so only the state administrator changes it."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse
from wtforms import FileField, SelectField
from wtforms.validators import InputRequired, Length

from portal import audit
from portal.accounts.forms import Filled, stripped
from portal.cases import clock
from portal.extensions import db
from portal.forms import AnswersForm, ChineseDateField, LineField, choices
from portal.models import Level, Role
from portal.oversight import holidays
from portal.web import actor, deny, go, reply, roles

bp = Blueprint("holidays", __name__, url_prefix="/admin/holidays")
CSV_BYTES = 200_000


class DayForm(AnswersForm):
    day = ChineseDateField("日期", [Filled("请填写日期")])
    kind = SelectField("类型", [InputRequired(message="请选择类型")], choices=choices(holidays.KINDS.items()))
    name = LineField("名称", [Length(max=40, message="名称不超过 40 个字")], filters=[stripped])
    notice = LineField(
        "依据（通知文号或网址）", [Length(max=200, message="不超过 200 个字")], filters=[stripped]
    )


class TableForm(AnswersForm):
    table = FileField("放假安排表（CSV）")


@bp.get("")
@roles(Role.ADMINISTRATOR)
def year() -> Response:
    return _page(_asked_year())


def _asked_year() -> int:
    text = request.values.get("year", "")
    asked = int(text) if text.isdecimal() and len(text) == 4 else clock.today().year
    return min(max(asked, holidays.FIRST_YEAR), holidays.LAST_YEAR)


def _page(
    shown: int,
    status: int = 200,
    day_form: DayForm | None = None,
    table_form: TableForm | None = None,
    faults: list[holidays.Fault] | None = None,
) -> Response:
    days = holidays.days_of(shown)
    months = [(number, [one for one in days if one.day.month == number]) for number in range(1, 13)]
    return reply(
        "holidays/year.html",
        status,
        year=shown,
        months=[(number, entries) for number, entries in months if entries],
        unknown="" if days else holidays.unknown_text(shown),
        kinds=holidays.KINDS,
        editable=_may_edit(),
        day_form=day_form or DayForm(),
        table_form=table_form or TableForm(),
        faults=faults or [],
        columns=holidays.COLUMNS,
    )


def _may_edit() -> bool:
    return actor().office_level is Level.STATE


def _require_state() -> None:
    if not _may_edit():
        deny()


@bp.post("/add")
@roles(Role.ADMINISTRATOR)
def add() -> BaseResponse:
    _require_state()
    form = DayForm(request.form)
    valid = form.validate()
    day: date | None = form.day.data
    if valid and day and (fault := holidays.fault_in_day(day, form.kind.data)):
        form.day.errors = [fault]
        valid = False
    if not valid or day is None:
        return _page(_asked_year(), 422, day_form=form)
    holidays.put(holidays.Row(day, form.name.data or "", form.kind.data, form.notice.data or ""))
    return _changed([day.year], f"已录入 {day.isoformat()}", added=1)


@bp.post("/remove")
@roles(Role.ADMINISTRATOR)
def remove() -> BaseResponse:
    _require_state()
    try:
        day = date.fromisoformat(request.form.get("day", ""))
    except ValueError:
        deny()
    if not holidays.remove(day):
        deny()
    return _changed([day.year], f"已删除 {day.isoformat()}", removed=1)


@bp.post("/upload")
@roles(Role.ADMINISTRATOR)
def upload() -> BaseResponse:
    """Whole years from a table; whatever was entered for those years before is replaced."""
    _require_state()
    form, sent = TableForm(), request.files.get("table")
    content = sent.read(CSV_BYTES + 1) if sent else b""
    if not content or len(content) > CSV_BYTES:
        form.table.errors = ["请选择文件" if not content else "文件超过 200 KB，不像是放假安排表"]
        return _page(_asked_year(), 422, table_form=form)
    rows, faults = holidays.read_csv(content)
    if faults:
        form.table.errors = [f"表中有 {len(faults)} 处需要改正，没有录入任何内容"]
        return _page(_asked_year(), 422, table_form=form, faults=faults)
    years = holidays.replace_years(rows)
    return _changed(years, f"已录入 {'、'.join(map(str, years))} 年共 {len(rows)} 天", added=len(rows))


def _changed(years: list[int], what: str, added: int = 0, removed: int = 0) -> BaseResponse:
    """Every running clock follows the new table in the same transaction."""
    moved = holidays.move_due_dates()
    changes = {"years": years, "added": added, "removed": removed, "moved": moved}
    audit.append("holidays.changed", "calendar", years[-1], changes=changes)
    db.session.commit()
    flash(f"{what}；{moved} 件在办业务的到期日随之调整。", "success")
    return go("holidays.year", year=years[-1])
