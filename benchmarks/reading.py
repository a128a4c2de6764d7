"""What reading a page costs: seconds on one core, and the memory of the process that reads.

    python -m benchmarks.reading [--runs 10] [--small]

`core` is the processor time of the reading process for one page, which is what a page costs however busy the machine
is; `waited` is what the clock says meanwhile. The pages are the portal's own renditions of drawn papers.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path

from storage import reading
from storage.judge import judge
from tests import papers

NUMBER = "622999201305060023"


def pages(small: bool) -> dict[str, bytes]:
    """Drawn papers as the judge's renditions: an A4 certificate scanned and photographed, a household page."""
    certificate = papers.police_certificate("林小雨", NUMBER, "姓名 林晓雨", "姓名 林小雨", width=1654)
    drawn = {"A4 certificate, scanned": certificate}
    if not small:
        drawn["A4 certificate, photographed"] = papers.on_desk(certificate)
        drawn["household page"] = papers.household_page("林小雨", NUMBER)
    return {name: judge(papers.as_jpeg(image)).pages[0].view_jpeg for name, image in drawn.items()}


def processor_seconds(pid: int) -> float:
    """User and system time that a process has used (/proc/PID/stat, fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> int:
    """The most that the process has had resident, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024


def report(name: str, jpeg: bytes, runs: int) -> None:
    """Print the medians for one page."""
    lines = reading.read(jpeg).lines
    assert reading._process is not None
    pid = reading._process.process.pid
    core, waited = [], []
    for _ in range(runs):
        before = processor_seconds(pid)
        waited.append(reading.read(jpeg).seconds)
        core.append(processor_seconds(pid) - before)
    characters = sum(len(line.text) for line in lines)
    print(
        f"{name}: {len(lines)} lines, {characters} characters; core {statistics.median(core):.2f} s "
        f"(most {max(core):.2f}), waited {statistics.median(waited):.2f} s; {memory_mb(pid)} MB at most"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="seconds and memory of reading a page")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--small", action="store_true", help="one page, two runs: only shows that it works")
    arguments = parser.parse_args()
    if not reading.available():
        sys.exit("the extra 'reading' is not installed: pip install '.[reading]'")
    for name, jpeg in pages(arguments.small).items():
        report(name, jpeg, 2 if arguments.small else arguments.runs)


if __name__ == "__main__":
    main()
