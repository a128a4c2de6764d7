"""Which column of the sheet is which column of the register.

A heading is recognised by the titles and aliases of the register's columns. The 2022 采集表 (教办基〔2022〕290号 附件1)
repeats bare headings (姓名, 关系, 民族, …) for each of two guardians after the pupil's own: those go by their place.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence

from portal.cases import preferences
from portal.models import Level
from portal.standards.columns import BY_KEY, COLUMNS

GUARDIAN_WORDS = {
    "姓名": "name",
    "关系": "relation",
    "与学生关系": "relation",
    "是否监护人": "is_guardian",
    "民族": "ethnicity",
    "身份证件类型": "id_type",
    "证件类型": "id_type",
    "身份证件号": "id_number",
    "身份证件号码": "id_number",
    "身份证号": "id_number",
    "工作单位": "work",
    "户口所在地具体地址": "household",
    "户口所在地": "household",
    "联系电话": "phone",
    "手机号码": "phone",
}
_OPENERS = ("name", "relation")  # a guardian's block begins with one of these
_PREFIX = re.compile(r"(?:家庭)?(?:成员)?(?:或)?(?:监护人|家庭成员|成员)(?:信息)?([一二12]?)(.+)")
NOISE = re.compile(r"[\s*＊★:：]|[(（](?:必填|选填|必采)[)）]")
_BY_TITLE = {
    title: column.key
    for column in COLUMNS
    for title in (column.title, *column.aliases)
    if not column.key.startswith("guardian")
}
TITLES = frozenset(_BY_TITLE) | frozenset(GUARDIAN_WORDS)  # headings that stand by themselves
_GROUP = re.compile(r"(?:家庭)?(?:成员)?(?:或)?(?:监护人|家庭成员|成员)(?:信息)?[一二12]?")


def is_group(text: str) -> bool:
    """Whether a heading names a guardian's group of columns, which tells of whom the headings below it are."""
    return bool(_GROUP.fullmatch(tidy(text)))


def tidy(heading: str) -> str:
    """A heading without stars, spaces and marks of obligation."""
    return NOISE.sub("", heading)


def propose(headings: Sequence[str]) -> dict[str, str]:
    """{position of the heading as text: column key} for every heading that is recognised. No column twice."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    block = 0  # 0: the pupil's own headings, 1 and 2: a guardian's
    for position, heading in enumerate(map(tidy, headings)):
        key, block = _recognise(heading, taken, block)
        if key and key not in taken:
            found[str(position)] = key
            taken.add(key)
    return found


def _recognise(heading: str, taken: set[str], block: int) -> tuple[str, int]:
    """(column key or "", the block that we are in after this heading)."""
    named = _PREFIX.fullmatch(heading)
    if named and tidy(named[2]) in GUARDIAN_WORDS:
        item = GUARDIAN_WORDS[tidy(named[2])]
        number = {"一": 1, "1": 1, "二": 2, "2": 2}.get(named[1])
        number = number or (2 if f"guardian1_{item}" in taken else 1)
        return f"guardian{number}_{item}", block
    item = GUARDIAN_WORDS.get(heading, "")
    own = _BY_TITLE.get(heading, "")
    if own and own not in taken and not (item and block):
        return own, block
    if not item:
        return "", block
    if f"guardian{block}_{item}" in taken or (block == 0 and item in _OPENERS):
        block += 1
    return (f"guardian{block}_{item}" if block in (1, 2) else ""), block


def fault_in(chosen: Mapping[str, str], level: Level) -> str:
    """Why a mapping cannot be used, in Chinese; "" when it can."""
    keys = list(chosen.values())
    unknown = set(keys) - {column.key for column in COLUMNS}
    if unknown:
        return "有不认识的列，请重新选择"
    twice = sorted({BY_KEY[key].title for key in keys if keys.count(key) > 1})
    if twice:
        return f"“{'”“'.join(twice)}”选了不止一列，每项只能对应一列"
    missing = [column.title for column in COLUMNS if column.key in needed(level) and column.key not in keys]
    if missing:
        return f"还缺少：{'、'.join(missing)}。名单中没有这些列的，请在全国学籍系统导出时勾选"
    return ""


def needed(level: Level) -> frozenset[str]:
    """Columns that a load cannot do without. A school's own load may leave out its school code."""
    keys = {column.key for column in COLUMNS if column.required}
    return frozenset(keys - {"school_code"} if level is Level.SCHOOL else keys)


def recall(office_id: uuid.UUID, headings: Sequence[str]) -> dict[str, str] | None:
    """The mapping that this office used last for these very headings, or None."""
    kept = preferences.kept(office_id, _key(headings)).get("mapping")
    if not isinstance(kept, dict):
        return None
    return {str(key): str(value) for key, value in kept.items() if value in BY_KEY}


def remember(office_id: uuid.UUID, headings: Sequence[str], chosen: Mapping[str, str]) -> None:
    """Keep the mapping for the office's next load with these headings, in the running transaction."""
    preferences.keep(office_id, _key(headings), {"mapping": dict(chosen)})


def _key(headings: Sequence[str]) -> str:
    joined = "\x1f".join(tidy(heading) for heading in headings)
    return "load-columns:" + hashlib.sha256(joined.encode()).hexdigest()[:32]
