"""Almost the same picture used before: a perceptual hash of each page, compared with those of the own state.

Bounded: the pages of the MOST_CASES cases of the state that changed last, read as hashes only. Two papers from one form have
nearly the same hash, so the nearest few pictures are laid over the new one and compared place by place; the answer is never
more than an advice.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from heapq import nsmallest
from typing import Any

from sqlalchemy import Select, select

from portal.cases import clock
from portal.cases.access import offices_under
from portal.cases.offices import supervisor
from portal.extensions import db
from portal.models import Case, EvidenceFile, EvidencePage, Level
from portal.policies import policy
from storage.judge import Judgement
from storage.objects import Missing, ObjectStore, Sealed, Tampered
from storage.rendition import difference

MOST_CASES = 8000
MOST_COMPARED = 3
ALIKE = 0.74  # storage.sameness: the same picture cropped or turned stays below, another pupil's paper of one form above
BITS = 64


@dataclass(frozen=True)
class Near:
    """A page much like one of the new ones: its file, the case, in how many of 64 bits they differ, which of the new pages
    it is (from 0), and the sealed object that is its view."""

    file_id: uuid.UUID
    case_id: uuid.UUID
    uploaded_at: datetime
    distance: int
    page: int
    view: dict[str, Any]


def read_hash(text: str | None) -> int | None:
    """The hash as a number; None for a page that has none, or one that says nothing: nearly all bits alike, as on a
    blank sheet."""
    if not text or len(text) != BITS // 4:
        return None
    try:
        found = int(text, 16)
    except ValueError:
        return None
    return found if 4 <= found.bit_count() <= BITS - 4 else None


def find(case: Case, judged: Judgement, store: ObjectStore) -> Near | None:
    """The page of another case that is the same picture as one just judged, or None.

    Ends the running transaction before pictures are compared: that takes a quarter of a second each. Raises StoreError.
    """
    likely = nearest(case, [page.likeness for page in judged.pages])
    db.session.rollback()
    for near in likely:
        try:
            theirs = store.read(Sealed(**near.view))
        except (
            Missing,
            Tampered,
        ):  # another case's spoilt picture is no reason to refuse this one: a walk finds it
            continue
        apart = difference(judged.pages[near.page].view_jpeg, theirs)
        if apart is not None and apart < ALIKE:
            return near
    return None


def nearest(case: Case, hashes: Iterable[str | None]) -> list[Near]:
    """The pages of other cases of the state whose hash is within the policy's distance of one of these, nearest first, at
    most MOST_COMPARED: two papers from one form may be among them."""
    wanted = [(number, found) for number, text in enumerate(hashes) if (found := read_hash(text)) is not None]
    limit = policy(case.policy).value("evidence.likeness_bits")
    if not wanted or limit < 0:
        return []
    near: list[tuple[int, int, uuid.UUID]] = []
    for page_id, text in db.session.execute(_candidates(case)):
        if (other := read_hash(text)) is None:
            continue
        apart, number = min(((one ^ other).bit_count(), number) for number, one in wanted)
        if apart <= limit:
            near.append((apart, number, page_id))
    return [_near(*one) for one in nsmallest(MOST_COMPARED, near)]


def _near(distance: int, number: int, page_id: uuid.UUID) -> Near:
    page = db.session.get_one(EvidencePage, page_id)
    file = db.session.get_one(EvidenceFile, page.file_id)
    return Near(file.id, file.case_id, file.uploaded_at, distance, number, page.view)


def _candidates(case: Case) -> Select[uuid.UUID, str | None]:
    """Hashes of committed pages of the state's other cases, as far back as MOST_CASES goes."""
    state = supervisor(case.owner, Level.STATE)
    scope = offices_under(state.path if state else case.owner.path)
    recent = (
        select(Case.id)
        .where(Case.id != case.id, Case.owner_office_id.in_(scope).is_(True))
        .order_by(Case.changed_at.desc(), Case.id.desc())
        .limit(MOST_CASES)
        .subquery()
    )
    return (
        select(EvidencePage.id, EvidencePage.likeness)
        .join(EvidenceFile, EvidenceFile.id == EvidencePage.file_id)
        .join(recent, recent.c.id == EvidenceFile.case_id)
        .where(EvidenceFile.status == "committed", EvidencePage.likeness.is_not(None))
    )


def told(case: Case, near: Near) -> str:
    """The advice. Of another office's case neither number nor day is said: they are that office's."""
    other = db.session.get_one(Case, near.case_id)
    if other.owner_office_id != case.owner_office_id:
        return "与其他单位业务中的一张图片几乎相同，请确认没有传错"
    day = f"{clock.local(near.uploaded_at):%m月%d日}"
    return f"与 {day} 上传的图片几乎相同（编号 {other.number}），请确认没有传错"
