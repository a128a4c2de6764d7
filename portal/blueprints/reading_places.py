"""Where on a scan something was read, as the viewer takes it."""

from __future__ import annotations

from dataclasses import dataclass

from portal.cases.read_text import Place


@dataclass(frozen=True)
class Frame:
    """A place on a scan as the viewer takes it: file, page, and "left,top,width,height" in shares."""

    file_id: str
    page: int
    box: str


def frame(place: Place) -> Frame:
    """A place as text for the viewer."""
    return Frame(place.file_id, place.page, ",".join(f"{share:.4f}" for share in place.box))
