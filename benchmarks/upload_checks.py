"""How long the verdict on a phone's photograph takes, against the bare decode of the same file in the same run.

    python -m benchmarks.upload_checks [--runs 20] [--small] [FILE...]

Without files it draws a 12-megapixel photograph of a fictional certificate. ``decode`` is Pillow's half-size
decode of the same bytes in this process: the least that anything that looks at the picture must do.
``judge`` is all the portal waits for: the confined process, decode, checks, view and thumbnail.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from storage.judge import judge
from storage.sandbox import warm_up
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


def milliseconds(act: Callable[[], object], runs: int) -> list[float]:
    """Each run's time, after one that does not count."""
    act()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return times


def report(name: str, data: bytes, runs: int) -> None:
    """Print the medians of both and their ratio."""
    result = judge(data)
    if result.refusal is not None:
        print(f"{name}: {result.refusal}")
        return
    page = result.pages[0]
    decode = statistics.median(milliseconds(lambda: half_decode(data), runs))
    times = milliseconds(lambda: judge(data), runs)
    verdict = statistics.median(times)
    print(
        f"{name}: {page.width}x{page.height}, {len(data) / 1e6:.1f} MB, verdict {result.verdict}; "
        f"decode {decode:.0f} ms, judge {verdict:.0f} ms (slowest {max(times):.0f}), ratio {verdict / decode:.1f}"
    )


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
    warm_up()
    print(f"start of the warm process: {(time.perf_counter() - began) * 1000:.0f} ms, once")
    for path in arguments.files:
        report(path.name, path.read_bytes(), runs)
    if not arguments.files:
        report("drawn photograph", photograph(arguments.small), runs)


if __name__ == "__main__":
    main()
