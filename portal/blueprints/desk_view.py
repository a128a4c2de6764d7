"""What the reviewer's desk shows beyond casefile: marked differences, clauses that were checked, scans, what was mended.

What never belongs here: a query about who may see it, a change.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import groupby

from portal.blueprints import casefile, slots_view
from portal.blueprints.casefile import Change, RemarkItem
from portal.blueprints.marks_view import Frame, frame
from portal.blueprints.slots_view import FileView
from portal.cases import evidence, remarks
from portal.cases.offices import supervisor
from portal.models import Case, Remark
from portal.policies import Article
from portal.standards import id_number
from portal.standards.columns import BY_KEY
from portal.workflows import workflow
from portal.workflows.facts import Facts
from portal.workflows.vocabulary import Refusal


@dataclass(frozen=True)
class Piece:
    """A run of characters that stands in both values or in one only."""

    text: str
    differs: bool


@dataclass(frozen=True)
class MarkedChange:
    """One register column, old beside new, cut where they differ. `hidden`: a number that is masked until revealed."""

    title: str
    old: tuple[Piece, ...]
    new: tuple[Piece, ...]
    remark: str
    hidden: bool
    is_number: bool


def marked(changes: Iterable[Change], *, revealed: bool) -> list[MarkedChange]:
    """The changes with every differing character marked."""
    return [_mark(change, revealed) for change in changes]


def _mark(change: Change, revealed: bool) -> MarkedChange:
    private = BY_KEY[change.column].private
    remark = count(change.old, change.new) if BY_KEY[change.column].kind == "id_number" else ""
    if private and not revealed:
        old, new = (Piece(id_number.masked(text), False) for text in (change.old, change.new))
        return MarkedChange(change.title, _some(old), _some(new), remark, True, True)
    old_pieces, new_pieces = differences(change.old, change.new)
    return MarkedChange(change.title, old_pieces, new_pieces, remark, False, bool(remark))


def _some(piece: Piece) -> tuple[Piece, ...]:
    return (piece,) if piece.text else ()


def count(old: str, new: str) -> str:
    """How many places of a number differ, and which: said in words so that a masked number can be judged too."""
    if not old or not new:
        return ""
    if len(old) != len(new):
        return f"位数不同（{len(old)} 位改为 {len(new)} 位）"
    places = [n for n, (a, b) in enumerate(zip(old, new, strict=True), start=1) if a != b]
    return f"{len(places)} 位不同：第 {'、'.join(map(str, places))} 位" if places else "相同"


def differences(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both texts in pieces. Texts of one length are compared place by place, as a person compares two numbers."""
    if len(old) == len(new):
        same = [a == b for a, b in zip(old, new, strict=True)]
        return _runs(old, same), _runs(new, same)
    same_old, same_new = [False] * len(old), [False] * len(new)
    for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        same_old[block.a : block.a + block.size] = [True] * block.size
        same_new[block.b : block.b + block.size] = [True] * block.size
    return _runs(old, same_old), _runs(new, same_new)


def _runs(text: str, same: Sequence[bool]) -> tuple[Piece, ...]:
    runs = groupby(zip(text, same, strict=True), key=lambda pair: pair[1])
    return tuple(Piece("".join(character for character, _ in run), not alike) for alike, run in runs)


@dataclass(frozen=True)
class Check:
    """One clause that the rules of this case rest on, and what it stops: nothing means that the case passes."""

    article: Article
    refusals: list[Refusal] = field(default_factory=list)


def checks(facts: Facts, refusals: Iterable[Refusal]) -> list[Check]:
    """Every clause that was checked, those that stop the case first."""
    found: dict[str, Check] = {}
    for rule in workflow(facts.workflow).every_rule:
        article = rule.article_in(facts.policy)
        found.setdefault(article.id, Check(article))
    for refusal in refusals:
        found.setdefault(refusal.article.id, Check(refusal.article)).refusals.append(refusal)
    return sorted(found.values(), key=lambda check: not check.refusals)


@dataclass(frozen=True)
class ScanPage:
    url: str
    frames: tuple[Frame, ...] = ()
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class Scan:
    """A file for the viewer of macros/desk.html."""

    id: str
    title: str
    name: str
    pages: tuple[ScanPage, ...]
    verdict: str
    note: str
    download_url: str
    slot: str = ""


