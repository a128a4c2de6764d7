"""Page objects: what a person does, in the words on the screen."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.builders import PASSWORD
from tests.web.journeys.conftest import ARTEFACTS, Served

PATIENCE = 40_000  # milliseconds, on a busy machine
DESKTOP, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}


class Person:
    """Somebody at a browser of their own. Every page they see is checked for script errors and kept as a picture."""

    def __init__(
        self, browser: Browser, served: Served, name: str, *, scripts: bool = True, journey: str = "journey"
    ) -> None:
        self.served, self.name, self.journey = served, name, journey
        self.context: BrowserContext = browser.new_context(
            viewport=DESKTOP, locale="zh-CN", java_script_enabled=scripts, accept_downloads=True
        )
        self.context.set_default_timeout(PATIENCE)
        self.page: Page = self.context.new_page()
        self.scripts = scripts
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)
        self.sign_in()

    def _hear(self, message: object) -> None:
        text = getattr(message, "text", "")
        if "Content Security Policy" in text or "violates" in text:
            self.complaints.append(text)

    def sign_in(self) -> None:
        self.go("/sign-in")
        self.sign_in_again()

    def sign_in_again(self) -> None:
        """At the door to which the portal has sent a person whose session was over."""
        self.page.get_by_label("登录名").fill(self.served.logins[self.name])
        self.page.get_by_label("密码").fill(PASSWORD)
        self.page.get_by_role("button", name="登录").click()
        expect(self.page.get_by_role("button", name="退出")).to_be_visible()

    def go(self, path: str) -> None:
        self.page.goto(self.served.url + path)

    def see(self, text: str) -> None:
        """The text stands on the page."""
        expect(self.page.locator("body")).to_contain_text(text)

    def press(self, name: str) -> None:
        """Click the button or link with this name in the page itself."""
        self._press(self.page.locator("main"), name)

    def menu(self, name: str) -> None:
        """Choose from the menu on top."""
        self._press(self.page.get_by_role("navigation", name="主菜单"), name)

    def _press(self, inside: Locator, name: str) -> None:
        inside.get_by_role("button", name=name).or_(inside.get_by_role("link", name=name)).first.click()
        self.page.wait_for_load_state()

    def picture(self, name: str) -> None:
        """Keep the page as it looks on a desk and on a phone, and see that nothing runs out of it sideways."""
        folder = ARTEFACTS / self.served.pair / self.journey
        folder.mkdir(parents=True, exist_ok=True)
        for label, size in (("desktop", DESKTOP), ("phone", PHONE)):
            self.page.set_viewport_size(size)
            self.page.screenshot(path=folder / f"{name}-{label}.png", full_page=label == "phone")
            wide = self.page.evaluate("document.documentElement.scrollWidth") if self.scripts else 0
            assert wide <= size["width"], f"{name} runs out of a {label} screen sideways"
        self.page.set_viewport_size(DESKTOP)

    def download(self, name: str, folder: Path) -> Path:
        with self.page.expect_download() as waiting:
            self.page.get_by_role("link", name=name).first.click()
        target = folder / waiting.value.suggested_filename
        waiting.value.save_as(target)
        return target

    def leave(self) -> None:
        assert not self.complaints, self.complaints
        self.context.close()
