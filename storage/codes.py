"""QR codes on one page of a long file, with the two pictures that may be shown of it. Runs in the child.

A batch of stamped forms has up to 200 pages, so each page is opened by a child of its own: memory stays that of one page,
and a page that cannot be opened keeps no other from being read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp
from PIL import Image

from storage import intake, pdf, pixels, raster
from storage.intake import PDF, TIFF, Refused
from storage.pixels import RGB
from storage.quality.picture import Picture
from storage.raster import Page

QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
SIDE = 3508  # pixels of the long side that is looked at: A4 at 300 dpi
SMALL_SIDE = 1754  # a second look: a scan of 300 dpi with speckles reads better when reduced
BLACK = (0.35, 0.5)  # of the paper's grey: on a photocopy a seal is grey, and only print is darker than this
WHITENED = 0.75  # of the paper's red: what is redder than this is seal or paper
STRIPS = 3
LAPPED = 0.03  # of the page's height: strips go so far over their edges, so that a line there is whole in one
NO_SUCH_PAGE = "文件里没有第 {number} 页"


@dataclass(frozen=True, slots=True)
class Code:
    """One QR code: its text, its four corners in shares of the page, and how far it is turned (degrees, clockwise)."""

    text: str
    box: tuple[tuple[float, float], ...]
    turned: int


def codes(
    data: bytes, options: dict[str, Any], another_page: Callable[[], None]
) -> tuple[dict[str, Any], list[bytes]]:
    """The codes of page ``page`` of a file of at most ``max_pages``, and how well the best red seal on it is an ellipse
    (0 to 1; 0 where there is none). Blobs: view and thumbnail, upright by the first code; with ``strips`` the view in
    strips, for reading.

    Raises ``Refused``.
    """
    media_type = intake.media_type_of(data)
    intake.check_header(data, media_type)
    page, count = _one_page(data, media_type, options["page"], options["max_pages"])
    another_page()
    found = list(read_codes(page.rgb))
    quarters = round((found[0].turned if found else 0) / 90) % 4
    upright = np.ascontiguousarray(np.rot90(page.rgb, quarters))
    view = pixels.fitted(upright, pixels.VIEW_SIDE)
    thumb = pixels.jpeg(pixels.fitted(view, pixels.THUMB_SIDE), pixels.THUMB_QUALITY)
    facts = {
        "media_type": media_type,
        "pages": count,
        "codes": [{"text": one.text, "box": one.box, "turned": one.turned} for one in found],
        "seal": max(
            (one.score for one in Picture.of(Image.fromarray(view), *view.shape[1::-1]).seals), default=0.0
        ),
    }
    strips = _strips(view) if options.get("strips") else []
    return facts, [pixels.jpeg(view, pixels.VIEW_QUALITY), thumb, *strips]


def _strips(view: RGB) -> list[bytes]:
    """The page in STRIPS from the top down, each a little more: small print on a whole page is lost to a reader. Grey, and
    without the red of a seal, whose ring would be read into the print below it."""
    red, high = view[:, :, 0], view.shape[0]
    white = max(1.0, WHITENED * float(np.percentile(red, 60)))
    clean = np.minimum(255.0, red * (255.0 / white)).astype(np.uint8)
    edges = [(max(0.0, n / STRIPS - LAPPED), min(1.0, (n + 1) / STRIPS + LAPPED)) for n in range(STRIPS)]
    return [
        pixels.jpeg(clean[round(top * high) : round(low * high)], pixels.VIEW_QUALITY) for top, low in edges
    ]


def at_a_glance(grey: npt.NDArray[np.uint8]) -> list[Code]:
    """The QR codes that one quick look at a reduced page finds: enough for a photograph's verdict."""
    read = zxingcpp.read_barcodes(grey, formats=QR, try_downscale=False, try_invert=False)
    return [_code(one, grey.shape[1], grey.shape[0]) for one in read if one.valid]


def read_codes(rgb: RGB) -> Iterator[Code]:
    """Every QR code on a picture, each text once; codes that lean, stand on their head or lie under a red seal too."""
    met: set[str] = set()
    for grey in _looks(rgb):
        for one in zxingcpp.read_barcodes(grey, formats=QR):
            if one.valid and one.text not in met:
                met.add(one.text)
                yield _code(one, grey.shape[1], grey.shape[0])
        if met:
            return


def _looks(rgb: RGB) -> Iterator[Any]:
    """The page as grey, in the order of what usually succeeds. In the red channel a red seal is as white as the paper; on a
    photocopy only the darkest is print."""
    red, grey = np.ascontiguousarray(rgb[:, :, 0]), cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    yield red
    yield grey
    yield pixels.fitted(red, SMALL_SIDE)
    yield cv2.GaussianBlur(red, (0, 0), 1.5)
    for share in BLACK:
        yield cv2.threshold(grey, share * float(np.median(grey)), 255, cv2.THRESH_BINARY)[1]


def _code(one: Any, width: int, height: int) -> Code:
    place = one.position
    corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    box = tuple((round(corner.x / width, 4), round(corner.y / height, 4)) for corner in corners)
    return Code(one.text, box, int(one.orientation))


def _one_page(data: bytes, media_type: str, number: int, max_pages: int) -> tuple[Page, int]:
    if media_type == PDF:
        page, count = pdf.one_page(data, number, long_side=SIDE, max_pages=max_pages)
    elif media_type == TIFF:
        page, count = raster.one_tiff_page(data, number, long_side=SIDE, max_pages=max_pages)
    else:
        page, count = next(raster.pages(data, media_type, long_side=SIDE, max_pages=1)), 1
    if page is None or number > count:
        raise Refused(NO_SUCH_PAGE.format(number=number), media_type)
    return page, count
