"""What pages show of whose papers they are: the register's row, a row a paper, what was said of it. For desk and school.

What never belongs here: a query about who may see it, a change, a comparison (cases.whose).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.blueprints import desk_view
from portal.blueprints.reading_places import Frame, frame
from portal.cases import guardians, whose, whose_papers
from portal.cases.paper_advice import Compared
from portal.cases.whose import Cell, Named, Person
from portal.cases.whose_papers import Saying
from portal.models import OPEN, Case
from portal.standards import id_number
from portal.standards.columns import BY_KEY
from portal.workflows import workflow
from portal.workflows.facts import Facts

FEW = 6  # rows of a roster's letters that stand open; the others are folded


@dataclass(frozen=True)
class ValueItem:
    """One value of a paper beside the register's: `note` says more, `frame` where it stands."""

    title: str
    text: str
    mark: str
    notes: tuple[str, ...] = ()
    frame: Frame | None = None


@dataclass(frozen=True)
class PaperItem:
    """One paper: `badge` says whose it is, as (text, tone, icon)."""

    slot: str
    title: str
    badge: tuple[str, str, str]
    note: str
    values: tuple[ValueItem, ...]
    stops: bool


BADGES = {
    "own": ("是该生的", "ok", "check"),
    "other": ("不是该生的", "late", "x"),
    "doubtful": ("存疑，请看原件", "soon", "alert-triangle"),
    "unread": ("未识别", "paused", "eye-off"),
}
GUARDIANS = ("监护人的材料", "info", "user-check")


def desk(case: Case, facts: Facts, compared: Compared, *, revealed: bool) -> dict[str, Any]:
    """The context of review/_identity.html, and what the panel of an approval asks for."""
    papers = [_paper(one, facts, revealed) for one in compared.named]
    # Once it is decided the register holds the new values itself.
    before = [one for one in compared.advice if one.of_before] if case.status in OPEN else []
    return {
        "identity": _register(case, facts, revealed),
        "identity_papers": sorted(papers, key=lambda one: not one.stops),
        "identity_few": FEW,
        "identity_hidden": not revealed
        and any(value.text.endswith("*") for one in papers for value in one.values),
        "strangers": [one for one in papers if one.stops],
        "sayings": [(_by(case, one), one.words) for one in whose_papers.sayings(case)],
        "differs_before": before,
    }


def school(case: Case, facts: Facts, compared: Compared, *, revealed: bool = False) -> dict[str, Any]:
    """The context of cases/_advice.html: the same comparison, and what to do."""
    papers = [_paper(one, facts, revealed) for one in compared.named]
    return {
        "identity": _register(case, facts, revealed),
        "identity_papers": papers,
        "advice": compared.advice,
        "advice_asks": any(one.asks for one in compared.advice),
        "doubted": {one.slot for one in compared.advice if one.asks},
    }


def _by(case: Case, one: Saying) -> str:
    if one.verb == "submitted":
        return f"学校说明（{one.who}）"
    return f"{workflow(case.workflow).step(one.step).title} {one.who}（{one.office}）"


def _register(case: Case, facts: Facts, revealed: bool) -> list[ValueItem]:
    """What the register says of the pupil; [] of a case about many, whose papers are each about another."""
    if case.pupil is None:
        return []
    new = workflow(facts.workflow).changes(facts)
    return [
        ValueItem(
            BY_KEY[column].title,
            _shown(column, facts.pupil[column], revealed) or "（空）",
            "",
            (f"变更为 {_shown(column, new[column], revealed)}",)
            if new.get(column) and new[column] != facts.pupil[column]
            else (),
        )
        for column in whose.COLUMNS
    ]


def _paper(one: Named, facts: Facts, revealed: bool) -> PaperItem:
    badge, note = BADGES[one.verdict], ""
    if one.names == "guardian" and one.verdict != "own":
        badge, note = GUARDIANS, _guardian(one, facts)
    values = tuple(_value(cell, one, revealed, marked=badge is not GUARDIANS) for cell in one.cells.values())
    return PaperItem(one.slot, one.title, badge, note, values, one.stops)


def _guardian(one: Named, facts: Facts) -> str:
    """Which guardian a guardian's paper is of: one of the register, or who asks in this case."""
    if not (one.cells["name"].value or one.cells["id_number"].value):
        return "没有读出姓名，请看原件"
    known = guardians.of(facts)
    if any(guardian.agrees(one) for guardian in known.registered):
        return "与登记的监护人一致"
    if any(guardian.namesake_of(one) for guardian in known.registered):
        return "姓名与登记的监护人相同，证件号不同，请核对"
    if known.asking and known.asking.agrees(one):
        differs = "，学籍登记的监护人是别人，请核对与学生的关系" if known.registered else ""
        return f"与本件填写的申请人一致{differs}"
    told = [*(["登记的监护人"] if known.registered else []), *(["本件填写的申请人"] if known.asking else [])]
    if not told:
        return "学籍没有登记监护人，请核对与学生的关系"
    return f"与{'、'.join(told)}不同，请核对与学生的关系"


def _value(cell: Cell, one: Named, revealed: bool, *, marked: bool) -> ValueItem:
    notes = [cell.note] if cell.note else []
    if cell.as_new:
        notes.append("即变更后的值")
    right = one.person.values(cell.column) if cell.column != "key" else (one.person.key,)
    if cell.mark in ("mismatch", "doubtful") and cell.value and right and marked:
        if cell.column == "id_number":
            notes.append(f"与登记相比 {desk_view.count(right[0], cell.value)}")
        elif one.person.key and cell.column != "key":
            notes.append(f"名单上是 {_shown(cell.column, right[0], revealed)}")
    return ValueItem(
        _title(cell.column, one.person),
        _shown(cell.column, cell.value, revealed),
        cell.mark if marked or cell.mark in ("match", "unread") else "",
        tuple(notes),
        frame(cell.place) if cell.place else None,
    )


def _title(column: str, person: Person) -> str:
    return person.key_title if column == "key" else BY_KEY[column].title


def _shown(column: str, value: str, revealed: bool) -> str:
    if column == "key":
        return value
    text = BY_KEY[column].shown(value)
    return id_number.masked(text) if BY_KEY[column].private and not revealed else text
