"""Servers that are killed, and a browser that sends papers to them.

What never belongs here: what a test expects afterwards.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask

from portal import faults
from portal.extensions import db
from portal.settings import Settings
from storage.objects import open_store
from tests.services import free_port
from tests.web.live import ROOT, Visitor

START_SECONDS = 60
GONE = (ConnectionError, http.client.HTTPException, TimeoutError)  # what a client sees of a server that died


class Server:
    """One portal process on 127.0.0.1 with the settings given, dying at a named fault point if one is armed."""

    def __init__(self, settings: Settings, fault: str = "", port: int = 0) -> None:
        self.port = port or free_port()
        self.log = settings.data_dir / f"server-{uuid.uuid4().hex[:8]}.log"
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(ROOT),
            "XUEJI_SECRET_KEY": settings.secret_key,
            "XUEJI_DATABASE_URL": settings.database_url,
            "XUEJI_STORE_URL": settings.store_url,
            "XUEJI_DATA_DIR": str(settings.data_dir),
            "XUEJI_SECURE_COOKIES": "0",
            "XUEJI_FAULT": fault,
        }
        command = [sys.executable, "-m", "tests.web.crash_server", str(self.port)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if Visitor(self.port).get("/healthz").status == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the portal did not start: {self.log.read_text()[-2000:]}")

    def died(self) -> int:
        """Wait for its death; the exit code."""
        return self.process.wait(60)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(30)


@contextmanager
def server(settings: Settings, fault: str = "", port: int = 0) -> Iterator[Server]:
    """A server for the length of the block; afterwards it is dead in any case."""
    running = Server(settings, fault, port)
    try:
        yield running
    finally:
        running.kill()


def dies(app: Flask, settings: Settings, point: str, act: Callable[[], object]) -> int:
    """Do something in a child of this process that dies at the point; its exit code. Quicker than a server, for what one request
    does by itself: nothing that the parent has open is used there."""
    db.session.remove()
    db.engine.dispose()
    child = os.fork()
    if not child:
        try:
            faults._ARMED = point
            app.extensions["store"] = open_store(settings.store_url)
            act()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Sender(Visitor):
    """A browser that can also send files."""

    def move_to(self, port: int) -> None:
        """The same person after the server has been started again."""
        self._port = port

    def send(self, path: str, data: bytes, name: str = "paper.jpg", field: str = "files") -> int:
        """Post one file with the token of the page seen last; the status of the answer."""
        border = uuid.uuid4().hex
        body = (
            f'--{border}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{self._token}\r\n'
            f'--{border}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        body += data + f"\r\n--{border}--\r\n".encode()
        headers = {"Cookie": self._cookie, "Content-Type": f"multipart/form-data; boundary={border}"}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            response.read()
            return response.status
        finally:
            connection.close()
