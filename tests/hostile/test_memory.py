"""No hostile PDF takes much of the machine's memory, and none of an honest one is left out for that."""

from __future__ import annotations

import contextlib
import io
import os
import socket

import numpy as np
import pytest
from PIL import Image

from storage import sandbox
from storage.judge import judge
from tests.hostile import pdfs
from tests.hostile.forging import CATALOGUE, pdf, stream

MOST_MB = 150  # beyond what the child has when it has loaded its libraries
FILES = {f"{one.kind}-{one.name}": one.data for make in (pdfs.circles, pdfs.endless) for one in make()}


def resident_mb(task: str, data: bytes) -> int:
    """The most that a child of its own has resident during a task."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = sandbox._start("once", theirs)
    request = sandbox._frame({"task": task, "size": len(data), "max_pages": 20})
    with contextlib.suppress(sandbox._Ended):
        sandbox._exchange(ours, request, data)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_maxrss // 1024


@pytest.fixture(scope="module")
def loaded_mb() -> int:
    return resident_mb("nothing", b"")


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_a_hostile_pdf_takes_little_memory(data: bytes, loaded_mb: int) -> None:
    assert resident_mb("judge", data) - loaded_mb <= MOST_MB


def scans(coder: str, filters: bytes, size: tuple[int, int], count: int) -> bytes:
    """A PDF of ``count`` pages of A4, each the same coloured picture with a dark bar across its middle."""
    picture = Image.fromarray(np.random.default_rng(1).integers(200, 256, (size[1], size[0], 3), np.uint8))
    picture.paste((20, 20, 20), (size[0] // 4, size[1] // 2, size[0] * 3 // 4, size[1] // 2 + size[1] // 20))
    out = io.BytesIO()
    how = {"quality_mode": "rates", "quality_layers": [20]} if coder == "JPEG2000" else {"quality": 60}
    picture.save(out, coder, **how)
    shape = b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8" % size
    leaf = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</X 3 0 R>>>>>>"
    )
    kids = b" ".join(b"%d 0 R" % (number + 5) for number in range(count))
    return pdf(
        CATALOGUE,
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count),
        stream(out.getvalue(), shape + filters),
        stream(b"q 595 0 0 842 0 0 cm /X Do Q"),
        *[leaf] * count,
    )


@pytest.mark.parametrize(
    ("coder", "filters", "dpi", "count"),
    [
        ("JPEG", b"/Filter/DCTDecode", 300, 20),
        ("JPEG", b"/Filter/DCTDecode", 600, 1),
        ("JPEG2000", b"/Filter/JPXDecode", 300, 3),
    ],
)
def test_a_scan_is_drawn_whole(coder: str, filters: bytes, dpi: int, count: int) -> None:
    result = judge(scans(coder, filters, (dpi * 210 * 10 // 254, dpi * 297 * 10 // 254), count))
    assert result.refusal is None and len(result.pages) == count
    for page in result.pages:
        seen = np.asarray(Image.open(io.BytesIO(page.plain_jpeg or page.view_jpeg)).convert("L"))
        high, wide = seen.shape
        assert seen[high * 52 // 100, wide // 2] < 60 and seen[high // 4, wide // 2] > 150
