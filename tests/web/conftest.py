"""Fixtures of the tests over HTTP."""

from tests.web.world import world  # noqa: F401 - a fixture
