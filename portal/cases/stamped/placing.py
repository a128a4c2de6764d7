"""Where a page belongs: by the one code of ours that stands on it, or by hand; and whether what it says is still true.

A code alone is a copy of a code. A page lands by itself where it bears a seal and reads as the form that was printed; else
it waits beside its picture, with its case named, until a person says so. It supersedes nothing meanwhile.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from flask import current_app
from sqlalchemy import select, update

from portal import audit
from portal.cases import clock, versions
from portal.cases.access import Actor, visible_to
from portal.cases.printed import facts_on_paper
from portal.cases.quality import thresholds_for
from portal.cases.refusing import Refused
from portal.cases.stamped import wording
from portal.cases.stamped.finding import ATTACHED, scans_of
from portal.cases.versions import Code, Finding
from portal.extensions import db
from portal.models import Account, Case, StampedBatch, StampedPage
from portal.models.types import new_id, utcnow
from portal.settings import Settings
from portal.workflows import workflow
from portal.workflows.vocabulary import Printout
from storage.thresholds import changed

NOT_YOURS = "不是本单位可办理的业务"
NO_CODE = "没有读到二维码"
FOREIGN_CODE = "页上的二维码不是本系统打印的"
SEVERAL = "页上有几张表的二维码，不能确定属于哪一件"
UNKNOWN_PRINT = "二维码与本件任何一次打印都对不上，可能不是本系统打印的表"
NO_SEAL = "页上没有找到红色印章（黑白复印件、印色太浅的也找不到）"
UNREAD = "页上的文字没有经过识读，不能自动核对是不是这张表"
NOT_THERE = "页上没有读到表上的{labels}"
NOT_OURS = "页上读到了{labels}"
MOST_LABELS = 4
LOOK = "请对照图片确认"


@dataclass(frozen=True)
class Scan:
    """What was seen on a page: the texts of its codes, how well its best seal is an ellipse (0 to 1), the lines that were
    read (None: not read), or why it could not be opened."""

    texts: list[str] = field(default_factory=list)
    seal: float = 0.0
    lines: list[str] | None = None
    unopened: str | None = None


@dataclass(frozen=True)
class _Place:
    """What became of a page: `outcome` as in StampedPage, why, and the case where it has one."""

    outcome: str
    message: str = ""
    code: str = ""
    case: Case | None = None
    printout: str = ""
    version: int | None = None
    doubts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Coded:
    """A page's one code of ours with its case and form, and what became of that printing."""

    text: str
    code: Code
    case: Case
    printout: Printout
    finding: Finding


def form_of(batch: StampedBatch, texts: list[str]) -> wording.Wanted | None:
    """What should be read on a page with these codes; None where reading it would decide nothing."""
    coded = _coded(_actor(batch), texts)
    if isinstance(coded, _Place) or coded.finding.shows is None:
        return None
    return wording.wanted(coded.printout, coded.finding.shows)


def _actor(batch: StampedBatch) -> Actor:
    return Actor.of(db.session.get_one(Account, batch.account_id))


def page_of(batch: StampedBatch, number: int, scan: Scan) -> StampedPage:
    """The row of a page, not yet in the session."""
    place = _Place("tray", scan.unopened) if scan.unopened else _place(_actor(batch), scan, batch.id)
    return StampedPage(
        id=new_id(),
        batch_id=batch.id,
        page=number,
        outcome=place.outcome,
        message=place.message,
        code=place.code[:120],
        case_id=place.case.id if place.case else None,
        printout=place.printout,
        version=place.version,
        doubts=place.doubts,
        placed_at=utcnow(),
    )


def _place(actor: Actor, scan: Scan, batch_id: uuid.UUID) -> _Place:
    """By the one code of ours on a page; every page of a long list bears the same."""
    coded = _coded(actor, scan.texts)
    if isinstance(coded, _Place):
        return coded
    case, printout, code, text = coded.case, coded.printout, coded.code, coded.text
    if coded.finding.shows is None:
        return _refused(coded)
    doubts = _doubts(coded, scan)
    if doubts:
        why = f"{'；'.join(told(doubts))}。{LOOK}"
        return _Place("tray", why, text, case, printout.id, code.version, doubts)
    return _Place("landed", _earlier(case, printout, (batch_id, text)), text, case, printout.id, code.version)


