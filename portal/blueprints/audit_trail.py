"""The audit trail, for auditors: read, verify, export."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, make_response, request, send_file
from werkzeug.wrappers import Response as BaseResponse
from wtforms import SelectField, ValidationError
from wtforms.validators import InputRequired

from portal import audit
from portal.accounts.forms import Filled
from portal.blueprints import sealed
from portal.cases import clock
from portal.extensions import db, reading_only
from portal.forms import AnswersForm, ChineseDateField, choices
from portal.models import Role
from portal.oversight import anchors, audit_reading
from portal.oversight.audit_reading import Filters
from portal.standards.dates import read_date
from portal.web import actor, reply, roles

bp = Blueprint("audit_trail", __name__, url_prefix="/audit")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST_PERIOD = 366  # days


class ExportForm(AnswersForm):
    first = ChineseDateField("从", [Filled("请填写起始日期")])
    last = ChineseDateField("到", [Filled("请填写截止日期")])
    purpose = SelectField(
        "用途", [InputRequired(message="请选择用途")], choices=choices(audit_reading.PURPOSES.items())
    )

    def validate_last(self, field: ChineseDateField) -> None:
        if self.first.data and field.data and field.data < self.first.data:
            raise ValidationError("截止日期早于起始日期")
        if self.first.data and field.data and (field.data - self.first.data).days > LONGEST_PERIOD:
            raise ValidationError("一次最多导出一年")


@bp.get("")
@roles(Role.AUDITOR)
def index() -> Response:
    return _page()


def _page(
    status: int = 200, form: ExportForm | None = None, verdict: audit.Verdict | None = None
) -> Response:
    day = read_date(request.args.get("day", ""))
    filters = Filters(
        action=request.args.get("action", ""),
        login=request.args.get("login", "").strip(),
        first=day,
        last=day,
    )
    before = request.args.get("before", type=int)
    found, following = audit_reading.page(actor(), filters, before)
    kept = {"action": filters.action, "login": filters.login, "day": day.isoformat() if day else ""}
    return reply(
        "audit/index.html",
        status,
        lines=found,
        following=following,
        before=before or "",
        kept={key: value for key, value in kept.items() if value},
        actions=audit_reading.action_choices(actor()),
        form=form or _export_form(),
        verdict=verdict,
    )


def _export_form() -> ExportForm:
    today = clock.today()
    return ExportForm(data={"first": today.replace(day=1), "last": today})


@bp.post("/verify")
@roles(Role.AUDITOR)
def verify() -> BaseResponse:
    """Walk the chain without holding the write lock, then note that it was walked."""
    db.session.commit()
    verdict = audit.verify(*anchors.newest(sealed.store()).anchors)
    audit.append("audit.verified", "audit", verdict.records, result="refused" if verdict.fault else "ok")
    db.session.commit()
    return _page(verdict=verdict)


@bp.post("/export")
@roles(Role.AUDITOR)
def export() -> BaseResponse:
    form = ExportForm(request.form)
    if not form.validate():
        return _page(422, form=form)
    first: date = form.first.data  # type: ignore[assignment]  # validated
    last: date = form.last.data  # type: ignore[assignment]
    filters = Filters(first=first, last=last)
    who = actor()
    db.session.commit()
    with reading_only():
        number = audit_reading.count(who, filters)
        if number > audit_reading.SHEET_LIMIT:
            form.last.errors = [
                f"这段时间有 {number} 条记录，超过 {audit_reading.SHEET_LIMIT} 条，请缩短期间"
            ]
            db.session.rollback()
            return _page(422, form=form)
        sheet = audit_reading.write_sheet(who, filters)
        db.session.rollback()
    audit.append(
        "audit.exported",
        "audit",
        f"{first.isoformat()}/{last.isoformat()}",
        records=number,
        purpose=form.purpose.data,
    )
    db.session.commit()
    name = f"audit-{first:%Y%m%d}-{last:%Y%m%d}.xlsx"
    return make_response(send_file(sheet, XLSX, as_attachment=True, download_name=name))
