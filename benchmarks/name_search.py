"""What finding a pupil by name costs among a million, beside the bare query of the same rows and beside a LIKE.

    python -m benchmarks.name_search [--pupils 1000000] [--small] [--database postgresql+psycopg://…]

Four counties of 25 schools; a third of the pupils bear one surname. Milliseconds are medians of 15 runs: the portal's own
query of ids in order, the bare query of the index, the whole search with the pupils loaded, and LIKE on the names of the
county. A database that is named must be empty.
"""

from __future__ import annotations

import argparse
import random
import time

from sqlalchemy import text

from benchmarks._installation import installation, milliseconds
from portal.cases import name_index, roster
from portal.cases.access import Actor
from portal.extensions import db
from portal.models import Level, Office, Pupil, Role
from portal.standards import names
from tests.builders import a_pupil, a_state, an_actor, an_office

COUNTIES, SCHOOLS, NAMES = 4, 25, 60_000
SURNAMES = "马马马马马马马马马马马王李张刘陈杨赵黄周吴徐孙胡朱高林何郭罗梁宋郑谢韩唐冯"
GIVEN = "小明晓红国强建华丽芳军伟娜静敏磊洋勇艳杰涛超秀霞平刚桂英文辉玲梅林东海龙云飞春雪玉兰志宏佳欣怡然子轩浩宇博雨泽梓涵诗涵一诺"
WANTED = (
    ("two characters, common", "马小"),
    ("two characters of a given name", "小明"),
    ("three characters", "马小明"),
    ("one character", "马"),
    ("initials", "mxm"),
    ("full pinyin", "maxiaoming"),
    ("nobody", "龙龟"),
)
DIALECTS = {
    "sqlite": (
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :pupils)",
        "lower(hex(randomblob(16)))",
    ),
    "postgresql": (
        "WITH n AS (SELECT generate_series(CAST(0 AS bigint), :pupils - 1) AS i)",
        "gen_random_uuid()",
    ),
}


def build(pupils: int) -> Actor:
    """Offices and pupils in bulk, each name with what the portal keeps of it. Returns a reviewer of one county."""
    state = a_state()
    counties = [an_office(Level.COUNTY, state) for _ in range(COUNTIES)]
    schools = [an_office(Level.SCHOOL, county) for county in counties for _ in range(SCHOOLS)]
    reviewer = an_actor(Role.REVIEWER, counties[0])
    model = a_pupil(schools[0], name="模范")
    db.session.commit()
    named = min(NAMES, pupils // 4)
    _temporary(schools, named)
    rows, random_id = DIALECTS[db.engine.dialect.name]
    changed = {
        "id": random_id,
        "student_number": "'L' || (622999201000000000 + n.i)",
        "school_id": "s.id",
        "name": "b.name",
        "name_key": "b.name_key",
        "initials": "b.initials",
        "id_number": "''",
    }
    columns = [column.name for column in Pupil.__table__.columns]
    values = ", ".join(changed.get(name, f'p."{name}"') for name in columns)
    statement = f"""{rows} INSERT INTO pupils ({", ".join(f'"{name}"' for name in columns)}) SELECT {values}
        FROM n JOIN bench_schools s ON s.i = n.i % {len(schools)} JOIN bench_names b ON b.i = (n.i * 7919) % {named}
        JOIN pupils p ON p.student_number = :model"""
    db.session.execute(text(statement), {"pupils": pupils, "model": model.student_number})
    db.session.execute(
        text("""INSERT INTO name_grams (gram, county_id, name, pupil_id) SELECT g.gram, s.parent_id, g.ordered, p.id
            FROM bench_names b JOIN bench_grams g ON g.i = b.i JOIN pupils p ON p.name = b.name
            JOIN bench_schools s ON s.id = p.school_id ORDER BY 1, 2, 3, 4""")
    )
    db.session.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if db.engine.dialect.name == "sqlite" else "VACUUM ANALYZE"))
    return reviewer


