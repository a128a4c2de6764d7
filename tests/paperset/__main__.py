"""``python -m tests.paperset --make DIR`` writes the pictures; ``--judge`` measures the picture checks on them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.paperset import draw
from tests.paperset.counting import counted
from tests.paperset.evaluation import judged_all, judged_files, remarks
from tests.paperset.report import report, written_into


def main(arguments: list[str]) -> int:
    """Do what the options say; 2 when they say nothing."""
    options = _options()
    chosen = options.parse_args(arguments)
    if not (chosen.make or chosen.judge):
        options.print_usage(sys.stderr)
        return 2
    wanted = indexes(chosen.count, chosen.half)
    if chosen.make:
        make(chosen.make, wanted)
    if chosen.judge:
        evaluate(chosen, wanted)
    return 0


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m tests.paperset", description=__doc__)
    options.add_argument("--make", type=Path, metavar="DIR", help="write the pictures and truth.jsonl there")
    options.add_argument("--judge", action="store_true", help="judge the pictures and print the tables")
    options.add_argument("--count", type=int, default=1200, help="how many pictures (%(default)s)")
    options.add_argument("--half", choices=("tuning", "reserved", "both"), default="both")
    options.add_argument("--images", type=Path, metavar="DIR", help="real pictures to judge as well")
    options.add_argument(
        "--out", type=Path, metavar="PAGE", help="write the tables between the marks of this page"
    )
    options.add_argument("--json", action="store_true", help="print the counts as JSON instead of the tables")
    options.add_argument(
        "--wrong", action="store_true", help="name the pictures that were judged wrongly, too"
    )
    options.add_argument("--jobs", type=int, default=2, help="how many at a time (%(default)s)")
    return options


def evaluate(chosen: argparse.Namespace, wanted: list[int]) -> None:
    """Judge the pictures and show the tables."""
    summary = counted(judged_all(wanted, chosen.jobs), chosen.half)
    real = list(judged_files(chosen.images)) if chosen.images else []
    text = report(summary, real, remarks())
    if chosen.json:
        files = [{"file": one.name, "verdict": one.verdict, "checks": one.checks} for one in real]
        print(json.dumps({**summary.record(), "real": files}, ensure_ascii=False))
    else:
        print(text)
    if chosen.wrong:
        print(*(f"{name}: {what}" for name, what in summary.wrong), sep="\n", file=sys.stderr)
    if chosen.out:
        written_into(chosen.out, text)


def indexes(count: int, half: str) -> list[int]:
    """The first ``count`` indexes of that half."""
    if half == "both":
        return list(range(count))
    return list(range(half == "reserved", 2 * count, 2))


def make(folder: Path, wanted: list[int]) -> None:
    """Write the pictures, and what is true of each in a line of truth.jsonl."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "truth.jsonl").open("w", encoding="utf-8") as truths:
        for index in wanted:
            sample = draw(index)
            name = f"{index:05d}{sample.suffix}"
            (folder / name).write_bytes(sample.data)
            truths.write(json.dumps({"file": name, **sample.truth.record()}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
