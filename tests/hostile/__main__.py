"""``python -m tests.hostile --make DIR`` writes the corpus and ``index.jsonl``, one line for each file."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from tests.hostile.corpus import everything
from tests.hostile.specimen import Specimen


def main(arguments: list[str]) -> int:
    """Write the corpus; 2 for a wrong call."""
    options = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    options.add_argument("--make", type=Path, metavar="DIR", required=True, help="the folder to write to")
    make(options.parse_args(arguments).make)
    return 0


def make(folder: Path) -> None:
    """The files under names that a disk can hold, as the names that they are uploaded under cannot be."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "index.jsonl").open("w", encoding="utf-8") as index:
        for number, one in enumerate(everything(), 1):
            line = described(number, one)
            (folder / line["file"]).write_bytes(one.data)
            index.write(json.dumps(line) + "\n")


def described(number: int, one: Specimen) -> dict[str, Any]:
    """The line of one file in the index; ``name`` is what it is uploaded under."""
    return {
        "file": f"{number:04d}-{one.kind}.bin",
        "name": one.name,
        "class": one.kind,
        "fate": one.fate,
        "type": one.media_type,
        "bytes": len(one.data),
        "sha256": hashlib.sha256(one.data).hexdigest(),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
