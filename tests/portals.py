"""Portals that are built once for a run and given another database, store and folder for each test.

Building one compiles every route, and a new engine compiles every statement again: a third of the time of a quick test.
A portal is built anew only for settings that differ in more than where things lie.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import event, make_url
from sqlalchemy.engine import Engine

from portal import create_app, tasks
from portal.extensions import db, limiter
from portal.settings import Settings
from storage.objects import open_store
from tests.web.housekeeping import CheckingClient


@dataclass(frozen=True)
class Built:
    """A portal as it was when it was built: what a test changes is put back before the next."""

    app: Flask
    config: dict[str, Any]
    extensions: dict[str, Any]
    functions: dict[str, dict[Any, list[Any]]]
    wsgi_app: Any
    views: dict[str, Any]


HOOKS = ("before_request_funcs", "after_request_funcs", "teardown_request_funcs")
_built: dict[Settings, Built] = {}
_listening: list[tuple[Engine, str, Any]] = []


@event.listens_for(Engine, "connect")
def _no_waiting_for_the_disk(connection: Any, _record: Any) -> None:
    """What a test writes need not outlive a power cut; the portal's own setting is held by tests/test_doctor.py."""
    if type(connection).__module__.startswith("sqlite3"):
        connection.execute("PRAGMA synchronous=OFF").close()


@contextmanager
def portal_for(settings: Settings, pages: FileSystemBytecodeCache) -> Iterator[Flask]:
    """A portal with these settings inside an application context; what a test leaves running is waited for."""
    kind = replace(settings, data_dir=Path(), store_url="", database_url=settings.database_url.split(":")[0])
    built = _built.get(kind) or _built.setdefault(kind, _build(settings, pages))
    app = built.app
    _put_back(built, settings)
    with app.app_context():
        _lead_to(db.engine, settings.database_url)
        yield app
        for heard in _listening:
            event.remove(*heard)
        _listening.clear()
        db.session.remove()  # first: a task may be waiting for the write lock of an unfinished transaction
        tasks.wait()
        db.engine.dispose()


def listen(name: str, function: Any) -> None:
    """Listen to an event of the portal's engine until this test is over."""
    event.listen(db.engine, name, function)
    _listening.append((db.engine, name, function))


def _build(settings: Settings, pages: FileSystemBytecodeCache) -> Built:
    app = create_app(settings)
    app.jinja_env.bytecode_cache = pages
    app.config["TESTING"] = True
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        event.listen(db.engine, "do_connect", _connect_where_it_leads)
    hooks = {name: {key: list(one) for key, one in getattr(app, name).items()} for name in HOOKS}
    return Built(app, dict(app.config), dict(app.extensions), hooks, app.wsgi_app, dict(app.view_functions))


def _put_back(built: Built, settings: Settings) -> None:
    app = built.app
    app.config.clear()
    app.config.update(built.config | {"SQLALCHEMY_DATABASE_URI": settings.database_url})
    app.extensions.clear()
    app.extensions.update(built.extensions)
    app.extensions["settings"] = settings
    app.extensions["store"] = open_store(settings.store_url)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    for name, functions in built.functions.items():
        getattr(app, name).clear()
        getattr(app, name).update({key: list(one) for key, one in functions.items()})
    app.test_client_class = CheckingClient
    app.wsgi_app, app.view_functions = built.wsgi_app, dict(built.views)  # type: ignore[method-assign]
    limiter.reset()


def _lead_to(engine: Engine, url: str) -> None:
    """Let an engine open its next connections at `url`; its compiled statements stay."""
    engine.dispose()
    engine.url = make_url(url)
    engine.dialect._leads_to = engine.url  # type: ignore[attr-defined]


def _connect_where_it_leads(dialect: Any, _record: Any, arguments: list[Any], named: dict[str, Any]) -> None:
    arguments[:], others = dialect.create_connect_args(dialect._leads_to)
    named.update(others)
