"""flask worker: runs the background tasks where XUEJI_WORKER=procrastinate."""

from __future__ import annotations

import logging

import click
from flask import Flask, current_app

from portal import tasks
from portal.settings import Settings

INLINE = "XUEJI_WORKER=inline: tasks run inside the portal, no worker is needed."


def init_app(app: Flask) -> None:
    app.cli.add_command(worker)


@click.command("worker")
@click.option("--setup", is_flag=True, help="Only make the queue's tables, then stop.")
@click.option("--once", is_flag=True, help="Run what is waiting, then stop.")
def worker(setup: bool, once: bool) -> None:
    """Run queued tasks until told to stop. The queue's tables are made if they are missing."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    settings: Settings = app.extensions["settings"]
    if settings.worker != "procrastinate":
        click.echo(INLINE)
        return
    if setup:
        click.echo("Tables made." if tasks.prepare_queue(app) else "The tables are there already.")
        return
    logging.basicConfig(level=logging.INFO)
    queue = tasks.worker_app(app)
    tasks.resume(app)
    queue.run_worker(queues=[tasks.QUEUE], wait=not once, delete_jobs="successful")
