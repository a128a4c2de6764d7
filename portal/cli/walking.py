"""How a walk is told on the command line."""

from __future__ import annotations

import click
from sqlalchemy.exc import SQLAlchemyError

from portal.extensions import db, reading_only
from portal.oversight import walks
from portal.oversight.findings import Findings


def progress(text: str) -> None:
    click.echo(f"  … {text}", err=True)


def keep(kind: str, findings: Findings) -> None:
    """Write the result down for the readiness page; a database that takes none, as a copy may, is told and no more."""
    try:
        with reading_only(False):
            walks.keep(kind, findings)
            db.session.commit()
    except SQLAlchemyError as error:
        db.session.rollback()
        click.echo(f"the result could not be written down: {type(error).__name__}", err=True)


def tell(findings: Findings) -> None:
    for text in findings.told:
        click.echo(f"✗ {text}", err=True)
    if findings.faults > len(findings.told):
        click.echo(f"✗ …… 另有 {findings.faults - len(findings.told)} 处", err=True)
    for text in findings.remarks:
        click.echo(f"! {text}")


def finish(findings: Findings, sound: str) -> None:
    """Tell everything, then exit by what was found."""
    tell(findings)
    if findings.faults:
        click.echo(f"{findings.faults} faults", err=True)
        raise SystemExit(1)
    click.echo(sound)
