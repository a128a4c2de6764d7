"""The entry pack, the receipt, and the list of what has not landed, over HTTP with real papers in a real store."""

from __future__ import annotations

import io
import zipfile
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import openpyxl
import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select, update

from portal import tasks
from portal.cases import entries, entry_pack, evidence
from portal.cases.entries import STAGES
from portal.extensions import db
from portal.models import AuditRecord, Case, NationalEntry, RegisterChange
from portal.models.types import utcnow
from storage.judge import judge
from storage.rendition import NATIONAL_LIMIT
from tests.builders import NEW_NAME, Cast, a_case, a_pupil, act, an_id_number
from tests.cases.forms import enter
from tests.cases.test_printing import PAYLOADS

pytestmark = pytest.mark.pages

FOUR = {
    "fields": ["name", "id_number", "birth_date", "sex"],
    "cause": "household_corrected",
    "explanation": "=SUM(A1)\n第二行 \U00030edd",
    "new_name": "马晓明",
    "new_birth_date": "2010-06-07",
    "new_sex": "2",
}


def photo(width: int = 1600, height: int = 2200, kind: str = "JPEG") -> bytes:
    """Noise is the worst a JPEG can meet: it makes the limit of 2 MB bite."""
    out = io.BytesIO()
    Image.effect_noise((width, height), 90).convert("RGB").save(out, kind, quality=95)
    return out.getvalue()


def upload(app: Flask, case: Case, cast: Cast, slot: str, data: bytes, name: str = "IMG_1.jpg") -> None:
    """A file by the real protocol; what the checks say of it does not matter here."""
    staged = evidence.stage(case, cast.registrar, slot, name)
    judged = judge(data)
    kept = evidence.keep(app.extensions["store"], staged.key, data, judged)
    file = evidence.settle(staged, kept, judged)
    file.verdict = "pass"
    db.session.flush()


def an_approved_case(app: Flask, cast: Cast) -> Case:
    """Approved by real acts, with two photographs of the certificate and a picture of the household book."""
    case = a_case(cast, "draft")
    answers = {**FOUR, "new_id_number": an_id_number(born=date(2010, 6, 7), sex="2")}
    act(case, cast.registrar, "edit", answers=answers)
    upload(app, case, cast, "change_certificate", photo())
    upload(app, case, cast, "change_certificate", photo(900, 1200))
    upload(app, case, cast, "household_book", photo(1000, 800, "PNG"), "户口簿.png")
    act(case, cast.registrar, "submit")
    act(case, cast.reviewer, "approve")
    act(case, cast.approver, "approve")
    db.session.commit()
    return case


def pack_of(client: FlaskClient, case: Case) -> zipfile.ZipFile:
    answer = client.get(f"/cases/{case.id}/entry-pack.zip")
    assert (answer.status_code, answer.content_type) == (200, "application/zip"), answer.text[:500]
    return zipfile.ZipFile(io.BytesIO(answer.data))


def records(action: str) -> list[AuditRecord]:
    found = list(
        db.session.scalars(select(AuditRecord).where(AuditRecord.action == action).order_by(AuditRecord.seq))
    )
    db.session.commit()
    return found


@pytest.mark.both_pairs
def test_the_pack_holds_values_in_order_and_pictures_that_the_national_system_takes(app: Flask) -> None:
    cast = Cast()
    old = {"name": cast.pupil.name, "id_number": cast.pupil.id_number}
    case = an_approved_case(app, cast)
    new_number = cast.pupil.id_number
    tasks.wait()
    client = enter(app, cast.registrar)
    package = pack_of(client, case)
    pictures = [
        "01_户籍登记项目变更证明_1.jpg",
        "01_户籍登记项目变更证明_2.jpg",
        "03_户口簿（首页和本人页）_1.jpg",
    ]
    assert package.namelist() == ["录入单.xlsx", "录入单.txt", *pictures]
    for name in pictures:
        data = package.read(name)
        assert len(data) <= NATIONAL_LIMIT
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.format == "JPEG" and not picture.getexif() and min(picture.size) >= 700
    sheet = openpyxl.load_workbook(io.BytesIO(package.read("录入单.xlsx"))).active
    assert sheet is not None
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
    cause = "户籍登记有误，公安机关已更正；=SUM(A1)\n第二行 \U00030edd"
    first = [cast.pupil.student_number, old["name"]]
    assert cells == [
        ["学籍号", "姓名", "变更项目", "原值", "新值", "变更原因"],
        [*first, "姓名", old["name"], "马晓明", cause],
        [*first, "性别", "男", "女", cause],
        [*first, "身份证件号", old["id_number"], new_number, cause],
        [*first, "出生日期", "2010-05-06", "2010-06-07", cause],
    ]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s"}
    text = package.read("录入单.txt").decode("utf-8-sig")
    assert f"【身份证件号（新值）】\r\n{new_number}\r\n" in text and pictures[0] in text
    (record,) = records("case.entry_pack")
    assert (record.object_id, record.actor_id, record.body) == (str(case.id), cast.registrar.id, {"pages": 3})