def scans(
    slots: Iterable[slots_view.SlotView], frames: Mapping[str, Sequence[Frame]] | None = None
) -> list[Scan]:
    """The files of a case in the order of its slots; several of one slot are numbered. `frames` are the marked places
    by the id of their file."""
    return [
        scan(
            file,
            slot.title if len(slot.files) == 1 else f"{slot.title} {number}",
            (frames or {}).get(file.id, ()),
        )
        for slot in slots
        for number, file in enumerate(slot.files, start=1)
    ]


def scan(file: FileView, title: str, frames: Sequence[Frame] = ()) -> Scan:
    """One file for the viewer, with the places that were marked on it."""
    pages = tuple(
        ScanPage(url, tuple(one for one in frames if one.page == number))
        for number, url in enumerate(file.page_urls, start=1)
    )
    note = f"学校说明：{file.override_reason}" if file.override_reason else ""
    return Scan(file.id, title, file.name, pages, file.verdict, note, file.original_url, file.slot)


def standing_frames(case: Case) -> dict[str, list[Frame]]:
    """The places that the last return marked, by the id of the file that they are on."""
    titles, found = remarks.reason_titles(case), defaultdict(list)
    for remark in remarks.open_remarks(case):
        if remark.file_id and remark.box:
            found[str(remark.file_id)].append(frame(remark, titles))
    return found


@dataclass(frozen=True)
class Mended:
    """One item of the last return with what became of it: old and new answer, or old and new files."""

    item: RemarkItem
    old: str
    new: str
    pairs: tuple[tuple[FileView, FileView], ...]


def mended(case: Case, facts: Facts) -> list[Mended]:
    """The last return item by item. Empty when nothing was ever returned."""
    rows = {str(remark.id): remark for remark in remarks.open_remarks(case)}
    return [_mended(case, facts, item, rows[item.id]) for item in casefile.remark_items(case)]


def _mended(case: Case, facts: Facts, item: RemarkItem, remark: Remark) -> Mended:
    before = json.loads(remark.before or "null")
    if remark.target == remarks.FIELD and case.answers.get(remark.key) != before:
        return Mended(
            item,
            _answer(facts, remark.key, before),
            _answer(facts, remark.key, case.answers.get(remark.key)),
            (),
        )
    if remark.target == remarks.EVIDENCE:
        gone = [file for file in evidence.removed_files(case, remark.key) if file.sha256 in (before or [])]
        come = [file for file in evidence.files_of(case, remark.key) if file.sha256 not in (before or [])]
        views = [[slots_view.file_view(case, file) for file in files] for files in (gone, come)]
        return Mended(item, "", "", tuple(zip(*views, strict=False)))
    return Mended(item, "", "", ())


def _answer(facts: Facts, name: str, raw: object) -> str:
    """A raw answer as a person reads it; numbers stay masked, the comparison above shows them on request."""
    law = workflow(facts.workflow)
    column = BY_KEY.get(law.compare.get(name, ""))
    if column and column.private:
        return id_number.masked(str(raw or ""))
    form = law.form.from_raw({name: raw or ""}, facts)
    return casefile.shown(form[name]) if raw else "（空）"


@dataclass(frozen=True)
class Outcome:
    """What an approval would do, said before it is done."""

    last: bool
    text: str


def outcome(case: Case, facts: Facts, changes: Sequence[MarkedChange]) -> Outcome:
    """The next step and its office, or the change of the register that cannot be taken back."""
    steps = workflow(case.workflow).steps(facts)
    ids = [step.id for step in steps]
    after = steps[ids.index(case.step) + 1 :] if case.step in ids else ()
    if after:
        office = supervisor(case.owner, after[0].office)
        return Outcome(False, f"同意后转{office.name if office else ''}办理“{after[0].title}”。")
    if workflow(case.workflow).roster:
        return Outcome(True, _outcome_of_roster(facts))
    what = "；".join(_said(one) for one in changes)
    aside = "" if workflow(case.workflow).terminal else "不能撤销，只能另行变更。"  # it says more itself
    return Outcome(True, f"同意后学籍登记将立即更改：{what}。{aside}")


def _outcome_of_roster(facts: Facts) -> str:
    count = len(facts.standing_rows)
    given = facts.numbers.upto(count) if facts.numbers and count else None
    numbers = f"，学号自 {given.first} 号起，至 {given.last} 号终" if given else ""
    return f"同意后 {count} 名学生进入学籍登记{numbers}。不能撤销，只能另行办理。"


def _said(change: MarkedChange) -> str:
    counted = f"（{change.remark}）" if change.hidden else ""
    return f"{change.title}由“{_plain(change.old)}”改为“{_plain(change.new)}”{counted}"


def _plain(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece.text for piece in pieces) or "（空）"
