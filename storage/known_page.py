"""A page that is known: small, honest, in each format that is accepted. What cannot open it cannot judge anybody's paper."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from storage.intake import HEIC, JPEG, PDF, PNG, TIFF

FOLDER = Path(__file__).parent / "samples"
SIZE = (300, 424)
CODE = "XUEJI-KNOWN-PAGE"  # what its QR code says
NAMES = {JPEG: "page.jpg", PNG: "page.png", TIFF: "page.tif", HEIC: "page.heic", PDF: "page.pdf"}


@cache
def known_pages() -> dict[str, bytes]:
    """Media type -> the file. Raises OSError."""
    return {media_type: (FOLDER / name).read_bytes() for media_type, name in NAMES.items()}


def recognised(facts: dict[str, Any]) -> bool:
    """Whether these facts of ``storage.examination.judge`` are of the known page, and every check was made."""
    pages = facts.get("pages", [])
    return (
        len(pages) == 1
        and [one["text"] for one in pages[0]["codes"]] == [CODE]
        and len(pages[0]["measurements"]) > 1  # a sheet taken for blank has one
    )
