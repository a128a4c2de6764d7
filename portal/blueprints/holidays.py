"""The calendar of days off. The topmost office enters the State Council's notice, every bureau its own local days."""

from __future__ import annotations

import uuid
from datetime import date

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse
from wtforms import BooleanField, FileField, SelectField, StringField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import TextArea

from portal import audit
from portal.accounts.forms import Filled, stripped
from portal.blueprints.downloads import XLSX, download
from portal.cases import clock
from portal.extensions import db
from portal.forms import AnswersForm, ChineseDateField, LineField, choices
from portal.models import CalendarNotice, Office, Role
from portal.oversight import holiday_table, holidays
from portal.standards import holiday_notice
from portal.standards.holiday_notice import Fault, Row
from portal.standards.statutory_days import statutory_days
from portal.web import actor, deny, found, go, reply, roles

bp = Blueprint("holidays", __name__, url_prefix="/admin/holidays")
TABLE_BYTES = 1_000_000
TEXT_MOST = 6_000


class LocalDayForm(AnswersForm):
    day = ChineseDateField("日期", [Filled("请填写日期")])
    kind = SelectField("类型", [InputRequired(message="请选择类型")], choices=choices(holidays.KINDS.items()))
    name = LineField(
        "名称", [Filled("请填写名称"), Length(max=40, message="名称不超过 40 个字")], filters=[stripped]
    )
    document = LineField(
        "依据（文件名称或文号）",
        [Filled("请填写依据的文件"), Length(max=200, message="不超过 200 个字")],
        description="例如：《临夏回族自治州自治条例》",
        filters=[stripped],
    )
    yearly = BooleanField("每年这一天都放假")
    moves = BooleanField("遇周六、周日，改在下周一放假")


class NoticeForm(AnswersForm):
    document = LineField(
        "通知文号或网址",
        [Filled("请填写通知的文号或网址"), Length(max=200, message="不超过 200 个字")],
        description="例如：国办发明电〔2025〕7号",
        filters=[stripped],
    )
    text = StringField(
        "放假安排",
        [
            Filled("请粘贴通知正文或逐行填写"),
            Length(max=TEXT_MOST, message=f"不超过 {TEXT_MOST} 个字，只要放假安排的各条"),
        ],
        widget=TextArea(),
        description="可以整段粘贴通知正文；也可以每行一段，如“2027-10-01至2027-10-07 国庆节 放假”。",
    )


class TableForm(AnswersForm):
    table = FileField("放假安排表（XLSX 或 CSV）")


@bp.get("")
@roles(Role.ADMINISTRATOR)
def year() -> Response:
    return _page(_asked_year())


def _asked_year() -> int:
    text = request.values.get("year", "")
    asked = int(text) if text.isdecimal() and len(text) == 4 else clock.today().year
    return min(max(asked, holidays.FIRST_YEAR), holidays.LAST_YEAR)


def _office() -> Office:
    return found(db.session.get(Office, actor().office_id))


def _page(shown: int, status: int = 200, form: LocalDayForm | None = None) -> Response:
    office = _office()
    days = holidays.entries(office, shown)
    months = [(number, [one for one in days if one.day.month == number]) for number in range(1, 13)]
    notice = holidays.notice_of(office, shown)
    return reply(
        "holidays/year.html",
        status,
        year=shown,
        first_year=holidays.FIRST_YEAR,
        last_year=holidays.LAST_YEAR,
        months=[(number, entries) for number, entries in months if entries],
        notice=notice,
        unknown="" if notice else holidays.unknown_text(shown),
        kinds=holidays.KINDS,
        office=office,
        may_enter=holidays.may_enter(actor()),
        form=form or LocalDayForm(),
    )


def _top() -> Office:
    """The notice counts for all offices of a tree: the one on top of it enters it."""
    if not holidays.may_enter(actor()):
        deny()
    return _office()


# --- the whole notice of a year -------------------------------------------------------------------------------------


@bp.get("/notice")
@roles(Role.ADMINISTRATOR)
def notice() -> Response:
    """The form for a whole notice; one that stands is there to be changed."""
    top, shown = _top(), _asked_year()
    standing = holidays.notice_of(top, shown)
    form = NoticeForm()
    if standing:
        rows = [
            Row(one.day, one.name, one.kind)
            for near in (shown - 1, shown)
            for one in holidays.entries(top, near)
            if one.source == holidays.BY_NOTICE
            and (one.day.year == shown or one.document == standing.document)
        ]
        form = NoticeForm(data={"document": standing.document, "text": holiday_notice.as_text(rows)})
    return _notice_page(shown, form)


def _notice_page(
    shown: int,
    form: NoticeForm,
    status: int = 200,
    table_form: TableForm | None = None,
    faults: list[Fault] | None = None,
    rows: list[Row] | None = None,
) -> Response:
    return reply(
        "holidays/notice.html",
        status,
        year=shown,
        form=form,
        table_form=table_form or TableForm(),
        faults=faults or [],
        rows=sorted(rows or [], key=lambda one: one.day),
        doubts=holiday_notice.doubts(rows, shown) if rows else [],
        kinds=holidays.KINDS,
        standing=holidays.notice_of(_office(), shown),
    )


