"""Stamped forms scanned in a batch: one file in, its pages to their cases by the codes printed on them.

The file is sealed by the same intent protocol as evidence: stage() -> commit -> keep() -> settle() -> commit -> only then
the person reads "received". A task then opens page by page; each page is committed by itself, so a dead process goes on
where it stopped. What cannot be told by its code lies in the tray until a person places it or puts it aside.

What never belongs here: HTTP, decoding a picture.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, BinaryIO

from flask import current_app
from sqlalchemy import ColumnElement, and_, false, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from portal import audit, tasks
from portal.cases import clock, versions
from portal.cases.access import Actor, find_case, visible_to
from portal.cases.evidence import STAGED_FOR, shown_name
from portal.cases.evidence_keeping import TOMBSTONE_FOR, delete_all
from portal.cases.offices import policy_of
from portal.cases.printed import facts_on_paper
from portal.cases.refusing import Refused
from portal.cases.versions import Code
from portal.extensions import db
from portal.models import Account, Case, Role, StampedBatch, StampedPage
from portal.models.types import new_id, utcnow
from portal.settings import Settings
from portal.workflows import workflow
from portal.workflows.vocabulary import Printout
from storage import intake, sandbox
from storage.objects import ObjectStore, Sealed, new_key

MAX_BYTES = 100 * 1024 * 1024  # of one batch; the only place
MAX_PAGES = 200
UPLOADERS = (Role.REGISTRAR, Role.REVIEWER, Role.APPROVER)
SORT_TASK = "stamped.sort"
ATTACHED = ("landed", "placed")
HEAD = 64 * 1024  # bytes by which a file's kind is told

NOT_YOURS = "不是本单位可办理的业务"
NO_CODE = "没有读到二维码"
FOREIGN_CODE = "页上的二维码不是本系统打印的"
SEVERAL = "页上有几张表的二维码，不能确定属于哪一件"
UNKNOWN_PRINT = "二维码与本件任何一次打印都对不上，可能不是本系统打印的表"
TOO_LARGE = f"文件超过 {MAX_BYTES // 2**20} MB，请降低扫描分辨率，或分成几个文件上传"


# --- receiving ------------------------------------------------------------------------------------------------------


def stage(actor: Actor, name: str) -> StampedBatch:
    """The intent row. Raises Refused when the role brings no stamped forms."""
    if actor.role not in UPLOADERS:
        raise Refused("盖章表由学籍管理员、审核人或审批人上传")
    batch = StampedBatch(
        id=new_id(),
        office_id=actor.office_id,
        account_id=actor.id,
        status="staged",
        name=shown_name(name),
        store_key=new_key("stamped"),
    )
    db.session.add(batch)
    db.session.flush()
    return batch


def kind_of(stream: BinaryIO) -> str:
    """The media type of a file by its first bytes; the stream is set back. Raises Refused."""
    head = stream.read(HEAD)
    stream.seek(0)
    if not head:
        raise Refused("文件是空的，请重新选择文件")
    try:
        return intake.media_type_of(head)
    except intake.Refused as refused:
        raise Refused(refused.sentence) from refused


def keep(store: ObjectStore, key: str, stream: BinaryIO, media_type: str) -> Sealed:
    """Put the original into the store, byte for byte. No database. Raises storage.objects.StoreError."""
    sealed = store.put(key, stream, size_limit=MAX_BYTES, media_type=media_type)
    return sealed


def settle(batch_id: uuid.UUID, sealed: Sealed, media_type: str) -> StampedBatch:
    """The second write: the staged row counts, and its pages are to be sorted. Raises Refused when it came too late."""
    done = db.session.execute(
        update(StampedBatch)
        .where(StampedBatch.id == batch_id, StampedBatch.status == "staged")
        .values(
            status="sorting",
            version_id=sealed.version_id,
            sha256=sealed.sha256,
            size=sealed.size,
            media_type=media_type,
        ),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused("上传中断的时间太长，请重新上传这个文件")
    batch = db.session.get_one(StampedBatch, batch_id, populate_existing=True)
    tasks.enqueue(SORT_TASK, batch_id=str(batch_id))
    audit.append("stamped.received", "stamped_batch", batch_id, sha256=sealed.sha256)
    return batch


def refuse(batch_id: uuid.UUID, why: str) -> None:
    """Note that a file was no batch of forms; the sweep removes what the store may hold of it."""
    waiting = StampedBatch.status.in_(("staged", "sorting"))
    values = {"status": "refused", "refusal": why}
    db.session.execute(
        update(StampedBatch).where(StampedBatch.id == batch_id, waiting).values(**values),
        execution_options={"synchronize_session": "fetch"},
    )
    audit.append("stamped.unreadable", "stamped_batch", batch_id, result="refused")


# --- page by page ---------------------------------------------------------------------------------------------------


@tasks.task(SORT_TASK)
def sort(batch_id: str) -> None:
    """Open every page that has not been filed yet, and file it. Safe to repeat."""
    batch = db.session.get_one(StampedBatch, uuid.UUID(batch_id), populate_existing=True)
    if batch.status != "sorting":
        return
    filed = set(db.session.scalars(select(StampedPage.page).where(StampedPage.batch_id == batch.id)))
    db.session.commit()  # nothing is held open while pages are being opened
    data = tasks.store().read(sealed_original(batch))
    number, count = 1, max(batch.page_count, 1)
    while number <= count:
        if number not in filed:
            found = sandbox.run("codes", data, {"page": number, "max_pages": MAX_PAGES})
            if not batch.page_count:
                if found.refusal is not None:
                    refuse(batch.id, found.refusal)
                    db.session.commit()
                    return
                count = _note_count(batch, int(found.facts["pages"]))
            _file(batch, number, found)
        number += 1
    _finish(batch)


def _note_count(batch: StampedBatch, count: int) -> int:
    batch.page_count = count
    db.session.commit()
    return count


def _file(batch: StampedBatch, number: int, found: sandbox.Reply) -> None:
    """Keep the pictures of a page, tell where it belongs, write it down."""
    pictures = _put_pictures(batch.store_key, number, found.blobs)
    texts = [str(one["text"]) for one in found.facts.get("codes", ())]
    try:
        page = _page(batch, number, texts, found.refusal)
        page.view, page.thumb = pictures
        db.session.add(page)
        batch.done_pages = number
        db.session.flush()
        case = page.case_id.hex if page.case_id else ""
        audit.append(f"stamped.{page.outcome}", "stamped_page", page.id, case=case, page=number)
        db.session.commit()
    except IntegrityError:  # another worker has filed this page
        db.session.rollback()
        db.session.refresh(batch)
        db.session.commit()


def _put_pictures(key: str, number: int, blobs: tuple[bytes, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """View and thumbnail under the original's key; a name of their own for each attempt, since keys are used once."""
    if len(blobs) != 2:
        return {}, {}
    attempt = uuid.uuid4().hex[:8]
    store = tasks.store()
    view, thumb = (
        store.put(
            f"{key}-{number}-{attempt}-{name}",
            io.BytesIO(blob),
            size_limit=MAX_BYTES,
            media_type="image/jpeg",
        )
        for name, blob in zip(("view", "thumb"), blobs, strict=True)
    )
    return asdict(view), asdict(thumb)


