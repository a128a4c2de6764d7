"""A migrated installation for a measurement: a temporary SQLite file, or the PostgreSQL database that is named."""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade

from portal import create_app, tasks
from portal.extensions import db
from portal.settings import Settings

KEY = "a-key-for-measurements-only-0123456789"


@contextmanager
def installation(database_url: str = "") -> Iterator[Flask]:
    """The portal in an application context, its tables made. A named database must be empty."""
    with tempfile.TemporaryDirectory(prefix="xueji-bench-") as folder:
        data = Path(folder)
        app = create_app(
            Settings(
                secret_key=KEY,
                database_url=database_url or f"sqlite:///{data / 'portal.db'}",
                store_url=f"folder:{data / 'evidence'}",
                data_dir=data,
                secure_cookies=False,
            )
        )
        app.config["WTF_CSRF_ENABLED"] = False
        with app.app_context():
            logging.getLogger("alembic").setLevel(logging.WARNING)
            upgrade()
            yield app
            db.session.remove()  # first: a task may be waiting for the write lock
            tasks.wait()
            db.engine.dispose()


def milliseconds(work: Callable[[], object], times: int = 15) -> float:
    """The median of several runs after one that warms the caches."""
    work()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)
