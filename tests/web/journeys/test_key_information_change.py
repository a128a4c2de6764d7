"""The main job, end to end, in a real browser: from a school's photograph to the corrected register and its landing."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from docx import Document
from playwright.sync_api import Browser, expect

from tests import exports, papers
from tests.web.journeys.conftest import Served
from tests.web.journeys.pages import DESKTOP, PHONE, Person

pytestmark = pytest.mark.browser
NEW_NAME = "马晓东"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A certificate photographed on a desk, a better one, and the household book."""
    folder = tmp_path_factory.mktemp("pictures")
    number = "62299920100506001X"
    first = papers.police_certificate(NEW_NAME, number, "姓名 马小东", f"姓名 {NEW_NAME}", 3, width=1654)
    drawn = {
        "first": papers.rotated(first, 4),
        "better": papers.police_certificate(NEW_NAME, number, "姓名 马小东", f"姓名 {NEW_NAME}", 4),
        "household": papers.household_page(NEW_NAME, number, 3),
    }
    found = {}
    for name, image in drawn.items():
        found[name] = folder / f"{name}.jpg"
        found[name].write_bytes(papers.as_jpeg(image))
    return found


@pytest.mark.parametrize(
    "scripts",
    [pytest.param(True, marks=pytest.mark.in_service), pytest.param(False, marks=pytest.mark.pages)],
    ids=["with-scripts", "without-scripts"],
)
def test_from_photograph_to_landed_register(
    served: Served, chromium: Browser, pictures: dict[str, Path], tmp_path: Path, scripts: bool
) -> None:
    journey = "journey" if scripts else "journey-without-scripts"

    def person(name: str) -> Person:
        return Person(chromium, served, name, scripts=scripts, journey=journey)

    registrar = person("registrar")
    number = fill_and_submit(registrar, pictures)
    return_for_one_reason(person("reviewer"), number)
    mend_exactly_that(registrar, pictures)
    approve(person("reviewer"), "county", final=False)
    approve(person("approver"), "state", final=True)
    see_old_and_new(registrar, tmp_path)
    enter_and_confirm(registrar, lambda: person("reviewer"))
    registrar.leave()


def fill_and_submit(me: Person, pictures: dict[str, Path]) -> str:
    """Search the pupil, answer, upload, check, submit. Returns the case's number."""
    me.picture("01-home")
    find_pupil(me)
    me.picture("02-pupil")
    me.press("发起业务")
    me.picture("03-choose")
    me.press("开始办理")
    me.press("保存并继续")
    me.see("请至少选择一项")
    me.picture("04-errors")
    me.page.get_by_label("姓名", exact=True).check()
    me.page.get_by_label("户籍登记有误，公安机关已更正").check()
    me.page.get_by_label("变更原因说明").fill("户口簿登记姓名有误，派出所已更正。")
    me.press("保存并继续")
    me.see("左边是学籍现有登记")
    me.page.wait_for_load_state()  # the script that saves drafts listens from here on
    me.page.get_by_label("新姓名").fill(NEW_NAME)
    if me.scripts:  # leaving and coming back loses nothing
        me.see("已保存")
        me.page.reload()
        expect(me.page.get_by_label("新姓名")).to_have_value(NEW_NAME)
    me.picture("05-old-and-new")
    me.press("保存并继续")
    me.see("户籍登记项目变更证明")
    upload(me, "change_certificate", pictures["first"])
    me.see("已自动摆正")
    upload(me, "household_book", pictures["household"])
    me.picture("06-papers")
    me.press("核对提交")
    me.picture("07-check")
    me.press("提交给县级审核")
    me.see("已提交")
    me.picture("08-submitted")
    return me.page.locator("h1").inner_text().split()[-1]


def find_pupil(me: Person) -> None:
    me.menu("学籍查询")
    me.page.get_by_label("姓名、拼音（全拼或首字母）、学籍号或证件号").fill("mxd")
    me.press("查找")
    me.see("马小东")
    me.picture("01b-search")
    me.page.get_by_role("link", name="马小东").first.click()
    me.page.wait_for_load_state()


def upload(me: Person, slot: str, path: Path) -> None:
    """By the file field; with scripts the slot renews itself, without them the form goes by its button."""
    me.page.wait_for_load_state("load")  # before its script runs, a page does not see a file being chosen
    section = me.page.locator(f"#slot-{slot}")
    before = section.locator(".files:not(.uploads) > li").count()
    section.locator(f"#files-{slot}").set_input_files(path)
    if not me.scripts:
        section.get_by_role("button", name="上传").click()
    expect(me.page.locator(f"#slot-{slot} .files:not(.uploads) > li")).to_have_count(
        before + 1, timeout=45000
    )


def return_for_one_reason(me: Person, number: str) -> None:
    me.see(number)
    me.picture("09-county-queue")
    me.page.get_by_role("link", name="马小东").first.click()
    me.see(NEW_NAME)
    me.picture("10-desk")
    me.page.set_viewport_size(PHONE)
    me.page.goto(me.page.url)
    assert not me.scripts or me.page.evaluate("scrollY") == 0, "the desk opens at its top"
    me.page.set_viewport_size(DESKTOP)
    me.press("开始办理")
    open_panel(me, "退回")
    me.page.get_by_label("第 1 条：原因").select_option(label="图像不清晰")
    me.page.get_by_label("第 1 条：对应哪一项").select_option(label="户籍登记项目变更证明")
    me.page.get_by_label("第 1 条：怎样补正").fill("红章压住的日期看不清，请平放后重拍")
    me.picture("11-return")
    me.press("确认退回")
    me.see("已退回")
    me.leave()


