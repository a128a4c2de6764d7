"""The engine under everything that people, clocks and dying processes do to it, in random order.

`STATE_MACHINE_EXAMPLES=1000 pytest tests/cases/test_state_machine.py -k "sqlite and invariants"` is the long run, other
examples each time; by default the same ones run every time. Once one fails, hypothesis looks for a shorter one for up to
five minutes before it tells: a run that seems to hang has found something.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import getmembers
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, seed
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import RULE_MARKER, run_state_machine_as_test

from portal import audit, create_app
from portal.cases import actions, claims, evidence, facts
from tests.cases.machine import Machine
from tests.cases.world import Installation, World, make_template
from tests.conftest import EMBEDDED, settings_for
from tests.services import fresh_postgres_database, restore_postgres_database

POSTGRES = "postgresql+folder"
EXAMPLES = int(os.environ.get("STATE_MACHINE_EXAMPLES", "0"))
STEPS = int(os.environ.get("STATE_MACHINE_STEPS", "30"))


def run(
    world: World,
    installation: Installation,
    examples: int,
    only: tuple[str, ...] = (),
    start: int | None = None,
    **changes: Any,
) -> None:
    """Run the machine on fresh copies of the world, with all its rules or with some, from a seed or from hypothesis' own."""
    own: dict[str, Any] = {"world": world, "installation": staticmethod(installation)}
    for name, method in getmembers(Machine, _is_rule):
        if only and name not in only:
            own[name] = _no_rule(method)
    machine = type("MachineHere", (Machine,), own)
    if start is not None:
        seed(start)(machine)
    given = {
        "max_examples": examples,
        "stateful_step_count": STEPS,
        "deadline": None,
        "database": None,
        "derandomize": not EXAMPLES and start is None,
        "suppress_health_check": list(HealthCheck),
        "report_multiple_bugs": False,
        **changes,
    }
    run_state_machine_as_test(machine, settings=hypothesis_settings(**given))


def _is_rule(member: Any) -> bool:
    return hasattr(member, RULE_MARKER)


def _no_rule(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that other rules may call, but that is not a rule of the machine."""
    return lambda *given, **named: method(*given, **named)


@pytest.fixture(scope="module")
def on_sqlite(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Installation]:
    """The world as a SQLite file, and how to open a copy of it."""
    template, here = tmp_path_factory.mktemp("world"), tmp_path_factory.mktemp("copies") / "here"
    shutil.copy(migrated_sqlite, template / "portal.db")
    world = make_template(settings_for(template))
    app = create_app(settings_for(here))

    @contextmanager
    def installation() -> Iterator[Flask]:
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(template, here)
        yield app

    return world, installation


@pytest.fixture
def on_postgres(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[World, Installation]]:
    """The same on PostgreSQL; with a folder, since an S3 server answers nobody whose clock is months away."""
    server, template = (request.getfixturevalue(name) for name in ("postgres_url", "migrated_postgres"))
    with fresh_postgres_database(server, template) as url:
        world = make_template(settings_for(tmp_path, url))
        with fresh_postgres_database(server, url) as here:
            app = create_app(settings_for(tmp_path, here))

            @contextmanager
            def installation() -> Iterator[Flask]:
                restore_postgres_database(server, here, url)
                yield app

            yield world, installation


@pytest.mark.parametrize(
    ("place", "examples"),
    [(EMBEDDED, EXAMPLES or 80), pytest.param(POSTGRES, EXAMPLES // 10 or 8, marks=pytest.mark.services)],
    ids=[EMBEDDED, POSTGRES],
)
def test_the_invariants_hold(request: pytest.FixtureRequest, place: str, examples: int) -> None:
    world, installation = request.getfixturevalue("on_sqlite" if place == EMBEDDED else "on_postgres")
    run(world, installation, examples)


@dataclass(frozen=True)
class Planted:
    """A guard that lets everything through, the rules and the seed that show it soon, and what the machine says then."""

    place: ModuleType
    guard: str
    rules: tuple[str, ...]
    told: str
    start: int = 0
    answer: Any = None


PLANTED = {
    "a stale page": Planted(actions, "_refuse_stale", ("edit",), "could edit from", 8),
    "two decisions of one person": Planted(
        actions, "_decided_this_round", ("follow_a_case",), "I5 .* 2 times", 2
    ),
    "a decision on one's own case": Planted(actions, "_is_own", ("follow_a_case",), "had submitted it", 5),
    "another's claim": Planted(claims, "claimed_by_other", ("approve", "claim"), "could approve", 1),
    "a paper into a submitted case": Planted(
        evidence, "hold_editable", ("carry_on", "finish_upload"), "a paper came into|saw other files", 1
    ),
    "one number for two pupils": Planted(facts, "_held_elsewhere", ("carry_on",), "I8 2 pupils", 3, {}),
    "an act without a record": Planted(audit, "append", ("edit",), "I4", 2),
}


@pytest.mark.parametrize("name", PLANTED)
def test_the_machine_finds_a_planted_fault(
    monkeypatch: pytest.MonkeyPatch, on_sqlite: tuple[World, Installation], name: str
) -> None:
    """The machine can fail: of each guard it notices that it is gone."""
    planted = PLANTED[name]
    monkeypatch.setattr(planted.place, planted.guard, lambda *_given, **_named: planted.answer)
    with pytest.raises(AssertionError, match=planted.told):
        run(*on_sqlite, 40, planted.rules, planted.start, stateful_step_count=12, phases=[Phase.generate])