def _finish(batch: StampedBatch) -> None:
    """Every page is filed: the original is held as the policy says for what was decided."""
    db.session.refresh(batch)
    years = policy_of(batch.office).value("evidence.keep_years_decided")
    sealed = sealed_original(batch)
    db.session.commit()
    tasks.store().lock(sealed, utcnow() + timedelta(days=365 * years), "GOVERNANCE")
    done = update(StampedBatch).where(StampedBatch.id == batch.id, StampedBatch.status == "sorting")
    db.session.execute(
        done.values(status="sorted", done_pages=StampedBatch.page_count),
        execution_options={"synchronize_session": False},
    )
    audit.append("stamped.sorted", "stamped_batch", batch.id, pages=batch.page_count)
    db.session.commit()


@tasks.unfinished
def unsorted() -> Iterable[tuple[str, dict[str, str]]]:
    """Batches that a dead process left in the middle."""
    query = select(StampedBatch.id).where(StampedBatch.status == "sorting")
    return [(SORT_TASK, {"batch_id": str(one)}) for one in db.session.scalars(query)]


# --- where a page belongs -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    """What became of a page: `outcome` as in StampedPage, why, and the case where it has one."""

    outcome: str
    message: str = ""
    code: str = ""
    case: Case | None = None
    printout: str = ""
    version: int | None = None


def _page(batch: StampedBatch, number: int, texts: list[str], unopened: str | None) -> StampedPage:
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


# --- by hand --------------------------------------------------------------------------------------------------------


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


# --- what there is --------------------------------------------------------------------------------------------------


def _own(actor: Actor) -> ColumnElement[bool]:
    """Batches of the actor's office; none for those who bring no stamped forms."""
    if actor.role not in UPLOADERS:
        return false()
    return and_(
        StampedBatch.office_id == actor.office_id,
        StampedBatch.status.in_(("sorting", "sorted", "refused")),
    )