def _temporary(schools: list[Office], named: int) -> None:
    """Names, what is kept of them, and schools, numbered in tables of the benchmark's own."""
    chosen = random.Random(7)
    made: dict[str, None] = {}
    while len(made) < named:
        given = "".join(chosen.choice(GIVEN) for _ in range(chosen.choice((1, 2, 2, 2))))
        made.setdefault(chosen.choice(SURNAMES) + given)
    for statement in (
        "CREATE TABLE bench_names (i INTEGER, name VARCHAR(80), name_key VARCHAR(80), initials VARCHAR(80))",
        "CREATE TABLE bench_grams (i INTEGER, gram VARCHAR(4), ordered VARCHAR(600))",
        "CREATE TABLE bench_schools AS SELECT 0 AS i, id, parent_id FROM offices WHERE 1 = 0",
    ):
        db.session.execute(text(statement))
    known = [
        {"i": i, "name": name, "name_key": names.name_key(name), "initials": names.initials(name)}
        for i, name in enumerate(made)
    ]
    grams = [
        {"i": i, "gram": gram, "ordered": order}
        for i, name in enumerate(made)
        for gram, order in name_index.entries(name)
    ]
    db.session.execute(text("INSERT INTO bench_names VALUES (:i, :name, :name_key, :initials)"), known)
    db.session.execute(text("INSERT INTO bench_grams VALUES (:i, :gram, :ordered)"), grams)
    for i, school in enumerate(schools):
        one = text("INSERT INTO bench_schools SELECT :i, id, parent_id FROM offices WHERE code = :code")
        db.session.execute(one, {"i": i, "code": school.code})
    for statement in (
        "CREATE INDEX ix_bench_names ON bench_names (i)",
        "CREATE INDEX ix_bench_grams ON bench_grams (i)",
        "CREATE INDEX ix_bench_schools ON bench_schools (i)",
        "CREATE INDEX ix_bench_ids ON bench_schools (id)",
        "CREATE INDEX ix_bench_named ON bench_names (name)",
    ):
        db.session.execute(text(statement))
    db.session.commit()


def measure(reviewer: Actor) -> None:
    for title, wanted in WANTED:
        _show(title, reviewer, wanted, roster.Place())
    page, deep = roster.search(reviewer, "马"), roster.Place()
    for number in range(2, 101):
        if page.more:
            deep = roster.Place(number, after=page.pupils[-1].id)
            page = roster.search(reviewer, "马", place=deep)
        db.session.expunge_all()
    _show(f"one character, page {deep.page}", reviewer, "马", deep)
    for title, narrowed in (
        ("two characters in a grade", roster.Narrowed(grade="高一")),
        ("two characters in one school", roster.Narrowed(roster.schools(reviewer)[0])),
        ("two characters in an empty grade", roster.Narrowed(grade="三年级")),
    ):
        _show(title, reviewer, "马小", roster.Place(), narrowed)


def _show(
    title: str,
    reviewer: Actor,
    wanted: str,
    place: roster.Place,
    narrowed: roster.Narrowed = roster.EVERYBODY,
) -> None:
    understood = name_index.Wanted.of(wanted)
    assert understood is not None
    beyond = roster._beyond(reviewer, understood, place.after)
    counties, among = roster._counties(reviewer), roster._among(reviewer, narrowed)
    query = understood.query(counties, among, beyond, roster.PAGE + 1)
    compiled = str(query.compile(db.engine, compile_kwargs={"literal_binds": True}))
    like = text(
        "SELECT id FROM pupils WHERE name_key LIKE :part AND school_id IN (SELECT id FROM offices WHERE parent_id = :county) LIMIT 31"
    )
    values = {"part": f"%{names.name_key(wanted)}%", "county": _bound(reviewer)}
    own = milliseconds(lambda: db.session.execute(query).all())
    bare = milliseconds(lambda: _bare(compiled))
    whole = milliseconds(lambda: _whole(reviewer, wanted, place, narrowed))
    compared = milliseconds(lambda: db.session.execute(like, values).all(), 3)
    print(
        f"{title:<36} query {own:7.2f} ms   bare {bare:7.2f} ms   ratio {own / bare:5.2f}"
        f"   with the pupils {whole:7.2f} ms   LIKE {compared:7.1f} ms"
    )


def _bound(reviewer: Actor) -> object:
    return reviewer.office_id.hex if db.engine.dialect.name == "sqlite" else reviewer.office_id


def _bare(statement: str) -> None:
    """The statement by the driver alone."""
    raw = db.session.connection().connection.cursor()
    raw.execute(statement)
    raw.fetchall()
    raw.close()


def _whole(reviewer: Actor, wanted: str, place: roster.Place, narrowed: roster.Narrowed) -> None:
    roster.search(reviewer, wanted, narrowed, place)
    db.session.expunge_all()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pupils", type=int, default=1_000_000)
    parser.add_argument(
        "--small", action="store_true", help="20,000 pupils: whether it runs, not what it costs"
    )
    parser.add_argument("--database", default="", help="URL of an empty PostgreSQL database")
    chosen = parser.parse_args()
    pupils = 20_000 if chosen.small else chosen.pupils
    with installation(chosen.database):
        begun = time.perf_counter()
        reviewer = build(pupils)
        kept = db.session.execute(text("SELECT count(*) FROM name_grams")).scalar_one()
        taken = time.perf_counter() - begun
        print(f"{db.engine.dialect.name}: {pupils} pupils, {kept} rows of the index, built in {taken:.0f} s")
        measure(reviewer)


if __name__ == "__main__":
    main()
