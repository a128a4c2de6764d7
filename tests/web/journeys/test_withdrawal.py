"""A pupil leaves for good, in a real browser: the name is typed by school and state, and afterwards no way leads back."""

from __future__ import annotations

from pathlib import Path

import pytest
from docx import Document
from playwright.sync_api import Browser, expect

from tests import exports, papers
from tests.draw_demo_papers import leaving_papers
from tests.web.journeys.conftest import Served
from tests.web.journeys.pages import Person
from tests.web.journeys.test_key_information_change import find_pupil, load_export, open_panel, upload

pytestmark = pytest.mark.browser
NAME = "马小东"
NOTE = "申请和报告齐全，已与监护人核实"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("leaving")
    application, report = leaving_papers(NAME, "青禾县第一中学", "高一")
    household = papers.household_page(NAME, "62299920100506001X", 3)
    drawn = {"application": application, "school_report": report, "guardian_identity": household}
    for slot, image in drawn.items():
        (folder / f"{slot}.jpg").write_bytes(papers.as_jpeg(image))
    return {slot: folder / f"{slot}.jpg" for slot in drawn}


@pytest.mark.parametrize(
    "scripts",
    [pytest.param(True, marks=pytest.mark.in_service), pytest.param(False, marks=pytest.mark.pages)],
    ids=["with-scripts", "without-scripts"],
)
def test_leaving_for_good(
    served: Served, chromium: Browser, pictures: dict[str, Path], tmp_path: Path, scripts: bool
) -> None:
    journey = "withdrawal" if scripts else "withdrawal-without-scripts"

    def person(name: str) -> Person:
        return Person(chromium, served, name, scripts=scripts, journey=journey)

    add_a_local_ground(person("approver"))
    registrar = person("registrar")
    number = fill_and_submit(registrar, pictures)
    approve_at_the_county(person("reviewer"))
    approve_at_the_state(person("approver"))
    see_that_it_ended(registrar, number, tmp_path)
    no_way_back(registrar, number)
    registrar.leave()


def add_a_local_ground(me: Person) -> None:
    me.menu("政策依据")
    me.press("本地条件")
    me.picture("01-local-empty")
    me.page.get_by_label("退学", exact=True).check()
    me.page.get_by_label("条件", exact=True).fill("连续旷课满一学期，经教育仍不返校")
    me.page.get_by_label("文件号").fill("云州教发〔2026〕1号")
    me.press("保存为新版本")
    me.see("请填写条款号")
    me.picture("02-local-faults")
    expect(me.page.get_by_label("文件号")).to_have_value("云州教发〔2026〕1号")
    me.page.get_by_label("条款", exact=True).fill("第十二条")
    me.page.get_by_label("为什么补充").fill("按本州文件补充")
    me.press("保存为新版本")
    me.see("已保存为第 1 版")
    me.picture("03-local-saved")
    me.leave()


def fill_and_submit(me: Person, pictures: dict[str, Path]) -> str:
    find_pupil(me)
    me.press("发起业务")
    me.picture("04-choose")
    me.page.get_by_role("region", name="普通高中退学、除名", exact=True).get_by_role("button").click()
    me.page.wait_for_load_state()
    expect(me.page.get_by_label("异动原因")).to_have_count(0)
    me.page.get_by_label("除名", exact=True).check()
    if not me.scripts:
        me.press("按所选显示要填的内容")
    me.see("受开除学籍（除名）处分")
    expect(me.page.get_by_text("书面申请退学")).to_have_count(0)
    if me.scripts:  # what was chosen went with the page that it showed: the way off it is open
        assert me.page.evaluate("window.dispatchEvent(new Event('beforeunload', {cancelable: true}))")
        expect(me.page.get_by_text("未保存")).to_have_count(0)
    me.page.get_by_label("退学", exact=True).check()
    if not me.scripts:
        me.press("按所选显示要填的内容")
    me.see("云州教发〔2026〕1号 第十二条")
    me.page.get_by_label("学生和监护人书面申请退学").check()
    me.page.get_by_label("异动原因").select_option("21")
    me.page.get_by_label("情况说明").fill("学生和监护人于十一月三日书面提出退学，学校三次家访未能挽回。")
    me.picture("05-answers")
    me.press("保存并继续")
    me.see("退学申请")
    for slot, path in pictures.items():
        upload(me, slot, path)
    me.picture("06-papers")
    me.press("核对提交")
    me.see("一律不得复学")
    me.picture("07-consequences")
    me.press("提交给县级审核")
    me.see("请填写“学生姓名”")
    me.page.get_by_label("请键入学生姓名").fill("马小冬")
    me.press("提交给县级审核")
    me.see("与登记不一致")
    expect(me.page.get_by_label("请键入学生姓名")).to_have_value("马小冬")
    me.picture("08-wrong-name")
    me.page.get_by_label("请键入学生姓名").fill(NAME)
    me.press("提交给县级审核")
    me.see("已提交")
    return me.page.locator("h1").inner_text().split()[-1]


