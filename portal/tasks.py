"""Work that outlives a request. A task is a plain function of JSON values that can be run twice without harm.

Embedded, tasks run in one thread of this process after the commit that asked for them; with XUEJI_WORKER=procrastinate
they are queued in that very transaction and `flask worker` runs them. Either way unfinished work is found again from
the data when a process starts.

What never belongs here: what a task does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from typing import Any

import procrastinate
import psycopg
from flask import Flask, current_app
from procrastinate.connector import BaseConnector
from procrastinate.schema import SchemaManager
from sqlalchemy import event
from sqlalchemy.orm import Session

from portal.extensions import db, reading_only
from portal.settings import Settings
from storage.objects import ObjectStore

TASKS: dict[str, Callable[..., None]] = {}
UNFINISHED: list[Callable[[], Iterable[tuple[str, dict[str, str]]]]] = []
QUEUE = "portal"
QUEUE_LOCK = 7_305_211  # any number that nothing else in this database locks by
_pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="task")
_running: set[Future[None]] = set()
_lock = threading.Lock()


def task(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as the task `name`. It runs in an application context and commits for itself."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        TASKS[name] = function
        return function

    return register


def unfinished(
    find: Callable[[], Iterable[tuple[str, dict[str, str]]]],
) -> Callable[[], Iterable[tuple[str, dict[str, str]]]]:
    """Register a query that finds (task, arguments) which a dead process left behind."""
    UNFINISHED.append(find)
    return find


def enqueue(name: str, **arguments: str) -> None:
    """Ask for a task in the running transaction: no commit, no task."""
    if name not in TASKS:
        raise KeyError(name)
    settings: Settings = current_app.extensions["settings"]
    if settings.worker == "procrastinate":
        _defer(name, arguments)
    else:
        session = db.session()
        session.info.setdefault("tasks", []).append((current_app._get_current_object(), name, arguments))  # type: ignore[attr-defined]


def resume(app: Flask) -> int:
    """Ask again for whatever a dead process left unfinished. Returns how many tasks."""
    with app.app_context(), reading_only():
        found = [item for find in UNFINISHED for item in find()]
        for name, arguments in found:
            enqueue(name, **arguments)
        db.session.commit()
        return len(found)


def store() -> ObjectStore:
    """The evidence store of the application that the task runs in."""
    found: ObjectStore = current_app.extensions["store"]
    return found


def wait(timeout: float = 60) -> None:
    """Wait until the tasks of this process have run; raises what the first failing one raised."""
    while True:
        with _lock:
            waiting = list(_running)
        if not waiting:
            return
        for one in waiting:
            one.result(timeout)


def settle() -> None:
    """Wait until the tasks of this process have ended, as long as they go on; one that failed has said so in the log."""
    while True:
        with _lock:
            waiting = list(_running)
        if not waiting:
            return
        wait_for(waiting)


def run(app: Flask, name: str, arguments: dict[str, str]) -> None:
    """Run one task now, in its own application context."""
    with app.app_context(), reading_only(False):
        try:
            TASKS[name](**arguments)
        except Exception:
            db.session.rollback()
            app.logger.exception("task %s failed", name)
            raise


def init_app(app: Flask) -> None:
    """Make a Procrastinate application where one is wanted. Nothing is contacted yet."""
    settings: Settings = app.extensions["settings"]
    if settings.worker == "procrastinate":
        # Asking is done on the connection of the running transaction, so this connector is never opened.
        app.extensions["procrastinate"] = _queue(app, procrastinate.SyncPsycopgConnector())


def worker_app(app: Flask) -> procrastinate.App:
    """The Procrastinate application of `flask worker`, on connections of its own. Its tables are made if missing."""
    prepare_queue(app)
    return _queue(app, procrastinate.PsycopgConnector(conninfo=_address(app)))


def prepare_queue(app: Flask) -> bool:
    """Make Procrastinate's tables where they are missing; True when it did. Two that try at once do it once."""
    with psycopg.connect(_address(app)) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (QUEUE_LOCK,))
        if connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone() != (None,):
            return False
        connection.execute(SchemaManager.get_schema())
        return True


def _queue(app: Flask, connector: BaseConnector) -> procrastinate.App:
    """One task that runs any of ours by name."""
    queue = procrastinate.App(connector=connector)
    patience = procrastinate.RetryStrategy(max_attempts=3, exponential_wait=5)

    @queue.task(name="portal.run", queue=QUEUE, retry=patience)
    def run_by_name(name: str, arguments: dict[str, str]) -> None:
        run(app, name, arguments)

    return queue


def _address(app: Flask) -> str:
    settings: Settings = app.extensions["settings"]
    return settings.database_url.replace("postgresql+psycopg://", "postgresql://")


def _defer(name: str, arguments: dict[str, Any]) -> None:
    queue: procrastinate.App = current_app.extensions["procrastinate"]
    if not current_app.extensions.get("procrastinate_ready"):
        prepare_queue(current_app._get_current_object())  # type: ignore[attr-defined]
        current_app.extensions["procrastinate_ready"] = True
    connection = db.session.connection().connection.driver_connection
    job = queue.configure_task("portal.run", queue=QUEUE, connection=connection)
    job.defer(name=name, arguments=arguments)


def start(app: Flask, name: str, arguments: dict[str, str]) -> None:
    """Run a task behind the running request, in this process whatever the worker: only for what takes no time."""
    future = _pool.submit(run, app, name, arguments)
    with _lock:
        _running.add(future)
    future.add_done_callback(_forget)


@event.listens_for(Session, "after_commit")
def _start_tasks(session: Session) -> None:
    if (
        session.in_nested_transaction()
    ):  # a savepoint is no commit: nobody else sees yet what the task is about
        return
    for app, name, arguments in session.info.pop("tasks", []):
        start(app, name, arguments)


@event.listens_for(Session, "after_rollback")
def _drop_tasks(session: Session) -> None:
    if session.in_nested_transaction():  # what was asked for before the savepoint stands
        return
    session.info.pop("tasks", None)


def _forget(future: Future[Any]) -> None:
    with _lock:
        _running.discard(future)
