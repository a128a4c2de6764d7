"""What a roster of new pupils costs: reading, checking, its page, submitting and approving; and 200 schools in one minute.

    python -m benchmarks.roster [--rows 3000] [--schools 200] [--each 300] [--small] [--database postgresql+psycopg://…]

The first part is one school with so many rows, each act from reading the case to the end of the commit, as a POST does
it. In the second part 200 schools with 300 rows each press 提交 at once, eight at a time, over HTTP against two workers of
four threads; seconds until all have their answer, and the slowest answer. A database that is named must be empty.
"""

from __future__ import annotations

import argparse
import io
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

from benchmarks._installation import installation, milliseconds
from portal.cases import starting
from portal.cases.access import Actor
from portal.cases.actions import Act, perform, stamp
from portal.cases.facts import read_facts
from portal.cases.rosters import editing
from portal.cases.rosters.sheet import read_sheet
from portal.extensions import db
from portal.models import Case, Pupil, Role, Status
from portal.settings import Settings
from portal.workflows import workflow
from tests.builders import Cast, a_school, an_actor, sign_in
from tests.intakes import ENROLMENT, a_list, a_plan, a_roster, as_sheet, people
from tests.web.live import Visitor, serving


def timed(name: str, work: Callable[[], object]) -> None:
    begun = time.perf_counter()
    work()
    print(f"  {name}: {(time.perf_counter() - begun) * 1000:.0f} ms")


def acts(case_id: uuid.UUID, who: Actor, verb: str) -> None:
    """One act as a POST does it: the case is read anew, the act written and committed."""
    db.session.expire_all()
    case = db.session.get_one(Case, case_id)
    perform(case, who, verb, stamp(case), Act())
    db.session.commit()


def one_school(app: Flask, cast: Cast, rows: int) -> None:
    everybody = people(rows)
    a_plan(cast.state, cast.approver, {cast.school: rows})
    a_list(cast.state, cast.approver, {cast.school: everybody})
    case = starting.start_roster(cast.registrar, workflow(ENROLMENT))
    case_id = case.id
    db.session.commit()
    sheet, columns = as_sheet(everybody), editing.roster_of(case).columns
    print(f"{db.engine.dialect.name}: one school, {rows} rows")
    timed("read the sheet", lambda: read_sheet(io.BytesIO(sheet), columns))
    texts = [one for _, one in read_sheet(io.BytesIO(sheet), columns).rows]

    def load() -> None:
        case = db.session.get_one(Case, case_id)
        editing.replace_rows(case, cast.registrar, stamp(case), texts)
        db.session.commit()

    timed("put the rows down", load)
    case = db.session.get_one(Case, case_id)
    perform(case, cast.registrar, "edit", stamp(case), Act(answers={"actual": str(rows)}))
    db.session.commit()

    def check() -> None:
        facts = read_facts(db.session.get_one(Case, case_id))
        assert not workflow(ENROLMENT).refusals(facts)

    print(f"  every check of every row: {milliseconds(check, 5):.0f} ms")
    client = app.test_client()
    sign_in(client, cast.registrar)

    def page() -> None:
        assert client.get(f"/cases/{case_id}/roster").status_code == 200
        db.session.rollback()

    print(f"  the page of the roster: {milliseconds(page, 5):.0f} ms")
    timed("submit", lambda: acts(case_id, cast.registrar, "submit"))
    timed("approve (county)", lambda: acts(case_id, cast.reviewer, "approve"))
    timed("approve (state), all into the register", lambda: acts(case_id, cast.approver, "approve"))
    assert (
        db.session.query(Pupil).filter(Pupil.school_id == cast.school.id, Pupil.grade == "高一").count()
        >= rows
    )


def many_schools(app: Flask, cast: Cast, schools: int, each: int) -> None:
    settings: Settings = app.extensions["settings"]
    made = [a_school(cast.state) for _ in range(schools)]
    everybody = {school: people(each, 100_000 + number * each) for number, school in enumerate(made)}
    a_plan(cast.state, cast.approver, dict.fromkeys(made, each))
    a_list(cast.state, cast.approver, everybody)
    drafts = []
    for school in made:
        who = an_actor(Role.REGISTRAR, school)
        drafts.append((who, a_roster(who, everybody[school]).id))
        db.session.commit()
    with serving(settings) as port:
        ready = [(Visitor.signed_in(app, port, who), case_id) for who, case_id in drafts]
        stamps = {case_id: stamp(db.session.get_one(Case, case_id)) for _, case_id in ready}
        db.session.rollback()

        def submit(one: tuple[Visitor, uuid.UUID]) -> float:
            visitor, case_id = one
            visitor.get("/cases/new")  # for the token of its forms
            begun = time.perf_counter()
            answer = visitor.post(f"/cases/{case_id}/submit", {"version": stamps[case_id]})
            assert answer.status == 303, answer.text
            return time.perf_counter() - begun

        begun = time.perf_counter()
        with ThreadPoolExecutor(8) as pool:
            taken = sorted(pool.map(submit, ready))
        total = time.perf_counter() - begun
    sent = db.session.query(Case).filter(Case.status == Status.IN_REVIEW).count()
    assert sent == schools
    print(
        f"{db.engine.dialect.name}: {schools} schools with {each} rows each, eight at a time: all in {total:.0f} s, "
        f"median {taken[schools // 2]:.2f} s, slowest {taken[-1]:.2f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--schools", type=int, default=200)
    parser.add_argument("--each", type=int, default=300)
    parser.add_argument("--small", action="store_true", help="few rows and schools: whether it runs")
    parser.add_argument("--database", default="", help="URL of an empty PostgreSQL database")
    chosen = parser.parse_args()
    rows, schools, each = (100, 6, 10) if chosen.small else (chosen.rows, chosen.schools, chosen.each)
    with installation(chosen.database) as app:
        cast = Cast()
        one_school(app, cast, rows)
        many_schools(app, cast, schools, each)


if __name__ == "__main__":
    main()