def _refused(coded: _Coded) -> _Place:
    if not coded.finding.known:
        return _Place("refused", UNKNOWN_PRINT, coded.text)
    return _Place("refused", _outdated(coded), coded.text)


def _outdated(coded: _Coded) -> str:
    case, told = coded.case, versions.told(coded.finding.differences)
    return f"这是第 {coded.code.version} 版的打印件，{case.number} 现为第 {case.version} 版。{told}。请重新打印、盖章"


def _doubts(coded: _Coded, scan: Scan) -> dict[str, Any]:
    """Why a page does not pass for the stamped form by itself: `seal` where it lacks one, `text` what is not as printed
    (None: not read); {} where nothing is in doubt."""
    doubts: dict[str, Any] = {}
    least = changed("", thresholds_for(coded.case), "").seal_score
    if coded.printout.seal != "none" and scan.seal < least:
        doubts["seal"] = coded.printout.seal
    if scan.lines is None or coded.finding.shows is None:
        doubts["text"] = None
    elif found := wording.missing(wording.wanted(coded.printout, coded.finding.shows), scan.lines):
        doubts["text"] = list(found)
    return doubts


def told(doubts: dict[str, Any]) -> list[str]:
    """What was in doubt of a page, in words."""
    words = [NO_SEAL] if "seal" in doubts else []
    labels = doubts.get("text", [])
    if labels is None:
        return [*words, UNREAD]
    foreign = [one for one in labels if one in wording.FOREIGN]
    missed = [one for one in labels if one not in wording.FOREIGN]
    if missed:
        more = f"等 {len(missed)} 项" if len(missed) > MOST_LABELS else ""
        words.append(NOT_THERE.format(labels="、".join(missed[:MOST_LABELS]) + more))
    return [*words, *([NOT_OURS.format(labels="、".join(foreign))] if foreign else [])]


def _coded(actor: Actor, texts: list[str]) -> _Coded | _Place:
    ours = {text: code for text in texts if (code := Code.read(text))}
    if len(ours) != 1:
        why = SEVERAL if ours else FOREIGN_CODE if texts else NO_CODE
        return _Place("tray", why)
    ((text, code),) = ours.items()
    case = by_number(actor, code.number)
    printout = _printout(case, code.printout) if case else None
    if case is None or printout is None:
        return _Place("refused", NOT_YOURS, text)
    return _Coded(text, code, case, printout, _examined(case, printout, code))


def _examined(case: Case, printout: Printout, code: Code) -> Finding:
    return versions.examine(case, printout, code, facts_on_paper(case), _key())


def by_number(actor: Actor, number: str) -> Case | None:
    """The case with this number if the actor may see it; None otherwise, whether or not it exists."""
    return db.session.scalars(select(Case).where(Case.number == number, visible_to(actor))).one_or_none()


def _printout(case: Case, printout_id: str) -> Printout | None:
    return next((one for one in workflow(case.workflow).printouts if one.id == printout_id), None)


def _earlier(case: Case, printout: Printout, copy: tuple[uuid.UUID, str] | None = None) -> str:
    """What to say when the case has a stamped copy of this form already. `copy` is the batch and the code of the page that
    has come: pages alike in both are of one copy."""
    before = [page for page in scans_of(case, printout.id) if (page.batch_id, page.code) != copy]
    if not before:
        return ""
    day = f"{clock.local(before[0].placed_at):%Y年%m月%d日}" if before[0].placed_at else "以前"
    return f"该件已有盖章扫描件（{day}），以这一份为准，旧的保留"


def _key() -> str:
    settings: Settings = current_app.extensions["settings"]
    return settings.secret_key


def place(page: StampedPage, actor: Actor, number: str, printout_id: str) -> None:
    """Put a page of the tray into a case by hand. Raises Refused."""
    case = by_number(actor, number.strip().upper())
    if case is None:
        raise Refused("没有找到这个编号的业务，或不在本单位的办理范围。请核对编号")
    printout = _printout(case, printout_id)
    if printout is None:
        raise Refused("这件业务没有这种表，请重新选择")
    _move(
        page,
        ("tray",),
        outcome="placed",
        case_id=case.id,
        printout=printout.id,
        version=None,
        doubts={},
        message=_earlier(case, printout),
        placed_by_id=actor.id,
        placed_at=utcnow(),
    )
    audit.append("stamped.placed", "stamped_page", page.id, case=case.id.hex)


