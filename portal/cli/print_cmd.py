"""flask print: the official forms of cases, by number, as files."""

from __future__ import annotations

from pathlib import Path

import click
from flask import Flask, current_app
from sqlalchemy import select

from portal.cases import printed
from portal.extensions import db, reading_only
from portal.models import Case
from portal.settings import Settings


def init_app(app: Flask) -> None:
    app.cli.add_command(print_forms)


@click.command("print")
@click.argument("numbers", nargs=-1, required=True, metavar="CASE-NUMBER...")
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the files."
)
def print_forms(numbers: tuple[str, ...], out: Path) -> None:
    """Write every form of the cases as DOCX, exactly as the portal hands them out. Each is recorded in the audit chain."""
    settings: Settings = current_app.extensions["settings"]
    out.mkdir(parents=True, exist_ok=True)
    missing = []
    for number in dict.fromkeys(numbers):
        with reading_only():
            case = db.session.scalars(select(Case).where(Case.number == number)).one_or_none()
            orders = printed.orders(case) if case else []
            db.session.rollback()
        if not orders:
            missing.append(number)
            continue
        for order, anchor in zip(orders, printed.record(orders, settings.secret_key), strict=True):
            path = out / order.file_name
            path.write_bytes(printed.make(order, anchor, settings.secret_key))
            click.echo(str(path))
    if missing:
        raise click.ClickException(f"no such case, or nothing to print: {', '.join(missing)}")
