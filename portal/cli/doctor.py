"""flask doctor: every readiness check in text; exit 1 when one is red."""

from __future__ import annotations

import click
from flask import Flask, current_app

from portal.oversight.readiness import LATE, SOON, Installation, full

MARKS = {LATE: "✗", SOON: "!"}


def init_app(app: Flask) -> None:
    app.cli.add_command(doctor)


@click.command("doctor")
def doctor() -> None:
    """Check storage lock, migrations, clock, keys and the rest of the installation."""
    extensions = current_app.extensions
    checks = full(Installation(extensions["settings"], extensions["store"], extensions["migrate"].directory))
    for check in checks:
        click.echo(f"{MARKS.get(check.tone, '✓')} {check.title}：{check.text}")
    red = [check for check in checks if check.tone == LATE]
    if red:
        click.echo(f"有 {len(red)} 项需要处理：{'、'.join(check.title for check in red)}", err=True)
        raise SystemExit(1)
