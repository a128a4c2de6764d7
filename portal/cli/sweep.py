"""flask sweep: clear up what never finished or was never sent, take up failed tasks, note the head of the audit chain.

Run it daily; it never touches evidence that was received.
"""

from __future__ import annotations

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from portal import tasks
from portal.cases import stored_files as files
from portal.cases import unsent
from portal.extensions import reading_only
from portal.oversight import anchors


def init_app(app: Flask) -> None:
    app.cli.add_command(sweep)


@click.command()
@with_appcontext
def sweep() -> None:
    """Clear up what never finished or was never sent; take up failed tasks; note the audit chain's head in the store."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    with reading_only(False):
        click.echo(f"{files.expire()} files whose keeping is over dropped")
        click.echo(f"{files.reap(app.extensions['store'])} unfinished or dropped files cleared up")
        click.echo(f"{files.learn_locks(app.extensions['store'])} locks of files learnt from the store")
        anchor = anchors.note(app.extensions["store"])
        click.echo(f"audit anchor {anchor.seq}:{anchor.digest}" if anchor else "audit anchor: noted already")
        click.echo(f"{unsent.sweep()} texts that were never sent deleted")
    click.echo(f"{tasks.resume(app)} unfinished tasks asked for again")
    tasks.wait()
