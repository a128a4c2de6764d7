"""How long the verdict on a phone's photograph takes, against the bare decode of the same file in the same run.

    python -m benchmarks.upload_checks [--runs 20] [--small] [FILE...]

Without files it draws a 12-megapixel photograph of a fictional certificate. ``decode`` is Pillow's half-size
decode of the same bytes in this process: the least that anything that looks at the picture must do. ``verdict``
is the judge without pictures, as the command line asks it: decode and all checks, and with ``process`` the handing
over to the confined process and back. ``upload`` is what the portal waits for, with the view, the plain view and the
thumbnail. All are medians; decode and verdict take turns, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import cv2
from PIL import Image

from storage import examination, sandbox
from storage.judge import judge
from storage.thresholds import Thresholds, standard
from tests import papers


def photograph(small: bool) -> bytes:
    """A 12-megapixel JPEG (about 1 megapixel when ``small``)."""
    certificate = papers.police_certificate("林小雨", "622999201305060023", "林晓雨", "林小雨")
    return papers.as_jpeg(papers.on_desk(certificate, size=(870, 1160) if small else (3000, 4000)), 92)


def half_decode(data: bytes) -> None:
    """What Pillow needs for the picture at half its size."""
    picture = Image.open(io.BytesIO(data), formats=("JPEG", "MPO"))
    picture.draft(None, (picture.width // 2, picture.height // 2))
    picture.load()


def alternating(acts: list[Callable[[], object]], runs: int) -> list[float]:
    """The median milliseconds of each act, done in turns after a round that does not count."""
    times: list[list[float]] = [[] for _ in acts]
    for number in range(runs + 1):
        for act, taken in zip(acts, times, strict=True):
            began = time.perf_counter()
            act()
            if number:
                taken.append((time.perf_counter() - began) * 1000)
    return [statistics.median(taken) for taken in times]


ASK = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-m", "storage.judge", sys.argv[1]], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""


def memory_mb(path: Path) -> int:
    """The most that any process of ``python -m storage.judge`` has had resident, in MB. Asked by a small process: a child of
    this one would begin with what drawing the picture has taken here."""
    done = subprocess.run([sys.executable, "-c", ASK, str(path)], check=True, capture_output=True, text=True)
    return int(done.stdout)


def report(name: str, data: bytes, runs: int) -> None:
    """Print the medians, what the checks cost beyond the decode, and the memory."""
    result = judge(data)
    if result.refusal is not None:
        print(f"{name}: {result.refusal}")
        return
    page = result.pages[0]
    limits = standard()
    checks = partial(judge_here, data, limits)
    decode, here, verdict, upload = alternating(
        [partial(half_decode, data), checks, partial(judge, data, pictures=False), partial(judge, data)], runs
    )
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(data)
        file.flush()
        memory = memory_mb(Path(file.name))
    print(f"{name}: {page.width}x{page.height}, {len(data) / 1e6:.1f} MB, verdict {result.verdict}")
    print(
        f"  decode {decode:.0f} ms; verdict {here:.0f} ms ({here - decode:.0f} beyond, ratio {here / decode:.1f}); "
        f"with process {verdict:.0f} ms; upload {upload:.0f} ms; {memory} MB at most"
    )


def judge_here(data: bytes, limits: Thresholds) -> None:
    """Decode and checks in this process: what the judge does, without the confined process around it."""
    options = {"max_pages": 1, "pictures": False, "thresholds": asdict(limits)}
    examination.judge(data, options, lambda: None)


def main() -> None:
    parser = argparse.ArgumentParser(description="verdict against bare decode")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument(
        "--small", action="store_true", help="a small picture and two runs: only shows that it works"
    )
    parser.add_argument("files", nargs="*", type=Path)
    arguments = parser.parse_args()
    runs = 2 if arguments.small else arguments.runs
    began = time.perf_counter()
    cv2.setNumThreads(1)  # as in the confined process
    sandbox.run("nothing", b"")  # the warm parent has loaded its libraries
    print(f"start of the warm process: {(time.perf_counter() - began) * 1000:.0f} ms, once")
    for path in arguments.files:
        report(path.name, path.read_bytes(), runs)
    if not arguments.files:
        report("drawn photograph", photograph(arguments.small), runs)


if __name__ == "__main__":
    main()
