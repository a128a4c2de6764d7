"""Places marked on pictures as pages show them: a numbered frame over the picture, drawn by the server as SVG.

What never belongs here: a query about who may see it, a change.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from flask import url_for

from portal.cases import remarks
from portal.cases.marks import write_box
from portal.extensions import db
from portal.models import Case, EvidenceFile, EvidencePage, Remark


@dataclass(frozen=True)
class Frame:
    """One frame: its number in the list, what was said, and its edges in percent of the picture."""

    number: int
    reason: str
    note: str
    page: int
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True)
class MarkedPicture:
    """The picture that a line of the 补正 list marks: small, framed, and where it opens in full."""

    url: str
    picture_url: str
    file_id: str
    name: str
    page: int
    box: str  # for data-show-box
    frame: Frame


def frame(remark: Remark, titles: Mapping[str, str]) -> Frame:
    """A remark that has a place, as a frame."""
    box = remark.box or {}
    edges = {side: f"{100 * share:.2f}%" for side, share in box.items()}
    return Frame(
        remark.position, titles.get(remark.code, remark.code), remark.note, remark.page or 1, **edges
    )


def frames_on(case: Case, file_id: uuid.UUID) -> list[Frame]:
    """Every place that the last return to mark this file marked on it, in order."""
    titles = remarks.reason_titles(case)
    return [frame(remark, titles) for remark in remarks.marked_places(case, file_id)]


def marked_picture(case: Case, remark: Remark, titles: Mapping[str, str]) -> MarkedPicture | None:
    """What the list shows beside a remark, None where no place is marked."""
    file = db.session.get(EvidenceFile, remark.file_id) if remark.file_id and remark.box else None
    page = next((one for one in file.pages if one.page == remark.page), None) if file else None
    if file is None or page is None:
        return None
    return MarkedPicture(
        url=url_for("review.marks", case_id=case.id, file_id=file.id),
        picture_url=_small(page),
        file_id=str(file.id),
        name=file.name,
        page=page.page,
        box=write_box(remark.box or {}),
        frame=frame(remark, titles),
    )


def _small(page: EvidencePage) -> str:
    """The thumbnail, unless it shows the mended page and the school chose the plain one: the frame would be off."""
    endpoint = "evidence.view" if page.plain and page.shown == "plain" else "evidence.thumb"
    return url_for(endpoint, file_id=page.file_id, page=page.page)
