"""What people do on the pages of an intake: plan and list of the admitted, rosters, ledger, the province."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from docx import Document
from playwright.sync_api import Locator, expect

from tests.web.journeys.pages import Person
from tests.web.journeys.test_key_information_change import confirm, open_panel

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
APPROVAL, REGISTER = "普通高中新生学籍注册审批表", "普通高中学生学籍注册登记表"


def give_file(me: Person, name: str, workbook: bytes) -> None:
    """Choose a workbook in the page's field for a file."""
    field = me.page.locator("main input[type=file]")
    field.set_input_files({"name": name, "mimeType": XLSX, "buffer": workbook})


# --- the state ------------------------------------------------------------------------------------------------------


def enter_plan(
    me: Person, document: str, counties: Mapping[str, tuple[int, int]], schools: Mapping[str, int]
) -> None:
    """The first plan of the year; a county has its places and its 初中毕业生总人数."""
    me.menu("高中招生")
    me.see("还没有录入招生计划")
    me.press("招生计划")
    me.press("录入计划")
    me.page.get_by_label("文号").fill(document)
    for county, (places, graduates) in counties.items():
        me.page.get_by_label(f"{county}招生计划").fill(str(places))
        me.page.get_by_label(f"{county}初中毕业生总人数").fill(str(graduates))
    for school, places in schools.items():
        me.page.get_by_label(f"{school}招生计划").fill(str(places))
    me.picture("01-plan-form")
    me.press("保存为第 1 版")
    me.see("招生计划第 1 版")
    me.see(document)
    me.picture("02-plan")


def load_list(me: Person, workbook: bytes, people: int) -> None:
    """The examination authority's list: previewed, then confirmed."""
    me.press("录取名单")
    give_file(me, "录取名单.xlsx", workbook)
    me.press("导入并核对")
    me.see("等待确认的名单")
    me.see(f"共 {people} 人")
    me.picture("03-list-preview")
    me.press("确认为第 1 版")
    me.see(f"录取名单第 1 版已生效，共 {people} 人")


def send_to_the_province(me: Person, document: str, rosters: int) -> None:
    """Every roster that waits goes under one document number."""
    me.menu("高中招生")
    me.press("报省")
    boxes = me.page.get_by_role("checkbox", name="选择 XS")
    expect(boxes).to_have_count(rosters)
    me.page.get_by_label("全选").check()
    for box in boxes.all():
        expect(box).to_be_checked()
    me.page.get_by_label("报送文号").fill(document)
    me.picture("30-province-waiting")
    me.press("登记为已报省")
    me.see(f"已登记 {rosters} 份名单报省")
    me.see(document)


def load_return(me: Person, workbook: bytes, people: int, rosters: int) -> None:
    """The province's numbers come back for everybody who was sent."""
    give_file(me, "返回表.xlsx", workbook)
    me.press("导入返回表")
    me.see(f"写入学籍辅号 {people} 人，已有相同辅号 0 人，没有用上 0 行")
    me.see(f"{rosters} 份名单已全部返回")
    me.picture("31-province-returned")


# --- a school -------------------------------------------------------------------------------------------------------


def start_roster(me: Person) -> None:
    me.menu("发起业务")
    me.press("开始一份名单")
    me.see("名单还是空的")


def load_roster(me: Person, workbook: bytes, people: int) -> None:
    give_file(me, "登记表.xlsx", workbook)
    me.press("导入并核对")
    me.see(f"已加入 {people} 行")


def row(me: Person, name: str) -> Locator:
    """The row of the roster in which a person stands."""
    return me.page.get_by_role("row").filter(has=me.page.get_by_text(name, exact=True))


def mend(me: Person, name: str, column: str, text: str) -> None:
    """Put one cell right: in its place in the table, or without scripts on a page of its own."""
    row(me, name).get_by_role("link", name="修改").click()
    form = me.page.locator(".row-form")
    form.get_by_label(column).fill(text)
    form.get_by_role("button", name="保存").click()
    expect(me.page.locator(".row-form")).to_have_count(0)


