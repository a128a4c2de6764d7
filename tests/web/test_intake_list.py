"""录取名单 over HTTP: preview, errors by cell, confirming, replacing. On the day that it is: the store refuses a clock that is off."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select

from portal.cases import clock
from portal.extensions import db
from portal.models import Admitted, AdmittedList
from portal.standards.school_year import year_of_entry
from tests.cases.forms import enter
from tests.cases.test_sheets_as_people_have_them import book
from tests.intakes import people
from tests.web.test_intake import Intake, cells, look, soup, xlsx

TITLES = ("准考证号", "姓名", "性别", "民族", "出生日期", "身份证号", "中考成绩", "录取学校", "中考报名县市")
KEYS = ("exam_number", "name", "sex", "ethnicity", "birth_date", "id_number", "exam_score")


def list_sheet(rows: Sequence[Mapping[str, str]], school: str, county: str = "青禾县") -> io.BytesIO:
    return xlsx(TITLES, *([*(one[key] for key in KEYS), school, county] for one in rows))


def test_a_list_is_previewed_confirmed_and_replaced(app: Flask) -> None:
    cast = Intake()
    cast.plan(2, 8, year=year_of_entry(clock.today()))
    client = enter(app, cast.approver)
    ones = people(3)
    upload = {"file": (list_sheet(ones, cast.school.code), "录取.xlsx")}
    assert client.post("/intake/admitted", data=upload).status_code == 303
    page = soup(client.get("/intake/admitted"))
    assert "超出 1 人" in page.get_text() and not list(db.session.scalars(select(AdmittedList)))
    seen = page.select_one("input[name=seen]")["value"]  # type: ignore[index]
    assert client.post("/intake/admitted/confirm", data={"seen": "x"}).status_code == 409
    assert client.post("/intake/admitted/confirm", data={"seen": seen}).status_code == 303
    assert len(list(db.session.scalars(select(Admitted)))) == 3
    changed = [ones[0] | {"name": "马改名"}, ones[1], people(1, 90)[0]]
    upload = {"file": (list_sheet(changed, cast.school.name), "录取2.xlsx")}
    client.post("/intake/admitted", data=upload)
    page = soup(client.get("/intake/admitted"))
    assert "新增 1 人，减少 1 人，信息有变 1 人" in page.get_text()
    seen = page.select_one("input[name=seen]")["value"]  # type: ignore[index]
    unexplained = client.post("/intake/admitted/confirm", data={"seen": seen})
    assert unexplained.status_code == 422 and "为什么更换" in unexplained.text
    assert (
        client.post("/intake/admitted/confirm", data={"seen": seen, "note": "补录后更换"}).status_code == 303
    )
    newest = db.session.scalars(select(AdmittedList).order_by(AdmittedList.number.desc())).first()
    assert newest and (newest.number, newest.people, newest.note) == (2, 3, "补录后更换")
    county = look(app, cast.reviewer, "/intake/admitted")
    assert "补录后更换" in county.get_text() and not county.select("main form")
    for who in (cast.reviewer, cast.registrar, cast.administrator):
        assert enter(app, who).post("/intake/admitted").status_code == 404


def test_nothing_is_stored_until_every_row_is_sound(app: Flask) -> None:
    cast = Intake()
    db.session.commit()
    client = enter(app, cast.approver)
    rows = people(4)
    rows[1] = rows[1] | {"sex": "公"}
    rows[2] = rows[2] | {"exam_number": rows[0]["exam_number"]}
    sheet = list_sheet(rows, cast.school.name)
    client.post("/intake/admitted", data={"file": (sheet, "录取.xlsx")})
    page = soup(client.get("/intake/admitted"))
    assert [line[:2] for line in cells(page)] == [["3", "性别"], ["4", "准考证号"]]
    assert "与第 2 行相同" in page.get_text()
    errors = load_workbook(io.BytesIO(client.get("/intake/admitted/faults.xlsx").data)).active
    assert errors.max_row == 3 and errors.cell(2, 3).value == "公"
    assert client.post("/intake/admitted/confirm", data={"seen": "0"}).status_code in (409, 422)
    client.post("/intake/admitted", data={"file": (list_sheet(people(1), "没有的中学"), "录取.xlsx")})
    assert "没有这所高中" in client.get("/intake/admitted").text
    assert client.post("/intake/admitted/discard").status_code == 303
    assert client.get("/intake/admitted/faults.xlsx").status_code == 404
    lost = client.post("/intake/admitted", data={"file": (xlsx(("姓名", "性别"), ("马", "男")), "a.xlsx")})
    assert lost.status_code == 422 and "缺少" in lost.text
    assert client.post("/intake/admitted").status_code == 422
    assert not list(db.session.scalars(select(AdmittedList)))


def test_the_sheet_of_a_list_is_named_and_another_is_read_without_a_second_upload(app: Flask) -> None:
    cast = Intake()
    cast.plan(2, 8, year=year_of_entry(clock.today()))
    client = enter(app, cast.approver)
    lines = [[*(one[key] for key in KEYS), cast.school.code, "青禾县"] for one in people(3)]
    data = book(("第一批", [TITLES, lines[0], ["合计", "1"]]), ("第二批", [TITLES, *lines[1:]]))
    assert client.post("/intake/admitted", data={"file": (io.BytesIO(data), "录取.xlsx")}).status_code == 303
    page = soup(client.get("/intake/admitted"))
    assert (
        "读取的是工作表“第一批”，另有“第二批”没有读" in page.get_text() and "第 3 行是合计" in page.get_text()
    )
    seen = page.select_one("input[name=seen]")["value"]  # type: ignore[index]
    missing = client.post("/intake/admitted/sheet", data={"sheet": "第三批"})
    assert missing.status_code == 422 and "没有工作表“第三批”" in missing.text
    assert client.post("/intake/admitted/sheet", data={"sheet": "第二批"}).status_code == 303
    stale = client.post("/intake/admitted/confirm", data={"seen": seen})
    assert stale.status_code == 409, "what was looked at is the other sheet"
    page = soup(client.get("/intake/admitted"))
    seen = page.select_one("input[name=seen]")["value"]  # type: ignore[index]
    assert client.post("/intake/admitted/confirm", data={"seen": seen}).status_code == 303
    names = set(db.session.scalars(select(Admitted.name)))
    assert names == {one["name"] for one in people(3)[1:]}
