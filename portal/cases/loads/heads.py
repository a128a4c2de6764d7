"""What the rows of a sheet are: headings of one to three lines, totals, notes and headings that a printed page repeats."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

HEAD_ROWS = 30  # the headings stand within these
MOST_LINES = 3  # of headings that stand one over the other
FIRST_TEXTS = 3  # of a row, in which 合计 or 备注： stands
LOOKED_AT = 8  # columns of a row in which the first texts are looked for
LONG = 8  # a text in a row that is alone and longer is a sentence
Line = tuple[int, list[str]]  # number of a row in the sheet, its texts
Known = Callable[[Sequence[str]], int]  # how many of these are headings that somebody asks for

_WORD = "合计|总计|小计|共计|累计|总人数|总数"
_TOTAL = re.compile(
    rf"(?:.{{0,12}})(?:{_WORD})(?:人数|数)?(?:\((?:单位:?)?[人名]\))?[:,]?[0-9]*[人名行条]?[。.]?"
    r"|(?:以上|本页|本班|本校|全班|全校|总)?共有?[:]?[0-9]+(?:人|名|行|条|个)(?:学生)?[。.]?"
)
_NOTE = re.compile(
    r"(?:填表|制表|填报|填写|上报|报送|审核|复核|审批|经办|负责|承办|主管|校长|班主任|联系|单位|学校|打印|导出|日期|时间|"
    r"备注|附注|注意|说明|注)[^0-9:]{0,10}(?::.*|[0-9]+\..*|(?<=备注)|(?<=说明))"
    r"|第[0-9]+页.*|[-—]?[0-9]+/[0-9]+[-—]?页?|[(]?(?:盖章|公章|签字|签章|以下空白|此页无正文)[)]?.*"
)
_OF_A_PERSON = re.compile(
    r"[A-Za-z]{0,2}[0-9]{8,}[Xx]?|[12][0-9]{3}[-/.年][0-9]{1,2}[-/.月][0-9]{1,2}日?|[男女]"
)
_NO_NOTE = re.compile(r"[A-Za-z]{0,2}[0-9]{12,}[Xx]?|[男女]")
_SERIAL = re.compile(r"[0-9]{1,6}")
_MAY_BE = re.compile("[计共注总数表核复审办责任联单校打导期时备附说页章字空此填报管:：]")
TOTAL, NOTE, REPEATED = "totals", "notes", "repeated"
NAMED_ROWS = 6  # of each kind, by their numbers
KINDS = {TOTAL: "合计", NOTE: "备注或落款", REPEATED: "重复的标题"}


@dataclass(frozen=True)
class Head:
    """The headings: the number of their last row in the sheet, their texts, and the rows down to there as they stand."""

    row: int
    headings: list[str]
    above: frozenset[tuple[str, ...]] = frozenset()
    starts: frozenset[str] = frozenset()  # the first text of each of them


def find(first: Sequence[Line], known: Known) -> tuple[Head, int]:
    """The row, or up to three rows joined, that hold most known headings, and how many those are: a title may stand above,
    groups in the upper rows. Of equals the fewest and uppermost rows."""
    best, most, found = (0, 0, 0), 0, Head(0, [])
    for place, (number, texts) in enumerate(first):
        joined, last = texts, number
        for lines in range(1, MOST_LINES + 1):
            if lines > 1:
                if place + lines > len(first):
                    break
                last, lower = first[place + lines - 1]
                joined = join(joined, lower, known)
            rank = (known(joined), -lines, -place)
            if rank > best:
                best, most, found = rank, rank[0], Head(last, joined)
    headings = [" ".join(text.split()) for text in found.headings]
    while headings and not headings[-1]:
        headings.pop()
    above = [texts for number, texts in first if number <= found.row]
    starts = frozenset(next(filter(str.strip, texts), "") for texts in above) - {""}
    return Head(found.row, headings, frozenset(map(_said, above)), starts), most


def join(upper: Sequence[str], lower: Sequence[str], known: Known) -> list[str]:
    """Two rows of headings as one: a group stands over the columns to its right, up to the next that names itself."""
    joined, group = [], ""
    for above, below in zip_longest(upper, lower, fillvalue=""):
        if above.strip():
            group = above.strip() if below.strip() else ""
        if not below.strip():
            joined.append(above)
        elif known([group + below]) or not known([below]):
            joined.append(group + below)
        else:
            joined.append(below)
    return joined


def kind_of(texts: Sequence[str], head: Head) -> str:
    """TOTAL, NOTE or REPEATED (a heading or title on the next printed page) for a row below the headings that is about
    nobody; "" for a row of the list."""
    lone = ("" in texts[:2] or len(texts) < 2) and texts.count("") >= len(texts) - 1
    repeats = texts[0] in head.starts or (not texts[0] and not head.starts.isdisjoint(texts))
    if not (lone or repeats or _MAY_BE.search("".join(texts[:LOOKED_AT]))):
        return ""  # nearly every row, and many thousands of them
    if repeats and _said(texts) in head.above:
        return REPEATED
    filled = [text for text in texts if text.strip()]
    start = [_folded(text) for text in filled[:FIRST_TEXTS]]
    if _adds_up(start):
        return "" if any(_OF_A_PERSON.fullmatch(_folded(text)) for text in filled) else TOTAL
    if _notes(start, alone=len(filled) == 1 and len(head.headings) > FIRST_TEXTS):
        return "" if any(_NO_NOTE.fullmatch(_folded(text)) for text in filled) else NOTE
    return ""


def told(passed: Mapping[int, str]) -> str:
    """Which rows were no rows of the list, in a sentence; "" for none."""
    by_kind = {kind: [row for row, one in passed.items() if one == kind] for kind in KINDS}
    said = []
    for kind, rows in by_kind.items():
        some = "、".join(map(str, rows[:NAMED_ROWS]))
        more = f"等 {len(rows)} 行" if len(rows) > NAMED_ROWS else " 行"
        said += [f"第 {some}{more}是{KINDS[kind]}"] if rows else []
    return f"{'，'.join(said)}，没有读入。" if said else ""


def _adds_up(start: Sequence[str]) -> bool:
    """Whether the first texts of a row say that it adds up others. One with a number, a day or a sex of somebody is that
    person's all the same, whatever the name."""
    apart = len(start) > 1 and "".join(start[:2]) in _WORD.split("|") and len(start[0]) == 1
    return apart or any(_TOTAL.fullmatch(text) for text in start)


def _notes(start: Sequence[str], *, alone: bool) -> bool:
    """Whether the first text of a row is a label below the list, or a sentence that stands there alone."""
    first = next(iter(start[1:] if len(start) > 1 and _SERIAL.fullmatch(start[0]) else start), "")
    sentence = alone and len(first) > LONG and bool(re.search("[,。;:、!]", first))
    return sentence or _NOTE.fullmatch(first) is not None


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _said(texts: Sequence[str]) -> tuple[str, ...]:
    """What a row says, wherever it says it."""
    return tuple(filter(None, ("".join(text.split()) for text in texts)))
