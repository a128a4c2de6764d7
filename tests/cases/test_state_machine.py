"""The engine under everything that people, clocks and dying processes do to it, in random order.

`STATE_MACHINE_EXAMPLES=200 STATE_MACHINE_STEPS=30 pytest tests/cases/test_state_machine.py -k sqlite` is the long run; by
default the same few examples run every time.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import getmembers
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, seed
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import RULE_MARKER, run_state_machine_as_test

from portal.settings import Settings
from tests.cases.machine import Machine
from tests.cases.world import World, copy_of, make_template
from tests.conftest import EMBEDDED, settings_for
from tests.services import fresh_postgres_database

POSTGRES = "postgresql+folder"
EXAMPLES = int(os.environ.get("STATE_MACHINE_EXAMPLES", "0"))
STEPS = int(os.environ.get("STATE_MACHINE_STEPS", "12"))


def run(
    world: World,
    installation: Callable[[], Any],
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
def on_sqlite(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[World, Callable[[], Any]]:
    """The world as a SQLite file, and how to open a copy of it."""
    template, copies = tmp_path_factory.mktemp("world"), tmp_path_factory.mktemp("copies")
    shutil.copy(migrated_sqlite, template / "portal.db")
    world = make_template(settings_for(template))

    @contextmanager
    def installation() -> Iterator[Settings]:
        folder = copy_of(template, copies)
        yield settings_for(folder)
        shutil.rmtree(folder)

    return world, installation


@pytest.fixture
def on_postgres(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[World, Callable[[], Any]]]:
    """The same on PostgreSQL; with a folder, since an S3 server answers nobody whose clock is months away."""
    server, template = (request.getfixturevalue(name) for name in ("postgres_url", "migrated_postgres"))
    with fresh_postgres_database(server, template) as url:
        world = make_template(settings_for(tmp_path, url))

        @contextmanager
        def installation() -> Iterator[Settings]:
            with fresh_postgres_database(server, url) as copy:
                yield settings_for(tmp_path, copy)

        yield world, installation


@pytest.mark.parametrize(
    ("place", "examples"),
    [(EMBEDDED, EXAMPLES or 2), pytest.param(POSTGRES, EXAMPLES // 10 or 1, marks=pytest.mark.services)],
    ids=[EMBEDDED, POSTGRES],
)
def test_the_invariants_hold(request: pytest.FixtureRequest, place: str, examples: int) -> None:
    world, installation = request.getfixturevalue("on_sqlite" if place == EMBEDDED else "on_postgres")
    run(world, installation, examples)
