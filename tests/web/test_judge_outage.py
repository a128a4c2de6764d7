"""The picture checks cannot work: 503 and another try, red for the administrator, and no word about anybody's paper."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal import tasks
from portal.cases import evidence
from portal.extensions import db
from portal.models import AuditRecord, Case, EvidenceFile, PageReading, StampedBatch, StoredFile
from portal.oversight import judge_check
from storage import reading
from storage.judge import judge
from tests import invariants
from tests.builders import Cast, a_case, act, sign_in
from tests.cases.forms import enter
from tests.faulty import UNLOADABLE, children_that
from tests.hostile import honest

pytestmark = pytest.mark.pages

SLOT = "change_certificate"
NAME = {
    "fields": ["name"],
    "cause": "household_corrected",
    "explanation": "户口簿登记姓名有误，已更正",
    "new_name": "马晓明",
}


@pytest.fixture(autouse=True)
def nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_check, "_kept", None)


def a_draft(cast: Cast) -> Case:
    """Filled in, so that it asks for its papers."""
    case = a_case(cast)
    act(case, cast.registrar, "edit", answers=NAME)
    db.session.commit()
    return case


def post(client: FlaskClient, path: str, **headers: str) -> tuple[int, str, str]:
    answer = client.post(path, data={"files": (io.BytesIO(honest.jpeg()), "a.jpg")}, headers=headers)
    db.session.remove()
    return answer.status_code, answer.text, answer.headers.get("Retry-After", "")


def everything(column: Any) -> list[str]:
    """The values of a column; no transaction stays open that a task would have to wait for."""
    db.session.remove()
    found = list(db.session.scalars(select(column)))
    db.session.remove()
    return found


def test_an_upload_is_answered_by_503_and_taken_when_the_checks_work_again(app: Flask) -> None:
    cast = Cast()
    case_id = a_draft(cast).id
    client = enter(app, cast.registrar)
    path = f"/cases/{case_id}/evidence/{SLOT}"
    before = db.session.scalars(select(AuditRecord.seq).order_by(AuditRecord.seq.desc())).first()
    db.session.rollback()
    with children_that(*UNLOADABLE):
        status, text, retry = post(client, path)
        assert (status, retry) == (503, "60") and "没有判定" in text and "请稍后重试" in text
        status, text, _ = post(client, path, **{"X-Requested-With": "upload", "HX-Request": "true"})
        assert status == 503 and "data-error" in text and "请稍后重试" in text
        status, text, _ = post(client, f"/cases/{case_id}/capture/{SLOT}", **{"X-Requested-With": "capture"})
        assert status == 503 and "没有判定" in json.loads(text)["message"]
    assert db.session.scalars(select(EvidenceFile)).all() == []
    assert db.session.scalars(select(StoredFile.status)).all() == ["gone"] * 3
    said = db.session.scalars(select(AuditRecord.action).where(AuditRecord.seq > (before or 0))).all()
    assert not [action for action in said if action.startswith("evidence.")]
    assert invariants.everything() == []
    assert post(client, path)[0] == 303
    assert db.session.scalars(select(EvidenceFile.status)).all() == ["committed"]
    standing = select(StoredFile.status).order_by(StoredFile.begun_at)
    assert db.session.scalars(standing).all() == ["gone"] * 3 + ["kept"]


def test_a_refused_file_never_becomes_evidence(app: Flask) -> None:
    """What ended a demonstration in NOT NULL on media_type: it is told in words where it is made."""
    cast = Cast()
    case = a_draft(cast)
    staged = evidence.stage(case, cast.registrar, SLOT, "a.exe")
    judged = judge(b"MZ no picture")
    kept = evidence.keep(app.extensions["store"], staged.key, b"MZ no picture", judged)
    with pytest.raises(ValueError, match="cannot be evidence"):
        evidence.settle(staged, kept, judged)


def test_a_batch_of_stamped_forms_waits_and_is_sorted_afterwards(app: Flask) -> None:
    cast = Cast()
    db.session.commit()
    client = enter(app, cast.registrar)
    with children_that(*UNLOADABLE):
        answer = client.post("/stamped", data={"file": (io.BytesIO(honest.pdf()), "盖章表.pdf")})
        assert answer.status_code == 303
        db.session.remove()
        with pytest.raises(Exception, match="没有判定"):
            tasks.wait()
    assert everything(StampedBatch.status) == ["sorting"]
    assert tasks.resume(app) >= 1
    tasks.wait()
    assert everything(StampedBatch.status) == ["sorted"]


def test_readiness_and_doctor_are_red_and_say_why_in_the_log(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    cast = Cast()
    db.session.commit()
    client = app.test_client()
    sign_in(client, cast.administrator)
    assert client.get("/readyz").text.endswith("judge ok\n")
    judge_check._kept = None
    with children_that(
        "def locked(*_): raise PermissionError(13, 'upright.npy')", "examination.quality.measure = locked"
    ):
        answer = client.get("/readyz")
        assert answer.status_code == 503 and answer.text.endswith("judge failing\n")
        assert "upright.npy" in caplog.text and "the picture checks do not work" in caplog.text
        assert "上传的材料现在收不下" in client.get("/admin/readiness").text
        doctor = app.test_cli_runner().invoke(args=["doctor"])
        assert doctor.exit_code == 1 and "✗ 图片检查" in doctor.output


def test_it_is_tried_when_the_server_starts(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    from portal import serving

    class Worker:
        log = logging.getLogger("gunicorn.error")

        class app:
            callable = None

    Worker.app.callable = app
    with children_that(*UNLOADABLE):
        serving.post_worker_init(Worker)
    assert "uploads will be answered by 503" in caplog.text


def test_a_page_waits_for_an_engine_that_does_not_start(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before, it was 识读失败 for good: nobody read it again when the engine worked."""
    if not reading.available():
        pytest.skip("the extra 'reading' is not installed")
    app.extensions["settings"] = replace(app.extensions["settings"], reading=True)
    cast = Cast()
    case_id = a_draft(cast).id
    client = enter(app, cast.registrar)
    reading._end()
    with monkeypatch.context() as broken:
        broken.setattr(reading, "_BOOT", "raise SystemExit(1)")
        assert post(client, f"/cases/{case_id}/evidence/{SLOT}")[0] == 303
        tasks.wait()
        with pytest.raises(reading.NotWorking):
            reading.read(honest.jpeg())
    assert everything(PageReading.status) == ["waiting"]
    tasks.resume(app)
    tasks.wait()
    assert everything(PageReading.status) == ["done"]
