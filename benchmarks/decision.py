"""What one decision costs: rules, the guarded update, decision, register change, event, audit record, commit.

    python -m benchmarks.decision [--decisions 500] [--small] [--database postgresql+psycopg://…]

Every case is approved as the last step of its chain, so that each decision changes the register. Milliseconds from the
reading of the case to the end of the commit, as a POST does it; the case is read anew. A database that is named must be
empty.
"""

from __future__ import annotations

import argparse
import statistics
import time
import uuid

from benchmarks._installation import installation
from portal import tasks
from portal.cases.access import find_case
from portal.cases.actions import Act, perform, stamp
from portal.extensions import db
from portal.models import Case, RegisterChange, Status
from tests.builders import Cast, a_case, a_pupil
from tests.web.live import seal_papers


def prepare(cast: Cast, number: int) -> list[uuid.UUID]:
    """Cases that wait for the county and end there."""
    ids = [a_case(cast, "county_review", pupil=a_pupil(cast.school, stage="初中")).id for _ in range(number)]
    seal_papers()
    db.session.commit()
    tasks.wait(600)
    return ids


def decide(cast: Cast, case_id: uuid.UUID) -> float:
    """Milliseconds of one approval."""
    db.session.expunge_all()
    begun = time.perf_counter()
    case = find_case(cast.reviewer, case_id)
    assert case is not None
    perform(case, cast.reviewer, "approve", stamp(case), Act(note="已核对"))
    db.session.commit()
    taken = (time.perf_counter() - begun) * 1000
    tasks.wait()  # locking the papers goes on after the answer; the next decision is not to wait for it
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--decisions", type=int, default=500)
    parser.add_argument(
        "--small", action="store_true", help="20 decisions: whether it runs, not what it costs"
    )
    parser.add_argument("--database", default="", help="URL of an empty PostgreSQL database")
    chosen = parser.parse_args()
    number = 20 if chosen.small else chosen.decisions
    with installation(chosen.database):
        cast = Cast()
        taken = sorted(decide(cast, case_id) for case_id in prepare(cast, number))
        approved = db.session.query(Case).filter_by(status=Status.APPROVED).count()
        assert approved == db.session.query(RegisterChange).count() == number
        print(
            f"{db.engine.dialect.name}: {number} decisions, median {statistics.median(taken):.1f} ms, "
            f"95 % within {taken[int(number * 0.95)]:.1f} ms, longest {taken[-1]:.1f} ms"
        )


if __name__ == "__main__":
    main()
