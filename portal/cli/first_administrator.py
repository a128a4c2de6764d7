"""flask first-administrator: the way in for the very first account, and back in when every administrator is lost."""

from __future__ import annotations

import click
from flask import Flask

from portal import audit
from portal.accounts import one_time_codes
from portal.extensions import db, reading_only


def init_app(app: Flask) -> None:
    app.cli.add_command(first_administrator)


@click.command("first-administrator")
def first_administrator() -> None:
    """Print a one-time code, valid for an hour, to type at /first-administrator."""
    with reading_only(False):
        code = one_time_codes.issue(one_time_codes.FIRST_ADMINISTRATOR)
        audit.append("first_administrator.code_issued", by="command line")
        db.session.commit()
    click.echo(code)
    click.echo("Type it at /first-administrator within one hour. It works once.", err=True)
