"""The tree of offices, for administrators: the own office and all below it."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, flash, request
from sqlalchemy import func, select
from werkzeug.wrappers import Response as BaseResponse

from portal import audit
from portal.accounts import management
from portal.accounts.forms import NewOfficeForm, OfficeForm
from portal.accounts.titles import LEVEL_TITLES, ROLE_TITLES, roles_at
from portal.cases import digests
from portal.cases.offices import line_of, policy_of
from portal.extensions import db
from portal.forms import choices
from portal.models import Account, Level, Office, Role
from portal.policies import PolicyError, all_policies
from portal.web import actor, deny, found, go, reply, roles

bp = Blueprint("admin", __name__, url_prefix="/admin")
SEARCHED = 50


@bp.get("/offices")
@roles(Role.ADMINISTRATOR)
def offices() -> Response:
    return _office_page(found(management.find_office(actor(), actor().office_id)))


@bp.get("/offices/<uuid:office_id>")
@roles(Role.ADMINISTRATOR)
def office(office_id: uuid.UUID) -> Response:
    return _office_page(found(management.find_office(actor(), office_id)))


def _office_page(here: Office, status: int = 200) -> Response:
    text = request.args.get("q", "").strip()
    return reply(
        "admin/office.html",
        status,
        office=here,
        line=_line_in_reach(here),
        policy=_policy_title(here),
        children=_search(text) if text else _children(here),
        accounts=_accounts(here),
        may_edit=management.may_edit_office(actor(), here),
        may_close=here.id != actor().office_id,
        may_add=bool(management.child_levels(here)),
        has_roles=bool(roles_at(Level(here.level))),
        level_titles=LEVEL_TITLES,
        role_titles=ROLE_TITLES,
        q=text,
        searched=SEARCHED,
    )


def _line_in_reach(here: Office) -> list[Office]:
    """The way down from the actor's own office to this one."""
    return [one for one in reversed(line_of(here)) if one.path.startswith(actor().office_path)]


def _policy_title(here: Office) -> str:
    try:
        return policy_of(here).title
    except PolicyError:
        return ""


def _children(here: Office) -> list[dict[str, Any]]:
    return _with_counts(select(Office).where(Office.parent_id == here.id).order_by(Office.level, Office.code))


def _search(text: str) -> list[dict[str, Any]]:
    matches = Office.name.contains(text, autoescape=True) | Office.code.startswith(text, autoescape=True)
    query = select(Office).where(management.office_in_reach(actor()), matches)
    return _with_counts(query.order_by(Office.path).limit(SEARCHED))


def _with_counts(query: Any) -> list[dict[str, Any]]:
    """Offices with the number of accounts in use and of offices directly below."""
    rows = list(db.session.scalars(query))
    ids = [row.id for row in rows]
    people = _counted(Account.office_id, Account.office_id.in_(ids), Account.active)
    below = _counted(Office.parent_id, Office.parent_id.in_(ids))
    return [{"office": row, "people": people.get(row.id, 0), "below": below.get(row.id, 0)} for row in rows]


def _counted(column: Any, *conditions: Any) -> dict[uuid.UUID, int]:
    query = select(column, func.count()).where(*conditions).group_by(column)
    return {row[0]: row[1] for row in db.session.execute(query)}


def _accounts(here: Office) -> list[Account]:
    query = select(Account).where(Account.office_id == here.id)
    return list(db.session.scalars(query.order_by(Account.active.desc(), Account.role, Account.login)))


