"""Whose paper is it? A table of papers of this pupil and of others, then drawn papers really read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from PIL import Image

from portal.cases import whose
from portal.cases.read_text import ReadPage
from portal.cases.readings import CHECK_DIGIT, LOOK_HERE, Paper
from portal.cases.whose import Correction, Named, Person
from storage import reading
from tests import papers
from tests.builders import an_id_number
from tests.cases.test_readings import one_off, page, really_read

BORN = date(2013, 5, 6)
MINE, NEW = an_id_number(BORN, "2", 11), an_id_number(BORN, "2", 61)
TWIN = an_id_number(BORN, "2", 12)
CHILD = an_id_number(date(2012, 9, 1), "1", 33)
FATHER = an_id_number(date(1985, 1, 2), "1", 40)

PUPIL = Person(
    {"name": "林晓雨", "id_number": MINE, "birth_date": "2013-05-06", "sex": "2"},
    {"name": ("林小雨", "林旧名")},
)
NUMBERED = replace(PUPIL, also={"id_number": (NEW,)})
LISTED = replace(PUPIL, key_title="准考证号", key="226200000003")
UNNUMBERED = Person({"name": "林晓雨", "id_number": "", "birth_date": "2013-05-06", "sex": "2"})
AYIXIA = Person({"name": "阿依夏木·吐尔逊", "id_number": MINE, "birth_date": "2013-05-06", "sex": "2"})

CARD = (
    "常住人口登记卡",
    "姓名|{name}|户主或与户主关系|{relation}",
    "出生日期|2013年5月6日",
    "公民身份号码|{number}",
)


def card(name: str, number: str, relation: str = "长女") -> tuple[str, ...]:
    return tuple(line.format(name=name, number=number, relation=relation) for line in CARD)


# A paper of several pages is a tuple of tuples of lines.
CASES: dict[str, tuple[str, Person, tuple[tuple[str, ...], ...], str]] = {
    # honest papers
    "a 准考证号 read with two digits lost": (
        "pupil",
        LISTED,
        (("学生林晓雨（准考证号2262000003）",),),
        "own",
    ),
    "another 准考证号 beside the own name": (
        "pupil",
        LISTED,
        (("学生林晓雨（准考证号226200000417）",),),
        "other",
    ),
    "the register's name and number": ("pupil", PUPIL, (("姓名：林晓雨|公民身份号码：" + MINE,),), "own"),
    "the new name": ("pupil", PUPIL, (("姓名：林小雨|公民身份号码：" + MINE,),), "own"),
    "a former name": ("pupil", PUPIL, (("姓名：林旧名|公民身份号码：" + MINE,),), "own"),
    "both numbers by their labels": ("pupil", NUMBERED, (("变更前：" + MINE, "变更后：" + NEW),), "own"),
    "only the new number": ("pupil", NUMBERED, (("兹证明林晓雨，公民身份号码", NEW),), "own"),
    "a name in a sentence, no number": ("pupil", PUPIL, (("我是初一学生林晓雨，因家庭原因",),), "own"),
    "the pupil and a parent": (
        "pupil",
        PUPIL,
        (("学生：林晓雨 监护人：林建国", "监护人身份证号：" + FATHER),),
        "own",
    ),
    "a parent's number only": ("pupil", PUPIL, (("家长：林建国", "家长身份证号：" + FATHER),), "unread"),
    "a school's report that names nobody": (
        "pupil",
        PUPIL,
        (("关于学生管理的报告", "学生所在学校：青禾县中学"),),
        "unread",
    ),
    "nothing read": ("pupil", PUPIL, ((),), "unread"),
    "the householder's card before the pupil's": (
        "household",
        PUPIL,
        (card("林建国", FATHER, "户主"), card("林晓雨", MINE)),
        "own",
    ),
    "the first page, which names the householder": (
        "household",
        PUPIL,
        (("居民户口簿", "户别|家庭户|户主姓名|林建国", "户号|000123"),),
        "unread",
    ),
    "the first page and the pupil's": (
        "household",
        PUPIL,
        (("居民户口簿", "户主姓名|林建国"), card("林晓雨", MINE)),
        "own",
    ),
    "a dotted name, its dot lost": (
        "pupil",
        AYIXIA,
        (("姓名：阿依夏木吐尔逊|公民身份号码：" + MINE,),),
        "own",
    ),
    "a number behind a label in the line above": (
        "pupil",
        PUPIL,
        (("孩子身份证号", MINE + "，因书写有误"),),
        "own",
    ),
    "a register without a number": ("pupil", UNNUMBERED, (("姓名：林晓雨|公民身份号码：" + MINE,),), "own"),
    # to be looked at
    "one digit misread": ("pupil", PUPIL, (("公民身份号码：" + one_off(MINE),),), "doubtful"),
    "a digit lost": ("pupil", PUPIL, (("公民身份号码：" + MINE[:9] + MINE[10:],),), "doubtful"),
    "two digits under a seal": ("pupil", PUPIL, (("身份证号：" + MINE[:8] + MINE[10:],),), "doubtful"),
    "a misread number of whoever": ("pupil", PUPIL, (("公民身份号码：" + one_off(CHILD),),), "doubtful"),
    "a name one character off": ("pupil", PUPIL, (("姓名：林晓两",),), "doubtful"),
    "a number without a label": ("pupil", PUPIL, (("负责人 " + FATHER,),), "unread"),
    # somebody else's
    "another child": ("pupil", PUPIL, (("姓名：王大伟|公民身份号码：" + CHILD,),), "other"),
    "another of the same surname": ("pupil", PUPIL, (("姓名：林大雪|公民身份号码：" + CHILD,),), "other"),
    "the twin": ("pupil", PUPIL, (("姓名：林晓雪|公民身份号码：" + TWIN,),), "other"),
    "another's number under the pupil's name": (
        "pupil",
        PUPIL,
        (("姓名：林晓雨|公民身份号码：" + CHILD,),),
        "other",
    ),
    "another's name over the pupil's number": (
        "pupil",
        PUPIL,
        (("姓名：王大伟|公民身份号码：" + MINE,),),
        "other",
    ),
    "the wanted number on its holder's paper": (
        "pupil",
        NUMBERED,
        (("姓名：王大伟|公民身份号码：" + NEW,),),
        "other",
    ),
    "another, in a sentence over two lines": (
        "pupil",
        PUPIL,
        (("兹证明我辖区居民王大伟,性别男,公民身份号码", CHILD + ",户籍所在地为青禾县"),),
        "other",
    ),
    "another's change of name": (
        "pupil",
        PUPIL,
        (("准，将姓", "名由“王小伟”变更为“王大伟”，其余不变"),),
        "other",
    ),
    "another's application": (
        "pupil",
        PUPIL,
        (("我是高二学生王大伟,因家庭原因", "学生:王大伟 监护人:王建设"),),
        "other",
    ),
    "a household without the pupil": (
        "household",
        PUPIL,
        (card("林建国", FATHER, "户主"), card("林大雪", CHILD)),
        "other",
    ),
    "a sound number that differs in one place and the check digit": (
        "pupil",
        PUPIL,
        (("公民身份号码：" + TWIN,),),
        "other",
    ),
}


def judged(case: str, *corrections: Correction) -> Named:
    names, person, pages, _verdict = CASES[case]
    made = tuple(replace(page(*lines), page=number) for number, lines in enumerate(pages, start=1))
    return whose.judge(Paper("slot", "证明", made, names=names), person, corrections)


@pytest.mark.parametrize("case", CASES)
def test_whose_paper(case: str) -> None:
    assert judged(case).verdict == CASES[case][3], judged(case).cells


def test_each_value_has_its_mark_its_note_and_its_place() -> None:
    cells = judged("another's number under the pupil's name").cells
    assert (cells["name"].mark, cells["id_number"].mark, cells["sex"].mark) == ("match", "mismatch", "unread")
    assert cells["id_number"].value == CHILD and cells["id_number"].place
    assert judged("one digit misread").cells["id_number"].note == CHECK_DIGIT
    assert judged("a digit lost").cells["id_number"].note == LOOK_HERE
    assert (
        judged("the new name").cells["name"].as_new
        and not judged("a name in a sentence, no number").cells["name"].as_new
    )
    born = judged("the householder's card before the pupil's").cells["birth_date"]
    assert (born.mark, born.value) == ("match", "2013-05-06")


def test_a_right_file_does_not_hide_a_wrong_one_beside_it() -> None:
    right, wrong = page("姓名：林晓雨|公民身份号码：" + MINE), page("姓名：王大伟|公民身份号码：" + CHILD)
    both = (right, replace(wrong, file_id="another"))
    assert whose.judge(Paper("slot", "证明", both), PUPIL).verdict == "other"
    assert whose.judge(Paper("slot", "户口簿", both, names="household"), PUPIL).verdict == "own"


def test_a_guardians_paper_is_shown_and_stops_nothing() -> None:
    paper = Paper("slot", "监护人身份证", (page("姓名|林建国", "公民身份号码|" + FATHER),), names="guardian")
    found = whose.judge(paper, PUPIL)
    assert found.verdict == "other" and not found.stops and found.cells["name"].value == "林建国"
    assert whose.judge(replace(paper, names="pupil"), PUPIL).stops


@pytest.mark.parametrize(("value", "verdict"), [(MINE, "own"), (CHILD, "other")])
def test_what_a_person_read_stands_in_the_place_of_what_the_machine_read(value: str, verdict: str) -> None:
    read = Correction("id_number", one_off(MINE), value)
    assert judged("one digit misread", read).verdict == verdict
    assert judged("another child", read).verdict == "other", "it is of that reading and no other"


def test_a_roster_tells_people_apart_by_their_examination_number() -> None:
    person = Person({"name": "陈晓国", "id_number": ""}, {"name": ("陈建国",)}, "准考证号", "226200000051")
    letter = "你校录取学生{}（准考证号{}），中考报名登记的姓名有误"

    def verdict(name: str, number: str) -> str:
        return whose.judge(Paper("letter-1", "便函", (page(letter.format(name, number)),)), person).verdict

    assert verdict("陈建国", "226200000051") == "own"
    assert verdict("郭海燕", "226200000052") == "other"
    assert verdict("陈建国", "226299990052") == "other"
    assert verdict("陈建国", "226200000057") == "own", "one digit off is looked at"


# --- really read ----------------------------------------------------------------------------------------------------

needs_engine = pytest.mark.skipif(
    not reading.available(), reason="the extra 'reading' is not installed: pip install '.[reading]'"
)


def drawn(kind: str, name: str, number: str) -> Image.Image:
    if kind == "household":
        return papers.household_page(name, number, 2)
    return papers.police_certificate(name, number, f"姓名 {name}", "姓名 林小雨", 1, width=1697)


@needs_engine
@pytest.mark.parametrize("kind", ["pupil", "household"])
def test_a_drawn_paper_is_the_pupils_or_another_childs(kind: str) -> None:
    for name, number, verdict in (("林晓雨", MINE, "own"), ("王大伟", CHILD, "other")):
        paper = replace(really_read(drawn(kind, name, number)), names=kind)
        assert whose.judge(paper, PUPIL).verdict == verdict


def test_the_numbers_of_this_table_are_what_they_are_meant_to_be() -> None:
    assert len({MINE, NEW, TWIN, CHILD, FATHER}) == 5
    assert sum(a != b for a, b in zip(MINE, TWIN, strict=True)) <= 2
    assert isinstance(page("一"), ReadPage)
