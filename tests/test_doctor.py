"""Readiness: each check in its good and its bad state, on the page, at /readyz and on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import create_engine, select, text
from sqlalchemy.engine import make_url

from portal import audit, create_app, tasks
from portal.cases import clock, stored_files
from portal.extensions import db, reading_only
from portal.models import Holiday, Preference, Role, StoredFile
from portal.oversight import holidays, probes, readiness, stored_walk
from portal.oversight.readiness import LATE, OK, SOON, Check, Installation
from portal.settings import _database_url
from storage.objects import LockProof, ObjectStore, Sealed, StoreUnavailable
from tests.builders import Cast, a_state, sign_in
from tests.conftest import settings_for
from tests.portals import listen
from tests.services import fresh_postgres_database


@pytest.fixture
def installation(app: Flask) -> Installation:
    holidays.enter_shipped(a_state())
    db.session.commit()
    return Installation(
        app.extensions["settings"], app.extensions["store"], app.extensions["migrate"].directory
    )


def found(installation: Installation) -> dict[str, Check]:
    return {check.id: check for check in readiness.full(installation)}


def test_a_sound_installation_has_nothing_red(app: Flask, installation: Installation) -> None:
    top = holidays.tops()[0]
    holidays.enter_notice(top, clock.today().year, "试", [holidays.Row(clock.today(), "试", "off")], None)
    db.session.commit()
    checks = found(installation)
    red = {check.id for check in checks.values() if check.tone == LATE}
    superuser = db.engine.dialect.name == "postgresql"  # the tests' own role makes and drops databases
    assert red - {"disk"} == ({"role"} if superuser else set())  # the disk is the machine's
    assert list(installation.store.keys("probe/")) == [] or superuser  # the locked proof waits out its minute
    assert set(checks) == set(readiness.TITLES)
    assert db.session.query(Preference).count() == 0  # the write probe leaves nothing


class Unreachable:
    """A store whose server does not answer."""

    def exists(self, sealed: object) -> bool:
        raise StoreUnavailable("connection refused")

    def prove_lock(self) -> LockProof:
        return LockProof(False, "not-locked", "锁定的文件仍能被删除", datetime.now(UTC))


def test_readyz_says_ok_and_then_what_fails(
    app: Flask, client: FlaskClient, installation: Installation
) -> None:
    good = client.get("/readyz")
    assert (good.status_code, good.text) == (200, "database ok\nstore ok\nmigrations ok\njudge ok\n")
    app.extensions["store"] = Unreachable()
    bad = client.get("/readyz")
    assert (bad.status_code, bad.text) == (503, "database ok\nstore failing\nmigrations ok\njudge ok\n")
    assert client.get("/healthz").text == "ok\n"


class Refuses:
    """A store that can be reached and takes nothing, or gives back something else."""

    def __init__(self, store: ObjectStore, reads: bytes | None = None) -> None:
        self.store, self.reads = store, reads

    def put(self, *args: Any, **how: Any) -> Sealed:
        if self.reads is None:
            raise StoreUnavailable("the evidence folder cannot be used: EROFS")
        return self.store.put(*args, **how)

    def read(self, _sealed: Sealed) -> bytes:
        return self.reads or b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


def test_a_store_that_only_answers_is_red_and_the_log_says_why(
    app: Flask, client: FlaskClient, installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    before = set(installation.store.keys("probe/"))
    for bad, why in (
        (Refuses(installation.store), "EROFS"),
        (Refuses(installation.store, b"other"), "gives back something else"),
    ):
        caplog.clear()
        app.extensions["store"] = bad
        assert client.get("/readyz").status_code == 503
        assert "readiness: store did not finish: StoreUnavailable: " in caplog.text and why in caplog.text
    app.extensions["store"] = installation.store
    assert client.get("/readyz").status_code == 200
    assert set(installation.store.keys("probe/")) == before  # every probe was taken out again


def _read_only(app: Flask) -> None:
    """From now on the database takes no change: a standby, a read-only role, a disk mounted read-only."""
    if db.engine.dialect.name == "postgresql":
        name = db.engine.url.database
        with db.engine.connect() as connection:
            connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
            connection.commit()
    else:
        listen("connect", lambda raw, _record: raw.execute("PRAGMA query_only=ON"))
    db.session.remove()
    db.engine.dispose()


def test_a_database_that_only_reads_is_red_and_the_log_says_why(
    app: Flask, client: FlaskClient, installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    db.session.remove()
    _read_only(app)
    answer = client.get("/readyz")
    assert answer.status_code == 503 and "database failing" in answer.text
    assert "readiness: database did not finish:" in caplog.text and "read" in caplog.text.lower()
    assert "preferences" not in caplog.text.split("did not finish:")[1].splitlines()[0]


def test_the_database_probe_commits_and_leaves_nothing(installation: Installation) -> None:
    """What is rolled back never reaches a full disk."""
    done: list[str] = []
    listen("commit", lambda _connection: done.append("commit"))
    assert readiness.check_database(installation).tone == OK
    assert done == ["commit"] and db.session.query(Preference).count() == 0


@pytest.mark.pages
def test_every_disk_that_is_filled_is_looked_at(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = str(installation.settings.data_dir / "evidence")
    elsewhere = replace(installation.settings, store_url=f"folder:{evidence}")

    def free_space(folder: Path) -> tuple[int, float, int]:
        return (2, 0.05, 2**30) if str(folder) == evidence else (1, 0.9, 2**40)

    monkeypatch.setattr(probes, "free_space", free_space)
    check = readiness.check_disk(replace(installation, settings=elsewhere))
    assert check.tone == LATE and "证据文件夹所在磁盘剩余 5%" in check.text
    remote = replace(installation.settings, store_url="s3+https://k:s@store.test/bucket")
    away = readiness.check_disk(replace(installation, settings=remote))
    assert away.tone == OK and "证据文件夹" not in away.text


def test_the_disk_of_a_folder_that_is_not_made_yet_is_its_parents(tmp_path: Path) -> None:
    device, free, size = probes.free_space(tmp_path / "not" / "made")
    assert device == tmp_path.stat().st_dev and 0 <= free <= 1 and size > 0


@pytest.mark.services
def test_a_role_above_the_law_of_the_database_is_red_and_keeps_nobody_from_being_served(
    postgres_url: str, tmp_path: Path
) -> None:
    name = f"xueji_role_{uuid4().hex[:8]}"
    url = make_url(_database_url(postgres_url))
    with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'p'"))
        try:
            for attribute, tone in (
                ("SUPERUSER", LATE),
                ("NOSUPERUSER BYPASSRLS", LATE),
                ("NOBYPASSRLS", OK),
            ):
                connection.execute(text(f"ALTER ROLE {name} {attribute}"))
                plain = url.set(username=name, password="p").render_as_string(hide_password=False)
                app = create_app(settings_for(tmp_path, plain))
                extensions = app.extensions
                here = Installation(
                    extensions["settings"], extensions["store"], extensions["migrate"].directory
                )
                with app.app_context():
                    check = readiness.check_role(here)
                    db.session.remove()
                    db.engine.dispose()
                assert check.tone == tone and (name in check.text) == (tone == LATE)
        finally:
            connection.execute(text(f"DROP ROLE {name}"))
    assert readiness.check_role not in readiness.QUICK


def test_missing_migrations_are_red(app: Flask, client: FlaskClient, installation: Installation) -> None:
    db.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    db.session.commit()
    check = found(installation)["migrations"]
    assert check.tone == LATE and "flask db upgrade" in check.text
    assert client.get("/readyz").status_code == 503


def test_a_store_that_does_not_lock_is_red(installation: Installation) -> None:
    check = readiness.check_lock(replace(installation, store=Unreachable()))
    assert check.tone == LATE and "仍能被删除" in check.text


def test_the_proof_of_the_lock_is_kept_for_ten_minutes(app: Flask, installation: Installation) -> None:
    first = readiness.proven_lock(installation.store)
    assert readiness.proven_lock(installation.store) is first
    assert first.state == ("ok" if db.engine.dialect.name == "postgresql" else "ok-embedded")
    later = readiness.proven_lock(installation.store, datetime.now(UTC) + timedelta(minutes=11))
    assert later is not first


def test_a_head_that_fits_no_record_is_red(installation: Installation) -> None:
    audit.append("signed_in")
    db.session.commit()
    assert found(installation)["audit"].tone == OK
    db.session.execute(text("UPDATE audit_head SET seq = 9"))
    db.session.commit()
    assert found(installation)["audit"].tone == LATE


@pytest.mark.pages
@pytest.mark.parametrize(
    "day, missing, tone",
    [
        (date(2026, 10, 31), (2027,), OK),
        (date(2026, 11, 1), (2027,), SOON),
        (date(2027, 1, 1), (2027,), LATE),
        (date(2025, 12, 1), (), OK),
    ],
)
def test_the_next_years_holidays_are_wanted_from_november(
    installation: Installation, day: date, missing: tuple[int, ...], tone: str
) -> None:
    with time_machine.travel(datetime(day.year, day.month, day.day, 4, tzinfo=UTC), tick=False):
        check = readiness.check_holidays(installation)
    assert check.tone == tone
    if tone != OK:
        assert all(f"{year} 年放假安排未录入，暂按法定节日计算" in check.text for year in missing)


def test_uploads_left_for_more_than_a_day_are_counted(app: Flask, installation: Installation) -> None:
    cast = Cast()
    for kind in stored_files.KINDS:
        keys = [stored_files.expect(kind, cast.school.id, cast.registrar) for _ in range(2)]
        row = db.session.scalars(select(StoredFile).where(StoredFile.key == keys[0])).one()
        row.begun_at = datetime.now(UTC) - timedelta(hours=25)
    db.session.commit()
    check = found(installation)["staged"]
    assert check.tone == SOON and check.text.startswith("4 个")
    assert all(f"{title} 1" in check.text for title in stored_walk.KINDS.values())


@pytest.mark.pages
def test_a_short_key_and_open_cookies_show(installation: Installation) -> None:
    open_ = readiness.check_keys(installation)
    assert open_.tone == SOON and "XUEJI_SECURE_COOKIES" in open_.text
    good = replace(installation.settings, secure_cookies=True)
    assert readiness.check_keys(replace(installation, settings=good)).tone == OK
    short = replace(good, secret_key="short")
    assert readiness.check_keys(replace(installation, settings=short)).tone == LATE


def test_the_doctor_prints_every_check_and_exits_by_colour(app: Flask, installation: Installation) -> None:
    run = app.test_cli_runner().invoke
    answer = run(args=["doctor"])
    assert all(title in answer.output for title in readiness.TITLES.values())
    red = any(check.tone == LATE for check in readiness.full(installation))
    assert answer.exit_code == int(red)
    db.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    db.session.commit()
    sick = run(args=["doctor"])
    assert sick.exit_code == 1 and "✗ 数据库结构" in sick.output


@pytest.mark.pages
def test_the_details_are_for_administrators_and_auditors(app: Flask, installation: Installation) -> None:
    cast = Cast()
    for name, person in cast.everybody().items():
        client = app.test_client()
        sign_in(client, person)
        answer = client.get("/admin/readiness")
        assert answer.status_code == (200 if name in ("administrator", "auditor") else 404), name
    assert "证据锁定" in answer.text and person.role is Role.ADMINISTRATOR


@pytest.fixture
def queued(postgres_url: str, tmp_path: Path) -> Iterator[Flask]:
    """A portal whose tasks wait in PostgreSQL for `flask worker`."""
    with fresh_postgres_database(postgres_url) as url:
        yield from _queued(create_app(settings_for(tmp_path, url, worker="procrastinate")))


def _queued(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        upgrade()
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.mark.services
def test_a_queued_task_runs_when_its_transaction_is_committed_and_only_then(
    queued: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tasks.TASKS, "note", _note)
    tasks.enqueue("note", text="committed")
    db.session.commit()
    tasks.enqueue("note", text="rolled back")
    db.session.rollback()
    tasks.enqueue("note", text="again")
    db.session.commit()
    assert _notes() == []
    ran = queued.test_cli_runner().invoke(args=["worker", "--once"])
    assert ran.exit_code == 0, ran.output
    # "again" asks for one more task from inside the worker itself
    assert _notes() == ["again", "asked by again", "committed"]
    assert db.session.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one() == 0


def _note(text: str) -> None:
    if text == "again":
        tasks.enqueue("note", text="asked by again")
    db.session.add(Preference(owner_id=UUID(int=7), key=text, value={}))
    db.session.commit()


def _notes() -> list[str]:
    db.session.rollback()
    return sorted(row.key for row in db.session.query(Preference))


@pytest.mark.services
def test_the_queue_is_made_once_and_its_age_is_watched(
    queued: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    extensions = queued.extensions
    installation = Installation(extensions["settings"], extensions["store"], extensions["migrate"].directory)
    assert readiness.check_tasks(installation).tone == LATE
    db.session.rollback()
    run = queued.test_cli_runner().invoke
    assert "made" in run(args=["worker", "--setup"]).output
    assert "already" in run(args=["worker", "--setup"]).output
    assert readiness.check_tasks(installation).tone == OK
    monkeypatch.setitem(tasks.TASKS, "note", _note)
    with reading_only(False):
        tasks.enqueue("note", text="late")
        db.session.commit()
    db.session.execute(text("UPDATE procrastinate_events SET at = at - interval '16 minutes'"))
    db.session.commit()
    assert readiness.check_tasks(installation).tone == LATE


def test_an_embedded_installation_needs_no_worker(app: Flask) -> None:
    answer = app.test_cli_runner().invoke(args=["worker"])
    assert answer.exit_code == 0 and "no worker is needed" in answer.output


@pytest.mark.pages
def test_the_shipped_notices_are_entered_once(app: Flask) -> None:
    top = a_state()
    holidays.enter_shipped(top)
    holidays.enter_shipped(top)
    db.session.commit()
    assert [holidays.known(top, year) for year in range(2020, 2028)] == [False, *[True] * 6, False]
    eve = [one.day for one in holidays.entries(top, 2022) if one.day.month == 12]
    assert eve == [date(2022, 12, 31)]  # the notice of 2023 begins there
    assert db.session.query(Holiday).filter_by(day=date(2026, 10, 1)).one().kind == "off"


@pytest.mark.pages
def test_each_state_enters_its_own_notices(installation: Installation) -> None:
    other = a_state()
    db.session.commit()
    check = readiness.check_holidays(installation)
    assert check.tone == LATE and "1 个州级单位" in check.text and other.name not in check.text
    holidays.enter_shipped(other)
    assert readiness.check_holidays(installation).tone != LATE
