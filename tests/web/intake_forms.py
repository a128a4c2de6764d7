"""How the forms of an intake are filled, from the world's own plan, lists and rosters."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from portal.cases import clock
from portal.cases.intake import planning, plans
from portal.extensions import db
from portal.models import Admitted, Holiday, Office, Postponement, ProvinceReturnRow, RosterRow
from portal.standards.school_year import year_of_entry
from tests.builders import a_school
from tests.cases.test_sheets_as_people_have_them import book
from tests.intakes import a_person
from tests.web.intake_world import scope_here
from tests.web.world import World

Filled = tuple[str, dict[str, Any]]
TITLES = "准考证号,姓名,性别,民族,出生日期,身份证号,中考成绩,录取学校,中考报名县市"
KEYS = ("exam_number", "name", "sex", "ethnicity", "birth_date", "id_number", "exam_score")


def year() -> str:
    return str(year_of_entry(clock.today()))


def high_school(world: World) -> None:
    """The home school as it was: a form of the administrators has made it another."""
    school = db.session.get_one(Office, world.home.school.id, populate_existing=True)
    school.stages, school.active = ["高中"], True
    db.session.commit()


def file_of(*lines: str) -> tuple[io.BytesIO, str]:
    return io.BytesIO("\n".join(lines).encode()), "表.csv"


def reminder(world: World, _client: FlaskClient) -> Filled:
    """Of a school that has sent nothing, on a day on which offices work."""
    school = a_school(db.session.get_one(Office, world.home.county.id))
    row = Holiday(day=clock.today(), kind="work", name="试", notice="", office_id=world.home.state.id)
    db.session.merge(row)
    db.session.commit()
    return f"/intake/schools/{school.id}/remind", {"year": year()}


def plan(world: World, _client: FlaskClient) -> Filled:
    high_school(world)
    scope = scope_here(world.home, "approver")
    newest = plans.plan_of(scope.state.id, scope.year)
    form = planning.form_of(scope, newest)
    county, school = f"places-{world.home.county.id}", f"places-{world.home.school.id}"
    form |= {county: str(int(form[county]) + 1), school: str(int(form[school]) + 1)}
    seen = str(newest.number if newest else 0)
    db.session.rollback()
    return "/intake/plan/edit", form | {
        "year": year(), "seen": seen, "document": "文号", "note": "按报名人数调整"
    }  # fmt: skip


def plan_sheet(world: World, _client: FlaskClient) -> Filled:
    file = file_of("单位,招生计划", f"{world.home.school.name},30")
    return "/intake/plan/sheet", {"year": year(), "file": file, "document": "", "sheet": ""}


def admitted(world: World, _client: FlaskClient) -> Filled:
    high_school(world)
    lines = [
        ",".join([*(a_person(number)[key] for key in KEYS), world.home.school.code, "青禾县"])
        for number in (801, 802)
    ]
    return "/intake/admitted", {"year": year(), "file": file_of(TITLES, *lines), "sheet": ""}


def confirmed(world: World, client: FlaskClient) -> Filled:
    path, form = admitted(world, client)
    assert client.post(path, data=form).status_code == 303
    page = client.get(path).text
    seen = page.split('name="seen" value="')[1].split('"')[0]
    return f"{path}/confirm", {"year": year(), "seen": seen, "note": "补录后更换名单", "document": ""}


def other_sheet(world: World, client: FlaskClient) -> Filled:
    path, form = admitted(world, client)
    text = form["file"][0].getvalue().decode()
    lines = [line.split(",") for line in text.splitlines()]
    data = io.BytesIO(book(("甲", lines), ("乙", lines[:2])))
    assert client.post(path, data=form | {"file": (data, "录取.xlsx")}).status_code == 303
    return f"{path}/sheet", {"year": year(), "sheet": "乙"}


def discarded(world: World, client: FlaskClient) -> Filled:
    path, form = admitted(world, client)
    assert client.post(path, data=form).status_code == 303
    return f"{path}/discard", {"year": year()}


def postponement(world: World, _client: FlaskClient) -> Filled:
    high_school(world)
    school, scope = world.home.school, scope_here(world.home, "registrar")
    newest = plans.list_of(scope.state.id, scope.year)
    assert newest is not None
    query = select(Admitted.exam_number).where(
        Admitted.school_id == school.id,
        Admitted.list_id == newest.id,
        Admitted.exam_number.not_in(select(RosterRow.exam_number)),
        Admitted.exam_number.not_in(select(Postponement.exam_number)),
    )
    number = db.session.scalars(query.order_by(Admitted.exam_number)).first()
    db.session.rollback()
    until = (clock.today() + timedelta(days=9)).isoformat()
    form = {"year": year(), "exam_number": number, "reason": "因病住院", "until": until}
    return f"/intake/schools/{school.id}/postponements", form


def withdrawal(world: World, _client: FlaskClient) -> Filled:
    high_school(world)
    kept = world.home.postponements[0]
    return f"/intake/schools/{world.home.school.id}/postponements/{kept.id}/withdraw", {"year": year()}


def sent(world: World, _client: FlaskClient) -> Filled:
    case = world.home.rosters["approved"]
    form = {"document": "报送文号", "sent_on": clock.today().isoformat(), "case": str(case.id)}
    return "/intake/province/send", form | {"year": year()}


def province_sheet(world: World, _client: FlaskClient) -> Filled:
    return "/intake/province/sheet.xlsx", {"year": year(), "case": str(world.home.rosters["sent"].id)}


def returned(world: World, _client: FlaskClient) -> Filled:
    case = world.home.rosters["sent"]
    query = select(RosterRow.number).where(RosterRow.case_id == case.id, RosterRow.secondary_number == "")
    number = db.session.scalars(query).one()
    db.session.rollback()
    file = file_of("学号,学籍辅号", f"{number},F1")
    return "/intake/province/return", {"year": year(), "file": file, "sheet": ""}


def another_number(world: World, _client: FlaskClient) -> Filled:
    form = {"row": world.home.return_rows[0], "reason": "省厅更正号码", "document": "文号"}
    return "/intake/province/correct", form | {"year": year()}


def set_aside(world: World, client: FlaskClient) -> Filled:
    """A row about nobody, which a load has left."""
    file = file_of("学号,学籍辅号", "999999999998,F8")
    path = "/intake/province/return"
    assert client.post(path, data={"year": year(), "file": file}).status_code == 200
    query = select(ProvinceReturnRow.id).where(ProvinceReturnRow.number == "999999999998")
    row = str(db.session.scalars(query).one())
    db.session.rollback()
    return "/intake/province/set-aside", {"year": year(), "row": row}
