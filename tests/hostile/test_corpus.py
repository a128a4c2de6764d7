"""Every file of the corpus goes to the judge once: a sentence or a clean picture, never an exception, never a false type."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from storage.judge import judge
from tests.hostile import honest
from tests.hostile.__main__ import described
from tests.hostile.corpus import MAKERS, everything
from tests.hostile.oracle import faults, leftovers
from tests.hostile.specimen import MARK, SCRIPT, Maker, Specimen

ROOT = Path(__file__).resolve().parents[2]
PARTS = {
    f"{group}-{number}-{getattr(make, '__name__', 'cut')}": make
    for group, makers in MAKERS.items()
    for number, make in enumerate(makers)
}


@pytest.mark.parametrize("make", PARTS.values(), ids=PARTS)
def test_every_file_comes_to_a_good_end(make: Maker) -> None:
    judged = [(one, judge(one.data)) for one in make()]
    assert judged
    assert [fault for one, result in judged for fault in faults(one, result)] == []


def test_the_corpus_is_large_and_the_same_each_time(tmp_path: Path) -> None:
    """Another process, with other hashes of strings, writes the same bytes."""
    subprocess.run([sys.executable, "-m", "tests.hostile", "--make", str(tmp_path)], check=True, cwd=ROOT)
    written = [json.loads(line) for line in (tmp_path / "index.jsonl").read_text("utf-8").splitlines()]
    assert written == [described(number, one) for number, one in enumerate(everything(), 1)]
    assert all((tmp_path / line["file"]).stat().st_size == line["bytes"] for line in written)
    classes = Counter(line["class"] for line in written)
    assert len(written) >= 900 and len(classes) >= 45
    assert len({(line["class"], line["name"], line["sha256"]) for line in written}) == len(written)


def test_the_command_prints_a_line_for_each_page_and_ends_well(tmp_path: Path) -> None:
    quick = [one for one in everything() if one.kind != "pdf-endless" and len(one.data) < 1_000_000]
    sample = quick[:: len(quick) // 39][:40]
    assert len(sample) == 40 and len({one.kind for one in sample}) >= 15
    paths = [tmp_path / f"{number:02d}.bin" for number in range(40)]
    for path, one in zip(paths, sample, strict=True):
        path.write_bytes(one.data)
    call = [sys.executable, "-m", "storage.judge", *map(str, paths)]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0 and "Traceback" not in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    pages = {str(path): [line["page"] for line in lines if line["file"] == str(path)] for path in paths}
    for path, one in zip(paths, sample, strict=True):
        numbers = pages[str(path)]
        assert numbers == [0] or numbers == list(range(1, len(numbers) + 1)) != [], one.name
        if one.fate == "refuse":
            assert numbers == [0], one.name


def test_the_oracle_notices() -> None:
    """It would be no proof if it passed everything."""
    picture = judge(honest.jpeg()).pages[0].view_jpeg
    assert list(leftovers(picture)) == []
    marked = picture[:2] + b"\xff\xfe\x00\x1a" + MARK + picture[2:]
    assert any("holds" in fault for fault in leftovers(marked))
    assert any("FE" in fault for fault in leftovers(picture[:2] + b"\xff\xfe\x00\x03x" + picture[2:]))
    assert any("behind" in fault for fault in leftovers(picture + b"x"))
    assert any("holds" in fault for fault in leftovers(picture + SCRIPT))
    assert any("no end" in fault for fault in leftovers(picture[:-2]))
    taken = judge(honest.jpeg())
    for fate, kind in (("refuse", "image/jpeg"), ("accept", "image/png"), ("either", None)):
        assert faults(Specimen("x", "x", b"", fate, kind), taken), fate  # type: ignore[arg-type]
    refused = judge(b"nothing")
    assert faults(Specimen("x", "x", b"", "accept", "image/jpeg"), refused)
    assert faults(Specimen("x", "x", b"", "refuse", None), refused) == []
