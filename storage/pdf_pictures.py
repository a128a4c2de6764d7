"""Whether the pictures that a page of a PDF is made of are there as a whole. Runs in the child.

PDFium draws what it finds of a picture and leaves the rest white, grey or black; a scan of which half came is then a page
like any other.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import pypdfium2 as pdfium

from storage import intake, jpeg, jpeg2000, wholeness
from storage.intake import PDF, Refused

LEAST_SIDE = 32  # pixels: smaller ones are rules and dots
DEPTHS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64)  # bits of a pixel
SLACK = 2  # bytes: a line break behind the rows


Seen = set[tuple[int, int]]  # length and checksum of pictures that were found whole


def check(pictures: Iterable[pdfium.PdfImage], seen: Seen) -> None:
    """Refuse a page with a picture that ends early or is damaged. ``seen`` is of the whole document: what stands on every
    page is looked at once."""
    for one in pictures:
        if min(one.get_px_size()) < LEAST_SIDE:
            continue
        filters = one.get_filters()
        last = filters[-1] if filters else ""
        if last in ("DCTDecode", "JPXDecode"):
            data = bytes(one.get_data(decode_simple=True))
        elif filters == ["FlateDecode"]:
            data = bytes(one.get_data())
        else:
            continue
        if (key := (len(data), zlib.crc32(data))) in seen:
            continue
        if not _whole(one, data, last):
            raise Refused(intake.INCOMPLETE, PDF)
        seen.add(key)


def _whole(one: pdfium.PdfImage, data: bytes, last: str) -> bool:
    if last == "JPXDecode":
        return jpeg2000.whole(data)
    if last == "DCTDecode":
        data = data[max(0, data.find(jpeg.START)) :]
        intake.check_jpeg(jpeg.outline(data), PDF)
        return wholeness.jpeg_whole(data)
    return _inflates(one, data)


def _inflates(one: pdfium.PdfImage, packed: bytes) -> bool:
    """Whether a compressed picture holds all its rows. Some programs leave out the end of the stream, or its checksum.

    PDFium tells the depth of what it makes of a picture. It is more than that of the picture where colours are few or odd:
    then the rows have to come to exactly one of the other depths.
    """
    _ended, size = wholeness.inflated(packed)
    (width, height), told = one.get_px_size(), one.get_metadata().bits_per_pixel
    whole = {bits: (width * bits + 7) // 8 * height for bits in DEPTHS}
    if size >= whole.get(told, 0):
        return True
    return any(0 <= size - all_rows - byte <= SLACK for all_rows in whole.values() for byte in (0, height))