def approve_at_the_county(me: Person) -> None:
    me.page.get_by_role("link", name=NAME).first.click()
    open_panel(me, "同意")
    expect(me.page.get_by_label("请键入学生姓名")).to_have_count(0)
    me.press("确认同意")
    me.see("已同意")
    me.leave()


def approve_at_the_state(me: Person) -> None:
    me.page.get_by_role("link", name=NAME).first.click()
    me.page.get_by_label("意见", exact=True).fill(NOTE)
    open_panel(me, "同意")
    me.see("一律不得复学")
    me.picture("09-state-panel")
    me.press("确认同意")
    me.see("请填写“学生姓名”")
    expect(me.page.get_by_label("意见", exact=True)).to_have_value(NOTE)
    me.picture("10-state-refused")
    me.page.get_by_label("请键入学生姓名").fill(NAME)
    me.press("确认同意")
    me.see("学籍登记已更改")
    me.leave()


def see_that_it_ended(me: Person, number: str, folder: Path) -> None:
    me.go("/queue/started")
    me.page.get_by_role("link", name=NAME).first.click()
    me.picture("11-approved")
    for title in ("普通高中学生退学审批表", "退学告知书"):
        form = Document(str(me.download(title, folder)))
        written = "\n".join(
            [one.text for one in form.paragraphs]
            + [cell.text for table in form.tables for row in table.rows for cell in row.cells]
        )
        assert number in written and NAME in written and "甘教厅〔2018〕12号" in written
    me.menu("学籍查询")
    me.page.get_by_label("姓名、拼音（全拼或首字母）、学籍号或证件号").fill("mxd")
    me.press("查找")
    me.see("退学")
    me.picture("12-found-by-search")
    me.page.get_by_role("link", name=NAME).first.click()
    me.see("学籍异动类别")
    me.picture("13-pupil")


def no_way_back(me: Person, number: str) -> None:
    """Not by the form, not by a request made by hand, not by an export."""
    me.press("发起业务")
    me.see(f"经 {number}（")
    me.see("凡退学、除名的学生，一律不得复学。")
    me.picture("14-no-way-back")
    pupil = me.page.url.rpartition("pupil=")[2]
    token = me.page.locator("input[name=csrf_token]").first.get_attribute("value") or ""
    answer = me.context.request.post(
        f"{me.served.url}/cases/start",
        form={"csrf_token": token, "pupil": pupil, "workflow": "withdrawal"},
    )
    assert "该生现在不能发起这项业务" in answer.text()
    row = exports.a_row(1, me.served.school_code)
    row |= {"student_number": me.served.student_number, "name": NAME, "enrolment_status": "复学"}
    load_export(me, exports.as_xlsx([row], exports.EVERY_COLUMN, exports.EVERY_HEADING))
    me.page.get_by_role("link", name="暂不覆盖").click()
    me.see(number)
    me.picture("15-load-held")
    me.page.get_by_role("link", name=NAME).first.click()
    me.see("退学")
    me.menu("学籍查询")
    me.see("学籍查询")
