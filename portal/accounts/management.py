"""Who may make, change or end which account and office: an administrator rules the own office and all below it.

Administrators and auditors of an office are appointed by the office above, so that nobody appoints their own watcher;
only the topmost office, which has none above, appoints its own.

What never belongs here: HTTP, a case, a pupil.
"""

from __future__ import annotations

import uuid

from sqlalchemy import ColumnElement, func, select

from portal.accounts import attempts, known_browsers, passwords, sessions
from portal.accounts.near_words import near_words
from portal.accounts.titles import roles_at
from portal.cases.access import Actor, offices_under
from portal.cases.offices import SUPERVISED_BY, line_of, place_below
from portal.extensions import db
from portal.models import Account, Level, Office, Role
from portal.models.types import new_id

APPOINTED_FROM_ABOVE = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})


class Refused(Exception):
    """Why a change cannot be made; the text is for the person."""


def office_in_reach(actor: Actor) -> ColumnElement[bool]:
    """Offices that an administrator sees: the own one and all below."""
    return Office.path.startswith(actor.office_path, autoescape=True)


def account_in_reach(actor: Actor) -> ColumnElement[bool]:
    """Accounts that an administrator sees: of those offices."""
    return Account.office_id.in_(offices_under(actor.office_path))


def find_office(actor: Actor, office_id: uuid.UUID) -> Office | None:
    return db.session.scalars(
        select(Office).where(Office.id == office_id, office_in_reach(actor))
    ).one_or_none()


def find_account(actor: Actor, account_id: uuid.UUID) -> Account | None:
    return db.session.scalars(
        select(Account).where(Account.id == account_id, account_in_reach(actor))
    ).one_or_none()


def may_edit_office(actor: Actor, office: Office) -> bool:
    """Offices below; the own one only at the top, where nobody stands above it."""
    return office.id != actor.office_id or office.parent_id is None


def child_levels(office: Office) -> list[Level]:
    """The levels of office that may hang directly under this one."""
    return [level for level, above in SUPERVISED_BY.items() if Level(office.level) in above]


def roles_for(actor: Actor, office: Office) -> list[Role]:
    """The roles that this administrator may give at this office."""
    found = roles_at(Level(office.level))
    if may_edit_office(actor, office):
        return found
    return [role for role in found if role not in APPOINTED_FROM_ABOVE]


def may_manage(actor: Actor, account: Account) -> bool:
    """Whether the actor may end, reset or change an account in reach; nobody manages themselves."""
    return account.id != actor.id and Role(account.role) in roles_for(actor, account.office)


def add_office(
    parent: Office | None, level: Level, name: str, code: str, policy: str | None, stages: list[str]
) -> Office:
    """A new office under its supervisor, in the running transaction."""
    office = Office(id=new_id(), name=name, level=level, code=code, policy=policy, stages=stages)
    place_below(office, parent)
    db.session.add(office)
    db.session.flush()
    return office


def set_office_active(office: Office, active: bool) -> None:
    """Close an office or open it again. Raises Refused while offices below it are open, or the one above is closed."""
    if active and office.parent and not office.parent.active:
        raise Refused("上级单位已停用，请先启用上级单位")
    if not active and count_children(office):
        raise Refused("还有启用中的下级单位，请先停用下级单位或把它们另行安排")
    office.active = active
    if not active:
        for account_id in db.session.scalars(select(Account.id).where(Account.office_id == office.id)):
            sessions.end_all(account_id, "office_closed")


def count_children(office: Office) -> int:
    query = select(func.count()).where(Office.parent_id == office.id, Office.active)
    return db.session.execute(query).scalar_one()


def fault_in_login(login: str) -> str:
    """Why a new login is refused, "" when it is free."""
    if db.session.scalar(select(Account.id).where(func.lower(Account.login) == login.lower())):
        return "这个登录名已被使用，请换一个"
    return ""


def fault_in_phone(phone: str, account: Account | None = None) -> str:
    """One person has one account: the same telephone at two living accounts is refused."""
    if not phone:
        return ""
    query = select(Account.id).where(Account.phone == phone, Account.active)
    if account:
        query = query.where(Account.id != account.id)
    if db.session.scalar(query.limit(1)):
        return "这个手机号已登记在另一个启用的账号上；一人只能有一个账号"
    return ""


def create_account(
    office: Office, role: Role, login: str, name: str, phone: str, password_hash: str, by: uuid.UUID | None
) -> Account:
    """A new account in the running transaction; a hash of an initial password must be changed at first sign-in."""
    if role not in roles_at(Level(office.level)):
        raise Refused("这类单位没有这个岗位")
    account = Account(
        id=new_id(),
        login=login,
        name=name,
        phone=phone,
        role=role,
        office=office,
        office_id=office.id,
        password_hash=password_hash,
        must_change_password=by is not None,
        created_by_id=by,
    )
    db.session.add(account)
    db.session.flush()
    return account


def set_account_active(account: Account, active: bool) -> None:
    """End or renew an account; ending it ends its sessions at once. Raises Refused where one person would get two."""
    if active and (fault := fault_in_phone(account.phone, account)):
        raise Refused(fault)
    account.active = active
    if not active:
        sessions.end_all(account.id, "account_closed")
        known_browsers.forget_all(account.id)


def reset_password(account: Account, password_hash: str) -> None:
    """Give a new initial password: the old one, every session and every known browser end at once."""
    account.password_hash = password_hash
    account.must_change_password = True
    sessions.end_all(account.id, "password_reset")
    known_browsers.forget_all(account.id)


def change_password(account: Account, password_hash: str) -> None:
    """The person's own new password; every session ends, the caller begins a new one."""
    account.password_hash = password_hash
    account.must_change_password = False
    sessions.end_all(account.id, "password_changed")


def unlock(secret: str, account: Account) -> None:
    attempts.unlock(attempts.login_key(secret, account.login))


def words_near(account: Account) -> list[str]:
    """Words that a password of this person must not contain."""
    offices = [one.name for one in line_of(account.office)]
    return near_words(account.login, account.name, account.phone, offices, account.office.code)


def new_initial_password() -> tuple[str, str]:
    """A random password to hand over once, and its hash."""
    password = passwords.initial()
    return password, passwords.hash_password(password)
