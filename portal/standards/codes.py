"""Code tables of JY/T 1001, GB/T 2261.1, GB/T 3304 and GB/T 4762, read once from codes/*.csv."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from types import MappingProxyType

from portal.standards.words import plain

FOLDER = Path(__file__).parent / "codes"

SEX = "xb"
ETHNICITY = "mz"
ID_TYPE = "sfzjlx"
OVERSEAS = "gatqw"
POLITICAL = "zzmm"
DISABILITY = "cjlx_recommended"
RELATION = "jtgx"
ENROLMENT_STATUS = "xsdqzt"
CHANGE_TYPE = "xjydlb"
CHANGE_REASON = "xjydyy"
YES_NO = "sfbz"

# Names that exports and people write for the same code.
SHORT_NAMES = {
    SEX: {"男": "1", "女": "2", "未知": "0", "未说明": "9"},
    OVERSEAS: {"否": "00", "非港澳台侨外": "00"},
    DISABILITY: {"无": "0", "否": "0"},
    ETHNICITY: {"毛难族": "36", "其他": "97", "外国血统": "98"},
    ENROLMENT_STATUS: {"在校": "01", "转出": "10"},
    POLITICAL: {"少先队员": "13", "共青团员": "03", "团员": "03", "中共党员": "01", "中共预备党员": "02"},
}


@cache
def table(name: str) -> MappingProxyType[str, str]:
    """code -> name of one table, in the standard's order."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = {row["code"]: row["name"] for row in csv.DictReader(lines)}
    if name == OVERSEAS:
        rows = {"00": "否", **rows}  # the register adds it
    return MappingProxyType(rows)


@cache
def _codes_by_name(name: str) -> dict[str, str]:
    found = {label: code for code, label in table(name).items()}
    found |= {label.removesuffix("族"): code for code, label in table(name).items() if name == ETHNICITY}
    return found | SHORT_NAMES.get(name, {})


def code_of(name: str, text: str) -> str | None:
    """The code for what stands in a cell: the code itself or its name; None where the table has neither."""
    text = plain(text).strip()
    if text in table(name):
        return text
    return _codes_by_name(name).get(text)


def label(name: str, code: str) -> str:
    """What a person reads for a code; a code outside the table is shown as it is."""
    if name == SEX and code in ("1", "2"):
        return {"1": "男", "2": "女"}[code]
    return table(name).get(code, code)
