"""Fictional pupils. Identity numbers carry the unassigned division code 622999 and a valid check digit."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from portal.standards import id_number

SURNAMES = "马王李张陈杨赵周吴徐孙朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾"
GIVEN = (
    "文轩",
    "雨桐",
    "思远",
    "晓慧",
    "建国",
    "丽华",
    "志强",
    "欣怡",
    "浩然",
    "雅静",
    "子涵",
    "明哲",
    "秀兰",
    "海燕",
    "嘉豪",
    "婷婷",
)
DOTTED = ("买买提·阿不都", "阿依夏·吐尔逊", "哈丽旦·买买提", "努尔·艾力")
WORDS = {
    "小学": ("一年级", "二年级", "三年级", "四年级", "五年级", "六年级"),
    "初中": ("初一", "初二", "初三"),
    "高中": ("高一", "高二", "高三"),
}
FIRST_BIRTH_YEAR = {"小学": 2020, "初中": 2014, "高中": 2011}  # of the lowest grade, school year 2026


@dataclass(frozen=True)
class DemoPupil:
    name: str
    sex: str
    born: date
    identity: str
    stage: str
    grade: str
    klass: str
    ethnicity: str = "03"
    particulars: dict[str, str] = field(default_factory=dict)


def identity(born: date, sex: str, serial: int) -> str:
    first = f"622999{born:%Y%m%d}{serial % 499 * 2 + (1 if sex == '1' else 0):03d}"
    return first + id_number.check_digit(first)


def pupils(stage: str, count: int, seed: int) -> list[DemoPupil]:
    """`count` pupils of one school, the same ones every time."""
    dice = random.Random(seed)  # noqa: S311 - repeatable fiction
    grades = WORDS[stage]
    found = []
    for number in range(count):
        grade = number * len(grades) // count
        born = date(FIRST_BIRTH_YEAR[stage] - grade, 9, 1) - timedelta(days=dice.randrange(1, 360))
        sex = dice.choice("12")
        name = dice.choice(DOTTED) if number % 37 == 5 else dice.choice(SURNAMES) + dice.choice(GIVEN)
        found.append(
            DemoPupil(
                name,
                sex,
                born,
                identity(born, sex, seed * 61 + number),
                stage,
                grades[grade],
                f"{number % 3 + 1}班",
                dice.choice(("01", "03", "03", "26", "04")),
                {
                    "address": f"云岭省云岭州青禾县河湾镇杏花村{number % 9 + 1}组",
                    "household": f"云岭省云岭州青禾县河湾镇杏花村{number % 9 + 1}组",
                    "boarding": "1" if stage == "高中" else "0",
                    "guardian1_name": dice.choice(SURNAMES) + "建设",
                    "guardian1_relation": "51",
                    "guardian1_phone": f"1390000{number:04d}",
                },
            )
        )
    return found


@dataclass(frozen=True)
class PupilWithPapers:
    key: str
    office: str
    name: str
    sex: str
    born: date
    serial: int
    grade: str

    @property
    def identity(self) -> str:
        return identity(self.born, self.sex, self.serial)


@dataclass(frozen=True)
class Story(PupilWithPapers):
    """A correction, and how far its case has come. `new` is {column: text} as the certificate says."""

    new: dict[str, str]
    cause: str
    explanation: str
    ends: str


@dataclass(frozen=True)
class Leaving(PupilWithPapers):
    """A pupil who leaves for good, and how far the case has come: county, state or approved."""

    explanation: str
    ends: str


LEAVING = (
    Leaving(
        "w1",
        "qinghe_high",
        "郭海波",
        "1",
        date(2009, 9, 18),
        421,
        "高二",
        "学生和监护人于十一月三日书面提出退学，拟外出务工；学校三次家访、谈话，未能挽回。",
        "state",
    ),
    Leaving(
        "w2",
        "qinghe_high",
        "彭雅静",
        "2",
        date(2009, 1, 27),
        422,
        "高三",
        "监护人长期患病，学生须在家照料，学校告知可以休学后仍书面申请退学。",
        "approved",
    ),
    Leaving(
        "w3",
        "state_high",
        "宋明哲",
        "1",
        date(2010, 3, 5),
        423,
        "高一",
        "学生随监护人出国定居，监护人书面申请退学，学校已告知退学后不得复学。",
        "state",
    ),
)
STORIES = (
    Story(
        "s1",
        "qinghe_high",
        "马小东",
        "1",
        date(2010, 5, 6),
        401,
        "高一",
        {"name": "马晓东"},
        "household_corrected",
        "户口簿登记姓名有误，派出所已更正为“马晓东”。",
        "county",
    ),
    Story(
        "s2",
        "qinghe_high",
        "王雨彤",
        "2",
        date(2010, 11, 20),
        402,
        "高一",
        {"name": "王雨桐"},
        "entered_wrongly",
        "入学时姓名录错一个字，以户口簿为准。",
        "county_late",
    ),
    Story(
        "s3",
        "qinghe_high",
        "李志强",
        "1",
        date(2009, 3, 15),
        403,
        "高二",
        {"id_number": identity(date(2009, 3, 16), "1", 413), "birth_date": "2009-03-16"},
        "household_corrected",
        "户籍登记的出生日期有误，派出所已更正，身份证号随之变更。",
        "state",
    ),
    Story(
        "s4",
        "qinghe_high",
        "陈思缘",
        "2",
        date(2010, 1, 8),
        404,
        "高一",
        {"name": "陈思源"},
        "renamed",
        "依法更改姓名，派出所已办理变更登记。",
        "returned",
    ),
    Story(
        "s5",
        "qinghe_high",
        "阿依夏·吐尔逊",
        "2",
        date(2009, 7, 2),
        405,
        "高二",
        {"name": "阿依夏木·吐尔逊"},
        "household_corrected",
        "户籍登记姓名漏一字，派出所已更正。",
        "approved",
    ),
    Story(
        "s6",
        "state_high",
        "赵嘉毫",
        "1",
        date(2010, 8, 30),
        406,
        "高一",
        {"name": "赵嘉豪"},
        "entered_wrongly",
        "建立学籍时录入有误，以户口簿为准。",
        "state",
    ),
    Story(
        "s7",
        "hewan_primary",
        "韩欣仪",
        "2",
        date(2017, 4, 12),
        407,
        "三年级",
        {"name": "韩欣怡"},
        "household_corrected",
        "户口簿登记有误，派出所已更正。",
        "county_doubtful",
    ),
    Story(
        "s8",
        "qinghe_junior",
        "周浩燃",
        "1",
        date(2013, 6, 25),
        408,
        "初一",
        {"name": "周浩然"},
        "entered_wrongly",
        "建立学籍时录入有误，以户口簿为准。",
        "entered",
    ),
)
