"""What the frame of every page shows: the menu of the role, who is signed in, and what people should know today.

What never belongs here: a decision about who may see a page; an entry left out here is still refused by its view.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_login import current_user
from werkzeug.local import LocalProxy

from portal.accounts.titles import ROLE_TITLES
from portal.cases import clock, items, queues
from portal.cases.access import Actor
from portal.cases.intake import reminders, scope
from portal.cases.loads.lifecycle import LOADERS
from portal.cases.stamped.receiving import UPLOADERS
from portal.extensions import db
from portal.models import Office, Role
from portal.oversight import holidays
from portal.web import actor

DECIDERS = (Role.HEAD, Role.REVIEWER, Role.APPROVER)
SEERS = (Role.REGISTRAR, *DECIDERS, Role.AUDITOR)

ABOUT_INTAKE = ("intake", "intake_plan", "admitted", "admitted_people", "not_reported", "province")
AT_HOME = ("queues.home", "queues.box")


@dataclass(frozen=True)
class Entry:
    """A line of the menu for some roles. It is current on its own page, and on every page of `blueprints`."""

    title: str
    endpoint: str
    icon: str
    roles: tuple[Role, ...]
    blueprints: tuple[str, ...] = ()
    counted: bool = False
    only: Callable[[Actor], bool] | None = None  # beyond the role: whether it concerns the office


ENTRIES = (
    Entry("待办工作", "queues.home", "inbox", SEERS, ("queues", "review"), counted=True),
    Entry("发起业务", "cases.choose", "plus", (Role.REGISTRAR,), ("cases", "rosters")),
    Entry("学籍查询", "register.search", "search", SEERS, ("register",)),
    Entry("数据导入", "loads.index", "table-import", LOADERS, ("loads", "proposals")),
    Entry("盖章表扫描", "stamped.index", "certificate", UPLOADERS, ("stamped",)),
    Entry(
        "高中招生",
        "intake.ledger",
        "school",
        (Role.REGISTRAR, Role.REVIEWER, Role.APPROVER, Role.AUDITOR),
        ABOUT_INTAKE,
        only=scope.concerns,
    ),
    Entry("国网录入", "landings.index", "package-export", SEERS, ("landings",)),
    Entry(
        "材料质量",
        "quality.figures",
        "chart-bar",
        (Role.APPROVER, Role.REVIEWER, Role.AUDITOR),
        ("quality", "picture_standards"),
    ),
    Entry("单位与账号", "admin.offices", "building-bank", (Role.ADMINISTRATOR,), ("admin", "account_admin")),
    Entry("放假安排", "holidays.year", "calendar-event", (Role.ADMINISTRATOR,), ("holidays",)),
    Entry("审计记录", "audit_trail.index", "shield-check", (Role.AUDITOR,), ("audit_trail",)),
    Entry("系统状态", "health.readiness", "settings", (Role.ADMINISTRATOR, Role.AUDITOR), ("health",)),
    Entry("政策依据", "policy_packs.index", "scale", tuple(Role), ("policy_packs", "local_conditions")),
    Entry("我的账号", "auth.my_sessions", "user", tuple(Role), ("auth",)),
)
HOME = {Role.ADMINISTRATOR: "admin.offices", Role.AUDITOR: "audit_trail.index"}
WAITING_BOX = {Role.REGISTRAR: "returned", **dict.fromkeys(DECIDERS, "todo")}


def init_app(app: Flask) -> None:
    app.context_processor(_frame)


def home_of(role: Role) -> str:
    """The endpoint where a person's work begins."""
    wanted = HOME.get(role, "queues.home")
    return wanted if wanted in current_app.view_functions else "auth.my_sessions"


def _frame() -> dict[str, Any]:
    """Context of layout.html. Each part is worked out when a template first looks at it: fragments and error pages,
    which must show even without a database, look at none."""
    return {
        "nav": _later(_nav),
        "me": _later(_me),
        "banners": _later(_banners),
        "home_url": _later(lambda: url_for(home_of(actor().role)) if _signed_in() else "/"),
        "sign_out_url": _later(lambda: url_for("auth.sign_out")),
    }


def _later(make: Callable[[], Any]) -> Any:
    return LocalProxy(cache(make))


def _signed_in() -> bool:
    """Whether the gate let somebody in for this request; never asks the database by itself."""
    return "_login_user" in g and current_user.is_authenticated


def _me() -> dict[str, str] | None:
    if not _signed_in():
        return None
    who = actor()
    return {"name": who.name, "office": who.office_name, "role": ROLE_TITLES[who.role]}


def _nav() -> list[dict[str, Any]]:
    if not _signed_in():
        return []
    who = actor()
    return [_shown(entry, who) for entry in ENTRIES if _usable(entry, who)]


def _usable(entry: Entry, who: Actor) -> bool:
    offered = who.role in entry.roles and entry.endpoint in current_app.view_functions
    return offered and (entry.only is None or entry.only(who))


def _shown(entry: Entry, who: Actor) -> dict[str, Any]:
    return {
        "title": entry.title,
        "url": url_for(entry.endpoint),
        "icon": entry.icon,
        "count": _waiting(who) if entry.counted else None,
        "active": request.endpoint == entry.endpoint or request.blueprint in entry.blueprints,
    }


def _waiting(who: Actor) -> object:
    """How many cases wait for this person; None for those for whom none can."""
    box = WAITING_BOX.get(who.role)
    return queues.count(who, queues.BOXES[box]) if box else None


def _banners() -> list[dict[str, str]]:
    if not _signed_in():
        return []
    who = actor()
    return [*_reminded(who), *_proposed(who), *_unknown_years(who)]


def _proposed(who: Actor) -> list[dict[str, str]]:
    """What schools' loads propose, where a reviewer's day begins."""
    count = items.count_waiting(who) if request.endpoint in AT_HOME else 0
    text = f"有 {count} 份学校导入的数据等待确认，请在“数据导入”中答复。"
    return [{"text": text, "tone": "soon"}] if count else []


def _reminded(who: Actor) -> list[dict[str, str]]:
    """催报, where a school's day begins and on the pages that it is about."""
    if request.endpoint not in AT_HOME and request.blueprint not in ABOUT_INTAKE:
        return []
    text = reminders.standing(who)
    return [{"text": text, "tone": "late"}] if text else []


def _unknown_years(who: Actor) -> list[dict[str, str]]:
    """Only for whoever can enter the notice; others read it beside the dates that hang on it."""
    if not holidays.may_enter(who):
        return []
    top = db.session.get_one(Office, who.office_id)
    return [
        {
            "text": f"{holidays.unknown_text(year)}，办理时限可能有误。请在“放假安排”中录入国务院的放假通知。",
            "tone": "soon",
        }
        for year in holidays.missing_years(clock.today(), top)
    ]