def open_panel(me: Person, name: str) -> None:
    me.page.locator("summary", has_text=name).first.click()


def mend_exactly_that(me: Person, pictures: dict[str, Path]) -> None:
    me.go("/queue/returned")
    me.page.get_by_role("link", name="马小东").first.click()
    me.see("红章压住的日期看不清")
    me.picture("12-returned")
    me.press("核对提交")
    me.press("提交给县级审核")
    me.see("补正清单第 1 项还没有改动")
    me.press("户籍登记项目变更证明")
    section = me.page.locator("#slot-change_certificate")
    section.get_by_role("button", name="移除").click()
    expect(me.page.locator("#slot-change_certificate .files:not(.uploads) > li")).to_have_count(0)
    upload(me, "change_certificate", pictures["better"])
    me.picture("13-mended")
    me.press("核对提交")
    me.press("提交给县级审核")
    me.see("已提交")


def approve(me: Person, level: str, *, final: bool) -> None:
    me.page.get_by_role("link", name="马小东").first.click()
    me.see(NEW_NAME)
    if level == "county":
        me.see("补正")
    open_panel(me, "同意")
    if final:
        me.see("不能撤销")
    me.picture(f"14-approve-{level}")
    me.press("确认同意")
    me.see("已同意")
    me.leave()


def see_old_and_new(me: Person, folder: Path) -> None:
    """The pupil's page shows both; the form and the entry pack hold the same values."""
    me.menu("学籍查询")
    me.page.get_by_label("姓名、拼音（全拼或首字母）、学籍号或证件号").fill("mxd")
    me.press("查找")
    me.page.get_by_role("link", name=NEW_NAME).first.click()
    me.see("马小东")
    me.see(NEW_NAME)
    me.picture("15-register")
    me.go("/queue/started")
    me.page.get_by_role("link", name=NEW_NAME).first.click()
    me.picture("16-approved")
    form = me.download("关键信息变更审批表", folder)
    cells = {cell.text for table in Document(str(form)).tables for row in table.rows for cell in row.cells}
    assert "马小东" in cells and NEW_NAME in cells
    pack = zipfile.ZipFile(me.download("国网录入包", folder))
    names = pack.namelist()
    assert any(name.endswith(".xlsx") for name in names)
    pictures = [name for name in names if name.endswith(".jpg")]
    assert len(pictures) == 2 and all(pack.getinfo(name).file_size <= 2 * 1024 * 1024 for name in pictures)


def enter_and_confirm(me: Person, reviewer: Callable[[], Person]) -> None:
    """The receipt is noted; the next export that shows the change confirms it once the county has said so."""
    me.menu("国网录入")
    me.picture("17-landings")
    me.page.get_by_label("国网受理号").fill("GW20261121000045")
    me.press("登记")
    me.see("GW20261121000045")
    row = exports.a_row(1, me.served.school_code)
    row |= {"student_number": me.served.student_number, "name": NEW_NAME}
    load_export(me, exports.as_xlsx([row]))
    me.see("尚未答复")
    me.picture("19b-waits-for-the-county")
    accept_proposal(reviewer())
    me.go("/queue/started")
    me.page.get_by_role("link", name=NEW_NAME).first.click()
    me.see("国网已更新")
    me.picture("20-landed")


def accept_proposal(me: Person) -> None:
    """The county reads what the school's export would confirm, and says yes."""
    me.go("/register/proposals")
    me.picture("19c-proposals")
    me.page.locator("main tbody a").first.click()
    me.see(NEW_NAME)
    me.picture("19d-proposal")
    me.press("全部接受")
    confirm(me)
    for _ in range(40):
        if "已接受并写入" in me.page.locator("main").inner_text():
            break
        me.page.wait_for_timeout(400)
        me.page.reload()
    me.see("已接受并写入")
    me.leave()


def load_export(me: Person, workbook: bytes) -> None:
    me.menu("数据导入")
    me.page.locator("input[type=file]").set_input_files(
        {
            "name": "导出.xlsx",
            "mimeType": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "buffer": workbook,
        }
    )
    me.picture("18-load")
    me.press("上传并核对列")
    me.press("开始核对")
    wait_for(me, "应用到工作副本")
    me.picture("19-preview")
    me.press("应用到工作副本")
    confirm(me)
    wait_for(me, "整批撤销")


def wait_for(me: Person, button: str) -> None:
    """The page renews itself; without scripts the person does it."""
    for _ in range(40):
        if me.page.get_by_role("button", name=button).count():
            return
        me.page.wait_for_timeout(400)
        if not me.scripts:
            me.page.reload()
    raise AssertionError(f"{button} did not come: {me.page.locator('main').inner_text()}")


def confirm(me: Person) -> None:
    """Say yes in the dialog that scripts show."""
    if me.scripts:
        me.page.locator("dialog[open] [data-confirm-yes]").click()
        me.page.wait_for_load_state()
