"""Where a page belongs: by the one code of ours that stands on it, or by hand; and whether what it says is still true."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import select, update

from portal import audit
from portal.cases import clock, versions
from portal.cases.access import Actor, visible_to
from portal.cases.printed import facts_on_paper
from portal.cases.refusing import Refused
from portal.cases.stamped.finding import ATTACHED, scans_of
from portal.cases.versions import Code
from portal.extensions import db
from portal.models import Account, Case, StampedBatch, StampedPage
from portal.models.types import new_id, utcnow
from portal.settings import Settings
from portal.workflows import workflow
from portal.workflows.vocabulary import Printout

NOT_YOURS = "不是本单位可办理的业务"
NO_CODE = "没有读到二维码"
FOREIGN_CODE = "页上的二维码不是本系统打印的"
SEVERAL = "页上有几张表的二维码，不能确定属于哪一件"
UNKNOWN_PRINT = "二维码与本件任何一次打印都对不上，可能不是本系统打印的表"


@dataclass(frozen=True)
class _Place:
    """What became of a page: `outcome` as in StampedPage, why, and the case where it has one."""

    outcome: str
    message: str = ""
    code: str = ""
    case: Case | None = None
    printout: str = ""
    version: int | None = None


def page_of(batch: StampedBatch, number: int, texts: list[str], unopened: str | None) -> StampedPage:
    """The row of a page by the `texts` of its codes, not yet in the session; `unopened` says why it could not be opened."""
    account = db.session.get_one(Account, batch.account_id)
    place = _Place("tray", unopened) if unopened else _place(Actor.of(account), texts, batch.id)
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
        placed_at=utcnow(),
    )


def _place(actor: Actor, texts: list[str], batch_id: uuid.UUID) -> _Place:
    """By the one code of ours on a page; every page of a long list bears the same."""
    ours = {text: code for text in texts if (code := Code.read(text))}
    if len(ours) != 1:
        why = SEVERAL if ours else FOREIGN_CODE if texts else NO_CODE
        return _Place("tray", why)
    ((text, code),) = ours.items()
    case = by_number(actor, code.number)
    printout = _printout(case, code.printout) if case else None
    if case is None or printout is None:
        return _Place("refused", NOT_YOURS, text)
    finding = versions.examine(case, printout, code, facts_on_paper(case), _key())
    if finding.same:
        said = _earlier(case, printout, (batch_id, text))
        return _Place("landed", said, text, case, printout.id, code.version)
    if not finding.known:
        return _Place("refused", UNKNOWN_PRINT, text)
    told = versions.told(finding.differences)
    why = (
        f"这是第 {code.version} 版的打印件，{case.number} 现为第 {case.version} 版。{told}。请重新打印、盖章"
    )
    return _Place("refused", why, text)


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
        message=_earlier(case, printout),
        placed_by_id=actor.id,
        placed_at=utcnow(),
    )
    audit.append("stamped.placed", "stamped_page", page.id, case=case.id.hex)


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
    """Whether what stands on an attached copy is what the case says now; a copy placed by hand is believed."""
    code, printout = Code.read(page.code), _printout(case, page.printout)
    if code is None or printout is None or page.outcome != "landed":
        return True
    return versions.examine(case, printout, code, facts_on_paper(case), _key()).same