def waits_for(page: StampedPage) -> bool:
    """Whether a page of the tray waits for a person to say that it is the form of the case that its code names."""
    return page.outcome == "tray" and page.case_id is not None


def accept(page: StampedPage, actor: Actor, *, whole_copy: bool = False) -> int:
    """A person has looked: the page is the stamped form of the case that its code names, and now it counts; with
    `whole_copy` the pages of the same copy that wait with it too. Returns how many pages. Raises Refused."""
    pages = [page, *(copies_of(page) if whole_copy else ())]
    coded = _coded(actor, [page.code]) if waits_for(page) else None
    if coded is None:
        raise Refused("这一页刚被别人处理过，请刷新后再看", conflict=True)
    if isinstance(coded, _Place) or coded.case.id != page.case_id:
        raise Refused("这件业务已不在本单位的办理范围，不能放进")
    if coded.finding.shows is None:
        raise Refused(_outdated(coded) if coded.finding.known else UNKNOWN_PRINT)
    said = _earlier(coded.case, coded.printout, (page.batch_id, page.code))
    for one in pages:
        _move(one, ("tray",), outcome="placed", message=said, placed_by_id=actor.id, placed_at=utcnow())
        doubts = ",".join(sorted(one.doubts))
        audit.append("stamped.accepted", "stamped_page", one.id, case=coded.case.id.hex, doubts=doubts)
    return len(pages)


def copies_of(page: StampedPage) -> list[StampedPage]:
    """The other pages of the same batch and code that wait as this one does."""
    query = select(StampedPage).where(
        StampedPage.batch_id == page.batch_id,
        StampedPage.code == page.code,
        StampedPage.id != page.id,
        StampedPage.outcome == "tray",
        StampedPage.case_id == page.case_id,
    )
    return list(db.session.scalars(query.order_by(StampedPage.page))) if waits_for(page) else []


def settle_copies(batch: StampedBatch) -> None:
    """Of a form with one seal for all its pages, let those land that wait for nothing but a seal and go with a page that has
    one: the same batch, the same code."""
    query = select(StampedPage).where(StampedPage.batch_id == batch.id).order_by(StampedPage.page)
    pages = list(db.session.scalars(query))
    sealed = {page.code: page.message for page in pages if page.outcome == "landed" and not page.doubts}
    for page in pages:
        if waits_for(page) and page.doubts == {"seal": "copy"} and page.code in sealed:
            page.outcome, page.message = "landed", sealed[page.code]
            page.placed_at = utcnow()
            case = page.case_id.hex if page.case_id else ""
            audit.append("stamped.landed", "stamped_page", page.id, case=case, page=page.page)


def discard(page: StampedPage, actor: Actor) -> None:
    """Put a page of the tray aside. It stays part of the sealed original and can be taken back. Raises Refused."""
    _move(page, ("tray",), outcome="discarded", placed_by_id=actor.id, placed_at=utcnow())
    audit.append("stamped.discarded", "stamped_page", page.id)


def take_back(page: StampedPage, actor: Actor) -> None:
    """Undo: what was attached, placed or put aside lies in the tray again. Raises Refused."""
    case = page.case_id
    _move(
        page,
        (*ATTACHED, "discarded"),
        outcome="tray",
        case_id=None,
        printout="",
        version=None,
        doubts={},
        message=f"由{actor.name}取回，等待重新归入",
        placed_by_id=None,
        placed_at=utcnow(),
    )
    audit.append("stamped.taken_back", "stamped_page", page.id, case=case.hex if case else "")


def _move(page: StampedPage, sources: tuple[str, ...], **values: Any) -> None:
    """One conditional UPDATE: of two people at the same page the second is told. Raises Refused."""
    done = db.session.execute(
        update(StampedPage)
        .where(StampedPage.id == page.id, StampedPage.outcome.in_(sources))
        .values(**values),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused("这一页刚被别人处理过，请刷新后再看", conflict=True)
    db.session.refresh(page)


def still_true(case: Case, page: StampedPage) -> bool:
    """Whether what stands on an attached copy is what the case says now; a copy placed by its number is believed."""
    code, printout = Code.read(page.code), _printout(case, page.printout)
    if code is None or printout is None or page.version is None:
        return True
    return _examined(case, printout, code).same
