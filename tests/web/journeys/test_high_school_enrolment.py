"""普通高中新生学籍注册 in a real browser: from the plan of the year to the forms in print and the numbers of the province.

A fictional county with five high schools, and one that the state runs: a school is over plan and stopped, one has three
更正便函, two submit in the same moment, one ticks its people on the list of the admitted, the county strikes one person.
Ledger, forms and register tell the same counts in the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from portal import create_app
from portal.cases.access import Actor
from portal.extensions import db
from portal.models import Role
from portal.oversight import holidays
from portal.settings import Settings
from portal.standards.school_year import year_of_entry
from tests import papers
from tests.builders import a_county, a_school, a_state, an_actor
from tests.exports import as_xlsx
from tests.intakes import as_sheet, people
from tests.services import free_port
from tests.web.journeys import intake_pages as pages
from tests.web.journeys.conftest import Gunicorn, Served, logins_of, pair_of
from tests.web.journeys.intake_pages import Forms
from tests.web.journeys.pages import Person
from tests.web.journeys.test_key_information_change import open_panel, upload

pytestmark = pytest.mark.browser

YEAR = year_of_entry(date.today())
COUNTY = "青禾县教育局"
DOCUMENT, SENT_AS = f"云州教基发〔{YEAR}〕12号", f"云州教报〔{YEAR}〕31号"
COUNTY_PLACES, GRADUATES = 32, 60  # one place of the county is not given to any school
SCHOOLS = {
    "first": "青禾县第一中学",
    "second": "青禾县第二中学",
    "third": "青禾县第三中学",
    "fourth": "青禾县第四中学",
    "fifth": "青禾县民族中学",
    "own": "云岭州实验中学",
}
PLACES = {"first": 8, "second": 5, "third": 6, "fourth": 6, "fifth": 6, "own": 4}
ADMITTED = {
    "first": people(8, 1),
    "second": people(7, 11),
    "third": people(6, 21),
    "fourth": people(5, 31),
    "fifth": people(6, 41),
    "own": people(4, 51),
}
REASON = "本人已到外省就读，请核实后再报"
# 计划, 录取, 实际, 申请, 同意, 剩余
LEDGER = {
    SCHOOLS["first"]: ["8", "8", "8", "8", "8", "0"],
    SCHOOLS["second"]: ["5", "7", "5", "5", "5", "0"],
    SCHOOLS["third"]: ["6", "6", "6", "5", "5", "1"],
    SCHOOLS["fourth"]: ["6", "5", "5", "5", "5", "1"],
    SCHOOLS["fifth"]: ["6", "6", "4", "4", "4", "2"],
    COUNTY: ["31", "32", "28", "27", "27", "4"],
}
STATE_LEDGER = {
    **LEDGER,
    SCHOOLS["own"]: ["4", "4", "4", "4", "4", "0"],
    "州直属学校": ["4", "4", "4", "4", "4", "0"],
    "合计": ["35", "36", "32", "31", "31", "4"],
}
APPLIED = {"first": 8, "second": 5, "third": 6, "fourth": 5, "fifth": 4, "own": 4}
APPROVED = {**APPLIED, "third": 5}
COUNTY_AGREED = {key: str(count) for key, count in APPROVED.items() if key != "own"}


@pytest.fixture
def county(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Served]:
    """The offices and people of the story behind gunicorn, and nothing of the year's intake."""
    app = create_app(settings)
    with app.app_context():
        logins = logins_of(offices())
        holidays.enter_shipped(holidays.tops()[0])
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    with Gunicorn(settings, free_port()) as url:
        yield Served(url, logins, pair_of(request))


def offices() -> dict[str, Actor]:
    """A registrar for each school, a reviewer of the county, an approver of the state."""
    state = a_state()
    bureau = a_county(state)
    bureau.name = COUNTY
    everybody = {
        "reviewer": an_actor(Role.REVIEWER, bureau),
        "approver": an_actor(Role.APPROVER, state),
    }
    state.name = "云岭州教育局"
    for key, name in SCHOOLS.items():
        school = a_school(state if key == "own" else bureau, name=name)
        everybody[key] = an_actor(Role.REGISTRAR, school)
    return everybody


def list_of_the_admitted() -> bytes:
    """As the examination authority sends it: all schools in one sheet."""
    keys = ("exam_number", "name", "sex", "ethnicity", "birth_date", "id_number", "exam_score")
    titles = (
        "准考证号",
        "姓名",
        "性别",
        "民族",
        "出生日期",
        "身份证号",
        "中考成绩",
        "录取学校",
        "中考报名县市",
    )
    rows = [
        {**one, "school": SCHOOLS[key], "county": "青禾县"}
        for key, several in ADMITTED.items()
        for one in several
    ]
    return as_xlsx(rows, (*keys, "school", "county"), titles)


