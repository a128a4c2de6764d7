"""flask sweep: clear up uploads that never finished. Run it daily; it never touches what was received."""

from __future__ import annotations

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from portal.cases import evidence


def init_app(app: Flask) -> None:
    app.cli.add_command(sweep)


@click.command()
@with_appcontext
def sweep() -> None:
    """Delete what unfinished uploads left in the store, a day after they began."""
    click.echo(f"{evidence.reap(current_app.extensions['store'])} unfinished uploads cleared up")
