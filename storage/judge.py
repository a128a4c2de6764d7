"""The verdict on one uploaded file: what the portal asks, and ``python -m storage.judge FILE...`` prints.

Nothing here decodes anything. The bytes go to a process of their own (``storage.sandbox``); whatever
happens to that process, the caller gets a ``Judgement``.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.measurement import Measurement, Verdict, known_verdict, worst
from storage.sandbox import Reply, run

if TYPE_CHECKING:
    from storage.thresholds import Thresholds

MAX_BYTES = 25 * 1024 * 1024
TOO_LARGE = "文件超过 25 MB，请降低扫描分辨率或改拍照片后再传"
EMPTY = "文件是空的，请重新选择文件"


@dataclass(frozen=True, slots=True)
class PageJudgement:
    """One page: its measurements and the two pictures that may be shown of it.

    ``width`` and ``height`` are pixels of the upright original (of the rendering, for PDF). ``view_jpeg``
    is upright and, where the verdict mends it, straightened and brightened: at most 2400 px on its long
    side; ``thumb_jpeg`` at most 320 px. Both are drawn anew and carry no metadata. ``turned`` is how many
    degrees (clockwise positive) the view was turned to stand straight.
    """

    page: int
    width: int
    height: int
    measurements: tuple[Measurement, ...]
    verdict: Verdict
    view_jpeg: bytes
    thumb_jpeg: bytes
    view_size: tuple[int, int]
    turned: float = 0.0


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


def judge(data: bytes | Path, *, thresholds: Thresholds | None = None, max_pages: int = 20) -> Judgement:
    """Judge one file. Never raises for what a file contains; ``OSError`` when a path cannot be read."""
    started = time.perf_counter()
    if isinstance(data, Path):
        if data.stat().st_size > MAX_BYTES:
            return _refused(TOO_LARGE, started)
        data = data.read_bytes()
    if not data:
        return _refused(EMPTY, started)
    if len(data) > MAX_BYTES:
        return _refused(TOO_LARGE, started)
    options: dict[str, Any] = {"max_pages": max_pages}
    if thresholds is not None:
        options["thresholds"] = asdict(thresholds)
    reply = run("judge", data, options)
    if reply.refusal is not None:
        return _refused(reply.refusal, started, media_type=reply.facts.get("media_type"))
    return _read(reply, started)


def _refused(sentence: str, started: float, *, media_type: str | None = None) -> Judgement:
    return Judgement(media_type, (), "refuse", sentence, time.perf_counter() - started)


def _read(reply: Reply, started: float) -> Judgement:
    pages = tuple(
        _page(facts, view, thumb)
        for facts, view, thumb in zip(reply.facts["pages"], reply.blobs[::2], reply.blobs[1::2], strict=True)
    )
    return Judgement(
        media_type=reply.facts["media_type"],
        pages=pages,
        verdict=worst(page.verdict for page in pages),
        refusal=None,
        seconds=time.perf_counter() - started,
        thresholds=reply.facts["thresholds"],
    )


def _page(facts: dict[str, Any], view: bytes, thumb: bytes) -> PageJudgement:
    measurements = tuple(
        Measurement(**{**m, "verdict": known_verdict(m["verdict"])}) for m in facts["measurements"]
    )
    return PageJudgement(
        page=facts["page"],
        width=facts["width"],
        height=facts["height"],
        measurements=measurements,
        verdict=worst(m.verdict for m in measurements),
        view_jpeg=view,
        thumb_jpeg=thumb,
        view_size=(facts["view_size"][0], facts["view_size"][1]),
        turned=facts["turned"],
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    """One line per page, or a single line for a file that has none."""
    result = judge(path)
    base = {"file": str(path), "format": result.media_type, "seconds": round(result.seconds, 3)}
    if result.refusal is not None:
        return [{**base, "page": 0, "verdict": "refuse", "refusal": result.refusal, "checks": {}}]
    return [
        {
            **base,
            "page": page.page,
            "width": page.width,
            "height": page.height,
            "verdict": page.verdict,
            "skew": next((m.value for m in page.measurements if m.name == "skew"), None),
            "checks": {m.name: asdict(m) for m in page.measurements},
        }
        for page in result.pages
    ]


def main(arguments: list[str]) -> int:
    """Print one JSON line per page of each file; 2 when no file is named."""
    if not arguments:
        print("usage: python -m storage.judge FILE...", file=sys.stderr)
        return 2
    for name in arguments:
        for line in _lines(Path(name)):
            print(json.dumps(line, ensure_ascii=False), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
