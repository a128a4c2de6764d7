"""What nobody types, and a store that is away: a plain answer, never a 500."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, current_app

from portal import tasks
from portal.cases.evidence import files_of
from portal.extensions import db
from portal.models import EvidencePage
from storage.objects import Sealed, StoreUnavailable, Tampered
from tests.builders import Cast, a_case, sign_in

pytestmark = pytest.mark.pages

FIRST_MOMENT, LAST_MOMENT = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"
NO_ID = "0" * 32


def signed_in(app: Flask, who: Any) -> Any:
    client = app.test_client()
    sign_in(client, who)
    return client


def test_a_nul_is_refused_at_the_door(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast)
    db.session.commit()
    client = signed_in(app, cast.registrar)
    assert app.test_client().post("/sign-in", data={"login": "a\0b", "password": "x"}).status_code == 400
    assert client.get("/queue/started?school=a%00b").status_code == 400
    assert client.post("/register", data={"q": "马\0"}).status_code == 400
    answer = client.post(f"/cases/{case.id}/fill/what", data={"version": "1.0", "explanation": "a\0b"})
    assert answer.status_code == 400


@pytest.mark.parametrize("moment", [FIRST_MOMENT, LAST_MOMENT])
def test_a_paging_key_from_the_ends_of_time_gives_the_first_page(app: Flask, moment: str) -> None:
    cast = Cast()
    db.session.commit()
    key = {"after": f"{moment}~{NO_ID}~1"}
    reviewer = signed_in(app, cast.reviewer)
    assert reviewer.get("/queue/todo", query_string={**key, "sort": "newest"}).status_code == 200
    assert reviewer.get("/landings", query_string={"after": f"{moment}~{NO_ID}"}).status_code == 200


@pytest.mark.parametrize("before", ["9" * 30, "-1", "0", "x"])
def test_any_number_can_be_asked_of_the_audit_trail(app: Flask, before: str) -> None:
    cast = Cast()
    db.session.commit()
    assert signed_in(app, cast.auditor).get("/audit", query_string={"before": before}).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "words"), [(StoreUnavailable, 503, "暂时连接不上"), (Tampered, 500, "指纹不符")]
)
def test_a_paper_that_cannot_be_read_says_so(
    app: Flask, monkeypatch: pytest.MonkeyPatch, fault: type[Exception], status: int, words: str
) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    file = files_of(case)[0]
    page = db.session.query(EvidencePage).filter_by(file_id=file.id).one()
    page.view = {
        "key": file.store_key,
        "version_id": file.version_id,
        "sha256": file.sha256,
        "size": file.size,
    }
    db.session.commit()
    tasks.wait()
    client = signed_in(app, cast.reviewer)
    addresses = [f"/evidence/{file.id}/original", f"/evidence/{file.id}/view/1"]
    desk = f"/cases/{case.id}/desk"

    def fail(_store: object, _sealed: Sealed) -> bytes:
        raise fault("no")

    monkeypatch.setattr(type(current_app.extensions["store"]), "read", fail)
    for address in addresses:
        db.session.rollback()
        answer = client.get(address)
        assert answer.status_code == status and words in answer.text
    db.session.rollback()
    assert client.get(desk).status_code == 200
