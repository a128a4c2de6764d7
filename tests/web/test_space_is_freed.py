"""Uploads that fail or are refused half-way leave nothing in the store, and nothing that was received goes with them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.blueprints import evidence as evidence_pages
from portal.cases import evidence
from portal.cases import stored_files as files
from portal.cases.intake.scope import scope_of
from portal.cases.loads import lifecycle
from portal.cases.stamped import receiving
from portal.extensions import db
from portal.models import Case, EvidenceFile, RegisterLoad, StampedBatch, Status, StoredFile
from storage.judge import Judgement, judge
from storage.objects import ObjectStore, Sealed, StoreUnavailable
from tests import exports, papers
from tests.builders import Cast, a_case, sign_in
from tests.services import bucket_of_its_own  # noqa: F401 - a fixture


class FullDisk:
    """A store that is full when it comes to the pictures."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store

    def put(self, key: str, stream: Any, **how: Any) -> Any:
        if key.endswith("-thumb"):
            raise StoreUnavailable("the evidence folder cannot be used: ENOSPC")
        return self.store.put(key, stream, **how)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@pytest.fixture(scope="module")
def paper() -> bytes:
    return papers.as_jpeg(papers.narrow(papers.police_certificate("林小雨", "", "林晓雨", "林小雨"), 1240))


@pytest.fixture(scope="module")
def judged(paper: bytes) -> Judgement:
    return judge(paper)


def lying(store: ObjectStore, prefix: str) -> list[str]:
    return [key for key, _version in store.keys(f"{prefix}/")]


def upload(app: Flask, cast: Cast, case_id: object, paper: bytes) -> Any:
    db.session.rollback()
    client = app.test_client()
    sign_in(client, cast.registrar)
    return client.post(
        f"/cases/{case_id}/evidence/change_certificate", data={"files": (io.BytesIO(paper), "a.jpg")}
    )


def test_evidence_that_fails_or_is_overtaken_frees_its_space_at_once(
    app: Flask, paper: bytes, judged: Judgement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_pages, "judge", lambda *_args, **_named: judged)
    store, cast = app.extensions["store"], Cast()
    case_id = a_case(cast, "ready").id
    db.session.commit()
    before = set(lying(store, "evidence"))
    app.extensions["store"] = FullDisk(store)
    assert upload(app, cast, case_id, paper).status_code == 503
    assert set(lying(store, "evidence")) == before
    app.extensions["store"] = store
    keep = evidence.keep

    def overtaken(*args: Any) -> Any:
        kept = keep(*args)
        db.session.execute(update(Case).where(Case.id == case_id).values(status=Status.WITHDRAWN))
        db.session.commit()
        return kept

    with monkeypatch.context() as patch:
        patch.setattr(evidence, "keep", overtaken)
        assert upload(app, cast, case_id, paper).status_code == 409
    assert set(lying(store, "evidence")) == before
    mine = select(EvidenceFile).where(EvidenceFile.case_id == case_id, EvidenceFile.name == "a.jpg")
    assert db.session.scalars(mine).all() == []
    assert (
        db.session.scalars(select(StoredFile.status).where(StoredFile.status != "kept")).all() == ["gone"] * 2
    )
    db.session.execute(update(Case).where(Case.id == case_id).values(status=Status.DRAFT))
    db.session.commit()
    assert upload(app, cast, case_id, paper).status_code == 303
    file = db.session.scalars(mine.where(EvidenceFile.status == "committed")).one()
    key = file.store_key
    files.give_up(store, key)  # the answer of its commit was lost: it is evidence all the same
    assert len([one for one in lying(store, "evidence") if one.startswith(key)]) >= 3


def test_a_batch_given_up_frees_its_space_and_one_being_sorted_stays(app: Flask) -> None:
    store, cast = app.extensions["store"], Cast()
    for status, left in (("staged", 0), ("refused", 0), ("sorting", 1)):
        coming = receiving.stage(cast.registrar, "盖章表.pdf")
        db.session.commit()
        kept = receiving.keep(store, coming.key, io.BytesIO(b"%PDF-1.7"), "application/pdf")
        if status != "staged":
            batch = receiving.settle(coming, kept, "application/pdf")
            if status == "refused":
                receiving.refuse(batch, "打不开")
            db.session.commit()
        files.give_up(store, coming.key)
        files.clear(store, coming.key)
        assert len([one for one in lying(store, "stamped") if one == coming.key]) == left, status
        standing = select(StampedBatch.status).where(StampedBatch.store_key == coming.key)
        assert db.session.scalar(standing) == (None if status == "staged" else status)
        db.session.rollback()


def test_a_list_given_up_frees_its_space_and_one_that_waits_stays(app: Flask) -> None:
    store, cast = app.extensions["store"], Cast()
    scope = scope_of(cast.approver)
    assert scope is not None
    for settled in (False, True):
        key = files.expect(files.INTAKE, scope.state.id, cast.approver)
        if settled:
            files.settle(Sealed(key, "", "0" * 64, 4))
        db.session.commit()
        store.put(key, io.BytesIO(b"list"), size_limit=10, media_type="text/csv")
        files.give_up(store, key)
        assert (key in lying(store, "intake")) == settled
        row = db.session.scalars(select(StoredFile.status).where(StoredFile.key == key)).one()
        assert row == ("kept" if settled else "gone")
        db.session.rollback()


def test_a_load_that_no_row_names_and_a_discarded_one_leave_nothing(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, cast = app.extensions["store"], Cast()
    sheet = exports.as_csv([exports.a_row(1, cast.school.code)])
    db.session.commit()
    client = app.test_client()
    sign_in(client, cast.registrar)

    def send() -> Any:
        return client.post("/register/loads", data={"file": (io.BytesIO(sheet), "导出.csv")})

    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "begin", lambda *_args: 1 / 0)
        assert send().status_code == 500
    assert lying(store, "loads") == []
    assert send().status_code == 303
    assert len(lying(store, "loads")) == 1
    load_id = db.session.scalars(select(RegisterLoad.id)).one()
    db.session.rollback()
    assert client.post(f"/register/loads/{load_id}/discard").status_code == 303
    assert lying(store, "loads") == []
