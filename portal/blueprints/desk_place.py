"""Where a desk stands: the box it was opened from with its neighbours there, and who works on its case.

What never belongs here: a change, a query about who may see a case.
"""

from __future__ import annotations

from typing import Any

from flask import request

from portal.blueprints.queues import filters_of
from portal.cases import claims, clock, queues
from portal.cases.history import told_what_happened
from portal.cases.queues import BOXES, Box, Filters
from portal.models import OPEN, Case
from portal.web import actor

MOST_BEATS = 45  # an open page asks for news a quarter of an hour; then the person is taken to have left


def origin(case: Case) -> tuple[Box | None, Filters]:
    """The box and filter that the case was opened from; one's own 待办 where the address names none."""
    name = request.args.get("box") or ("todo" if claims.may_claim(case, actor()) else "")
    box = BOXES.get(name)
    if box is None or actor().role not in box.roles:
        return None, Filters()
    return box, filters_of(box)


def origin_args() -> dict[str, Any]:
    box = BOXES.get(request.args.get("box", ""))
    return {"box": box.id, **filters_of(box).as_args()} if box and actor().role in box.roles else {}


def place(case: Case) -> dict[str, Any]:
    """Where the case stands in its box, and its neighbours there."""
    box, filters = origin(case)
    if box is None or not queues.contains(actor(), box, filters, case):
        on = queues.following(actor(), box, filters, case) if box else None
        return {"box": box, "place": None, "previous": None, "next": on, "box_args": filters.as_args()}
    before, after = queues.neighbours(actor(), box, filters, case)
    return {
        "box": box,
        "box_args": filters.as_args(),
        "place": (queues.position(actor(), box, filters, case), queues.count(actor(), box, filters)),
        "previous": before,
        "next": after,
    }


def status(case: Case, *, seen: str, beat: int = 0, failed: bool = False) -> dict[str, Any]:
    """What the status fragment needs: the living claim, what the person may do about it, whether the case moved on."""
    moved = bool(seen) and seen.partition(".")[0] != str(case.version)
    living = claims.holds_claim(case)
    return {
        "case": case,
        "seen": seen,
        "beat": beat,
        "beating": case.status in OPEN and beat < MOST_BEATS and not moved,
        "moved": told_what_happened(case) if moved else "",
        "claimed_by": case.claimed_by if living else None,
        "claimed_at": clock.local(case.claimed_at).strftime("%H:%M") if living and case.claimed_at else "",
        "mine": living == actor().id,
        "may_claim": claims.may_claim(case, actor()),
        "failed": claim_failed(case) if failed else "",
        "origin": origin_args(),
    }


def claim_failed(case: Case) -> str:
    if claims.claimed_by_other(case, actor()) and case.claimed_by:
        return f"{case.claimed_by.name}已在办理这件业务，需要时可以接办"
    return "这件业务现在不由您办理"
