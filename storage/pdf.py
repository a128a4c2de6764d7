"""PDF pages to upright RGB pictures, drawn by PDFium (no JavaScript, no XFA, no actions). Runs in the child.

Drawn is what a reader shows on its screen: the page, its annotations, and the fields of its forms with their appearance,
which is what an electronic seal is. What is hidden or meant for print alone is not drawn.
"""

from __future__ import annotations

from collections.abc import Iterator

import pypdfium2 as pdfium

from storage import intake, pdf_pictures
from storage.allowance import Allowance
from storage.intake import PDF, Refused
from storage.raster import Page

MAX_SCALE = 600 / 72  # a tiny page box is not blown up beyond 600 dpi
MEGABYTE = 1024 * 1024
DRAWING = 144 * MEGABYTE  # for PDFium beside the picture; an honest scan at 600 dpi takes 60 MB
# JPEG 2000 is decoded whole, 20 bytes a pixel, though no finer than twice what is drawn. What does not fit PDFium leaves out
# without a word: a page must not come to be judged without its picture.
DRAWING_JPEG_2000 = 240 * MEGABYTE
PER_PIXEL = 8  # bytes: as it is drawn, and as a picture
DEPTH = 3  # of forms within forms that are searched for pictures

ENCRYPTED = "PDF 设有密码，请去掉密码后再传"
EMPTY = "PDF 里没有页面，请重新导出后再传"


def pages(data: bytes, *, long_side: int, max_pages: int) -> Iterator[Page]:
    """The pages of a PDF, each drawn to ``long_side`` pixels. Raises ``Refused``."""
    allowance = Allowance(DRAWING)
    document = _open(data, max_pages, allowance)
    seen: pdf_pictures.Seen = set()
    for number in range(1, len(document) + 1):
        yield _drawn(document, number, long_side, allowance, seen)


def one_page(data: bytes, number: int, *, long_side: int, max_pages: int) -> tuple[Page | None, int]:
    """One page of a PDF (None where there is no such page), and how many it has. Raises ``Refused``."""
    allowance = Allowance(DRAWING)
    document = _open(data, max_pages, allowance)
    count = len(document)
    return (_drawn(document, number, long_side, allowance, set()) if 1 <= number <= count else None), count


def _open(data: bytes, max_pages: int, allowance: Allowance) -> pdfium.PdfDocument:
    try:
        with allowance.spent():
            document = pdfium.PdfDocument(data)
            document.init_forms()  # before any page is asked for; this build of PDFium runs no script of a form
    except pdfium.PdfiumError as error:
        locked = getattr(error, "err_code", None) == pdfium.raw.FPDF_ERR_PASSWORD
        raise Refused(ENCRYPTED if locked else intake.INCOMPLETE, PDF) from error
    if len(document) == 0:
        raise Refused(EMPTY, PDF)
    if len(document) > max_pages:
        raise Refused(intake.TOO_MANY_PAGES.format(limit=max_pages), PDF)
    return document


def _drawn(
    document: pdfium.PdfDocument, number: int, long_side: int, allowance: Allowance, seen: pdf_pictures.Seen
) -> Page:
    try:
        with allowance.spent():
            page = document[number - 1]
            width, height = page.get_size()  # points, turned as the page says
        if min(width, height) <= 0 or max(width, height) > intake.MAX_SIDE_RATIO * min(width, height):
            raise Refused(intake.ODD_SHAPE, PDF)
        scale = min(MAX_SCALE, long_side / max(width, height))
        own = round(PER_PIXEL * scale * width * scale * height)
        with allowance.spent():
            _hide_what_no_screen_shows(page)
            pictures = _pictures(page)
            pdf_pictures.check(pictures, seen)
        with allowance.spent(beyond=own + (DRAWING_JPEG_2000 - DRAWING if _any_jpeg_2000(pictures) else 0)):
            drawn = page.render(scale=scale, rev_byteorder=True, may_draw_forms=True, prefer_bgrx=False)
            image = drawn.to_pil().convert("RGB")
    except pdfium.PdfiumError as error:
        raise Refused(intake.INCOMPLETE, PDF) from error
    return Page(number, image, image.width, image.height)


def _hide_what_no_screen_shows(page: pdfium.PdfPage) -> None:
    """PDFium keeps annotations off the screen that are meant for print alone, but draws such fields of forms."""
    for number in range(pdfium.raw.FPDFPage_GetAnnotCount(page)):
        note = pdfium.raw.FPDFPage_GetAnnot(page, number)
        if not note:
            continue
        flags = pdfium.raw.FPDFAnnot_GetFlags(note)
        if flags & pdfium.raw.FPDF_ANNOT_FLAG_NOVIEW:
            pdfium.raw.FPDFAnnot_SetFlags(note, flags | pdfium.raw.FPDF_ANNOT_FLAG_HIDDEN)
        pdfium.raw.FPDFPage_CloseAnnot(note)


def _pictures(page: pdfium.PdfPage) -> list[pdfium.PdfImage]:
    found = page.get_objects(filter=(pdfium.raw.FPDF_PAGEOBJ_IMAGE,), max_depth=DEPTH)
    return [one for one in found if isinstance(one, pdfium.PdfImage)]


def _any_jpeg_2000(pictures: list[pdfium.PdfImage]) -> bool:
    return any("JPXDecode" in one.get_filters() for one in pictures)
