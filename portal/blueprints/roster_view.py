"""What pages show of a roster: rows with what was found beside each cell, tabs, figures.

What never belongs here: a query about who may see it (the case has been loaded through access), a change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import url_for

from portal.cases.rosters.editing import roster_of
from portal.models import Case
from portal.standards import id_number
from portal.standards.columns import BY_KEY
from portal.workflows.facts import Facts, Finding, RosterRow
from portal.workflows.roster import Roster, RosterColumn

PAGE = 50
NAME, OWN_SCHOOL = "name", "school"
NUMERIC = ("exam_number", "id_number", "birth_date", "exam_score")
TABS = {"all": "全部", "stop": "要处理", "ask": "请核对", "struck": "已退回"}
EMPTY = {
    "stop": "没有要处理的行。",
    "ask": "没有要核对的行。",
    "struck": "没有退回的行。",
}


@dataclass(frozen=True)
class Cell:
    """One cell as a person reads it, with what was found about it."""

    key: str
    title: str
    text: str
    findings: tuple[Finding, ...] = ()
    numeric: bool = False


@dataclass(frozen=True)
class RowView:
    id: str
    position: int
    number: str
    name: Cell
    cells: tuple[Cell, ...]
    level: str  # stop, ask, struck or ""
    strike: Any
    papers: tuple[str, ...]  # slots whose papers settle what was found


@dataclass(frozen=True)
class Sheet:
    """One page of a roster."""

    rows: list[RowView]
    columns: list[str]
    tabs: list[dict[str, Any]]
    show: str
    page: int
    pages: int
    previous: str
    next: str
    empty: str


@dataclass(frozen=True)
class Figures:
    """The roster in numbers, for the pages of the case."""

    people: int
    stops: int
    asks: int
    struck: int
    places: int | None
    left: int | None  # places that this roster leaves over
    document: str
    admitted: int | None
    first: str
    last: str


def figures(case: Case, facts: Facts) -> Figures:
    levels = _levels(roster_of(case).findings(facts))
    quota, standing = facts.quota, len(facts.standing_rows)
    given = facts.numbers.upto(standing) if facts.numbers and standing else None
    return Figures(
        people=standing,
        stops=sum(1 for level in levels.values() if level == "stop"),
        asks=sum(1 for level in levels.values() if level == "ask"),
        struck=len(facts.roster) - standing,
        places=quota.places if quota else None,
        left=quota.left - standing if quota and quota.left is not None else None,
        document=quota.document if quota else "",
        admitted=quota.admitted if quota else None,
        first=given.first if given else "",
        last=given.last if given else "",
    )


def sheet(case: Case, facts: Facts, show: str, page: int, *, revealed: bool) -> Sheet:
    """The rows of one tab, PAGE at a time; identity numbers are masked unless `revealed`."""
    roster = roster_of(case)
    found: dict[str, list[Finding]] = defaultdict(list)
    for one in roster.findings(facts):
        found[one.row.id].append(one)
    views = [_row(roster, row, found[row.id], revealed=revealed) for row in facts.roster]
    by_tab = {
        "all": views,
        **{tab: [view for view in views if view.level == tab] for tab in ("stop", "ask", "struck")},
    }
    show = show if show in TABS else "all"
    wanted = by_tab[show]
    pages = max(1, -(-len(wanted) // PAGE))
    page = min(max(page, 1), pages)

    def url(number: int) -> str:
        return url_for("rosters.show", case_id=case.id, show=show, page=number)

    return Sheet(
        rows=wanted[(page - 1) * PAGE : page * PAGE],
        columns=[column.title for column in shown_columns(roster)[1:]],
        tabs=[
            {
                "title": title,
                "url": url_for("rosters.show", case_id=case.id, show=tab),
                "count": len(by_tab[tab]),
                "active": tab == show,
            }
            for tab, title in TABS.items()
            if tab == show or tab == "all" or by_tab[tab]
        ],
        show=show,
        page=page,
        pages=pages,
        previous=url(page - 1) if page > 1 else "",
        next=url(page + 1) if page < pages else "",
        empty=EMPTY.get(show, ""),
    )


def shown_columns(roster: Roster) -> list[RosterColumn]:
    """The name first, then the others; the school's own name is not repeated in every row."""
    return sorted(
        (column for column in roster.columns if column.key != OWN_SCHOOL), key=lambda one: one.key != NAME
    )


def notable(case: Case, facts: Facts, *, revealed: bool = False, most: int = 20) -> list[RowView]:
    """The rows that a reviewer should look at, the gravest first: what stops, what is asked."""
    roster = roster_of(case)
    found: dict[str, list[Finding]] = defaultdict(list)
    for one in roster.findings(facts):
        found[one.row.id].append(one)
    views = [
        _row(roster, row, found[row.id], revealed=revealed) for row in facts.standing_rows if found[row.id]
    ]
    return sorted(views, key=lambda view: (view.level != "stop", not view.papers, view.position))[:most]


def _row(roster: Roster, row: RosterRow, found: Sequence[Finding], *, revealed: bool) -> RowView:
    by_column: dict[str, list[Finding]] = defaultdict(list)
    for one in found:
        by_column[one.column].append(one)
    name, *cells = (
        Cell(
            column.key,
            column.title,
            _shown(column.key, row[column.key], revealed=revealed),
            tuple(by_column[column.key]),
            column.key in NUMERIC,
        )
        for column in shown_columns(roster)
    )
    said = replace(name, findings=name.findings + tuple(by_column[OWN_SCHOOL]))
    return RowView(
        row.id,
        row.position,
        row.number,
        said,
        tuple(cells),
        "struck" if row.strike else _worst(found),
        row.strike,
        tuple(dict.fromkeys(f"{one.settled_by}-{row[roster.person]}" for one in found if one.settled_by)),
    )


def _shown(key: str, text: str, *, revealed: bool) -> str:
    if key == "id_number":
        return text if revealed else id_number.masked(text)
    return BY_KEY[key].shown(text) if key in BY_KEY else text


def _worst(found: Sequence[Finding]) -> str:
    levels = {one.level for one in found}
    return "stop" if "stop" in levels else "ask" if levels else ""


def _levels(found: Sequence[Finding]) -> Mapping[str, str]:
    levels: dict[str, str] = {}
    for one in found:
        if levels.get(one.row.id) != "stop":
            levels[one.row.id] = one.level
    return levels
