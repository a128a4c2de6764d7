"""What a page of a reviewer's queue costs among a million cases, and whether a deep page costs more than the first.

    python -m benchmarks.queue_page [--cases 1000000] [--small] [--database postgresql+psycopg://…]

A quarter of the cases wait for one county. Milliseconds are medians of 15 runs: the query alone, and the whole page
as a signed-in reviewer gets it. A database that is named must be empty.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from urllib.parse import urlencode

from flask.testing import FlaskClient
from sqlalchemy import text

from benchmarks._installation import installation, milliseconds
from portal.cases import queues
from portal.cases.access import Actor
from portal.cases.queues import BOXES, Box, Filters
from portal.extensions import db, reading_only
from portal.models import Case, Level, Office, Role
from tests.builders import a_pupil, a_state, an_actor, an_office, sign_in

COUNTIES, SCHOOLS, PUPILS = 4, 25, 5000
CASES = """
    {rows}
    INSERT INTO cases (id, number, workflow, policy, pupil_id, pupil_version, owner_office_id, holder_office_id, status,
        step, round, version, answers, doubtful, created_by_id, created_at, submitted_by_id, submitted_at, changed_at,
        due_on, clock_from, clock_used, clock_limit)
    SELECT {random_id}, 'GJ' || (2026000000 + n.i), 'key_information_change', 'gs-linxia-2022', p.id, 0, s.id,
        CASE WHEN {waits} THEN s.parent_id END, CASE WHEN {waits} THEN 'in_review' ELSE 'approved' END,
        CASE WHEN {waits} THEN 'county_review' ELSE '' END, 1, 2, '{{}}', n.i % 50 = 0, {registrar}, {moment},
        {registrar}, {moment}, {moment}, CASE WHEN {waits} THEN {due} END, CASE WHEN {waits} THEN {due} END, 0, 10
    FROM n JOIN bench_schools s ON s.i = n.i % :schools JOIN bench_pupils p ON p.i = n.i % :pupils
"""
DIALECTS = {
    "sqlite": {
        "rows": "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :cases)",
        "random_id": "lower(hex(randomblob(16)))",
        "registrar": ":registrar",
        "moment": "strftime('%Y-%m-%d %H:%M:%f', '2025-09-01', '+' || (n.i * 25) || ' seconds') || '000'",
        "due": "date('2026-09-01', '+' || (n.i % 997 % 120) || ' days')",
    },
    "postgresql": {
        "rows": "WITH n AS (SELECT generate_series(0, :cases - 1) AS i)",
        "random_id": "gen_random_uuid()",
        "registrar": "CAST(:registrar AS uuid)",
        "moment": "timestamptz '2025-09-01 00:00:00+00' + n.i * interval '25 seconds'",
        "due": "date '2026-09-01' + n.i % 997 % 120",
    },
}


def build(cases: int) -> Actor:
    """Offices, pupils and cases in bulk. Returns a reviewer of the county for which a quarter of the cases wait."""
    state = a_state()
    counties = [an_office(Level.COUNTY, state) for _ in range(COUNTIES)]
    schools = [an_office(Level.SCHOOL, county) for county in counties for _ in range(SCHOOLS)]
    registrar = an_actor(Role.REGISTRAR, schools[0])
    reviewer = an_actor(Role.REVIEWER, counties[0])
    a_pupil(schools[0])
    db.session.commit()
    _number_pupils(schools)
    db.session.execute(
        text(
            "CREATE TABLE bench_schools AS SELECT * FROM (SELECT 0 AS i, id, parent_id FROM offices) x WHERE 1=0"
        )
    )
    for i, school in enumerate(schools):
        statement = text("INSERT INTO bench_schools SELECT :i, id, parent_id FROM offices WHERE code = :code")
        db.session.execute(statement, {"i": i, "code": school.code})
    words = DIALECTS[db.engine.dialect.name]
    statement = text(CASES.format(waits=f"n.i % :schools < {SCHOOLS}", **words))
    values = {"cases": cases, "schools": len(schools), "pupils": PUPILS, "registrar": registrar.id.hex}
    db.session.execute(statement, values)
    db.session.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if db.engine.dialect.name == "sqlite" else "VACUUM ANALYZE"))
    return reviewer


def _number_pupils(schools: list[Office]) -> None:
    """PUPILS pupils, numbered in a table of the benchmark's own."""
    for i in range(PUPILS):
        a_pupil(schools[i % len(schools)], student_number=f"L62299920100506{i:05d}")
    db.session.commit()
    db.session.expunge_all()
    db.session.execute(
        text(
            "CREATE TABLE bench_pupils AS SELECT row_number() OVER (ORDER BY student_number) - 1 AS i, id FROM pupils"
        )
    )


def deep_key(reviewer: Actor, filters: Filters, rows: int) -> str:
    """The paging key that a person has after `rows` rows; made by an offset, which the portal itself never uses."""
    column, descending = queues._order(BOXES["todo"], filters)
    query = queues._walk(db.select(Case), reviewer, BOXES["todo"], filters, descending)
    return queues.make_key(db.session.scalars(query.offset(rows - 1).limit(1)).one(), column, rows)


def measure(reviewer: Actor, client: FlaskClient, pages: int) -> None:
    for sort in BOXES["todo"].sorts:
        _measure_order(reviewer, client, pages, sort)
    for box in queues.boxes_for(reviewer):
        print(f"{'first page of ' + box.title:<40} {_first_page(reviewer, box):8.1f} ms")


def _measure_order(reviewer: Actor, client: FlaskClient, pages: int, sort: str) -> None:
    filters, title = Filters(sort=sort), queues.SORT_TITLES[sort]
    key = deep_key(reviewer, filters, pages * queues.PAGE)

    def query(after: str) -> None:
        _fresh(lambda: queues.page(reviewer, BOXES["todo"], filters, after=after))

    def whole(after: str) -> None:
        _get(client, f"/queue/todo?{urlencode({'sort': sort, 'after': after})}")

    show(f"query, {title}", query, key, pages)
    show(f"whole page, {title}", whole, key, pages)


def _first_page(reviewer: Actor, box: Box) -> float:
    return milliseconds(lambda: _fresh(lambda: queues.page(reviewer, box, Filters())), 5)


def show(what: str, work: Callable[[str], object], key: str, pages: int) -> None:
    first, deep = milliseconds(lambda: work("")), milliseconds(lambda: work(key))
    print(
        f"{what:<40} first {first:8.1f} ms   page {pages + 1} {deep:8.1f} ms   deep/first {deep / first:.2f}"
    )


def _fresh(work: Callable[[], object]) -> None:
    """In a transaction of its own that reads only, as in a GET request, with nothing remembered."""
    with reading_only():
        work()
        db.session.rollback()
        db.session.expunge_all()


def _get(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200, answer.status_code


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument(
        "--small", action="store_true", help="20,000 cases: whether it runs, not what it costs"
    )
    parser.add_argument("--database", default="", help="URL of an empty PostgreSQL database")
    chosen = parser.parse_args()
    cases = 20_000 if chosen.small else chosen.cases
    with installation(chosen.database) as app:
        begun = time.perf_counter()
        reviewer = build(cases)
        waiting = cases * SCHOOLS // (COUNTIES * SCHOOLS)
        print(
            f"{db.engine.dialect.name}: {cases} cases, {waiting} waiting, built in {time.perf_counter() - begun:.0f} s"
        )
        client = app.test_client()
        sign_in(client, reviewer)
        measure(reviewer, client, pages=max(1, min(2000, waiting // queues.PAGE - 2)))


if __name__ == "__main__":
    main()
