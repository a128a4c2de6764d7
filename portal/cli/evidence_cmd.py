"""flask evidence verify: proof that the store holds what was received, and nothing else."""

from __future__ import annotations

import click
from flask import Flask, current_app

from portal.cli.walking import finish, keep, progress
from portal.oversight import walks
from storage.objects import StoreUnavailable


def init_app(app: Flask) -> None:
    app.cli.add_command(group)


@click.group("evidence")
def group() -> None:
    """Verify the evidence store."""


@group.command("verify")
def verify() -> None:
    """Read every sealed object and hold it against its row, the audit chain and what decisions have seen; exit 1 on any
    fault, 2 where the store does not answer."""
    try:
        findings = walks.walk_evidence(current_app.extensions["store"], progress)
    except StoreUnavailable as error:
        click.echo(f"the store does not answer: {error}", err=True)
        raise SystemExit(2) from error
    keep(walks.EVIDENCE, findings)
    finish(findings, f"{findings.checked} objects and names, all sound, in {findings.seconds:.0f} s")
