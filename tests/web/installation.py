"""A running portal for the tests of a whole module, on either pair of services, and clients as in service."""

from __future__ import annotations

import contextvars
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal import create_app, tasks
from portal.extensions import db, limiter
from portal.settings import Settings
from tests.conftest import EMBEDDED, settings_for
from tests.services import fresh_postgres_database


class ServedClient(FlaskClient):
    """A client whose requests live and end as in service, in a context of their own, whatever the test holds open."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        return contextvars.Context().run(super().open, *args, **kwargs)


@contextmanager
def installed(request: pytest.FixtureRequest, kind: str, folder: Any) -> Iterator[Settings]:
    """Settings of an installation with an empty, migrated database on one of the two pairs of services."""
    if kind == EMBEDDED:
        shutil.copy(request.getfixturevalue("migrated_sqlite"), folder / "portal.db")
        yield settings_for(folder)
        return
    server, template = request.getfixturevalue("postgres_url"), request.getfixturevalue("migrated_postgres")
    with fresh_postgres_database(server, template) as url:
        yield settings_for(folder, url, request.getfixturevalue("bucket"))


@contextmanager
def running(settings: Settings) -> Iterator[Flask]:
    """The portal in an application context, without limits on the number of requests."""
    app = create_app(settings)
    app.test_client_class = ServedClient
    app.config["TESTING"] = True
    app.config["PROPAGATE_EXCEPTIONS"] = False  # an error is a 500, as in service
    app.config["WTF_CSRF_ENABLED"] = False
    limited, limiter.enabled = limiter.enabled, False
    with app.app_context():
        try:
            yield app
        finally:
            limiter.enabled = limited
            db.session.remove()
            tasks.wait()
            db.engine.dispose()
