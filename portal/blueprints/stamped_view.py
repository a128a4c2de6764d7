"""What pages show of stamped forms, as plain values: batches, pages by what became of them, the copies of a case.

What never belongs here: a query about who may see it, a change.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from flask import url_for

from portal.blueprints.slots_view import size_text
from portal.cases import clock
from portal.cases.access import Actor
from portal.cases.stamped import finding, placing
from portal.models import Case, StampedBatch, StampedPage
from portal.workflows import workflow
from portal.workflows.vocabulary import Workflow

STANDINGS = {  # text, tone, icon
    "sorting": ("正在分拣", "info", "clock"),
    "sorted": ("已分拣", "ok", "circle-check"),
    "refused": ("未能读取", "late", "alert-circle"),
}
OUTCOMES = {
    "tray": ("待归入", "soon", "inbox"),
    "refused": ("未归入", "late", "ban"),
    "landed": ("已归入", "ok", "circle-check"),
    "placed": ("人工归入", "ok", "user-check"),
    "discarded": ("已弃置", "paused", "trash"),
}
EXPLAINED = {
    "tray": "没有自动归入，原因写在每一页旁。请逐页对照图片，放进业务或弃置；在此之前不影响已有的扫描件。",
    "refused": "没有归入任何业务，请按说明处理后重新扫描。",
    "landed": "二维码与业务现在的内容一致，有印章，文字与打印的表相符，已归入相应业务。",
    "placed": "由本单位人员看过图片后归入。",
    "discarded": "不属于任何业务；原件中仍保留，需要时可以取回。",
}


@dataclass(frozen=True)
class BatchLine:
    """One batch in the list: `counts` are (text, number, tone) of what became of its pages."""

    batch: StampedBatch
    standing: tuple[str, str, str]
    size_text: str
    counts: tuple[tuple[str, int, str], ...]


def batches(actor: Actor) -> list[BatchLine]:
    """The office's batches, newest first."""
    return [
        BatchLine(
            batch,
            STANDINGS[batch.status],
            size_text(batch.size),
            tuple(
                (text, counts[outcome], tone)
                for outcome, (text, tone, _icon) in OUTCOMES.items()
                if outcome in counts
            ),
        )
        for batch, counts in finding.batches_of(actor)
    ]


@dataclass(frozen=True)
class Sheet:
    """One page of a batch. `number` and `case_url` are empty where its case is not the reader's to see; `offered` says that it
    waits to be put into that case, `copy` are the pages of the same copy that wait too."""

    page: int
    outcome: str
    label: tuple[str, str, str]
    message: str
    number: str
    case_url: str
    form: str
    version: int | None
    who: str
    at: str
    url: str
    view_url: str
    thumb_url: str
    offered: bool = False
    copy: tuple[Sheet, ...] = ()


@dataclass(frozen=True)
class Group:
    """The pages of one outcome."""

    title: str
    text: str
    outcome: str
    sheets: list[Sheet] = field(default_factory=list)


def groups(actor: Actor, batch: StampedBatch) -> list[Group]:
    """The pages of a batch by what became of them: first those that wait for somebody."""
    seen = finding.cases_seen(actor, batch.pages)
    found = {outcome: Group(label[0], EXPLAINED[outcome], outcome) for outcome, label in OUTCOMES.items()}
    for page in batch.pages:
        found[page.outcome].sheets.append(_sheet(page, seen))
    return [group for group in found.values() if group.sheets]


def sheet(actor: Actor, page: StampedPage) -> Sheet:
    """One page by itself."""
    seen = finding.cases_seen(actor, [page])
    copy = tuple(_sheet(one, seen) for one in placing.copies_of(page))
    return replace(_sheet(page, seen), copy=copy)


def _sheet(page: StampedPage, seen: dict[uuid.UUID, Case]) -> Sheet:
    case = seen.get(page.case_id) if page.case_id else None
    return Sheet(
        page=page.page,
        outcome=page.outcome,
        label=OUTCOMES[page.outcome],
        message=page.message,
        number=case.number if case else "",
        case_url=url_for("cases.show", case_id=case.id) if case else "",
        form=_form(case, page.printout) if case else "",
        version=page.version,
        who=page.placed_by.name if page.placed_by else "",
        at=clock.local(page.placed_at).strftime("%Y-%m-%d %H:%M") if page.placed_at else "",
        url=url_for("stamped.page", page_id=page.id),
        view_url=url_for("stamped.view", page_id=page.id) if page.view else "",
        thumb_url=url_for("stamped.thumb", page_id=page.id) if page.thumb else "",
        offered=case is not None and placing.waits_for(page),
    )


def _form(case: Case, printout: str) -> str:
    return next((one.title for one in workflow(case.workflow).printouts if one.id == printout), "")


@dataclass(frozen=True)
class Copy:
    """A stamped copy on the page of its case: `doubts` says what a person put it in over, `counts` marks the one that does,
    `stale` one whose case has changed."""

    title: str
    version: int | None
    at: str
    by_hand: str
    doubts: str
    counts: bool
    stale: bool
    view_url: str
    thumb_url: str


def scans(case: Case) -> list[Copy]:
    """The stamped copies of a case, newest first; the newest of each form counts."""
    met: set[str] = set()
    copies = []
    for page in finding.scans_of(case):
        copies.append(
            Copy(
                title=_form(case, page.printout),
                version=page.version,
                at=clock.local(page.placed_at).strftime("%Y-%m-%d %H:%M") if page.placed_at else "",
                by_hand=page.placed_by.name if page.placed_by else "",
                doubts="；".join(placing.told(page.doubts)) if page.placed_by else "",
                counts=page.printout not in met,
                stale=page.printout not in met and not placing.still_true(case, page),
                view_url=url_for("stamped.view", page_id=page.id) if page.view else "",
                thumb_url=url_for("stamped.thumb", page_id=page.id) if page.thumb else "",
            )
        )
        met.add(page.printout)
    return copies


def printouts(laws: Iterable[Workflow]) -> list[tuple[str, str]]:
    """(id, title) of every form there is, for placing by hand."""
    return list({one.id: (one.id, one.title) for law in laws for one in law.printouts}.values())
