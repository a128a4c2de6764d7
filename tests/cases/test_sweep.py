"""flask sweep: what nobody will miss goes, what was received stays."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import select

from portal.cases import evidence, evidence_keeping, evidence_rows
from portal.cases import stored_files as files
from portal.cases.intake import admissions
from portal.cases.intake.admissions import Received
from portal.cases.intake.admitted_rows import Schools, columns
from portal.cases.intake.scope import scope_of
from portal.cases.loads import lifecycle
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import EvidenceFile, RegisterLoad, StoredFile
from portal.models.types import utcnow
from storage.objects import Sealed
from tests import exports
from tests.builders import Cast, a_case
from tests.cases.test_loads import expecting
from tests.intakes import a_person, receive_list


def test_sweep_takes_unfinished_uploads_and_discarded_loads_only(app: Flask) -> None:
    store = app.extensions["store"]
    cast = Cast()
    case = a_case(cast, "ready")
    staged = evidence.stage(case, cast.registrar, "change_certificate", "中断.jpg")
    staged.expires_at = utcnow() - timedelta(hours=2)
    left = store.put(staged.store_key, BytesIO(b"half an upload"), size_limit=100, media_type="image/jpeg")
    received = [
        lifecycle.receive(
            "导出.xlsx", exports.as_xlsx([exports.a_row(n, cast.school.code)]), expecting(cast.registrar)
        )
        for n in (1, 2)
    ]
    discarded, standing = (lifecycle.begin(cast.registrar, one) for one in received)
    lifecycle.discard(discarded)
    staged_id, discarded_id, standing_id = staged.id, discarded.id, standing.id
    db.session.commit()

    result = app.test_cli_runner().invoke(args=["sweep"])

    assert result.exit_code == 0, result.output
    assert "1 unfinished uploads" in result.output
    db.session.expire_all()
    assert db.session.get_one(EvidenceFile, staged_id).status == "gone"
    assert db.session.get_one(RegisterLoad, discarded_id).stored == {}
    assert not store.exists(left) and not store.exists(received[0].sealed)
    assert store.exists(Sealed(**db.session.get_one(RegisterLoad, standing_id).stored))
    kept = db.session.scalars(select(EvidenceFile).where(EvidenceFile.status == "committed")).all()
    assert len(kept) == 2 and all(store.exists(evidence_rows.sealed_original(file)) for file in kept)


def test_what_arrives_late_is_swept_however_long_the_portal_stood_still(app: Flask) -> None:
    """A clock that was wrong, or a sweep that did not run for months: the 30 days count from the burial to a sweep."""
    store = app.extensions["store"]
    cast = Cast()
    staged = evidence.stage(a_case(cast, "ready"), cast.registrar, "change_certificate", "中断.jpg")
    staged.expires_at = utcnow() - timedelta(days=60)
    db.session.commit()

    def stays(days: int = 0) -> bool:
        """Whether the sweep leaves what came late, `days` later."""
        late = store.put(f"{staged.store_key}-1-view", BytesIO(b"x"), size_limit=100, media_type="image/jpeg")
        db.session.refresh(staged)
        if staged.expires_at:
            staged.expires_at -= timedelta(days=days)
        db.session.commit()
        evidence_keeping.reap(store)
        return bool(store.exists(late))

    assert evidence_keeping.reap(store) == 1
    assert not stays() and not stays(29)
    assert not stays(300), "the first sweep after the 30 days looks for the last time"
    assert stays()


def test_what_an_upload_of_a_list_left_in_the_store_is_swept(app: Flask) -> None:
    """A process that died between store and commit, and one that died between a commit and the deletion after it."""
    store = app.extensions["store"]
    cast = Cast()
    db.session.commit()
    scope = scope_of(cast.approver)
    assert scope is not None
    known = Schools.of([cast.school])
    titles = ",".join(column.title for column in columns(scope.roster))

    def receive(number: int) -> Received:
        one = {**a_person(number), "admitted_to": cast.school.code, "exam_county": "青禾县"}
        line = ",".join(one[column.key] for column in columns(scope.roster))
        received = receive_list(scope, known, "名单.csv", f"{titles}\n{line}\n".encode())
        db.session.commit()
        return received

    lost, replaced, waiting, fresh = (receive(number) for number in range(4))
    admissions.stage(scope, replaced)
    db.session.commit()
    assert admissions.stage(scope, waiting) == replaced.sealed, "and then the process died"
    db.session.commit()
    for key in (lost.sealed.key, replaced.sealed.key):
        file = db.session.scalars(select(StoredFile).where(StoredFile.key == key)).one()
        file.expires_at = utcnow() - timedelta(hours=2)
    db.session.commit()

    result = app.test_cli_runner().invoke(args=["sweep"])

    assert result.exit_code == 0 and "2 unfinished or dropped tables cleared up" in result.output
    assert [store.exists(one.sealed) for one in (lost, replaced, waiting, fresh)] == [
        False,
        False,
        True,
        True,
    ]
    late = store.put(f"{lost.sealed.key}-late", BytesIO(b"x"), size_limit=9, media_type="text/csv")
    assert files.reap(store) == 0 and not store.exists(late), "looked for again until 30 days after"
    with pytest.raises(Refused, match="重新导入"):
        admissions.stage(scope, lost)
    db.session.rollback()
    gone = admissions.discard(scope)
    db.session.commit()
    assert gone == waiting.sealed
    admissions.throw_away(gone)
    db.session.commit()
    assert not store.exists(waiting.sealed)
    left = {one.key: one.status for one in db.session.scalars(select(StoredFile))}
    assert left == {lost.sealed.key: "gone", replaced.sealed.key: "gone", fresh.sealed.key: "staged"}


def test_an_export_that_a_crash_left_and_those_whose_keeping_is_over_go(app: Flask) -> None:
    """A process that died between the store and the row; one nobody applied; one that was applied long ago."""
    store, cast = app.extensions["store"], Cast()
    db.session.commit()

    def receive(number: int) -> lifecycle.Received:
        data = exports.as_xlsx([exports.a_row(number, cast.school.code)])
        return lifecycle.receive("导出.xlsx", data, expecting(cast.registrar))

    crashed, left, applied, fresh = (receive(number) for number in range(1, 5))
    loads = [lifecycle.begin(cast.registrar, one) for one in (left, applied, fresh)]
    file = db.session.scalars(select(StoredFile).where(StoredFile.key == crashed.sealed.key)).one()
    file.expires_at -= timedelta(days=2)
    long_ago = utcnow() - lifecycle.KEPT_FOR - timedelta(minutes=1)
    loads[0].created_at = long_ago
    loads[1].status, loads[1].applied_at = "applied", long_ago
    db.session.commit()
    first = app.test_cli_runner().invoke(args=["sweep"])
    assert "2 exports of the register" in first.output and "3 unfinished or dropped" in first.output
    assert [store.exists(one.sealed) for one in (crashed, left, applied, fresh)] == [
        False,
        False,
        False,
        True,
    ]
    db.session.expire_all()
    assert [load.status for load in loads] == ["discarded", "applied", "uploaded"]
    assert [bool(load.stored) for load in loads] == [False, False, True]
