"""The portal as a Flask application: create_app() is all the wiring there is.

What never belongs here: a view, a rule, a query.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import blueprints, cli, errors, gate, json_texts, keyed_digests, navigation, oversize, tasks
from portal.cases import evidence_keeping  # noqa: F401 - holding papers is a task that others ask for by its name
from portal.demo import people as demo_people
from portal.extensions import csrf, db, limiter, login, migrate
from portal.models import Account  # noqa: F401 - importing the package declares every table
from portal.policies import all_policies
from portal.settings import Settings
from portal.web import add_headers, htmx
from portal.workflows import WORKFLOWS, check_workflows
from storage.objects import open_store

MAX_BODY_BYTES = 27 * 1024 * 1024  # one file of 25 MB with its form around it
BLANKS = Path(__file__).parent / "printouts"


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application. Raises SettingsError, PolicyError or WorkflowError rather than start unsoundly."""
    settings = settings or Settings.from_environment()
    check_workflows(WORKFLOWS, all_policies(), BLANKS)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    app = Flask(__name__)
    app.config.update(_flask_config(settings))
    app.extensions["settings"] = settings
    keyed_digests.init_app(app, settings.audit_keys)
    app.extensions["store"] = open_store(settings.store_url)
    app.extensions["demo_accounts"] = demo_people.listed() if settings.demo else []
    db.init_app(app)
    migrate.init_app(app, db, directory=str(Path(__file__).parent.parent / "migrations"))
    login.init_app(app)
    csrf.init_app(app)
    limiter.init_app(app)
    htmx.init_app(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    gate.init_app(app)
    errors.init_app(app)
    oversize.init_app(app)
    blueprints.init_app(app)
    navigation.init_app(app)
    tasks.init_app(app)
    cli.init_app(app)
    app.after_request(add_headers)
    return app


def _flask_config(settings: Settings) -> dict[str, Any]:
    sqlite = settings.database_url.startswith("sqlite")
    # An error names its statement, never the values: they are what people typed, and errors are logged.
    engine: dict[str, Any] = {
        "hide_parameters": True,
        "json_serializer": json_texts.dumps,
        "json_deserializer": json_texts.loads,
    }
    if not sqlite:
        engine |= {"pool_size": 10, "max_overflow": 10, "pool_pre_ping": True}
    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine,
        "MAX_CONTENT_LENGTH": MAX_BODY_BYTES,
        "MAX_FORM_MEMORY_SIZE": 2 * 1024 * 1024,
        "SESSION_COOKIE_NAME": "__Host-xueji" if settings.secure_cookies else "xueji",
        "SESSION_COOKIE_SECURE": settings.secure_cookies,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "WTF_CSRF_SSL_STRICT": False,  # asks for a Referer, which we never send; gate.py judges the origin instead
        "WTF_CSRF_TIME_LIMIT": None,  # lives as long as the session, so that a long form is never lost to it
        "RATELIMIT_STORAGE_URI": "memory://",
    }
