"""Places marked on a scan: what is kept of them, what is refused, who sees them where, and that nothing typed is lost."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import select

from portal.cases import marks, remarks
from portal.cases.actions import stamp
from portal.extensions import db
from portal.models import Case, EvidenceFile, Remark
from portal.models.types import new_id, utcnow
from tests.builders import Cast, a_case, a_file, act
from tests.cases.forms import enter

pytestmark = pytest.mark.pages

BOX = "0.2000,0.3000,0.4000,0.1000"
SLOT = "change_certificate"


def file_in(case: Case, slot: str = SLOT) -> EvidenceFile:
    query = select(EvidenceFile).where(EvidenceFile.case_id == case.id, EvidenceFile.slot == slot)
    return db.session.scalars(query.order_by(EvidenceFile.uploaded_at)).first()  # type: ignore[return-value]


def send_back(app: Flask, cast: Cast, case: Case, *places: str, about: str = f"evidence:{SLOT}") -> Any:
    """Return a case from a fresh page, with a line of reasons for each place."""
    db.session.commit()
    form = {"seen": stamp(case), "verb": "return", "note": "请看框出的地方"}
    for number, place in enumerate(places):
        line = {"code": "image_unclear", "about": about, "note": f"第{number + 1}处看不清", "mark": place}
        form |= {f"reason-{number}-{part}": text for part, text in line.items()}
    return enter(app, cast.reviewer).post(f"/cases/{case.id}/decide", data=form)


def returned(app: Flask, cast: Cast) -> tuple[Case, EvidenceFile]:
    case = a_case(cast, "county_review")
    file = file_in(case)
    answer = send_back(app, cast, case, f"{file.id}/1/{BOX}", f"{file.id}/1/0.5,0.6,0.1,0.1")
    assert answer.status_code == 303, answer.text
    db.session.expire_all()
    return case, file


@pytest.mark.parametrize(
    ("text", "box"),
    [
        (BOX, {"x": 0.2, "y": 0.3, "width": 0.4, "height": 0.1}),
        ("0,0,1,1", {"x": 0, "y": 0, "width": 1, "height": 1}),
        ("0.2,0.3,0.4", None),
        ("0.2,0.3,0.4,0.1,0.1", None),
        ("0.2,0.3,0.4,x", None),
        ("nan,0,1,1", None),
        ("0,0,inf,1", None),
        ("-0.1,0,0.5,0.5", None),
        ("0.8,0,0.5,0.5", None),
        ("0.2,0.3,0.001,0.1", None),
    ],
)
def test_a_box_is_four_shares_on_the_page(text: str, box: dict[str, float] | None) -> None:
    assert marks.read_box(text) == box
    if box:
        assert marks.read_box(marks.write_box(box)) == box


def test_each_box_becomes_a_remark_with_its_place(app: Flask) -> None:
    cast = Cast()
    case, file = returned(app, cast)
    first, second = remarks.open_remarks(case)
    assert (first.target, first.key, first.file_id, first.page) == ("evidence", SLOT, file.id, 1)
    assert first.box == {"x": 0.2, "y": 0.3, "width": 0.4, "height": 0.1}
    assert (second.position, second.box) == (2, {"x": 0.5, "y": 0.6, "width": 0.1, "height": 0.1})


def test_without_a_box_a_return_is_as_before(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    assert send_back(app, cast, case, "").status_code == 303
    (remark,) = remarks.open_remarks(case)
    assert (remark.file_id, remark.page, remark.box) == (None, None, None)


def test_a_place_that_cannot_be_is_refused_and_nothing_is_lost(app: Flask) -> None:
    cast = Cast()
    case, other = a_case(cast, "county_review"), a_case(Cast(), "county_review")
    file, gone = file_in(case), a_file(case, SLOT, cast.registrar, removed_at=utcnow(), removed_round=0)
    wrong = {
        f"{file.id}/1/0.2,0.3,0.9,0.1": "框选的位置有误",
        f"{file.id}/1/nonsense": "框选的位置有误",
        "rubbish": "框选的位置有误",
        f"{file.id}/2/{BOX}": "框选的页不存在",
        f"{file.id}/x/{BOX}": "框选的页不存在",
        f"{new_id()}/1/{BOX}": "不在本件材料中",
        f"nobody/1/{BOX}": "不在本件材料中",
        f"{file_in(other).id}/1/{BOX}": "不在本件材料中",
        f"{gone.id}/1/{BOX}": "不在本件材料中",
        f"{file_in(case, 'household_book').id}/1/{BOX}": "不属于这一条所选的材料",
    }
    for place, told in wrong.items():
        answer = send_back(app, cast, case, f"{file.id}/1/{BOX}", place)
        page = BeautifulSoup(answer.text, "html.parser")
        assert answer.status_code == 422 and told in page.select_one("[role=alert]").get_text(), place  # type: ignore[union-attr]
        kept = [one["value"] for one in page.select("#reasons [data-mark]")]
        assert kept[:2] == [f"{file.id}/1/{BOX}", place]
        assert [one["value"] for one in page.select("#reasons input.form-control")][:2] == [
            "第1处看不清",
            "第2处看不清",
        ]
        assert page.select_one("#panel-return")["open"] == ""  # type: ignore[index]
    answer = send_back(app, cast, case, f"{file.id}/1/{BOX}", about="field:new_name")
    assert answer.status_code == 422 and "框选了影像" in answer.text
    assert db.session.scalars(select(Remark)).first() is None


def test_one_more_line_keeps_the_boxes(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    place = f"{file_in(case).id}/1/{BOX}"
    db.session.commit()
    answer = enter(app, cast.reviewer).post(
        f"/cases/{case.id}/desk/reasons", data={"reason-0-mark": place}, headers={"HX-Request": "true"}
    )
    rows = BeautifulSoup(answer.text, "html.parser").select("[data-mark]")
    assert len(rows) == 4 and rows[0]["value"] == place


def test_the_school_sees_the_picture_with_the_frames_without_scripts(app: Flask) -> None:
    cast = Cast()
    case, file = returned(app, cast)
    client = enter(app, cast.registrar)
    for address in ("", "/papers", "/check"):
        page = BeautifulSoup(client.get(f"/cases/{case.id}{address}").text, "html.parser")
        links = [one["href"] for one in page.select("a.mark-thumb")]
        assert links == [f"/cases/{case.id}/marks/{file.id}"] * 2, address
        assert [one["x"] for one in page.select("a.mark-thumb rect")] == ["20.00%", "50.00%"]
    page = BeautifulSoup(client.get(f"/cases/{case.id}/marks/{file.id}").text, "html.parser")
    (drawing,) = page.select("svg.marks")
    edges = [(one["x"], one["y"], one["width"], one["height"]) for one in drawing.select("rect")]
    assert edges == [("20.00%", "30.00%", "40.00%", "10.00%"), ("50.00%", "60.00%", "10.00%", "10.00%")]
    assert [one.get_text() for one in drawing.select("text")] == ["1", "2"]
    said = [one.get_text(" ", strip=True) for one in page.select("aside li")]
    assert all(f"第{number}处看不清" in text for number, text in enumerate(said, 1)) and len(said) == 2
    assert page.select_one(".sheet-actions a")["href"] == f"/cases/{case.id}/papers#slot-{SLOT}"  # type: ignore[index]


def test_a_file_without_marks_has_no_such_page(app: Flask) -> None:
    cast = Cast()
    case, _ = returned(app, cast)
    other = file_in(case, "household_book")
    answer = enter(app, cast.registrar).get(f"/cases/{case.id}/marks/{other.id}")
    assert answer.status_code == 404


def test_only_replacing_the_marked_picture_settles_the_item(app: Flask) -> None:
    cast = Cast()
    case, file = returned(app, cast)
    a_file(case, SLOT, cast.registrar)
    first, second = remarks.open_remarks(case)
    assert not remarks.settled(case, first) and not remarks.settled(case, second)
    file.removed_at, file.removed_round = utcnow(), case.round
    db.session.flush()
    assert remarks.settled(case, first) and remarks.settled(case, second)


def test_the_list_of_the_papers_page_changes_with_the_slot(app: Flask) -> None:
    """Removed and replaced without leaving the page: the item says so at once."""
    cast = Cast()
    case, file = returned(app, cast)
    a_file(case, SLOT, cast.registrar)
    db.session.commit()
    client = enter(app, cast.registrar)
    before = BeautifulSoup(client.get(f"/cases/{case.id}/papers").text, "html.parser")
    told = before.select_one("#papers-remarks")
    assert told is not None and "待处理" in told.get_text() and file.name in told.get_text()
    answer = client.post(f"/evidence/{file.id}/remove", headers={"HX-Request": "true"})
    after = BeautifulSoup(answer.text, "html.parser").select_one("#papers-remarks[hx-swap-oob]")
    assert after is not None and "待处理" not in after.get_text() and "已改动" in after.get_text()


def test_the_reviewer_sees_old_and_new_with_the_frames_on_the_old(app: Flask) -> None:
    cast = Cast()
    case, file = returned(app, cast)
    file.removed_at, file.removed_round = utcnow(), case.round
    new = a_file(case, SLOT, cast.registrar)
    act(case, cast.registrar, "submit")
    db.session.commit()
    client = enter(app, cast.reviewer)
    desk = BeautifulSoup(client.get(f"/cases/{case.id}/desk").text, "html.parser")
    compare = f"/cases/{case.id}/compare/{file.id}/{new.id}"
    assert [one["href"] for one in desk.select(".remark a") if "compare" in one["href"]] == [compare] * 2
    assert len(desk.select(".remark .mark-thumb rect")) == 2 and not desk.select("[data-viewer] rect")
    page = BeautifulSoup(client.get(compare).text, "html.parser")
    old, fresh = page.select("[data-viewer]")
    assert len(old.select("rect")) == 2 and not fresh.select("rect")
    assert page.select_one("[data-compare-flip]") and page.select_one("[data-compare]")


def test_drawing_is_offered_to_those_who_may_return_only(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    db.session.commit()
    for who, offered in ((cast.reviewer, True), (cast.auditor, False), (cast.approver, False)):
        page = BeautifulSoup(enter(app, who).get(f"/cases/{case.id}/desk").text, "html.parser")
        assert bool(page.select("[data-mark-start]")) is offered
