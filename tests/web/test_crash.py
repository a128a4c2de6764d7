"""The process dies at every named step, and at moments of its own choosing: what was acknowledged is there, nothing is half
done, and the same act can be done again. CRASH_KILLS=25 is the longer run of the random kills."""

from __future__ import annotations

import hashlib
import io
import os
import random
import threading
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select, update

from portal import tasks
from portal.cases import actions, evidence_keeping, stored_files
from portal.cases.stamped.receiving import sealed_original
from portal.extensions import db
from portal.faults import POINTS
from portal.models import (
    Case,
    EvidenceFile,
    Pupil,
    RegisterChange,
    RegisterLoad,
    StampedBatch,
    Status,
    StoredFile,
)
from portal.models.types import utcnow
from portal.oversight import stored_walk
from portal.oversight.findings import Findings
from portal.settings import Settings
from tests import invariants, papers
from tests.builders import NEW_NAME, Cast, a_case, a_pupil, act, sign_in
from tests.services import fresh_bucket_url
from tests.web import load_scenes
from tests.web.dying import GONE, Sender, Server, dies, server
from tests.web.load_scenes import Scene

KILLS = int(os.environ.get("CRASH_KILLS", "4"))
SLOT = "household_book"


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> str:
    """A bucket of this test's own, so that everything in it has to be named by a row."""
    return fresh_bucket_url(request.getfixturevalue("s3_url"))


@pytest.fixture(scope="module")
def paper() -> Image.Image:
    return papers.household_page("林小雨", "622999201305060023", width=1100)


def copy_of(paper: Image.Image, number: int) -> bytes:
    """The same picture in other bytes."""
    out = io.BytesIO()
    paper.save(out, "JPEG", quality=85, comment=f"copy {number}".encode())
    return out.getvalue()


def an_upload(cast: Cast, paper: Image.Image) -> Scene:
    case = a_case(cast)
    act(case, cast.registrar, "edit", answers=NEW_NAME)
    db.session.commit()
    data, case_id = copy_of(paper, 1), case.id
    path = f"/cases/{case_id}/evidence/{SLOT}"

    def done() -> bool:
        query = select(EvidenceFile).where(
            EvidenceFile.case_id == case_id, EvidenceFile.status == "committed"
        )
        return len(db.session.scalars(query).all()) == 1

    def repeat(client: Any) -> int:
        return int(client.post(path, data={"files": [(io.BytesIO(data), "paper.jpg")]}).status_code)

    return Scene(
        cast.registrar, f"/cases/{case_id}/papers", lambda sender: sender.send(path, data), repeat, done, 422
    )


def a_decision(cast: Cast, _paper: Image.Image) -> Scene:
    """The last approval, which changes the register."""
    case = a_case(cast, "state_approval")
    db.session.commit()
    tasks.wait()
    path, case_id, pupil_id = f"/cases/{case.id}/decide", case.id, cast.pupil.id
    fields = {"verb": "approve", "seen": actions.stamp(case), "note": "同意"}

    def done() -> bool:
        changes = db.session.scalars(select(RegisterChange).where(RegisterChange.case_id == case_id)).all()
        approved = db.session.get_one(Case, case_id).status == Status.APPROVED
        renamed = db.session.get_one(Pupil, pupil_id).name == NEW_NAME["new_name"]
        assert approved == renamed == (len(changes) == 1), "half a decision"
        return approved

    return Scene(
        cast.approver,
        f"/cases/{case_id}/desk",
        lambda sender: sender.post(path, fields).status,
        lambda client: int(client.post(path, data=fields).status_code),
        done,
        again=409,
    )


def a_batch(cast: Cast, paper: Image.Image) -> Scene:
    """A scan of stamped forms, up to its sorting."""
    a_case(cast)  # the audit chain has begun
    db.session.commit()
    data = copy_of(paper, 1)

    def done() -> bool:
        batches = db.session.scalars(select(StampedBatch)).all()
        for batch in batches:
            assert invariants.store().read(sealed_original(batch)) == data, "a batch without its file"
        return bool(batches)

    def repeat(client: Any) -> int:
        return int(client.post("/stamped", data={"file": (io.BytesIO(data), "scan.jpg")}).status_code)

    return Scene(cast.registrar, "/stamped", lambda sender: sender.send("/stamped", data), repeat, done)


