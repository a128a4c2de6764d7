"""The roster of a case about many: the school loads, picks and mends rows; a bureau strikes single ones; all others read."""

from __future__ import annotations

import io
import uuid
from collections.abc import Sequence

import xlsxwriter  # type: ignore[import-untyped]
from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from portal import audit, keeping
from portal.blueprints import roster_pages, roster_view
from portal.blueprints.downloads import download
from portal.cases import starting
from portal.cases.access import find_case
from portal.cases.actions import Act, available, perform, stamp
from portal.cases.facts import read_facts
from portal.cases.loads.reading import Unreadable, sheets_of
from portal.cases.refusing import Refused
from portal.cases.rosters import editing, sheet
from portal.extensions import db
from portal.models import Case, Role, Status
from portal.oversize import TABLE, fault, takes_file
from portal.web import actor, deny, found, go, roles
from portal.workflows import workflow
from portal.workflows.facts import Facts, RosterRow
from portal.workflows.roster import RosterColumn

bp = Blueprint("rosters", __name__, url_prefix="/cases")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DECIDERS = (Role.HEAD, Role.REVIEWER, Role.APPROVER)
NUMBER_HEADING = "学号"  # stands first in the source's form; the portal gives the numbers


@bp.get("/<uuid:case_id>/roster")
def show(case_id: uuid.UUID) -> Response:
    """The rows, PAGE at a time, with what was found beside each cell."""
    case = _find(case_id)
    audit.append_now("case.viewed", "case", case.id)
    return roster_pages.roster_page(case)


@bp.post("/<uuid:case_id>/roster/numbers")
def reveal(case_id: uuid.UUID) -> Response:
    """The same page with the identity numbers in full; that somebody looked is recorded."""
    case = _find(case_id)
    audit.append("case.revealed", "case", case.id)
    db.session.commit()
    return roster_pages.roster_page(case, revealed=True)


@bp.get("/<uuid:case_id>/roster/blank.xlsx")
@roles(Role.REGISTRAR)
def blank(case_id: uuid.UUID) -> Response:
    """An empty 登记表 to fill in: every column as text, so that no digit of a number is lost."""
    case = _editable(case_id)
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    page = book.add_worksheet("登记表")
    bold, text = book.add_format({"bold": True, "border": 1}), book.add_format({"num_format": "@"})
    titles = [NUMBER_HEADING, *(column.title for column in editing.roster_of(case).columns)]
    for position, title in enumerate(titles):
        page.set_column(position, position, 22 if title in ("身份证号", "高中就读学校") else 14, text)
        page.write_string(0, position, title, bold)
    page.freeze_panes(1, 0)
    book.close()
    return download(out.getvalue(), "普通高中学生学籍注册登记表（空表）.xlsx", XLSX)


@bp.post("/<uuid:case_id>/roster/load")
@roles(Role.REGISTRAR)
@takes_file(TABLE)
def load(case_id: uuid.UUID) -> BaseResponse:
    """Read a sheet in the place of the rows there are, or behind them."""
    case = _editable(case_id)
    file, seen = request.files.get("file"), request.form.get("version", "")
    if file is None or not file.filename:
        return roster_pages.roster_page(case, 422, file_error=fault("请选择要导入的登记表（.xlsx 或 .csv）"))
    data, columns = file.read(), editing.roster_of(case).columns
    db.session.rollback()  # reading takes a second: the write lock must not be held meanwhile
    try:
        read = sheet.read_sheet(io.BytesIO(data), columns, request.form.get("sheet", "").strip())
    except Unreadable as error:
        said = f"{error}。{_wanted(columns)}"
        return roster_pages.roster_page(
            _editable(case_id), error.status, file_error=said, sheets=sheets_of(error)
        )
    case = _editable(case_id)
    if read.missing:
        said = f"{read.sheet.told()}{_missing(read, columns)}"
        return roster_pages.roster_page(case, 422, file_error=said, sheets=read.sheet.names)
    if not read.rows:
        said = f"{read.told()}标题行下面没有内容，请核对文件"
        return roster_pages.roster_page(case, 422, file_error=said, sheets=read.sheet.names)
    rows = [texts for _number, texts in read.rows]
    adding = request.form.get("mode") != "replace"
    try:
        (editing.add_rows if adding else editing.replace_rows)(case, actor(), seen, rows)
    except Refused as refused:
        return _refused(case_id, refused)
    db.session.commit()
    unused = [heading for heading in read.ignored if heading != NUMBER_HEADING]
    ignored = f"没有用到的列：{'、'.join(unused)}。" if unused else ""
    flash(
        f"已{'加入' if adding else '换成文件中的'} {len(rows)} 行。{read.told()}{_changing(read)}{ignored}",
        "success",
    )
    return _to_first_fault(case)


