"""What is written on a picture: printed Chinese read by RapidOCR, on this machine and without a network.

``read(jpeg)`` hands one of our own renditions to a process of its own (``storage.reading_process``), which is
started on first use, kept warm while there is work and ends by itself when there is none. The portal's own
process never loads the engine. The engine is an extra: ``available()`` says whether it is installed.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from storage.sandbox import take

log = logging.getLogger(__name__)

PAGE_SECONDS = 10.0  # from handing over a page to its lines; then the process is killed
START_SECONDS = 60.0  # to load the engine: once, and slow where the disk is cold
MAX_BYTES = 25 * 1024 * 1024
MAX_REPLY = 4 * 1024 * 1024

_ROOT = str(Path(__file__).resolve().parent.parent)
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from storage.reading_process import main; main()"
_ENVIRONMENT = {
    "ORT_DISABLE_TELEMETRY": "1",  # the engine reports its use by default
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # The engine takes and gives back the same large pieces for every line: kept, they cost a tenth less time.
    "MALLOC_MMAP_THRESHOLD_": "1000000000",
    "MALLOC_TRIM_THRESHOLD_": "1000000000",
}

_UNLOADED = ("ImportError", "ModuleNotFoundError", "PermissionError")

Point = tuple[float, float]
Box = tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of print. ``box`` is its corners, top left first and clockwise, in shares (0 to 1) of the picture's
    width and height; ``confidence`` is the engine's own, 0 to 1."""

    text: str
    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Reading:
    """The lines of one picture from top to bottom, the engine that read them, and how long it took."""

    lines: tuple[Line, ...]
    engine: str
    seconds: float


class ReadingError(Exception):
    """A picture that could not be read: no engine here, no picture, too slow, or the process ended."""


class NotInstalled(ReadingError):
    """The extra ``reading`` is not installed."""


class NotWorking(ReadingError):
    """The engine is installed but did not start, or cannot read a page that is known to be good: nothing is known of this one."""


@cache
def available() -> bool:
    """Whether the engine is installed. Looks, but loads nothing."""
    return all(find_spec(name) is not None for name in ("rapidocr", "onnxruntime"))


def read(jpeg: bytes) -> Reading:
    """Read one JPEG of ours. One page at a time in each process of the portal; others wait their turn.

    Raises ``NotInstalled``, ``NotWorking`` or ``ReadingError``.
    """
    if not available():
        raise NotInstalled
    if not 0 < len(jpeg) <= MAX_BYTES:
        raise ReadingError("no picture, or one of impossible size")
    with _guard:
        began = time.perf_counter()
        try:
            answer = _ask(jpeg)
        except _NotStarted as error:
            _end()
            log.error("the process that reads papers does not start")
            raise NotWorking("the reading process does not start") from error
        except (OSError, EOFError, ValueError) as error:
            _end()
            raise ReadingError(type(error).__name__) from error
        seconds = time.perf_counter() - began
    if "error" in answer:
        if answer["error"] in _UNLOADED:  # a part of the engine, not of the picture: it opens no files
            log.error("the process that reads papers could not load a part of itself: %r", answer["error"])
            raise NotWorking(str(answer["error"]))
        raise ReadingError(str(answer["error"]))
    lines = tuple(_line(text, box, confidence) for text, box, confidence in answer["lines"])
    return Reading(lines, str(answer["engine"]), seconds)


def _line(text: str, box: list[list[float]], confidence: float) -> Line:
    corners = [(min(1.0, max(0.0, x)), min(1.0, max(0.0, y))) for x, y in box]
    return Line(text, (corners[0], corners[1], corners[2], corners[3]), confidence)


class _NotStarted(Exception):
    """The process ended, or said nothing, before it had taken a page."""


class _Process:
    """The warm process and the socket on which pages go one way and lines come back."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.socket, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
                [sys.executable, "-I", "-c", _BOOT, _ROOT],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=_ENVIRONMENT,  # its own errors go to our log until it takes the first page
                start_new_session=True,  # a Ctrl-C in the terminal is for the portal, not for its helpers
            )

    def wait_until_ready(self) -> None:
        try:
            present = take(self.socket, 1, time.monotonic() + START_SECONDS)
        except (OSError, EOFError) as error:
            raise _NotStarted from error
        if present != b"+":
            raise _NotStarted

    def exchange(self, jpeg: bytes) -> bytes:
        deadline = time.monotonic() + PAGE_SECONDS
        self.socket.settimeout(PAGE_SECONDS)
        self.socket.sendall(struct.pack("!I", len(jpeg)) + jpeg)
        (size,) = struct.unpack("!I", take(self.socket, 4, deadline))
        if size > MAX_REPLY:
            raise ValueError("an answer of impossible size")
        return take(self.socket, size, deadline)

    def close(self) -> None:
        self.socket.close()
        if self.owner == os.getpid():  # in a fork it is the parent's process, and stays
            self.process.kill()
            self.process.wait()


_guard = threading.Lock()
_process: _Process | None = None


def _ask(jpeg: bytes) -> dict[str, Any]:
    """The answer of a living process. One that had gone to rest meanwhile is started once more."""
    if _process is not None and _process.owner == os.getpid():
        try:
            return _decoded(_process.exchange(jpeg))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            log.info("the reading process was gone; starting another")
    return _decoded(_start().exchange(jpeg))


def _decoded(answer: bytes) -> dict[str, Any]:
    found = json.loads(answer)
    if not isinstance(found, dict):
        raise ValueError("not an answer")
    return found


def _start() -> _Process:
    global _process
    _end()
    try:
        _process = _Process()
    except OSError as error:
        raise _NotStarted from error
    _process.wait_until_ready()
    return _process


@atexit.register
def _end() -> None:
    global _process
    if _process is not None:
        _process.close()
    _process = None
