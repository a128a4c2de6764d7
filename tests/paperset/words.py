"""Invented people, places and sentences for the drawn papers."""

from __future__ import annotations

import numpy as np

from portal.standards.id_number import check_digit

SURNAMES = "林周陈王李杨马赵黄吴徐孙何高罗郑梁谢宋唐"
GIVEN = (
    "小雨",
    "明轩",
    "思远",
    "雅静",
    "子涵",
    "晓东",
    "志强",
    "文博",
    "佳怡",
    "建国",
    "梦琪",
    "海",
    "芳",
    "宇航",
)
PLACES = ("青禾县", "云溪县", "白石市", "临川县", "松岭县")
TOWNS = ("河湾镇", "杏花乡", "柳林镇", "石桥镇", "东坪乡")
SCHOOLS = ("第一中学", "实验小学", "中心小学", "第三中学", "民族中学")
ILLNESSES = ("左侧胫骨骨折", "支气管肺炎", "急性阑尾炎术后", "病毒性心肌炎")
SENTENCES = (
    "因出生登记时工作人员录入有误，与本人实际情况不一致，现申请予以更正。",
    "上述情况属实，如有虚假，本人愿意承担由此产生的一切责任。",
    "经与户籍登记机关核对，现登记内容与户口簿、出生医学证明一致。",
    "请按照学籍管理的有关规定办理，并将结果告知本人及其监护人。",
    "该生自入学以来一直在我校就读，学习情况正常，无其他变动记录。",
    "随附户口簿首页及本人页复印件、公安机关证明原件各一份，请予审核。",
    "联系人及联系电话以申请表所填为准，如有变动将及时书面告知学校。",
    "本件一式三份，学校、县级教育行政部门和申请人各执一份。",
)


class Words:
    """Draws words from one random generator, so that a picture is always about the same person."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self.place = self.one(PLACES)
        self.town = self.one(TOWNS)
        self.school = f"{self.place}{self.one(SCHOOLS)}"
        self.name = self.person()
        self.parent = self.name[0] + self.one(GIVEN)
        self.number = self.identity()

    def one(self, choices: tuple[str, ...] | str) -> str:
        return choices[int(self._rng.integers(len(choices)))]

    def person(self) -> str:
        return self.one(SURNAMES) + self.one(GIVEN)

    def identity(self) -> str:
        """A number of the division code that is assigned to nobody, with its check digit."""
        year, month, day = self._rng.integers((2008, 1, 1), (2019, 13, 29))
        first = f"622999{year}{month:02d}{day:02d}{int(self._rng.integers(1000)):03d}"
        return first + check_digit(first)

    def date(self) -> str:
        return f"2026年{int(self._rng.integers(1, 13))}月{int(self._rng.integers(1, 29))}日"

    def address(self) -> str:
        return f"云岭省云岭州{self.place}{self.town}{self.one('杏桃柳松竹')}花村{int(self._rng.integers(1, 9))}组"

    def sentences(self, count: int) -> str:
        order = self._rng.permutation(len(SENTENCES))
        return "".join(SENTENCES[i] for i in order[:count])


def wrapped(text: str, per_line: int) -> list[str]:
    """``text`` in lines of at most so many characters."""
    return [text[i : i + per_line] for i in range(0, len(text), per_line)]
