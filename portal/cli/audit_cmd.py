"""flask audit verify, flask audit anchor: proof that nothing in the audit chain was changed or cut off."""

from __future__ import annotations

import re

import click
from flask import Flask

from portal import audit
from portal.extensions import db
from portal.models import AuditHead

ANCHOR = re.compile(r"([0-9]{1,12}):([0-9a-f]{64})")


def init_app(app: Flask) -> None:
    app.cli.add_command(group)


@click.group("audit")
def group() -> None:
    """Verify the audit chain, or print its anchor."""


@group.command("verify")
@click.option(
    "--anchor", default="", metavar="SEQ:DIGEST", help="As `flask audit anchor` printed it earlier."
)
def verify(anchor: str) -> None:
    """Walk the whole chain; exit 1 at the first fault. Without --anchor a cut-off tail cannot be seen."""
    verdict = audit.verify(_read(anchor) if anchor else None)
    if verdict.fault:
        click.echo(f"{verdict.records} records are sound, then: {verdict.fault}", err=True)
        raise SystemExit(1)
    click.echo(f"{verdict.records} records, all sound. Head {verdict.head}")


@group.command("anchor")
def anchor() -> None:
    """Print SEQ:DIGEST of the newest record, to be kept where the database's administrator cannot reach."""
    head = db.session.get(AuditHead, 1)
    click.echo(f"{head.seq}:{head.digest}" if head else f"0:{audit.START}")


def _read(text: str) -> tuple[int, str]:
    found = ANCHOR.fullmatch(text.strip().lower())
    if not found:
        raise click.BadParameter("expected SEQ:DIGEST, a number and 64 hexadecimal digits")
    return int(found[1]), found[2]
