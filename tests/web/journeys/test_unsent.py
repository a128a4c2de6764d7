"""What was typed outlives the browser, the session and the place: it is there again, for the person who typed it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Error, Playwright, expect
from sqlalchemy import select, update

from portal import create_app, tasks
from portal.extensions import db
from portal.models import Case, SignInSession
from portal.oversight import holidays
from portal.settings import Settings
from tests import papers
from tests.builders import NEW_NAME, Cast, a_case, a_file, a_pupil, act, sign_in
from tests.conftest import EMBEDDED
from tests.intakes import a_list, a_plan, a_roster, people
from tests.services import chromium_path, free_port
from tests.web.journeys.conftest import FLAGS, Gunicorn, Served, logins_of, pair_of
from tests.web.journeys.pages import Person

pytestmark = pytest.mark.browser
NOTE = "红章压住了日期，请重新拍摄"


@pytest.fixture
def office(
    settings: Settings, request: pytest.FixtureRequest
) -> Iterator[tuple[Served, Flask, dict[str, str]]]:
    """A case before the county with one real picture, a draft, and a draft of a roster; their addresses by name."""
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        cast = Cast()
        holidays.enter_shipped(cast.state)
        logins = logins_of(cast.everybody())
        draft = a_case(cast)
        act(draft, cast.registrar, "edit", answers=NEW_NAME)
        a_plan(cast.state, cast.approver, {cast.school: 8})
        a_list(cast.state, cast.approver, {cast.school: people(3)})
        roster = a_roster(cast.registrar, people(3), 3)
        case = _before_the_county(app, cast)
        addresses = {
            "desk": f"/cases/{case.id}/desk",
            "draft": f"/cases/{draft.id}/fill/what",
            "roster": f"/cases/{roster.id}/roster",
        }
        db.session.remove()
        tasks.wait()
        db.engine.dispose()
    with Gunicorn(settings, free_port()) as url:
        yield Served(url, logins, pair_of(request)), app, addresses


def _before_the_county(app: Flask, cast: Cast) -> Case:
    case = a_case(cast, pupil=a_pupil(cast.school))
    act(case, cast.registrar, "edit", answers=NEW_NAME)
    a_file(case, "household_book", cast.registrar)
    db.session.commit()
    client = app.test_client()
    sign_in(client, cast.registrar)
    drawn = papers.police_certificate(
        "马晓明", "622999201005060017", "姓名 马小明", "姓名 马晓明", 9, width=1240
    )
    picture = {"files": (io.BytesIO(papers.as_jpeg(drawn)), "证明.jpg")}
    assert client.post(f"/cases/{case.id}/evidence/change_certificate", data=picture).status_code == 303
    tasks.wait()
    case = db.session.get_one(Case, case.id, populate_existing=True)
    act(case, cast.registrar, "submit")
    db.session.commit()
    tasks.wait()
    return case


def run_out(app: Flask) -> None:
    """Every session as it stands after an hour without a sign of life."""
    with app.app_context():
        long_ago = datetime.now(UTC) - timedelta(hours=1)
        living = select(SignInSession.id).where(SignInSession.ended_at.is_(None))
        aged = update(SignInSession).where(SignInSession.id.in_(living))
        db.session.execute(aged.values(last_seen_at=long_ago, created_at=long_ago - timedelta(hours=1)))
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("settings", [EMBEDDED], indirect=True)  # the browser makes the difference here
def test_what_was_typed_is_there_again(
    office: tuple[Served, Flask, dict[str, str]], playwright_of_all: Playwright, chromium: Browser
) -> None:
    served, app, at = office
    crash_at_the_desk(playwright_of_all, served, at["desk"])
    reviewer = Person(chromium, served, "reviewer", journey="unsent")
    all_is_back(reviewer, at["desk"])
    sign_in_elsewhere(chromium, reviewer, served, at["desk"])
    registrar = Person(chromium, served, "registrar", journey="unsent")
    half_an_hour_at_a_row(registrar, app, at["roster"])
    half_an_hour_at_the_answers(registrar, app, at["draft"])
    registrar.leave()


def crash_at_the_desk(playwright: Playwright, served: Served, desk: str) -> None:
    """A note, a reason, a box on the scan; the browser dies in the middle of a word."""
    doomed = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
    me = Person(doomed, served, "reviewer", journey="unsent")
    me.go(desk)
    me.press("开始办理")
    me.page.locator("#note").fill(NOTE)
    expect(me.page.locator(".viewer-page.is-shown img")).to_be_visible()
    me.page.get_by_role("button", name="框选问题").click()
    me.see("拖动框出有问题的地方")
    me.page.keyboard.press("Enter")
    code = me.page.get_by_label("第 1 条：原因")
    expect(code).to_be_focused()
    code.select_option(label="图像不清晰")
    with me.page.expect_response("**/unsent"):
        me.page.get_by_label("第 1 条：怎样补正").fill("看不清的地方已框出")
    expect(me.page.locator("form.decide [data-saved]")).to_contain_text("已暂存")
    me.picture("01-typed")
    me.page.locator("#note").press_sequentially("，还有")
    with suppress(Error):
        doomed.new_browser_cdp_session().send("Browser.crash")
    assert not doomed.is_connected()


def all_is_back(me: Person, desk: str) -> None:
    me.go(desk)
    me.see("上次没有提交的内容已放回")
    assert NOTE in me.page.locator("#note").input_value()
    expect(me.page.locator("#panel-return")).to_have_attribute("open", "")
    expect(me.page.get_by_label("第 1 条：怎样补正")).to_have_value("看不清的地方已框出")
    expect(me.page.locator(".mark-drawn")).to_have_count(1)
    me.picture("02-back")


def sign_in_elsewhere(browser: Browser, first: Person, served: Served, desk: str) -> None:
    """The first place goes on typing: it is told, and the words are at the second."""
    first.page.route("**/desk/status*", lambda route: route.abort())  # it would lead to the door first
    second = Person(browser, served, "reviewer", journey="unsent")
    first.page.locator("#note").fill("在第一处又改过的意见")
    first.see("您填的内容已暂存，本人重新登录后会放回原处")
    second.go(desk)
    expect(second.page.locator("#note")).to_have_value("在第一处又改过的意见")
    second.press("清除")
    expect(second.page.locator("#note")).to_have_value("")
    expect(second.page.locator(".mark-drawn")).to_have_count(0)
    for one in (first, second):
        one.leave()


def half_an_hour_at_a_row(me: Person, app: Flask, roster: str) -> None:
    """Cells in the table; the save comes after the session has run out."""
    me.go(roster)
    me.page.get_by_role("link", name="修改第 1 行").click()
    name = me.page.locator('.row-open [name="cell-name"]')
    name.fill("马改名")
    run_out(app)
    with me.page.expect_response("**/unsent"):
        name.press("End")
        name.press_sequentially("了")
    me.page.get_by_role("button", name="保存").click()
    me.see("填的内容已暂存")
    me.picture("03-door")
    me.sign_in_again()
    expect(me.page.locator('[name="cell-name"]')).to_have_value("马改名了")
    me.picture("04-row")
    me.go(roster)
    me.see("有没有保存的修改")
    me.picture("05-roster")


def half_an_hour_at_the_answers(me: Person, app: Flask, page: str) -> None:
    me.go(page)
    run_out(app)
    me.page.locator("#explanation").fill("派出所已更正，户口簿已换发")
    me.see("您填的内容已暂存，本人重新登录后会放回原处")
    me.go(page)
    me.sign_in_again()
    expect(me.page.locator("#explanation")).to_have_value("派出所已更正，户口簿已换发")
    me.picture("06-answers")
