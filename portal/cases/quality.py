"""How legible the papers of a case are, as one number, and by which thresholds an office has them judged.

The number: 100 for a page on which every check passed or was put right by the program. Otherwise the poorest check counts,
by how far it lies beyond its threshold: r is value to threshold (or the other way round, whichever is more than 1), an
advice gives 75 / r but at least 40, a refusal 40 / r. So a page that only just missed a mark has 75 or 40, one that is
twice as bad as the mark 40 or 20. A case has the number of the poorest page that stands in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from portal.cases.offices import supervisor
from portal.extensions import db
from portal.models import Case, EvidenceFile, EvidencePage, Level, ThresholdSet
from portal.workflows import workflow
from storage.thresholds import Thresholds, changed, standard

OTHER = "other"
BEST = 100
ADVISED, ADVISED_LEAST, REFUSED = 75, 40, 40

Changes = Mapping[str, Mapping[str, float]]  # kind of paper ("" for all) -> threshold -> value


def score(measurements: Iterable[Mapping[str, Any]]) -> int:
    """The number of one page, 0 to 100, from its stored measurements."""
    return min((_points(one) for one in measurements), default=BEST)


def _points(measured: Mapping[str, Any]) -> int:
    if measured["verdict"] not in ("advise", "refuse"):
        return BEST
    beyond = distance(float(measured["value"]), float(measured["threshold"]))
    if measured["verdict"] == "refuse":
        return round(REFUSED / beyond)
    return max(ADVISED_LEAST, round(ADVISED / beyond))


def distance(value: float, threshold: float) -> float:
    """How many times the one is the other, the larger by the smaller: 1 at the threshold, never more than 100."""
    small, large = sorted((abs(value), abs(threshold)))
    return min(100.0, large / small) if small > 0 else (100.0 if large > 0 else 1.0)


def legibility(case: Case) -> int:
    """The number of the poorest page that stands in a case; 100 where it has none."""
    query = (
        select(EvidencePage.measurements)
        .join(EvidenceFile)
        .where(
            EvidenceFile.case_id == case.id,
            EvidenceFile.status == "committed",
            EvidenceFile.removed_at.is_(None),
        )
    )
    return min((score(one) for one in db.session.scalars(query)), default=BEST)


def thresholds_for(case: Case) -> Changes:
    """What the state bureau above a case's school has set otherwise than the standard: kind of paper ("" for all) ->
    threshold -> value. For storage.thresholds.changed()."""
    state = supervisor(case.owner, Level.STATE)
    newest = newest_set(state.id) if state else None
    return newest.changes if newest else {}


def standard_for(case: Case, slot: str) -> Thresholds:
    """What a paper in a slot of this case is judged by: the standard for its kind of paper and the state bureau's changes."""
    wanted = workflow(case.workflow).slot(slot)
    paper = (wanted.paper if wanted else "") or OTHER
    state = supervisor(case.owner, Level.STATE)
    newest = newest_set(state.id) if state else None
    if state is None or newest is None:
        return standard(paper)
    return changed(paper, newest.changes, f"{standard().version}+{state.code}.{newest.number}")


def newest_set(office_id: Any) -> ThresholdSet | None:
    """The version that counts for an office, None where it never set one."""
    query = select(ThresholdSet).where(ThresholdSet.office_id == office_id)
    return db.session.scalars(query.order_by(ThresholdSet.number.desc()).limit(1)).first()
