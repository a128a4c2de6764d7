"""flask sweep: what nobody will miss goes, what was received stays."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import select

from portal.cases import evidence, evidence_rows, offices
from portal.cases import stored_files as files
from portal.cases.intake import admissions
from portal.cases.intake.admissions import Received
from portal.cases.intake.admitted_rows import Schools, columns
from portal.cases.intake.scope import Scope, scope_of
from portal.cases.loads import lifecycle
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import EvidenceFile, RegisterLoad, StoredFile
from portal.models.types import utcnow
from portal.oversight import evidence_walk, stored_walk
from portal.oversight.findings import Findings
from storage.objects import ObjectStore, Sealed, new_key
from tests import exports
from tests.builders import Cast, a_case
from tests.cases.test_loads import receive as a_load_of
from tests.intakes import a_person, receive_list
from tests.services import bucket_of_its_own  # noqa: F401 - a fixture


def row_of(key: str) -> StoredFile:
    return db.session.scalars(select(StoredFile).where(StoredFile.key == key)).one()


def test_sweep_takes_unfinished_uploads_and_discarded_loads_only(app: Flask) -> None:
    store = app.extensions["store"]
    cast = Cast()
    case = a_case(cast, "ready")
    staged = row_of(evidence.stage(case, cast.registrar, "change_certificate", "中断.jpg").key)
    staged.expires_at = utcnow() - timedelta(hours=2)
    left = store.put(staged.key, BytesIO(b"half an upload"), size_limit=100, media_type="image/jpeg")
    received = [
        a_load_of(exports.as_xlsx([exports.a_row(n, cast.school.code)]), cast.registrar) for n in (1, 2)
    ]
    discarded, standing = (lifecycle.begin(cast.registrar, "导出.xlsx", one) for one in received)
    lifecycle.discard(discarded)
    staged_id, discarded_id, standing_id = staged.id, discarded.id, standing.id
    db.session.commit()

    result = app.test_cli_runner().invoke(args=["sweep"])

    assert result.exit_code == 0, result.output
    assert "2 unfinished or dropped files cleared up" in result.output
    db.session.expire_all()
    assert db.session.get_one(StoredFile, staged_id).status == "gone"
    assert db.session.get_one(RegisterLoad, discarded_id).stored == {}
    assert not store.exists(left) and not store.exists(received[0].sealed)
    assert store.exists(Sealed(**db.session.get_one(RegisterLoad, standing_id).stored))
    kept = db.session.scalars(select(EvidenceFile).where(EvidenceFile.status == "committed")).all()
    assert len(kept) == 2 and all(store.exists(evidence_rows.sealed_original(file)) for file in kept)


def test_what_arrives_late_is_swept_however_long_the_portal_stood_still(app: Flask) -> None:
    """A clock that was wrong, or a sweep that did not run for months: the 30 days count from the burial to a sweep."""
    store = app.extensions["store"]
    cast = Cast()
    staged = row_of(
        evidence.stage(a_case(cast, "ready"), cast.registrar, "change_certificate", "中断.jpg").key
    )
    staged.expires_at = utcnow() - timedelta(days=60)
    db.session.commit()

    def stays(days: int = 0) -> bool:
        """Whether the sweep leaves what came late, `days` later."""
        late = store.put(f"{staged.key}-1-view", BytesIO(b"x"), size_limit=100, media_type="image/jpeg")
        db.session.refresh(staged)
        if staged.expires_at:
            staged.expires_at -= timedelta(days=days)
        db.session.commit()
        files.reap(store)
        return bool(store.exists(late))

    assert files.reap(store) == 1
    assert not stays() and not stays(29)
    assert not stays(300), "the first sweep after the 30 days looks for the last time"
    assert stays()


def a_list_of(scope: Scope, cast: Cast, number: int) -> Received:
    titles = ",".join(column.title for column in columns(scope.roster))
    one = {**a_person(number), "admitted_to": cast.school.code, "exam_county": "青禾县"}
    line = ",".join(one[column.key] for column in columns(scope.roster))
    known = Schools.of([cast.school])
    received = receive_list(scope, known, "名单.csv", f"{titles}\n{line}\n".encode())
    db.session.commit()
    return received


def test_what_an_upload_of_a_list_left_in_the_store_is_swept(app: Flask) -> None:
    """A process that died between store and commit, and one that died between a commit and the deletion after it."""
    store = app.extensions["store"]
    cast = Cast()
    db.session.commit()
    scope = scope_of(cast.approver)
    assert scope is not None
    lost, replaced, waiting, fresh = (a_list_of(scope, cast, number) for number in range(4))
    admissions.stage(scope, replaced)
    db.session.commit()
    assert admissions.stage(scope, waiting) == replaced.sealed, "and then the process died"
    db.session.commit()
    for key in (lost.sealed.key, replaced.sealed.key):
        file = db.session.scalars(select(StoredFile).where(StoredFile.key == key)).one()
        file.expires_at = utcnow() - timedelta(hours=2)
    db.session.commit()

    result = app.test_cli_runner().invoke(args=["sweep"])

    assert result.exit_code == 0 and "2 unfinished or dropped files cleared up" in result.output
    assert [store.exists(one.sealed) for one in (lost, replaced, waiting, fresh)] == [
        False,
        False,
        True,
        True,
    ]
    late = store.put(f"{lost.sealed.key}-late", BytesIO(b"x"), size_limit=9, media_type="text/csv")
    assert files.reap(store) == 0 and not store.exists(late), "looked for again until 30 days after"
    with pytest.raises(Refused, match="重新上传"):
        admissions.stage(scope, lost)
    db.session.rollback()
    gone = admissions.discard(scope)
    db.session.commit()
    assert gone == waiting.sealed
    files.clear(store, gone.key)
    assert not store.exists(waiting.sealed)
    left = {one.key: one.status for one in db.session.scalars(select(StoredFile))}
    assert left.pop(fresh.sealed.key) == "staged" and set(left.values()) == {"gone"} and len(left) == 3


def test_an_export_that_a_crash_left_and_those_whose_keeping_is_over_go(app: Flask) -> None:
    """A process that died between the store and the row; one nobody applied; one that failed; one that was applied, from
    which day on it is kept as long again."""
    store, cast = app.extensions["store"], Cast()
    days = offices.policy_of(cast.school).value("keeping.load_days")
    db.session.commit()

    def receive(number: int) -> lifecycle.Received:
        return a_load_of(exports.as_xlsx([exports.a_row(number, cast.school.code)]), cast.registrar)

    crashed, *others = (receive(number) for number in range(1, 7))
    loads = [lifecycle.begin(cast.registrar, "导出.xlsx", one) for one in others]
    for load, status in zip(loads, ("uploaded", "failed", "applied", "applying", "checked"), strict=True):
        load.status = status
    db.session.commit()
    by_key = {file.key: file for file in db.session.scalars(select(StoredFile))}
    assert {by_key[one.sealed.key].size for one in others} == {one.sealed.size for one in others}
    assert {by_key[one.sealed.key].sha256 for one in others} == {one.sealed.sha256 for one in others}
    by_key[crashed.sealed.key].expires_at = utcnow() - timedelta(days=2)
    for one in others:
        kept = by_key[one.sealed.key]
        assert kept.status == "kept" and abs(kept.expires_at - utcnow() - timedelta(days=days)) < timedelta(
            hours=1
        )
        kept.expires_at -= timedelta(days=days, minutes=5)
    db.session.flush()
    files.keep_on(others[4].sealed.key)
    db.session.commit()
    first = app.test_cli_runner().invoke(args=["sweep"])
    assert "3 files whose keeping is over" in first.output and "4 unfinished or dropped" in first.output
    there = [store.exists(one.sealed) for one in (crashed, *others)]
    assert there == [False, False, False, False, True, True], (
        "what is being written is finished first, and its term begins then"
    )
    db.session.expire_all()
    assert [load.status for load in loads] == ["discarded", "discarded", "applied", "applied", "checked"]
    assert [bool(load.stored) for load in loads] == [False, False, False, True, True]


def test_a_list_that_nobody_confirmed_is_put_aside(app: Flask) -> None:
    store, cast = app.extensions["store"], Cast()
    db.session.commit()
    scope = scope_of(cast.approver)
    assert scope is not None
    received = a_list_of(scope, cast, 1)
    admissions.stage(scope, received)
    db.session.commit()
    kept = db.session.scalars(select(StoredFile).where(StoredFile.key == received.sealed.key)).one()
    assert app.test_cli_runner().invoke(args=["sweep"]).exit_code == 0
    assert admissions.staged(scope) is not None
    kept.expires_at = utcnow() - timedelta(minutes=1)
    db.session.commit()
    assert app.test_cli_runner().invoke(args=["sweep"]).exit_code == 0
    assert admissions.staged(scope) is None and not store.exists(received.sealed)


def test_nothing_is_put_while_a_transaction_is_open(app: Flask) -> None:
    """On SQLite it would keep everybody else from writing for as long as the bytes travel."""
    cast = Cast()
    db.session.commit()
    key = files.expect(files.LOAD, cast.school.id, cast.registrar)
    with (
        pytest.raises(RuntimeError, match="transaction is open"),
        files.receiving(key, app.extensions["store"]) as coming,
    ):
        db.session.scalar(select(StoredFile.status))
        coming.store.put(key, BytesIO(b"x"), size_limit=9, media_type="text/csv")
    standing = select(StoredFile.status).where(StoredFile.key == key)
    assert db.session.scalar(standing) == "gone"


def test_the_walk_tells_rows_and_objects_of_every_kind_that_do_not_fit(app: Flask) -> None:
    """A row that nothing uses, a row without its object, an object that no row names, a load whose row is gone."""
    store, cast = app.extensions["store"], Cast()
    strays: list[str] = []
    unused: list[str] = []
    lost: list[str] = []
    for kind, of in files.KINDS.items():
        for keys in (unused, lost):
            keys.append(files.expect(kind, cast.school.id, cast.registrar))
            files.settle(store.put(keys[-1], BytesIO(b"x"), size_limit=9, media_type="text/csv"))
        strays.append(store.put(new_key(of.folder), BytesIO(b"x"), size_limit=9, media_type="text/csv").key)
    received = a_load_of(exports.as_xlsx([exports.a_row(1, cast.school.code)]), cast.registrar)
    load = lifecycle.begin(cast.registrar, "导出.xlsx", received)
    db.session.commit()
    assert [text for text in walked(store) if str(load.id) in text] == []
    for key in lost[2:]:
        files.delete_all(store, key)
    db.session.delete(row_of(received.sealed.key))
    db.session.commit()
    told = walked(store)
    for title, key, stray in zip(stored_walk.KINDS.values(), unused, strays, strict=True):
        assert f"{title} {row_of(key).id}：有文件登记，没有用到它的业务登记，被删除或改动" in told
        assert any(stray in text and "不属于任何登记" in text for text in told)
    for key in lost[2:]:
        assert any(key in text and "存储中没有这个版本" in text for text in told)
    assert f"导入的名册 {load.id}：没有文件登记，被删除或改动" in told


def walked(store: ObjectStore) -> list[str]:
    """What the walk through the store finds; no transaction stays open."""
    db.session.rollback()
    return evidence_walk.walk(store, Findings()).told
