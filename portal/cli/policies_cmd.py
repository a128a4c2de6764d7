"""flask policies open-cases: which open cases a corrected policy pack touches."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from portal.extensions import reading_only
from portal.oversight.open_cases import touched

policies = AppGroup("policies", help="What the policy packs mean for the cases of this installation.")


def init_app(app: Flask) -> None:
    app.cli.add_command(policies)


@policies.command("open-cases")
def open_cases() -> None:
    """List the open cases for which a pack that was put right asks for something else now, and what."""
    count = 0
    with reading_only():
        for case in touched():
            count += 1
            click.echo(f"{case.number}　{case.title}　{case.status}（{case.office}）")
            for sentence in case.changed:
                click.echo(f"    {sentence}")
    click.echo(f"共 {count} 件未办结的业务受影响" if count else "没有受影响的未办结业务")
