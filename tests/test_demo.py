"""The demonstration: it begins whole or not at all, goes on where it was killed, and takes no port of anybody's."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, func, select, text

from portal import tasks
from portal.cli import demo as command
from portal.demo import chapters, seed
from portal.extensions import db
from portal.models import Account, Case, EvidenceFile, Item, Preference, Pupil, RegisterLoad
from tests import invariants
from tests.builders import Cast
from tests.faulty import UNLOADABLE, children_that
from tests.services import bucket_of_its_own  # noqa: F401 - a fixture

ROOT = Path(__file__).resolve().parent.parent


def count(model: type) -> int:
    db.session.remove()
    found = int(db.session.execute(select(func.count()).select_from(model)).scalar_one())
    db.session.remove()
    return found


def play(*keys: str) -> list[str]:
    wanted = [one for one in seed.chapters() if one.key in keys]
    assert len(wanted) == len(keys)
    return [one.key for one in chapters.play(wanted)]


def dying(chapter: chapters.Chapter) -> chapters.Chapter:
    """The chapter is killed when all of it is written and nothing committed."""

    def killed() -> None:
        chapter.play()
        raise KeyboardInterrupt

    return replace(chapter, play=killed)


def test_a_story_is_made_whole_or_not_at_all_and_told_once(app: Flask) -> None:
    seed.begin()
    db.session.commit()
    assert chapters.progress() == chapters.Progress(0, len(seed.chapters())) and count(Pupil) > 1000
    assert play("correction.s5", "intake.plan") == ["correction.s5", "intake.plan"]
    assert (count(Case), count(EvidenceFile)) == (1, 2)
    again = [
        one for one in seed.chapters() if one.key in ("correction.s5", "withdrawal.w1", "roster.qinghe_high")
    ]
    with pytest.raises(KeyboardInterrupt):
        list(chapters.play([again[0], dying(again[1])]))
    assert (count(Case), count(EvidenceFile)) == (1, 2)
    assert chapters.clear_left_over() == 9  # three papers, each with view and thumbnail
    assert play("correction.s5", "withdrawal.w1") == ["withdrawal.w1"]
    assert (count(Case), count(EvidenceFile)) == (2, 5)
    assert chapters.progress() == chapters.Progress(3, 2)  # of those that this test asked for
    db.session.remove()
    tasks.settle()
    assert invariants.everything() == []


def test_a_schools_load_waits_for_the_county_and_is_told_once(app: Flask) -> None:
    """Its steps commit by themselves: killed after them, the story ends without a second load."""
    seed.begin()
    db.session.commit()
    (story,) = (one for one in seed.chapters() if one.key == "load.waiting")
    with pytest.raises(KeyboardInterrupt):
        list(chapters.play([dying(story)]))
    assert play("load.waiting") == ["load.waiting"]
    assert count(RegisterLoad) == count(Item) == 1
    item = db.session.scalars(select(Item)).one()
    assert (item.after, item.status) == ({"added": 1, "changed": 1}, "open")


def test_the_sign_in_page_of_a_demonstration_tells_how_far_it_is(app: Flask) -> None:
    db.session.add(
        Preference(owner_id=chapters.OWNER, key=chapters.KEY, value={"of": 21, "made": ["a", "b"]})
    )
    db.session.commit()
    client = app.test_client()
    assert "还在准备" not in client.get("/sign-in").text
    app.extensions["settings"] = replace(app.extensions["settings"], demo=True)
    app.extensions["demo_accounts"] = [
        {"name": "马秀兰", "office": "", "role": "registrar", "login": "x", "password": "y"}
    ]
    assert "共 21 件，已有 2 件" in client.get("/sign-in").text
    row = db.session.scalars(select(Preference)).one()
    row.value = {"of": 2, "made": ["a", "b"]}
    db.session.commit()
    assert "还在准备" not in client.get("/sign-in").text


def test_a_half_made_database_is_made_anew_and_one_with_accounts_never(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = app.extensions["settings"]
    Cast()
    db.session.commit()
    if settings.database_url.startswith("sqlite"):
        place = tmp_path / "half.db"
        engine = create_engine(f"sqlite:///{place}")
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE offices (id TEXT)"))
        command._clear(replace(settings, database_url=f"sqlite:///{place}"))
        assert not place.exists()
    monkeypatch.setattr(command, "_clear", lambda _settings: pytest.fail("people would be lost"))
    command._make_ready(settings)
    assert count(Account) > 0


def test_without_picture_checks_nothing_is_made(tmp_path: Path, app: Flask) -> None:
    with (
        children_that(*UNLOADABLE),
        pytest.raises(command.click.ClickException, match="do not work") as error,
    ):
        command._make_ready(app.extensions["settings"])
    assert "Nothing was made" in str(error.value) and count(Account) == 0


def test_a_port_in_use_is_told_before_anything_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        call = ["make", "demo", f"PORT={port}", f"DEMO_DIR={folder}", f"PYTHON={sys.executable}"]
        done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and not folder.exists()
    assert f"Port {port} on 127.0.0.1 is in use" in done.stderr and "make demo PORT=" in done.stderr
    wrong = subprocess.run(
        [*call[:2], "PORT=99999", *call[3:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert wrong.returncode != 0 and "no port" in wrong.stderr
