"""What was seen is what is recorded: pictures that were exchanged are not shown, decided on or passed over in silence."""

from __future__ import annotations

import logging
import uuid
from typing import Any, NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from portal import audit, tasks
from portal.cases import actions, sights
from portal.cases.refusing import Refused
from portal.demo.acts import PAPERS, upload
from portal.extensions import db
from portal.models import AuditRecord, Case, Decision, EvidenceFile, Pupil, keyed_rows
from tests.builders import NEW_NAME, Cast, a_case, a_file, act, sign_in
from tests.tamperings import as_administrator, flip_a_byte, path_of, replace_a_view_with_its_row, write_over


@pytest.fixture
def cast(app: Flask) -> Cast:
    return Cast()


@pytest.fixture
def case(cast: Cast) -> Case:
    """Under review at the county, one paper a real picture, the other an object of no pages that can be looked at."""
    found = a_case(cast)
    act(found, cast.registrar, "edit", answers=NEW_NAME)
    db.session.commit()
    upload(found, cast.registrar, "change_certificate", PAPERS / "s1-certificate.jpg")
    a_file(found, "household_book", cast.registrar)
    act(found, cast.registrar, "submit")
    db.session.commit()
    tasks.wait()
    return found


class Paper(NamedTuple):
    id: uuid.UUID
    sha256: str
    view: dict[str, Any]
    plain: dict[str, Any]


def first() -> Paper:
    """The paper with a picture; nothing stays open on the database, where a view is recorded before it is shown."""
    file = db.session.scalars(select(EvidenceFile).order_by(EvidenceFile.uploaded_at)).first()
    assert file is not None
    found = Paper(file.id, file.sha256, file.pages[0].view, file.pages[0].plain)
    db.session.rollback()
    return found


def records(action: str) -> list[AuditRecord]:
    db.session.rollback()
    found = list(db.session.scalars(select(AuditRecord).where(AuditRecord.action == action)))
    db.session.expunge_all()
    db.session.rollback()
    return found


def decide(client: FlaskClient, case_id: uuid.UUID) -> Any:
    seen = actions.stamp(db.session.get_one(Case, case_id))
    db.session.rollback()
    return client.post(
        f"/cases/{case_id}/decide", data={"verb": "approve", "seen": seen, "note": "材料齐全，同意"}
    )


def test_a_decision_names_originals_and_every_picture(cast: Cast, case: Case) -> None:
    act(case, cast.reviewer, "approve")
    db.session.commit()
    file = first()
    (decision,) = db.session.scalars(select(Decision))
    shown = [file.view["sha256"], *([file.plain["sha256"]] if file.plain else [])]
    assert decision.seen[0] == {"file": file.id.hex, "original": file.sha256, "views": shown}
    assert decision.seen[1]["views"] == []
    assert sights.originals(decision.seen) == [one.sha256 for one in db.session.scalars(select(EvidenceFile))]
    (record,) = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "case.approved"))
    assert {"decision", "answers", "event"} <= record.body.keys() and record.key_id
    assert "材料" not in str(record.body), "digests tell nothing"


def test_an_older_decision_stays_readable() -> None:
    assert sights.originals(["a" * 64, "b" * 64]) == ["a" * 64, "b" * 64]


SPOILERS = {
    "a picture changed in the store": lambda: write_over(path_of(first().view["key"]), b"another"),
    "a picture gone from the store": lambda: path_of(first().view["key"]).unlink(),
    "a picture replaced together with its row": replace_a_view_with_its_row,
}


@pytest.mark.parametrize("spoil", SPOILERS.values(), ids=SPOILERS)
@pytest.mark.parametrize("settings", ["sqlite+folder"], indirect=True)
def test_it_is_not_shown_and_not_decided_on(
    app: Flask, cast: Cast, case: Case, client: FlaskClient, caplog: pytest.LogCaptureFixture, spoil: Any
) -> None:
    sign_in(client, cast.reviewer)
    file, case_id = first(), case.id
    db.session.rollback()
    assert client.get(f"/evidence/{file.id}/view/1").status_code == 200
    spoil()
    db.session.remove()
    with caplog.at_level(logging.ERROR):
        answer = client.get(f"/evidence/{file.id}/view/1")
    assert answer.status_code == 500 and "与收到时的指纹不符" in answer.text
    assert answer.content_type.startswith("text/html")
    (record,) = records("evidence.unreadable")
    assert record.body["of"] == {"file_id": file.id.hex, "page": 1} and record.actor_id == cast.reviewer.id
    assert "sealed evidence cannot be read" in caplog.text
    refused = decide(client, case_id)
    assert refused.status_code == 409 and "不能据此办理" in refused.text and "材料齐全，同意" in refused.text
    (noted,) = records("evidence.spoilt")
    assert (noted.object_id, noted.result) == (str(file.id), "failed")
    assert db.session.get_one(Case, case_id).step == "county_review"
    assert db.session.scalars(select(Decision)).all() == []


@pytest.mark.parametrize("settings", ["sqlite+folder"], indirect=True)
def test_the_engine_reads_again_by_itself(cast: Cast, case: Case) -> None:
    """A way to a decision that did not read the papers before its transaction does so in it, and never goes without."""
    first_view = path_of(first().view["key"])
    write_over(first_view, b"another")
    with pytest.raises(Refused, match="不能据此办理"):
        act(case, cast.reviewer, "approve")
    assert len(records("evidence.spoilt")) == 1


@pytest.mark.parametrize("settings", ["sqlite+folder"], indirect=True)
def test_an_original_that_is_changed_is_not_handed_out(
    app: Flask, cast: Cast, case: Case, client: FlaskClient
) -> None:
    sign_in(client, cast.reviewer)
    flip_a_byte()
    assert client.get(f"/evidence/{first().id}/original").status_code == 500
    assert records("evidence.unreadable")


def test_a_decision_is_taken_while_all_is_whole(cast: Cast, case: Case, client: FlaskClient) -> None:
    sign_in(client, cast.reviewer)
    assert decide(client, case.id).status_code == 303
    assert records("case.approved") and not records("evidence.spoilt")


def test_a_changed_row_stays_found_when_the_portal_writes_it_again(cast: Cast) -> None:
    db.session.commit()
    table = Pupil.__table__
    as_administrator(update(table).where(table.c.id == cast.pupil.id).values(name="另一人"))
    pupil = db.session.get_one(Pupil, cast.pupil.id)
    assert not keyed_rows.fits("pupils", keyed_rows.values_of(pupil))
    pupil.class_name = "2班"
    db.session.commit()
    assert pupil.row_digest == keyed_rows.BROKEN


def test_a_row_that_was_not_read_before_it_is_written_keeps_its_seal(cast: Cast) -> None:
    db.session.commit()
    db.session.expire(cast.pupil)
    cast.pupil.class_name = "2班"
    db.session.commit()
    assert keyed_rows.fits("pupils", keyed_rows.values_of(cast.pupil)) and audit.verify().fault == ""
