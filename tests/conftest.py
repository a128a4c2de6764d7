"""The application under test, on both pairs of services: SQLite with a folder, PostgreSQL with a real S3."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from jinja2 import FileSystemBytecodeCache

from portal import create_app
from portal.extensions import db
from portal.settings import Settings
from tests import quick
from tests.portals import portal_for
from tests.services import (  # noqa: F401 - fixtures
    chromium_path,
    fresh_bucket_url,
    fresh_postgres_database,
    postgres_url,
    s3_url,
    soffice_path,
)

EMBEDDED, SERVICES = "sqlite+folder", "postgresql+s3"
KEY = "a-key-for-tests-only-0123456789abcdef"
quick.hash_cheaply()
# On a busy machine an example is slow and says nothing of the portal.
hypothesis_settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("busy machine")


def settings_for(data_dir: Path, database_url: str = "", store_url: str = "", **changes: Any) -> Settings:
    changes.setdefault(
        "reading", False
    )  # a second a page in the background: only the tests that are about it
    return Settings(
        secret_key=KEY,
        database_url=database_url or f"sqlite:///{data_dir / 'portal.db'}",
        store_url=store_url or f"folder:{data_dir / 'evidence'}",
        data_dir=data_dir,
        secure_cookies=False,
        **changes,
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run on one pair what is the same on both: `pages` on the embedded one, a journey `in_service` on the services."""
    left_out = {one for one in items if _left_out(one)}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [one for one in items if one not in left_out]


def _left_out(one: pytest.Item) -> bool:
    if SERVICES in one.nodeid:
        return bool(one.get_closest_marker("pages")) and not one.get_closest_marker("both_pairs")
    return EMBEDDED in one.nodeid and bool(one.get_closest_marker("in_service"))


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with every table, to be copied for each test."""
    folder = tmp_path_factory.mktemp("template")
    app = create_app(settings_for(folder))
    with app.app_context():
        upgrade()
        db.session.remove()
        db.engine.dispose()
    return folder / "portal.db"


@pytest.fixture(scope="session")
def migrated_postgres(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a PostgreSQL database with every table, used as a template."""
    server = request.getfixturevalue("postgres_url")
    with fresh_postgres_database(server) as url:
        app = create_app(settings_for(tmp_path_factory.mktemp("template"), url))
        with app.app_context():
            upgrade()
            db.session.remove()
            db.engine.dispose()
        yield url


@pytest.fixture(scope="session")
def bucket(request: pytest.FixtureRequest) -> str:
    """The URL of a bucket on a real S3 with lock and versions, one for the whole run: keys are never used twice."""
    return fresh_bucket_url(request.getfixturevalue("s3_url"))


@pytest.fixture(params=[EMBEDDED, pytest.param(SERVICES, marks=pytest.mark.services)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an installation with an empty, migrated database."""
    if request.param == EMBEDDED:
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "portal.db")
        yield settings_for(tmp_path)
        return
    template = request.getfixturevalue("migrated_postgres")
    with fresh_postgres_database(request.getfixturevalue("postgres_url"), template) as url:
        yield settings_for(tmp_path, url, request.getfixturevalue("bucket"))


@pytest.fixture(scope="session")
def compiled_pages(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates compiled once for the run: every test has a portal of its own, which would compile them again."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("compiled-pages")))


@pytest.fixture
def app(settings: Settings, compiled_pages: FileSystemBytecodeCache) -> Iterator[Flask]:
    """The portal inside an application context, with an empty database; what a test leaves running is waited for."""
    with portal_for(settings, compiled_pages) as app:
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
