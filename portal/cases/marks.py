"""A place on a picture: one page of a file and a box on it, and whether the two can be.

A box is in shares of the shown view as it stands unturned: x and y of its upper left corner, width and height, each from
0 to 1. The view of a committed file does not change once a reviewer can see it, so a box means the same place for ever.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from sqlalchemy import select

from portal.extensions import db
from portal.models import Case, EvidenceFile, EvidencePage

SIDES = ("x", "y", "width", "height")
LEAST = 0.005  # of a side of the page: less than a character is a slip of the hand
SLACK = 0.0005  # what rounding may add up to beyond the edge


def read_box(text: str) -> dict[str, float] | None:
    """A box from "x,y,width,height", or None where that is no box on a page."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return None
    box = dict(zip(SIDES, numbers, strict=False))
    return box if len(numbers) == len(SIDES) and sound(box) else None


def write_box(box: Mapping[str, float]) -> str:
    """The same as text, to a ten-thousandth of a side."""
    return ",".join(f"{box[side]:.4f}" for side in SIDES)


def sound(box: Mapping[str, float]) -> bool:
    """Whether a box lies on the page and is large enough to be meant. NaN and infinities are not numbers here."""
    x, y, width, height = (box[side] for side in SIDES)
    on_page = all(0 <= one <= 1 for one in (x, y, width, height))
    return on_page and min(width, height) >= LEAST and x + width <= 1 + SLACK and y + height <= 1 + SLACK


def fault_in_place(case: Case, slot: str, file_id: str, page: int, box: Mapping[str, float] | None) -> str:
    """Why a place that was marked for a slot cannot be kept, "" when it can."""
    if box is None or not sound(box):
        return "框选的位置有误，请在影像上重新框选"
    try:
        wanted = uuid.UUID(file_id)
    except ValueError:
        return "框选的图片不在本件材料中，请重新框选"
    query = select(EvidenceFile).where(
        EvidenceFile.id == wanted,
        EvidenceFile.case_id == case.id,
        EvidenceFile.status == "committed",
        EvidenceFile.removed_at.is_(None),
    )
    file = db.session.scalars(query).one_or_none()
    if file is None:
        return "框选的图片不在本件材料中，请重新框选"
    if file.slot != slot:
        return "框选的图片不属于这一条所选的材料，请改选材料或重新框选"
    pages = select(EvidencePage.id).where(EvidencePage.file_id == file.id, EvidencePage.page == page)
    if db.session.scalars(pages).first() is None:
        return "框选的页不存在，请重新框选"
    return ""
