"""The intake of the world: for each state a plan, a list of the admitted and a list that waits with errors; for each school
a roster that was sent to the province and came back with a number too many, one that was not, a draft and one under review, a person who did not come and one whose registration is postponed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from portal.cases import clock
from portal.cases.intake import admissions, admitted_rows, not_reported, province, province_return
from portal.cases.intake.scope import Scope, schools, scope_of
from portal.cases.rosters.sheet import SheetRows
from portal.extensions import db
from portal.models import Case, IntakeReminder, Office, ProvinceReturnRow, RosterRow
from portal.models.types import new_id
from portal.standards.school_year import year_of_entry
from tests.builders import act
from tests.intakes import a_list, a_person, a_plan, a_roster, receive_list

if TYPE_CHECKING:
    from tests.web.world import Estate

SERIAL = itertools.count(700)
PLACES = 20


def fill(estates: Sequence[Estate]) -> None:
    """Everything of an intake, by the engine's own acts; the estates of one state share its plan and list."""
    for place, state in enumerate({estate.state.id: estate.state for estate in estates}.values()):
        several = [estate for estate in estates if estate.state is state]
        people = {estate.name: _people(estate, 9) for estate in several}
        approver, year = several[0].actor("approver"), year_of_entry(clock.today())
        _count_from(place * 5000, state, year)
        plan = a_plan(state, approver, {estate.school: PLACES for estate in several}, year)
        words = several[0].canaries
        plan.document, plan.note = words.text("号"), words.text("，首次下达")
        admitted = a_list(state, approver, {one.school: people[one.name] for one in several}, year)
        admitted.filename, admitted.note = words.text(".xlsx"), words.text()
        _waiting(several[0])
        for estate in several:
            _of_school(estate, people[estate.name])


def _count_from(start: int, state: Office, year: int) -> None:
    """Two states of one policy would give the same 学号; in an installation of two, each has a policy of its own."""
    values = {"name": f"{state.code}:{year % 100}13", "last": start}
    db.session.execute(db.text("INSERT INTO number_series (name, last) VALUES (:name, :last)"), values)


def _people(estate: Estate, count: int) -> list[dict[str, str]]:
    words = estate.canaries
    made = []
    for _ in range(count):
        county = words.text("县")
        one = a_person(next(SERIAL), name=words.text(), class_name=words.text("班"))
        made.append({**one, "exam_county": county})
        words.numbers |= {one["exam_number"], one["id_number"]}
    return made


def _waiting(estate: Estate) -> None:
    scope = scope_here(estate, "approver")
    columns = [column.title for column in admitted_rows.columns(scope.roster)]
    texts = {"姓名": estate.canaries.text(), "录取学校": estate.canaries.text("中学")}
    cells = [texts.get(title, "") for title in columns]
    lines = "\n".join(",".join(line) for line in (columns, cells)).encode()
    known = admitted_rows.Schools.of(schools(scope))
    admissions.stage(scope, receive_list(scope, known, estate.canaries.text(".csv"), lines))


def _of_school(estate: Estate, people: list[dict[str, str]]) -> None:
    words = estate.canaries
    estate.rosters["sent"] = _approved(estate, [people[0], people[3]], 2)
    estate.rosters["approved"] = _approved(estate, people[1:2], 3)
    estate.rosters["draft"] = a_roster(estate.actor("registrar"), people[5:7], 6)
    estate.rosters["review"] = a_roster(estate.actor("registrar"), people[7:9], 6)
    act(estate.rosters["review"], estate.actor("registrar"), "submit")
    for name, case in estate.rosters.items():
        rows = db.select(RosterRow.id).where(RosterRow.case_id == case.id).order_by(RosterRow.position)
        estate.roster_rows[name] = [str(row) for row in db.session.scalars(rows)]
    document = words.text("号")
    province.send(scope_here(estate, "approver"), [estate.rosters["sent"].id], document, clock.today())
    _came_back(estate)
    form = {
        "exam_number": people[2]["exam_number"],
        "reason": words.text("，因病住院"),
        "until": (clock.today() + timedelta(days=30)).isoformat(),
    }
    kept = not_reported.postpone(scope_here(estate, "registrar"), estate.school, form)
    estate.postponements.append(kept)
    db.session.add(_reminder(estate.school, estate))
    words.ids |= {case.id.hex for case in estate.rosters.values()} | {kept.id.hex}
    words.numbers |= {case.number for case in estate.rosters.values()} | set(
        _numbers(estate.rosters.values())
    )


def _came_back(estate: Estate) -> None:
    """The last of the roster that was sent has a 学籍辅号, and the province gives another."""
    rows = db.select(RosterRow.number).where(RosterRow.case_id == estate.rosters["sent"].id)
    number = str(list(db.session.scalars(rows.order_by(RosterRow.number)))[-1])
    for turn in "12":
        secondary = f"F{turn}{estate.canaries.word}"
        sheet = SheetRows([(2, {"number": number, "secondary": secondary})])
        filename, digest = estate.canaries.text(".xlsx"), secondary.rjust(64, "0")
        province_return.take(scope_here(estate, "approver"), sheet, filename, digest)
    kept = db.select(ProvinceReturnRow.id).where(ProvinceReturnRow.number == number)
    estate.return_rows.append(str(db.session.scalars(kept).one()))


def _approved(estate: Estate, rows: list[dict[str, str]], actual: int) -> Case:
    case = a_roster(estate.actor("registrar"), rows, actual)
    act(case, estate.actor("registrar"), "submit")
    for person in ("reviewer", "approver"):
        act(case, estate.actor(person), "approve", note=estate.canaries.text())
    return case


def _reminder(school: Office, estate: Estate) -> IntakeReminder:
    reviewer = estate.people["reviewer"]
    return IntakeReminder(
        id=new_id(),
        school_id=school.id,
        year=year_of_entry(clock.today()),
        day=clock.today() - timedelta(days=3),
        office_id=reviewer.office_id,
        account_id=reviewer.id,
    )


def _numbers(cases: Iterable[Case]) -> Iterable[str]:
    query = db.select(RosterRow.number).where(RosterRow.case_id.in_([case.id for case in cases]))
    return [number for number in db.session.scalars(query) if number]


def scope_here(estate: Estate, person: str) -> Scope:
    found = scope_of(estate.actor(person))
    assert found is not None
    return found