@bp.post("/notice")
@roles(Role.ADMINISTRATOR)
def enter_notice() -> BaseResponse:
    """Show what was read of a notice; with `confirm` enter it."""
    top, shown = _top(), _asked_year()
    form = NoticeForm(request.form)
    if not form.validate():
        return _notice_page(shown, form, 422)
    rows, faults = holiday_notice.read_text(form.text.data or "", shown)
    faults = faults or holiday_notice.lacking(rows, shown)
    if faults:
        form.text.errors = [f"有 {len(faults)} 处需要改正，没有录入任何内容"]
        return _notice_page(shown, form, 422, faults=faults)
    if "confirm" not in request.form:
        form.text.data = holiday_notice.as_text(rows)
        return _notice_page(shown, form, rows=rows)
    moved = holidays.enter_notice(top, shown, form.document.data or "", rows, actor().id)
    changes = {"year": shown, "document": form.document.data, "days": len(rows), "moved": moved}
    audit.append("holidays.notice_entered", "calendar", top.id, changes=changes)
    return _changed(shown, f"已录入 {shown} 年放假通知，共 {len(rows)} 天", moved)


@bp.post("/upload")
@roles(Role.ADMINISTRATOR)
def upload() -> BaseResponse:
    """A table becomes the lines of the form, to be looked at and confirmed there; nothing is entered yet."""
    _top()
    shown, form, sent = _asked_year(), TableForm(), request.files.get("table")
    content = sent.read(TABLE_BYTES + 1) if sent else b""
    text_form = NoticeForm(data={"document": request.form.get("document", "").strip()[:200]})
    if not content or len(content) > TABLE_BYTES:
        form.table.errors = ["请选择文件" if not content else "文件超过 1 MB，不像是放假安排表"]
        return _notice_page(shown, text_form, 422, form)
    db.session.rollback()  # the sheet is read in a child process: no lock is held meanwhile
    table = holiday_table.read_table(content, shown)
    faults = table.faults or holiday_notice.lacking(table.rows, shown)
    text_form.document.data = text_form.document.data or table.document
    if table.rows:
        text_form.text.data = holiday_notice.as_text(table.rows)
    if faults:
        form.table.errors = [f"表中有 {len(faults)} 处需要改正，没有录入任何内容"]
        return _notice_page(shown, text_form, 422, form, faults)
    return _notice_page(shown, text_form, rows=table.rows)


@bp.get("/template.xlsx")
@roles(Role.ADMINISTRATOR)
def template() -> Response:
    """The table to fill in, with the days that the law fixes."""
    _top()
    shown = _asked_year()
    rows = holiday_table.template_rows((day.isoformat(), name) for day, name in statutory_days(shown).items())
    return download(holiday_table.template(shown, rows), f"{shown}年放假安排.xlsx", XLSX)


@bp.post("/withdraw")
@roles(Role.ADMINISTRATOR)
def withdraw() -> BaseResponse:
    """Take the notice of a year out again; its year is unknown from then on."""
    top, shown = _top(), _asked_year()
    standing: CalendarNotice = found(holidays.notice_of(top, shown))
    moved = holidays.withdraw_notice(top, standing, actor().id)
    changes = {"year": shown, "document": standing.document, "moved": moved}
    audit.append("holidays.notice_withdrawn", "calendar", top.id, changes=changes)
    return _changed(shown, f"已撤回 {shown} 年放假通知", moved)


# --- local days -----------------------------------------------------------------------------------------------------


@bp.post("/add")
@roles(Role.ADMINISTRATOR)
def add() -> BaseResponse:
    office, form = _office(), LocalDayForm(request.form)
    valid = form.validate()
    day: date | None = form.day.data
    if valid and day:
        name, fault = holidays.fault_in_local(office, day, form.kind.data, yearly=form.yearly.data)
        if fault:
            form[name].errors = [fault]
            valid = False
    if not valid or day is None:
        return _page(_asked_year(), 422, form)
    row = Row(day, form.name.data or "", form.kind.data)
    off = row.kind == holidays.OFF
    added, moved = holidays.add_local(
        office, row, form.document.data or "", yearly=form.yearly.data, moves=form.moves.data and off
    )
    changes = {"day": day.isoformat(), "document": added.notice, "added": 1, "moved": moved}
    audit.append("holidays.changed", "calendar", office.id, changes=changes)
    return _changed(day.year, f"已录入 {day.isoformat()}", moved)


@bp.post("/remove")
@roles(Role.ADMINISTRATOR)
def remove() -> BaseResponse:
    office = _office()
    try:
        row_id = uuid.UUID(request.form.get("row", ""))
    except ValueError:
        deny()
    row = found(holidays.find_local(office, row_id))
    day = row.day
    moved = holidays.remove_local(office, row)
    changes = {"day": day.isoformat(), "removed": 1, "moved": moved}
    audit.append("holidays.changed", "calendar", office.id, changes=changes)
    return _changed(_asked_year(), f"已删除 {day.isoformat()}", moved)


def _changed(shown: int, what: str, moved: int) -> BaseResponse:
    """Running clocks have followed in the same transaction."""
    db.session.commit()
    flash(f"{what}；{moved} 件在办业务的到期日随之调整。" if moved else f"{what}。", "success")
    return go("holidays.year", year=shown)
