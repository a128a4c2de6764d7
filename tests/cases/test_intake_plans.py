"""招生计划: what a form must be, what a version changed, and that no plan takes away a place that is registered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
import time_machine
from flask import Flask

from portal.cases.clock import countdown
from portal.cases.intake import ledger, planning, plans, province, scope
from portal.cases.intake.scope import Scope, scope_of
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Level, Role
from tests.builders import Cast, a_school, act, an_actor, an_office
from tests.intakes import DOCUMENT, a_list, a_plan, a_roster, people

pytestmark = [pytest.mark.usefixtures("app"), pytest.mark.pages]


@pytest.fixture(autouse=True)
def september() -> Iterator[None]:
    with time_machine.travel("2026-09-20T02:00:00Z", tick=True):
        yield


@pytest.fixture
def cast(app: Flask) -> Cast:
    return Cast()


def here(actor) -> Scope:
    found = scope_of(actor)
    assert found is not None
    return found


def form(cast: Cast, county: str, school: str, graduates: str = "") -> dict[str, str]:
    return {
        f"places-{cast.county.id}": county,
        f"graduates-{cast.county.id}": graduates,
        f"places-{cast.school.id}": school,
    }


@pytest.mark.parametrize("text", ["-1", "1.5", "十", "100000", "１２", "1e3", "0x1", "9" * 30])
def test_a_figure_is_a_whole_number_within_bounds(cast: Cast, text: str) -> None:
    _figures, faults = planning.read(here(cast.approver), form(cast, "50", text))
    assert list(faults) == [f"places-{cast.school.id}"]


@pytest.mark.parametrize(
    ("county", "school", "graduates", "wrong"),
    [
        ("10", "10", "", False),
        ("0", "0", "", False),
        ("99999", "99999", "99999", False),
        ("9", "10", "", True),
        ("", "10", "", True),
        ("", "", "300", True),
        ("", "", "", False),
        (" 12 ", "12", "", False),
    ],
)
def test_schools_together_are_within_their_county(
    cast: Cast, county: str, school: str, graduates: str, wrong: bool
) -> None:
    _figures, faults = planning.read(here(cast.approver), form(cast, county, school, graduates))
    assert list(faults) == ([f"places-{cast.county.id}"] if wrong else [])


def test_a_school_of_the_state_is_within_no_county(cast: Cast) -> None:
    own = a_school(cast.state)
    figures, faults = planning.read(here(cast.approver), {f"places-{own.id}": "500"})
    assert not faults and figures == {own.id: (500, None)}


def test_figures_of_strangers_are_not_taken(cast: Cast) -> None:
    other = an_office(Level.STATE, policy="gs-linxia-2022")
    theirs = a_school(other)
    figures, faults = planning.read(here(cast.approver), {f"places-{theirs.id}": "5"})
    assert not figures and not faults


@pytest.mark.both_pairs
def test_versions_are_kept_and_compared(cast: Cast) -> None:
    who = here(cast.approver)
    first, _ = planning.save(who, form(cast, "20", "12"), DOCUMENT, "", 0)
    second, _ = planning.save(who, form(cast, "20", "15"), DOCUMENT, "按报名人数调整", 1)
    assert first and second and (first.number, second.number) == (1, 2)
    (changed,) = planning.differences_of(second)
    assert (changed.office, changed.old, changed.new) == (cast.school.name, 12, 15)
    assert plans.quota_of(cast.school, 2026, None).places == 15
    with pytest.raises(Refused, match="已存为第 2 版") as told:
        planning.save(who, form(cast, "20", "9"), DOCUMENT, "再次调整", 1)
    assert told.value.conflict
    with pytest.raises(Refused, match="州级"):
        planning.save(here(cast.reviewer), form(cast, "20", "9"), DOCUMENT, "再次调整", 2)


def test_a_school_decision_goes_by_the_plan_of_its_day(cast: Cast) -> None:
    """A later plan may not be less than what was approved, and another year's roster is another year's."""
    a_plan(cast.state, cast.approver, {cast.school: 5})
    a_list(cast.state, cast.approver, {cast.school: people(5)})
    case = a_roster(cast.registrar, people(4))
    act(case, cast.registrar, "submit")
    faults = planning.read(here(cast.approver), form(cast, "9", "3"))[1]
    assert not faults  # applied for, not yet registered: the rules of the roster will stop it
    act(case, cast.reviewer, "approve")
    act(case, cast.approver, "approve")
    assert "已同意注册 4 人" in planning.read(here(cast.approver), form(cast, "9", "3"))[1].popitem()[1]
    assert not planning.read(here(cast.approver), form(cast, "9", "4"))[1]
    next_year = scope_of(cast.approver, 2027)
    assert next_year and not planning.read(next_year, form(cast, "9", "3"))[1]


@pytest.mark.both_pairs
def test_the_ledger_has_the_engines_own_figures(cast: Cast) -> None:
    a_plan(cast.state, cast.approver, {cast.school: 5})
    a_list(cast.state, cast.approver, {cast.school: people(5)})
    case = a_roster(cast.registrar, people(4), 5)
    act(case, cast.registrar, "submit")
    (line,) = ledger.read(here(cast.reviewer)).lines
    assert line.figures == ledger.Figures(5, 5, 5, 4, 0) and line.figures.left == 1
    applied, approved = plans.spoken_for(cast.school.id, 2026)
    assert (line.figures.applied, line.figures.approved) == (applied, approved)
    assert province.standing(case).text == ""
    act(case, cast.reviewer, "approve")
    act(case, cast.approver, "approve")
    assert province.standing(case).text == "未报省"
    province.send(here(cast.approver), [case.id], DOCUMENT, date(2026, 9, 20))
    assert province.standing(case).text == f"已报省（{DOCUMENT}），已返回 0/4"


@pytest.mark.both_pairs
def test_totals_know_what_the_rows_know() -> None:
    none, some = ledger.Figures(), ledger.Figures(3, None, 2, 1, 1)
    assert ledger.total_of([none, some]) == ledger.Figures(3, None, 2, 1, 1)
    assert ledger.total_of([]).places is None


def test_whose_business_an_intake_is(cast: Cast) -> None:
    junior = an_actor(Role.REGISTRAR, a_school(cast.county, ("初中",)))
    henan = Cast("ha-2022")
    assert scope.concerns(cast.registrar) and scope.concerns(cast.reviewer)
    assert not scope.concerns(junior)
    assert not scope.concerns(henan.registrar) and not scope.concerns(henan.approver)
    assert [one.name for one in scope.schools(here(cast.registrar))] == [cast.school.name]
    assert scope.find_school(here(cast.reviewer), henan.school.id) is None


@pytest.mark.parametrize(
    ("day", "tone", "said"),
    [
        ("2026-09-10", "late", "已超期 10 天"),
        ("2026-09-20", "soon", "就是今天"),
        ("2026-09-30", "soon", "还有 10 天"),
        ("2026-10-01", "ok", "还有 11 天"),
    ],
)
def test_a_deadline_in_words(day: str, tone: str, said: str) -> None:
    due = countdown(date.fromisoformat(day))
    assert due.tone == tone and said in due.text


def test_other_years_are_those_with_data(cast: Cast) -> None:
    a_plan(cast.state, cast.approver, {cast.school: 5}, 2024)
    db.session.flush()
    assert scope.years(here(cast.registrar)) == [2026, 2024]
