"""Every act ends the same whether a plain form or htmx asks: the same rows, the same place to go on from."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.cases import claims
from portal.cases.actions import stamp
from portal.extensions import db
from portal.models import (
    Case,
    CaseEvent,
    Decision,
    EvidenceFile,
    NationalEntry,
    RegisterChange,
    Remark,
)
from tests import papers
from tests.builders import NEW_NAME, Cast, a_case, a_file, act, an_id_number, sign_in
from tests.web.housekeeping import CheckingClient
from tests.web.installation import ServedClient

pytestmark = pytest.mark.pages


@pytest.fixture
def served(app: Flask) -> Flask:
    """The application with clients whose requests live as in service and whose pages are checked."""
    app.test_client_class = type("Client", (CheckingClient, ServedClient), {})
    return app


def _edited(client: FlaskClient, case: Case, cast: Cast, **how: Any) -> TestResponse:
    data = {
        "version": stamp(case),
        "fields": "name",
        "cause": "household_corrected",
        "explanation": "户口簿写错了字",
    }
    return client.post(f"/cases/{case.id}/fill/what", data=data, **how)


def _autosaved(client: FlaskClient, case: Case, cast: Cast, **how: Any) -> TestResponse:
    data = {"version": stamp(case), "new_name": "马"}
    return client.post(f"/cases/{case.id}/autosave/values", data=data, **how)


def _posted(path: str, **fields: str) -> Callable[..., TestResponse]:
    def post(client: FlaskClient, case: Case, cast: Cast, **how: Any) -> TestResponse:
        data = {key: stamp(case) if value == "@stamp" else value for key, value in fields.items()}
        file = db.session.scalars(select(EvidenceFile.id).where(EvidenceFile.case_id == case.id)).first()
        address = path.format(case=case.id, file=file)
        db.session.commit()
        return client.post(address, data=data, **how)

    return post


def _uploaded(client: FlaskClient, case: Case, cast: Cast, **how: Any) -> TestResponse:
    seed = case.id.int % 1000  # the same picture in two cases would be pointed at
    picture = papers.as_jpeg(
        papers.police_certificate("马晓明", an_id_number(serial=7), "姓名 马小明", "姓名 马晓明", seed)
    )
    data = {"files": (io.BytesIO(picture), "证明.jpg")}
    return client.post(f"/cases/{case.id}/evidence/change_certificate", data=data, **how)


RETURNED = {"verb": "return", "note": "", "reason-0-code": "image_unclear", "reason-0-note": "请重拍"}
ACTS: dict[str, tuple[str, str, Callable[..., TestResponse]]] = {
    # what: (where the case stands, who acts, the act)
    "edit": ("draft", "registrar", _edited),
    "autosave": ("draft", "registrar", _autosaved),
    "submit": ("ready", "registrar", _posted("/cases/{case}/submit", version="@stamp")),
    "withdraw": (
        "county_review",
        "registrar",
        _posted("/cases/{case}/withdraw", version="@stamp", note="填错了"),
    ),
    "approve": ("county_review", "reviewer", _posted("/cases/{case}/decide", seen="@stamp", verb="approve")),
    "approve at last": (
        "state_approval",
        "approver",
        _posted("/cases/{case}/decide", seen="@stamp", verb="approve"),
    ),
    "return": (
        "county_review",
        "reviewer",
        _posted(
            "/cases/{case}/decide",
            seen="@stamp",
            **RETURNED,
            **{"reason-0-about": "evidence:change_certificate"},
        ),
    ),
    "reject": (
        "county_review",
        "reviewer",
        _posted("/cases/{case}/decide", seen="@stamp", verb="reject", note="证明与本人不符"),
    ),
    "decide from a stale page": (
        "county_review",
        "reviewer",
        _posted("/cases/{case}/decide", seen="1.0", verb="approve"),
    ),
    "claim": ("county_review", "reviewer", _posted("/cases/{case}/claim", seen="@stamp")),
    "take over": ("claimed", "reviewer", _posted("/cases/{case}/take-over", seen="@stamp")),
    "release": ("claimed", "reviewer2", _posted("/cases/{case}/release", seen="@stamp")),
    "upload": ("edited", "registrar", _uploaded),
    "remove": ("ready", "registrar", _posted("/evidence/{file}/remove")),
    "override": ("doubtful", "registrar", _posted("/evidence/{file}/override", reason="只能拍成这样了")),
    "note the receipt": (
        "approved",
        "registrar",
        _posted("/cases/{case}/entered", receipt="GW20260001", seen=""),
    ),
}


def _prepared(cast: Cast, place: str) -> Case:
    if place == "claimed":
        case = a_case(cast, "county_review")
        assert claims.claim(case, cast.reviewer2)
        return case
    if place in ("edited", "doubtful"):
        case = a_case(cast)
        act(case, cast.registrar, "edit", answers=NEW_NAME)
        if place == "doubtful":
            a_file(case, "change_certificate", cast.registrar, verdict="advise")
        return case
    return a_case(cast, place)


@pytest.mark.parametrize("name", ACTS)
def test_each_act_ends_the_same_with_and_without_htmx(served: Flask, name: str) -> None:
    """The same rows afterwards, and the same page to go on with."""
    place, who, do = ACTS[name]
    outcomes = []
    for headers in ({}, {"HX-Request": "true"}):
        cast = Cast()
        case = _prepared(cast, place)
        db.session.commit()
        client = served.test_client()
        sign_in(client, getattr(cast, who))
        before = _outcome(case, cast)
        answer = do(client, case, cast, headers=headers)
        db.session.rollback()
        db.session.expire_all()
        outcomes.append((_outcome(case, cast), answer))
        assert answer.status_code < 500
        if "stale" not in name:
            assert _outcome(case, cast) != before, f"{name} did nothing: {answer.status_code}"
    (plain, page), (with_htmx, part) = outcomes
    assert plain == with_htmx
    _same_end(page, part)


def _same_end(page: TestResponse, part: TestResponse) -> None:
    """A redirect is an HX-Redirect to the same place, or the part that the page would show; a refusal is the same."""
    if page.status_code == 303 and "HX-Redirect" in part.headers:
        assert _place(page.headers["Location"]) == _place(part.headers["HX-Redirect"])
    elif page.status_code == 303:
        assert part.status_code == 200 and "<html" not in part.text
    else:
        assert page.status_code == part.status_code


def _place(address: str) -> list[str]:
    """A path without its ids, and the fragment."""
    parts = urlsplit(address)
    return ["*" if len(one) == 36 else one for one in parts.path.split("/")] + [parts.fragment]


def _outcome(case: Case, cast: Cast) -> dict[str, Any]:
    """What stands in the database about a case, without ids, times and file contents."""
    case = db.session.get_one(Case, case.id, populate_existing=True)
    where = {"case_id": case.id}
    claimed = [name for name, who in cast.everybody().items() if who.id == case.claimed_by_id]
    found = {
        "case": (case.status, case.step, case.round, case.version, case.answers, case.due_on, case.doubtful),
        "claimed": claimed,
        "pupil": (case.pupil.name, case.pupil.version) if case.pupil else None,
        "events": _values(CaseEvent, where, "seq verb status step round note data"),
        "decisions": _values(Decision, where, "round step verb note"),
        "remarks": _values(Remark, where, "round position target key code note"),
        "files": _values(EvidenceFile, where, "slot status verdict override_reason removed_round round"),
        "changes": _values(RegisterChange, where, "column before after pupil_version"),
        "entry": _values(NationalEntry, where, "receipt"),
    }
    if found["pupil"] and case.status != "approved":
        found["pupil"] = found["pupil"][1:]
    if case.status == "approved":
        found["changes"] = [(column, after) for column, _before, after, _version in found["changes"]]
    db.session.commit()
    return found


def _values(model: Any, where: dict[str, Any], columns: str) -> list[tuple[Any, ...]]:
    chosen = [getattr(model, name) for name in columns.split()]
    return sorted(tuple(row) for row in db.session.execute(select(*chosen).filter_by(**where)))
