"""Who may read a file now: two at a time on this machine, and nobody waits in a request for longer than a server does."""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from itertools import count
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

TICK_SECONDS = 5  # between two signs of life of a task that reads

_patient: ContextVar[Callable[[], None] | None] = ContextVar("patient_reader", default=None)


class Busy(Unreadable):
    """Others are reading; the same file can be read later."""

    status = 409


@contextmanager
def patiently(alive: Callable[[], None]) -> Iterator[None]:
    """Within it nobody waits in front of a page: files may take their time. `alive` is called every few seconds meanwhile;
    what it raises ends the reading."""
    token = _patient.set(alive)
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
        for turn in count(1):
            if any(_taken(place) for place in places):
                break
            if time.monotonic() > deadline:
                raise Busy(BUSY)
            time.sleep(0.1)
            if turn % (TICK_SECONDS * 10) == 0:
                _show_life()
        yield


def wait_for(reader: subprocess.Popen[bytes]) -> bytes:
    """What a reader says when it has ended. Raises subprocess.TimeoutExpired for one that takes too long, and what the sign of
    life raises; the reader is ended then."""
    deadline = time.monotonic() + wall_seconds()
    try:
        while True:
            try:
                return reader.communicate(timeout=TICK_SECONDS)[1]
            except subprocess.TimeoutExpired:
                if time.monotonic() > deadline:
                    raise
                _show_life()
    except BaseException:
        reader.kill()
        reader.communicate()
        raise


def _show_life() -> None:
    if alive := _patient.get():
        alive()


def _place(number: int) -> Path:
    return Path(tempfile.gettempdir()) / f"xueji-reader-{os.getuid()}-{number}"


def _taken(place: IO[bytes]) -> bool:
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
