"""催报: a bureau asks a school below it to send its roster, at most once a day and never on a day off."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError

from portal import audit
from portal.cases import clock
from portal.cases.access import Actor
from portal.cases.intake import plans
from portal.cases.intake.scope import Scope
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Case, IntakeReminder, Level, Office, Role
from portal.models.types import new_id
from portal.standards.school_year import year_of_entry

REMINDERS = (Role.REVIEWER, Role.APPROVER)


def may_remind(actor: Actor) -> bool:
    return actor.role in REMINDERS


def remind(scope: Scope, school: Office) -> IntakeReminder:
    """Note today's reminder; the school sees it until it has sent a roster. Raises Refused."""
    today = clock.today()
    if not may_remind(scope.actor):
        raise Refused("只有县级审核人员和州级审批人员可以催报")
    if not clock.load_calendar(scope.own).works(today):
        raise Refused("今天是休息日，请在工作日催报")
    if has_sent(school, scope.year):
        raise Refused(f"{school.name}已经上报名单，不用催报")
    before = _on(school, scope.year, today)
    if before is not None:
        raise Refused(f"{before.office.name}今天已经催报过{school.name}，一天只催一次")
    made = IntakeReminder(
        id=new_id(),
        school_id=school.id,
        year=scope.year,
        day=today,
        office_id=scope.actor.office_id,
        account_id=scope.actor.id,
    )
    db.session.add(made)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Refused(f"今天已经催报过{school.name}，一天只催一次", conflict=True) from error
    audit.append("intake.reminded", "office", school.id, year=scope.year)
    return made


def has_sent(school: Office, year: int) -> bool:
    """Whether a roster of the school is in review or approved."""
    query = select(
        exists().where(
            Case.owner_office_id == school.id,
            Case.intake_year == year,
            Case.status.in_(plans.SPOKEN_FOR),
        )
    )
    return bool(db.session.scalar(query))


def newest(scope: Scope) -> dict[object, IntakeReminder]:
    """The last reminder of each school in the state, {school id: reminder}; the caller shows those in reach."""
    query = select(IntakeReminder).where(IntakeReminder.year == scope.year)
    query = query.join(Office, Office.id == IntakeReminder.school_id)
    query = query.where(Office.path.startswith(scope.actor.office_path, autoescape=True))
    return {one.school_id: one for one in db.session.scalars(query.order_by(IntakeReminder.day))}


def standing(actor: Actor) -> str:
    """What a school's people are told while they have been reminded and have not sent a roster; "" for all others."""
    if actor.office_level is not Level.SCHOOL or actor.role not in (Role.REGISTRAR, Role.HEAD):
        return ""
    year = year_of_entry(clock.today())
    query = select(IntakeReminder).where(
        IntakeReminder.school_id == actor.office_id, IntakeReminder.year == year
    )
    last = db.session.scalars(query.order_by(IntakeReminder.day.desc()).limit(1)).one_or_none()
    if last is None or has_sent(db.session.get_one(Office, actor.office_id), year):
        return ""
    return f"{last.day.month} 月 {last.day.day} 日 {last.office.name}催报：请尽快上报 {year} 年高一新生学籍注册名单。"


def _on(school: Office, year: int, day: object) -> IntakeReminder | None:
    query = select(IntakeReminder).where(
        IntakeReminder.school_id == school.id, IntakeReminder.year == year, IntakeReminder.day == day
    )
    return db.session.scalars(query).one_or_none()
