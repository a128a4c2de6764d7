"""flask demo: a demonstration 州 on this machine. It serves as soon as offices and people stand, and tells its stories behind.

What was interrupted, at whatever moment, goes on with the next start.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

import click
from flask import Flask, current_app
from flask_migrate import upgrade
from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from portal import tasks
from portal.demo import chapters, seed
from portal.demo import port as ports
from portal.demo.acts import NotUsable
from portal.extensions import db
from portal.oversight import judge_check
from portal.settings import Settings
from storage.sandbox import Unavailable

_PR_SET_PDEATHSIG = 1
_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_began = time.monotonic()


def init_app(app: Flask) -> None:
    app.cli.add_command(demo)


@click.command()
@click.option("--port", default=8000, show_default=True, help="Port on 127.0.0.1.")
@click.option("--prepare-only", is_flag=True, help="Make the demonstration, but do not serve it.")
def demo(port: int, prepare_only: bool) -> None:
    """Start the portal with fictional offices, pupils and cases."""
    settings: Settings = current_app.extensions["settings"]
    if not settings.demo:
        raise click.ClickException(
            "This fills the database with fiction: it runs only with XUEJI_DEMO=1 (make demo)."
        )
    place = None if prepare_only else _place(port)
    with _alone(settings.data_dir):
        _make_ready(settings)
        server = _serve(place) if place is not None else None
        try:
            _tell_stories(server)
        except (NotUsable, Unavailable) as error:
            _end(server)
            raise click.ClickException(f"The stories cannot be made: {error}") from error
        if server is not None:
            raise SystemExit(server.wait())


def _place(port: int) -> socket.socket:
    """The port, taken before anything is made: whoever asks there meanwhile waits."""
    if why := ports.trouble(str(port)):
        raise click.ClickException(why)
    place = socket.create_server(("127.0.0.1", port))
    place.set_inheritable(True)
    return place


def _say(words: str) -> None:
    click.echo(f"[{time.monotonic() - _began:4.0f} s] {words}")
    sys.stdout.flush()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder for the length of the block; the lock ends with the process, however it ends."""
    with (folder / "demo.lock").open("w") as held:
        if not _taken(held):
            raise click.ClickException(
                f"Another demonstration works in {folder}. Stop it, or choose another folder: make demo DEMO_DIR=/tmp/other"
            )
        yield


def _taken(held: IO[str]) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _make_ready(settings: Settings) -> None:
    """Database, offices and people: whole or not at all. A half-made database without any account is made anew."""
    tried = judge_check.try_now()
    if not tried.works:
        raise click.ClickException(
            f"The picture checks do not work on this machine: {tried.why}. Nothing was made. What the process said stands above."
        )
    if not _begun():
        _clear(settings)
        _say("Making the database ... 正在建立数据库")
        upgrade()
        _say("Making offices, accounts and pupils ... 正在建立单位、账号和学生")
        seed.begin()
        db.session.commit()
    else:
        upgrade()
        made = chapters.progress()
        if made is None:
            _say("An older version made this demonstration; to have it anew, remove the folder it lies in.")
        elif not made.whole:
            chapters.clear_left_over()
            _say(f"Going on where it stopped: {made.made} of {made.of} stories are made. 接着上次继续")
    db.session.remove()


def _begun() -> bool:
    """Whether offices and people stand: they came in one transaction."""
    try:
        return inspect(db.engine).has_table("accounts") and not seed.is_empty()
    finally:
        db.session.remove()
        db.engine.dispose()


def _clear(settings: Settings) -> None:
    """Take away the SQLite file of a start that was killed before anybody had an account: it holds nothing."""
    place = make_url(settings.database_url)
    if place.get_backend_name() == "sqlite" and place.database:
        for rest in ("", "-journal", "-wal", "-shm"):
            Path(place.database + rest).unlink(missing_ok=True)


def _serve(place: socket.socket) -> subprocess.Popen[bytes]:
    """Start the server as a process that ends with this one; returns when it answers, however long that takes."""
    _say("Starting the portal ... 正在启动")
    port = int(place.getsockname()[1])
    words = ["-m", "gunicorn", "--config", "python:portal.serving", "--workers", "1"]
    server = subprocess.Popen(  # noqa: S603 - our own words only
        [sys.executable, *words, "--bind", f"fd://{place.fileno()}", "wsgi:app"],
        pass_fds=[place.fileno()],
        preexec_fn=_end_with_parent,
    )
    place.close()

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        """A half-told story is rolled back by the database; the next start tells it. A second signal changes nothing, and
        no lock of Popen is asked for: the main thread may hold it."""
        for one in _STOPPING:
            signal.signal(one, signal.SIG_IGN)
        with contextlib.suppress(OSError):
            os.kill(server.pid, signal.SIGTERM)
            while os.waitpid(server.pid, os.WNOHANG) == (0, 0):
                time.sleep(0.05)
        os._exit(0)

    for one in _STOPPING:
        signal.signal(one, stop)
    while not _answers(port):
        if server.poll() is not None:
            raise click.ClickException("The portal ended while it started; what it said stands above.")
        time.sleep(0.2)
    click.echo(
        f"\n  学籍业务门户（演示）  http://127.0.0.1:{port}\n  Accounts are listed on the sign-in page. Ctrl+C stops it.\n"
    )
    sys.stdout.flush()
    return server


def _end_with_parent() -> None:
    with contextlib.suppress(OSError, AttributeError):  # Linux only; elsewhere the signals above must do
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as asked:
            asked.sendall(b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            return asked.recv(16).startswith(b"HTTP/")
    except OSError:
        return False


def _end(server: subprocess.Popen[bytes] | None) -> None:
    if server is not None:
        server.terminate()
        server.wait()


def _tell_stories(server: subprocess.Popen[bytes] | None) -> None:
    """Make the chapters that are missing, then wait for the work that they asked for, as long as it goes on."""
    all_of_them = seed.chapters()
    before = chapters.progress()
    db.session.remove()
    if before is None or before.whole:
        return
    number = before.made
    for chapter in chapters.play(all_of_them):
        number += 1
        _say(f"Story {number} of {len(all_of_them)}: {chapter.title}")
        if server is not None and server.poll() is not None:
            raise click.ClickException("The portal ended; what it said stands above.")
    _say("Every story is made; the print on their papers is being read ... 正在识读材料")
    tasks.settle()
    _say("The demonstration is complete. 演示数据已齐全")