@bp.route("/offices/<uuid:office_id>/add", methods=["GET", "POST"])
@roles(Role.ADMINISTRATOR)
def add_office(office_id: uuid.UUID) -> BaseResponse:
    parent = found(management.find_office(actor(), office_id))
    levels = management.child_levels(parent)
    if not levels or not parent.active:
        deny()
    form = NewOfficeForm(request.form if request.method == "POST" else None)
    form.level.choices = choices((str(level), LEVEL_TITLES[level]) for level in levels)
    form.policy.choices = _policy_choices(parent)
    if request.method == "GET":
        form.level.data = str(levels[0])
        return reply("admin/office_form.html", form=form, parent=parent, office=None)
    if not form.validate() or _code_taken(form):
        return reply("admin/office_form.html", 422, form=form, parent=parent, office=None)
    stages = list(form.stages.data or []) if form.level.data == Level.SCHOOL else []
    added = management.add_office(
        parent,
        Level(form.level.data),
        form.name.data or "",
        form.code.data or "",
        form.policy.data or None,
        stages,
    )
    audit.append(
        "office.created",
        "office",
        added.id,
        parent=parent.id.hex,
        level=added.level,
        content=digests.of_office(added),
    )
    db.session.commit()
    flash("单位已建立。下一步：为它建立账号。", "success")
    return go("admin.office", office_id=added.id)


def _policy_choices(parent: Office | None) -> list[Any]:
    """Packs to choose from; "" follows the office above, which only a topmost office cannot."""
    packs = [(code, one.title) for code, one in all_policies().items()]
    if parent:
        packs.insert(0, ("", f"与上级单位相同（{_policy_title(parent) or '未定'}）"))
    return choices(packs)


def _code_taken(form: NewOfficeForm) -> bool:
    if db.session.scalar(select(Office.id).where(Office.code == form.code.data)) is None:
        return False
    form.code.errors = ["这个单位代码已被使用，请核对"]
    return True


@bp.route("/offices/<uuid:office_id>/edit", methods=["GET", "POST"])
@roles(Role.ADMINISTRATOR)
def edit_office(office_id: uuid.UUID) -> BaseResponse:
    here = found(management.find_office(actor(), office_id))
    if not management.may_edit_office(actor(), here):
        deny()
    posted = request.form if request.method == "POST" else None
    form = OfficeForm(posted, data={"name": here.name, "policy": here.policy or "", "stages": here.stages})
    form.policy.choices = _policy_choices(here.parent)
    if here.level != Level.SCHOOL:
        del form.stages
    if request.method == "GET":
        return reply("admin/office_form.html", form=form, parent=here.parent, office=here)
    if not form.validate() or _no_stage(form):
        return reply("admin/office_form.html", 422, form=form, parent=here.parent, office=here)
    before = {"policy": here.policy, "stages": list(here.stages)}
    here.name, here.policy = form.name.data or "", form.policy.data or None
    if "stages" in form:
        here.stages = list(form.stages.data or [])
    audit.append(
        "office.changed",
        "office",
        here.id,
        before=before,
        policy=here.policy,
        stages=here.stages,
        content=digests.of_office(here),
    )
    db.session.commit()
    flash("单位信息已保存。", "success")
    return go("admin.office", office_id=here.id)


def _no_stage(form: OfficeForm) -> bool:
    if "stages" not in form or form.stages.data:
        return False
    form.stages.errors = ["请选择学校开设的学段，审批环节由学段决定"]
    return True


@bp.post("/offices/<uuid:office_id>/close")
@roles(Role.ADMINISTRATOR)
def close_office(office_id: uuid.UUID) -> BaseResponse:
    return _set_active(office_id, False)


@bp.post("/offices/<uuid:office_id>/open")
@roles(Role.ADMINISTRATOR)
def open_office(office_id: uuid.UUID) -> BaseResponse:
    return _set_active(office_id, True)


def _set_active(office_id: uuid.UUID, active: bool) -> BaseResponse:
    here = found(management.find_office(actor(), office_id))
    if here.id == actor().office_id:
        deny()
    try:
        management.set_office_active(here, active)
    except management.Refused as refused:
        flash(str(refused), "error")
        return _office_page(here, 409)
    audit.append(
        "office.opened" if active else "office.closed", "office", here.id, content=digests.of_office(here)
    )
    db.session.commit()
    flash("单位已启用。" if active else "单位已停用，其所有账号已退出。", "success")
    return go("admin.office", office_id=here.id)
