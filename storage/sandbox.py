"""Where strangers' files are opened: one process per file, with limits, and never an exception for it.

``run(task, data, options)`` hands the bytes to a child process and waits. A warm parent (started on first
use with the picture libraries loaded, holding no secrets and an empty environment) forks one child per
file, so a child costs milliseconds and no file can touch the next one. When the warm parent cannot be
reached the same work is done in a fresh process. What runs on the other side is ``storage.confinement``.

A refusal is said of a file only while the same kind of child still opens a page that is known to be good
(``storage.known_page``); otherwise, or when no child can be had, ``Unavailable`` is raised: an outage is no
verdict on a paper.

Only JSON and raw bytes come back: a child that was taken over can lie about its own picture, but it can
run nothing here.
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storage import intake, known_page

log = logging.getLogger(__name__)

WALL_SECONDS = 15.0  # from the start of the child to its end; then it is killed
START_SECONDS = 60.0  # until a child is there: the libraries may load slowly, which is nothing of the file's
MAX_REPLY = 64 * 1024 * 1024

CRASHED = "这个文件无法安全打开，请重新拍照，或另存为 JPG 后再传"
TOO_SLOW = "这个文件太复杂，打开用时过长，请重新拍照，或另存为 JPG 后再传"
UNAVAILABLE = (
    "图片检查暂时不能用，这个文件没有收下，也没有判定。文件还在您手里，请稍后重试；如一直这样，请联系管理员"
)

_ROOT = str(Path(__file__).resolve().parent.parent)
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from storage.confinement import main; main(sys.argv[2])"
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",  # each BLAS thread would reserve address space before the limit is set
    "OMP_NUM_THREADS": "1",
    # Freed pictures are used again instead of being given back: each fresh page would cost a fault
    "MALLOC_MMAP_THRESHOLD_": str(1 << 29),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 29),
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: plain facts and byte strings, or a Chinese sentence why there is nothing.

    ``broke`` tells a decoder that failed from a rule that said no.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    blobs: tuple[bytes, ...] = ()
    refusal: str | None = None
    broke: bool = False


class Unavailable(Exception):
    """Files cannot be opened here now; nothing is known about this one. ``str()`` is the sentence for the person."""

    def __init__(self) -> None:
        super().__init__(UNAVAILABLE)


class _NotStarted(Exception):
    """No child took up the work; nothing is known about the file."""


class _Ended(Exception):
    """The child took up the work and ended without an answer; ``str()`` is the sentence to show."""


class _Warm:
    """The warm parent process and the socket over which children are asked for."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = _start("serve", theirs)

    def child(self) -> socket.socket:
        """A socket whose other end a newly forked child holds."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(self._control, [b"+"], [theirs.fileno()])
        except OSError as error:
            ours.close()
            raise _NotStarted from error
        return ours

    def alive(self) -> bool:
        """Whether the warm parent still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the warm parent (it leaves when its socket closes); only in the process that started it."""
        self._control.close()
        if self.owner == os.getpid():
            _reap(self._process)


_slots = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))  # files opened at once by this process
_guard = threading.Lock()
_warm: _Warm | None = None


def run(task: str, data: bytes, options: dict[str, Any] | None = None) -> Reply:
    """Do ``task`` (a name in ``storage.examination.TASKS``) on ``data`` in a process of its own.

    Returns within about ``WALL_SECONDS`` of its turn, whatever the file does. ``options`` are JSON values. Raises
    ``Unavailable``.
    """
    with _slots:
        reply = _done(task, data, options or {})
        if reply.broke and (wrong := _trial(_kind_of(data))):
            log.error("the picture checks fail on a page that is known to be good: %r", wrong)
            raise Unavailable
        return reply


def trial() -> dict[str, str]:
    """Try the known page in every format: media type -> what is wrong with opening it, empty while all is well.

    Raises ``Unavailable`` when no process can be had.
    """
    with _slots:
        return _trial(None)


def _done(task: str, data: bytes, options: dict[str, Any]) -> Reply:
    request = _frame({"task": task, "size": len(data), **options})
    for open_child in (_warm_child, _warm_child, _fresh_child):
        try:
            return _exchange(open_child(), request, data)
        except _NotStarted:
            _drop_dead_warm()
        except _Ended as ended:
            if not _drop_dead_warm():  # the file ended its child; otherwise all children were taken down
                return Reply(refusal=str(ended), broke=True)
    log.error("no process could be started to open an uploaded file")
    raise Unavailable


def _trial(media_type: str | None) -> dict[str, str]:
    """Judge the known page in one format, or in all, as an uploaded file is judged; what is wrong by media type."""
    wrong = {}
    for kind, known in known_page.known_pages().items():
        if media_type in (None, kind):
            reply = _done("judge", known, {"max_pages": 1, "pictures": False})
            if reply.refusal is not None:
                wrong[kind] = f"the answer is {reply.refusal!r}"
            elif not known_page.recognised(reply.facts):
                wrong[kind] = "it is not recognised"
    return wrong


def _kind_of(data: bytes) -> str | None:
    try:
        return intake.media_type_of(data)
    except intake.Refused:
        return None


def _warm_child() -> socket.socket:
    global _warm
    with _guard:
        if _warm is not None and _warm.owner != os.getpid():  # we are a fork: that parent is not ours
            _warm.close()
            _warm = None
        if _warm is None:
            _warm = _Warm()
        return _warm.child()


def _fresh_child() -> socket.socket:
    ours, theirs = socket.socketpair()
    with theirs:
        process = _start("once", theirs)
    threading.Thread(target=_reap, args=(process, START_SECONDS + WALL_SECONDS + 5), daemon=True).start()
    return ours


def _drop_dead_warm() -> bool:
    """Forget the warm parent if it died; whether it had. A living one serves other files: leave it."""
    global _warm
    with _guard:
        if _warm is None or _warm.alive():
            return False
        _warm.close()
        _warm = None
        return True


@atexit.register
def _end_warm() -> None:
    global _warm
    with _guard:
        if _warm is not None:
            _warm.close()
        _warm = None


def _start(mode: str, theirs: socket.socket) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            [sys.executable, "-I", "-c", _BOOT, _ROOT, mode],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            start_new_session=True,  # a Ctrl-C in the terminal is for the portal, not for its helpers
        )
    except OSError as error:
        raise _NotStarted from error


def _reap(process: subprocess.Popen[bytes], patience: float = 2.0) -> None:
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _exchange(child: socket.socket, request: bytes, data: bytes) -> Reply:
    """Send the work, take the answer. ``_NotStarted`` when the child never said that it was there."""
    with child:
        child.settimeout(START_SECONDS)
        try:
            present = child.recv(1)
        except OSError as error:
            raise _NotStarted from error
        if present != b"+":
            raise _NotStarted
        child.settimeout(WALL_SECONDS + 5)
        started = time.monotonic()
        deadline = started + WALL_SECONDS + 5  # the other side kills at WALL_SECONDS
        try:
            child.sendall(request)
            child.sendall(data)
            (length,) = struct.unpack("!I", take(child, 4, deadline))
            facts = json.loads(take(child, length, deadline))
            blobs = tuple(take(child, size, deadline) for size in facts.pop("blobs"))
            refusal, broke, unloaded = facts.pop("refusal"), facts.pop("broke"), facts.pop("unloaded")
            if unloaded:
                log.error(
                    "the process that opens uploaded files could not load a part of itself: %r", unloaded
                )
                raise Unavailable
            return Reply(facts, blobs, None if refusal is None else str(refusal), broke is True)
        except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("the process that opened an uploaded file ended early: %s", type(error).__name__)
            raise _Ended(TOO_SLOW if time.monotonic() - started > 4 else CRASHED) from error


def _frame(header: dict[str, Any]) -> bytes:
    body = json.dumps(header).encode()
    return struct.pack("!I", len(body)) + body


def take(source: socket.socket, size: int, deadline: float) -> bytes:
    """Exactly ``size`` bytes by ``deadline`` (monotonic). ``ValueError`` for a size that no answer has, ``EOFError`` when the
    other side ends, ``OSError`` when it is late."""
    if not 0 <= size <= MAX_REPLY:
        raise ValueError("an answer of impossible size")
    got = bytearray()
    while len(got) < size:
        source.settimeout(max(0.01, deadline - time.monotonic()))
        piece = source.recv(min(1 << 18, size - len(got)))
        if not piece:
            raise EOFError
        got += piece
    return bytes(got)
