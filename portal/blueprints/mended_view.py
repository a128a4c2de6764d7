"""Pages that the program put right, as pages show them: before and after, and which of the two was chosen."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for

from portal.cases import shown
from portal.models import Case, EvidenceFile


@dataclass(frozen=True)
class MendedPage:
    """One page for macros/mended.html; `open`: the choice is still the school's."""

    page: int
    chosen: str
    mended_url: str
    plain_url: str
    choose_url: str
    open: bool


def mended_pages(case: Case, file: EvidenceFile) -> tuple[MendedPage, ...]:
    """The pages of a file that have a plain picture beside the mended one."""
    return tuple(
        MendedPage(
            page.page,
            page.shown,
            url_for("evidence.either", file_id=file.id, which=shown.MENDED, page=page.page),
            url_for("evidence.either", file_id=file.id, which=shown.PLAIN, page=page.page),
            url_for("evidence.choose", file_id=file.id, page=page.page),
            shown.may_choose(case, file),
        )
        for page in file.pages
        if page.plain
    )
