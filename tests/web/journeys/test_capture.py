"""A picture taken with the camera page: on the phone that scanned the code of a desk, and it is in the slot on the desk."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from storage.codes import read_codes
from tests.services import chromium_path
from tests.web.journeys.conftest import ARTEFACTS, FLAGS, Served
from tests.web.journeys.pages import PHONE, Person
from tests.web.journeys.test_key_information_change import find_pupil

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def camera(chromium: Browser) -> Iterator[Browser]:
    """A Chromium with a camera that shows a test picture, and whose owner has said yes."""
    flags = [*FLAGS, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    browser = chromium.browser_type.launch(executable_path=chromium_path(), args=flags)
    yield browser
    browser.close()


def phone_of(camera: Browser) -> BrowserContext:
    return camera.new_context(viewport=PHONE, locale="zh-CN", has_touch=True, is_mobile=True)


def at_the_papers(me: Person) -> None:
    """A case with its answers, and its page of papers open."""
    find_pupil(me)
    me.press("发起业务")
    me.press("开始办理")
    me.page.get_by_label("姓名", exact=True).check()
    me.page.get_by_label("户籍登记有误，公安机关已更正").check()
    me.page.get_by_label("变更原因说明").fill("户口簿登记姓名有误，派出所已更正。")
    me.press("保存并继续")
    me.see("左边是学籍现有登记")
    me.page.get_by_label("新姓名").fill("马晓东")
    me.press("保存并继续")
    me.see("户籍登记项目变更证明")


def taken(page: Page, name: str, served: Served) -> None:
    """Shutter, look, use it; wait for the verdict."""
    folder = ARTEFACTS / served.pair / "capture"
    folder.mkdir(parents=True, exist_ok=True)
    expect(page.get_by_role("button", name="拍照", exact=True)).to_be_enabled(timeout=45000)
    page.screenshot(path=folder / f"{name}-1-live.png")
    page.get_by_role("button", name="户口簿框").click()
    page.screenshot(path=folder / f"{name}-2-booklet.png")
    page.get_by_role("button", name="整页框").click()
    page.get_by_role("button", name="拍照", exact=True).click()
    expect(page.get_by_role("button", name="用这张")).to_be_visible(timeout=45000)
    page.screenshot(path=folder / f"{name}-3-review.png")
    page.get_by_role("button", name="重拍").click()
    page.get_by_role("button", name="拍照", exact=True).click()
    page.get_by_role("button", name="用这张").click(timeout=45000)
    expect(page.locator("[data-told] .notice-title")).to_contain_text("重拍", timeout=30000)
    page.screenshot(path=folder / f"{name}-4-verdict.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.in_service
def test_a_phone_takes_a_picture_for_the_desk(served: Served, chromium: Browser, camera: Browser) -> None:
    registrar = Person(chromium, served, "registrar", journey="capture")
    at_the_papers(registrar)
    slot = registrar.page.locator("section[data-slot]").first
    slot.get_by_role("button", name="用手机拍").click()
    code = slot.get_by_role("img", name="二维码")
    expect(code).to_be_visible()
    registrar.picture("desk-1-code")
    drawn = cv2.imdecode(np.frombuffer(code.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    (found,) = read_codes(
        cv2.copyMakeBorder(drawn, 30, 30, 30, 30, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    )
    page = phone_of(camera).new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda one: complaints.append(one.text) if "violates" in one.text else None)
    page.goto(found.text)
    page.screenshot(path=ARTEFACTS / served.pair / "capture" / "phone-0-ticket.png")
    page.get_by_role("button", name="开始拍照").click()
    expect(slot).to_contain_text("手机已连接", timeout=10000)
    taken(page, "phone", served)
    expect(slot.locator(".file")).to_have_count(1, timeout=10000)  # without a reload
    expect(slot).to_contain_text("手机已连接")
    registrar.picture("desk-2-arrived")
    slot.get_by_role("button", name="结束").click()
    expect(slot.get_by_role("button", name="用手机拍")).to_be_visible()
    page.get_by_role("button", name="重拍").click()
    page.get_by_role("button", name="拍照", exact=True).click()
    page.get_by_role("button", name="用这张").click(timeout=45000)
    expect(page.locator("[data-told]")).to_contain_text("已结束")
    page.screenshot(path=ARTEFACTS / served.pair / "capture" / "phone-5-over.png")
    assert not complaints, complaints
    registrar.leave()


@pytest.mark.pages
def test_the_own_phone_and_a_browser_without_a_camera(
    served: Served, chromium: Browser, camera: Browser
) -> None:
    """The same page from the papers page; where no camera opens, the plain form is there instead."""
    me = Person(camera, served, "registrar", journey="capture")
    at_the_papers(me)
    me.page.set_viewport_size(PHONE)
    papers = me.page.url
    me.page.locator("section[data-slot]").first.locator(".drop-camera").click()
    taken(me.page, "own", served)
    me.page.get_by_role("link", name="回材料页", exact=True).click()
    expect(me.page.locator("section[data-slot]").first.locator(".file")).to_have_count(1)
    me.leave()
    other = Person(chromium, served, "registrar", journey="capture")
    other.page.goto(papers)
    other.page.set_viewport_size(PHONE)
    other.page.locator("section[data-slot]").first.locator(".drop-camera").click()
    expect(other.page.get_by_role("button", name="上传")).to_be_visible()
    expect(other.page.get_by_role("button", name="用这张")).to_be_hidden()
    other.picture("own-no-camera")
    other.leave()
