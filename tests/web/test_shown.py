"""Mended or plain: the school's choice, who sees which picture, and when the choice is over."""

from __future__ import annotations

import io
from dataclasses import asdict
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask, current_app
from sqlalchemy import select

from portal.cases import entry_pack
from portal.extensions import db
from portal.models import AuditRecord, Case, EvidenceFile, EvidencePage
from storage.objects import new_key
from tests.builders import Cast, a_case, a_reason, act
from tests.cases.forms import enter

pytestmark = pytest.mark.pages

SLOT = "change_certificate"
SKEWED = {"name": "skew", "value": 4.0, "unit": "degrees", "threshold": 1.5, "verdict": "mend", "message": ""}


def a_mended_page(case: Case) -> EvidenceFile:
    """The case's certificate with a mended and a plain picture that can be told apart."""
    query = select(EvidenceFile).where(EvidenceFile.case_id == case.id, EvidenceFile.slot == SLOT)
    file = db.session.scalars(query).one()
    (page,) = file.pages
    store = current_app.extensions["store"]
    pictures = {}
    for name in ("mended", "plain"):
        data = io.BytesIO(f"picture {name}".encode())
        pictures[name] = asdict(store.put(new_key("views"), data, size_limit=100, media_type="image/jpeg"))
    page.view, page.thumb, page.plain = pictures["mended"], pictures["mended"], pictures["plain"]
    page.measurements, page.mending = [SKEWED], {"skew": 4.0}
    db.session.commit()
    return file


def picture(app: Flask, who: Any, file: EvidenceFile, which: str = "view") -> bytes:
    answer = enter(app, who).get(f"/evidence/{file.id}/{which}/1")
    assert answer.status_code == 200
    return answer.data


def choose(app: Flask, who: Any, file: EvidenceFile, which: str, status: int, **headers: str) -> Any:
    client = enter(app, who)
    answer = client.post(f"/evidence/{file.id}/shown/1", data={"shown": which}, headers=headers)
    assert answer.status_code == status, answer.text
    return answer


def test_the_mended_picture_is_shown_until_the_plain_one_is_chosen(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "ready")
    file = a_mended_page(case)
    assert picture(app, cast.registrar, file) == b"picture mended"
    answer = choose(app, cast.registrar, file, "plain", 303)
    assert answer.headers["Location"] == f"/cases/{case.id}/papers#slot-{SLOT}"
    assert picture(app, cast.registrar, file) == b"picture plain"
    assert picture(app, cast.registrar, file, "mended") == b"picture mended"
    choose(app, cast.registrar, file, "plain", 303)  # the same once more is no act
    part = choose(app, cast.registrar, file, "mended", 200, **{"HX-Request": "true"})
    assert "现在用摆正后的图" in part.text and "<h1" not in part.text
    query = select(AuditRecord.body).where(AuditRecord.action == "evidence.shown").order_by(AuditRecord.seq)
    assert [one["shown"] for one in db.session.scalars(query)] == ["plain", "mended"]


def test_the_papers_page_shows_before_and_after(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "ready")
    file = a_mended_page(case)
    page = BeautifulSoup(enter(app, cast.registrar).get(f"/cases/{case.id}/papers").text, "html.parser")
    (fold,) = page.select("details.mended")
    assert [one["src"] for one in fold.select("img")] == [
        f"/evidence/{file.id}/{which}/1" for which in ("plain", "mended")
    ]
    (button,) = fold.select("button")
    assert button.get_text() == "用原图" and button["value"] == "plain"
    assert len(page.select("#slot-household_book details.mended")) == 0


def test_once_submitted_the_choice_stands(app: Flask) -> None:
    """In review, and after a return too: the reviewer's marks lie on the picture that was shown."""
    cast = Cast()
    case = a_case(cast, "ready")
    file = a_mended_page(case)
    choose(app, cast.registrar, file, "plain", 303)
    act(db.session.get_one(Case, case.id), cast.registrar, "submit")
    db.session.commit()
    choose(app, cast.registrar, file, "mended", 409)
    assert picture(app, cast.reviewer, file) == b"picture plain"
    act(db.session.get_one(Case, case.id), cast.reviewer, "return", reasons=(a_reason(),))
    db.session.commit()
    choose(app, cast.registrar, file, "mended", 409)
    page = BeautifulSoup(enter(app, cast.registrar).get(f"/cases/{case.id}/papers").text, "html.parser")
    assert page.select("details.mended") and not page.select("details.mended button")
    assert picture(app, cast.registrar, file) == b"picture plain"


@pytest.mark.parametrize("which", ["", "thumb", "view"])
def test_only_the_two_can_be_chosen(app: Flask, which: str) -> None:
    cast = Cast()
    file = a_mended_page(a_case(cast, "ready"))
    choose(app, cast.registrar, file, which, 422)
    assert db.session.get_one(EvidencePage, file.pages[0].id).shown == "mended"


def test_a_page_without_a_plain_picture_has_nothing_to_choose(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "ready")
    file = a_mended_page(case)
    file.pages[0].plain = {}
    db.session.commit()
    choose(app, cast.registrar, file, "plain", 422)


def test_the_entry_pack_follows_the_choice(app: Flask) -> None:
    cast = Cast()
    turned = {}
    for which in ("mended", "plain"):
        case = a_case(cast, "ready")
        file = a_mended_page(case)
        choose(app, cast.registrar, file, which, 303)
        db.session.expire_all()
        case = db.session.get_one(Case, case.id)
        act(case, cast.registrar, "submit")
        act(case, cast.reviewer, "approve")
        act(case, cast.approver, "approve")
        pages = entry_pack.plan(case).pages
        plan = vars(next(one for one in pages if one.original.key == file.store_key))
        turned[which] = plan["mending"] if "mending" in plan else plan["turned"]
        db.session.commit()
        cast = Cast()
    assert turned["plain"] == type(turned["plain"])()  # nothing is done to it
    assert turned["mended"] != turned["plain"]
