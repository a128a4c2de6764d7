"""What a person may ask of a load, and the findings as lists. Slow work is asked for in the transaction of the act."""

from __future__ import annotations

import io
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Select, delete, func, select, update

from portal import audit, tasks
from portal.cases import stored_files
from portal.cases.access import Actor
from portal.cases.loads import applying, mapping, proposals, work
from portal.cases.loads.comparing import FAULTY, KINDS, LANDED, RENUMBERED, WAITING, WRITTEN
from portal.cases.loads.heads import Head
from portal.cases.loads.reading import Sheet, Unreadable, head_of
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Office, RegisterLoad, RegisterLoadRow, Role
from portal.models.types import new_id
from storage.objects import ObjectStore, Sealed

LOADERS = (Role.REGISTRAR, Role.REVIEWER, Role.APPROVER)
MAX_BYTES = 100 * 1024 * 1024  # 400,000 pupils with every column are 75 MB
PAGE = 50
BEFORE_APPLYING = ("uploaded", "checking", "checked", "failed")
RECENT = 50
MOST_IN_FLIGHT = (
    20  # loads of one office that are neither applied nor thrown away: each keeps many pupils' data
)


class LoadRefused(Refused):
    """An act that cannot be done now; the text says why and what to do."""


def _own(actor: Actor) -> Select[RegisterLoad]:
    return select(RegisterLoad).where(RegisterLoad.office_id == actor.office_id)


def loads_of(actor: Actor) -> list[RegisterLoad]:
    """The latest loads of the actor's own office, newest first; none for roles that do not load."""
    if actor.role not in LOADERS:
        return []
    query = _own(actor).order_by(RegisterLoad.created_at.desc(), RegisterLoad.id).limit(RECENT)
    return list(db.session.scalars(query))


def find_load(actor: Actor, load_id: uuid.UUID) -> RegisterLoad | None:
    """The load if it is of the actor's office and the role loads; None otherwise, whether or not it exists."""
    if actor.role not in LOADERS:
        return None
    return db.session.scalars(_own(actor).where(RegisterLoad.id == load_id)).one_or_none()


@dataclass(frozen=True)
class Received:
    """A file that has been read once and stored: nothing of it is in the database yet."""

    head: Head
    sheet: Sheet
    sealed: Sealed


def examine(data: bytes) -> tuple[Head, Sheet]:
    """Find the headings. Slow and without the database: call it while no transaction is open. Raises Unreadable for a file
    that is no export."""
    return head_of(io.BytesIO(data))


def keep(store: ObjectStore, key: str, data: bytes, examined: tuple[Head, Sheet]) -> Received:
    """Put the file into the store under the key of stored_files.expect(). No database. Raises StoreError."""
    sealed = store.put(key, io.BytesIO(data), size_limit=MAX_BYTES, media_type="application/octet-stream")
    return Received(*examined, sealed)


def begin(actor: Actor, filename: str, received: Received) -> RegisterLoad:
    """A load with the columns that this office chose last for such headings, else those that are recognised. Raises
    LoadRefused when the upload took too long, or the office began as many loads meanwhile as it may."""
    db.session.execute(select(Office.id).where(Office.id == actor.office_id).with_for_update(key_share=True))
    if fault := fault_in_flight(actor):
        raise LoadRefused(fault)
    headings = received.head.headings
    chosen = mapping.recall(actor.office_id, headings) or mapping.propose(headings)
    load = RegisterLoad(
        id=new_id(),
        office_id=actor.office_id,
        account_id=actor.id,
        filename=filename[-200:],
        sha256=received.sealed.sha256,
        stored=asdict(received.sealed),
        headings=headings,
        sheet=received.sheet.as_json(),
        mapping=chosen,
        status="uploaded",
    )
    try:
        stored_files.settle(received.sealed)
    except Refused as refused:
        raise LoadRefused(refused.message) from refused
    db.session.add(load)
    db.session.flush()
    audit.append("load.uploaded", "load", load.id, sha256=load.sha256, size=received.sealed.size)
    return load


def choose_sheet(load: RegisterLoad, actor: Actor, name: str) -> None:
    """Read another visible sheet of the same workbook. Slow: the caller holds no transaction that writes. Raises LoadRefused
    for a sheet that is not there or has no headings."""
    if load.status not in ("uploaded", "checked", "failed") or name not in load.sheet.get("others", []):
        raise LoadRefused("没有这张工作表，请刷新页面重新选择")
    stored, office_id = Sealed(**load.stored), actor.office_id
    db.session.rollback()
    try:
        with tasks.store().open(stored) as stream:
            head, sheet = head_of(stream, name)
    except Unreadable as error:
        raise LoadRefused(f"工作表“{name}”：{error}") from error
    chosen = mapping.recall(office_id, head.headings) or mapping.propose(head.headings)
    _move(
        load,
        ("uploaded", "checked", "failed"),
        "uploaded",
        headings=head.headings,
        sheet=sheet.as_json(),
        mapping=chosen,
        counts={},
        message="",
    )
    audit.append("load.sheet_chosen", "load", load.id)


def fault_in_flight(actor: Actor) -> str:
    """Why this office may not begin another load now, in Chinese; "" when it may."""
    query = select(func.count()).where(
        RegisterLoad.office_id == actor.office_id, RegisterLoad.status.in_(BEFORE_APPLYING)
    )
    if int(db.session.execute(query).scalar_one()) < MOST_IN_FLIGHT:
        return ""
    return f"本单位已有 {MOST_IN_FLIGHT} 份导入没有应用，请先应用或放弃其中一些，再导入新的文件"


