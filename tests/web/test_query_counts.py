"""A list asks the database as often for many rows as for one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from portal import tasks
from portal.cases import claims
from portal.extensions import db
from tests.builders import Cast, a_case, a_file, a_pupil, sign_in

pytestmark = pytest.mark.pages


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SELECTs that the database is asked inside."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def asked_for(app: Flask, who: Any, address: str, rows: int) -> int:
    """How many SELECTs a page with this many rows takes."""
    client = app.test_client()
    sign_in(client, who)
    db.session.rollback()
    db.session.expunge_all()
    with statements() as found:
        answer = client.get(address)
    db.session.rollback()
    assert answer.status_code == 200 and answer.text.count("<tr") >= rows
    return len(found)


@pytest.mark.parametrize(
    ("place", "person", "address"),
    [
        ("county_review", "reviewer", "/queue/todo"),
        ("county_review", "registrar", "/queue/started"),
        ("county_review", "auditor", "/queue/all"),
        ("approved", "approver", "/landings"),
        ("approved", "registrar", "/landings"),
    ],
)
def test_a_list_costs_the_same_for_many_rows(app: Flask, place: str, person: str, address: str) -> None:
    cast = Cast()
    counts = []
    for more, rows in ((1, 1), (4, 5)):
        for _ in range(more):
            case = a_case(cast, place, pupil=a_pupil(cast.school))
            if place == "county_review":
                assert claims.claim(case, cast.reviewer)
        db.session.commit()
        tasks.wait()
        counts.append(asked_for(app, getattr(cast, person), address, rows))
    assert counts[0] == counts[1], counts


@pytest.mark.parametrize("page", ["desk", "check", "papers"])
def test_the_pages_of_a_case_cost_the_same_for_many_files(app: Flask, page: str) -> None:
    cast = Cast()
    case = a_case(cast, "county_review" if page == "desk" else "ready")
    who = cast.reviewer if page == "desk" else cast.registrar
    counts = []
    for more in (0, 5):
        for _ in range(more):
            a_file(case, "change_certificate", cast.registrar)
        db.session.commit()
        tasks.wait()
        counts.append(asked_for(app, who, f"/cases/{case.id}/{page}", 0))
    assert counts[0] == counts[1], counts
