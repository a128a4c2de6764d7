"""Commands for the operator: flask demo, doctor, audit, worker and their like.

What never belongs here: what a command does beyond reading its arguments and printing.
"""

from __future__ import annotations

from importlib import import_module

from flask import Flask

NAMES: tuple[str, ...] = (
    "demo",
    "sweep",
    "first_administrator",
    "doctor",
    "audit_cmd",
    "evidence_cmd",
    "worker",
    "print_cmd",
    "policies_cmd",
    "unlock",
)


def init_app(app: Flask) -> None:
    for name in NAMES:
        import_module(f"portal.cli.{name}").init_app(app)
