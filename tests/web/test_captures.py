"""A slot handed to a phone: once, ten minutes, that slot only, and never longer than the account behind it may work."""

from __future__ import annotations

import io
import re
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import cv2
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.accounts import sessions
from portal.cases import captures
from portal.cases.evidence import files_of
from portal.extensions import db
from portal.models import Account, AuditRecord, Case, EvidenceFile, PhoneCapture, SignInSession
from portal.models.types import utcnow
from storage.codes import read_codes
from tests import papers
from tests.builders import Cast, a_case, act, an_actor, an_id_number
from tests.cases.forms import Browser, enter
from tests.conftest import KEY

pytestmark = pytest.mark.pages

SLOT, OTHER = "change_certificate", "household_book"
JSON = {"X-Requested-With": "capture"}
HTMX = {"HX-Request": "true"}


@pytest.fixture(scope="module")
def pictures() -> dict[str, bytes]:
    """A good photograph and one that nobody can read."""
    number = an_id_number()
    sheet = papers.police_certificate("马晓明", number, "姓名 马小明", "姓名 马晓明", 5)
    return {
        "good": papers.as_jpeg(sheet),
        "better": papers.as_jpeg(
            papers.police_certificate("马晓明", number, "姓名 马小明", "姓名 马晓明", 6)
        ),
        "blurred": papers.as_jpeg(papers.blurred(sheet, 14.0)),
    }


def photo(data: bytes, **fields: str) -> dict[str, Any]:
    return {"files": (io.BytesIO(data), "拍照.jpg"), **fields}


class Desk:
    """A registrar at a desk with a case that wants papers, and a phone beside."""

    def __init__(self, app: Flask) -> None:
        self.cast = Cast()
        self.case = a_case(self.cast, "ready")
        db.session.commit()
        self.app, self.case_id = app, self.case.id
        self.desk = enter(app, self.cast.registrar)
        self.phone: FlaskClient = Browser(app, app.response_class)
        self.here = f"/cases/{self.case_id}/phone/{SLOT}"

    def hand_over(self) -> str:
        """Hand the slot over; the path that the QR code leads to."""
        assert self.desk.post(self.here).status_code == 303
        return f"/p/{captures.ticket_of(self.newest(), KEY)}"

    def newest(self) -> PhoneCapture:
        db.session.rollback()
        found = db.session.scalars(select(PhoneCapture).order_by(PhoneCapture.created_at.desc())).first()
        assert found is not None
        return found

    def connect(self) -> str:
        """Hand over and have the phone take it; the path of the phone's page."""
        answer = self.phone.post(self.hand_over())
        assert answer.status_code == 303
        return str(answer.headers["Location"])

    def files(self, slot: str = SLOT) -> list[EvidenceFile]:
        db.session.rollback()
        db.session.expire_all()
        return files_of(db.session.get_one(Case, self.case_id), slot)

    def change(self, **values: Any) -> None:
        """Write into the newest handover."""
        capture = self.newest()
        for name, value in values.items():
            setattr(capture, name, value)
        db.session.commit()


@pytest.fixture
def at(app: Flask) -> Desk:
    return Desk(app)


# --- the whole way --------------------------------------------------------------------------------------------------


