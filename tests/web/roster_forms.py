"""How the forms of a roster are filled, from the world's own draft and the one under review."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

from portal.cases.actions import stamp
from portal.extensions import db
from portal.models import Case, RosterRow
from portal.models.types import utcnow
from tests.intakes import as_sheet, people
from tests.web.intake_forms import high_school
from tests.web.world import World

Filled = tuple[str, dict[str, Any]]


def to(roster: str, path: str, **fields: Any) -> Callable[[World, FlaskClient], Filled]:
    """A form of this roster with its present stamp; "@row" is the first of its rows, in the path too."""

    def fill(world: World, _client: FlaskClient) -> Filled:
        case = db.session.get_one(Case, world.home.rosters[roster].id, populate_existing=True)
        rows = db.select(RosterRow.id).where(RosterRow.case_id == case.id).order_by(RosterRow.position)
        row = str(db.session.scalars(rows).first())
        posted = {key: row if value == "@row" else value for key, value in fields.items()}
        address = f"/cases/{case.id}/roster/{path.replace('@row', row)}"
        posted["version"] = stamp(case)
        db.session.rollback()
        return address, posted

    return fill


def load(world: World, client: FlaskClient) -> Filled:
    """A sheet of two more people."""
    path, posted = to("draft", "load", mode="add")(world, client)
    return path, posted | {"file": (io.BytesIO(as_sheet(people(2, 900))), "登记表.xlsx"), "sheet": ""}


def put_back(world: World, client: FlaskClient) -> Filled:
    """Of a row that the county struck."""
    rows = db.select(RosterRow).where(RosterRow.case_id == world.home.rosters["review"].id)
    row = db.session.scalars(rows.order_by(RosterRow.position)).first()
    assert row is not None
    row.struck_step, row.struck_reason, row.struck_at = "county_review", "录取信息待核", utcnow()
    db.session.commit()
    return to("review", "put-back", row="@row")(world, client)


def again(world: World, client: FlaskClient) -> Filled:
    """Of an approved roster from which somebody was struck."""
    high_school(world)
    row = db.session.scalars(
        db.select(RosterRow).where(RosterRow.case_id == world.home.rosters["approved"].id)
    ).first()
    assert row is not None
    struck = {
        "case_id": row.case_id,
        "position": 99,
        "values": dict(row.values),
        "exam_number": "226277777777",
    }
    db.session.add(
        RosterRow(
            **struck,
            struck_step="county_review",
            struck_reason="录取信息待核",
            struck_at=world.home.rosters["approved"].ended_at,
        )
    )
    db.session.commit()
    return to("approved", "again")(world, client)