@pytest.mark.parametrize("payload", [text for text in PAYLOADS if "\n" not in text and "\t" not in text])
def test_no_text_becomes_a_formula_or_is_changed(payload: str) -> None:
    line = ("L622999201005060001", payload, "姓名", payload, payload, payload)
    pack = entry_pack.Plan("GJ2026000123", "关键信息变更", payload, "2026-09-03", (line,), ())
    sheet = openpyxl.load_workbook(io.BytesIO(entry_pack.sheet(pack))).active
    assert sheet is not None
    read = [(cell.value, cell.data_type) for cell in list(sheet.iter_rows())[1]]
    assert read == [(text, "s") for text in line]
    assert pack.file_name.endswith(".zip") and not set(pack.file_name) & set('\\/:*?"<>|\n')


@pytest.mark.both_pairs
def test_a_changed_or_missing_original_makes_no_pack(app: Flask) -> None:
    cast = Cast()
    case = an_approved_case(app, cast)
    tasks.wait()
    file = evidence.files_of(case, "household_book")[0]
    file.sha256 = "0" * 64
    db.session.commit()
    client = enter(app, cast.registrar)
    answer = client.get(f"/cases/{case.id}/entry-pack.zip")
    assert answer.status_code == 503 and "录入包没有生成" in answer.text
    assert [record.result for record in records("case.entry_pack")] == ["failed"]


def test_only_the_school_and_the_bureaus_above_it_get_an_approved_pack(app: Flask) -> None:
    cast, stranger = Cast(), Cast()
    case, open_case = a_case(cast, "approved"), a_case(cast, "county_review", pupil=a_pupil(cast.school))
    a_case(stranger, "approved")
    db.session.commit()
    tasks.wait()
    refused = [cast.head, cast.auditor, cast.administrator, *stranger.everybody().values()]
    for who in refused:
        client = enter(app, who)
        assert client.get(f"/cases/{case.id}/entry-pack.zip").status_code == 404, who
        assert client.post(f"/cases/{case.id}/entered", data={"receipt": "GW2026-1"}).status_code == 404, who
    client = enter(app, cast.reviewer)
    assert client.get(f"/cases/{open_case.id}/entry-pack.zip").status_code == 409
    assert client.get(f"/cases/{uuid4()}/entry-pack.zip").status_code == 404
    assert records("case.entry_pack") == []
    assert db.session.get_one(NationalEntry, case.id).receipt == ""


@pytest.mark.parametrize(("who", "may"), [("registrar", True), ("approver", True), ("reviewer", False)])
def test_the_school_or_the_last_deciding_office_notes_the_receipt(app: Flask, who: str, may: bool) -> None:
    cast = Cast()
    case = a_case(cast, "approved")
    client = enter(app, cast.everybody()[who])
    answer = client.post(f"/cases/{case.id}/entered", data={"receipt": " ＧＷ2026-0001 "})
    entry = fresh(case)
    if not may:
        assert answer.status_code == 422 and "最后一级审批机关" in answer.text and entry.receipt == ""
        return
    assert answer.status_code == 303 and answer.headers["Location"] == "/landings?stage=entered"
    assert (entry.receipt, entry.entered_by_id) == ("GW2026-0001", cast.everybody()[who].id)
    assert entry.entered_at is not None and utcnow() - entry.entered_at < timedelta(minutes=1)
    (record,) = records("case.entered")
    assert record.body == {"receipt": "GW2026-0001", "before": ""}


@pytest.mark.parametrize(
    "typed", ["", "123", "受理号一二三四", "GW 2026/1", "a" * 61, "<script>", "GW2026_1", "GW\x011234"]
)
def test_a_receipt_that_cannot_be_one_is_asked_for_again(app: Flask, typed: str) -> None:
    cast = Cast()
    case = a_case(cast, "approved")
    client = enter(app, cast.registrar)
    answer = client.post(f"/cases/{case.id}/entered", data={"receipt": typed})
    assert answer.status_code == 422 and "受理号为 4 到 60 位" in answer.text
    field = BeautifulSoup(answer.text, "html.parser").find(id=f"receipt-{case.id}")
    assert field is not None and field["value"] == typed.replace("\x01", "")
    assert fresh(case).receipt == ""


