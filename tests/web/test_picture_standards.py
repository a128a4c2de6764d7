"""图片检查标准 over HTTP: who reads, who sets, what is told, what is never lost."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import select

from portal.cases import picture_standards
from portal.extensions import db
from portal.models import AuditRecord
from tests.builders import Cast, an_office
from tests.cases.forms import enter
from tests.web.test_quality import page_at

pytestmark = pytest.mark.pages


def test_the_state_approver_sets_the_standard_and_takes_it_back(app: Flask) -> None:
    cast = Cast()
    db.session.commit()
    client = enter(app, cast.approver)
    form = {
        "paper": "application",
        "seen": "0",
        "reason": "申请书字小，放严一些",
        "value-text_advise_px": "14",
    }
    answer = client.post("/quality/standard", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/quality/standard?paper=application")
    page = page_at(app, cast.reviewer, "/quality/standard?paper=application")
    row = next(row for row in page.select("tbody tr") if "字高小于此值的提醒" in row.get_text())
    assert [cell.get_text(strip=True) for cell in row.select("td")][-2:] == ["14", "14"]
    assert "申请书字小，放严一些" in page.get_text() and not page.select("main form[method=post]")
    back = {"paper": "", "number": "0", "seen": "1", "reason": "看了一周数据，恢复"}
    assert client.post("/quality/standard/back", data=back).status_code == 303
    assert [one.changes for one in picture_standards.history(cast.state.id)] == [
        {},
        {"application": {"text_advise_px": 14.0}},
    ]
    records = select(AuditRecord.body).where(AuditRecord.action == "thresholds.changed")
    assert [one["number"] for one in db.session.scalars(records.order_by(AuditRecord.seq))] == [1, 2]


def test_what_cannot_be_saved_says_why_and_keeps_what_was_typed(app: Flask) -> None:
    cast = Cast()
    db.session.commit()
    client = enter(app, cast.approver)
    form = {
        "paper": "",
        "seen": "0",
        "reason": "放严一些",
        "value-blur_advise": "much",
        "value-dark_mend": "80",
    }
    answer = client.post("/quality/standard", data=form)
    page = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 422 and "请填数字" in page.get_text()
    typed = {one["name"]: one["value"] for one in page.select("input.standard-value") if one["value"]}
    assert typed == {"value-blur_advise": "much", "value-dark_mend": "80"}
    assert page.select_one("#reason").get_text() == "放严一些"  # type: ignore[union-attr]
    good = form | {"value-blur_advise": "0.03"}
    assert client.post("/quality/standard", data=good | {"reason": ""}).status_code == 422
    assert client.post("/quality/standard", data=good).status_code == 303
    stale = client.post("/quality/standard", data=good | {"value-dark_mend": "90"})
    assert stale.status_code == 409 and 'value="90"' in stale.text
    assert client.post("/quality/standard/back", data={"number": "7", "seen": "1"}).status_code == 404
    for who in (cast.reviewer, cast.auditor, cast.administrator, cast.registrar):
        assert enter(app, who).post("/quality/standard", data=good).status_code == 404
    other = an_office("state", policy="gs-linxia-2022")  # type: ignore[arg-type]
    assert picture_standards.history(other.id) == []
