"""The calendar of days off: whole notices, local days, what hangs on a year without its notice, and who may change what."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.cases import clock
from portal.extensions import db
from portal.models import Account, AuditRecord, CalendarNotice, Case, Holiday, Role
from portal.oversight import holidays
from tests.builders import Cast, a_case, a_county, a_school, a_state, act, an_account, sign_in

pytestmark = pytest.mark.pages

NOTICE_2027 = """一、元旦：1月1日（周五）至3日（周日）放假，共3天。
二、春节：2月5日至11日放假调休，共7天。2月13日（周六）、2月20日（周六）上班。
三、清明节：4月3日至5日放假，共3天。
四、劳动节：5月1日至5日放假调休，共5天。5月8日（周六）上班。
五、端午节：6月9日放假，共1天。
六、中秋节：9月15日放假，共1天。
七、国庆节：10月1日至7日放假调休，共7天。9月26日（周日）、10月9日（周六）上班。
"""
DOCUMENT = "国办发明电〔2026〕7号"
WHOLE = {"year": "2027", "document": DOCUMENT, "text": NOTICE_2027}
FOUNDING = {
    "year": "2026",
    "day": "2026-11-19",
    "kind": "off",
    "name": "自治州成立纪念日",
    "document": "临夏回族自治州自治条例",
    "yearly": "y",
    "moves": "y",
}
DECEMBER = datetime(2026, 12, 18, 4, tzinfo=UTC)


class Land:
    """A state with two counties, a school in each, and an administrator at each bureau; shipped notices to 2026."""

    def __init__(self) -> None:
        self.cast = Cast()
        self.top = an_account(Role.ADMINISTRATOR, self.cast.state)
        self.middle = an_account(Role.ADMINISTRATOR, self.cast.county)
        self.beside = a_school(a_county(self.cast.state))
        holidays.enter_shipped(self.cast.state)
        db.session.commit()


@pytest.fixture
def land(app: Flask) -> Land:
    return Land()


def as_(app: Flask, account: Account) -> FlaskClient:
    client = app.test_client()
    sign_in(client, account)
    return client


def ready(cast: Cast) -> Case:
    """A case with its papers, which a store takes only at its own time of day; to be submitted on another day."""
    case = a_case(cast, "ready")
    db.session.commit()
    return case


def due(case: Case) -> date | None:
    day = db.session.get_one(Case, case.id, populate_existing=True).due_on
    db.session.rollback()  # a test's own transaction must not hold the database
    return day


def test_a_case_never_falls_due_on_a_day_that_the_law_fixes_and_says_what_is_uncertain(
    app: Flask, land: Land
) -> None:
    case = ready(land.cast)
    with time_machine.travel(DECEMBER, tick=False):
        act(case, land.cast.registrar, "submit")
        db.session.commit()
        assert case.due_on == date(2027, 1, 4)  # ten working days, 1 January is off
        said, path = "2027 年放假安排未录入，暂按法定节日计算", f"/cases/{case.id}"
        for person in (land.cast.registrar, land.cast.reviewer):
            db.session.rollback()
            client = app.test_client()
            sign_in(client, person)
            place = "" if person is land.cast.registrar else "/desk"
            answer = client.get(f"{path}{place}")
            assert said in answer.text
            box = "started" if person is land.cast.registrar else "todo"
            assert "剩 10 个工作日（暂定）" in client.get(f"/queue/{box}").text
            assert said not in client.get("/policy").text  # no banner for those who cannot act


def test_single_days_and_local_days_do_not_make_a_year_known(app: Flask, land: Land) -> None:
    case = ready(land.cast)
    with time_machine.travel(DECEMBER, tick=False):
        client = as_(app, land.top)
        local = {**FOUNDING, "day": "2027-01-04", "yearly": "", "moves": ""}
        assert client.post("/admin/holidays/add", data=local).status_code == 303
        assert not holidays.known(land.cast.state, 2027)
        page = client.get("/admin/holidays?year=2027").text
        assert "2027 年放假安排未录入" in page and "暂定放假" in page and "2027-02-08（周一）" in page
        act(case, land.cast.registrar, "submit")
        calendar = clock.load_calendar(land.cast.school)
        assert case.due_on == date(2027, 1, 5)
        read = clock.read_clock(case, clock.today(), calendar)
        assert read is not None and "2027 年" in read.warning


def test_a_notice_is_previewed_confirmed_changed_and_withdrawn_and_open_cases_follow(
    app: Flask, land: Land
) -> None:
    case = ready(land.cast)
    with time_machine.travel(datetime(2027, 1, 25, 4, tzinfo=UTC), tick=False):
        act(case, land.cast.registrar, "submit")
        db.session.commit()
        assert case.due_on == date(2027, 2, 10)
        client = as_(app, land.top)
        preview = client.post("/admin/holidays/notice", data=WHOLE)
        assert (
            preview.status_code == 200
            and "请核对后确认" in preview.text
            and "2027-02-13（周六）" in preview.text
        )
        assert not holidays.known(land.cast.state, 2027)
        done = client.post("/admin/holidays/notice", data={**WHOLE, "confirm": "1"}, follow_redirects=True)
        assert "已录入 2027 年放假通知，共 32 天；1 件在办业务的到期日随之调整" in done.text
        assert DOCUMENT in done.text and land.top.name in done.text
        assert due(case) == date(2027, 2, 13)
        notice = db.session.scalars(select(CalendarNotice).where(CalendarNotice.year == 2027)).one()
        assert (notice.document, notice.entered_by_id) == (DOCUMENT, land.top.id)
        shorter = NOTICE_2027.replace("、2月20日（周六）上班", "上班").replace("2月5日至11日", "2月5日至10日")
        again = {**WHOLE, "text": shorter, "confirm": "1"}
        assert "1 件" in client.post("/admin/holidays/notice", data=again, follow_redirects=True).text
        assert due(case) == date(2027, 2, 12)
        gone = client.post("/admin/holidays/withdraw", data={"year": "2027"}, follow_redirects=True)
        assert "已撤回 2027 年放假通知；1 件" in gone.text and "2027 年放假安排未录入" in gone.text
        assert due(case) == date(2027, 2, 10)
        assert client.post("/admin/holidays/withdraw", data={"year": "2027"}).status_code == 404
    kept = list(db.session.scalars(select(CalendarNotice).where(CalendarNotice.year == 2027)))
    assert len(kept) == 2 and all(one.withdrawn_by_id == land.top.id for one in kept)
    acts = list(db.session.scalars(select(AuditRecord).where(AuditRecord.action.startswith("holidays."))))
    assert [one.action for one in acts] == [
        "holidays.notice_entered", "holidays.notice_entered", "holidays.notice_withdrawn",
    ]  # fmt: skip
    assert acts[0].body["changes"]["moved"] == 1


def test_what_is_no_whole_notice_is_refused_and_stays_typed(app: Flask, land: Land) -> None:
    client = as_(app, land.top)
    cases: list[tuple[dict[str, str], str]] = [
        ({"text": NOTICE_2027.replace("五、端午节：6月9日放假，共1天。\n", "")}, "缺少法定节日端午节"),
        ({"text": NOTICE_2027.replace("2月13日（周六）", "2月12日（周五）")}, "本来就是工作日"),
        ({"text": NOTICE_2027.replace("6月9日", "6月39日")}, "第 5 行"),
        ({"document": " "}, "请填写通知的文号或网址"),
        ({"text": ""}, "请粘贴通知正文"),
        ({"text": "2027-10-01 国庆节 放假"}, "不是完整的通知"),
    ]
    for change, said in cases:
        typed = {**WHOLE, **change}
        answer = client.post("/admin/holidays/notice", data={**typed, "confirm": "1"})
        assert answer.status_code == 422 and said in answer.text, said
        assert typed["text"][:40].strip() in answer.text
    assert not holidays.known(land.cast.state, 2027)


def test_a_table_is_read_previewed_and_confirmed(app: Flask, land: Land) -> None:
    client = as_(app, land.top)
    template = client.get("/admin/holidays/template.xlsx?year=2027")
    assert template.status_code == 200 and "attachment" in template.headers["Content-Disposition"]
    sent = {"year": "2027", "document": DOCUMENT, "table": (io.BytesIO(template.data), "放假.xlsx")}
    preview = client.post("/admin/holidays/upload", data=sent)
    assert preview.status_code == 200 and "请核对后确认" in preview.text and DOCUMENT in preview.text
    assert "2027-02-05至2027-02-08 春节 放假" in preview.text
    assert not holidays.known(land.cast.state, 2027)
    for content, said in (
        ("日期,类型\n2027-02-30,放假\n".encode(), "第 2 行 A 列（日期）"),
        ("日期,类型\n2027-01-01,放假\n".encode(), "缺少法定节日春节"),
        (b"", "请选择文件"),
        (b"x" * 1_000_001, "1 MB"),
        (b"%PDF-1.7", "PDF"),
    ):
        faulty = {"year": "2027", "table": (io.BytesIO(content), "放假.csv")}
        answer = client.post("/admin/holidays/upload", data=faulty)
        assert answer.status_code == 422 and said in answer.text, said
    assert not holidays.known(land.cast.state, 2027)


def test_a_local_day_counts_for_its_office_and_below_and_no_further(app: Flask, land: Land) -> None:
    """临夏回族自治州自治条例: 19 November, each year, on a weekend the Monday after."""
    stranger = a_school(a_county(a_state()))
    assert as_(app, land.top).post("/admin/holidays/add", data=FOUNDING).status_code == 303
    county_day = {**FOUNDING, "day": "2026-09-30", "yearly": "", "document": "县自治条例"}
    assert as_(app, land.middle).post("/admin/holidays/add", data=county_day).status_code == 303

    def works(school, *day: int) -> bool:
        return clock.load_calendar(school).works(date(*day))

    assert not works(land.cast.school, 2026, 11, 19) and not works(land.beside, 2026, 11, 19)
    assert not works(land.cast.school, 2028, 11, 20) and works(stranger, 2026, 11, 19)
    assert not works(land.cast.school, 2026, 9, 30) and works(land.beside, 2026, 9, 30)
    page = as_(app, land.middle).get("/admin/holidays?year=2028").text
    assert (
        "2028-11-20（周一）" in page and "临夏回族自治州自治条例" in page and "录入 2028 年通知" not in page
    )


def test_a_local_day_moves_the_cases_below_it_only(app: Flask, land: Land) -> None:
    other = Cast()
    holidays.enter_shipped(other.state)
    case, elsewhere = ready(land.cast), ready(other)
    with time_machine.travel(datetime(2026, 9, 1, 4, tzinfo=UTC), tick=False):
        act(case, land.cast.registrar, "submit")
        act(elsewhere, other.registrar, "submit")
        db.session.commit()
        assert case.due_on == elsewhere.due_on == date(2026, 9, 15)
        client = as_(app, land.middle)
        day = {**FOUNDING, "day": "2026-09-09", "yearly": "", "moves": ""}
        answer = client.post("/admin/holidays/add", data=day, follow_redirects=True)
        assert "已录入 2026-09-09；1 件" in answer.text
        assert (due(case), due(elsewhere)) == (date(2026, 9, 16), date(2026, 9, 15))
        row = db.session.scalars(select(Holiday).where(Holiday.notice_id.is_(None))).one()
        db.session.rollback()
        gone = client.post(
            "/admin/holidays/remove", data={"row": str(row.id), "year": "2026"}, follow_redirects=True
        )
        assert "已删除 2026-09-09；1 件" in gone.text and due(case) == date(2026, 9, 15)


def test_a_faulty_local_day_is_refused_at_its_field(app: Flask, land: Land) -> None:
    client = as_(app, land.top)
    cases: list[tuple[dict[str, str], str]] = [
        ({"day": "2027-13-01"}, "日期应写成"),
        ({"day": ""}, "请填写日期"),
        ({"document": ""}, "请填写依据的文件"),
        ({"kind": "work"}, "去掉“每年”"),
        ({"kind": "work", "yearly": ""}, "本来就是工作日"),
        ({"kind": "nothing"}, "请从列出的选项中选择"),
        ({"day": "2013-01-01"}, "年份应在"),
    ]
    for change, said in cases:
        answer = client.post("/admin/holidays/add", data={**FOUNDING, **change})
        assert answer.status_code == 422 and said in answer.text, said


def test_a_local_day_is_entered_once_and_removed_by_its_own_office(app: Flask, land: Land) -> None:
    client = as_(app, land.top)
    client.post("/admin/holidays/add", data=FOUNDING)
    assert "已经录入过" in client.post("/admin/holidays/add", data=FOUNDING).text
    row = db.session.scalars(select(Holiday).where(Holiday.notice_id.is_(None))).one()
    db.session.rollback()
    for account in (land.middle, an_account(Role.ADMINISTRATOR, a_state())):
        assert as_(app, account).post("/admin/holidays/remove", data={"row": str(row.id)}).status_code == 404
    assert client.post("/admin/holidays/remove", data={"row": "x"}).status_code == 404
    national = db.session.scalars(select(Holiday.id).where(Holiday.notice_id.is_not(None)).limit(1)).one()
    assert client.post("/admin/holidays/remove", data={"row": str(national)}).status_code == 404
    assert client.post("/admin/holidays/remove", data={"row": str(row.id)}).status_code == 303


def test_only_a_topmost_office_enters_notices_and_two_states_do_not_share_them(
    app: Flask, land: Land
) -> None:
    client = as_(app, land.middle)
    for path in ("notice?year=2027", "template.xlsx"):
        assert client.get(f"/admin/holidays/{path}").status_code == 404
    for verb in ("notice", "upload", "withdraw"):
        assert client.post(f"/admin/holidays/{verb}", data={**WHOLE, "confirm": "1"}).status_code == 404
    neighbour = a_state()
    db.session.commit()
    as_(app, land.top).post("/admin/holidays/notice", data={**WHOLE, "confirm": "1"})
    assert holidays.known(land.cast.state, 2027) and not holidays.known(neighbour, 2027)
    assert clock.load_calendar(neighbour).works(date(2027, 2, 9))
    assert not clock.load_calendar(land.cast.school).works(date(2027, 2, 9))


def test_the_banner_is_for_whoever_can_act(app: Flask, land: Land) -> None:
    banner = "2027 年放假安排未录入，暂按法定节日计算"
    people = {**land.cast.everybody(), "middle": land.middle}
    for day, seen in (
        (datetime(2026, 10, 31, 4, tzinfo=UTC), set()),
        (datetime(2026, 11, 1, 4, tzinfo=UTC), {"administrator"}),
    ):
        with time_machine.travel(day, tick=False):
            shown = set()
            for name, person in people.items():
                db.session.rollback()
                client = app.test_client()
                sign_in(client, person)
                if banner in client.get("/policy").text:
                    shown.add(name)
            assert shown == seen


def test_a_notice_that_begins_in_december_takes_that_day_over(app: Flask, land: Land) -> None:
    text = NOTICE_2027.replace("1月1日（周五）至3日（周日）放假", "2026年12月31日至2027年1月1日放假")
    text = text.replace("共3天。\n二", "共2天。1月2日上班。\n二")
    client = as_(app, land.top)
    client.post("/admin/holidays/notice", data={**WHOLE, "text": text, "confirm": "1"})
    assert not clock.load_calendar(land.cast.school).works(date(2026, 12, 31))
    again = client.get("/admin/holidays/notice?year=2027").text
    assert "2026-12-31至2027-01-01 元旦 放假" in again and DOCUMENT in again