def batches_of(actor: Actor, limit: int = 50) -> list[tuple[StampedBatch, dict[str, int]]]:
    """The office's newest batches, each with {outcome: pages}."""
    query = select(StampedBatch).where(_own(actor)).order_by(StampedBatch.created_at.desc()).limit(limit)
    batches = list(db.session.scalars(query))
    counts: dict[uuid.UUID, dict[str, int]] = {batch.id: {} for batch in batches}
    counted = select(StampedPage.batch_id, StampedPage.outcome, func.count()).where(
        StampedPage.batch_id.in_(counts)
    )
    for batch_id, outcome, number in db.session.execute(
        counted.group_by(StampedPage.batch_id, StampedPage.outcome)
    ):
        counts[batch_id][outcome] = number
    return [(batch, counts[batch.id]) for batch in batches]


def find_batch(actor: Actor, batch_id: uuid.UUID) -> StampedBatch | None:
    """The batch if it is the actor's office's; None otherwise."""
    return db.session.scalars(
        select(StampedBatch).where(StampedBatch.id == batch_id, _own(actor))
    ).one_or_none()


def find_own_page(actor: Actor, page_id: uuid.UUID) -> StampedPage | None:
    """A page of a batch of the actor's office; None otherwise."""
    query = select(StampedPage).join(StampedBatch).where(StampedPage.id == page_id, _own(actor))
    return db.session.scalars(query).one_or_none()


def find_page(actor: Actor, page_id: uuid.UUID) -> StampedPage | None:
    """A page that the actor may look at: of the own office's batch, or attached to a case that they may see."""
    own = find_own_page(actor, page_id)
    if own is not None:
        return own
    page = db.session.get(StampedPage, page_id)
    if page is None or page.outcome not in ATTACHED or page.case_id is None:
        return None
    return page if find_case(actor, page.case_id) else None


def scans_of(case: Case, printout_id: str | None = None) -> list[StampedPage]:
    """The stamped copies of a case (or of one form), the one that counts first."""
    query = select(StampedPage).where(StampedPage.case_id == case.id, StampedPage.outcome.in_(ATTACHED))
    if printout_id is not None:
        query = query.where(StampedPage.printout == printout_id)
    return list(db.session.scalars(query.order_by(StampedPage.placed_at.desc(), StampedPage.page.desc())))


def cases_seen(actor: Actor, pages: Iterable[StampedPage]) -> dict[uuid.UUID, Case]:
    """{id: case} of the pages' cases that the actor may see now: a pupil may have gone to another office since."""
    ids = {page.case_id for page in pages if page.case_id}
    query = select(Case).where(Case.id.in_(ids), visible_to(actor))
    return {case.id: case for case in db.session.scalars(query)} if ids else {}


def still_true(case: Case, page: StampedPage) -> bool:
    """Whether what stands on an attached copy is what the case says now; a copy placed by hand is believed."""
    code, printout = Code.read(page.code), _printout(case, page.printout)
    if code is None or printout is None or page.outcome != "landed":
        return True
    return versions.examine(case, printout, code, facts_on_paper(case), _key()).same


def sealed_original(batch: StampedBatch) -> Sealed:
    return Sealed(batch.store_key, batch.version_id, batch.sha256, batch.size)


# --- the sweep ------------------------------------------------------------------------------------------------------


def reap(store: ObjectStore) -> int:
    """Clear up batches that never arrived and files that were no batch: the row is claimed first, then everything under its
    key deleted, again for 30 days. Commits for itself. Returns the number of rows cleared up for the first time."""
    now = utcnow()
    late = and_(StampedBatch.status == "staged", StampedBatch.created_at < now - STAGED_FOR)
    buried = and_(
        StampedBatch.status.in_(("gone", "refused")),
        StampedBatch.created_at > now - STAGED_FOR - TOMBSTONE_FOR,
    )
    found = db.session.execute(
        select(StampedBatch.id, StampedBatch.store_key, StampedBatch.status).where(or_(late, buried))
    ).all()
    db.session.rollback()
    reaped = 0
    for batch_id, key, status in found:
        if status == "staged":
            claimed = db.session.execute(
                update(StampedBatch).where(StampedBatch.id == batch_id, late).values(status="gone"),
                execution_options={"synchronize_session": False},
            )
            db.session.commit()
            if claimed.rowcount != 1:  # type: ignore[attr-defined]
                continue
            reaped += 1
        delete_all(store, key)
    return reaped
