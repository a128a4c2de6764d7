"""The comparison of what was read with register and form: a table, then drawn papers really read."""

from __future__ import annotations

import math
from datetime import date

import pytest
from PIL import Image

from portal.cases import paper_readings, readings
from portal.cases.paper_readings import Kind
from portal.cases.read_text import ReadPage, TextLine, rows
from portal.cases.readings import LOOK_HERE, STILL_OLD, FieldReading, Paper
from portal.standards import id_number, written_dates
from portal.workflows.key_information_change import EVIDENCE
from storage import reading
from tests import papers
from tests.builders import an_id_number

BORN = date(2013, 5, 6)
OLD, NEW = an_id_number(BORN, "2", 11), an_id_number(BORN, "2", 12)
OTHER = an_id_number(date(1985, 1, 2), "1", 40)
KINDS = [Kind(slot.id, slot.titles, slot.issuers) for slot in EVIDENCE]


def one_off(number: str, place: int = 15) -> str:
    """The number with another digit at `place`: its check digit no longer fits."""
    wrong = str((int(number[place]) + 1) % 10)
    return number[:place] + wrong + number[place + 1 :]


def page(*lines: str, lean: float = 0.0) -> ReadPage:
    """A page as if it had been read: cells of a row are written with `|` between them; the page leans clockwise."""
    made = []
    for n, line in enumerate(lines):
        for m, text in enumerate(line.split("|")):
            left, top = 0.05 + 0.3 * m, 0.05 + 0.06 * n
            wide = min(0.28, 0.02 * len(text))
            corners = [(left, top), (left + wide, top), (left + wide, top + 0.03), (left, top + 0.03)]
            turned = [_turned(x, y, lean) for x, y in corners]
            made.append(TextLine(text, (turned[0], turned[1], turned[2], turned[3])))
    return ReadPage("file", 1, tuple(made), 1.0)


def _turned(x: float, y: float, degrees: float) -> tuple[float, float]:
    a = math.radians(degrees)
    return x * math.cos(a) - y * math.sin(a), x * math.sin(a) + y * math.cos(a)


def read_one(column: str, old: str, new: str, *lines: str, lean: float = 0.0) -> FieldReading:
    paper = Paper("change_certificate", "证明", (page(*lines, lean=lean),))
    return readings.compare({column: (old, new)}, [paper])[column]


NUMBERS = {
    "the new number": ((f"公民身份号码：{NEW}",), "match", NEW),
    "with spaces and full-width digits": ((f"公民身份号码：{NEW[:6]} {NEW[6:14]} {NEW[14:]}",), "match", NEW),
    "both, by the labels": ((f"变更前：{OLD}", f"变更后：{NEW}"), "match", NEW),
    "both in one row": ((f"变更前|{OLD}|变更后|{NEW}",), "match", NEW),
    "one digit off": ((f"公民身份号码：{one_off(NEW)}",), "mismatch", one_off(NEW)),
    "one digit off without a label": ((one_off(NEW, 9),), "mismatch", one_off(NEW, 9)),
    "the check digit off": ((NEW[:17] + ("0" if NEW[17] != "0" else "1"),), "mismatch", None),
    "one digit off after the change": (
        (f"变更前：{OLD}", f"变更后：{one_off(NEW)}"),
        "mismatch",
        one_off(NEW),
    ),
    "only the old one": ((f"公民身份号码|{OLD}",), "mismatch", OLD),
    "another sound number at the label": ((f"公民身份号码：{OTHER}",), "mismatch", OTHER),
    "another's number beside the new one": ((f"申请人 {OTHER}", f"本人 {NEW}"), "match", NEW),
    "another's number alone, unlabelled": ((f"户主 {OTHER}",), "unread", ""),
    "a misread number of nobody": ((f"户主 {one_off(OTHER)}",), "unread", ""),
    "a digit lost": ((f"公民身份号码：{NEW[:8] + NEW[9:]}",), "unread", ""),
    "a phone number": (("联系电话：0000-8880000",), "unread", ""),
    "nothing": (("特此证明。",), "unread", ""),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name: str) -> None:
    lines, mark, value = NUMBERS[name]
    found = read_one("id_number", OLD, NEW, *lines)
    assert found.mark == mark
    assert value is None or found.value == value
    if mark != "unread":
        assert found.place and found.place.page == 1


def test_one_wrong_digit_is_told_to_fail_its_check_digit_and_a_lost_digit_to_be_looked_at() -> None:
    assert "校验位" in read_one("id_number", OLD, NEW, one_off(NEW)).note
    assert not read_one("id_number", OLD, NEW, f"公民身份号码：{OTHER}").note
    lost = read_one("id_number", OLD, NEW, f"公民身份号码：{NEW[:8] + NEW[9:]}")
    assert lost.note == LOOK_HERE and lost.place


