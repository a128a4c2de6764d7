"""Evidence: what comes in for a slot of a case, and what becomes of it while the case can be edited.

The bytes are a stored file's (cases.stored_files): stage(), then within receiving() keep() and settle(); only then the person
reads "received". A file is evidence from settle() on, and has no row here before.
"""

from __future__ import annotations

import io
import unicodedata
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import selectinload

from portal import audit
from portal.cases import digests, likeness, stored_files
from portal.cases.access import Actor
from portal.cases.actions import available
from portal.cases.facts import read_facts
from portal.cases.likeness import Near
from portal.cases.page_readings import ask
from portal.cases.refusing import Refused
from portal.cases.used_before import Same, same_content
from portal.extensions import db
from portal.faults import reach
from portal.models import Case, EvidenceFile, EvidencePage, Status
from portal.models.types import new_id, utcnow
from portal.policies import policy
from portal.standards.words import letters_in
from portal.workflows import workflow
from storage.judge import MAX_BYTES, Judgement
from storage.measurement import worst
from storage.objects import ObjectStore, Sealed

SETTLED = ("pass", "mend")


@dataclass(frozen=True)
class Coming:
    """A file on its way in: what a person chose it for, and the key that its staged row names."""

    key: str
    case_id: uuid.UUID
    slot: str
    name: str
    account_id: uuid.UUID
    round: int
    begun_at: datetime


@dataclass(frozen=True)
class Kept:
    """What the store holds of one upload: the original and, for each page, view, thumbnail and plain view (None where
    the view is just that)."""

    original: Sealed
    pages: tuple[tuple[Sealed, Sealed, Sealed | None], ...]


def stage(case: Case, actor: Actor, slot: str, name: str) -> Coming:
    """The intent row. Raises Refused when the case cannot be edited, the slot is not asked for, or it is full."""
    _check_open(case, actor)
    law = workflow(case.workflow)
    wanted = next((item for item in law.slots(read_facts(case)) if item.id == slot), None)
    if wanted is None:
        raise Refused("这项业务不需要这份材料，请返回核对所填内容")
    _check_room(case, slot)
    key = stored_files.expect(stored_files.EVIDENCE, case.owner_office_id, actor)
    return Coming(key, case.id, slot, shown_name(name), actor.id, case.round, utcnow())


def _check_room(case: Case, slot: str) -> None:
    wanted = workflow(case.workflow).slot(slot)
    limit = policy(case.policy).value("evidence.max_files_per_slot")
    if wanted and len(files_of(case, slot)) >= limit:
        raise Refused(f"“{wanted.title}”最多 {limit} 个文件，请先删去不需要的")


def keep(store: ObjectStore, key: str, data: bytes, judged: Judgement) -> Kept:
    """Put the original and our renditions into the store. No database. Raises storage.objects.StoreError."""
    original = store.put(
        key,
        io.BytesIO(data),
        size_limit=MAX_BYTES,
        media_type=judged.media_type or "application/octet-stream",
    )
    pages = []
    for page in judged.pages:
        view = _put_jpeg(store, f"{key}-{page.page}-view", page.view_jpeg)
        thumb = _put_jpeg(store, f"{key}-{page.page}-thumb", page.thumb_jpeg)
        plain = _put_jpeg(store, f"{key}-{page.page}-plain", page.plain_jpeg) if page.plain_jpeg else None
        pages.append((view, thumb, plain))
    reach("upload.after_views")
    return Kept(original, tuple(pages))


def _put_jpeg(store: ObjectStore, key: str, picture: bytes) -> Sealed:
    """A rendition under the original's key and a suffix, so that the staged row names everything that may lie there."""
    return store.put(key, io.BytesIO(picture), size_limit=MAX_BYTES, media_type="image/jpeg")


def settle(coming: Coming, kept: Kept, judged: Judgement, near: Near | None = None) -> EvidenceFile:
    """The second write: the file becomes evidence; `near` is a page of another case that is almost the same.

    Raises Refused when the case has moved on, ValueError for a file that is no evidence (refuse() notes that).
    """
    if judged.refusal is not None or not judged.pages:
        raise ValueError(f"a refused file cannot be evidence: {judged.refusal}")
    case = db.session.get_one(Case, coming.case_id)
    hold_editable(case)
    _check_room(case, coming.slot)  # several may have been on their way at once
    same = same_content(case, coming.slot, kept.original.sha256)
    if same is None and near is not None:
        same = Same("advise", likeness.told(case, near))
    stored_files.settle(kept.original)
    file = _new(
        coming,
        status="committed",
        version_id=kept.original.version_id,
        sha256=kept.original.sha256,
        size=kept.original.size,
        media_type=judged.media_type,
        verdict=worst([judged.verdict, *([same.level] if same else [])]),
        notice=same.text if same else "",
    )
    _add_pages(file.id, kept, judged)
    db.session.flush()
    db.session.refresh(file)
    for one in file.pages:
        ask(one)
    audit.append(
        "evidence.received",
        "evidence",
        file.id,
        case=case.id.hex,
        sha256=file.sha256,
        verdict=file.verdict,
        renditions=digests.of_renditions(file.id, file.pages),
    )
    return file


