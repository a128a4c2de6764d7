"""What is done with one file in the confined child: from bytes to verdicts and pictures.

Only ``storage.confinement`` calls this. Each task takes the bytes, its options and a function to be called
before each page, and returns plain facts with the byte strings that belong to them.
"""

from __future__ import annotations

import encodings
import pkgutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageOps

from storage import codes, intake, pdf, pixels, quality, raster, sameness
from storage.intake import PDF, Refused
from storage.known_page import known_pages
from storage.likeness import likeness
from storage.measurement import Measurement, Mending
from storage.mending import mended, way
from storage.quality import blank, inverted, skew
from storage.quality.picture import LONG_SIDE, Picture
from storage.quality.text import MIN_POINTS
from storage.raster import Page
from storage.thresholds import Thresholds, standard

Answer = tuple[dict[str, Any], list[bytes]]
Task = Callable[[bytes, dict[str, Any], Callable[[], None]], Answer]

PDF_SIDE = 2000
FULL_SIDE = 4000  # of the JPEG for the national system
LEAST_LEAN = 0.3  # degrees that are worth straightening once the sheet has been cut out
NO_SUCH_PAGE = "文件里没有第 {number} 页"


def load() -> None:
    """Load and try everything once, while the process still has its rights: afterwards the folder of the code, of the
    libraries, even of Python may be closed to it, and the first honest file would find a module missing."""
    cv2.setNumThreads(1)
    warnings.simplefilter("ignore")  # nobody hears them, and to say one the source it stands in is opened
    Image.init()  # all plugins: Pillow goes looking for the others when those asked for know nothing of a file
    for one in pkgutil.iter_modules(encodings.__path__):
        with suppress(ImportError):  # those of another system
            import_module(f"encodings.{one.name}")
    for known in known_pages().values():
        with suppress(Exception):  # whether a format works is asked by sandbox.trial(); the others may
            judge(known, {"max_pages": 1}, lambda: None)


def judge(data: bytes, options: dict[str, Any], another_page: Callable[[], None]) -> Answer:
    """Every page measured and, unless ``pictures`` is false, drawn. Blobs: of each page in turn the view, the thumbnail,
    and the plain view (empty where the view is just that)."""
    thresholds = Thresholds(**options["thresholds"]) if "thresholds" in options else standard()
    media_type = intake.media_type_of(data)
    facts: list[dict[str, Any]] = []
    blobs: list[bytes] = []
    for page in _pages(data, media_type, LONG_SIDE, options["max_pages"]):
        another_page()
        page_facts, mending = _judge_page(page, thresholds)
        if options.get("pictures", True):
            blobs += _draw(page, mending, page_facts)
        facts.append(page_facts)
    blank.beside_others([one["measurements"] for one in facts])
    return {"media_type": media_type, "pages": facts, "thresholds": thresholds.version}, blobs


def national(data: bytes, options: dict[str, Any], another_page: Callable[[], None]) -> Answer:
    """One page as a JPEG within ``limit`` bytes, mended as ``mending`` says."""
    media_type = intake.media_type_of(data)
    number = options["page"]
    for page in _pages(data, media_type, FULL_SIDE, options["max_pages"]):
        another_page()
        if page.number == number:
            view = mended(page.rgb, Mending.of(options["mending"]), FULL_SIDE)
            return {"media_type": media_type}, [pixels.jpeg_within(view, options["limit"])]
    raise Refused(NO_SUCH_PAGE.format(number=number), media_type)


def nothing(data: bytes, options: dict[str, Any], another_page: Callable[[], None]) -> Answer:
    """No work: shows that a child can be had."""
    return {}, []


TASKS: dict[str, Task] = {
    "judge": judge,
    "national": national,
    "nothing": nothing,
    "codes": codes.codes,
    "compare": sameness.compare,
}


def _pages(data: bytes, media_type: str, long_side: int, max_pages: int) -> Iterator[Page]:
    intake.check_header(data, media_type)
    if media_type == PDF:
        return pdf.pages(data, long_side=max(long_side, PDF_SIDE), max_pages=max_pages)
    return raster.pages(data, media_type, long_side=long_side, max_pages=max_pages)


def _judge_page(page: Page, thresholds: Thresholds) -> tuple[dict[str, Any], Mending]:
    """What is said of one page, and how its view is made."""
    picture = Picture.of(page.image, page.width, page.height)
    negative = inverted.measure(picture)
    if negative is not None:
        picture = Picture.of(ImageOps.invert(page.image), page.width, page.height)
    measurements = quality.measure(picture, thresholds)
    if negative is not None:
        measurements = (*measurements, negative)
    by_name = {m.name: m for m in measurements}
    mending = _mending(picture, by_name)
    facts = {
        "page": page.number,
        "width": page.width,
        "height": page.height,
        "measurements": [asdict(m) for m in measurements],
        "mending": asdict(mending),
        "corners": picture.page.corners if picture.page.whole else (),
        "seals": [asdict(one) for one in picture.seals] if len(measurements) > 1 else [],
        "codes": [asdict(one) for one in codes.at_a_glance(picture.work)],
        "likeness": likeness(picture),
    }
    return facts, mending


def _mending(picture: Picture, by_name: dict[str, Measurement]) -> Mending:
    """Everything that can be put right is, also when the person is asked to take the picture again."""

    def faulty(name: str) -> bool:
        return name in by_name and by_name[name].verdict != "pass"

    corners = picture.page.corners if faulty("perspective") and picture.page.whole else ()
    lean = by_name["skew"].value if faulty("skew") else 0.0
    if corners:
        lean = _left_over(picture, corners)
    turn = by_name["orientation"] if faulty("orientation") else None
    level = max(1.0, picture.page.level)
    dark = faulty("exposure") and by_name["exposure"].unit == "level"
    return Mending(
        corners=corners,
        skew=lean,
        rotation=int(turn.value) if turn is not None and turn.verdict == "mend" else 0,
        gain=round(min(pixels.MOST_GAIN, pixels.GOAL_LEVEL / level), 3) if dark else 1.0,
        even=faulty("shadow"),
        inverted=inverted.NAME in by_name,
    )


def _left_over(picture: Picture, corners: tuple[tuple[float, float], ...]) -> float:
    """Degrees by which the text still leans when the sheet has been cut out by its corners."""
    height, width = picture.work.shape
    found = way(Mending(corners=corners), width, height)
    points = picture.text.points
    if points.shape[1] < MIN_POINTS:
        return 0.0
    there = found.matrix.astype(np.float32) @ np.vstack([points, np.ones(points.shape[1], np.float32)])
    left = skew.angle(there[:2] / there[2], max(found.width, found.height), widest=6.0)
    return round(left, 2) if abs(left) >= LEAST_LEAN else 0.0


def _draw(page: Page, mending: Mending, facts: dict[str, Any]) -> list[bytes]:
    """View, thumbnail and plain view as JPEG; notes the size of the view."""
    view = mended(page.rgb, mending, pixels.VIEW_SIDE)
    facts["view_size"] = [view.shape[1], view.shape[0]]
    thumb = pixels.jpeg(pixels.fitted(view, pixels.THUMB_SIDE), pixels.THUMB_QUALITY)
    plain = b""
    if not mending.nothing:
        plain = pixels.jpeg(pixels.fitted(page.rgb, pixels.VIEW_SIDE), pixels.VIEW_QUALITY)
    return [pixels.jpeg(view, pixels.VIEW_QUALITY), thumb, plain]
