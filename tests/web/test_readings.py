"""Reading in the background, and what the reviewer's desk makes of it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from flask import Flask

from portal import create_app, tasks
from portal.cases import evidence, page_readings
from portal.extensions import db
from portal.models import AuditRecord, Case, EvidenceFile, EvidencePage, PageReading, ReadingCorrection
from portal.settings import Settings
from storage import reading
from storage.judge import judge
from storage.objects import new_key
from tests import papers
from tests.builders import Cast, a_case, a_file, a_pupil, act, an_id_number
from tests.cases.forms import enter

pytestmark = pytest.mark.pages

OLD, NEW = an_id_number(serial=21), an_id_number(serial=22)
WRONG = NEW[:15] + str((int(NEW[15]) + 1) % 10) + NEW[16:]
SLOT = "change_certificate"

needs_engine = pytest.mark.skipif(
    not reading.available(), reason="the extra 'reading' is not installed: pip install '.[reading]'"
)


@pytest.fixture
def reading_app(settings: Settings) -> Iterator[Flask]:
    """The portal with reading switched on."""
    app = create_app(replace(settings, reading=True))
    app.config["TESTING"] = True
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        yield app
        db.session.remove()
        tasks.wait()
        db.engine.dispose()


def a_number_case(cast: Cast, at: str = "county_review") -> Case:
    """A case that changes the pupil's number, OLD to NEW."""
    answers = {
        "fields": ["id_number"],
        "cause": "household_corrected",
        "explanation": "号码登记有误，已更正",
        "new_id_number": NEW,
    }
    case = a_case(cast, at, answers=answers, pupil=a_pupil(cast.school, id_number=OLD))
    db.session.commit()
    return case


def read_as(case: Case, slot: str, *texts: str) -> EvidenceFile:
    """Give the slot's page the lines that a machine would have read, one below the other."""
    file = evidence.files_of(case, slot)[0]
    lines = []
    for n, text in enumerate(texts):
        top = 0.1 + 0.05 * n
        box = [[0.1, top], [0.6, top], [0.6, top + 0.03], [0.1, top + 0.03]]
        lines.append({"text": text, "box": box, "confidence": 0.99})
    db.session.add(PageReading(page_id=file.pages[0].id, status="done", engine="test", lines=lines))
    db.session.commit()
    return file


def desk(app: Flask, who: object, case: Case) -> BeautifulSoup:
    db.session.commit()
    answer = enter(app, who).get(f"/cases/{case.id}/desk")  # type: ignore[arg-type]
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def read_cell(page: BeautifulSoup) -> str:
    return " ".join(page.select_one("#comparison td[data-label=材料上写的]").get_text(" ").split())


# --- in the background ----------------------------------------------------------------------------------------------


