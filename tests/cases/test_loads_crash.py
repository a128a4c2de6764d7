"""A process that dies just before the commit of a load leaves the register as it was, and the load is taken up again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from portal import tasks
from portal.cases.loads import lifecycle
from portal.extensions import db
from portal.settings import Settings
from tests import exports
from tests.builders import Cast
from tests.cases.test_loads import apply, check, snapshot

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = "import sys; from portal import create_app, tasks; tasks.run(create_app(), sys.argv[1], {'load_id': sys.argv[2]})"


def die_in(task: str, load_id: object, settings: Settings) -> int:
    """Run a task in another process that is killed at the fault point; returns its exit code."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "XUEJI_SECRET_KEY": settings.secret_key,
        "XUEJI_DATABASE_URL": settings.database_url,
        "XUEJI_STORE_URL": settings.store_url,
        "XUEJI_DATA_DIR": str(settings.data_dir),
        "XUEJI_FAULT": "load.before_commit",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, task, str(load_id)],
        cwd=ROOT,
        env=environment,
        timeout=120,
        check=False,
    )
    return done.returncode


@pytest.mark.parametrize("verb", ["apply", "undo"])
def test_a_kill_before_the_commit_loses_nothing_and_half_does_nothing(
    app: Flask, settings: Settings, verb: str
) -> None:
    cast = Cast()
    db.session.commit()
    load = check(cast.reviewer, exports.rows_of(30, [cast.school.code]), complete=True)
    if verb == "undo":
        apply(load, cast.reviewer)
    before = snapshot()
    load.status, load_id = ("applying" if verb == "apply" else "undoing"), load.id
    db.session.commit()
    assert die_in(f"load.{verb}", load_id, settings) == 137
    assert snapshot() == before
    assert tasks.resume(app) == 1
    db.session.rollback()
    tasks.wait()
    db.session.expire_all()
    assert load.status == {"apply": "applied", "undo": "undone"}[verb]
    assert len(snapshot()) == len(before) + (30 if verb == "apply" else -30)
    assert lifecycle.find_load(cast.reviewer, load.id) is load
