"""What the store is told to hold: everything that a reviewer could see, and harder once it is decided."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask, current_app
from sqlalchemy import select

from portal import tasks
from portal.cases import evidence, evidence_keeping, evidence_rows, stored_files
from portal.cases.access import Actor
from portal.extensions import db
from portal.models import Case, EvidenceFile, StoredFile
from portal.models.types import utcnow
from storage.objects import ObjectStore, Sealed, StoreUnavailable
from tests.builders import Cast, a_case, a_file, a_reason, act


def locks(case: Case) -> dict[str, str]:
    """{file name: lock mode} as the rows have it."""
    rows = select(EvidenceFile.name, StoredFile.lock_mode).join(EvidenceFile.stored)
    rows = rows.where(EvidenceFile.case_id == case.id)
    found = {row.name: row.lock_mode for row in db.session.execute(rows)}
    db.session.rollback()  # SQLite: the tasks need the write lock
    return found


def commit() -> None:
    db.session.commit()
    tasks.wait()


def store() -> ObjectStore:
    found: ObjectStore = current_app.extensions["store"]
    return found


def replaced_after_return(cast: Cast) -> tuple[Case, EvidenceFile]:
    """A returned case in which one seen file was replaced; two tries before that were taken out again unseen."""
    case = a_case(cast, "ready")
    drop(case, cast.registrar, a_file(case, "household_book", cast.registrar, name="draft.jpg"))
    act(case, cast.registrar, "submit")
    act(case, cast.reviewer, "return", reasons=(a_reason(),))
    commit()
    seen = evidence.files_of(case, "change_certificate")[0]
    drop(case, cast.registrar, seen)
    drop(case, cast.registrar, a_file(case, "change_certificate", cast.registrar, name="blurred.jpg"))
    a_file(case, "change_certificate", cast.registrar, name="again.jpg")
    commit()
    return case, seen


def drop(case: Case, actor: Actor, file: EvidenceFile) -> None:
    db.session.flush()
    evidence.remove(case, actor, file)


def test_a_submission_holds_its_files_and_a_draft_holds_none(app: Flask) -> None:
    case = a_case(Cast(), "ready")
    commit()
    assert set(locks(case).values()) == {""}
    case = a_case(Cast(), "county_review")
    commit()
    assert set(locks(case).values()) == {"GOVERNANCE"}
    for file in evidence.files_of(case):
        until = store().locked_until(evidence_rows.sealed_original(file))
        assert until and until > utcnow() + timedelta(days=300)
        kept = file.stored
        assert kept is not None and kept.retain_until is not None
        assert abs(kept.retain_until - until) < timedelta(seconds=1)  # S3 keeps milliseconds
        kept.retain_until = None  # as of one that was locked before rows said so
    db.session.commit()
    assert stored_files.learn_locks(store()) == 2 and stored_files.learn_locks(store()) == 0
    again = select(StoredFile.retain_until).join(EvidenceFile, EvidenceFile.store_key == StoredFile.key)
    told = set(db.session.scalars(again.where(EvidenceFile.case_id == case.id)))
    assert told == {
        store().locked_until(evidence_rows.sealed_original(one)) for one in evidence.files_of(case)
    }


def test_a_replaced_file_stays_held_and_is_held_harder_once_decided(app: Flask) -> None:
    cast = Cast()
    case, seen = replaced_after_return(cast)
    assert locks(case)[seen.name] == "GOVERNANCE" and locks(case)["again.jpg"] == ""
    act(case, cast.registrar, "submit")
    act(case, cast.reviewer, "approve")
    act(case, cast.approver, "approve")
    commit()
    found = locks(case)
    assert {name for name, mode in found.items() if mode == ""} == {"draft.jpg", "blurred.jpg"}
    assert {mode for name, mode in found.items() if name not in ("draft.jpg", "blurred.jpg")} == {
        "COMPLIANCE"
    }
    until = store().locked_until(evidence_rows.sealed_original(seen))
    assert until and until > utcnow() + timedelta(days=9 * 365)
    assert store().read(evidence_rows.sealed_original(seen))
    assert list(evidence_keeping.unlocked_cases()) == []


def test_what_the_store_could_not_hold_is_taken_up_again(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(type(store()), "lock", _down)
        case = a_case(Cast(), "county_review")
        with pytest.raises(StoreUnavailable):
            commit()
    assert set(locks(case).values()) == {""}
    assert tasks.resume(app) == 1
    tasks.wait()
    assert set(locks(case).values()) == {"GOVERNANCE"} and tasks.resume(app) == 0


def _down(_store: ObjectStore, _sealed: Sealed, *_more: object) -> None:
    raise StoreUnavailable("the store does not answer")
