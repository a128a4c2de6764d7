"""Reading what is printed: drawn papers in several layouts, straight and askew, and a process that can be lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storage import reading
from storage.reading import Line, Reading, ReadingError
from storage.reading_process import with_room
from tests import papers

NUMBER = "622999201305060023"
NAME = "林小雨"

needs_engine = pytest.mark.skipif(
    not reading.available(), reason="the extra 'reading' is not installed: pip install '.[reading]'"
)


def certificate(number: str = NUMBER) -> Image.Image:
    return papers.police_certificate(NAME, number, "姓名 林晓雨", f"姓名 {NAME}", 1, width=1697)


LAYOUTS = {
    "certificate": (
        certificate,
        (NAME, NUMBER, "户籍登记项目变更证明", "青禾县公安局河湾派出所", "2026年9月5日"),
    ),
    "household": (lambda: papers.household_page(NAME, NUMBER, 2), (NAME, NUMBER, "2013年5月6日")),
    "desk": (lambda: papers.on_desk(certificate(), 3, size=(1800, 2400)), (NAME, NUMBER, "变更后")),
}


def read(image: Image.Image) -> Reading:
    return reading.read(papers.as_jpeg(image, 85))


def text_of(found: Reading) -> str:
    return "\n".join(line.text for line in found.lines)


def line_with(found: Reading, words: str) -> Line:
    return next(line for line in found.lines if words in line.text)


@needs_engine
@pytest.mark.parametrize("lean", [0, 5], ids=["straight", "askew"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_printed_is_read(layout: str, lean: float) -> None:
    draw, words = LAYOUTS[layout]
    found = read(papers.rotated(draw(), lean) if lean else draw())
    assert [word for word in words if word not in text_of(found)] == []
    assert found.engine.startswith("rapidocr ")
    for line in found.lines:
        assert 0 <= line.confidence <= 1
        assert all(0 <= share <= 1 for point in line.box for share in point)


@needs_engine
def test_a_number_is_read_digit_by_digit_where_it_stands() -> None:
    """A wrong digit is not mended, and the box of its line holds the place where it is printed."""
    wrong = NUMBER[:16] + "4" + NUMBER[17]
    sheet = papers.Sheet(210, 297, 1697, (253, 253, 251))
    sheet.text(40, 100, f"公民身份号码：{wrong}", 4.4)
    place = sheet.lines[0]
    line = line_with(read(sheet.image), wrong)
    (left, top), _, (right, bottom), _ = line.box
    assert left * 210 <= place.left + 1 and right * 210 >= place.right - 1
    assert top * 297 <= (place.top + place.bottom) / 2 <= bottom * 297


@needs_engine
def test_a_long_line_gets_paper_of_its_own_around_it() -> None:
    """More room makes it narrower to the model, and no pixel of its neighbours comes in."""
    line = np.random.default_rng(1).integers(0, 256, (40, 400, 3), np.uint8)
    roomy = with_room(line)
    assert roomy.shape == (48, 400, 3) and (roomy[4:-4] == line).all()
    assert (roomy[:4] == line[0]).all() and (roomy[-4:] == line[-1]).all()
    assert with_room(line[:, :200]).shape == (40, 200, 3)


def test_a_picture_that_is_none_is_an_error_and_the_next_one_is_read() -> None:
    for data in (b"", b"not a picture", b"\xff\xd8\xff\xe0"):
        with pytest.raises(ReadingError):
            reading.read(data)
    assert NUMBER in text_of(read(certificate()))


@needs_engine
def test_an_empty_sheet_has_no_lines() -> None:
    assert read(papers.blank_sheet(width=1200)).lines == ()


@needs_engine
def test_a_lost_process_is_replaced() -> None:
    page = certificate()
    read(page)
    assert reading._process is not None
    lost = reading._process.process
    os.kill(lost.pid, signal.SIGKILL)
    lost.wait(5)
    assert NUMBER in text_of(read(page))
    assert reading._process is not None and reading._process.process.pid != lost.pid


@needs_engine
def test_a_page_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    page = certificate()
    read(page)
    with monkeypatch.context() as patch:
        patch.setattr(reading, "PAGE_SECONDS", 0.01)
        with pytest.raises(ReadingError):
            read(page)
    assert reading._process is None, "the slow process is ended, not left to run on"
    assert NUMBER in text_of(read(page))


@needs_engine
def test_the_process_has_given_up_what_it_does_not_need(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own network, no rights of ours, none of our environment, and bounded memory."""
    reading._end()
    monkeypatch.setenv("SECRET_KEY", "only for the portal")
    read(certificate())
    assert reading._process is not None
    of = Path(f"/proc/{reading._process.process.pid}")
    kept = {item.split(b"=")[0].decode() for item in (of / "environ").read_bytes().split(b"\0") if item}
    assert kept == set(reading._ENVIRONMENT)
    limits = (of / "limits").read_text()
    assert "unlimited" not in next(
        line for line in limits.splitlines() if line.startswith("Max address space")
    )
    if os.geteuid() == 0:
        assert "\nUid:\t65534\t65534" in (of / "status").read_text()
        assert (of / "ns/net").readlink() != Path("/proc/self/ns/net").readlink()


@needs_engine
def test_it_ends_with_the_portal_and_when_idle() -> None:
    """In a portal of its own: idle for a moment it goes by itself, and comes back; with the portal it is gone."""
    root = Path(__file__).parents[2]
    script = f"""
import sys, time
sys.path.insert(0, {str(root)!r})
from storage import reading
reading._BOOT = reading._BOOT.replace("main()", "p.main()").replace(
    "from storage.reading_process import main;", "import storage.reading_process as p; p.IDLE_SECONDS = 0.5;")
page = open(sys.argv[1], "rb").read()
reading.read(page)
first = reading._process.process
first.wait(30)
assert reading.read(page).lines
print(reading._process.process.pid)
"""
    page = root / "portal/demo/papers/s1-household.jpg"
    done = subprocess.run(
        [sys.executable, "-c", script, str(page)], capture_output=True, text=True, timeout=120, check=True
    )
    assert not Path(f"/proc/{int(done.stdout)}").exists()


def test_one_opencv_is_installed_and_it_is_the_headless_one() -> None:
    """Two builds of OpenCV overwrite each other's files; the one with windows needs libraries that a server lacks."""
    assert distribution("opencv-python-headless").version
    for other in ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless"):
        with pytest.raises(PackageNotFoundError):
            distribution(other)
    import cv2

    gui = next(line for line in cv2.getBuildInformation().splitlines() if "GUI:" in line)
    assert gui.split() == ["GUI:", "NONE"]
