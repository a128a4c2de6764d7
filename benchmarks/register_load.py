"""How long a register of 100,000 pupils takes from the file to the working copy, and how much memory.

    python -m benchmarks.register_load [--rows N] [--small] [--database URL]

Every column of the register is filled. First an empty working copy is loaded; then the next export, in which one pupil
in ten changed class. SQLite in a temporary folder by default; --database names an empty PostgreSQL database. Memory is
the peak of this process; that of the child that reads the workbook is asked of the child. Beside it stands the bare read:
the same file by calamine, every row of its sheet, in the same run.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks._installation import installation
from portal import tasks
from portal.cases.access import Actor
from portal.cases.loads import lifecycle
from portal.extensions import db
from portal.models import RegisterLoad, Role
from tests import builders, exports, peak
from tests.cases.test_loads import receive

MEGABYTE = 1024


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rows", type=int, default=100_000)
    arguments.add_argument("--small", action="store_true", help="2,000 rows, to see that it runs")
    arguments.add_argument("--database", default="", help="postgresql://… of an empty database")
    chosen = arguments.parse_args()
    rows = 2_000 if chosen.small else chosen.rows
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), chosen.database, rows)


def run(folder: Path, database: str, rows: int) -> None:
    print(
        f"{rows} rows, {len(exports.EVERY_COLUMN)} columns, {'PostgreSQL' if database else 'SQLite'}",
        flush=True,
    )
    with installation(_address(database)):
        county = builders.a_county()
        schools = [builders.a_school(county) for _ in range(20)]
        actor = builders.an_actor(Role.REVIEWER, county)
        codes = [school.code for school in schools]
        db.session.commit()
        files = [write(folder, rows, codes, moved=moved) for moved in (False, True)]
        bare = bare_read(files[0])
        first, following = (load(actor, file, file.stem) for file in files)
        print(
            f"check and apply: {first:.1f} s for the first load ({first / bare:.1f} times the bare read),"
            f" {following:.1f} s for the next ({following / bare:.1f} times)"
        )


def _address(database: str) -> str:
    return database.replace("postgresql://", "postgresql+psycopg://")


def write(folder: Path, rows: int, codes: list[str], *, moved: bool) -> Path:
    """The export as a file; in the second one every tenth pupil is in another class."""
    target = folder / ("next.xlsx" if moved else "first.xlsx")

    def lines() -> Iterator[dict[str, str]]:
        for number, row in enumerate(exports.rows_of(rows, codes)):
            yield row | {"class_name": "9班"} if moved and number % 10 == 0 else row

    target.write_bytes(exports.as_xlsx(lines(), exports.EVERY_COLUMN, exports.EVERY_HEADING))
    return target


_BARE = """
import sys, time
from python_calamine import CalamineWorkbook
began = time.perf_counter()
count = sum(1 for _ in CalamineWorkbook.from_path(sys.argv[1]).get_sheet_by_index(0).iter_rows())
print(count, time.perf_counter() - began)
"""


def bare_read(file: Path) -> float:
    """The same file by calamine and by the portal's reader, each in a process of its own; the seconds of the first."""
    command = [sys.executable, "-c", _BARE, str(file)]
    said = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
    count, bare = int(said[0]), float(said[1])
    data = file.read_bytes()
    began = time.perf_counter()
    code, most, told = peak.of_reader(data)
    taken = time.perf_counter() - began
    assert code == 0, told
    print(
        f"  bare read of {count} rows: {bare:.2f} s by calamine; the reader {taken:.2f} s, {most / MEGABYTE:.0f} MB",
        flush=True,
    )
    return bare


def load(actor: Actor, file: Path, label: str) -> float:
    """Upload, check, apply; prints each phase. Returns the seconds of check and apply."""
    size = file.stat().st_size / 1024 / MEGABYTE
    with phase(f"{label}: upload ({size:.1f} MB)"):
        found = lifecycle.begin(actor, file.name, receive(file.read_bytes(), actor))
        db.session.commit()
    began = time.perf_counter()
    with phase(f"{label}: check"):
        lifecycle.start_check(found, actor, found.mapping, complete=True)
        settle(found)
    print(f"    found: {found.counts}")
    with phase(f"{label}: apply"):
        lifecycle.ask_apply(found, actor, without_faulty=True)
        settle(found)
    taken = time.perf_counter() - began
    assert found.status == "applied", (found.status, found.message)
    return taken


def settle(found: RegisterLoad) -> None:
    db.session.commit()
    tasks.wait(600)
    db.session.refresh(found)
    db.session.rollback()


@contextmanager
def phase(label: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds = time.perf_counter() - began
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE
    print(f"  {label}: {seconds:.1f} s, peak {own:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
