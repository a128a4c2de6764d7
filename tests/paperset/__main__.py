"""``python -m tests.paperset --make DIR`` writes the pictures; ``--judge`` measures the picture checks on them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.paperset import draw


def main(arguments: list[str]) -> int:
    """Do what the options say; 2 when they say nothing."""
    options = argparse.ArgumentParser(prog="python -m tests.paperset", description=__doc__)
    options.add_argument("--make", type=Path, metavar="DIR", help="write the pictures and truth.jsonl there")
    options.add_argument("--count", type=int, default=480)
    options.add_argument("--half", choices=("tuning", "reserved", "both"), default="both")
    chosen = options.parse_args(arguments)
    if chosen.make:
        make(chosen.make, indexes(chosen.count, chosen.half))
        return 0
    options.print_usage(sys.stderr)
    return 2


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
