"""Gunicorn's settings: `gunicorn --config python:portal.serving wsgi:app`. The command line wins over what stands here."""

from __future__ import annotations

from typing import Any

from portal import tasks
from storage import sandbox

worker_class = "gthread"
workers = 2
threads = 8
timeout = 60  # seconds; an upload's judge is stopped after 15
graceful_timeout = 30
max_requests = 20000
max_requests_jitter = 2000
loglevel = "warning"
forwarded_allow_ips = "127.0.0.1"


def post_worker_init(worker: Any) -> None:
    """Take up what a dead process left unfinished, and have the picture libraries loaded before the first upload."""
    tasks.resume(worker.app.callable)
    sandbox.warm_up()
