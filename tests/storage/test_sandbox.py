"""The process that opens files: its limits hold, and losing it costs no verdict."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from storage import sandbox
from storage.judge import judge
from tests import papers

ROOT = Path(__file__).resolve().parents[2]

PROBE = """
import json, os, resource, socket, sys
sys.path.insert(0, sys.argv[1])
from storage import allowance, confinement, examination
examination.load()
confinement._leave_the_network()
before = allowance.address_space()
confinement._confine()
found = {}
def attempt(name, act):
    try:
        act()
        found[name] = "possible"
    except BaseException as error:
        found[name] = type(error).__name__
attempt("network", lambda: socket.create_connection(("127.0.0.1", int(sys.argv[2])), timeout=2))
attempt("memory", lambda: bytearray(600 * 1024 * 1024))
attempt("write", lambda: open(sys.argv[3], "wb"))
attempt("files", lambda: [open(os.devnull) for _ in range(80)])
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
attempt("fork", lambda: os.fork())
found["uid"] = os.getuid()
os.write(int(sys.argv[4]), json.dumps(found).encode())
os._exit(0)
"""


def test_what_the_child_cannot_do(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    read, write = os.pipe()
    with socket.create_server(("127.0.0.1", 0)) as server:
        subprocess.run(
            [
                sys.executable,
                "-I",
                "-c",
                PROBE,
                str(ROOT),
                str(server.getsockname()[1]),
                str(tmp_path / "x"),
                str(write),
            ],
            pass_fds=[write],
            env=sandbox._ENVIRONMENT,
            timeout=60,
            check=True,
        )
    os.close(write)
    with os.fdopen(read) as answer:
        found = json.load(answer)
    assert found["memory"] == "MemoryError"
    assert found["files"] == "OSError"
    if os.geteuid() == 0:
        assert found["uid"] == 65534
        assert found["fork"] == "BlockingIOError"
        assert found["write"] == "PermissionError"
        assert found["network"] != "possible"


def test_nothing_of_the_portals_environment_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox._end_warm()
    monkeypatch.setenv("SECRET_KEY", "only for the portal")
    sandbox.trial()
    assert sandbox._warm is not None
    kept = Path(f"/proc/{sandbox._warm._process.pid}/environ").read_bytes()
    assert {item.split(b"=")[0].decode() for item in kept.split(b"\0") if item} == set(sandbox._ENVIRONMENT)


def test_the_work_goes_on_when_the_warm_parent_dies() -> None:
    small = papers.as_png(papers.blank_sheet(width=300))
    assert judge(small).media_type == "image/png"
    assert sandbox._warm is not None
    process = sandbox._warm._process
    os.kill(process.pid, signal.SIGKILL)
    process.wait(5)
    assert judge(small).media_type == "image/png"
    assert sandbox._warm is not None
    assert sandbox._warm._process.pid != process.pid


def test_without_a_warm_parent_a_fresh_process_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise sandbox._NotStarted

    monkeypatch.setattr(sandbox, "_warm_child", none)
    result = judge(papers.as_png(papers.blank_sheet(width=300)))
    assert result.media_type == "image/png"
    assert result.refusal is None


def test_without_any_process_nothing_is_said_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_warm_child", lambda: (_ for _ in ()).throw(sandbox._NotStarted))
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(sandbox.Unavailable, match="没有判定"):
        judge(b"\xff\xd8\xff")
    with pytest.raises(sandbox.Unavailable):
        sandbox.trial()


def test_many_files_at_once() -> None:
    files = {width: papers.as_png(papers.blank_sheet(width=width)) for width in range(300, 312)}
    seen: dict[int, int] = {}

    def work(width: int) -> None:
        seen[width] = judge(files[width]).pages[0].width

    threads = [threading.Thread(target=work, args=(width,)) for width in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {width: width for width in files}


def test_children_leave_nothing_behind() -> None:
    assert judge(papers.as_png(papers.blank_sheet(width=300))).refusal is None
    assert sandbox._warm is not None
    parent = sandbox._warm._process.pid
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if not Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            return
        time.sleep(0.1)
    pytest.fail("a child was not reaped")


def test_the_command_prints_a_line_per_page(tmp_path: Path) -> None:
    page = papers.household_page("林小雨", "622999201305060023")
    (tmp_path / "two.pdf").write_bytes(papers.as_pdf(page, page))
    (tmp_path / "page.html").write_bytes(b"<html>")
    done = subprocess.run(
        [sys.executable, "-m", "storage.judge", str(tmp_path / "two.pdf"), str(tmp_path / "page.html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["page"], line["verdict"]) for line in lines] == [(1, "pass"), (2, "pass"), (0, "refuse")]
    assert {"file", "page", "format", "width", "height", "verdict", "checks", "skew", "seconds"} <= set(
        lines[0]
    )
    assert set(lines[0]["checks"]) >= {"text_size", "sharpness", "exposure", "skew", "blank"}