def names(key: str) -> list[str]:
    return [one["name"] for one in ADMITTED[key]]


def came(key: str, count: int | None = None) -> bytes:
    """The 登记表 of a school in which everything is right."""
    return as_sheet([{**one, "class_name": "1班"} for one in ADMITTED[key][:count]])


def first_school_sheet() -> bytes:
    """The date of the first cannot be read; three others are not what the list of the admitted says."""
    rows = [{**one, "class_name": f"{number % 2 + 1}班"} for number, one in enumerate(ADMITTED["first"])]
    rows[0]["birth_date"] = "2011年13月"
    rows[1]["name"] = "马小禾"
    rows[2]["ethnicity"] = "土族"
    rows[3]["exam_score"] = "612.5"
    return as_sheet(rows)


CORRECTED = ("马小禾", names("first")[2], names("first")[3])


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """{准考证号: picture of the sealed letter of the county where the examination was sat}."""
    folder, found = tmp_path_factory.mktemp("letters"), {}
    for one, name in zip(ADMITTED["first"][1:4], CORRECTED, strict=True):
        number = one["exam_number"]
        lines = [f"考生{name}，准考证号 {number}，", "中考报名信息有误，现予更正，请按更正后的信息注册学籍。"]
        drawn = papers.letter("信息更正便函", lines, COUNTY, seal=COUNTY)
        found[number] = folder / f"{number}.jpg"
        found[number].write_bytes(papers.as_jpeg(drawn))
    return found


# --- the story ------------------------------------------------------------------------------------------------------


@pytest.mark.in_service
def test_from_plan_to_printed_forms(
    county: Served, chromium: Browser, letters: dict[str, Path], tmp_path: Path
) -> None:
    def person(name: str) -> Person:
        return Person(chromium, county, name, journey="enrolment")

    approver = person("approver")
    set_the_year(approver)
    schools = {key: person(key) for key in SCHOOLS}
    rosters = {
        "first": mend_and_correct(schools["first"], letters),
        "second": stopped_over_plan(schools["second"]),
        "fifth": tick_on_the_list(schools["fifth"]),
        "own": skip_the_county(schools["own"]),
    }
    for key in ("third", "fourth"):
        ready(schools[key], key)
    rosters["third"], rosters["fourth"] = pages.submit_at_once(schools["third"], schools["fourth"])
    reviewer = person("reviewer")
    review(reviewer, rosters)
    decide(approver, rosters)
    assert_ledgers(approver, reviewer, schools)
    printed = {key: assert_forms(me, key, rosters[key], tmp_path) for key, me in schools.items()}
    assert_ranges(printed)
    assert_register(schools["first"], printed["first"])
    again(schools["third"], rosters["third"])
    pages.send_to_the_province(approver, SENT_AS, len(rosters))
    pages.load_return(approver, return_of(printed), sum(APPROVED.values()), len(rosters))
    pages.find(schools["first"], ADMITTED["first"][0]["id_number"], names("first")[0])
    schools["first"].see(secondary(printed["first"].numbers[0]))
    schools["first"].picture("32-pupil")
    for one in (approver, reviewer, *schools.values()):
        one.leave()


@pytest.mark.pages
def test_without_scripts_a_year_is_set_and_a_roster_goes_its_way(county: Served, chromium: Browser) -> None:
    def person(name: str) -> Person:
        return Person(chromium, county, name, scripts=False, journey="enrolment-without-scripts")

    approver = person("approver")
    set_the_year(approver)
    me = person("fourth")
    pages.start_roster(me)
    wrong = [{**one, "class_name": "1班"} for one in ADMITTED["fourth"]]
    wrong[1]["birth_date"] = "2011年13月"
    pages.load_roster(me, as_sheet(wrong), 5)
    me.see("不是有效的日期")
    me.picture("10-roster-errors")
    pages.mend(me, names("fourth")[1], "出生日期", ADMITTED["fourth"][1]["birth_date"])
    me.see("没有要处理的行")
    pages.say_who_came(me, 5)
    number = pages.check_and_submit(me)
    reviewer = person("reviewer")
    pages.at_desk(reviewer, number)
    pages.strike(reviewer, names("fourth")[4], REASON)
    pages.approve(reviewer)
    pages.at_desk(approver, number)
    pages.approve(approver)
    assert pages.ledger(me)[SCHOOLS["fourth"]] == ["6", "5", "5", "4", "4", "2"]
    for one in (approver, me, reviewer):
        one.leave()


def set_the_year(me: Person) -> None:
    places = {SCHOOLS[key]: count for key, count in PLACES.items()}
    pages.enter_plan(me, DOCUMENT, {COUNTY: (COUNTY_PLACES, GRADUATES)}, places)
    pages.load_list(me, list_of_the_admitted(), 36)


