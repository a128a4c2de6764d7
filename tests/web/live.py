"""The portal as it runs in service: gunicorn with several workers, and people who talk to it over real HTTP."""

from __future__ import annotations

import http.client
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import select

from portal import tasks
from portal.cases.access import Actor
from portal.cases.stored_files import EVIDENCE
from portal.extensions import db
from portal.models import Case, EvidenceFile
from portal.settings import Settings
from storage.objects import new_key
from tests.builders import a_stored_file, sign_in
from tests.services import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


@contextmanager
def serving(settings: Settings, workers: int = 2, threads: int = 4) -> Iterator[int]:
    """Run the portal on these settings for the length of the block; yields its port on 127.0.0.1."""
    port = free_port()
    environment = {
        **os.environ,
        "XUEJI_SECRET_KEY": settings.secret_key,
        "XUEJI_DATABASE_URL": settings.database_url,
        "XUEJI_STORE_URL": settings.store_url,
        "XUEJI_DATA_DIR": str(settings.data_dir),
        "XUEJI_SECURE_COOKIES": "0",
    }
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        "python:portal.serving",
        "--bind",
        f"127.0.0.1:{port}",
    ]
    command += ["--workers", str(workers), "--threads", str(threads), "--log-level", "warning", "wsgi:app"]
    with (settings.data_dir / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            _wait(port, server, settings.data_dir / "server.log")
            yield port
        finally:
            server.terminate()
            server.wait(30)


def _wait(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            if Visitor(port).get("/healthz").status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the portal did not start: {log.read_text()[-2000:]}")


def seal_papers() -> None:
    """Give every file row of the builders a small object in the store, so that locking finds what it locks. Called before
    the first commit, since that starts the locking."""
    for file in db.session.scalars(select(EvidenceFile)):
        words = io.BytesIO(f"the paper {file.name}".encode())
        sealed = tasks.store().put(new_key("evidence"), words, size_limit=1000, media_type=file.media_type)
        of = db.session.get_one(Case, file.case_id)
        a_stored_file(EVIDENCE, sealed, of.owner_office_id, file.uploaded_by_id)
        file.store_key, file.version_id, file.sha256, file.size = (
            sealed.key,
            sealed.version_id,
            sealed.sha256,
            sealed.size,
        )
    db.session.flush()


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    location: str


class Visitor:
    """A browser without scripts: keeps its cookies and the token of its forms. Each request opens a connection of its own,
    so that any worker may answer it."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self._port = port
        self._cookie = cookie
        self._token = ""

    @classmethod
    def signed_in(cls, app: Flask, port: int, who: Actor) -> Visitor:
        """Somebody with a living session, made as a sign-in makes it but without the cost of a password."""
        client = app.test_client()
        sign_in(client, who)
        cookie = client.get_cookie(app.config["SESSION_COOKIE_NAME"])
        assert cookie is not None
        return cls(port, f"{cookie.key}={cookie.value}")

    def get(self, path: str) -> Answer:
        answer = self._ask("GET", path, None)
        if token := re.search(r'name="csrf_token" value="([^"]+)"', answer.text):
            self._token = token[1]
        return answer

    def post(self, path: str, fields: Mapping[str, str]) -> Answer:
        """Post a form with the token of the page seen last."""
        return self._ask("POST", path, urlencode({"csrf_token": self._token, **fields}))

    def _ask(self, method: str, path: str, body: str | None) -> Answer:
        headers = {"Cookie": self._cookie} if self._cookie else {}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        if kept := response.getheader("Set-Cookie"):
            self._cookie = kept.partition(";")[0]
        return Answer(response.status, text, response.getheader("Location", ""))