SCENES = {
    "upload": an_upload,
    "decide": a_decision,
    "export": load_scenes.an_export,
    "check": load_scenes.a_check,
    "load": load_scenes.a_load,
    "items": load_scenes.an_answer,
    "discard": load_scenes.a_discard,
    "batch": a_batch,
    "list": load_scenes.a_list,
}
BY_ITSELF = (
    "export",
    "discard",
    "batch",
    "list",
)  # one request each, without a task: no server is needed to die in


def ask(question: Callable[[], bool]) -> bool:
    """Ask the database in a transaction that ends, since on SQLite an open one keeps everybody else from writing."""
    db.session.remove()
    answer = question()
    db.session.remove()
    return answer


@pytest.mark.parametrize("point", POINTS)
def test_a_death_at_any_step_loses_nothing_and_half_does_nothing(
    app: Flask, settings: Settings, point: str, paper: Image.Image
) -> None:
    kind, _, step = point.partition(".")
    scene = SCENES[kind](Cast(), paper)
    db.session.remove()
    if kind in BY_ITSELF:
        client: Any = app.test_client()
        sign_in(client, scene.who)
        assert dies(app, settings, point, lambda: scene.repeat(client)) == 137
    else:
        _die_in_a_server(app, settings, point, scene)
    committed = step == "after_commit"
    assert ask(scene.done) == committed
    assert invariants.everything() == []
    restart(app)
    assert ask(scene.done) == (committed or scene.task), "what was asked for in a commit is taken up again"
    if not scene.task:
        client = app.test_client()
        sign_in(client, scene.who)
        db.session.remove()
        assert scene.repeat(client) == (scene.again if committed else 303)
    tasks.wait()
    assert ask(scene.done)
    assert invariants.everything() == []
    assert unlocked() == []
    sweep(app)


def _die_in_a_server(app: Flask, settings: Settings, point: str, scene: Scene) -> None:
    with server(settings, point) as dying:
        sender = Sender.signed_in(app, dying.port, scene.who)
        assert isinstance(sender, Sender) and sender.get(scene.page).status == 200
        db.session.remove()
        if scene.task:
            _answered_or_gone(lambda: scene.perform(sender))
        else:
            with pytest.raises(GONE):
                scene.perform(sender)
        assert dying.died() == 137


def _answered_or_gone(work: Callable[[], int]) -> None:
    """A task may kill the process before or after the answer to the request that asked for it."""
    try:
        assert work() == 303
    except GONE:
        return


def restart(app: Flask) -> None:
    """What a process does when it starts, once the dead one has given no sign of life for long enough."""
    db.session.remove()
    db.session.execute(update(RegisterLoad).values(worker_seen_at=None))
    db.session.commit()
    tasks.resume(app)
    db.session.remove()
    tasks.wait()


def unlocked() -> list[Any]:
    db.session.remove()
    found = list(evidence_keeping.unlocked_cases())
    db.session.remove()
    return found


def sweep(app: Flask) -> None:
    """A day later the uploads that never ended are cleared up, in the tables and in the store."""
    db.session.remove()
    staged = update(StoredFile).where(StoredFile.status == "staged")
    db.session.execute(staged.values(expires_at=utcnow() - timedelta(hours=2)))
    db.session.commit()
    assert app.test_cli_runner().invoke(args=["sweep"]).exit_code == 0
    db.session.remove()
    assert invariants.i6_rows_and_objects(tombstones=False) == []
    kept = set(db.session.scalars(select(StoredFile.key).where(StoredFile.status == "kept")))
    for kind in stored_files.KINDS.values():
        there = {key.partition("-")[0] for key, _ in invariants.store().keys(f"{kind.folder}/")}
        assert there == {key for key in kept if key.startswith(f"{kind.folder}/")}, kind.folder
    findings = Findings()
    stored_walk.ownership(findings)
    stored_walk.orphans(invariants.store(), findings)
    assert findings.told == [] and not db.session.query(StoredFile).filter_by(status="staged").count()
    db.session.remove()


def test_every_point_has_a_scene() -> None:
    assert {point.partition(".")[0] for point in POINTS} == set(SCENES)