@pytest.mark.both_pairs
def test_from_the_code_on_the_desk_to_the_picture_in_the_slot(at: Desk, pictures: dict[str, bytes]) -> None:
    before = len(at.files())
    assert "用手机拍" in at.desk.get(f"/cases/{at.case_id}/papers").text
    link = at.hand_over()
    page = at.desk.get(f"/cases/{at.case_id}/papers").text
    assert f"{at.here}/code" in page and "剩余 9 分" in page and link not in page
    code = at.desk.get(f"{at.here}/code")
    assert code.content_type == "image/png" and code.data.startswith(b"\x89PNG")
    asked = at.phone.get(link)
    assert asked.status_code == 200 and "变更证明" in asked.text
    taken = at.phone.post(link)
    cookie = taken.headers["Set-Cookie"]
    phone = taken.headers["Location"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and f"Path={phone}" in cookie
    assert at.desk.get(f"{at.here}/code").status_code == 404  # nothing to scan any more
    assert "手机已连接" in at.desk.get(f"/cases/{at.case_id}/papers").text
    camera = at.phone.get(phone)
    assert camera.status_code == 200 and "camera=(self)" in camera.headers["Permissions-Policy"]
    answer = at.phone.post(phone, data=photo(pictures["good"]), headers=JSON)
    assert answer.status_code == 200 and answer.json["title"].startswith("已收下"), answer.text
    files = at.files()
    assert len(files) == before + 1 and files[-1].uploaded_by_id == at.cast.registrar.id
    assert files[-1].name in at.desk.get(f"/cases/{at.case_id}/papers").text
    said = db.session.scalars(
        select(AuditRecord)
        .where(AuditRecord.action.in_(("capture.opened", "capture.taken", "capture.received")))
        .order_by(AuditRecord.seq)
    ).all()
    assert [one.action for one in said] == ["capture.opened", "capture.taken", "capture.received"]
    assert {one.actor_id for one in said} == {at.cast.registrar.id}


def test_the_phone_learns_nothing_but_the_slot(at: Desk, pictures: dict[str, bytes]) -> None:
    """No pupil, no number of a case, no way on."""
    link = at.hand_over()
    pages = [at.phone.get(link).text]
    phone = at.phone.post(link).headers["Location"]
    pages += [at.phone.get(phone).text, at.phone.post(phone, data=photo(pictures["good"])).text]
    pupil, case = at.cast.pupil, db.session.get_one(Case, at.case_id)
    for page in pages:
        assert not any(
            text in page
            for text in (pupil.name, pupil.id_number, pupil.student_number, case.number, at.cast.school.name)
        )
        links = set(re.findall(r'(?:href|action|src)="(/[^"]*)"', page))
        assert {one for one in links if not one.startswith("/static/")} <= {link, phone}
    for path in (f"/cases/{at.case_id}", f"/cases/{at.case_id}/papers", "/"):
        assert "/sign-in" in at.phone.get(path).headers["Location"]


def test_the_desk_sees_it_come_by_itself(at: Desk, pictures: dict[str, bytes]) -> None:
    phone = at.connect()
    page = at.desk.get(f"/cases/{at.case_id}/papers").text
    watch = re.search(rf'hx-get="({at.here}[^"]*)"', page)
    assert watch is not None
    quiet = at.desk.get(watch[1], headers=HTMX)
    assert "手机已连接" in quiet.text and "HX-Retarget" not in quiet.headers and "data-slot" not in quiet.text
    at.phone.post(phone, data=photo(pictures["good"]), headers=JSON)
    changed = at.desk.get(watch[1], headers=HTMX)
    assert changed.headers["HX-Retarget"] == f"#slot-{SLOT}" and at.files()[-1].name in changed.text
    at.change(expires_at=utcnow() - timedelta(seconds=1))
    over = at.desk.get(watch[1], headers=HTMX)
    assert over.headers["HX-Retarget"] == f"#slot-{SLOT}" and "用手机拍" in over.text
    assert at.desk.get(watch[1]).status_code == 303  # without scripts: the page


def test_handing_over_and_ending_answer_the_slot_and_what_was_read(at: Desk) -> None:
    for path, word in ((at.here, "二维码"), (f"{at.here}/end", "用手机拍")):
        answer = at.desk.post(path, headers=HTMX)
        assert answer.status_code == 200 and word in answer.text
        assert f'id="slot-{SLOT}"' in answer.text and 'id="papers-reading"' in answer.text


def test_a_second_code_is_not_taken_for_the_first(at: Desk) -> None:
    """A browser draws again what it has under the same address: after 结束 the old, dead code would stand there."""
    first = re.search(r'class="phone-code"[^>]*src="([^"]*)"', at.desk.post(at.here, headers=HTMX).text)
    at.desk.post(f"{at.here}/end", headers=HTMX)
    second = re.search(r'class="phone-code"[^>]*src="([^"]*)"', at.desk.post(at.here, headers=HTMX).text)
    assert first and second and first[1] != second[1]
    assert at.desk.get(second[1]).status_code == 200


def test_a_poor_picture_is_replaced_by_the_next(at: Desk, pictures: dict[str, bytes]) -> None:
    phone = at.connect()
    before = {file.id for file in at.files()}
    poor = at.phone.post(phone, data=photo(pictures["blurred"]), headers=JSON).json
    assert poor["again"] and poor["tone"] == "late" and poor["messages"]
    good = at.phone.post(phone, data=photo(pictures["better"], instead=poor["file"]), headers=JSON).json
    assert not good["again"]
    assert {str(file.id) for file in at.files()} - {str(one) for one in before} == {good["file"]}
    older = str(
        next(iter(before))
    )  # a picture from before the phone was there stays, whatever the phone says
    at.phone.post(phone, data=photo(pictures["good"], instead=older), headers=JSON)
    assert before <= {file.id for file in at.files()}


# --- when it is over ------------------------------------------------------------------------------------------------


@pytest.mark.both_pairs
def test_a_ticket_is_taken_once(at: Desk, app: Flask) -> None:
    link = at.hand_over()
    assert at.phone.get(link).status_code == at.phone.get(link).status_code == 200  # looking spends nothing
    assert at.phone.post(link).status_code == 303
    second = Browser(app, app.response_class)
    for answer in (second.get(link), second.post(link)):
        assert answer.status_code == 410 and "重新点“用手机拍”" in answer.text
    assert second.get(f"/phone/{at.newest().id}").status_code == 404
    assert second.get("/p/nobodys").status_code == second.post("/p/nobodys").status_code == 404
    forged = Browser(app, app.response_class)
    forged.set_cookie("phone", "guessed", path=f"/phone/{at.newest().id}")
    assert forged.get(f"/phone/{at.newest().id}").status_code == 404


def _time_is_over(at: Desk) -> None:
    at.change(expires_at=utcnow() - timedelta(seconds=1))


def _desk_ends(at: Desk) -> None:
    assert at.desk.post(f"{at.here}/end").status_code == 303


def _signed_out(at: Desk) -> None:
    assert at.desk.post("/sign-out").status_code == 303


def _session_idle(at: Desk) -> None:
    db.session.get_one(SignInSession, at.newest().session_id).last_seen_at = utcnow() - timedelta(minutes=31)
    db.session.commit()


def _account_closed(at: Desk) -> None:
    db.session.get_one(Account, at.cast.registrar.id).active = False
    db.session.commit()


def _submitted(at: Desk) -> None:
    act(db.session.get_one(Case, at.case_id), at.cast.registrar, "submit")
    db.session.commit()


def _handed_over_again(at: Desk) -> None:
    at.hand_over()


def _moved(at: Desk) -> None:
    """The account goes to another school."""
    elsewhere = Cast().school
    db.session.get_one(Account, at.cast.registrar.id).office_id = elsewhere.id
    db.session.commit()


ENDINGS = (
    _time_is_over, _desk_ends, _signed_out, _session_idle, _account_closed, _submitted, _handed_over_again, _moved,
)  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda one: one.__name__.strip("_"))
def test_it_ends(at: Desk, pictures: dict[str, bytes], ending: Any) -> None:
    """The phone keeps its cookie and gets nothing more in; it is told in words, as page and as JSON."""
    phone = at.connect()
    before = len(at.files())
    ending(at)
    page, posted = at.phone.get(phone), at.phone.post(phone, data=photo(pictures["good"]))
    told = at.phone.post(phone, data=photo(pictures["good"]), headers=JSON)
    assert page.status_code == posted.status_code == told.status_code == 410
    assert told.json["over"] and told.json["message"] in page.text
    assert len(at.files()) == before


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda one: one.__name__.strip("_"))
def test_a_ticket_nobody_has_taken_ends_alike(at: Desk, ending: Any) -> None:
    link = at.hand_over()
    ending(at)
    assert at.phone.get(link).status_code == at.phone.post(link).status_code == 410


