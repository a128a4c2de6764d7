"""PDF pages to upright RGB pictures, drawn by PDFium (no JavaScript, no actions). Runs in the child."""

from __future__ import annotations

from collections.abc import Iterator

import pypdfium2 as pdfium

from storage import intake
from storage.intake import PDF, Refused
from storage.raster import Page

MAX_SCALE = 600 / 72  # a tiny page box is not blown up beyond 600 dpi

ENCRYPTED = "PDF 设有密码，请去掉密码后再传"
EMPTY = "PDF 里没有页面，请重新导出后再传"


def pages(data: bytes, *, long_side: int, max_pages: int) -> Iterator[Page]:
    """The pages of a PDF, each drawn to ``long_side`` pixels. Raises ``Refused``."""
    document = _open(data, max_pages)
    for number in range(1, len(document) + 1):
        yield _drawn(document, number, long_side)


def one_page(data: bytes, number: int, *, long_side: int, max_pages: int) -> tuple[Page | None, int]:
    """One page of a PDF (None where there is no such page), and how many it has. Raises ``Refused``."""
    document = _open(data, max_pages)
    count = len(document)
    return (_drawn(document, number, long_side) if 1 <= number <= count else None), count


def _open(data: bytes, max_pages: int) -> pdfium.PdfDocument:
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        locked = getattr(error, "err_code", None) == pdfium.raw.FPDF_ERR_PASSWORD
        raise Refused(ENCRYPTED if locked else intake.INCOMPLETE, PDF) from error
    if len(document) == 0:
        raise Refused(EMPTY, PDF)
    if len(document) > max_pages:
        raise Refused(intake.TOO_MANY_PAGES.format(limit=max_pages), PDF)
    return document


def _drawn(document: pdfium.PdfDocument, number: int, long_side: int) -> Page:
    try:
        return _page(document[number - 1], number, long_side)
    except pdfium.PdfiumError as error:
        raise Refused(intake.INCOMPLETE, PDF) from error


def _page(page: pdfium.PdfPage, number: int, long_side: int) -> Page:
    width, height = page.get_size()  # points, turned as the page says
    if min(width, height) <= 0 or max(width, height) > intake.MAX_SIDE_RATIO * min(width, height):
        raise Refused(intake.ODD_SHAPE, PDF)
    scale = min(MAX_SCALE, long_side / max(width, height))
    drawn = page.render(scale=scale, rev_byteorder=True, may_draw_forms=False, prefer_bgrx=False)
    image = drawn.to_pil().convert("RGB")
    return Page(number, image, image.width, image.height)
