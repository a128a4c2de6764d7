"""flask audit: proof that nothing of the audit chain, and nothing that it covers, was changed or cut off."""

from __future__ import annotations

import uuid

import click
from flask import Flask, current_app

from portal import audit
from portal.cli.walking import finish, keep, progress
from portal.extensions import db, reading_only
from portal.models import AuditHead, keyed_rows
from portal.oversight import anchors, resealing, walks
from storage.objects import StoreUnavailable


def init_app(app: Flask) -> None:
    app.cli.add_command(group)


@click.group("audit")
def group() -> None:
    """Verify the audit chain and what it covers, print its anchor, seal rows."""


@group.command("verify")
@click.option(
    "--anchor",
    default="",
    metavar="SEQ:DIGEST",
    help="As `flask audit anchor` printed it, or as it stands on a printed form (SEQ-12 digits).",
)
def verify(anchor: str) -> None:
    """Walk the chain and hold it against decisions, events, register changes, statuses, pupils, accounts; exit 1 on any
    fault. The newest anchor in the store is used by itself."""
    given = _read(anchor) if anchor else None
    try:
        findings = walks.walk_audit(current_app.extensions["store"], given, progress)
    except StoreUnavailable as error:
        raise click.ClickException(f"the store with the anchors does not answer: {error}") from error
    keep(walks.AUDIT, findings)
    head = _head()
    finish(
        findings, f"{head.seq if head else 0} records, all sound. Head {head.digest if head else audit.START}"
    )


@group.command("anchor")
@click.option("--store", is_flag=True, help="Also write it to the store and the log.")
def anchor(store: bool) -> None:
    """Print SEQ:DIGEST of the newest record, to be kept where the database's administrator cannot reach."""
    if store:
        with reading_only(False):
            anchors.note(current_app.extensions["store"])
    head = _head()
    click.echo(f"{head.seq}:{head.digest}" if head else f"0:{audit.START}")


@group.command("seal")
def seal() -> None:
    """Seal the rows that were written before there was an audit key. Once, after an upgrade, when they are known to be right."""
    with reading_only(False):
        sealed = resealing.seal_all()
        anchors.note(current_app.extensions["store"])
    click.echo(f"{sealed} rows sealed")


@group.command("accept")
@click.argument("table", type=click.Choice(sorted(keyed_rows.COLUMNS)))
@click.argument("row", type=click.UUID)
def accept(table: str, row: uuid.UUID) -> None:
    """Seal one row as it stands now, after it was found changed and looked into. It stands in the chain."""
    with reading_only(False):
        if not resealing.accept(table, row):
            raise click.ClickException("there is no such row")
    click.echo("sealed as it stands")


def _head() -> AuditHead | None:
    db.session.rollback()
    return db.session.get(AuditHead, 1, populate_existing=True)


def _read(text: str) -> audit.Anchor:
    try:
        return anchors.read_printed(text)
    except anchors.NoAnchor as error:
        raise click.BadParameter(
            "expected SEQ:DIGEST (64 hexadecimal digits) or SEQ-DIGITS as printed on a form (12 of them)"
        ) from error
