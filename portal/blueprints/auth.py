"""Signing in and out, the own password and the own sign-ins, and the first administrator."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, abort, current_app, flash, redirect, request, session
from flask_login import current_user, login_user, logout_user
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from portal import audit
from portal.accounts import attempts, known_browsers, management, one_time_codes, passwords, sessions
from portal.accounts.forms import ChangePasswordForm, FirstAdministratorForm, SignInForm
from portal.accounts.local_paths import local_path
from portal.accounts.near_words import near_words
from portal.accounts.titles import ROLE_TITLES, SESSION_ENDS, SESSION_NOTICES, browser
from portal.cases import clock, digests
from portal.demo import chapters
from portal.extensions import db, limiter
from portal.forms import choices
from portal.gate import session_limits
from portal.models import Account, Level, Office, Role
from portal.navigation import home_of
from portal.oversight import holidays
from portal.policies import all_policies
from portal.settings import Settings
from portal.web import actor, found, go, public, reply

bp = Blueprint("auth", __name__)

WRONG = "登录名或密码不正确"
LOCKED = (
    "失败次数过多，这个登录名约 {minutes} 分钟内不能从没有登录过的浏览器登录。请换用以前登录过的浏览器，或稍后再试；"
    "急用时请联系上级单位的管理员解锁。"
)
CLOSED = "这个账号或所在单位已停用，请联系上级单位的管理员。"


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _address() -> str:
    return request.remote_addr or ""


@bp.get("/sign-in")
@public
def sign_in() -> BaseResponse:
    if current_user.is_authenticated:
        return go(home_of(Role(current_user.account.role)))
    form = SignInForm(data={"next": local_path(request.args.get("next"), current_app.url_map)})
    if (chosen := _demo_account(request.args.get("demo", ""))) is not None:
        form.login.data, form.password.data = chosen["login"], chosen["password"]
    return _sign_in_page(form, 200)


@bp.post("/sign-in")
@public
@limiter.limit("120 per minute")  # sheds load, a process for itself; guesses are counted in the database
def try_sign_in() -> BaseResponse:
    form = SignInForm(request.form)
    if not form.validate():
        return _sign_in_page(form, 422)
    login = (form.login.data or "").strip()
    key = attempts.login_key(_settings().secret_key, login)
    known = known_browsers.find(_browser_token(), login)
    known_id = known.id if known and not attempts.exhausted(known.id) else None
    account = db.session.scalars(select(Account).where(Account.login == login)).one_or_none()
    account_id, password_hash = (account.id, account.password_hash) if account else (None, None)
    standing, attempt = attempts.reserve(key, _address(), _lock(), known_id)
    if attempt is None:
        return _refuse(form, key, standing)
    db.session.commit()
    # The password is weighed while no transaction is open: it takes a tenth of a second.
    if not passwords.verify(password_hash, form.password.data or ""):
        return _fail(form, key, known_id)
    account = db.session.get(Account, account_id, populate_existing=True)
    if account is None or account.password_hash != password_hash:
        return _fail(form, key, known_id)
    if not account.active or not account.office.active:
        attempts.withdraw(attempt)
        audit.append("sign_in_refused", "account", account.id, result="denied", why="closed")
        db.session.commit()
        form.form_errors.append(CLOSED)
        return _sign_in_page(form, 422)
    attempts.withdraw(attempt)
    attempts.forgive(key, _address(), known_id)
    return _let_in(account, local_path(form.next.data, current_app.url_map))


def _lock() -> timedelta:
    return timedelta(minutes=_settings().lock_minutes)


def _browser_cookie() -> str:
    return "__Host-xueji-browser" if _settings().secure_cookies else "xueji-browser"


def _browser_token() -> str | None:
    return request.cookies.get(_browser_cookie())


def _let_in(account: Account, target: str | None) -> BaseResponse:
    signed_in = sessions.begin(account, _address(), request.user_agent.string)
    token = known_browsers.remember(account, _browser_token(), request.user_agent.string)
    audit.set_origin(actor_id=account.id, office_id=account.office_id, session_id=signed_in.session_id)
    audit.append("signed_in", "account", account.id)
    db.session.commit()
    session.clear()  # nothing of the browser's former session lives on, its CSRF secret included
    login_user(signed_in)
    answer = redirect(target, 303) if target else go(home_of(Role(account.role)))
    return _knowing(answer, token)


def _knowing(answer: BaseResponse, token: str) -> BaseResponse:
    """Give the browser the token by which it is known the next time."""
    answer.set_cookie(
        _browser_cookie(),
        token,
        max_age=known_browsers.LIFE,
        path="/",
        secure=_settings().secure_cookies,
        httponly=True,
        samesite="Strict",
    )
    return answer


def _fail(form: SignInForm, key: str, known_id: uuid.UUID | None) -> Response:
    """A wrong password, noted already; the answer is the same whether or not there is such a login."""
    standing = attempts.standing(key, _address(), _lock(), known_id)
    audit.append("sign_in_refused", "login", result="denied", login=key, why="wrong")
    db.session.commit()
    form.form_errors.append(WRONG)
    if not standing.free:
        form.form_errors.append(_standing_text(standing))
    return _sign_in_page(form, 422)


def _refuse(form: SignInForm, key: str, standing: attempts.Standing) -> Response:
    why = "locked" if standing.locked else "waiting"
    audit.append("sign_in_refused", "login", result="denied", login=key, why=why)
    db.session.commit()
    form.form_errors.append(_standing_text(standing))
    answer = _sign_in_page(form, 429)
    answer.headers["Retry-After"] = str(standing.wait)
    return answer


def _standing_text(standing: attempts.Standing) -> str:
    if standing.locked:
        return LOCKED.format(minutes=-(-standing.wait // 60))
    return f"失败次数过多，请等 {standing.wait} 秒后再试。"


def _sign_in_page(form: SignInForm, status: int) -> Response:
    if status != 200:
        form.password.data = ""  # what was typed is never sent back
    return reply(
        "auth/sign_in.html",
        status,
        form=form,
        demo_accounts=_demo_accounts(),
        demo_progress=chapters.progress() if _settings().demo else None,
        role_titles=ROLE_TITLES,
        left="left" in request.args,
        kept="kept" in request.args,
        over=_how_it_ended() if status == 200 else None,
    )


def _how_it_ended() -> tuple[str, str, str] | None:
    """(title, text, when) for a browser that still holds the token of a session that is over."""
    token = session.get("_user_id")
    over = sessions.ended(token, *session_limits()) if token else None
    if over is None or over.why not in SESSION_NOTICES:
        return None
    return (*SESSION_NOTICES[over.why], f"{clock.local(over.at):%m月%d日 %H:%M}")


def _demo_accounts() -> list[dict[str, Any]]:
    return current_app.extensions.get("demo_accounts", []) if _settings().demo else []


def _demo_account(number: str) -> dict[str, Any] | None:
    accounts = _demo_accounts()
    return accounts[int(number)] if number.isdecimal() and int(number) < len(accounts) else None


@bp.post("/sign-out")
def sign_out() -> BaseResponse:
    sessions.end(current_user.session_id, "signed_out")
    audit.append("signed_out", "account", current_user.account.id)
    db.session.commit()
    logout_user()
    session.clear()
    answer = go("auth.sign_in", left=1)
    # Not the cookies: the session's is deleted with the session, and the browser stays known to its people.
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@bp.route("/password", methods=["GET", "POST"])
@limiter.limit("20 per minute", methods=["POST"])
def change_password() -> BaseResponse:
    account: Account = current_user.account
    form = ChangePasswordForm(request.form if request.method == "POST" else None)
    form.near = tuple(management.words_near(account))
    if request.method == "GET":
        return reply("auth/password.html", form=form, forced=account.must_change_password)
    db.session.commit()  # lets go of the write lock while passwords are weighed
    if not form.validate():
        return reply("auth/password.html", 422, form=form, forced=account.must_change_password)
    if fault := _wrong_old_password(account, form.old.data or ""):
        form.old.errors = [fault]
        return reply("auth/password.html", 422, form=form, forced=account.must_change_password)
    password_hash = passwords.hash_password(form.new.data or "")
    management.change_password(account, password_hash)
    here = known_browsers.find(_browser_token(), account.login)
    known_browsers.forget_all(account.id, but=here.id if here else None)
    signed_in = sessions.begin(account, _address(), request.user_agent.string)
    token = known_browsers.remember(account, _browser_token(), request.user_agent.string)
    audit.append("password.changed", "account", account.id)
    db.session.commit()
    session.clear()
    login_user(signed_in)
    flash("密码已修改。其他地方的登录已全部退出。", "success")
    return _knowing(go(home_of(Role(account.role))), token)


def _wrong_old_password(account: Account, password: str) -> str:
    """Guessing the present password in a borrowed session is counted like guessing at the door."""
    key = attempts.login_key(_settings().secret_key, account.login)
    here = known_browsers.find(_browser_token(), account.login)
    standing, attempt = attempts.reserve(key, _address(), _lock(), here.id if here else None)
    db.session.commit()
    if attempt is None:
        return _standing_text(standing)
    if passwords.verify(account.password_hash, password):
        attempts.withdraw(attempt)
        return ""
    audit.append("password.refused", "account", account.id, result="denied")
    db.session.commit()
    return "现在的密码不正确"


@bp.get("/my/sessions")
def my_sessions() -> Response:
    settings, limits = _settings(), session_limits()
    return reply(
        "auth/my_sessions.html",
        account=current_user.account,
        role_title=ROLE_TITLES[actor().role],
        sessions=[(one, sessions.alive(one, *limits)) for one in sessions.lately(actor().id)],
        ends=SESSION_ENDS,
        browser=browser,
        browsers=known_browsers.of_account(actor().id),
        this_browser=known_browsers.find(_browser_token(), current_user.account.login),
        own=current_user.session_id,
        idle_minutes=settings.session_idle_minutes,
        max_hours=settings.session_max_hours,
    )


@bp.post("/my/browsers/forget")
def forget_browser() -> BaseResponse:
    """A browser that its owner no longer uses is a stranger's again."""
    asked = request.form.get("browser", "")
    own = next((one for one in known_browsers.of_account(actor().id) if str(one.id) == asked), None)
    known_browsers.forget(found(own).id)
    audit.append("browser.forgotten", "account", actor().id)
    db.session.commit()
    flash("已移除，这个浏览器下次登录时按陌生浏览器对待。", "success")
    return go("auth.my_sessions")


