"""A tighter bound on memory than the child's own, for a library that is to take little. Runs in the child."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager


class Allowance:
    """Bytes of address space that may still be taken. What was taken and kept once is not given again, so that a long
    document cannot take page by page what it may not take at a time."""

    def __init__(self, size: int) -> None:
        self._left = size

    @contextmanager
    def spent(self, beyond: int = 0) -> Iterator[None]:
        """Within this, no more than what is left and ``beyond`` bytes can be had; the older limit holds again afterwards."""
        older, hard = resource.getrlimit(resource.RLIMIT_AS)
        before = address_space()
        limit = before + self._left + beyond
        if older != resource.RLIM_INFINITY:
            limit = min(limit, older)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (older, hard))
            self._left -= min(self._left, max(0, address_space() - before - beyond))


def address_space() -> int:
    """Bytes of address space that this process has."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()
