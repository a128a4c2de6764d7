"""What was read on the papers told to the school before it submits: what differs, and what to do about it.

Advice, never a stop: whoever is sure goes on with one sentence, which the offices read. What was not read is not told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from portal.cases import named_on_paper, readings, whose_papers
from portal.cases.named_on_paper import Said, Sheet
from portal.cases.read_papers import on_paper, papers_of
from portal.cases.read_text import Place, ReadPage, Row, by_file, rows
from portal.cases.readings import CHECK_DIGIT, STILL_OLD, FieldReading, Paper
from portal.cases.refusing import Refused
from portal.cases.whose import Cell, Named
from portal.models import Case
from portal.standards.columns import BY_KEY
from portal.standards.words import letters_in
from portal.workflows import WORKFLOWS, workflow
from portal.workflows.facts import Facts
from portal.workflows.vocabulary import base_id

TOP_ROWS = 6  # a heading stands among the first lines
AROUND_TITLE = 8  # characters that a heading has beside the words of its kind
FEW_PLACES = 4  # of a number are named; where more differ, it is another number
TELLING = 4  # characters of a title that say what a paper is in every procedure; 决定, 报告 stand in many
ANOTHERS = "请核对是不是拿错了别人的材料；拿错的请移除后重传"
COMMON = range(0x4E00, 0xA000)  # characters that a machine can be trusted with


@dataclass(frozen=True)
class Advice:
    """One thing that differs: at which slot, what, and what to do. `asks`: going on over it asks for a sentence."""

    slot: str
    text: str
    remedy: str
    asks: bool = True
    place: Place | None = None
    of_before: bool = False  # told of the value before the change: the register's, not the form's


@dataclass(frozen=True)
class Compared:
    """The papers of a case held against it once: what was read, whom each names, and everything that differs."""

    papers: list[Paper]
    named: list[Named]
    advice: list[Advice]


def compare(case: Case, facts: Facts) -> Compared:
    """Read and compare every paper of a case."""
    papers = papers_of(case, facts)
    named = whose_papers.named(case, facts, papers)
    return Compared(papers, named, _advice(facts, papers, {one.slot: one for one in named}))


def _advice(facts: Facts, papers: Iterable[Paper], named: Mapping[str, Named]) -> list[Advice]:
    """What was read otherwise, a paper after the other."""
    found: list[Advice] = []
    for paper in papers:
        if not paper.pages:
            continue
        own = named.get(paper.slot)
        stranger = own if own and own.stops else None
        found += _of_somebody_else(stranger, facts) if stranger else []
        found += _of_another_kind(paper, facts)
        said = {cell.column for cell in stranger.differing} if stranger else set()
        if paper.names != "guardian":
            found += _values(paper, facts, said)
            found += _before(paper, facts, said)
    return found


def refuse_unsaid(case: Case, facts: Facts, words: str) -> None:
    """Going on over advice asks for one sentence. Raises Refused."""
    if letters_in(words) >= whose_papers.LEAST:
        return
    if any(one.asks for one in compare(case, facts).advice):
        raise Refused(
            f"材料上读到的与本件所填不一致，请先核对；确认无误仍要提交的，请写一句说明（至少 {whose_papers.LEAST} 个字）",
            field=whose_papers.WORDS,
        )


# --- whose ----------------------------------------------------------------------------------------------------------


def _of_somebody_else(one: Named, facts: Facts) -> Iterator[Advice]:
    new = workflow(facts.workflow).changes(facts)
    first, *others = (_whom(one, cell, new) for cell in one.differing)
    said = "；".join([first, *(text.removeprefix("的") for text in others)])
    yield Advice(one.slot, f"“{one.title}”上{said}", ANOTHERS, True, one.differing[0].place)


def _whom(one: Named, cell: Cell, new: Mapping[str, str]) -> str:
    if cell.column == "name":
        asked = (
            f"本件填的是{new['name']}" if new.get("name") else f"该生是{one.person.register.get('name', '')}"
        )
        return f"是{cell.value}，{asked}"
    if cell.column == "key":
        return f"的{one.person.key_title}是 {cell.value}，名单上是 {one.person.key}"
    right = one.person.values("id_number")
    return f"的身份证件号不是该生的（{apart(right[-1], cell.value)}）"


def apart(a: str, b: str) -> str:
    """At which places two numbers differ: said in words, so that neither stands on the page."""
    if len(a) != len(b):
        return "位数不同"
    places = [str(n) for n, (x, y) in enumerate(zip(a, b, strict=True), 1) if x != y]
    return f"第 {'、'.join(places)} 位不同" if len(places) <= FEW_PLACES else f"{len(places)} 位不同"


# --- which kind -----------------------------------------------------------------------------------------------------


def _of_another_kind(paper: Paper, facts: Facts) -> Iterator[Advice]:
    """Pages whose heading is that of another paper, in a file that nowhere bears the title asked for."""
    own = workflow(facts.workflow).slot(paper.slot, facts)
    if own is None or not own.titles:
        return
    for pages in by_file(paper.pages):
        if any(_spaced(title).search(row.text) for row in rows(pages) for title in own.titles):
            continue
        for page in pages:
            if (row := _heading(page, paper.slot, facts)) is None:
                continue
            which = "这一页" if len(pages) == 1 else f"第 {page.page} 页"
            text = (
                f"“{paper.title}”里{which}读到的标题是{_plain(row)}，不是{re.sub(r'（.*', '', paper.title)}"
            )
            yield Advice(
                paper.slot, text, "请放到对应的一栏，或更换为要求的材料", True, row.place(0, len(row.text))
            )


def _heading(page: ReadPage, slot: str, facts: Facts) -> Row | None:
    titles = [
        title
        for law in WORKFLOWS
        for item in law.evidence
        if (law.id, item.id) != (facts.workflow, base_id(slot))
        for title in item.titles
        if law.id == facts.workflow or len(title) >= TELLING
    ]
    for row in rows([page])[:TOP_ROWS]:
        for title in titles:
            if _spaced(title).search(row.text) and len(_plain(row)) <= len(title) + AROUND_TITLE:
                return row
    return None


def _spaced(title: str) -> re.Pattern[str]:
    return re.compile(r"[\s|]*".join(map(re.escape, title)))


def _plain(row: Row) -> str:
    return re.sub(r"[\s|]", "", row.text)


# --- which values ---------------------------------------------------------------------------------------------------


def _values(paper: Paper, facts: Facts, said: set[str]) -> Iterator[Advice]:
    """Changed values that the paper gives otherwise than the form, without those told already."""
    pairs = {
        column: (facts.pupil[column], new)
        for column, new in workflow(facts.workflow).changes(facts).items()
        if on_paper(column) and column not in said
    }
    for column, one in readings.compare(pairs, [paper]).items():
        if one.mark == "mismatch":
            yield Advice(
                paper.slot,
                _value_text(paper, column, one, pairs[column][1]),
                *_what_to_do(one, pairs[column][1]),
                one.place,
            )


def _value_text(paper: Paper, column: str, one: FieldReading, new: str) -> str:
    title, private = BY_KEY[column].title, BY_KEY[column].private
    if one.note == STILL_OLD:
        return f"“{paper.title}”上的{title}还是学籍登记的原值" + (
            "" if private else f"“{BY_KEY[column].shown(one.value)}”"
        )
    if private:
        return f"“{paper.title}”上的{title}与本件填的不同（{apart(new, one.value)}）"
    return f"“{paper.title}”上的{title}是{BY_KEY[column].shown(one.value)}，本件填的是{BY_KEY[column].shown(new)}"


def _what_to_do(one: FieldReading, new: str) -> tuple[str, bool]:
    """What to do, and whether going on asks for words: not where the machine may well have misread."""
    if one.note == CHECK_DIGIT:
        return "读到的号码校验位不符，可能是识读有误，请对照原件逐位核对", False
    if one.column == "name" and _rare(one.value, new):
        return "生僻字可能识读不准，请对照原件逐字核对", False
    return "请对照原件核对：填错的请改填写内容，材料不对的请更换", True


def _rare(read: str, right: str) -> bool:
    """Whether a name differs only at a character that a machine cannot be trusted with."""
    return len(read) == len(right) and all(
        x == y or ord(y) not in COMMON for x, y in zip(read, right, strict=True)
    )


def _before(paper: Paper, facts: Facts, told: set[str]) -> Iterator[Advice]:
    """What the paper calls the value before the change, where the register says otherwise."""
    sheet = Sheet.of(paper.pages)
    for column in workflow(facts.workflow).changes(facts):
        old = readings.stored(column, facts.pupil[column])
        if not old or column not in SAID_OF or column in told:
            continue
        said = [one for one in SAID_OF[column](sheet) if one.side == "before"]
        if not said or any(_is_old(column, one, facts) for one in said):
            continue
        one = said[0]
        doubtful = (column == "id_number" and not named_on_paper.is_sound(one.value)) or (
            column == "name" and _rare(one.value, old)
        )
        title, private = BY_KEY[column].title, BY_KEY[column].private
        text = f"“{paper.title}”上变更前的{title}" + (
            f"与学籍登记不同（{apart(old, one.value)}）"
            if private
            else f"是{BY_KEY[column].shown(one.value)}，学籍登记的是{BY_KEY[column].shown(old)}"
        )
        remedy = "请核对是不是选对了学生、拿对了材料；学籍登记本来就不同的，请写明"
        yield Advice(paper.slot, text, remedy, not doubtful, one.found.place, of_before=True)


SAID_OF = {
    "name": named_on_paper.names,
    "id_number": named_on_paper.numbers,
    "birth_date": named_on_paper.birth_dates,
    "sex": named_on_paper.sexes,
}


def _is_old(column: str, one: Said, facts: Facts) -> bool:
    right: Sequence[str] = [facts.pupil[column]]
    if column == "name":
        right = [facts.pupil[column], facts.pupil[whose_papers.FORMER]]
    return one.value in {readings.stored(column, value) for value in right if value}