# --- at any moment --------------------------------------------------------------------------------------------------


class Journal:
    """What the people were told, written to disk before they go on."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")
        self._lock = threading.Lock()
        self.lines: list[tuple[str, str]] = []

    def note(self, kind: str, name: str) -> None:
        with self._lock:
            self._file.write(f"{kind} {name}\n")
            self._file.flush()
            os.fsync(self._file.fileno())
            self.lines.append((kind, name))

    def told(self, kind: str) -> set[str]:
        return {name for one, name in self.lines if one == kind}


def test_kills_at_random_moments_lose_nothing_acknowledged(
    app: Flask, settings: Settings, tmp_path: Path, paper: Image.Image
) -> None:
    cast = Cast()
    drafts, decisions = _a_day_of_work(cast)
    journal, stop = Journal(tmp_path / "journal"), threading.Event()
    running = Server(settings)
    people = {
        name: Sender.signed_in(app, running.port, who)
        for name, who in (("registrar", cast.registrar), ("reviewer", cast.reviewer))
    }
    db.session.remove()
    people["registrar"].get(f"/cases/{drafts[0]}/papers")
    people["reviewer"].get(f"/cases/{decisions[0][0]}/desk")
    threads = [
        threading.Thread(target=_uploads, args=(people["registrar"], drafts, paper, journal, stop)),
        threading.Thread(target=_decides, args=(people["reviewer"], decisions, journal, stop)),
    ]
    for thread in threads:
        thread.start()
    moments = random.Random(20261103)
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.2, 1.8))
        running.kill()
        running = Server(settings, port=running.port)
    patience = time.monotonic() + 60  # on a slow machine the last server is given the time to take something
    while len(journal.lines) < KILLS and time.monotonic() < patience:
        time.sleep(0.5)
    time.sleep(0.5)
    stop.set()
    for thread in threads:
        thread.join(90)
    running.kill()
    restart(app)
    shas = journal.told("file")
    assert len(journal.lines) >= KILLS, "the people got nothing done"
    assert invariants.everything(shas) == []
    db.session.remove()
    approved = {str(one) for one in db.session.scalars(select(Case.id).where(Case.status == Status.APPROVED))}
    assert journal.told("case") <= approved
    assert unlocked() == []
    sweep(app)


def _a_day_of_work(cast: Cast) -> tuple[list[uuid.UUID], list[tuple[uuid.UUID, str]]]:
    """Drafts that wait for papers, and cases whose one decision changes the register."""
    drafts = []
    for _ in range(3 + KILLS // 4):
        draft = a_case(cast, pupil=a_pupil(cast.school))
        act(draft, cast.registrar, "edit", answers=NEW_NAME)
        drafts.append(draft.id)
    cases = [
        a_case(cast, "county_review", pupil=a_pupil(cast.school, stage="初中"))
        for _ in range(20 + 10 * KILLS)
    ]
    decisions = [(case.id, actions.stamp(case)) for case in cases]
    db.session.commit()
    tasks.wait()
    db.session.remove()
    return drafts, decisions


def _uploads(
    sender: Sender, drafts: list[uuid.UUID], paper: Image.Image, journal: Journal, stop: threading.Event
) -> None:
    number = 0
    while not stop.is_set():
        number += 1
        data = copy_of(paper, number)
        try:
            status = sender.send(f"/cases/{drafts[number % len(drafts)]}/evidence/{SLOT}", data)
        except GONE:
            time.sleep(0.1)
            continue
        if status == 303:
            journal.note("file", hashlib.sha256(data).hexdigest())


def _decides(
    sender: Sender, decisions: list[tuple[uuid.UUID, str]], journal: Journal, stop: threading.Event
) -> None:
    waiting = list(decisions)
    while waiting and not stop.is_set():
        case_id, stamp = waiting[-1]
        try:
            answer = sender.post(f"/cases/{case_id}/decide", {"verb": "approve", "seen": stamp})
        except GONE:
            time.sleep(0.1)
            continue
        if answer.status == 303:
            journal.note("case", str(case_id))
        assert answer.status in (303, 409), answer.text[:500]  # 409: done before a kill, and not acknowledged
        waiting.pop()
        time.sleep(0.05)