def test_that_slot_only(at: Desk, pictures: dict[str, bytes]) -> None:
    """Whatever the phone posts, its picture goes where the desk said; the cookie opens no other handover."""
    phone = at.connect()
    others = len(at.files(OTHER))
    fields = {"slot": OTHER, "case_id": str(uuid.uuid4()), "account_id": str(uuid.uuid4())}
    assert at.phone.post(phone, data=photo(pictures["good"], **fields), headers=JSON).status_code == 200
    assert len(at.files(OTHER)) == others and at.files()[-1].slot == SLOT
    assert at.desk.post(f"/cases/{at.case_id}/phone/{OTHER}").status_code == 303
    assert at.phone.get(f"/phone/{at.newest().id}").status_code == 404
    assert at.desk.post(f"/cases/{at.case_id}/phone/residence_permit").status_code == 409
    assert at.desk.get(f"/cases/{at.case_id}/capture/residence_permit").status_code == 404


def test_the_code_is_for_the_session_that_asked(at: Desk, app: Flask) -> None:
    """A colleague at the same school sees neither the code nor the way to end it; nobody else sees anything."""
    at.hand_over()
    colleague = enter(app, an_actor("registrar", at.cast.school))  # type: ignore[arg-type]
    assert colleague.get(f"{at.here}/code").status_code == 404
    assert "剩余" not in colleague.get(f"/cases/{at.case_id}/papers").text
    assert colleague.post(f"{at.here}/end").status_code == 303 and at.newest().ended_at is None
    for who in ("head", "reviewer", "approver", "auditor", "administrator"):
        other = enter(app, at.cast.everybody()[who])
        assert other.post(at.here).status_code == other.get(f"{at.here}/code").status_code == 404