def _changing(read: sheet.SheetRows) -> str:
    """How another sheet is read in the place of this one."""
    return "要读另一张的，重新选择文件并写上工作表的名称。" if read.sheet.others else ""


def _missing(read: sheet.SheetRows, columns: Sequence[RosterColumn]) -> str:
    return f"没有找到这些列：{'、'.join(read.missing)}。文件里的列是{sheet.named(read.found)}。{_wanted(columns)}"


def _wanted(columns: Sequence[RosterColumn]) -> str:
    """What a 登记表 has to hold."""
    titles = "、".join(column.title for column in columns if column.required)
    return f"登记表要有这些列：{titles}"


@bp.route("/<uuid:case_id>/roster/admitted", methods=["GET", "POST"])
@roles(Role.REGISTRAR)
def admitted(case_id: uuid.UUID) -> BaseResponse:
    """People of the school's list of the admitted who do not stand on the roster, to be ticked."""
    case = _editable(case_id)
    if request.method == "GET":
        return roster_pages.admitted_page(case)
    chosen = None if request.form.get("all") else request.form.getlist("exam_number")
    if chosen == []:
        return roster_pages.admitted_page(case, 422, "还没有选择学生，请先勾选")
    try:
        count = editing.add_admitted(case, actor(), request.form.get("version", ""), chosen)
    except Refused as refused:
        db.session.rollback()
        return roster_pages.admitted_page(
            _editable(case_id), 409 if refused.conflict else 422, refused.message
        )
    db.session.commit()
    flash(f"已从录取名单加入 {count} 人。", "success")
    return _to_first_fault(case)


@bp.route("/<uuid:case_id>/roster/rows/new", methods=["GET", "POST"])
@roles(Role.REGISTRAR)
def new_row(case_id: uuid.UUID) -> BaseResponse:
    """One more person, typed."""
    case = _editable(case_id)
    if request.method == "GET":
        return roster_pages.row_page(case, None)
    texts = _posted(case)
    if not any(text.strip() for text in texts.values()):
        return roster_pages.row_page(case, None, 422, texts, "请至少填写姓名和准考证号")
    try:
        editing.add_rows(case, actor(), request.form.get("version", ""), [texts])
    except Refused as refused:
        db.session.rollback()
        return roster_pages.row_page(
            _editable(case_id), None, 409 if refused.conflict else 422, texts, refused.message
        )
    keeping.sent()
    db.session.commit()
    flash(f"已加入{texts.get('name', '')}，列在名单最后。", "success")
    return _to_first_fault(case)


@bp.route("/<uuid:case_id>/roster/rows/<uuid:row_id>", methods=["GET", "POST"])
@roles(Role.REGISTRAR)
def row(case_id: uuid.UUID, row_id: uuid.UUID) -> BaseResponse:
    """One row to be mended: in its place in the table, or on a page of its own."""
    case = _editable(case_id)
    if request.method == "GET":
        return roster_pages.row_page(case, _row(read_facts(case), row_id))
    texts = _posted(case)
    try:
        again = bool(request.form.get("put_back"))
        editing.change_row(case, actor(), request.form.get("version", ""), row_id, texts, unchanged=again)
    except Refused as refused:
        db.session.rollback()
        case = _editable(case_id)
        at = _row(read_facts(case), row_id)
        return roster_pages.row_page(case, at, 409 if refused.conflict else 422, texts, refused.message)
    keeping.sent()
    db.session.commit()
    return go("rosters.show", case_id=case.id, _anchor=f"row-{row_id}", **roster_pages.place())


@bp.post("/<uuid:case_id>/roster/remove")
@roles(Role.REGISTRAR)
def remove(case_id: uuid.UUID) -> BaseResponse:
    """Take the ticked rows out."""
    case = _editable(case_id)
    try:
        gone = editing.remove_rows(case, actor(), request.form.get("version", ""), _ticked())
    except Refused as refused:
        return _refused(case_id, refused)
    keeping.sent()
    db.session.commit()
    flash(f"已删去 {gone} 行。", "success")
    return go("rosters.show", case_id=case.id, **roster_pages.place())


