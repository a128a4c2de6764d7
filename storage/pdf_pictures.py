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
_SIMPLE = frozenset(pdfium.PdfImage.SIMPLE_FILTERS)


def check(pictures: Iterable[pdfium.PdfImage]) -> None:
    """Refuse a page with a picture that ends early or is damaged."""
    seen: set[tuple[int, int]] = set()
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
        seen.add(key)
        if not _whole(one, data, last):
            raise Refused(intake.INCOMPLETE, PDF)


def _whole(one: pdfium.PdfImage, data: bytes, last: str) -> bool:
    if last == "JPXDecode":
        return jpeg2000.whole(data)
    if last == "DCTDecode":
        data = data[max(0, data.find(jpeg.START)) :]
        intake.check_jpeg(jpeg.outline(data), PDF)
        return wholeness.jpeg_whole(data)
    return _inflates(one, data)


def _inflates(one: pdfium.PdfImage, packed: bytes) -> bool:
    """Whether a compressed picture comes to its end. Some programs leave out the end of the stream, or its sum: then it is
    enough that all rows are there."""
    ended, size = wholeness.inflated(packed)
    if ended:
        return True
    (width, height), bits = one.get_px_size(), one.get_metadata().bits_per_pixel
    return bool(size >= (width * bits + 7) // 8 * height)