NAMES = {
    "the new name": (("姓名：林小雨",), "match", "林小雨"),
    "in a sentence": (("兹证明林小雨系我辖区居民",), "match", "林小雨"),
    "both, by the labels": (("变更前：姓名 林晓雨", "变更后：姓名 林小雨"), "match", "林小雨"),
    "both in a table": (("变更前内容|林晓雨", "变更后内容|姓名林小雨"), "match", "林小雨"),
    "label cut in two by its spaces": (("姓|名|林小雨|性别|女",), "match", "林小雨"),
    "a different name after the change": (("姓名：林小雨", "变更后：林小语"), "mismatch", "林小语"),
    "a different name at the label": (("姓 名|林大雪",), "mismatch", "林大雪"),
    "still the old one": (("姓名：林晓雨",), "mismatch", "林晓雨"),
    "only in 曾用名": (("曾用名|林小雨",), "unread", ""),
    "one character off": (("兹证明林小两系我辖区居民",), "unread", ""),
    "nothing": (("特此证明。",), "unread", ""),
}


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str) -> None:
    lines, mark, value = NAMES[name]
    found = read_one("name", "林晓雨", "林小雨", *lines)
    assert (found.mark, found.value) == (mark, value)


def test_a_name_is_matched_exactly_or_only_pointed_at() -> None:
    near = read_one("name", "林晓雨", "林小雨", "兹证明林小两系我辖区居民")
    assert near.note == LOOK_HERE and near.place
    assert read_one("name", "林晓雨", "林小雨", "姓名：林晓雨").note == STILL_OLD
    assert read_one("name", "马晓明", "马晓", "马晓明同学").mark == "unread", (
        "a part of the old name is not the new one"
    )
    assert read_one("name", "阿依古丽", "阿依古丽·买买提", "姓名：阿依古丽•买买提").mark == "match"


DATES = {
    "printed": (("出生日期|2013年5月6日",), "match"),
    "with dashes": (("出生日期：2013-05-06",), "match"),
    "in numerals": (("出生日期：二〇一三年五月六日",), "match"),
    "another at the label": (("出生日期：2013年5月8日", "2026年9月5日"), "mismatch"),
    "after the change": (("变更前：2013年5月8日", "变更后：2013年5月6日"), "match"),
    "another after the change": (("变更前：2013年5月8日", "变更后：2013年6月6日"), "mismatch"),
    "only other dates": (("登记日期：2026年9月3日",), "unread"),
}


@pytest.mark.parametrize("name", DATES)
def test_dates(name: str) -> None:
    lines, mark = DATES[name]
    assert read_one("birth_date", "2013-05-08", "2013-05-06", *lines).mark == mark


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2013年5月6日", date(2013, 5, 6)),
        ("2013-05-06", date(2013, 5, 6)),
        ("2013.5.6", date(2013, 5, 6)),
        ("二〇一三年五月六日", date(2013, 5, 6)),
        ("二〇二六年十二月三十一日", date(2026, 12, 31)),
        ("二○一〇年十月二十日", date(2010, 10, 20)),
        ("2013年13月6日", None),
        ("不详", None),
    ],
)
def test_written_dates(text: str, day: date | None) -> None:
    assert written_dates.read_date(text) == day


@pytest.mark.parametrize(
    ("lines", "mark"),
    [
        (("性别|女",), "match"),
        (("性别：男",), "mismatch"),
        (("变更前：男", "变更后：女"), "match"),
        (("长女",), "unread"),
    ],
)
def test_sex(lines: tuple[str, ...], mark: str) -> None:
    assert read_one("sex", "1", "2", *lines).mark == mark


def test_a_paper_that_differs_is_shown_before_one_that_agrees() -> None:
    both = [
        Paper("change_certificate", "证明", (page(f"公民身份号码：{NEW}"),)),
        Paper("household_book", "户口簿", (page(f"公民身份号码：{one_off(NEW)}"),)),
    ]
    found = readings.compare({"id_number": (OLD, NEW)}, both)["id_number"]
    assert (found.mark, found.slot) == ("mismatch", "household_book")


def test_a_cancellation_holds_the_old_values_and_is_not_held_against_the_new() -> None:
    gone = Paper("cancellation_certificate", "注销证明", (page(f"公民身份号码：{OLD}"),), shows_new=False)
    assert readings.compare({"id_number": (OLD, NEW)}, [gone])["id_number"].mark == "unread"


def test_rows_are_found_on_a_page_that_leans() -> None:
    leaning = page("姓名|林小雨|性别|女", "公民身份号码|" + NEW, "出生日期|2013年5月6日", lean=5)
    assert [row.text for row in rows([leaning])] == [
        "姓名|林小雨|性别|女",
        f"公民身份号码|{NEW}",
        "出生日期|2013年5月6日",
    ]


def test_the_frame_is_the_fields_share_of_its_line() -> None:
    found = read_one("id_number", OLD, NEW, f"公民身份号码：{one_off(NEW)}")
    assert found.place
    left, top, width, height = found.place.box
    line = page(f"公民身份号码：{one_off(NEW)}").lines[0].box
    assert (
        line[0][0] < left
        and math.isclose(left + width, line[1][0])
        and (top, round(height, 4)) == (0.05, 0.03)
    )


