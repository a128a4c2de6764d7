"""Who may read a file now: two at a time on this machine, and nobody waits in a request for longer than a server does."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import IO

from portal.cases.loads.unpacking import Unreadable

READERS = 2  # files that are read in the same moment
WAIT_SECONDS, WALL_SECONDS = (
    20,
    45,
)  # in a request: to begin, and to read; together less than a server before us waits
PATIENT_WAIT_SECONDS, PATIENT_WALL_SECONDS = 600, 900  # in a task; computing is limited too
BUSY = "正在读取其他文件，请稍后再试"

_patient: ContextVar[bool] = ContextVar("patient_reader", default=False)


class Busy(Unreadable):
    """Others are reading; the same file can be read later."""

    status = 409


@contextmanager
def patiently() -> Iterator[None]:
    """Within it nobody waits in front of a page: files may take their time."""
    token = _patient.set(True)
    try:
        yield
    finally:
        _patient.reset(token)


def wall_seconds() -> int:
    """How long a reader may take."""
    return PATIENT_WALL_SECONDS if _patient.get() else WALL_SECONDS


@contextmanager
def one_of_few() -> Iterator[None]:
    """Wait until fewer than READERS files are being read on this machine. Raises Busy."""
    deadline = time.monotonic() + (PATIENT_WAIT_SECONDS if _patient.get() else WAIT_SECONDS)
    with ExitStack() as held:
        places = [held.enter_context(open(_place(number), "ab")) for number in range(READERS)]
        while not any(_taken(place) for place in places):
            if time.monotonic() > deadline:
                raise Busy(BUSY)
            time.sleep(0.1)
        yield


def _place(number: int) -> Path:
    return Path(tempfile.gettempdir()) / f"xueji-reader-{os.getuid()}-{number}"


def _taken(place: IO[bytes]) -> bool:
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
