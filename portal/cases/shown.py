"""Mended or plain: which picture of a page is shown, where the program straightened or brightened it.

The school chooses while the page is new. Once a reviewer could see the page the choice stands: marks and readings name
places on the view that was shown, and a decision was taken on it.
"""

from __future__ import annotations

from typing import Any

from portal import audit
from portal.cases.access import Actor
from portal.cases.actions import available
from portal.cases.evidence import hold_editable
from portal.cases.page_readings import ask
from portal.cases.refusing import Refused
from portal.models import Case, EvidenceFile, EvidencePage

MENDED, PLAIN = "mended", "plain"


def picture(page: EvidencePage, which: str = "") -> dict[str, Any]:
    """The sealed picture to show: the chosen one, or the one asked for. {} where there is none."""
    return page.plain if (which or page.shown) == PLAIN and page.plain else page.view


def is_plain(page: EvidencePage) -> bool:
    """Whether the person took the plain picture although there is a mended one."""
    return page.shown == PLAIN and bool(page.plain)


def may_choose(case: Case, file: EvidenceFile) -> bool:
    """Whether the choice is still open: a page that came since the last submission, of a case that can be edited."""
    return file.removed_at is None and file.round == case.round and case.status in ("draft", "returned")


def choose(case: Case, actor: Actor, file: EvidenceFile, page: EvidencePage, which: str) -> None:
    """Show the mended or the plain picture from now on. Raises Refused."""
    if "edit" not in available(case, actor) or not may_choose(case, file):
        raise Refused("这张图片已提交审核，显示方式不能再改", conflict=True)
    if which not in (MENDED, PLAIN) or not page.plain:
        raise Refused("这一页没有可选的另一种图")
    hold_editable(case)
    if page.shown != which:
        page.shown = which
        ask(page)  # it was read on the other picture
        audit.append("evidence.shown", "evidence", file.id, case=case.id.hex, page=page.page, shown=which)