@bp.route("/first-administrator", methods=["GET", "POST"])
@public
@limiter.limit("10 per minute", methods=["POST"])
def first_administrator() -> BaseResponse:
    if not one_time_codes.any_living(one_time_codes.FIRST_ADMINISTRATOR):
        abort(404)
    state = db.session.scalars(select(Office).where(Office.level == Level.STATE, Office.active)).first()
    form = FirstAdministratorForm(request.form if request.method == "POST" else None)
    packs = ((code, one.title) for code, one in all_policies().items())
    form.policy.choices = choices(
        [("", "请选择"), *packs]
    )  # none is chosen beforehand: it decides what is asked
    if state:
        del form.office_name, form.policy
    if request.method == "GET":
        return reply("auth/first_administrator.html", form=form, office=state)
    offices = [state.name if state else form.office_name.data or ""]
    form.near = tuple(near_words(form.login.data or "", form.name.data or "", offices=offices))
    db.session.commit()
    if not form.validate() or not _make_first(form, state):
        return reply("auth/first_administrator.html", 422, form=form, office=state)
    flash("管理员账号已建立，请登录。", "success")
    return go("auth.sign_in")


def _make_first(form: FirstAdministratorForm, state: Office | None) -> bool:
    """Spend the code and make the office (where there is none) and its administrator; False puts errors on the form."""
    password_hash = passwords.hash_password(form.new.data or "")
    if fault := management.fault_in_login(form.login.data or ""):
        form.login.errors = [fault]
        return False
    if not one_time_codes.spend(one_time_codes.FIRST_ADMINISTRATOR, form.code.data or ""):
        form.code.errors = ["一次性代码不对、已用过或已过期，请在服务器上重新生成"]
        return False
    office = state or management.add_office(
        None, Level.STATE, form.office_name.data or "", "STATE", form.policy.data, []
    )
    holidays.enter_shipped(office)
    account = management.create_account(
        office, Role.ADMINISTRATOR, form.login.data or "", form.name.data or "", "", password_hash, None
    )
    audit.append(
        "account.created",
        "account",
        account.id,
        role=str(Role.ADMINISTRATOR),
        by="one-time code",
        content=digests.of_account(account),
    )
    db.session.commit()
    return True