def test_what_the_phone_sends_is_judged_like_all_else(at: Desk) -> None:
    phone = at.connect()
    before = len(at.files())
    for data in (b"", b"no picture"):
        answer = at.phone.post(phone, data=photo(data), headers=JSON)
        assert answer.status_code == 422 and answer.json["message"]
    assert at.phone.post(phone, data={}).status_code == 422
    assert len(at.files()) == before


@pytest.mark.both_pairs
def test_only_hashes_are_kept(at: Desk) -> None:
    link = at.hand_over()
    at.phone.post(link)
    row = " ".join(str(getattr(at.newest(), column.name)) for column in PhoneCapture.__table__.columns)
    assert link.rsplit("/", 1)[1] not in row and captures.hashed(link.rsplit("/", 1)[1]) in row


def test_the_address_in_the_code_is_the_configured_one(at: Desk, app: Flask) -> None:
    def said() -> str:
        data = at.desk.get(f"{at.here}/code").data
        grey = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        (code,) = read_codes(
            cv2.copyMakeBorder(grey, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=(255, 255, 255))
        )
        return code.text

    link = at.hand_over()
    assert said() == f"http://localhost{link}"
    app.extensions["settings"] = replace(app.extensions["settings"], public_url="https://xueji.example")
    assert said() == f"https://xueji.example{link}"


# --- the registrar's own phone --------------------------------------------------------------------------------------


def test_the_own_camera_page(at: Desk, pictures: dict[str, bytes]) -> None:
    here = f"/cases/{at.case_id}/capture/{SLOT}"
    page = at.desk.get(here)
    assert page.status_code == 200 and "camera=(self)" in page.headers["Permissions-Policy"]
    assert f'href="{here}"' in at.desk.get(f"/cases/{at.case_id}/papers").text
    before = len(at.files())
    plain = at.desk.post(here, data=photo(pictures["good"]))  # without scripts: the page with the verdict
    assert plain.status_code == 200 and "已收下" in plain.text and len(at.files()) == before + 1
    assert at.desk.post(here, data={}).status_code == 422
    _submitted(at)
    assert (
        at.desk.get(here).status_code == at.desk.post(here, data=photo(pictures["better"])).status_code == 404
    )


def test_no_other_page_may_open_a_camera(at: Desk) -> None:
    for path in (
        f"/cases/{at.case_id}/papers",
        f"/cases/{at.case_id}",
        "/",
        "/sign-in",
        "/static/capture.js",
    ):
        assert "camera=()" in at.desk.get(path).headers["Permissions-Policy"]


@pytest.mark.both_pairs
def test_ending_a_session_is_what_ends_it(at: Desk) -> None:
    """The superior ends the sessions of the account: the phone is out at once."""
    phone = at.connect()
    sessions.end_all(at.cast.registrar.id, "ended")
    db.session.commit()
    assert at.phone.get(phone).status_code == 410