def remove(me: Person, names: Iterable[str]) -> None:
    """With scripts the question says how many and whom."""
    gone = list(names)
    for name in gone:
        row(me, name).get_by_role("checkbox").check()
    me.press("删去所选")
    if me.scripts:
        expect(me.page.locator("dialog[open]")).to_contain_text(f"共 {len(gone)} 行：{'、'.join(gone[:5])}")
    confirm(me)
    me.see("已删去")


def say_who_came(me: Person, actual: int) -> None:
    """The figure of the whole, after which come the papers."""
    me.press("下一步：招生人数")
    me.page.get_by_label("学校实际招生人数").fill(str(actual))
    me.press("保存并继续")
    expect(me.page.get_by_role("heading", name="证明材料").first).to_be_visible()


def check_and_submit(me: Person, to: str = "县级审核") -> str:
    """Returns the case's number."""
    me.press("核对提交")
    me.press(f"提交给{to}")
    return submitted(me)


def submitted(me: Person) -> str:
    """Wait until the roster that was sent is there; its number."""
    me.see("已提交")
    return me.page.locator("h1").inner_text().split()[-1]


def submit_at_once(*people: Person) -> list[str]:
    """Everybody on their page 核对提交 clicks its button in the same moment, in a browser of their own."""
    moment = people[0].page.evaluate("Date.now() + 400")
    click = """moment => setTimeout(() => document.querySelector("#submit-form button[type=submit]").click(),
               moment - Date.now())"""
    for me in people:
        expect(me.page.get_by_role("button", name="提交给县级审核")).to_be_enabled()
        me.page.evaluate(click, moment)
    return [submitted(me) for me in people]


# --- a bureau -------------------------------------------------------------------------------------------------------


def open_case(me: Person, number: str) -> None:
    me.page.get_by_role("row").filter(has_text=number).get_by_role("link").first.click()
    me.see(number)


def at_desk(me: Person, number: str) -> None:
    me.menu("待办工作")
    open_case(me, number)


def strike(me: Person, name: str, reason: str) -> None:
    """From the desk to the rows, one person off, and back to the desk."""
    me.press("查看名单")
    row(me, name).get_by_role("checkbox").check()
    me.page.get_by_label("退回所选学生的理由").fill(reason)
    me.press("退回所选学生")
    me.see("已退回所选的行，学校会看到理由")
    expect(row(me, name)).to_contain_text(reason)
    me.picture("15-struck")
    me.press("回到业务")


def approve(me: Person) -> None:
    open_panel(me, "同意")
    me.press("确认同意")
    me.see("已同意")


# --- what people read -----------------------------------------------------------------------------------------------


def ledger(me: Person) -> dict[str, list[str]]:
    """{school, county or 合计: 计划, 录取, 实际, 申请, 同意, 剩余} as the page shows them."""
    me.menu("高中招生")
    found = {}
    for line in me.page.locator("main table tbody tr").all():
        name, *figures = [text.strip() for text in line.locator("th, td").all_inner_texts()]
        found[name.splitlines()[0].strip()] = figures[:6]
    return found


@dataclass(frozen=True)
class Forms:
    """Both printed forms of one roster: the texts of the 审批表, the rows of the 登记表."""

    approval: str
    rows: list[list[str]]

    @property
    def numbers(self) -> list[str]:
        return [line[0] for line in self.rows]


def forms(me: Person, folder: Path) -> Forms:
    """The forms of the roster on the page, downloaded as DOCX."""
    approval = _texts(me.download(APPROVAL, folder))
    register = _texts(me.download(REGISTER, folder))
    said = "\n".join(cell for line in approval for cell in line)
    return Forms(said, [line for line in register if line[0].isdigit()])


def _texts(path: Path) -> list[list[str]]:
    assert path.suffix == ".docx", path
    return [
        [cell.text.strip() for cell in line.cells]
        for table in Document(str(path)).tables
        for line in table.rows
    ]


def find(me: Person, id_number: str, name: str) -> None:
    """Look a pupil up by their whole number, which leads straight to their page."""
    me.menu("学籍查询")
    me.page.get_by_label("姓名、拼音（全拼或首字母）、学籍号或证件号").fill(id_number)
    me.press("查找")
    expect(me.page.get_by_role("heading", level=1)).to_have_text(name)
