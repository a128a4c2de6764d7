"""The real services that tests run against: PostgreSQL, an S3 server, a browser, an office suite.

A fixture takes the service that the environment names (TEST_POSTGRES_URL, TEST_S3_URL), else starts a
private one from this machine's own packages through .ci/services/, else skips and says what is missing.
With REQUIRE_SERVICES=1 nothing is skipped: what is missing fails.

What never belongs here: the portal's own code, sample data, a stand-in for a service.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

SCRIPTS = Path(__file__).resolve().parent.parent / ".ci" / "services"
START_SECONDS = 120
ROOM_IN_MEMORY = 8 * 1024**3  # bytes; a whole run leaves less than a quarter of that


def services_required() -> bool:
    """True where a missing service is a failure and not a skip (REQUIRE_SERVICES=1)."""
    return os.environ.get("REQUIRE_SERVICES", "") == "1"


def missing(what: str) -> NoReturn:
    """Skip the test that needs `what`, or fail it where services are required."""
    if services_required():
        pytest.fail(f"REQUIRE_SERVICES=1, but {what}", pytrace=False)
    pytest.skip(what)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a PostgreSQL server on which databases may be made and dropped."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield given
    elif not (shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))):
        missing("there is no PostgreSQL here: set TEST_POSTGRES_URL or install postgresql")
    else:
        with _started("postgres.sh", ports=1) as url:
            yield url


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """A store URL, s3+http://KEY:SECRET@HOST:PORT/BUCKET, on a real S3; the bucket may not exist yet."""
    given = os.environ.get("TEST_S3_URL")
    if given:
        yield given
    elif not all(shutil.which(name) for name in ("radosgw", "ceph-mon", "ceph-osd")):
        missing("there is no S3 server here: set TEST_S3_URL or install radosgw, ceph-mon and ceph-osd")
    else:
        with _started("ceph-rgw.sh", ports=30) as url:
            yield url


@pytest.fixture
def fresh_postgres(postgres_url: str) -> Iterator[str]:
    """The URL of a new, empty database of this test's own."""
    with fresh_postgres_database(postgres_url) as url:
        yield url


@contextmanager
def fresh_postgres_database(url: str, template: str | None = None) -> Iterator[str]:
    """Make a database on the server at `url` and drop it afterwards; yields its SQLAlchemy URL.

    `template` is the URL of a database made before and no longer connected to: the new one starts as its
    copy, which takes tens of milliseconds where running every migration takes seconds.
    """
    name = f"xueji_test_{uuid4().hex[:12]}"
    source = make_url(template).database if template else "template0"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
        sql.Identifier(name), sql.Identifier(source or "")
    )
    if not template:
        create += sql.SQL(" ENCODING 'UTF8'")
    with _administrator(url) as connection:
        connection.execute(create)
    try:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        with _administrator(url) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


def restore_postgres_database(server: str, url: str, template: str) -> None:
    """Make the database at `url` again, under its name, as a copy of the one at `template`; nobody is connected to that."""
    name, source = (sql.Identifier(make_url(one).database or "") for one in (url, template))
    with _administrator(server) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, source))


def fresh_bucket_url(url: str) -> str:
    """The store URL of a bucket that does not exist yet, on the server and with the keys of `url`."""
    server = url.rsplit("/", 1)[0]
    return f"{server}/test-{uuid4().hex[:16]}"


@pytest.fixture(name="bucket")
def bucket_of_its_own(request: pytest.FixtureRequest) -> str:
    """Instead of the run's one bucket, where everything in it counts as this installation's: anchors, what nobody knows."""
    return fresh_bucket_url(request.getfixturevalue("s3_url"))


def chromium_path() -> str:
    """The machine's Chromium; skips (or fails) where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    missing("there is no browser here: install chromium")


def soffice_path() -> str:
    """The machine's LibreOffice; skips (or fails) where there is none."""
    for name in ("soffice", "libreoffice"):
        if found := shutil.which(name):
            return found
    missing("there is no LibreOffice here: install libreoffice-writer-nogui")


def calc_path() -> str:
    """The machine's LibreOffice where it opens workbooks; skips (or fails) where it does not."""
    office = soffice_path()
    if not Path(office).resolve().with_name("libsclo.so").exists():
        missing("LibreOffice opens no workbooks here: install libreoffice-calc-nogui")
    return office


def free_port(run: int = 1) -> int:
    """The first of `run` neighbouring ports on 127.0.0.1 that nothing listens on now."""
    for _ in range(200):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first = int(probe.getsockname()[1])
        if first + run < 65536 and all(_is_free(port) for port in range(first + 1, first + run)):
            return first
    raise OSError(f"no {run} neighbouring free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextmanager
def _administrator(url: str) -> Iterator[psycopg.Connection]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        yield connection


def quick_folder() -> str | None:
    """Where what a test run throws away lies fastest: in memory, if the machine has plenty; None for the usual place.

    Every test has a database of its own, which is hundreds of files to make and to remove. A process that is
    killed loses nothing there; only a power cut would, and no test cuts the power.
    """
    memory = Path("/dev/shm")  # noqa: S108 - what is made below it is this run's own
    try:
        told = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        available = int(told["MemAvailable"].split()[0]) * 1024
        room = min(available, shutil.disk_usage(memory).free)
    except (OSError, KeyError, ValueError):
        return None
    return str(memory) if room > ROOM_IN_MEMORY and os.access(memory, os.W_OK) else None


@contextmanager
def _started(script: str, ports: int) -> Iterator[str]:
    """Run a service of .ci/services for the length of the block; yields the URL that it printed."""
    home = Path(tempfile.mkdtemp(prefix="xueji-", dir=quick_folder()))
    home.chmod(0o755)  # PostgreSQL runs under another account when the tests run as root
    port = str(free_port(ports))
    command = [str(SCRIPTS / script)]
    service = str(home / "service")
    try:
        started = subprocess.run(
            [*command, "up", service, port],
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
        if started.returncode != 0:
            missing(f"{script} did not start: {started.stderr.strip()[-800:]}")
        yield started.stdout.strip().splitlines()[-1]
    finally:
        subprocess.run(
            [*command, "down", service, port], capture_output=True, timeout=START_SECONDS, check=False
        )
        shutil.rmtree(home, ignore_errors=True)
