"""flask demo: a demonstration 州 on this machine, made on the first start, then served."""

from __future__ import annotations

import os
import sys

import click
from flask import Flask, current_app
from flask_migrate import upgrade

from portal import tasks
from portal.demo import seed
from portal.extensions import db
from portal.settings import Settings


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
    upgrade()
    if seed.is_empty():
        click.echo("Making the demonstration 州: offices, pupils, cases with papers (about 20 seconds) ...")
        seed.seed(current_app.extensions["store"])
        tasks.wait()
    db.session.remove()
    if prepare_only:
        return
    click.echo(
        f"\n  学籍业务门户（演示）  http://127.0.0.1:{port}\n  Accounts are listed on the sign-in page. Ctrl+C stops it.\n"
    )
    sys.stdout.flush()
    server = [sys.executable, "-m", "gunicorn", "--config", "python:portal.serving", "--workers", "1"]
    os.execv(sys.executable, [*server, "--bind", f"127.0.0.1:{port}", "wsgi:app"])  # noqa: S606 - our own words only
