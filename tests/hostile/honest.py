"""The small honest page that the corpus damages, in each format. It needs no font of the machine."""

from __future__ import annotations

import functools
import io
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from tests.hostile.forging import pdf_page, stream
from tests.hostile.specimen import MARK

SIZE = (420, 594)
_HEIC = Path(__file__).parent.parent / "storage" / "data" / "household_page.heic"


@functools.cache
def page() -> Image.Image:
    """A sheet with a heading and print."""
    sheet = Image.new("RGB", SIZE, (250, 249, 246))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(16)
    draw.text((130, 40), "C E R T I F I C A T E", (30, 30, 34), font)
    for line in range(16):
        draw.text(
            (50, 90 + 26 * line), f"{line}. an entry of the register, 622999{line:05d}", (30, 30, 34), font
        )
    return sheet


def saved(picture: Image.Image, kind: str, **how: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()


@functools.cache
def jpeg() -> bytes:
    return saved(page(), "JPEG", quality=80)


@functools.cache
def png() -> bytes:
    return saved(page().convert("L"), "PNG")


@functools.cache
def tiff() -> bytes:
    """Uncompressed, its directory in front: whatever is cut off belongs to the picture."""
    return saved(page().convert("L"), "TIFF")


@functools.cache
def pdf() -> bytes:
    return pdf_page(words())


@functools.cache
def heic() -> bytes:
    """A page from a telephone's encoder: nothing installed here can write the format."""
    return _HEIC.read_bytes()


def words(more: bytes = b"", lines: int = 25) -> bytes:
    """A page's content: lines of print, then ``more`` operators."""
    text = b"".join(b"(%d. an entry of the register) ' " % line for line in range(lines))
    return stream(b"BT /F1 16 Tf 24 TL 72 740 Td " + text + b"ET\n%" + MARK + b"\n" + more)
