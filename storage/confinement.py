"""The other side of ``storage.sandbox``: a warm parent that forks, and a child that opens one file and ends.

Started as ``python -I`` with an empty environment and its socket as standard input. ``serve`` forks a child
for every socket it is sent and kills it when it lives too long; ``once`` does the work of a single child.
A child may use no network, start no process (and no thread, unless its decoder cannot do without), open few
files, and use bounded memory and time.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
import traceback
from typing import Any, NoReturn

from storage import examination
from storage.allowance import address_space
from storage.intake import Refused, needs_thread
from storage.sandbox import CRASHED, WALL_SECONDS

MEMORY = 512 * 1024 * 1024  # bytes of address space above what the loaded libraries take
CPU_SECONDS = 5  # for the first page; each further page is given as much again, up to CPU_HARD
CPU_HARD = int(WALL_SECONDS) + 1
WRITTEN = 50 * 1024 * 1024  # bytes in any file
OPEN_FILES = 64
NOBODY = 65534

TOO_MUCH_MEMORY = "图片太大，无法处理，请缩小尺寸或降低分辨率后再传"

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


def main(mode: str) -> None:
    """Entry of the process: ``serve`` or ``once``, with the socket on standard input."""
    examination.load()
    _leave_the_network()
    channel = socket.socket(fileno=os.dup(0))
    if mode == "once":
        signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS)  # its default action ends the process
        _work(channel)
    _serve(channel)


def _serve(control: socket.socket) -> None:
    """Fork a child for each socket received, until the portal's end closes."""
    deadlines: dict[int, float] = {}
    while True:
        readable, _, _ = select.select([control], [], [], 0.2 if deadlines else None)
        _kill_overdue(deadlines)
        if not readable:
            continue
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            break
        for descriptor in descriptors:
            try:
                pid = os.fork()
            except OSError:  # no process to be had now: the portal sees its socket close and asks elsewhere
                os.close(descriptor)
                continue
            if pid == 0:
                os.setpgid(0, 0)
                control.close()
                _work(socket.socket(fileno=descriptor))
            os.close(descriptor)
            deadlines[pid] = time.monotonic() + WALL_SECONDS
    for pid in deadlines:
        _kill_group(pid)


def _kill_overdue(deadlines: dict[int, float]) -> None:
    """Reap the children that ended and kill those past their time, with whatever they may have started.

    Each child leads a process group, and a group is killed before its leader is reaped: until then its
    number cannot belong to anybody else.
    """
    for pid, deadline in list(deadlines.items()):
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            _kill_group(pid)
            os.waitpid(pid, 0)
            del deadlines[pid]
        elif time.monotonic() > deadline:
            _kill_group(pid)


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _work(channel: socket.socket) -> NoReturn:
    """Do one request and end the process, whatever happens."""
    code = 1
    try:
        try:
            _confine()
        except BaseException:
            traceback.print_exc()  # into the portal's log: no file has been seen yet, so nothing of one is told
            raise
        channel.sendall(b"+")
        with channel.makefile("rb") as source:
            (length,) = struct.unpack("!I", source.read(4))
            request = json.loads(source.read(length))
            data = source.read(request.pop("size"))
        if not needs_thread(data):
            resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        channel.sendall(_answer(request, data))
        code = 0
    finally:
        os._exit(code)


def _answer(request: dict[str, Any], data: bytes) -> bytes:
    """What the portal is sent: facts, or a sentence. ``broke`` says that a decoder failed, ``unloaded`` that a part of this
    program did."""
    facts: dict[str, Any] = {}
    blobs: list[bytes] = []
    refusal: str | None = None
    failure: Exception | None = None
    try:
        facts, blobs = examination.TASKS[request.pop("task")](data, request, _another_page)
    except Refused as refused:
        facts, refusal = {"media_type": refused.media_type}, refused.sentence
        failure = refused if refused.__cause__ is not None else None
    except MemoryError as error:
        refusal, failure = TOO_MUCH_MEMORY, error
    except (
        Exception
    ) as error:  # a decoder may raise anything; a file that breaks one is refused, with a sentence
        refusal, failure = CRASHED, error
    facts |= {"refusal": refusal, "broke": failure is not None, "unloaded": _unloaded(failure)}
    header = json.dumps({**facts, "blobs": [len(blob) for blob in blobs]}).encode()
    return b"".join([struct.pack("!I", len(header)), header, *blobs])


def _unloaded(error: BaseException | None) -> str:
    """The module or file of ours that was not to be had when this was raised, "" where there was none. Decoders work on
    bytes that they have been given: whatever is opened or imported now is a part of the program."""
    met: list[BaseException] = []
    while error is not None and error not in met:
        if isinstance(error, ImportError | PermissionError):
            return f"{type(error).__name__}: {error}"[:200]
        met.append(error)
        error = error.__cause__ or error.__context__
    return ""


def _confine() -> None:
    """Give up what a decoder does not need. Limits first, then the user, then the streams."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (WRITTEN, WRITTEN))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_HARD))
    memory = address_space() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # after setuid, which clears it
    os.chdir("/")
    silence = os.open(os.devnull, os.O_RDWR)  # decoders write a file's own words to stderr: not into our log
    for stream in (0, 1, 2):
        os.dup2(silence, stream)


def _another_page() -> None:
    """Renew the CPU allowance: called before each page, so that a long document is not a hostile one."""
    spent = time.process_time()
    resource.setrlimit(resource.RLIMIT_CPU, (min(CPU_HARD, int(spent) + 1 + CPU_SECONDS), CPU_HARD))


def _leave_the_network() -> None:
    """Move to an empty network namespace where the kernel lets us; elsewhere the other limits stand alone."""
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWNET) != 0:
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


if __name__ == "__main__":
    main(sys.argv[1])
