"""Work behind a request: what a transaction asks for begins with its commit, and with nothing before."""

from __future__ import annotations

import pytest
from flask import Flask

from portal import tasks
from portal.extensions import db
from portal.settings import Settings


@pytest.mark.both_pairs
def test_a_savepoint_starts_no_task_and_loses_none(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: Settings = app.extensions["settings"]
    assert settings.worker != "procrastinate"  # whose queue is a table, and knows savepoints by itself
    ran: list[str] = []

    def ask() -> None:
        db.session.execute(db.text("SELECT 1"))
        tasks.enqueue("test.note", text="asked")

    monkeypatch.setitem(tasks.TASKS, "test.note", lambda text: ran.append(text))
    ask()
    with db.session.begin_nested():
        pass
    tasks.wait()
    assert ran == []
    with pytest.raises(ZeroDivisionError), db.session.begin_nested():
        raise ZeroDivisionError
    db.session.commit()
    tasks.wait()
    assert ran == ["asked"]
    ask()
    db.session.rollback()
    db.session.commit()
    tasks.wait()
    assert ran == ["asked"]
