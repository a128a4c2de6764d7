"""A mark that travels: drawn on the reviewer's desk, seen by the school on the picture, gone with the picture, compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests import papers
from tests.web.journeys.conftest import Served
from tests.web.journeys.pages import Person
from tests.web.journeys.test_key_information_change import NEW_NAME, fill_and_submit, upload

pytestmark = [pytest.mark.browser, pytest.mark.pages]
SLOT = "change_certificate"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, number = tmp_path_factory.mktemp("pictures"), "62299920100506001X"
    drawn = {
        "first": papers.rotated(
            papers.police_certificate(NEW_NAME, number, "姓名 马小东", f"姓名 {NEW_NAME}", 3, width=1654), 4
        ),
        "better": papers.police_certificate(NEW_NAME, number, "姓名 马小东", f"姓名 {NEW_NAME}", 4),
        "household": papers.household_page(NEW_NAME, number, 3),
    }
    for name, image in drawn.items():
        (folder / f"{name}.jpg").write_bytes(papers.as_jpeg(image))
    return {name: folder / f"{name}.jpg" for name in drawn}


def test_a_box_travels_to_the_school_and_back(
    served: Served, chromium: Browser, pictures: dict[str, Path]
) -> None:
    registrar = Person(chromium, served, "registrar", journey="marks")
    fill_and_submit(registrar, pictures)
    reviewer = Person(chromium, served, "reviewer", journey="marks")
    draw_two(reviewer)
    see_and_replace(registrar, pictures["better"])
    without_scripts(chromium, served)
    compare(reviewer)
    for one in (registrar, reviewer):
        one.leave()


def page_of(me: Person) -> Locator:
    return me.page.locator(".viewer-file.is-shown .viewer-page.is-shown")


def shares(me: Person, mark: Locator) -> list[float]:
    """Where a frame lies on its picture as both are seen: left, top, right, bottom in shares of the picture."""
    picture, drawn = page_of(me).locator("img").bounding_box(), mark.bounding_box()
    assert picture and drawn
    left, top = (drawn[a] - picture[a] for a in ("x", "y"))
    width, height = picture["width"], picture["height"]
    return [left / width, top / height, (left + drawn["width"]) / width, (top + drawn["height"]) / height]


def draw_two(me: Person) -> None:
    """One with the mouse, one with the keyboard on the turned page; both stay where they were put."""
    me.page.get_by_role("link", name="马小东").first.click()
    me.see(NEW_NAME)
    me.press("开始办理")
    expect(page_of(me).locator("img")).to_be_visible()
    me.page.keyboard.press("0")
    me.page.get_by_role("button", name="框选问题").click()
    me.see("拖动框出有问题的地方")
    me.picture("01-drawing")
    frame = page_of(me).locator("img").bounding_box()
    assert frame
    at = [
        (frame["x"] + frame["width"] * x, frame["y"] + frame["height"] * y)
        for x, y in ((0.3, 0.4), (0.6, 0.5))
    ]
    me.page.mouse.move(*at[0])
    me.page.mouse.down()
    me.page.mouse.move(*at[1], steps=4)
    me.page.mouse.up()
    code = me.page.get_by_label("第 1 条：原因")
    expect(code).to_be_focused()
    code.select_option(label="图像不清晰")
    me.page.get_by_label("第 1 条：怎样补正").fill("红章压住的日期看不清")
    expect(me.page.get_by_label("第 1 条：对应哪一项")).to_have_value(f"evidence:{SLOT}")
    first = page_of(me).locator(".mark-drawn").first
    assert shares(me, first) == pytest.approx([0.3, 0.4, 0.6, 0.5], abs=0.02)
    me.page.keyboard.press("Escape")
    me.page.keyboard.press("e")
    expect(page_of(me)).to_have_attribute("data-turn", "90")
    turned = [1 - 0.5, 0.3, 1 - 0.4, 0.6]
    assert shares(me, first) == pytest.approx(turned, abs=0.02)
    me.page.keyboard.press("+")
    assert shares(me, first) == pytest.approx(turned, abs=0.02)
    draw_by_keys(me)
    me.picture("02-marked")
    me.page.locator(".reason").nth(1).get_by_label("原因").select_option(label="图像不清晰")
    me.press("确认退回")
    me.see("已退回")


def draw_by_keys(me: Person) -> None:
    me.page.keyboard.press("b")
    draft = me.page.locator(".mark-drawn.is-draft")
    before = draft.bounding_box()
    for key in ("ArrowLeft", "ArrowLeft", "Shift+ArrowDown"):
        me.page.keyboard.press(key)
    after = draft.bounding_box()
    assert before and after and after["x"] < before["x"] and after["height"] > before["height"]
    me.page.keyboard.press("Enter")
    expect(me.page.get_by_label("第 2 条：原因")).to_be_focused()
    expect(me.page.locator(".mark-drawn")).to_have_count(2)


def see_and_replace(me: Person, better: Path) -> None:
    me.go("/queue/returned")
    me.page.get_by_role("link", name="马小东").first.click()
    expect(me.page.locator(".mark-thumb rect")).to_have_count(2)
    me.picture("03-returned")
    me.press("看框出的地方")
    expect(me.page.locator("svg.marks rect")).to_have_count(2)
    me.see("红章压住的日期看不清")
    me.picture("04-marked-picture")
    me.press("去更换这张图片")
    me.picture("05-papers")
    section = me.page.locator(f"#slot-{SLOT}")
    section.get_by_role("button", name="移除").click()
    expect(me.page.locator(f"#slot-{SLOT} .files:not(.uploads) > li")).to_have_count(0)
    upload(me, SLOT, better)
    me.press("核对提交")
    expect(me.page.get_by_text("已改动")).to_have_count(2)
    me.press("提交给县级审核")
    me.see("已提交")


def without_scripts(chromium: Browser, served: Served) -> None:
    """An auditor whose browser runs no scripts sees the frames too."""
    me = Person(chromium, served, "auditor", scripts=False, journey="marks-without-scripts")
    me.go("/queue/all")
    me.page.get_by_role("link", name="马小东").first.click()
    expect(me.page.locator(".mark-thumb rect")).to_have_count(2)
    me.page.locator("a.mark-thumb").first.click()
    me.page.wait_for_load_state()
    expect(me.page.locator("svg.marks rect")).to_have_count(2)
    me.page.wait_for_load_state("networkidle")
    drawn = me.page.locator("svg.marks").bounding_box()
    picture = me.page.locator(".framed img").bounding_box()
    assert drawn and picture
    assert list(drawn.values()) == pytest.approx(list(picture.values()), abs=1)
    me.picture("01-marked-picture")
    me.leave()


def compare(me: Person) -> None:
    me.go("/queue/todo")
    me.page.get_by_role("link", name="马小东").first.click()
    me.see("上次退回的 2 项")
    me.picture("06-desk-again")
    me.page.get_by_role("link", name="新旧对照").first.click()
    old, new = me.page.locator("[data-viewer]").nth(0), me.page.locator("[data-viewer]").nth(1)
    expect(old.locator("rect")).to_have_count(2)
    expect(new.locator("[data-viewer-zoom]")).not_to_be_empty()
    me.picture("07-beside")
    me.page.keyboard.press("f")
    me.see("现在看：补正后的影像")
    expect(old).to_have_css("visibility", "hidden")
    assert old.bounding_box() == new.bounding_box()
    me.page.keyboard.press("f")
    me.see("现在看：退回前的影像")
    expect(new).to_have_css("visibility", "hidden")
    me.page.keyboard.press("+")
    places = [one.locator(".viewer-page.is-shown").bounding_box() for one in (old, new)]
    assert places[0] and places[1]
    assert [places[0][a] for a in ("x", "y", "width")] == pytest.approx(
        [places[1][a] for a in ("x", "y", "width")], abs=1
    )
    me.picture("08-flicker")
    me.page.keyboard.press("s")
    expect(new).to_have_css("visibility", "visible")
