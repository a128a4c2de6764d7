"""Accounts, for administrators: made, ended, reset and unlocked by the superior office."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from flask import Blueprint, Response, current_app, flash, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from portal import audit
from portal.accounts import attempts, known_browsers, management, sessions
from portal.accounts.forms import AccountForm, PersonForm
from portal.accounts.titles import ROLE_DUTIES, ROLE_TITLES, SESSION_ENDS
from portal.cases import digests
from portal.extensions import db
from portal.forms import choices
from portal.models import Account, Office, Role
from portal.settings import Settings
from portal.web import actor, deny, found, go, reply, roles

bp = Blueprint("account_admin", __name__, url_prefix="/admin")
PAGE = 50


@bp.get("/accounts")
@roles(Role.ADMINISTRATOR)
def index() -> Response:
    """Search over every account in reach, paged by login."""
    text, role, after = (request.args.get(name, "").strip() for name in ("q", "role", "after"))
    query = select(Account).join(Account.office).where(management.account_in_reach(actor()))
    if text:
        login = Account.login.startswith(text, autoescape=True)  # no names: they do not belong in addresses
        query = query.where(login | Office.name.contains(text, autoescape=True))
    if role in list(Role):
        query = query.where(Account.role == role)
    if after:
        query = query.where(Account.login > after)
    found_ = list(db.session.scalars(query.order_by(Account.login).limit(PAGE + 1)))
    return reply(
        "admin/accounts.html",
        accounts=found_[:PAGE],
        locked=_locked(found_[:PAGE]),
        next_key=found_[PAGE - 1].login if len(found_) > PAGE else "",
        after=after,
        q=text,
        role=role,
        role_titles=ROLE_TITLES,
    )


def _locked(accounts: list[Account]) -> dict[uuid.UUID, datetime]:
    """{account: until when strangers are kept from it}."""
    keys = {attempts.login_key(_settings().secret_key, one.login): one.id for one in accounts}
    found_ = attempts.locked(list(keys), timedelta(minutes=_settings().lock_minutes))
    return {keys[key]: until for key, until in found_.items()}


def _settings() -> Settings:
    found_: Settings = current_app.extensions["settings"]
    return found_


@bp.route("/offices/<uuid:office_id>/accounts/add", methods=["GET", "POST"])
@roles(Role.ADMINISTRATOR)
def add(office_id: uuid.UUID) -> BaseResponse:
    office = found(management.find_office(actor(), office_id))
    offered = management.roles_for(actor(), office)
    if not offered or not office.active:
        deny()
    form = AccountForm(request.form if request.method == "POST" else None)
    form.role.choices = choices((str(role), f"{ROLE_TITLES[role]}：{ROLE_DUTIES[role]}") for role in offered)
    if request.method == "GET":
        return reply("admin/account_form.html", form=form, office=office, account=None)
    db.session.commit()  # the initial password is hashed without the write lock
    valid = form.validate()
    password, password_hash = management.new_initial_password() if valid else ("", "")
    if not valid or _taken(form):
        return reply("admin/account_form.html", 422, form=form, office=office, account=None)
    account = management.create_account(
        office,
        Role(form.role.data),
        form.login.data or "",
        form.name.data or "",
        form.phone.data or "",
        password_hash,
        actor().id,
    )
    audit.append(
        "account.created",
        "account",
        account.id,
        role=account.role,
        office=office.id.hex,
        content=digests.of_account(account),
    )
    db.session.commit()
    return reply("admin/initial_password.html", 201, account=account, password=password, new=True)


def _taken(form: PersonForm, account: Account | None = None) -> bool:
    """Whether another account has the login or the telephone; the field says so."""
    if isinstance(form, AccountForm) and (fault := management.fault_in_login(form.login.data or "")):
        form.login.errors = [fault]
    if fault := management.fault_in_phone(form.phone.data or "", account):
        form.phone.errors = [fault]
    return bool(form.errors)


@bp.get("/accounts/<uuid:account_id>")
@roles(Role.ADMINISTRATOR)
def show(account_id: uuid.UUID) -> Response:
    return _account_page(found(management.find_account(actor(), account_id)))


def _account_page(account: Account, status: int = 200) -> Response:
    settings = _settings()
    idle, longest = (
        timedelta(minutes=settings.session_idle_minutes),
        timedelta(hours=settings.session_max_hours),
    )
    recent = [(one, sessions.alive(one, idle, longest)) for one in sessions.lately(account.id)]
    return reply(
        "admin/account.html",
        status,
        account=account,
        created_by=db.session.get(Account, account.created_by_id) if account.created_by_id else None,
        role_title=ROLE_TITLES[Role(account.role)],
        may_manage=management.may_manage(actor(), account),
        own=account.id == actor().id,
        locked=_locked([account]).get(account.id),
        browsers=len(known_browsers.of_account(account.id)),
        sessions=recent,
        living=any(alive for _one, alive in recent),
        ends=SESSION_ENDS,
    )


@bp.route("/accounts/<uuid:account_id>/edit", methods=["GET", "POST"])
@roles(Role.ADMINISTRATOR)
def edit(account_id: uuid.UUID) -> BaseResponse:
    account = _manageable(account_id)
    posted = request.form if request.method == "POST" else None
    form = PersonForm(posted, data={"name": account.name, "phone": account.phone})
    if request.method == "GET":
        return reply("admin/account_form.html", form=form, office=account.office, account=account)
    if not form.validate() or _taken(form, account):
        return reply("admin/account_form.html", 422, form=form, office=account.office, account=account)
    account.name, account.phone = form.name.data or "", form.phone.data or ""
    audit.append("account.changed", "account", account.id, content=digests.of_account(account))
    db.session.commit()
    flash("账号信息已保存。", "success")
    return go("account_admin.show", account_id=account.id)


@bp.post("/accounts/<uuid:account_id>/reset-password")
@roles(Role.ADMINISTRATOR)
def reset_password(account_id: uuid.UUID) -> BaseResponse:
    _manageable(account_id)
    db.session.commit()
    password, password_hash = management.new_initial_password()
    account = _manageable(account_id)
    management.reset_password(account, password_hash)
    audit.append("password.reset", "account", account.id)
    db.session.commit()
    return reply("admin/initial_password.html", 201, account=account, password=password, new=False)


@bp.post("/accounts/<uuid:account_id>/close")
@roles(Role.ADMINISTRATOR)
def close(account_id: uuid.UUID) -> BaseResponse:
    return _set_active(account_id, False)


@bp.post("/accounts/<uuid:account_id>/open")
@roles(Role.ADMINISTRATOR)
def reopen(account_id: uuid.UUID) -> BaseResponse:
    return _set_active(account_id, True)


def _set_active(account_id: uuid.UUID, active: bool) -> BaseResponse:
    account = _manageable(account_id)
    try:
        management.set_account_active(account, active)
    except management.Refused as refused:
        flash(str(refused), "error")
        return _account_page(account, 409)
    audit.append(
        "account.opened" if active else "account.closed",
        "account",
        account.id,
        content=digests.of_account(account),
    )
    db.session.commit()
    flash("账号已启用。" if active else "账号已停用，并已退出登录。", "success")
    return go("account_admin.show", account_id=account.id)


@bp.post("/accounts/<uuid:account_id>/end-sessions")
@roles(Role.ADMINISTRATOR)
def end_sessions(account_id: uuid.UUID) -> BaseResponse:
    account = _manageable(account_id)
    sessions.end_all(account.id, "ended_by_superior")
    audit.append("sessions.ended", "account", account.id)
    db.session.commit()
    flash("已让这个账号退出登录。", "success")
    return go("account_admin.show", account_id=account.id)


@bp.post("/accounts/<uuid:account_id>/unlock")
@roles(Role.ADMINISTRATOR)
def unlock(account_id: uuid.UUID) -> BaseResponse:
    account = _manageable(account_id)
    management.unlock(_settings().secret_key, account)
    audit.append("account.unlocked", "account", account.id)
    db.session.commit()
    flash("已解锁，可以重新登录。", "success")
    return go("account_admin.show", account_id=account.id)


def _manageable(account_id: uuid.UUID) -> Account:
    account = found(management.find_account(actor(), account_id))
    if not management.may_manage(actor(), account):
        deny()
    return account
