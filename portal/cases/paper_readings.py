"""What a paper is, as it was read: its kind, who issued it, when, under which number. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from portal.cases.read_text import Found, Place, Row, rows, search
from portal.cases.readings import Mark, Paper
from portal.standards import written_dates
from portal.workflows.vocabulary import base_id

NUMBER = re.compile(
    r"(?P<value>[一-鿿]{0,10}[〔\[(【]\s*(?:19|20)\d{2}\s*[〕\])】]\s*第?\s*\d+\s*号)"
    r"|(?:编\s*号|证\s*号|No\.?|NO\.?)[\s|:：]*(?P<plain>[A-Za-z0-9-]{4,20})"
)
OTHER_DATES = ("出生日期", "出生年月", "出生", "变更日期", "签发日期至", "有效期至", "有效期限")


@dataclass(frozen=True)
class Fact:
    """One thing about a paper: as it reads, where it stands, and a mark where something is asked for."""

    value: str = ""
    place: Place | None = None
    mark: Mark | None = None


@dataclass(frozen=True)
class PaperReading:
    """The four things that a reviewer looks for first."""

    slot: str
    title: str
    kind: Fact
    issuer: Fact
    day: Fact
    number: Fact


@dataclass(frozen=True)
class Kind:
    """How a kind of paper is recognised: the words of its title, and how its issuers' names end."""

    slot: str
    titles: tuple[str, ...]
    issuers: tuple[str, ...]


def describe(paper: Paper, kinds: Sequence[Kind]) -> PaperReading:
    """What was read of a paper, held against the kind that its slot asks for."""
    every = rows(paper.pages)
    own = next((kind for kind in kinds if kind.slot == base_id(paper.slot)), Kind(paper.slot, (), ()))
    return PaperReading(
        paper.slot,
        paper.title,
        _kind(every, own, kinds),
        _fact(_issuer(every, own.issuers)),
        _fact(_day(every)),
        _fact(_number(every)),
    )


def _fact(found: Found | None) -> Fact:
    return Fact(found.text, found.place) if found else Fact(mark="unread")


def _kind(every: list[Row], own: Kind, kinds: Iterable[Kind]) -> Fact:
    """The title asked for; else the title of another kind, which is a paper in the wrong place."""
    found = _title(every, own.titles)
    if found:
        return Fact(found.text, found.place, "match")
    others = [found for kind in kinds if kind is not own and (found := _title(every, kind.titles))]
    return Fact(others[0].text, others[0].place, "mismatch") if others else Fact(mark="unread")


def _title(every: list[Row], titles: Iterable[str]) -> Found | None:
    for title in titles:
        spaced = r"[\s|]*".join(map(re.escape, title))
        for found in search(every, re.compile(spaced)):
            return found
    return None


def _issuer(every: list[Row], endings: Iterable[str]) -> Found | None:
    """The longest name that ends as an issuer's does; the lowest of several, where papers are signed."""
    words = "|".join(map(re.escape, endings))
    if not words:
        return None
    found = search(every, re.compile(rf"[一-鿿]{{2,24}}(?:{words})"))
    return max(enumerate(found), key=lambda one: (len(one[1].text), one[0]))[1] if found else None


def _day(every: list[Row]) -> Found | None:
    """The lowest date that no label gives to something else."""
    found = [
        one
        for one in search(every, written_dates.PATTERN)
        if not re.sub(r"[\s|:：]", "", one.before).endswith(OTHER_DATES) and written_dates.read_date(one.text)
    ]
    return found[-1] if found else None


def _number(every: list[Row]) -> Found | None:
    for row in every:
        match = NUMBER.search(row.text)
        if match:
            which = "value" if match["value"] else "plain"
            return Found(row, match.start(which), match.end(which))
    return None
