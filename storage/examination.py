"""What is done with one file in the confined child: from bytes to verdicts and pictures.

Only ``storage.confinement`` calls this. Each task takes the bytes, its options and a function to be called
before each page, and returns plain facts with the byte strings that belong to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import cv2
import numpy as np
from PIL import Image

from storage import codes, intake, pdf, pixels, quality, raster
from storage.intake import PDF, Refused
from storage.measurement import Measurement
from storage.quality.picture import LONG_SIDE, Picture
from storage.raster import Page
from storage.thresholds import Thresholds, standard

Answer = tuple[dict[str, Any], list[bytes]]
Task = Callable[[bytes, dict[str, Any], Callable[[], None]], Answer]

PDF_SIDE = 2000
FULL_SIDE = 4000  # of the JPEG for the national system
NO_SUCH_PAGE = "文件里没有第 {number} 页"


def load() -> None:
    """Load and try everything once, before any limit stands: a late import would fail under them."""
    cv2.setNumThreads(1)
    Image.preinit()
    blank = pixels.jpeg(np.full((300, 200, 3), 255, np.uint8), 80)
    judge(blank, {"max_pages": 1}, lambda: None)


def judge(data: bytes, options: dict[str, Any], another_page: Callable[[], None]) -> Answer:
    """Every page measured and drawn. Blobs: view and thumbnail of each page in turn."""
    thresholds = Thresholds(**options["thresholds"]) if "thresholds" in options else standard()
    media_type = intake.media_type_of(data)
    facts: list[dict[str, Any]] = []
    blobs: list[bytes] = []
    for page in _pages(data, media_type, LONG_SIDE, options["max_pages"]):
        another_page()
        page_facts, pictures = _judge_page(page, thresholds)
        facts.append(page_facts)
        blobs += pictures
    return {"media_type": media_type, "pages": facts, "thresholds": thresholds.version}, blobs


def national(data: bytes, options: dict[str, Any], another_page: Callable[[], None]) -> Answer:
    """One page as a JPEG within ``limit`` bytes, turned back by ``turned`` degrees."""
    media_type = intake.media_type_of(data)
    number = options["page"]
    for page in _pages(data, media_type, FULL_SIDE, options["max_pages"]):
        another_page()
        if page.number == number:
            upright = pixels.straightened(pixels.fitted(page.rgb, FULL_SIDE), options["turned"])
            return {"media_type": media_type}, [pixels.jpeg_within(upright, options["limit"])]
    raise Refused(NO_SUCH_PAGE.format(number=number), media_type)


def nothing(data: bytes, options: dict[str, Any], another_page: Callable[[], None]) -> Answer:
    """No work: shows that a child can be had."""
    return {}, []


TASKS: dict[str, Task] = {"judge": judge, "national": national, "nothing": nothing, "codes": codes.codes}


def _pages(data: bytes, media_type: str, long_side: int, max_pages: int) -> Iterator[Page]:
    intake.check_header(data, media_type)
    if media_type == PDF:
        return pdf.pages(data, long_side=max(long_side, PDF_SIDE), max_pages=max_pages)
    return raster.pages(data, media_type, long_side=long_side, max_pages=max_pages)


def _judge_page(page: Page, thresholds: Thresholds) -> tuple[dict[str, Any], list[bytes]]:
    picture = Picture.of(page.rgb, page.width, page.height)
    measurements = quality.measure(picture, thresholds)
    by_name = {m.name: m for m in measurements}
    turned = _turn(by_name.get("skew"))
    view = pixels.straightened(page.rgb, turned)
    if "exposure" in by_name and by_name["exposure"].verdict == "mend":
        view = pixels.brightened(view, picture.paper.level)
    view = pixels.fitted(view, pixels.VIEW_SIDE)
    facts = {
        "page": page.number,
        "width": page.width,
        "height": page.height,
        "measurements": [asdict(m) for m in measurements],
        "view_size": [view.shape[1], view.shape[0]],
        "turned": turned,
    }
    thumb = pixels.jpeg(pixels.fitted(view, pixels.THUMB_SIDE), pixels.THUMB_QUALITY)
    return facts, [pixels.jpeg(view, pixels.VIEW_QUALITY), thumb]


def _turn(skew: Measurement | None) -> float:
    """Degrees to straighten by: all that leans, also when the person is asked to take it again."""
    return 0.0 if skew is None or skew.verdict == "pass" else skew.value
