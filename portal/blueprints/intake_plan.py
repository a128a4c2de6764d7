"""招生计划: the versions of a year's plan, which the state's approver writes in one form or loads from a sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal import keeping
from portal.blueprints.downloads import download
from portal.blueprints.intake_view import NO_FILE, READERS, XLSX, number, page, posted_file, scope
from portal.cases import unsent
from portal.cases.intake import plan_sheet, planning, plans
from portal.cases.intake.scope import Scope, counties
from portal.cases.loads.reading import Unreadable, sheets_of
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Role
from portal.oversize import TABLE, fault, takes_file
from portal.web import deny, go, roles

bp = Blueprint("intake_plan", __name__, url_prefix="/intake/plan")


@bp.get("", endpoint="page")
@roles(*READERS)
def show() -> Response:
    """The plan in force as far as it concerns the person, and every version with who, when, why and what."""
    here = scope()
    versions = planning.history(here)
    path = here.actor.office_path
    return page(
        "intake/plan.html",
        200,
        here,
        plan=versions[0] if versions else None,
        figures=plans.figures_of(versions[0] if versions else None, path),
        counties=counties(here),
        spoken=plans.spoken_for_below(path, here.year),
        versions=[(one, planning.differences_of(one, path)) for one in versions],
    )


@bp.get("/edit")
@roles(Role.APPROVER)
def edit() -> Response:
    """The form with every office, as the plan stands."""
    here = scope()
    plan = plans.plan_of(here.state.id, here.year)
    kept = _kept(here)
    if kept.text is not None:
        return _form(here, planning.form_of(here, plan) | kept.text.to_dict(), _words(kept.text))
    return _form(here, planning.form_of(here, plan), {"document": plan.document if plan else "", "note": ""})


@bp.post("/edit")
@roles(Role.APPROVER)
def save() -> BaseResponse:
    """A new version of the plan."""
    here = scope()
    words = _words(request.form)
    try:
        plan, faults = planning.save(here, request.form, words["document"], words["note"], number("seen"))
    except Refused as refused:
        db.session.rollback()
        return _form(scope(), request.form, words, 409 if refused.conflict else 422, refused.message)
    if plan is None:
        db.session.rollback()
        return _form(scope(), request.form, words, 422, "有几项不对，没有保存", faults)
    keeping.sent()
    db.session.commit()
    flash(f"已保存为 {plan.year} 年招生计划第 {plan.number} 版。", "success")
    return go("intake_plan.page", year=plan.year)


@bp.post("/sheet")
@roles(Role.APPROVER)
@takes_file(TABLE)
def load() -> Response:
    """A filled sheet into the form; nothing is saved until the person does."""
    here = scope()
    posted = posted_file()
    plan = plans.plan_of(here.state.id, here.year)
    words = {"document": request.form.get("document", "") or (plan.document if plan else ""), "note": ""}
    form = planning.form_of(here, plan)
    if posted is None:
        return _form(here, form, words, 422, file_fault=fault(NO_FILE))
    db.session.rollback()  # reading takes seconds: the write lock must not be held meanwhile
    try:
        filled = plan_sheet.fill(here, posted[1], request.form.get("sheet", "").strip())
    except Unreadable as error:
        return _form(here, form, words, error.status, file_fault=str(error), sheets=sheets_of(error))
    form |= filled.form
    faults = planning.read(here, form)[1]
    message = "表中的数已填入下面，还没有保存。请核对后保存。"
    return _form(here, form, words, 200, message, faults, filled.notes, sheets=filled.sheets)


@bp.get("/template.xlsx")
@roles(Role.APPROVER)
def template() -> Response:
    """A workbook with every office and the figures in force, to be filled in."""
    here = scope()
    return download(plan_sheet.template(here), f"招生计划_{here.year}.xlsx", XLSX)


def _kept(here: Scope) -> keeping.Kept:
    """The plan of this year that the person typed and did not save."""
    plan = plans.plan_of(here.state.id, here.year)
    back, stamp = url_for("intake_plan.edit", year=here.year), str(plan.number if plan else 0)
    return keeping.kept_for(unsent.OFFICE, here.actor.office_id, f"plan:{here.year}", stamp=stamp, back=back)


def _words(form: Mapping[str, str]) -> dict[str, str]:
    return {key: form.get(key, "") for key in ("document", "note")}


def _form(
    here: Scope,
    form: Mapping[str, str],
    words: Mapping[str, str],
    status: int = 200,
    message: str = "",
    faults: Mapping[str, str] | None = None,
    notes: Any = (),
    file_fault: str = "",
    sheets: Sequence[str] = (),
) -> Response:
    if not here.may_set:
        deny()
    plan = plans.plan_of(here.state.id, here.year)
    return page(
        "intake/plan_edit.html",
        status,
        here,
        plan=plan,
        seen=plan.number if plan else 0,
        counties=counties(here),
        spoken=plans.spoken_for_below(here.state.path, here.year),
        kept=_kept(here),
        form=form,
        words=words,
        message=message,
        refused=status >= 400 or bool(faults),
        faults=faults or {},
        notes=notes,
        file_fault=file_fault,
        sheets=sheets,
        limits=planning,
    )
