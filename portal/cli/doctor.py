"""flask doctor: every readiness check in text; with --full everything that is kept is walked through. Exit 1 when one is red."""

from __future__ import annotations

import click
from flask import Flask, current_app

from portal.cli.walking import keep, progress, tell
from portal.oversight import walks
from portal.oversight.readiness import LATE, SOON, Installation, full
from storage.objects import StoreUnavailable

MARKS = {LATE: "✗", SOON: "!"}


def init_app(app: Flask) -> None:
    app.cli.add_command(doctor)


@click.command("doctor")
@click.option(
    "--full",
    "whole",
    is_flag=True,
    help="Also read every sealed object and hold the audit chain against the database.",
)
def doctor(whole: bool) -> None:
    """Check storage lock, migrations, clock, keys and the rest of the installation."""
    extensions = current_app.extensions
    if whole:
        _walk()
    checks = full(Installation(extensions["settings"], extensions["store"], extensions["migrate"].directory))
    for check in checks:
        click.echo(f"{MARKS.get(check.tone, '✓')} {check.title}：{check.text}")
    red = [check for check in checks if check.tone == LATE]
    if red:
        click.echo(f"有 {len(red)} 项需要处理：{'、'.join(check.title for check in red)}", err=True)
        raise SystemExit(1)


def _walk() -> None:
    """Both walks; what they find stands on the readiness page and makes its check red."""
    store = current_app.extensions["store"]
    try:
        for kind, findings in (
            (walks.EVIDENCE, walks.walk_evidence(store, progress)),
            (walks.AUDIT, walks.walk_audit(store, say=progress)),
        ):
            keep(kind, findings)
            tell(findings)
    except StoreUnavailable as error:
        raise click.ClickException(f"the store does not answer: {error}") from error
