"""flask unlock: let somebody sign in again whom wrong passwords keep out, also the topmost administrator."""

from __future__ import annotations

import click
from flask import Flask, current_app
from sqlalchemy import select

from portal import audit
from portal.accounts import management
from portal.extensions import db, reading_only
from portal.models import Account
from portal.settings import Settings


def init_app(app: Flask) -> None:
    app.cli.add_command(unlock)


@click.command("unlock")
@click.argument("login")
def unlock(login: str) -> None:
    """Forget every failed sign-in of LOGIN. Whoever guessed at it can begin anew: ask the person first."""
    settings: Settings = current_app.extensions["settings"]
    with reading_only(False):
        account = db.session.scalars(select(Account).where(Account.login == login.strip())).one_or_none()
        if account is None:
            db.session.rollback()
            raise click.ClickException("No account has this login.")
        management.unlock(settings.secret_key, account)
        audit.append("account.unlocked", "account", account.id, by="command line")
        db.session.commit()
    click.echo("Unlocked.")
