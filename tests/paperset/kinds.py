"""The six kinds of paper, each drawn by one function on a sheet."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.papers import Sheet
from tests.paperset.layout import Drawer, grid, paragraphs
from tests.paperset.words import ILLNESSES, wrapped

BLUE_INK, BLACK_INK = (34, 44, 120), (38, 38, 46)
A4_PIXELS = 2480  # 300 dpi
CARD_PIXELS = 2815  # 500 dpi: a card is photographed from near


def police_certificate(drawer: Drawer) -> Sheet:
    words, size = drawer.words, drawer.body
    sheet = drawer.sheet(210, 297, A4_PIXELS)
    sheet.text(105, 26, "登记项目变更证明", 1.7 * size, centred=True)
    sheet.text(
        135, 42, f"{words.place[0]}公户证字〔2026〕{int(drawer.rng.integers(100, 999))}号", 0.85 * size
    )
    old = words.name[0] + words.one("晓明文雅志") + words.name[-1]
    per_line = int(154 / size)
    text = f"　　{words.name}，公民身份号码{words.number}，系我辖区居民，住{words.address()}。" + (
        f"因登记有误，经审核，其姓名由“{old}”变更为“{words.name}”，变更日期为{words.date()}。"
    )
    rest = "　　原登记内容自变更之日起不再使用。本证明供办理学籍信息变更使用，有效期三个月。"
    top = paragraphs(
        sheet, drawer, [*wrapped(text, per_line), *wrapped(rest, per_line), "　　特此证明。"], 58
    )
    rows = (
        ("登记项目", "姓名"),
        ("变更前内容", old),
        ("变更后内容", words.name),
        ("经办民警", words.person()),
    )
    top = max(top + 8, 160.0)
    grid(sheet, drawer, rows, top, (28, 72, 182), 2.3 * size)
    sheet.text(112, 236, f"{words.place}公安局{words.town}派出所", size)
    sheet.text(125, 236 + 2 * size, words.date(), size)
    sheet.text(28, 274, f"经办民警：{words.person()}　　联系电话：0000-8880000", 0.85 * size)
    drawer.press(sheet, 145, 238, f"{words.place}公安局户口专用章", 40)
    return sheet


def household_page(drawer: Drawer) -> Sheet:
    """A card of the household book: the page of the house, or that of a person."""
    sheet = drawer.sheet(143, 105, CARD_PIXELS)
    _safety_print(sheet)
    first = drawer.rng.random() < 0.4
    (_house if first else _person)(sheet, drawer)
    return sheet


def _safety_print(sheet: Sheet) -> None:
    """Faint green waves under the print, as the book has."""
    x = np.arange(0, 144, 1.5)
    for row in np.arange(2, 105, 3.5):
        wave = np.stack([x, row + 1.2 * np.sin(x / 3 + row)], axis=1).ravel()
        sheet.line(*wave.tolist(), ink=(228, 236, 222), thick=0.2)


def _person(sheet: Sheet, drawer: Drawer) -> None:
    words, number = drawer.words, drawer.words.number
    boy = int(number[16]) % 2 == 1
    sheet.text(71, 6, "常住人口登记卡", 1.7 * drawer.body, centred=True)
    rows = (
        ("姓　　名", words.name, "户主或与户主关系", "长子" if boy else "长女"),
        ("曾 用 名", "", "性　　别", "男" if boy else "女"),
        ("出 生 地", f"云岭省{words.place}", "民　　族", "汉族"),
        ("籍　　贯", f"云岭省{words.place}", "出生日期", f"{number[6:10]}年{int(number[10:12])}月"),
        ("公民身份号码", number, "身　　高", "146厘米"),
        ("文化程度", "在学", "婚姻状况", "未婚"),
        ("服务处所", words.school, "职　　业", "学生"),
        ("何时由何地迁来", f"{number[6:10]}年出生登记", "", ""),
    )
    bottom = grid(sheet, drawer, rows, 16, (6, 36, 82, 112, 137), 9.4)
    sheet.text(8, bottom + 3, f"承办人签章：{words.person()}　　登记日期：{words.date()}", drawer.body)
    drawer.press(sheet, 114, bottom - 4, f"{words.place}公安局{words.town}派出所", 30)


def _house(sheet: Sheet, drawer: Drawer) -> None:
    words = drawer.words
    sheet.text(71, 8, "户口登记首页", 1.9 * drawer.body, centred=True)
    rows = (
        ("户　　别", "非农业家庭户", "户主姓名", words.parent),
        ("户　　号", f"6229{int(drawer.rng.integers(10_000, 99_999))}", "住　　址", words.town),
        ("详细地址", words.address()[:12], "", ""),
    )
    bottom = grid(sheet, drawer, rows, 22, (6, 34, 82, 106, 137), 11)
    sheet.text(10, bottom + 6, "省级公安机关户口专用章　　　　　户口登记机关户口专用章", drawer.body)
    sheet.text(10, bottom + 30, f"承办人签章：{words.person()}　　签发日期：{words.date()}", drawer.body)
    drawer.press(sheet, 38, bottom + 20, "云岭省公安厅户口专用章", 32)
    drawer.press(sheet, 104, bottom + 20, f"{words.place}公安局{words.town}派出所", 30)


def approval_form(drawer: Drawer) -> Sheet:
    words, size = drawer.words, drawer.body
    sheet = drawer.sheet(210, 297, A4_PIXELS)
    sheet.text(105, 22, "学生学籍信息变更审批表", 1.6 * size, centred=True)
    sheet.text(24, 36, f"学校（公章）：{words.school}　　　填表日期：{words.date()}", size)
    rows = (
        ("学生姓名", words.name, "性别", "男"),
        ("年级班级", "七年级2班", "民族", "汉族"),
        ("身份证号", words.number, "", ""),
        ("变更项目", "姓名", "", ""),
        ("变更前", words.person(), "变更后", words.name),
        ("家庭住址", words.address(), "", ""),
        ("监护人", words.parent, "关系", "父亲"),
    )
    bottom = grid(sheet, drawer, rows, 46, (24, 56, 118, 142, 186), 2.6 * size)
    for title in ("变更原因", "学校意见", "教育局意见"):
        sheet.line(24, bottom, 24, bottom + 40, 186, bottom + 40, 186, bottom)
        sheet.line(56, bottom, 56, bottom + 40)
        sheet.text(27, bottom + 15, title, size)
        _opinion(sheet, drawer, bottom)
        bottom += 40
    drawer.press(sheet, 150, bottom - 57, words.school, 40)
    return sheet


def _opinion(sheet: Sheet, drawer: Drawer, top: float) -> None:
    for i, line in enumerate(wrapped(drawer.words.sentences(1), int(124 / drawer.body))):
        sheet.text(59, top + 4 + 1.7 * drawer.body * i, line, drawer.body)
    sheet.text(96, top + 30, "签字：", drawer.body)
    sheet.handwriting(114, top + 28, drawer.words.person(), 1.4 * drawer.body, drawer.rng, BLACK_INK)
    sheet.text(140, top + 30, drawer.words.date(), drawer.body)


def hospital_note(drawer: Drawer) -> Sheet:
    words, size = drawer.words, drawer.body
    sheet = drawer.sheet(210, 297, A4_PIXELS)
    sheet.text(105, 24, f"{words.place}人民医院", 1.5 * size, centred=True)
    sheet.text(105, 37, "疾病诊断证明书", 1.8 * size, centred=True)
    sheet.line(26, 52, 184, 52)
    sheet.text(28, 57, f"姓名：{words.name}　　性别：男　　科别：外科　　门诊号：{words.number[-6:]}", size)
    sheet.line(26, 57 + 1.8 * size, 184, 57 + 1.8 * size)
    illness = words.one(ILLNESSES)
    text = (
        f"临床诊断：{illness}。患者于{words.date()}因上述疾病来我院就诊，行相关检查及治疗，目前病情平稳。"
        "处理意见：建议休息治疗三个月，避免剧烈运动，定期门诊复查，如有不适随时就诊。"
    )
    top = paragraphs(sheet, drawer, wrapped(text, int(154 / size)), 78)
    sheet.text(28, top + 14, "医师签名：", size)
    sheet.handwriting(28 + 5.5 * size, top + 12, words.person(), 1.7 * size, drawer.rng, BLUE_INK)
    sheet.text(120, top + 32, f"{words.place}人民医院", size)
    sheet.text(120, top + 32 + 2 * size, words.date(), size)
    sheet.text(28, 268, "注：本证明未加盖疾病诊断证明专用章无效，涂改无效。", 0.85 * size)
    drawer.press(sheet, 140, top + 38, f"{words.place}人民医院诊断专用章", 42)
    return sheet


def application(drawer: Drawer) -> Sheet:
    """Written by hand on ruled paper."""
    words, size = drawer.words, drawer.body
    ink = BLUE_INK if drawer.rng.random() < 0.5 else BLACK_INK
    sheet = drawer.sheet(210, 297, A4_PIXELS)
    step = 2.1 * size
    sheet.handwriting(105 - 3.3 * 1.4 * size, 24, "休学申请书", 1.4 * size, drawer.rng, ink)
    text = f"　　我是{words.school}七年级二班学生{words.name}的家长。" + words.sentences(5)
    lines = [f"{words.school}：", *wrapped(text, int(142 / size)), "　　此致", "敬礼"]
    for i, line in enumerate(lines):
        sheet.line(
            24, 44 + step * (i + 1) - 0.3 * size, 186, 44 + step * (i + 1) - 0.3 * size, ink=(206, 140, 140)
        )
        sheet.handwriting(26, 44 + step * i + 0.3 * size, line, size, drawer.rng, ink)
    top = 44 + step * (len(lines) + 1)
    sheet.handwriting(118, top, f"申请人：{words.parent}", size, drawer.rng, ink)
    sheet.handwriting(118, top + step, words.date(), size, drawer.rng, ink)
    return sheet


def letter(drawer: Drawer) -> Sheet:
    words, size = drawer.words, drawer.body
    sheet = drawer.sheet(210, 297, A4_PIXELS)
    sheet.text(105, 30, "关于学生学籍信息的情况说明", 1.4 * size, centred=True)
    text = f"　　我校学生{words.name}，身份证号{words.number}。" + words.sentences(
        int(drawer.rng.integers(3, 8))
    )
    lines = [f"{words.place}教育局：", *wrapped(text, int(154 / size)), "　　特此说明。"]
    top = paragraphs(sheet, drawer, lines, 52)
    sheet.text(125, top + 12, words.school, size)
    sheet.text(125, top + 12 + 2 * size, words.date(), size)
    drawer.press(sheet, 140, top + 18, words.school, 40)
    return sheet


DRAWINGS: dict[str, Callable[[Drawer], Sheet]] = {
    "police-certificate": police_certificate,
    "household-page": household_page,
    "approval-form": approval_form,
    "hospital-note": hospital_note,
    "application": application,
    "letter": letter,
}
