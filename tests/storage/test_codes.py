"""QR codes on scanned pages: whatever the scanner does, and one page at a time."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from storage import sandbox
from storage.pixels import THUMB_SIDE, VIEW_SIDE
from tests.scans import in_one_file, scanned, sheet

TEXT = "GJ2026000123|approval-form|7|0123456789ab"


def read(data: bytes, page: int = 1, most: int = 200) -> sandbox.Reply:
    return sandbox.run("codes", data, {"page": page, "max_pages": most})


@pytest.mark.parametrize(
    ("dpi", "skew", "quarters"),
    [
        *((150, skew, quarters) for skew in (-5.0, 5.0) for quarters in range(4)),
        (200, 5.0, 2),
        (300, -5.0, 0),
        (300, 5.0, 2),
        (300, 0.0, 1),
    ],
)
def test_a_code_is_read_and_the_page_set_upright(dpi: int, skew: float, quarters: int) -> None:
    """Leaning, turned, through JPEG, with the ring of a red seal across the code."""
    reply = read(scanned(sheet(TEXT, dpi=dpi), skew=skew, quarters=quarters, quality=50))
    assert reply.refusal is None and [one["text"] for one in reply.facts["codes"]] == [TEXT]
    view, thumb = (Image.open(io.BytesIO(blob)) for blob in reply.blobs)
    assert view.height > view.width and max(view.size) <= VIEW_SIDE and max(thumb.size) <= THUMB_SIDE
    # Set upright, the code stands at the top right: of the four corners that one is the darkest.
    grey = view.convert("L").resize((21, 30), Image.Resampling.BOX)
    corners = [grey.crop(box) for box in ((0, 0, 5, 5), (16, 0, 21, 5), (0, 25, 5, 30), (16, 25, 21, 30))]
    darkest = min(range(4), key=lambda one: sum(corners[one].get_flattened_data()))
    assert darkest == 1


def test_a_page_without_a_code_has_none() -> None:
    reply = read(scanned(sheet()))
    assert reply.refusal is None and reply.facts["codes"] == [] and len(reply.blobs) == 2


@pytest.mark.parametrize("kind", ["PDF", "TIFF"])
def test_each_page_of_a_file_by_itself(kind: str) -> None:
    texts = [TEXT, "", TEXT.replace("123|", "124|")]
    data = in_one_file([scanned(sheet(text)) for text in texts], kind)
    for number, text in enumerate(texts, start=1):
        reply = read(data, number)
        assert reply.facts["pages"] == 3
        assert [one["text"] for one in reply.facts["codes"]] == ([text] if text else [])
    assert read(data, 4).refusal and read(data, 0).refusal
    assert "2 页" in (read(data, 1, most=2).refusal or "")


def test_hostile_files_get_a_sentence() -> None:
    whole = in_one_file([scanned(sheet(TEXT))])
    for data in (b"", b"not a picture at all", b"%PDF-1.7\n" + b"\0" * 5000, whole[: len(whole) // 2]):
        reply = read(data)
        assert reply.refusal and not reply.blobs