def start_check(load: RegisterLoad, actor: Actor, chosen: Mapping[str, str], *, complete: bool) -> None:
    """Fix the columns, remember them for the office, and check. Raises LoadRefused."""
    fault = mapping.fault_in(chosen, actor.office_level)
    if fault:
        raise LoadRefused(fault)
    if any(not key.isdigit() or int(key) >= len(load.headings) for key in chosen):
        raise LoadRefused("列与文件不符，请刷新页面重新选择")
    _move(
        load,
        ("uploaded", "checked", "failed"),
        "checking",
        mapping=dict(chosen),
        complete=complete,
        account_id=actor.id,
        worker="",
        worker_seen_at=None,
        done_rows=0,
        total_rows=0,
        counts={},
        message="",
    )
    mapping.remember(actor.office_id, load.headings, chosen)
    tasks.enqueue(work.CHECK, load_id=str(load.id))
    audit.append("load.check_asked", "load", load.id, complete=complete)


def ask_apply(load: RegisterLoad, actor: Actor, *, without_faulty: bool) -> None:
    """Apply what was previewed. Rows with errors are left out, which the person has to have ticked."""
    if load.counts.get(FAULTY) and not without_faulty:
        raise LoadRefused("有错误的行不会载入。确认先载入其余各行的，请勾选“不含有错误的行”")
    if not any(load.counts.get(kind) for kind in (*WRITTEN, LANDED, WAITING)):
        raise LoadRefused("没有需要写入的变动")
    _move(load, ("checked",), "applying", account_id=actor.id, message="")
    tasks.enqueue(work.APPLY, load_id=str(load.id))
    audit.append("load.apply_asked", "load", load.id)


def ask_undo(load: RegisterLoad, actor: Actor) -> None:
    """Take an applied load back as a whole. Raises LoadRefused with the reason when it cannot be."""
    if load.status == "applied":
        reason = applying.why_not_undo(load) or proposals.why_not_undo(load)
        if reason:
            raise LoadRefused(reason)
    _move(load, ("applied",), "undoing", account_id=actor.id, message="")
    tasks.enqueue(work.UNDO, load_id=str(load.id))
    audit.append("load.undo_asked", "load", load.id)


def discard(load: RegisterLoad) -> None:
    """Throw away what was never applied, with its findings; the file goes after the commit, else with the sweep."""
    _move(load, BEFORE_APPLYING, "discarded", message="")
    db.session.execute(delete(RegisterLoadRow).where(RegisterLoadRow.load_id == load.id))
    _drop_file(load)
    audit.append("load.discarded", "load", load.id)


@stored_files.ends(stored_files.LOAD)
def _end_keeping(key: str) -> None:
    """Throw away what nobody applied in time, and drop the files of loads that were applied or taken back so long ago: they
    hold many pupils' data for no purpose."""
    stored_files.drop(key)
    load = db.session.scalars(
        select(RegisterLoad).where(RegisterLoad.stored["key"].as_string() == key)
    ).one_or_none()
    if load is None:
        return
    if load.status in BEFORE_APPLYING:
        discard(load)
        return
    _move(load, ("applied", "undone"), load.status)
    _drop_file(load)
    audit.append("load.forgotten", "load", load.id)


def _drop_file(load: RegisterLoad) -> None:
    if load.stored:
        stored_files.drop(load.stored["key"])
        load.stored = {}


def _move(load: RegisterLoad, sources: tuple[str, ...], status: str, **values: Any) -> None:
    done = db.session.execute(
        update(RegisterLoad)
        .where(RegisterLoad.id == load.id, RegisterLoad.status.in_(sources))
        .values(status=status, **values),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise LoadRefused("这批数据的状态已经变化，请刷新页面查看")
    db.session.refresh(load)


# --- findings -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Listing:
    """One page of the findings of a kind; `next` and `previous` are ids to page from, None where there is no page."""

    rows: list[RegisterLoadRow]
    previous: int | None
    next: int | None


def first_kind(load: RegisterLoad) -> str:
    """The list to open first: errors, then what asks for an answer, then what would change."""
    order = (FAULTY, RENUMBERED, *KINDS)
    return next((kind for kind in order if load.counts.get(kind)), KINDS[0])


def findings(load: RegisterLoad, kind: str, after: int = 0, before: int = 0, size: int = PAGE) -> Listing:
    """A page of the findings of a kind, in the order of the sheet, after or before a finding's id."""
    wanted = select(RegisterLoadRow).where(RegisterLoadRow.load_id == load.id, RegisterLoadRow.kind == kind)
    return _page(wanted, after, before, size)


def proposed(load: RegisterLoad, waits_as: str, after: int = 0, before: int = 0, size: int = PAGE) -> Listing:
    """A page of the rows that a bureau was asked about, whatever became of them."""
    wanted = select(RegisterLoadRow).where(
        RegisterLoadRow.load_id == load.id, RegisterLoadRow.waits_as == waits_as
    )
    return _page(wanted, after, before, size)


def _page(wanted: Select[RegisterLoadRow], after: int, before: int, size: int) -> Listing:
    if before:
        query = wanted.where(RegisterLoadRow.id < before).order_by(RegisterLoadRow.id.desc())
    else:
        query = wanted.where(RegisterLoadRow.id > after).order_by(RegisterLoadRow.id)
    rows = list(db.session.scalars(query.limit(size + 1)))
    more, rows = len(rows) > size, rows[:size]
    if before:
        rows.reverse()
    back = more if before else bool(after)
    forth = True if before else more
    return Listing(rows, rows[0].id if rows and back else None, rows[-1].id if rows and forth else None)
