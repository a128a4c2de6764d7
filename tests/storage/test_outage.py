"""A judge that cannot work is an outage, never a verdict on a paper; and it works where nobody else may read its code."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from storage import intake, known_page, sandbox
from storage.judge import judge
from storage.rendition import difference, for_national_system
from tests import papers
from tests.faulty import UNLOADABLE, children_that
from tests.hostile import honest

ROOT = Path(__file__).resolve().parents[2]
BROKEN = honest.jpeg()[:400] + b"\x00" * 400

# Every task on every file, and what was opened or imported meanwhile: in a private folder none of it would be there.
LATE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from dataclasses import asdict
from pathlib import Path
from storage import examination
from storage.measurement import Mending
examination.load()
files = [path.read_bytes() for path in sorted(Path(sys.argv[2]).iterdir())]
mended = asdict(Mending(corners=((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)), rotation=90, gain=1.2, even=True))
calls = [
    ("judge", {"max_pages": 20}),
    ("codes", {"page": 1, "max_pages": 20}),
    ("national", {"page": 1, "max_pages": 20, "limit": 200_000, "mending": mended}),
]
late = set()
sys.addaudithook(lambda event, what: late.add(f"{event} {what[0]}") if event in ("import", "open", "ctypes.dlopen") else None)
for data in files:
    for task, options in calls:
        try:
            examination.TASKS[task](data, dict(options), lambda: None)
        except examination.Refused:
            pass
print(json.dumps(sorted(late)))
"""


def test_nothing_is_loaded_after_the_rights_are_gone(tmp_path: Path) -> None:
    whole = [
        honest.jpeg(),
        honest.png(),
        honest.tiff(),
        honest.pdf(),
        honest.heic(),
        *known_page.known_pages().values(),
    ]
    page = papers.household_page("林小雨", "622999201305060023")
    files = [*whole, *(one[: len(one) // 2] for one in whole[:5]), BROKEN, papers.as_pdf(page, page)]
    for number, data in enumerate(files):
        (tmp_path / f"{number:02d}").write_bytes(data)
    call = [sys.executable, "-I", "-c", LATE, str(ROOT), str(tmp_path)]
    done = subprocess.run(call, env=sandbox._ENVIRONMENT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["open /proc/self/statm"]


def test_papers_are_judged_and_read_from_a_private_folder(tmp_path: Path) -> None:
    """Anybody else keeps his account in the confined process, and with it the folder."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    shutil.copytree(ROOT / "storage", private / "storage", ignore=shutil.ignore_patterns("__pycache__"))
    paper = ROOT / "portal/demo/papers/s1-household.jpg"
    call = [sys.executable, "-m", "storage.judge", "--read", str(paper)]
    done = subprocess.run(call, cwd=private, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["verdict"] == "pass"
    assert told["reading"].startswith("未安装") or any(line["text"] == "马晓东" for line in told["lines"])


def test_a_child_that_does_not_start_is_an_outage() -> None:
    with children_that(*UNLOADABLE):
        with pytest.raises(sandbox.Unavailable):
            judge(honest.png())
        with pytest.raises(sandbox.Unavailable):
            sandbox.trial()


def test_a_part_that_cannot_be_loaded_is_an_outage_not_a_refusal(caplog: pytest.LogCaptureFixture) -> None:
    with (
        children_that(
            "def locked(*_): raise PermissionError(13, 'Permission denied', 'upright.npy')",
            "examination.quality.measure = locked",
        ),
        pytest.raises(sandbox.Unavailable),
    ):
        judge(honest.png())
    assert "upright.npy" in caplog.text


def test_a_decoder_that_opens_nothing_any_more_is_an_outage() -> None:
    """Whatever the reason, and though it says 文件不完整 of the file: the known page is not opened either."""
    with children_that(
        "def gone(*_, **__): raise OSError('decoder error -2')", "examination.raster._to_rgb = gone"
    ):
        for data in (honest.png(), honest.jpeg(), honest.tiff()):
            with pytest.raises(sandbox.Unavailable):
                judge(data)
        assert judge(honest.pdf()).refusal is None
        assert set(sandbox.trial()) == {intake.JPEG, intake.PNG, intake.TIFF, intake.HEIC}
        with pytest.raises(sandbox.Unavailable):
            for_national_system(honest.png())
        with pytest.raises(sandbox.Unavailable):
            difference(honest.jpeg(), honest.jpeg())


def test_a_child_that_dies_of_every_file_is_an_outage() -> None:
    with children_that("examination.TASKS['judge'] = lambda *_: confinement.os._exit(9)"):
        with pytest.raises(sandbox.Unavailable):
            judge(honest.jpeg())
        assert sandbox.trial()


def test_a_file_that_breaks_the_decoder_is_still_refused() -> None:
    assert judge(BROKEN).refusal == intake.INCOMPLETE
    assert judge(b"MZ\x00\x00 a program").refusal == intake.NOT_ACCEPTED
    assert sandbox.trial() == {}


def test_the_command_prints_no_verdict_when_it_cannot_judge(tmp_path: Path) -> None:
    (tmp_path / "storage").symlink_to(ROOT / "storage")
    (tmp_path / "paper.jpg").write_bytes(honest.jpeg())
    words = "import sys; from storage import sandbox, judging; sandbox._BOOT = 'raise SystemExit(1)'; sys.exit(judging.main(['paper.jpg']))"
    done = subprocess.run(
        [sys.executable, "-c", words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (3, "") and "没有判定" in done.stderr