@needs_engine
def test_an_upload_is_read_after_its_answer(reading_app: Flask) -> None:
    cast = Cast()
    case = a_case(cast)
    act(case, cast.registrar, "edit", answers={"fields": ["name"], "cause": "renamed", "new_name": "林小雨"})
    db.session.commit()
    picture = papers.as_jpeg(
        papers.police_certificate("林小雨", NEW, "姓名 林晓雨", "姓名 林小雨", width=1654)
    )
    client = enter(reading_app, cast.registrar)
    db.session.remove()
    address = f"/cases/{case.id}/evidence/{SLOT}"
    answer = client.post(
        address, data={"files": (io.BytesIO(picture), "证明.jpg")}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200 and 'id="papers-reading"' in answer.text
    db.session.remove()
    tasks.wait()
    row = db.session.query(PageReading).one()
    assert row.status == "done" and row.engine.startswith("rapidocr") and row.seconds > 0 and row.read_at
    assert any(NEW in line["text"] for line in row.lines)
    assert all(0 <= share <= 1 for line in row.lines for point in line["box"] for share in point)
    record = db.session.query(AuditRecord).filter_by(action="evidence.read").one()
    assert record.result == "ok" and NEW not in str(record.body)
    db.session.remove()
    assert "1 页已识读" in client.get(f"/cases/{case.id}/papers").text


@needs_engine
def test_a_page_left_waiting_is_found_again_and_reading_twice_changes_nothing(reading_app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "draft")
    page = _stored_page(case, cast, papers.as_jpeg(papers.household_page("林小雨", NEW)))
    db.session.add(PageReading(page_id=page.id))  # asked for by a process that died before its task ran
    db.session.commit()
    page_id = page.id
    assert (page_readings.READ_TASK, {"page_id": str(page_id)}) in page_readings.waiting_pages()
    db.session.remove()
    assert tasks.resume(reading_app) >= 1
    tasks.wait()
    first = db.session.get_one(PageReading, page_id)
    assert first.status == "done"
    read_at = first.read_at
    db.session.remove()
    page_readings.read_page(str(page_id))
    assert db.session.get_one(PageReading, page_id).read_at == read_at
    assert list(page_readings.waiting_pages()) == []


@needs_engine
def test_what_cannot_be_read_is_failed_and_told(reading_app: Flask) -> None:
    cast = Cast()
    case = a_number_case(cast)
    file = evidence.files_of(case, SLOT)[0]
    page_readings.ask(file.pages[0])  # it has no view: nothing to read
    page_id = file.pages[0].id
    db.session.commit()
    db.session.remove()
    tasks.wait()
    assert db.session.get_one(PageReading, page_id).status == "failed"
    page = desk(reading_app, cast.reviewer, case)
    assert "没有识读出来" in page.get_text() and "未识别" in read_cell(page)


def test_without_the_engine_pages_wait_and_nothing_breaks(
    reading_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "available", lambda: False)
    cast = Cast()
    case = a_number_case(cast)
    page_readings.ask(evidence.files_of(case, SLOT)[0].pages[0])
    db.session.commit()
    db.session.remove()
    tasks.wait()
    assert db.session.query(PageReading).one().status == "waiting"
    assert list(page_readings.waiting_pages()) == []
    page = desk(reading_app, cast.reviewer, case)
    assert "未安装识读组件" in page.get_text() and "未识别" in read_cell(page)


def test_switched_off_nothing_is_asked(app: Flask) -> None:
    cast = Cast()
    case = a_number_case(cast)
    page_readings.ask(evidence.files_of(case, SLOT)[0].pages[0])
    db.session.commit()
    assert db.session.query(PageReading).count() == 0


def _stored_page(case: Case, cast: Cast, picture: bytes) -> EvidencePage:
    """A page whose view lies in the store."""
    page = judge(picture).pages[0]
    view = evidence._put_jpeg(tasks.store(), new_key("evidence"), page.view_jpeg)
    file = a_file(case, SLOT, cast.registrar)
    row = file.pages[0]
    row.view = {"key": view.key, "version_id": view.version_id, "sha256": view.sha256, "size": view.size}
    db.session.commit()
    return row


# --- on the desk ----------------------------------------------------------------------------------------------------


def test_one_wrong_digit_is_marked_and_framed_though_the_number_is_masked(app: Flask) -> None:
    cast = Cast()
    case = a_number_case(cast)
    file = read_as(case, SLOT, "户籍登记项目变更证明", f"公民身份号码：{WRONG}")
    page = desk(app, cast.reviewer, case)
    told = read_cell(page)
    assert "不一致" in told and "1 位不同：第 16 位" in told
    assert WRONG not in page.get_text() and "622999************" in told
    button = page.select_one("#comparison td[data-label=材料上写的] [data-show-file]")
    assert (button["data-show-file"], button["data-show-page"]) == (str(file.id), "1")
    left, top, width, height = (float(share) for share in button["data-show-box"].split(","))
    assert (
        0.1 < left < 0.6 and top == pytest.approx(0.15) and left + width == pytest.approx(0.6) and height > 0
    )
    shown = enter(app, cast.reviewer).post(f"/cases/{case.id}/desk/numbers")
    cell = BeautifulSoup(shown.text, "html.parser").select_one("#comparison td[data-label=材料上写的] .value")
    assert cell.get_text() == WRONG and [one.get_text() for one in cell.select("mark")] == [WRONG[15]]


def test_the_right_number_agrees_and_the_paper_is_named(app: Flask) -> None:
    cast = Cast()
    case = a_number_case(cast)
    lines = (
        "户籍登记项目变更证明",
        f"变更前：{OLD}",
        f"变更后：{NEW}",
        "青禾县公安局河湾派出所",
        "2026年9月5日",
    )
    read_as(case, SLOT, *lines)
    page = desk(app, cast.reviewer, case)
    assert "一致" in read_cell(page) and "不一致" not in read_cell(page)
    row = " ".join(page.select_one(".papers-read tbody tr").get_text(" ").split())
    assert "登记项目变更证明 一致" in row and "青禾县公安局河湾派出所" in row and "2026年9月5日" in row


def test_a_correction_counts_is_signed_and_stays_in_the_history(app: Flask) -> None:
    cast = Cast()
    case = a_number_case(cast)
    read_as(case, SLOT, f"公民身份号码：{WRONG}")
    address = f"/cases/{case.id}/readings/id_number"
    assert desk(app, cast.reviewer, case).select_one(f'form[action^="{address}"]')
    answer = enter(app, cast.reviewer).post(
        address, data={"value": NEW.lower()}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200 and "<h1" not in answer.text
    told = read_cell(BeautifulSoup(answer.text, "html.parser"))
    assert "不一致" not in told and f"{cast.reviewer.name}" in told and WRONG not in answer.text
    row = db.session.query(ReadingCorrection).one()
    assert (row.field, row.read, row.value, row.account_id) == ("id_number", WRONG, NEW, cast.reviewer.id)
    assert db.session.query(AuditRecord).filter_by(action="reading.corrected").count() == 1
    history = desk(app, cast.approver, case).select_one(".history").get_text(" ", strip=True)
    assert "更正识读：身份证件号" in history and cast.reviewer.name in history and NEW not in history
    act(case, cast.reviewer, "approve")
    db.session.commit()
    history = desk(app, cast.approver, case).select_one(".history").get_text(" ", strip=True)
    assert history.index("县级审核：") < history.index("更正识读"), "newest first, within a minute too"


@pytest.mark.parametrize(
    ("value", "told"), [("", "请写出材料上的内容"), ("12345", "应为 18 位"), ("字" * 201, "不超过 200 个字")]
)
def test_a_value_that_cannot_be_is_refused_with_its_reason_and_kept(
    app: Flask, value: str, told: str
) -> None:
    cast = Cast()
    case = a_number_case(cast)
    read_as(case, SLOT, f"公民身份号码：{WRONG}")
    for headers in ({}, {"HX-Request": "true"}):
        answer = enter(app, cast.reviewer).post(
            f"/cases/{case.id}/readings/id_number", data={"value": value}, headers=headers
        )
        page = BeautifulSoup(answer.text, "html.parser")
        assert answer.status_code == 422 and told in page.select_one(".field-error").get_text()
        assert page.select_one("#read-id_number")["value"] == value
    assert db.session.query(ReadingCorrection).count() == 0


def test_only_who_may_decide_corrects(app: Flask) -> None:
    cast, stranger = Cast(), Cast()
    case = a_number_case(cast)
    read_as(case, SLOT, f"公民身份号码：{WRONG}")
    address = f"/cases/{case.id}/readings/id_number"
    expected = {
        cast.approver: 409,
        cast.auditor: 409,
        cast.registrar: 409,
        stranger.reviewer: 404,
        cast.administrator: 404,
    }
    for who, status in expected.items():
        assert enter(app, who).post(address, data={"value": NEW}).status_code == status, who.role
    assert not desk(app, cast.auditor, case).select(f'form[action^="{address}"]')
    assert (
        enter(app, cast.reviewer).post(f"/cases/{case.id}/readings/name", data={"value": "林"}).status_code
        == 422
    )
    assert db.session.query(ReadingCorrection).count() == 0


def test_a_correction_does_not_outlive_the_paper_that_it_is_about(app: Flask) -> None:
    cast = Cast()
    case = a_number_case(cast)
    read_as(case, SLOT, f"公民身份号码：{WRONG}")
    enter(app, cast.reviewer).post(f"/cases/{case.id}/readings/id_number", data={"value": NEW})
    a_file(case, SLOT, cast.registrar)
    page = desk(app, cast.reviewer, case)
    assert "不一致" in read_cell(page) and "更正识读：身份证件号" in page.select_one(".history").get_text()


def test_an_open_desk_renews_itself_until_everything_is_read(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_readings, "installed", lambda: True)
    cast = Cast()
    case = a_number_case(cast)
    page_id = evidence.files_of(case, SLOT)[0].pages[0].id
    db.session.add(PageReading(page_id=page_id))
    db.session.commit()
    asking = desk(app, cast.reviewer, case).select_one(".reading-status")
    assert "正在识读 1 页" in asking.get_text() and asking["hx-target"] == "#comparison"
    client = enter(app, cast.reviewer)
    part = client.get(asking["hx-get"], headers={"HX-Request": "true"})
    assert "hx-get" in part.text and "<h1" not in part.text
    assert client.get(asking["hx-get"]).status_code == 303
    db.session.get_one(PageReading, page_id).status = "done"
    db.session.commit()
    done = client.get(asking["hx-get"], headers={"HX-Request": "true"})
    assert "hx-get" not in done.text and "正在识读" not in done.text
