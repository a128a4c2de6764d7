"""A portal served over real HTTP and a real Chromium in front of it, on both pairs of services."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from portal import create_app
from portal.accounts.passwords import hash_password
from portal.cases.access import Actor
from portal.extensions import db
from portal.models import Account
from portal.oversight import holidays
from portal.settings import Settings
from tests.builders import PASSWORD, Cast
from tests.services import chromium_path, free_port

ROOT = Path(__file__).parents[3]
ARTEFACTS = ROOT / ".artifacts" / "screenshots"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Served:
    """A running portal: its address, and the logins of the people in it."""

    url: str
    logins: dict[str, str]
    pair: str
    school_code: str = ""
    pupil_name: str = ""
    student_number: str = ""


@pytest.fixture
def served(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Served]:
    """One line of offices with its people, behind gunicorn."""
    app = create_app(settings)
    with app.app_context():
        cast = Cast()
        holidays.enter_shipped(cast.state)
        cast.pupil.name, cast.pupil.name_key, cast.pupil.initials = "马小东", "马小东", "mxd"
        logins = logins_of(cast.everybody())
        db.session.commit()
        known = (cast.school.code, cast.pupil.name, cast.pupil.student_number)
        db.session.remove()
        db.engine.dispose()
    with Gunicorn(settings, free_port()) as url:
        yield Served(url, logins, pair_of(request), *known)


def logins_of(everybody: Mapping[str, Actor]) -> dict[str, str]:
    """Give everybody the tests' password; the login of each by the name that the test calls them."""
    hashed = hash_password(PASSWORD)
    logins = {}
    for name, actor in everybody.items():
        account = db.session.get_one(Account, actor.id)
        account.password_hash = hashed
        logins[name] = account.login
    return logins


def pair_of(request: pytest.FixtureRequest) -> str:
    """The pair of services as it may stand in the name of a folder."""
    return re.sub(r"\W+", "-", request.node.callspec.params.get("settings", "embedded"))


class Gunicorn:
    """The server process of service, ended by pid. Entering gives its address."""

    def __init__(self, settings: Settings, port: int) -> None:
        self.port = port
        environ = {
            **os.environ,
            "XUEJI_SECRET_KEY": settings.secret_key,
            "XUEJI_DATABASE_URL": settings.database_url,
            "XUEJI_STORE_URL": settings.store_url,
            "XUEJI_DATA_DIR": str(settings.data_dir),
            "XUEJI_SECURE_COOKIES": "0",
        }
        command = [sys.executable, "-m", "gunicorn", "--config", "python:portal.serving", "--workers", "1"]
        self.log = (settings.data_dir / "gunicorn.log").open("wb")
        self.process = subprocess.Popen(
            [*command, "--bind", f"127.0.0.1:{port}", "wsgi:app"],
            cwd=ROOT,
            env=environ,
            stdout=self.log,
            stderr=self.log,
        )

    def __enter__(self) -> str:
        for _ in range(600):  # a busy machine takes a minute
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2).close()
                return f"http://127.0.0.1:{self.port}"
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise AssertionError("the portal did not start")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=40)
        self.log.close()


@pytest.fixture(scope="session")
def playwright_of_all() -> Iterator[Playwright]:
    """One for the run: a process can have no second."""
    expect.set_options(timeout=20_000)  # milliseconds, on a busy machine
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright_of_all: Playwright) -> Iterator[Browser]:
    """The machine's Chromium, headless."""
    browser = playwright_of_all.chromium.launch(executable_path=chromium_path(), args=FLAGS)
    yield browser
    browser.close()