@pytest.mark.parametrize(
    ("column", "typed", "mark"),
    [
        ("id_number", f" {NEW.lower()} ", "match"),
        ("id_number", one_off(NEW), "mismatch"),
        ("birth_date", "2013年5月6日", "match"),
        ("sex", "女", "match"),
        ("name", "林小雨", "match"),
    ],
)
def test_a_persons_reading_is_judged_by_the_same_rules(column: str, typed: str, mark: str) -> None:
    new = {"id_number": NEW, "birth_date": "2013-05-06", "sex": "2", "name": "林小雨"}[column]
    assert readings.judge(column, typed, new) == mark


# --- kinds of paper -------------------------------------------------------------------------------------------------


def test_kind_issuer_date_and_number_of_a_paper() -> None:
    lines = (
        "户籍登记项目变更证明",
        "康警户字〔2026〕第864号",
        "变更日期：2026年9月3日",
        "青禾县公安局河湾派出所",
        "2026年9月5日",
    )
    found = paper_readings.describe(Paper("change_certificate", "证明", (page(*lines),)), KINDS)
    assert (found.kind.mark, found.issuer.value) == ("match", "青禾县公安局河湾派出所")
    assert (found.day.value, found.number.value) == ("2026年9月5日", "康警户字〔2026〕第864号")
    assert all(one.place for one in (found.kind, found.issuer, found.day, found.number))


def test_a_paper_in_the_wrong_place_is_told_and_an_unknown_one_is_unread() -> None:
    wrong = paper_readings.describe(Paper("change_certificate", "证明", (page("常住人口登记卡"),)), KINDS)
    assert (wrong.kind.mark, wrong.kind.value) == ("mismatch", "常住人口登记卡")
    nothing = paper_readings.describe(Paper("change_certificate", "证明", (page("收据"),)), KINDS)
    assert {nothing.kind.mark, nothing.issuer.mark, nothing.day.mark, nothing.number.mark} == {"unread"}


# --- really read ----------------------------------------------------------------------------------------------------

needs_engine = pytest.mark.skipif(
    not reading.available(), reason="the extra 'reading' is not installed: pip install '.[reading]'"
)
DRAWN = {
    "certificate": lambda number: papers.police_certificate(
        "林小雨", number, "姓名 林晓雨", "姓名 林小雨", 1, width=1697
    ),
    "household": lambda number: papers.household_page("林小雨", number, 2),
    "desk": lambda number: papers.on_desk(DRAWN["certificate"](number), 3, size=(1800, 2400)),
}


def really_read(image: Image.Image, slot: str = "change_certificate") -> Paper:
    lines = reading.read(papers.as_jpeg(image, 85)).lines
    texts = tuple(TextLine(line.text, line.box) for line in lines)
    return Paper(slot, slot, (ReadPage("file", 1, texts, image.height / image.width),))


@needs_engine
@pytest.mark.parametrize("lean", [0, 5], ids=["straight", "askew"])
@pytest.mark.parametrize("layout", DRAWN)
def test_a_drawn_paper_is_read_and_compared(layout: str, lean: float) -> None:
    """The right number and name match; a number printed with one wrong digit is a mismatch at the same place."""
    for printed, mark in ((NEW, "match"), (one_off(NEW, 16), "mismatch")):
        image = DRAWN[layout](printed)
        paper = really_read(papers.rotated(image, lean) if lean else image)
        found = readings.compare({"name": ("林晓雨", "林小雨"), "id_number": (OLD, NEW)}, [paper])
        assert (found["id_number"].mark, found["id_number"].value) == (mark, printed)
        assert (found["name"].mark, found["name"].value) == ("match", "林小雨")


@needs_engine
def test_the_frame_of_a_wrong_number_holds_the_place_where_it_is_printed() -> None:
    sheet = papers.Sheet(210, 297, 1697, (253, 253, 251))
    sheet.text(30, 60, "户籍登记项目变更证明", 6)
    sheet.text(28, 100, "姓名：林小雨　公民身份号码：", 4.4)
    sheet.text(28 + 4.4 * 14, 100, one_off(NEW), 4.4)
    truth = sheet.lines[-1]
    found = readings.compare({"id_number": (OLD, NEW)}, [really_read(sheet.image)])["id_number"]
    assert found.mark == "mismatch" and found.place
    left, top, width, height = found.place.box
    assert abs(left * 210 - truth.left) < 6 and abs((left + width) * 210 - truth.right) < 6
    assert top * 297 < (truth.top + truth.bottom) / 2 < (top + height) * 297


@needs_engine
def test_a_drawn_certificate_is_recognised() -> None:
    found = paper_readings.describe(really_read(DRAWN["certificate"](NEW)), KINDS)
    assert (found.kind.mark, found.issuer.value, found.day.value) == (
        "match",
        "青禾县公安局河湾派出所",
        "2026年9月5日",
    )
    assert "〔2026〕第" in found.number.value
    book = paper_readings.describe(really_read(DRAWN["household"](NEW), "household_book"), KINDS)
    assert (book.kind.mark, book.day.value) == ("match", "2026年9月3日")


def test_the_numbers_of_this_table_are_what_they_are_meant_to_be() -> None:
    assert id_number.fault_in(NEW, date(2026, 1, 1)) is None
    assert id_number.fault_in(one_off(NEW), date(2026, 1, 1)) is not None
