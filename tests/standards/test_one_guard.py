"""The one guard of names, numbers, dates, classes and grades that form, roster and load share."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.standards import codes, grades, id_number, names, pinyin
from portal.standards.alike import alike
from portal.standards.dates import read_date
from portal.standards.grades import Grade
from portal.standards.words import code_points, plain

JUNIOR = {"stage": "初中", "grade": "初一"}
RARE = st.one_of(
    st.integers(0x4E00, 0x9FFF),
    st.integers(0x20000, 0x2EE5D),
    st.integers(0x30000, 0x33479),
    st.integers(0xE000, 0xF8FF),
).map(chr)


@pytest.mark.parametrize(
    ("written", "stored", "word"),
    [
        ("王 芳", "王芳", "空格"),
        ("李　四", "李四", "空格"),
        ("吴\xa0九", "吴九", "空格"),
        ("买买提 · 艾力", "买买提·艾力", "空格"),
        ("周\u200b八", "周八", "U+200B"),
        ("郑\u202c十", "郑十", "U+202C"),
        ("冯\ufe00一", "冯一", "U+FE00"),
        ("\ue000中", "\ue000中", "U+E000"),
        ("赵六 ", "赵六", ""),
        ("　孙七", "孙七", ""),
        ("Anna  Maria Smith", "Anna Maria Smith", ""),
        ("J. R. O'Neil-Smith", "J. R. O'Neil-Smith", ""),
        ("买买提．艾力", "买买提．艾力", ""),
    ],
)
def test_a_name_is_read_and_what_was_put_right_is_told(written: str, stored: str, word: str) -> None:
    name = names.read(written)
    assert name.value == stored and name.fault is None
    assert (
        (name.note is not None and word in name.note.reason and name.note.remedy)
        if word
        else name.note is None
    )
    assert names.read(stored).value == stored, "read again it is the same"


@pytest.mark.parametrize(
    ("name", "word"),
    [
        *(("·", "没有文字"), ("-", "没有文字"), ("", "没有填写"), (" \u200b", "没有填写")),
        *(
            ("李··四", "连在一起"),
            ("李·-四", "连在一起"),
            ("·李四", "开头或结尾"),
            ("李四•", "开头或结尾"),
            ("李四.", "开头"),
        ),
        *(
            ("李4", "“4”（U+0034）"),
            ("李４", "U+FF14"),
            ("⻩方", "U+2EE9"),
            ("王○", "U+25CB"),
            ("⼊一", "U+2F0A"),
        ),
        *(
            ("Аnna", "U+0410"),
            ("Ａnna", "U+FF21"),
            ("李\ufffd", "U+FFFD"),
            ("李①", "U+2460"),
            ("李" * 51, "50"),
        ),
    ],
)
def test_a_name_has_structure(name: str, word: str) -> None:
    fault = names.name_fault(name)
    assert fault and word in fault.reason and fault.remedy


def test_a_look_alike_is_named_with_what_was_meant_and_a_blank_typed_within_is_a_slip() -> None:
    meant = names.name_fault("⻩方")
    assert meant and "“黄”（U+9EC4）" in meant.remedy
    slip = names.name_fault("曾 晓慧")
    assert slip and "空格" in slip.reason and "曾晓慧" in slip.remedy
    assert names.name_fault("Anna Smith") is None and names.name_fault("赵六 ") is None


@given(st.text(RARE, min_size=1, max_size=50))
def test_rare_characters_are_allowed_and_kept(name: str) -> None:
    assert names.name_fault(name) is None and names.tidy(name) == name and names.spelling(name) == name


@pytest.mark.parametrize("dot", names.DOTS + ".")
def test_every_dot_is_one(dot: str) -> None:
    name = f"阿依古丽{dot}吐尔逊"
    assert names.name_fault(name) is None
    assert alike("name", name, "阿依古丽·吐尔逊", {}) and names.name_key(name) == "阿依古丽吐尔逊"


def test_another_character_is_another_name() -> None:
    assert not alike("name", "\uf900", "\u8c48", {}) and not alike("name", "王芳", "王方", {})
    assert not alike("name", "Anna Smith", "AnnaSmith", {}) and not alike("name", "", "王芳", {})


@pytest.mark.parametrize(
    ("column", "one", "other", "same"),
    [
        *(
            ("class_name", one, "4班", True)
            for one in ("4", "４班", "（4）班", "四班", "第四班", "初一4班", "七年级（四）班", "七(4)班")
        ),
        *(("class_name", one, "4班", False) for one in ("14班", "八(4)班", "高一4班", "火箭班")),
        *(
            ("grade", one, "七年级", True)
            for one in ("初一", "7年级", "７年级", "初中一年级", "初一年级", " 七 年级")
        ),
        *(("grade", one, "七年级", False) for one in ("初二", "高一", "2026级")),
        ("id_number", "62299920100506001x", "６２２９９９20100506001X", True),
        ("guardian1_id_number", "622999 198001015701", "622999198001015701", True),
        ("guardian1_name", "马 国强", "马国强", True),
        ("address", "一 号", "一号", False),
    ],
)
def test_what_is_one_thing(column: str, one: str, other: str, same: bool) -> None:
    assert alike(column, one, other, JUNIOR) is alike(column, other, one, JUNIOR) is same


@pytest.mark.parametrize(
    ("stage", "text", "system", "grade"),
    [
        ("初中", "初一", "6-3", Grade("初中", 7, True, False)),
        ("初中", "初一", "5-4", Grade("初中", 6, True, False)),
        ("初中", "六年级", "5-4", Grade("初中", 6, True, False)),
        ("小学", "六年级", "6-3", Grade("小学", 6, False, True)),
        ("小学", "六年级", "5-4", None),
        ("初中", "初四", "5-4", Grade("初中", 9, False, True)),
        ("初中", "初四", "6-3", None),
        ("初中", "一年级", "6-3", Grade("初中", 7, True, False)),
        ("高中", "一年级", "5-4", Grade("高中", 10, True, False)),
        ("高中", "高中三年级", "6-3", Grade("高中", 12, False, True)),
        ("", "五年级", "5-4", Grade("小学", 5, False, True)),
        ("初中", "高一", "6-3", None),
        ("", "2026级", "6-3", None),
    ],
)
def test_grades_of_both_systems(stage: str, text: str, system: str, grade: Grade | None) -> None:
    assert Grade.of(stage, text, system) == grade


@pytest.mark.parametrize("system", grades.LAST_OF_PRIMARY)
def test_every_spelling_is_read_as_its_grade(system: str) -> None:
    every = grades.every(system)
    assert [one.year for one in every] == list(range(1, 13)) and sum(one.first for one in every) == 3
    for one in every:
        assert one.title in grades.spellings(one, system) and grades.titled(one.title, system) == one
        assert {grades.of(one.stage, text, system) for text in grades.spellings(one, system)} == {one}


def test_what_nobody_sees_is_no_part_of_a_value() -> None:
    number = "62299920100506001X"
    assert id_number.tidy(f" {number[:9]}\u200b{number[9:]}\u202c") == number
    assert codes.code_of(codes.SEX, "男\u200b") == "1" and plain("\ufeff\u200e") == ""
    assert read_date("\u200e2010-05-06\u200e") == read_date("２０１０年５月６日") == date(2010, 5, 6)
    assert (
        names.name_key("曾晓慧\u200b") == "曾晓慧" and code_points("\u200b\u200b\ufe00") == "U+200B、U+FE00"
    )


@pytest.mark.parametrize(
    ("name", "ways"),
    [
        ("曾晓慧", ("zengxiaohui zxh", "cengxiaohui cxh")),
        ("尉迟恭", ("yuchigong ycg",)),
        ("吕布", ("lvbu lb", "lyubu lb")),
        ("买买提•艾力", ("maimaitiaili mmtal",)),
        ("Anna Smith", ("annasmith ",)),
    ],
)
def test_how_a_name_is_read_aloud(name: str, ways: tuple[str, ...]) -> None:
    assert tuple(" ".join(way) for way in pinyin.ways(name)) == ways
