"""Stamped forms scanned together: uploaded, sorted while one watches, a form without a seal looked at and put in, the tray
emptied by hand; with scripts and without."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from portal import create_app
from portal.cases import starting
from portal.cases.access import Actor
from portal.extensions import db
from portal.models import Account, Case, Pupil
from portal.settings import Settings
from portal.workflows import workflow
from tests.builders import KEY_CHANGE, NEW_NAME, a_file, act
from tests.scans import in_one_file, scanned, sheet
from tests.stamped import order_of
from tests.web.journeys.conftest import Served
from tests.web.journeys.pages import Person

pytestmark = pytest.mark.browser


def submitted(app: Flask, served: Served, key: str) -> tuple[str, str]:
    """A case in review and the code on its printed form."""
    with app.app_context():
        account = db.session.scalars(db.select(Account).filter_by(login=served.logins["registrar"])).one()
        pupil = db.session.scalars(db.select(Pupil).filter_by(name=served.pupil_name)).first()
        assert pupil is not None
        who = Actor.of(account)
        case: Case = starting.start(who, workflow(KEY_CHANGE), pupil)
        act(case, who, "edit", answers=NEW_NAME)
        for slot in ("change_certificate", "household_book"):
            a_file(case, slot, who)
        act(case, who, "submit")
        db.session.commit()
        found = case.number, order_of(case, key=key)[1]
        db.session.remove()
        db.engine.dispose()
        return found


@pytest.mark.parametrize(
    "scripts",
    [pytest.param(True, marks=pytest.mark.in_service), pytest.param(False, marks=pytest.mark.pages)],
    ids=["with-scripts", "without-scripts"],
)
def test_a_batch_is_sorted_and_the_tray_emptied(
    served: Served, settings: Settings, chromium: Browser, tmp_path: Path, scripts: bool
) -> None:
    number, code = submitted(create_app(settings), served, settings.secret_key)
    batch = tmp_path / "盖章表.pdf"
    forged = code[:-12] + "0123456789ab"
    papers = (sheet(code, seal=False), sheet(), sheet(forged))
    batch.write_bytes(in_one_file([scanned(one, skew=3.0) for one in papers]))
    me = Person(chromium, served, "registrar", scripts=scripts, journey=f"stamped-{scripts}")
    me.menu("盖章表扫描")
    me.page.get_by_label("扫描文件").set_input_files(batch)
    me.picture("1-upload")
    me.press("上传并分拣")
    me.picture("2-progress")
    if not scripts:
        for _ in range(100):
            if not me.page.get_by_role("link", name="刷新").count():
                break
            me.page.wait_for_timeout(500)
            me.press("刷新")
    expect(me.page.get_by_role("heading", name="待归入 2 页")).to_be_visible(timeout=40000)
    me.see("未归入 1 页")
    me.picture("3-sorted")
    me.page.locator("#group-tray + p + .files").get_by_role("link", name="第 1 页").first.click()
    me.see("页上没有找到红色印章")
    me.picture("4-waiting")
    me.press("就放进该件")
    me.see("第 1 页已放进")
    me.see("人工归入 1 页")
    me.page.locator("#group-tray + p + .files").get_by_role("link", name="第 2 页").first.click()
    me.picture("5-tray")
    me.page.get_by_label("业务编号").fill("GJ2026999999")
    me.press("归入这件业务")
    me.see("没有找到这个编号的业务")
    me.page.get_by_label("业务编号").fill(number)
    me.press("归入这件业务")
    me.see("人工归入 2 页")
    me.page.get_by_role("link", name=number).first.click()
    me.see("以此件为准")
    me.see("旧件")
    me.picture("6-case")
    me.leave()