def mend_and_correct(me: Person, letters: dict[str, Path]) -> str:
    """The errors stand beside their cells; one is mended in its place, three are settled by letters."""
    pages.start_roster(me)
    me.picture("04-roster-empty")
    pages.load_roster(me, first_school_sheet(), 8)
    me.see("4 行要处理")
    said = names("first")
    expect(pages.row(me, said[0])).to_contain_text("不是有效的日期")
    expect(pages.row(me, "马小禾")).to_contain_text(f"录取名单为“{said[1]}”")
    expect(pages.row(me, said[2])).to_contain_text("录取名单为“")
    expect(pages.row(me, said[3])).to_contain_text(f"录取名单为“{ADMITTED['first'][3]['exam_score']}”")
    me.picture("05-roster-errors")
    pages.row(me, said[0]).get_by_role("link", name="修改").click()
    expect(me.page.locator(".row-form")).to_be_visible()
    me.see("日期应写成 20120901 或 2012-09-01")
    me.picture("06-row-form")
    me.page.locator(".row-form").get_by_role("link", name="取消").click()
    pages.mend(me, said[0], "出生日期", ADMITTED["first"][0]["birth_date"])
    me.see("3 行要处理")
    pages.say_who_came(me, 8)
    for number, picture in letters.items():
        upload(me, f"correction_letter-{number}", picture)
    me.picture("07-letters")
    me.press("核对提交")
    me.picture("08-check")
    me.press("提交给县级审核")
    return pages.submitted(me)


def stopped_over_plan(me: Person) -> str:
    """Two too many: said with the clause, and no way to submit until they are taken off."""
    pages.start_roster(me)
    pages.load_roster(me, came("second"), 7)
    me.see("名单 7 人，超出招生计划 2 人（计划 5 人）")
    me.see("计划外不招一名学生、计划外不建一个学籍")
    me.picture("09-over-plan")
    me.press("下一步：招生人数")
    me.page.get_by_label("学校实际招生人数").fill("7")
    me.press("保存并继续")
    me.see("实际招生人数超出招生计划（5 人）")
    me.press("先放一放")
    me.press("核对提交")
    me.see("超出招生计划 2 人")
    expect(me.page.get_by_role("button", name="提交", exact=True)).to_be_disabled()
    me.picture("10-over-plan-check")
    me.press("查看和修改名单")
    pages.remove(me, names("second")[5:])
    expect(me.page.locator("main")).not_to_contain_text("超出招生计划")
    pages.say_who_came(me, 5)
    return pages.check_and_submit(me)


def tick_on_the_list(me: Person) -> str:
    """Four of the six who are on the list came."""
    pages.start_roster(me)
    me.press("从录取名单中选取")
    for name in names("fifth")[:4]:
        me.page.get_by_label(f"选择{name}", exact=True).check()
    me.picture("11-tick")
    me.press("加入所选学生")
    me.see("已从录取名单加入 4 人")
    pages.say_who_came(me, 4)
    return pages.check_and_submit(me)


def skip_the_county(me: Person) -> str:
    """The state runs this school: nobody stands between."""
    pages.start_roster(me)
    pages.load_roster(me, came("own"), 4)
    pages.say_who_came(me, 4)
    return pages.check_and_submit(me, to="州级审批")


def ready(me: Person, key: str) -> None:
    """Everything filled in, and the page open from which one submits."""
    pages.start_roster(me)
    pages.load_roster(me, came(key), len(ADMITTED[key]))
    pages.say_who_came(me, len(ADMITTED[key]))
    me.press("核对提交")


def review(me: Person, rosters: dict[str, str]) -> None:
    """The county sees its own five; one person is struck, the others go on."""
    me.menu("待办工作")
    me.picture("12-county-queue")
    expect(me.page.get_by_role("link", name=f"{SCHOOLS['first']}名单")).to_have_count(1)
    expect(me.page.locator("main")).not_to_contain_text(rosters["own"])
    for key in COUNTY_AGREED:
        pages.at_desk(me, rosters[key])
        if key == "first":
            me.see("需要核对的行")
            me.see("已附更正便函")
            me.picture("13-desk")
        if key == "third":
            me.picture("14-desk-rows")
            pages.strike(me, names("third")[2], REASON)
            me.see("1 行已退回")
        pages.approve(me)


def decide(me: Person, rosters: dict[str, str]) -> None:
    """The state agrees to all six, and reads before each which numbers that gives."""
    for key, number in rosters.items():
        pages.at_desk(me, number)
        me.see(SCHOOLS[key])
        open_panel(me, "同意")
        me.see(f"同意后 {APPROVED[key]} 名学生进入学籍登记")
        if key == "first":
            me.picture("16-state-panel")
        me.press("确认同意")
        me.see("已同意")