def _new(coming: Coming, **values: Any) -> EvidenceFile:
    file = EvidenceFile(
        id=new_id(),
        case_id=coming.case_id,
        slot=coming.slot,
        name=coming.name,
        store_key=coming.key,
        uploaded_by_id=coming.account_id,
        uploaded_at=coming.begun_at,
        round=coming.round,
        **values,
    )
    db.session.add(file)
    db.session.flush()
    return file


def _add_pages(file_id: uuid.UUID, kept: Kept, judged: Judgement) -> None:
    for page, (view, thumb, plain) in zip(judged.pages, kept.pages, strict=True):
        db.session.add(
            EvidencePage(
                file_id=file_id,
                page=page.page,
                width=page.width,
                height=page.height,
                verdict=page.verdict,
                measurements=[asdict(one) for one in page.measurements],
                view=asdict(view),
                thumb=asdict(thumb),
                plain=asdict(plain) if plain else {},
                mending=asdict(page.mending),
                likeness=page.likeness or None,
                codes=list(page.codes),
                seals=list(page.seals),
            )
        )


def refuse(coming: Coming, judged: Judgement) -> EvidenceFile:
    """Note that a file was no evidence at all; nothing of it is kept."""
    file = _new(coming, status="refused", verdict="refuse", refusal=judged.refusal or "")
    audit.append("evidence.refused", "evidence", file.id, result="refused", case=file.case_id.hex)
    return file


def files_of(case: Case, slot: str | None = None) -> list[EvidenceFile]:
    """Committed files that stand in the case (or one slot) with their pages, oldest first."""
    return _files(case, slot, EvidenceFile.removed_at.is_(None))


def removed_files(case: Case, slot: str | None = None) -> list[EvidenceFile]:
    """Files of the case (or one slot) that were part of an earlier round and have been replaced, oldest first."""
    return _files(
        case, slot, EvidenceFile.removed_at.is_not(None), EvidenceFile.removed_round > EvidenceFile.round
    )


def _files(case: Case, slot: str | None, *which: ColumnElement[bool]) -> list[EvidenceFile]:
    query = select(EvidenceFile).where(
        EvidenceFile.case_id == case.id, EvidenceFile.status == "committed", *which
    )
    if slot is not None:
        query = query.where(EvidenceFile.slot == slot)
    query = query.options(selectinload(EvidenceFile.pages))
    return list(db.session.scalars(query.order_by(EvidenceFile.uploaded_at, EvidenceFile.id)))


def remove(case: Case, actor: Actor, file: EvidenceFile) -> None:
    """Take a file out of a draft or returned case. The sealed object stays: what a reviewer once saw is kept."""
    _check_open(case, actor)
    hold_editable(case)
    if file.removed_at is None:
        file.removed_at, file.removed_round = utcnow(), case.round
        audit.append("evidence.removed", "evidence", file.id, case=case.id.hex)


def may_override(case: Case, file: EvidenceFile) -> bool:
    """The way out: at once for an advice, after the policy's number of refusals in the slot for a refusal."""
    if file.verdict in SETTLED:
        return False
    if file.verdict == "advise":
        return True
    query = select(func.count()).select_from(EvidenceFile)
    earlier = db.session.execute(
        query.where(
            EvidenceFile.case_id == case.id,
            EvidenceFile.slot == file.slot,
            EvidenceFile.verdict == "refuse",
            EvidenceFile.status == "committed",
            EvidenceFile.uploaded_at < file.uploaded_at,
        )
    ).scalar_one()
    return bool(earlier >= policy(case.policy).value("evidence.refusals_before_way_out"))


def override(case: Case, actor: Actor, file: EvidenceFile, reason: str) -> None:
    """Go on with a poor picture for a typed reason, which the reviewer reads. Raises Refused."""
    _check_open(case, actor)
    reason = " ".join(reason.split())
    if letters_in(reason) < 4 or any(ord(character) < 32 for character in reason):
        raise Refused("请写明为什么只能提交这一张（至少 4 个字）")
    if not may_override(case, file):
        raise Refused("请先按提示重新拍摄；多次仍不能通过时可以填写原因后继续")
    hold_editable(case)
    file.override_reason = reason[:500]
    audit.append(
        "evidence.overridden",
        "evidence",
        file.id,
        case=case.id.hex,
        verdict=file.verdict,
        reason=digests.of_reason(file),
    )


def _check_open(case: Case, actor: Actor) -> None:
    if "edit" not in available(case, actor):
        raise Refused("业务已提交，证明材料不能再改动", conflict=True)


def hold_editable(case: Case) -> None:
    """Take the case's row so that a change of its files and a submission cannot cross: perform() takes it too.

    Raises Refused when it was submitted meanwhile.
    """
    done = db.session.execute(
        update(Case)
        .where(Case.id == case.id, Case.status.in_((Status.DRAFT, Status.RETURNED)))
        .values(changed_at=utcnow()),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused("业务已提交，证明材料不能再改动", conflict=True)


def shown_name(name: str) -> str:
    """A file's name for display: no path, no control or direction characters, at most 120 characters."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(c for c in base if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co")).strip(" .")
    return clean[-120:] or "未命名文件"
