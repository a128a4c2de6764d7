"""What the pages of an intake have in common: whose scope it is, the other pages and years, a posted file."""

from __future__ import annotations

from typing import Any, BinaryIO

from flask import Response, request, url_for

from portal.cases import clock
from portal.cases.intake import scope as scopes
from portal.cases.intake.scope import Scope, scope_of
from portal.models import Level, Role
from portal.web import actor, found, reply

READERS = (Role.REGISTRAR, Role.REVIEWER, Role.APPROVER, Role.AUDITOR)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FIRST_YEAR, LAST_YEAR = 2000, 2099
NO_FILE = "请选择文件（.xlsx 或 .csv）"


def scope() -> Scope:
    """The person's scope in the year that is asked for, or 404."""
    year = request.values.get("year", 0, type=int)
    return found(scope_of(actor(), year if FIRST_YEAR <= year <= LAST_YEAR else None))


def page(template: str, status: int, here: Scope, **context: Any) -> Response:
    """A page of the intake with its tabs and the years to go to."""
    endpoint = request.endpoint or ""
    years = [(year, url_for(_page_of(endpoint), year=year), year == here.year) for year in scopes.years(here)]
    return reply(
        template,
        status,
        scope=here,
        tabs=_tabs(here, endpoint),
        years=years,
        due=here.due,
        today=clock.today(),
        **context,
    )


def _tabs(here: Scope, endpoint: str) -> list[dict[str, object]]:
    """The pages of this person; a school's fourth is its own people who did not come."""
    pages = [("intake.ledger", "台账"), ("intake_plan.page", "招生计划"), ("admitted.page", "录取名单")]
    opened = {"admitted_people.page": "admitted.page"}.get(_page_of(endpoint), _page_of(endpoint))
    tabs = [(title, url_for(name, year=here.year), opened == name) for name, title in pages]
    if here.actor.office_level is not Level.SCHOOL:
        province = url_for("province.page", year=here.year)
        tabs.append(("报省", province, endpoint.startswith("province.")))
    else:
        own, there = (
            url_for("not_reported.page", office_id=here.own.id, year=here.year),
            endpoint.startswith("not_reported."),
        )
        tabs = [(title, url, active and not there) for title, url, active in tabs]
        tabs.append(("未报到", own, there))
    return [{"title": title, "url": url, "active": active} for title, url, active in tabs]


def _page_of(endpoint: str) -> str:
    """The page to which a form or a download belongs."""
    blueprint = endpoint.partition(".")[0]
    return {
        "intake_plan": "intake_plan.page",
        "admitted": "admitted.page",
        "admitted_people": "admitted_people.page",
        "province": "province.page",
    }.get(blueprint, "intake.ledger")


def posted_file() -> tuple[str, BinaryIO] | None:
    """(name, bytes as a stream) of the file in the field `file`; None when none was chosen."""
    file = request.files.get("file")
    return (file.filename, file.stream) if file and file.filename else None  # type: ignore[return-value]


def number(name: str) -> int:
    """A posted whole number, -1 for anything else."""
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else -1
