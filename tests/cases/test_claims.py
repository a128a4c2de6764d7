"""Claims: one person works on a case; others wait, or take over knowingly; a forgotten claim lapses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from portal.cases import claims
from portal.cases.actions import Act, available, perform, stamp
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import AuditRecord
from portal.models.types import utcnow
from tests.builders import Cast, a_case, act

pytestmark = pytest.mark.pages


def audited() -> list[str]:
    return [
        one
        for one in db.session.scalars(select(AuditRecord.action).order_by(AuditRecord.seq))
        if "claim" in one or "over" in one or "release" in one
    ]


@pytest.mark.both_pairs
def test_a_claim_keeps_colleagues_from_deciding_until_it_is_given_up(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    assert claims.claim(case, cast.reviewer)
    assert claims.claimed_by_other(case, cast.reviewer2) and not claims.claimed_by_other(case, cast.reviewer)
    assert "approve" in available(case, cast.reviewer) and not available(case, cast.reviewer2)
    with pytest.raises(Refused, match="正在办理"):
        perform(case, cast.reviewer2, "approve", stamp(case), Act())
    assert not claims.claim(case, cast.reviewer2) and not claims.release(case, cast.reviewer2)
    assert claims.release(case, cast.reviewer)
    assert claims.claim(case, cast.reviewer2)
    assert audited() == ["case.claimed", "case.released", "case.claimed"]


@pytest.mark.both_pairs
def test_taking_over_passes_over_a_living_claim_and_is_recorded(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    claims.claim(case, cast.reviewer)
    assert claims.claim(case, cast.reviewer2, take_over=True)
    assert claims.holds_claim(case) == cast.reviewer2.id and not available(case, cast.reviewer)
    assert audited() == ["case.claimed", "case.taken_over"]


@pytest.mark.both_pairs
def test_a_claim_lapses_after_the_time_of_the_settings(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    claims.claim(case, cast.reviewer)
    assert claims.lifetime() == timedelta(minutes=30)
    case.claimed_at = utcnow() - claims.lifetime() - timedelta(seconds=1)
    db.session.flush()
    assert claims.holds_claim(case) is None and "approve" in available(case, cast.reviewer2)
    assert claims.claim(case, cast.reviewer2)
    assert audited() == ["case.claimed", "case.claimed"], "nobody's living claim was taken over"


def test_renewing_ones_own_claim_leaves_no_second_record(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    assert claims.claim(case, cast.reviewer)
    case.claimed_at = earlier = utcnow() - timedelta(minutes=20)
    db.session.flush()
    assert claims.claim(case, cast.reviewer) and case.claimed_at > earlier
    assert audited() == ["case.claimed"]


@pytest.mark.parametrize("at", ["draft", "state_approval", "returned", "approved", "rejected", "withdrawn"])
def test_only_people_whose_turn_it_is_can_claim(app: Flask, at: str) -> None:
    cast, stranger = Cast(), Cast()
    case = a_case(cast, at)
    for name, person in {**cast.everybody(), "stranger": stranger.reviewer}.items():
        due = at == "state_approval" and name == "approver"
        assert claims.may_claim(case, person) is due, name
        assert claims.claim(case, person, take_over=True) is due, name


def test_a_decision_ends_the_claim(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    claims.claim(case, cast.reviewer)
    act(case, cast.reviewer, "approve")
    assert case.claimed_by_id is None and case.claimed_at is None
