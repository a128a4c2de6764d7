"""Installations whose picture checks cannot work: the processes that open files run statements of a test first.

What never belongs here: a stand-in for the processes. They are the real ones, and really fail.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from storage import sandbox

UNLOADABLE = ("raise ImportError('no numpy here')",)
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); from storage import confinement, examination; "
    "exec(sys.argv[3]); confinement.main(sys.argv[2])"
)


@contextmanager
def children_that(*statements: str) -> Iterator[None]:
    """For the length of the block, with processes started anew."""
    start = subprocess.Popen

    def other(arguments: list[str], **how: Any) -> subprocess.Popen[bytes]:
        return start([*arguments, "\n".join(statements)], **how)

    sandbox._end_warm()
    with mock.patch("storage.sandbox.subprocess.Popen", other), mock.patch.object(sandbox, "_BOOT", _BOOT):
        yield
        sandbox._end_warm()