@pytest.mark.both_pairs
def test_a_receipt_is_corrected_until_it_is_confirmed_and_never_by_a_stale_page(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "approved")
    client = enter(app, cast.registrar)

    def post(receipt: str, seen: str) -> Any:
        return client.post(f"/cases/{case.id}/entered", data={"receipt": receipt, "seen": seen})

    assert post("GW2026-0001", "").status_code == 303
    stale = post("GW2026-0009", "")
    assert (
        stale.status_code == 409
        and "受理号已登记为 GW2026-0001" in stale.text
        and "GW2026-0009" in stale.text
    )
    assert post("GW2026-0002", "GW2026-0001").status_code == 303
    assert [record.body for record in records("case.entry_corrected")] == [
        {"receipt": "GW2026-0002", "before": "GW2026-0001"}
    ]
    db.session.execute(update(NationalEntry).values(confirmed_at=utcnow()))
    db.session.commit()
    late = post("GW2026-0003", "GW2026-0002")
    assert late.status_code == 409 and "受理号不能再改" in late.text
    assert fresh(case).receipt == "GW2026-0002"


def test_an_open_case_has_no_receipt(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    client = enter(app, cast.registrar)
    answer = client.post(f"/cases/{case.id}/entered", data={"receipt": "GW2026-0001"})
    assert answer.status_code == 409 and "业务还没有批准" in answer.text


@pytest.mark.both_pairs
def test_the_list_shows_each_stage_with_what_is_stuck(app: Flask) -> None:
    cast, stranger = Cast(), Cast()
    a_case(stranger, "approved")
    made = [a_case(cast, "approved", pupil=a_pupil(cast.school, name=f"马{name}")) for name in "甲乙丙丁"]
    now = utcnow()
    for case, values in zip(
        made,
        (
            {"approved_at": now - timedelta(days=31)},
            {"receipt": "GW2026-0002", "entered_at": now, "entered_by_id": cast.registrar.id},
            {"confirmed_at": now},
            {"receipt": ""},
        ),
        strict=True,
    ):
        db.session.execute(update(NationalEntry).where(NationalEntry.case_id == case.id).values(**values))
    db.session.commit()
    client = enter(app, cast.approver)
    shown = {stage: page(client, stage) for stage in STAGES}
    rows = {
        stage: [row["id"].removeprefix("case-") for row in one.select("tbody tr")]
        for stage, one in shown.items()
    }  # type: ignore[union-attr]
    first, second, third, fourth = (str(case.id) for case in made)
    assert rows == {"waiting": [first, fourth], "entered": [second], "stuck": [first], "confirmed": [third]}
    assert "已过 31 天仍未落地" in shown["waiting"].text and "GW2026-0002" in shown["entered"].text
    assert [tab.get_text(" ").split() for tab in shown["waiting"].select("nav.boxes a")] == [
        ["待录入", "2"],
        ["已录入待确认", "1"],
        ["超过", "30", "天未落地", "1"],
        ["已确认"],
    ]
    assert client.get("/landings?stage=nonsense&after=nonsense").status_code == 200


def test_the_list_is_one_s_own(app: Flask) -> None:
    cast, stranger = Cast(), Cast()
    a_case(cast, "approved")
    for who, rows in (
        (cast.registrar, 1),
        (cast.head, 1),
        (cast.auditor, 1),
        (stranger.registrar, 0),
        (stranger.approver, 0),
    ):
        client = enter(app, who)
        soup = page(client, "waiting")
        assert len(soup.select("tbody tr")) == rows
        assert bool(soup.select(".nothing")) == (rows == 0)
    client = enter(app, cast.administrator)
    assert client.get("/landings").status_code == 404


@pytest.mark.both_pairs
def test_pages_follow_each_other_without_gap_or_repetition(app: Flask) -> None:
    cast = Cast()
    made = [a_case(cast, "approved", pupil=a_pupil(cast.school)).id for _ in range(7)]
    db.session.execute(update(NationalEntry).values(approved_at=utcnow()))  # equal times: the id decides
    db.session.flush()
    for stage in (STAGES["waiting"], STAGES["confirmed"]):
        seen, after = [], ""
        for _ in range(4):
            listing = entries.page(cast.registrar, stage, after, size=3)
            assert listing.total == 7
            seen += [entry.case_id for entry in listing.entries]
            after = listing.next
            if not after:
                break
        assert sorted(seen) == sorted(made) and len(seen) == 7
        db.session.execute(update(NationalEntry).values(confirmed_at=utcnow()))
        db.session.flush()
    db.session.rollback()


def test_the_register_is_what_the_pack_says(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "approved")
    (change,) = db.session.scalars(select(RegisterChange).where(RegisterChange.case_id == case.id))
    pack = entry_pack.plan(case)
    assert [line[2:5] for line in pack.lines] == [("姓名", change.before, change.after)]
    assert change.after == NEW_NAME["new_name"] == cast.pupil.name
    with pytest.raises(ValueError, match="not approved"):
        entry_pack.plan(a_case(cast, "county_review", pupil=a_pupil(cast.school)))
    db.session.rollback()


def page(client: FlaskClient, stage: str) -> BeautifulSoup:
    answer = client.get(f"/landings?stage={stage}")
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def fresh(case: Case) -> NationalEntry:
    db.session.commit()
    entry = db.session.get_one(NationalEntry, case.id, populate_existing=True)
    db.session.commit()
    return entry
