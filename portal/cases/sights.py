"""What is before a person's eyes of a case's papers: the pictures in the store, and the rows that name them.

A decision names both, and rests on nothing that has changed since: the pictures are read from the store again before its
transaction, and the rows carry keyed digests.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal import audit, tasks
from portal.cases.evidence_rows import sealed_original, sealed_picture
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import AuditHead, Case, EvidenceFile, EvidencePage
from portal.models.keyed_rows import fits, values_of
from storage.objects import Missing, Sealed, Tampered

PLAIN = "plain"
CHANGED = "与收到时不一致"
GONE = "在存储中找不到了"


@dataclass(frozen=True)
class Paper:
    """One file as it is shown: its sealed original and every picture of it that can be looked at, with the page's number;
    `whole` says that its rows are as the portal wrote them."""

    file_id: uuid.UUID
    name: str
    original: Sealed
    pictures: tuple[tuple[int, Sealed], ...]
    whole: bool


Sight = tuple[Paper, ...]


class Spoilt(Exception):
    """A paper is not what it was when it was received."""

    def __init__(self, paper: Paper, page: int, why: str) -> None:
        super().__init__(why)
        self.paper, self.page, self.why = paper, page, why

    @property
    def told(self) -> str:
        which = f"第 {self.page} 页的图片" if self.page else "原件"
        return (
            f"“{self.paper.name}”{which}{self.why}，不能据此办理。已记入审计记录，请立即联系系统管理员核查；"
            "查明以前请不要处理这件业务"
        )


def look(case: Case) -> Sight:
    """The papers that stand in a case, as the database has them now."""
    query = (
        select(EvidenceFile)
        .where(
            EvidenceFile.case_id == case.id,
            EvidenceFile.status == "committed",
            EvidenceFile.removed_at.is_(None),
        )
        .options(selectinload(EvidenceFile.pages))
        .order_by(EvidenceFile.uploaded_at, EvidenceFile.id)
        .execution_options(populate_existing=True)
    )
    return tuple(_paper(file) for file in db.session.scalars(query))


def _paper(file: EvidenceFile) -> Paper:
    pictures = tuple((page.page, sealed_picture(one)) for page in file.pages for one in _shown_first(page))
    return Paper(file.id, file.name, sealed_original(file), pictures, whole(file, *file.pages))


def _shown_first(page: EvidencePage) -> list[dict[str, Any]]:
    both = [page.view, page.plain]
    return [one for one in (reversed(both) if page.shown == PLAIN and page.plain else both) if one]


def read_again(sight: Iterable[Paper]) -> None:
    """Hold what is shown against the store: every picture is read, of every original it is asked whether it is there. It
    needs no transaction. Raises Spoilt, StoreUnavailable."""
    store = tasks.store()
    for paper in sight:
        if not paper.whole:
            raise Spoilt(paper, 0, CHANGED)
        if not store.exists(paper.original):
            raise Spoilt(paper, 0, GONE)
        for page, picture in paper.pictures:
            try:
                store.read(picture)
            except (Missing, Tampered) as error:
                raise Spoilt(paper, page, GONE if isinstance(error, Missing) else CHANGED) from error


def refusal(case_id: uuid.UUID, spoilt: Spoilt) -> Refused:
    """Note in the audit chain and in the log that a paper is spoilt, and say so. The running transaction is over by now."""
    current_app.logger.error(
        "evidence %s is not what was sealed (page %s)", spoilt.paper.file_id, spoilt.page
    )
    audit.append_now(
        "evidence.spoilt",
        "evidence",
        spoilt.paper.file_id,
        result="failed",
        case=case_id.hex,
        page=spoilt.page,
        missing=spoilt.why == GONE,
    )
    return Refused(spoilt.told, conflict=True)


def named(sight: Sight) -> list[dict[str, Any]]:
    """As Decision.seen keeps it."""
    return [
        {
            "file": paper.file_id.hex,
            "original": paper.original.sha256,
            "views": [picture.sha256 for _, picture in paper.pictures],
        }
        for paper in sight
    ]


def originals(seen: Iterable[Any]) -> list[str]:
    """The hashes of the originals of Decision.seen, also of an older row, which is a list of just these."""
    return [one["original"] if isinstance(one, dict) else one for one in seen]


def whole(*rows: Any) -> bool:
    """Whether rows are as the portal wrote them. One of the time before rows had digests counts as such until all have."""
    keyed = [row for row in rows if row.row_digest]
    if not all(fits(row.__tablename__, values_of(row)) for row in keyed):
        return False
    return len(keyed) == len(rows) or not _all_keyed()


def must_be_whole(*rows: Any) -> None:
    """Raises Tampered where one of them was changed by somebody else."""
    if not whole(*rows):
        raise Tampered(f"a row of {', '.join(sorted({row.__tablename__ for row in rows}))} was changed")


def _all_keyed() -> bool:
    return bool(db.session.execute(select(AuditHead.rows_sealed)).scalar())
