"""People: HTTP in, HTML out. One blueprint a desk.

What never belongs here: a status, a rule, a query that decides who sees what.
"""

from __future__ import annotations

from importlib import import_module

from flask import Flask

NAMES = (
    "health",
    "auth",
    "admin",
    "account_admin",
    "holidays",
    "policy_packs",
    "local_conditions",
    "audit_trail",
    "cases",
    "numbers",
    "rosters",
    "evidence",
    "captures",
    "queues",
    "review",
    "unsent",
    "readings",
    "printouts",
    "stamped",
    "landings",
    "register",
    "loads",
    "proposals",
    "quality",
    "picture_standards",
    "intake",
    "intake_plan",
    "admitted",
    "admitted_people",
    "not_reported",
    "province",
)


def init_app(app: Flask) -> None:
    for name in NAMES:
        app.register_blueprint(import_module(f"portal.blueprints.{name}").bp)
