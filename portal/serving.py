"""Gunicorn's settings: `gunicorn --config python:portal.serving wsgi:app`. The command line wins over what stands here."""

from __future__ import annotations

from typing import Any

from portal import tasks
from portal.oversight import judge_check

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
    """Take up what a dead process left unfinished, and try the picture checks before the first upload: they are loaded
    by that. Where they do not work the portal serves all the rest, and an upload is answered by a 503."""
    tasks.resume(worker.app.callable)
    found = judge_check.tried()
    if not found.works:
        worker.log.error("The picture checks do not work, uploads will be answered by 503: %s", found.why)