@bp.post("/<uuid:case_id>/roster/class")
@roles(Role.REGISTRAR)
def assign(case_id: uuid.UUID) -> BaseResponse:
    """Put the ticked people into one class."""
    case = _editable(case_id)
    try:
        count, class_name = editing.assign_class(
            case, actor(), request.form.get("version", ""), _ticked(), request.form.get("class_name", "")
        )
    except Refused as refused:
        return _refused(case_id, refused)
    keeping.sent()
    db.session.commit()
    flash(f"已把 {count} 名学生编入{class_name}。", "success")
    return go("rosters.show", case_id=case.id, **roster_pages.place())


@bp.post("/<uuid:case_id>/roster/strike")
def strike(case_id: uuid.UUID) -> BaseResponse:
    """A bureau takes the ticked people off, with a reason; the others go on."""
    note = request.form.get("note", "")
    return _decide(case_id, "strike", "已退回所选的行，学校会看到理由。", note)


@bp.post("/<uuid:case_id>/roster/put-back")
def put_back(case_id: uuid.UUID) -> BaseResponse:
    """Take back strikes of one's own step."""
    return _decide(case_id, "put_back", "已恢复所选的行。")


@bp.post("/<uuid:case_id>/roster/again")
@roles(Role.REGISTRAR)
def again(case_id: uuid.UUID) -> BaseResponse:
    """A new roster of those whom a bureau struck from one that has been approved."""
    case = _find(case_id)
    struck = [dict(one.values) for one in read_facts(case).roster if one.strike]
    if case.status != Status.APPROVED or not struck:
        deny()
    if already := editing.open_roster_of(case, [one["exam_number"] for one in struck]):
        flash(f"这些学生已在名单 {already.number} 中。", "error")
        return go("rosters.show", case_id=already.id)
    try:
        new = starting.start_roster(actor(), workflow(case.workflow))
        editing.replace_rows(new, actor(), stamp(new), struck)
    except Refused as refused:
        db.session.rollback()
        flash(refused.message, "error")
        return go("cases.show", case_id=case.id)
    db.session.commit()
    flash(f"已把被退回的 {len(struck)} 名学生放进新名单 {new.number}。", "success")
    return _to_first_fault(new)


# --- helpers ----------------------------------------------------------------------------------------------------------


def _find(case_id: uuid.UUID) -> Case:
    case = found(find_case(actor(), case_id))
    return found(case if workflow(case.workflow).roster else None)


def _editable(case_id: uuid.UUID) -> Case:
    case = _find(case_id)
    return found(case if "edit" in available(case, actor()) else None)


def _decide(case_id: uuid.UUID, verb: str, done: str, note: str = "") -> BaseResponse:
    case = _find(case_id)
    rows = tuple(str(one) for one in _ticked())
    try:
        act = Act(note=note, rows=rows)
        perform(case, actor(), verb, request.form.get("version", ""), act)
    except Refused as refused:
        return _refused(case_id, refused)
    keeping.sent()
    db.session.commit()
    flash(done, "success")
    return go("rosters.show", case_id=case.id, **roster_pages.place())


def _refused(case_id: uuid.UUID, refused: Refused) -> Response:
    """The page as it stands now, with why nothing was written and what had been ticked and typed."""
    db.session.rollback()
    return roster_pages.roster_page(_find(case_id), 409 if refused.conflict else 422, message=refused.message)


def _row(facts: Facts, row_id: uuid.UUID) -> RosterRow:
    return found(next((one for one in facts.roster if one.id == str(row_id)), None))


def _posted(case: Case) -> dict[str, str]:
    return {
        column.key: request.form.get(f"cell-{column.key}", "") for column in editing.roster_of(case).columns
    }


def _ticked() -> list[uuid.UUID]:
    """The ids of the ticked rows; what is no id names no row."""
    ids = []
    for text in request.form.getlist("row"):
        try:
            ids.append(uuid.UUID(text))
        except ValueError:
            continue
    return ids


def _to_first_fault(case: Case) -> BaseResponse:
    """Back to the roster: to the rows that need work, where there are any."""
    figures = roster_view.figures(case, read_facts(case))
    return go("rosters.show", case_id=case.id, **({"show": "stop"} if figures.stops else {}))
