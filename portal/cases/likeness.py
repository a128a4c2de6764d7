"""Almost the same picture used before: a perceptual hash of each page, compared with those of the own state.

Bounded: the pages of the MOST_CASES cases of the state that changed last, read as hashes only. Two papers from one form can
look alike, so the distance is small and the answer never more than an advice.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from portal.cases import clock
from portal.cases.access import offices_under
from portal.cases.offices import supervisor
from portal.extensions import db
from portal.models import Case, EvidenceFile, EvidencePage, Level
from portal.policies import policy

MOST_CASES = 8000
BITS = 64


@dataclass(frozen=True)
class Near:
    """The page most like one of the new ones: its file, the case, and in how many of 64 bits they differ."""

    file_id: uuid.UUID
    case_id: uuid.UUID
    uploaded_at: datetime
    distance: int


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


def nearest(case: Case, hashes: Iterable[str | None]) -> Near | None:
    """The page of another case of the state that is most like one of these, within the policy's distance."""
    wanted = [found for found in map(read_hash, hashes) if found is not None]
    limit = policy(case.policy).value("evidence.likeness_bits")
    if not wanted or limit < 0:
        return None
    best: tuple[int, uuid.UUID] | None = None
    for page_id, text in db.session.execute(_candidates(case)):
        other = read_hash(text)
        if other is None:
            continue
        apart = min((one ^ other).bit_count() for one in wanted)
        if apart <= limit and (best is None or apart < best[0]):
            best = (apart, page_id)
    return _near(*best) if best else None


def _near(distance: int, page_id: uuid.UUID) -> Near:
    file = db.session.get_one(EvidenceFile, db.session.get_one(EvidencePage, page_id).file_id)
    return Near(file.id, file.case_id, file.uploaded_at, distance)


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
    """The advice. Another office's case is not named: its number is that office's."""
    other = db.session.get_one(Case, near.case_id)
    day = f"{clock.local(near.uploaded_at):%m月%d日}"
    where = f"编号 {other.number}" if other.owner_office_id == case.owner_office_id else "其他单位的业务"
    return f"与 {day} 上传的图片几乎相同（{where}），请确认没有传错"