# --- counts agree ---------------------------------------------------------------------------------------------------


def assert_ledgers(approver: Person, reviewer: Person, schools: dict[str, Person]) -> None:
    shown = pages.ledger(approver)
    approver.see(f"县计划 {COUNTY_PLACES}，未分到学校 1")
    approver.see("有招生计划的学校都已上报名单")
    expect(approver.page.locator("main")).not_to_contain_text("截止")  # nobody is late any more
    approver.picture("20-ledger-state")
    assert shown == STATE_LEDGER, "州级台账"
    shown = pages.ledger(reviewer)
    reviewer.picture("21-ledger-county")
    assert {name: shown[name] for name in LEDGER} == LEDGER, "县级台账"
    assert SCHOOLS["own"] not in shown and shown["合计"] == LEDGER[COUNTY]
    for key, me in schools.items():
        assert pages.ledger(me) == {SCHOOLS[key]: STATE_LEDGER[SCHOOLS[key]]}, f"{SCHOOLS[key]}台账"
    schools["third"].picture("22-ledger-school")


def assert_forms(me: Person, key: str, number: str, folder: Path) -> Forms:
    """Both forms, in words and figures, as the school that takes them to be sealed."""
    me.go("/queue/started")
    pages.open_case(me, number)
    if key in ("first", "third"):
        me.picture(f"23-approved-{key}")
    printed = pages.forms(me, folder)
    count = APPROVED[key]
    first, last = printed.numbers[0], printed.numbers[-1]
    asked = f"{int(first) + APPLIED[key] - 1:0{len(first)}d}"
    own = key == "own"
    for line in (
        f"州、县下达普通高中招生计划: {PLACES[key]}",
        f"学校实际招生人数: {STATE_LEDGER[SCHOOLS[key]][2]}",
        f"学校申请注册学籍人数: {APPLIED[key]}",
        f"申请注册学号: 自 {first} 号起, 至 {asked} 号终",
        f"初中毕业生总人数: {'' if own else GRADUATES}",
        f"教育局下达普通高中招生计划: {'' if own else COUNTY_PLACES}",
        f"同意申请注册学籍人数: {COUNTY_AGREED.get(key, '')}",
        f"经审核, 同意 {count} 名学生注册甘肃省普通高中学籍, 学号自 {first} 号起, 至 {last} 号终。",
    ):
        assert line.strip() in printed.approval, f"{SCHOOLS[key]}审批表：{line}\n{printed.approval}"
    assert printed.numbers == sorted(printed.numbers) and len(printed.numbers) == count, "登记表由小到大"
    assert int(last) - int(first) + 1 == count and first.startswith(f"{YEAR % 100}13")
    standing = [name for name in names(key)[: APPLIED[key]] if (key, name) != ("third", names("third")[2])]
    if key == "first":
        standing[1] = "马小禾"
    assert [line[1] for line in printed.rows] == standing, "登记表的姓名"
    return printed


def assert_ranges(printed: dict[str, Forms]) -> None:
    """No number is given twice, and no range that a school asked for runs into another's."""
    given = [number for one in printed.values() for number in one.numbers]
    assert len(set(given)) == len(given) == sum(APPROVED.values())
    asked = sorted((int(one.numbers[0]), APPLIED[key]) for key, one in printed.items())
    for (first, count), (after, _) in itertools.pairwise(asked):
        assert first + count == after, "各校学号相连而不相交"


def assert_register(me: Person, printed: Forms) -> None:
    """The new pupils stand in their classes, each with the 学号 of the form."""
    me.menu("学籍查询")
    me.page.get_by_role("link", name="1班").first.click()
    for name in names("first")[::2]:
        me.see(name)
    me.picture("24-class")
    for line, one in zip(printed.rows, ADMITTED["first"], strict=True):
        pages.find(me, one["id_number"], line[1])
        me.see(line[0])


def again(me: Person, number: str) -> None:
    """The school reads why one was struck, and puts that one on a new roster."""
    me.go("/queue/started")
    pages.open_case(me, number)
    me.press("1 行已退回")
    expect(pages.row(me, names("third")[2])).to_contain_text(REASON)
    me.picture("25-struck-at-school")
    me.press("回到业务")
    me.press("把退回的学生放进新名单")
    me.see("已把被退回的 1 名学生放进新名单")
    expect(pages.row(me, names("third")[2])).to_be_visible()
    me.picture("26-again")


def secondary(number: str) -> str:
    return f"FH{number[-8:]}"


def return_of(printed: dict[str, Forms]) -> bytes:
    """The province's sheet: everybody's 学籍辅号."""
    rows = [{"number": one, "secondary": secondary(one)} for form in printed.values() for one in form.numbers]
    return as_xlsx(rows, ("number", "secondary"), ("学号", "学籍辅号"))
