"""Search, a pupil's page, and loading an export through the pages, with and without htmx."""

from __future__ import annotations

import io
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal import tasks
from portal.cases import clock, register
from portal.cases.intake import province
from portal.cases.intake.scope import Scope, scope_of
from portal.cases.loads import lifecycle, readers
from portal.extensions import db
from portal.models import AuditRecord, Level, Pupil, RegisterLoad, Role, RosterRow
from tests import exports
from tests.builders import NEW_NAME, Cast, a_case, a_pupil, a_school, act, an_actor, sign_in
from tests.cases.forms import enter
from tests.intakes import a_list, a_plan, a_roster, people

pytestmark = pytest.mark.pages


class Browser(FlaskClient):
    """Requests share the test's session: a transaction left open on either side must not reach into the other's."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        db.session.rollback()
        db.session.expire_all()
        try:
            return super().open(*args, **kwargs)
        finally:
            db.session.rollback()


@pytest.fixture
def client(app: Any) -> FlaskClient:
    return Browser(app, app.response_class)


@pytest.fixture
def cast(app: Any) -> Cast:
    return Cast()


def soup(answer: Any) -> BeautifulSoup:
    return BeautifulSoup(answer.text, "html.parser")


def actions_recorded() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditRecord.action).order_by(AuditRecord.seq)))


@pytest.mark.both_pairs
def test_search_by_name_initials_and_number(client: FlaskClient, cast: Cast) -> None:
    wanted = a_pupil(cast.school, name="买买提·阿不都热依木")
    a_pupil(name="买买提·阿不都")  # of another county
    sign_in(client, cast.registrar)
    for query in ("买买提", "阿不都", "买买提•阿", "买买提.阿\u200b", "mmt", "MMTAB", "maimaiti"):
        answer = client.post("/register", data={"q": query}, follow_redirects=True)
        rows = soup(answer).select("tbody tr")
        assert [row.select_one("a").text for row in rows] == ["买买提·阿不都热依木"], query
    unseen = wanted.id_number[:9] + "\u200b" + wanted.id_number[9:]
    for number in (wanted.student_number, wanted.id_number, wanted.id_number.lower(), unseen):
        answer = client.post("/register", data={"q": number})
        assert answer.status_code == 303
        assert answer.location == f"/register/pupils/{wanted.id}"
    assert actions_recorded().count("register.searched") == 11


def test_nothing_personal_in_addresses_and_numbers_masked(client: FlaskClient, cast: Cast) -> None:
    sign_in(client, cast.registrar)
    answer = client.post("/register", data={"q": cast.pupil.name})
    assert answer.location == "/register/results"
    page = client.get(answer.location).text
    assert cast.pupil.name in page
    assert cast.pupil.id_number not in page and cast.pupil.student_number not in page
    assert cast.pupil.id_number[:6] + "*" * 12 in page


def test_empty_query_and_no_hits_say_what_to_do(client: FlaskClient, cast: Cast) -> None:
    sign_in(client, cast.registrar)
    answer = client.post("/register", data={"q": "  "})
    assert answer.status_code == 422
    assert "请输入姓名" in answer.text
    answer = client.post("/register", data={"q": "欧阳无此人"}, follow_redirects=True)
    assert "没有查到学生" in answer.text and "拼音首字母" in answer.text


@pytest.mark.both_pairs
def test_classes_of_the_own_school_and_of_a_school_below(client: FlaskClient, cast: Cast) -> None:
    sign_in(client, cast.registrar)
    link = soup(client.get("/register")).select_one("tbody a")
    assert link is not None and link.text == "1班2"
    assert cast.pupil.name in client.get(link["href"]).text
    sign_in(client, cast.reviewer)
    assert cast.school.name in client.get("/register").text
    assert "1班" in client.get(f"/register?school={cast.school.id}").text
    foreign = a_school()
    db.session.commit()
    assert client.get(f"/register/class?school={foreign.id}&grade=高一&class_name=1班").status_code == 404


@pytest.mark.both_pairs
def test_results_are_paged(client: FlaskClient, cast: Cast) -> None:
    for number in range(40):
        a_pupil(cast.school, name=f"周同学{'一二三四五六七八九十'[number % 10]}")
    sign_in(client, cast.registrar)
    first = soup(client.post("/register", data={"q": "周同学"}, follow_redirects=True))
    assert len(first.select("tbody tr")) == 30
    second = soup(client.get(first.select_one("a[rel=next]")["href"]))
    assert len(second.select("tbody tr")) == 10
    assert second.select_one("a[rel=prev]") is not None


def test_a_pupils_page_masks_reveals_and_records(client: FlaskClient, cast: Cast) -> None:
    cast.pupil.particulars = {
        "guardian1_name": "马父",
        "guardian1_phone": "19900001234",
        "address": "虚构村1号",
    }
    sign_in(client, cast.registrar)
    address = f"/register/pupils/{cast.pupil.id}"
    page = client.get(address).text
    for private in (cast.pupil.id_number, "19900001234", "虚构村1号"):
        assert private not in page
    assert "马父" in page and "发起业务" in page
    for headers in ({}, {"HX-Request": "true"}):
        revealed = client.post(f"{address}/reveal", headers=headers).text
        for private in (cast.pupil.id_number, "19900001234", "虚构村1号"):
            assert private in revealed
        assert ("<h1>" in revealed) is not bool(headers)
    assert cast.pupil.id_number not in client.get(address).text
    recorded = actions_recorded()
    assert recorded.count("pupil.viewed") == 2 and recorded.count("pupil.revealed") == 2


def test_a_pupils_page_shows_history_and_open_cases(client: FlaskClient, cast: Cast) -> None:
    done = a_case(cast, "approved")
    still = a_case(cast, "county_review", NEW_NAME | {"new_name": "马晓亮"})
    sign_in(client, cast.registrar)
    page = soup(client.get(f"/register/pupils/{cast.pupil.id}"))
    rows = [row.get_text(" ", strip=True) for row in page.select("section[aria-labelledby=changes] tbody tr")]
    assert len(rows) == 1
    for part in ("姓名", "马晓明", done.number, cast.approver.name, cast.state.name):
        assert part in rows[0]
    assert still.number in page.select_one("section[aria-labelledby=open-cases]").text


def test_other_offices_pupils_are_not_there(client: FlaskClient, cast: Cast) -> None:
    stranger = an_actor(Role.REGISTRAR, a_school(cast.county))
    for who in (stranger, cast.administrator):
        sign_in(client, who)
        assert client.get(f"/register/pupils/{cast.pupil.id}").status_code == 404
        assert client.post(f"/register/pupils/{cast.pupil.id}/reveal").status_code == 404
        found = client.post("/register", data={"q": cast.pupil.student_number}, follow_redirects=True)
        assert cast.pupil.name not in found.text
    assert "pupil.revealed" not in actions_recorded()


# --- loading --------------------------------------------------------------------------------------------------------


def send(client: FlaskClient, data: bytes, name: str = "名单.xlsx") -> Any:
    return client.post("/register/loads", data={"file": (io.BytesIO(data), name)})


def form_of(page: BeautifulSoup, action_end: str) -> dict[str, str]:
    """What a browser would send for the form as the page shows it."""
    form = next(one for one in page.select("form") if one["action"].endswith(action_end))
    sent = {box["name"]: box.get("value", "1") for box in form.select("input[name]:not([type=checkbox])")}
    for select_box in form.select("select"):
        chosen = select_box.select_one("option[selected]")
        sent[select_box["name"]] = chosen["value"] if chosen else ""
    return sent


def walk_to_preview(client: FlaskClient, data: bytes, name: str = "名单.xlsx", **extra: str) -> BeautifulSoup:
    answer = send(client, data, name)
    assert answer.status_code == 303, answer.text
    page = soup(client.get(answer.location))
    answer = client.post(answer.location, data=form_of(page, "/columns") | extra)
    assert answer.status_code == 303
    tasks.wait()
    return soup(client.get(answer.location))


@pytest.mark.both_pairs
def test_two_hundred_rows_in_the_headings_of_the_form_go_through(client: FlaskClient, cast: Cast) -> None:
    data = exports.as_xlsx(exports.rows_of(200, [cast.school.code]), above=[["学生基本信息"]])
    sign_in(client, cast.reviewer)
    page = walk_to_preview(client, data)
    assert "共 200 行：新增 200" in page.text
    load = db.session.scalars(select(RegisterLoad)).one()
    answer = client.post(f"/register/loads/{load.id}/apply")
    assert answer.status_code == 303
    tasks.wait()
    assert "已应用" in client.get(answer.location).text
    db.session.rollback()
    assert db.session.query(Pupil).filter_by(load_id=load.id).count() == 200
    answer = client.post(f"/register/loads/{load.id}/undo")
    tasks.wait()
    assert "已撤销" in client.get(answer.location).text
    assert db.session.query(Pupil).filter_by(load_id=load.id).count() == 0


def test_faulty_rows_need_a_tick_and_can_be_downloaded(client: FlaskClient, cast: Cast) -> None:
    rows = list(exports.rows_of(5, [cast.school.code]))
    rows[1]["birth_date"] = "20100230"
    rows[3]["name"] = "=cmd|'/c'!A1"
    sign_in(client, cast.reviewer)
    page = walk_to_preview(client, exports.as_xlsx(rows))
    assert "有错误 2" in page.text and "不是有效的日期" in page.text
    load = db.session.scalars(select(RegisterLoad)).one()
    refused = client.post(f"/register/loads/{load.id}/apply")
    assert refused.status_code == 409 and "请勾选" in refused.text
    sheet = client.get(f"/register/loads/{load.id}/faults.xlsx")
    import openpyxl

    lines = list(openpyxl.load_workbook(io.BytesIO(sheet.data)).active.iter_rows())
    assert [cell.value for cell in lines[0]][:2] == ["行号", "列"]
    assert {line[0].value for line in lines[1:]} == {"3", "5"}
    assert all(cell.data_type != "f" for line in lines for cell in line)
    assert any(cell.value == "=cmd|'/c'!A1" for line in lines for cell in line)
    assert client.post(f"/register/loads/{load.id}/apply", data={"without_faulty": "1"}).status_code == 303
    tasks.wait()
    db.session.rollback()
    assert db.session.query(Pupil).filter_by(load_id=load.id).count() == 3


def test_the_columns_chosen_are_remembered_for_the_headings(client: FlaskClient, cast: Cast) -> None:
    headings = ["我的号", "学校标识码", "姓名", "性别", "出生日期", "年级", "班级"]
    columns = ("student_number", "school_code", "name", "sex", "birth_date", "grade", "class_name")
    data = exports.as_csv(exports.rows_of(3, [cast.school.code]), columns, headings, "gb18030")
    sign_in(client, cast.registrar)
    first = send(client, data, "名单.csv").location
    page = soup(client.get(first))
    sent = form_of(page, "/columns")
    assert sent["column-0"] == ""
    refused = client.post(first, data=sent)
    assert refused.status_code == 422 and "还缺少：学籍号" in refused.text
    assert client.post(first, data=sent | {"column-0": "student_number"}).status_code == 303
    tasks.wait()
    again = send(client, data, "名单.csv").location
    assert form_of(soup(client.get(again)), "/columns")["column-0"] == "student_number"


def test_a_page_waits_shortly_for_a_reader_and_offers_no_upload_that_cannot_be_taken(
    client: FlaskClient, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client, cast.registrar)
    data = exports.as_csv(exports.rows_of(1, [cast.school.code]))
    with monkeypatch.context() as busy:
        busy.setattr(readers, "READERS", 0)
        busy.setattr(readers, "WAIT_SECONDS", 0)
        answer = send(client, data, "名单.csv")
    assert answer.status_code == 409 and readers.BUSY in answer.text
    assert soup(client.get("/register/loads")).select_one("#file")
    assert db.session.query(RegisterLoad).count() == 0
    monkeypatch.setattr(lifecycle, "MOST_IN_FLIGHT", 0)
    page = client.get("/register/loads")
    assert not soup(page).select_one("#file") and "没有应用" in page.text
    refused = send(client, data, "名单.csv")
    assert refused.status_code == 409 and "没有应用" in refused.text


def test_a_file_that_is_no_export_is_refused_at_the_field(client: FlaskClient, cast: Cast) -> None:
    sign_in(client, cast.registrar)
    for data, words in (
        (b"", "没有找到列标题"),
        (b"PK\x03\x04 broken", "打不开"),
        (b"\xd0\xcf\x11\xe0 old", "旧格式"),
        ("标题,说明\n1,2".encode(), "没有找到列标题"),
    ):
        answer = send(client, data)
        assert answer.status_code == 422 and words in answer.text
    assert client.post("/register/loads", data={}).status_code == 422
    assert db.session.query(RegisterLoad).count() == 0


def test_progress_is_a_fragment_that_ends_by_itself(client: FlaskClient, cast: Cast) -> None:
    sign_in(client, cast.registrar)
    walk_to_preview(client, exports.as_xlsx(exports.rows_of(3, [cast.school.code])))
    load = db.session.scalars(select(RegisterLoad)).one()
    done = client.get(f"/register/loads/{load.id}/progress", headers={"HX-Request": "true"})
    assert done.headers["HX-Refresh"] == "true" and "hx-get" not in done.text
    load.status, load.done_rows, load.total_rows = "checking", 40, 100
    db.session.commit()
    running = client.get(f"/register/loads/{load.id}/progress", headers={"HX-Request": "true"})
    assert "HX-Refresh" not in running.headers
    assert "40 / 100" in running.text and 'hx-trigger="every 2s"' in running.text
    assert "刷新" in client.get(f"/register/loads/{load.id}").text


def test_a_load_is_only_there_for_its_own_office(client: FlaskClient, cast: Cast) -> None:
    sign_in(client, cast.registrar)
    walk_to_preview(client, exports.as_xlsx(exports.rows_of(3, [cast.school.code])))
    load = db.session.scalars(select(RegisterLoad)).one()
    others = [
        an_actor(Role.REGISTRAR, a_school(cast.county)),
        cast.reviewer, cast.approver, cast.head, cast.auditor, cast.administrator,
    ]  # fmt: skip
    for who in others:
        sign_in(client, who)
        for method, end in (
            ("get", ""), ("get", "/columns"), ("post", "/columns"), ("get", "/progress"),
            ("post", "/apply"), ("post", "/undo"), ("post", "/discard"), ("get", "/faults.xlsx"),
        ):  # fmt: skip
            answer = getattr(client, method)(f"/register/loads/{load.id}{end}")
            assert answer.status_code == 404, (who.role, end)
    db.session.rollback()
    assert db.session.get(RegisterLoad, load.id).status == "checked"


@pytest.mark.both_pairs
def test_discarding_leaves_the_register_alone(client: FlaskClient, cast: Cast) -> None:
    before = db.session.query(Pupil).count()
    sign_in(client, cast.registrar)
    walk_to_preview(client, exports.as_xlsx(exports.rows_of(3, [cast.school.code])))
    load = db.session.scalars(select(RegisterLoad)).one()
    answer = client.post(f"/register/loads/{load.id}/discard", follow_redirects=True)
    assert "已放弃" in answer.text
    assert client.post(f"/register/loads/{load.id}/apply").status_code == 409
    assert db.session.query(Pupil).count() == before
    assert cast.school.level == Level.SCHOOL


def test_a_schools_load_is_confirmed_by_its_county(client: FlaskClient, cast: Cast) -> None:
    """School and county at their desks: told before, waiting, refused without a reason, accepted, written."""
    sign_in(client, cast.registrar)
    page = walk_to_preview(client, exports.as_xlsx(exports.rows_of(60, [cast.school.code])))
    assert "须经上级确认 60" in page.text and "由上级教育局确认" in page.text
    load = db.session.scalars(select(RegisterLoad)).one()
    client.post(f"/register/loads/{load.id}/apply")
    tasks.wait()
    db.session.rollback()
    assert db.session.query(Pupil).filter_by(load_id=load.id).count() == 0
    told = client.get(f"/register/loads/{load.id}").text
    assert "尚未答复，自" in told and cast.county.name in told
    sign_in(client, cast.reviewer)
    assert "1 份学校导入的数据等待确认" in client.get("/queue/todo").text
    queue = soup(client.get("/register/proposals"))
    here = queue.find("a", string=cast.school.name)["href"]
    shown = soup(client.get(here))
    assert "新增学生" in shown.text and len(shown.select("tbody tr")) == 50
    assert len(soup(client.get(shown.select_one(".pager a[rel=next]")["href"])).select("tbody tr")) == 10
    again = client.post(f"{here}/refuse", data=form_of(shown, "/refuse") | {"reason": " "})
    assert again.status_code == 422 and "请写明不接受的原因" in again.text
    assert client.post(f"{here}/accept", data={"version": "99"}).status_code == 409
    assert client.post(f"{here}/accept", data=form_of(shown, "/accept")).status_code == 303
    tasks.wait()
    db.session.rollback()
    assert db.session.query(Pupil).filter_by(load_id=load.id).count() == 60
    assert "已接受并写入" in client.get(here).text
    sign_in(client, cast.registrar)
    assert "已接受并写入" in client.get(f"/register/loads/{load.id}").text
    assert client.post(f"/register/loads/{load.id}/undo").status_code == 409


def test_the_reason_of_a_refusal_is_read_by_the_school(client: FlaskClient, cast: Cast) -> None:
    sign_in(client, cast.registrar)
    walk_to_preview(client, exports.as_xlsx(exports.rows_of(2, [cast.school.code])))
    load = db.session.scalars(select(RegisterLoad)).one()
    client.post(f"/register/loads/{load.id}/apply")
    tasks.wait()
    sign_in(client, cast.reviewer)
    here = soup(client.get("/register/proposals")).find("a", string=cast.school.name)["href"]
    sent = form_of(soup(client.get(here)), "/refuse") | {"reason": "这两名学生没有转入手续"}
    assert client.post(f"{here}/refuse", data=sent).status_code == 303
    sign_in(client, cast.registrar)
    assert "没有接受：这两名学生没有转入手续" in client.get(f"/register/loads/{load.id}").text


def test_an_entry_by_a_roster_is_one_line_with_what_the_list_said(app: Flask) -> None:
    cast, ones = Cast(), people(3)
    a_plan(cast.state, cast.approver, {cast.school: 5})
    a_list(cast.state, cast.approver, {cast.school: ones})
    case = a_roster(cast.registrar, ones, 3)
    act(case, cast.registrar, "submit")
    act(case, cast.reviewer, "approve")
    act(case, cast.approver, "approve")
    province.send(found_scope(cast), [case.id], "云州教报〔2026〕3号", clock.today())
    row = db.session.scalars(select(RosterRow).where(RosterRow.exam_number == ones[1]["exam_number"])).one()
    register.note_later(case, "secondary_number", {row.pupil_id: "F1"})  # type: ignore[dict-item]
    db.session.commit()
    page = soup_of(app, cast.registrar, row.pupil_id)
    lines = page.select("section[aria-labelledby=changes] tbody tr")
    assert len(lines) == 2, "the entry, and the number that became known later"
    later, entry = (line.get_text(" ", strip=True) for line in lines)
    assert "学籍辅号" in later and "F1" in later
    assert f"普通高中新生学籍注册，案件号 {case.number}，登记表第 2 行" in entry
    assert f"准考证号 {ones[1]['exam_number']}" in entry and f"中考成绩 {ones[1]['exam_score']}" in entry
    assert f"录取学校 {cast.school.name}" in entry
    folded = lines[1].select_one("details")
    assert folded is not None and "高一" in folded.get_text() and ones[1]["id_number"] not in str(page)
    elsewhere = a_school(cast.county)
    pupil = db.session.get_one(Pupil, row.pupil_id)
    pupil.school_id = elsewhere.id
    other = an_actor("registrar", elsewhere)
    db.session.commit()
    told = soup_of(app, other, row.pupil_id).select_one("section[aria-labelledby=changes]")
    assert told is not None and case.number in told.get_text() and not told.select("tbody a")
    assert ones[1]["exam_number"] not in told.get_text() and "中考成绩" not in told.get_text()


def found_scope(cast: Cast) -> Scope:
    found = scope_of(cast.approver)
    assert found is not None
    return found


def soup_of(app: Flask, who: Any, pupil_id: Any) -> BeautifulSoup:
    answer = enter(app, who).get(f"/register/pupils/{pupil_id}")
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def test_results_and_class_lists_are_narrowed_ordered_and_paged_without_names_in_addresses(
    client: FlaskClient, cast: Cast
) -> None:
    for number in range(31):
        a_pupil(cast.school, name=f"童{chr(0x4E00 + number)}", grade="高中一年级", class_name="（7）班")
    a_pupil(cast.school, name="童高二", grade="高二", class_name="1班", enrolment_status="02")
    sign_in(client, cast.registrar)
    page = soup(client.post("/register", data={"q": "童"}, follow_redirects=True))
    assert len(page.select("tbody tr")) == 30
    onward = page.select_one("a[rel=next]")
    assert onward is not None and "童" not in str(onward["href"]) and "%E7%AB%A5" not in str(onward["href"])
    second = soup(client.get(str(onward["href"])))
    assert len(second.select("tbody tr")) == 2 and "第 31–32 名" in second.text
    back = second.select_one("a[rel=prev]")
    assert back is not None
    first = soup(client.get(str(back["href"])))
    assert [row.text for row in first.select("tbody tr")] == [row.text for row in page.select("tbody tr")]
    narrowed = soup(client.get("/register/results?grade=高二&status=02"))
    assert [link.text for link in narrowed.select("tbody a")] == ["童高二"]
    assert narrowed.select_one("#class_name option[value='1班']") is not None, (
        "the classes of the grade are offered"
    )
    nobody = client.get("/register/results?grade=高二&status=01")
    assert nobody.status_code == 200 and "没有查到学生" in nobody.text
    query = f"school={cast.school.id}&grade=高一&class_name=7班"
    listed = soup(client.get(f"/register/class?{query}&order=number"))
    numbers = [cell.text for cell in listed.select("td[data-label=学籍号]")]
    assert len(numbers) == 30 and listed.select_one("#order option[selected]")["value"] == "number"  # type: ignore[index]
    assert "没有这样的学生" in client.get(f"/register/class?{query}&status=02").text
