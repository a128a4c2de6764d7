"""材料质量 over HTTP: who reads it, what it says, what is recorded."""

from __future__ import annotations

import io
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select

from portal.extensions import db
from portal.models import AuditRecord
from tests.builders import Cast, a_case
from tests.cases.forms import enter
from tests.cases.test_quality import measured, submitted

pytestmark = pytest.mark.pages


def page_at(app: Flask, who: Any, address: str) -> BeautifulSoup:
    answer = enter(app, who).get(address)
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def test_figures_are_for_the_bureaus_and_the_look_is_recorded(app: Flask) -> None:
    cast = Cast()
    submitted(cast, measured("advise", 0.04, 0.035), verdict="advise", override_reason="只有这一张了")
    db.session.commit()
    for who in (cast.reviewer, cast.approver, cast.auditor):
        page = page_at(app, who, "/quality")
        cells = [cell.get_text(strip=True) for cell in page.select("table")[0].select("tbody td")]
        assert cells == [cast.school.name, "1", "2 份", "1 份", "50.0%", "1 件"]
        assert "越线 25% 以内" in page.select("table")[2].get_text()
        assert all(
            row.select("td")[1].get_text() != "0" for row in page.select("table")[2].select("tbody tr")
        )
        assert page.select_one("a[href^='/quality/figures.xlsx']")
    for who in (cast.registrar, cast.head, cast.administrator):
        assert enter(app, who).get("/quality").status_code == 404
    query = select(AuditRecord.actor_id).where(AuditRecord.action == "quality.viewed")
    assert len(list(db.session.scalars(query))) == 3
    assert "没有提交的业务" in page_at(app, Cast().reviewer, "/quality").get_text()
    page_at(app, cast.reviewer, "/quality?first=rubbish&last=2999-01-01")


def test_the_workbook_holds_the_same_and_no_formula(app: Flask) -> None:
    cast = Cast()
    cast.school.name = "=1+1学校"
    submitted(cast, measured("pass", 0.03, 0.035))
    db.session.commit()
    answer = enter(app, cast.reviewer).get("/quality/figures.xlsx")
    book = load_workbook(io.BytesIO(answer.data))
    rows = list(book["按学校"].iter_rows(values_only=True))
    assert rows[1] == ("=1+1学校", 1, 2, 2, "100.0%", 0)
    assert book["按学校"]["A2"].data_type == "s"
    assert [row[2] for row in book["分数与处理"].iter_rows(min_row=2, values_only=True)] == [0, 1, 0, 0, 0]


def test_the_queue_shows_the_number_and_offers_the_order(app: Flask) -> None:
    cast = Cast()
    submitted(cast, measured("advise", 0.05, 0.035), verdict="advise", override_reason="只有这一张了")
    a_case(cast, "county_review")
    db.session.commit()
    page = page_at(app, cast.reviewer, "/queue/todo?sort=legibility")
    rows = [row.get_text(" ", strip=True) for row in page.select("tbody tr")]
    assert "清晰度 52" in rows[0] and "质量存疑" in rows[0] and "清晰度" not in rows[1]
    assert page.select_one("#sort option[selected]")["value"] == "legibility"  # type: ignore[index]
