"""The verdict on one uploaded file: what the portal asks, and ``python -m storage.judge FILE...`` prints.

Nothing here decodes anything. The bytes go to a process of their own (``storage.sandbox``); whatever
a file does to that process, the caller gets a ``Judgement``; ``storage.sandbox.Unavailable`` where there is no such
process to be had.
"""

from __future__ import annotations

import math
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.measurement import Measurement, Mending, Verdict, known_verdict, worst
from storage.sandbox import Reply, run

if TYPE_CHECKING:
    from storage.thresholds import Thresholds

MAX_BYTES = 25 * 1024 * 1024
TOO_LARGE = "文件 {size:.1f} MB，超过 25 MB 的上限，请降低扫描分辨率（200 至 300 dpi 即可）、改拍照片，或分成几个文件后再传"
EMPTY = "文件是空的，请重新选择文件"


@dataclass(frozen=True, slots=True)
class PageJudgement:
    """One page: its measurements and the pictures that may be shown of it.

    ``width`` and ``height`` are pixels of the upright original (of the rendering, for PDF). ``view_jpeg`` is the page as
    ``mending`` makes it, at most 2400 px on its long side; ``plain_jpeg`` the page only set upright by EXIF, empty where
    nothing was mended; ``thumb_jpeg`` the view at 320 px. All are drawn anew and carry no metadata; they are empty where
    no pictures were asked for. ``corners`` of the sheet as shares of the page, empty where not all four can be seen.
    ``seals`` (``box``: x, y, width, height, and ``score``) and ``codes`` (``text`` and four corners in ``box``) are in
    shares of the page too. ``likeness`` is the perceptual hash, 16 hexadecimal digits.
    """

    page: int
    width: int
    height: int
    measurements: tuple[Measurement, ...]
    verdict: Verdict
    view_jpeg: bytes = b""
    thumb_jpeg: bytes = b""
    view_size: tuple[int, int] = (0, 0)
    plain_jpeg: bytes = b""
    mending: Mending = field(default_factory=Mending)
    corners: tuple[tuple[float, float], ...] = ()
    seals: tuple[dict[str, Any], ...] = ()
    codes: tuple[dict[str, Any], ...] = ()
    likeness: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The whole answer about one file.

    ``media_type`` is what the content is (never what the name says), ``None`` when it is nothing we accept.
    ``verdict`` is the worst of the pages. ``refusal`` is the Chinese sentence when the file cannot be used
    at all: then ``pages`` is empty and the verdict is ``refuse``. ``thresholds`` is the version of the
    thresholds it was judged by.
    """

    media_type: str | None
    pages: tuple[PageJudgement, ...]
    verdict: Verdict
    refusal: str | None
    seconds: float
    thresholds: str = ""

    @property
    def messages(self) -> tuple[str, ...]:
        """Every sentence a person should read, the refusal first; pages are named when there are several."""
        if self.refusal:
            return (self.refusal,)
        many = len(self.pages) > 1
        return tuple(
            f"第 {page.page} 页：{m.message}" if many else m.message
            for page in self.pages
            for m in page.measurements
            if m.message
        )


def judge(
    data: bytes | Path,
    *,
    thresholds: Thresholds | None = None,
    max_pages: int = 20,
    pictures: bool = True,
) -> Judgement:
    """Judge one file. Never raises for what a file contains; ``OSError`` when a path cannot be read, ``Unavailable`` when
    nothing can be judged here now."""
    started = time.perf_counter()
    if isinstance(data, Path):
        if data.stat().st_size > MAX_BYTES:
            return _refused(_too_large(data.stat().st_size), started)
        data = data.read_bytes()
    if not data:
        return _refused(EMPTY, started)
    if len(data) > MAX_BYTES:
        return _refused(_too_large(len(data)), started)
    options: dict[str, Any] = {"max_pages": max_pages, "pictures": pictures}
    if thresholds is not None:
        options["thresholds"] = asdict(thresholds)
    reply = run("judge", data, options)
    if reply.refusal is not None:
        return _refused(reply.refusal, started, media_type=reply.facts.get("media_type"))
    return _read(reply, started)


def _too_large(size: int) -> str:
    # Rounded up: "25.0 MB is more than 25 MB" explains nothing
    return TOO_LARGE.format(size=math.ceil(size / (1 << 20) * 10) / 10)


def _refused(sentence: str, started: float, *, media_type: str | None = None) -> Judgement:
    return Judgement(media_type, (), "refuse", sentence, time.perf_counter() - started)


def _read(reply: Reply, started: float) -> Judgement:
    drawn = list(zip(reply.blobs[::3], reply.blobs[1::3], reply.blobs[2::3], strict=True))
    facts = reply.facts["pages"]
    pages = tuple(
        _page(one, pictures)
        for one, pictures in zip(facts, drawn or [(b"", b"", b"")] * len(facts), strict=True)
    )
    return Judgement(
        media_type=reply.facts["media_type"],
        pages=pages,
        verdict=worst(page.verdict for page in pages),
        refusal=None,
        seconds=time.perf_counter() - started,
        thresholds=reply.facts["thresholds"],
    )


def _page(facts: dict[str, Any], pictures: tuple[bytes, bytes, bytes]) -> PageJudgement:
    measurements = tuple(
        Measurement(**{**m, "verdict": known_verdict(m["verdict"])}) for m in facts["measurements"]
    )
    view, thumb, plain = pictures
    wide, high = facts.get("view_size", (0, 0))
    return PageJudgement(
        page=facts["page"],
        width=facts["width"],
        height=facts["height"],
        measurements=measurements,
        verdict=worst(m.verdict for m in measurements),
        view_jpeg=view,
        thumb_jpeg=thumb,
        view_size=(wide, high),
        plain_jpeg=plain,
        mending=Mending.of(facts["mending"]),
        corners=tuple((float(x), float(y)) for x, y in facts["corners"]),
        seals=tuple(facts["seals"]),
        codes=tuple(facts["codes"]),
        likeness=facts["likeness"],
    )


if __name__ == "__main__":
    from storage.judging import main

    sys.exit(main(sys.argv[1:]))
