"""``python -m storage.judge FILE...``: verdicts as JSON, one line a page.

What never belongs here: a verdict of its own; the portal calls the same ``judge``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from storage.judge import Judgement, PageJudgement, judge
from storage.measurement import Measurement
from storage.sandbox import Unavailable
from storage.thresholds import papers, standard

CHECKS = (
    "blank",
    "text_size",
    "sharpness",
    "skew",
    "orientation",
    "perspective",
    "completeness",
    "exposure",
    "inverted",
    "glare",
    "shadow",
    "seal",
    "colour",
    "screenshot",
    "screen",
)
UNREADABLE = "文件不存在，或不能读取"
NO_JUDGE = "图片检查现在不能用，没有判定；原因见上面的英文说明"
NO_READER = "未安装识读组件，没有识读文字；安装方法：pip install .[reading]"


def main(arguments: list[str]) -> int:
    """Print one JSON line for each page of each file, and one for a file that cannot be used. 2 for a wrong call, 3 where nothing can be
    judged here."""
    parser = argparse.ArgumentParser(
        prog="python -m storage.judge", description="verdicts on pictures of papers"
    )
    parser.add_argument("files", nargs="+", metavar="FILE", type=Path)
    parser.add_argument(
        "--paper", default="", choices=["", *papers()], help="the kind of paper that it should be"
    )
    parser.add_argument("--read", action="store_true", help="also read the text of each page")
    asked = parser.parse_args(arguments)
    try:
        for path in asked.files:
            for line in _lines(path, asked.paper, asked.read):
                print(json.dumps(line, ensure_ascii=False), flush=True)
    except Unavailable:
        print(NO_JUDGE, file=sys.stderr)
        return 3
    return 0


def _lines(path: Path, paper: str, reads: bool) -> Iterator[dict[str, Any]]:
    try:
        result = judge(path, thresholds=standard(paper), pictures=reads)
    except OSError:
        result = Judgement(None, (), "refuse", UNREADABLE, 0.0)
    base = {"file": str(path), "format": result.media_type}
    if result.refusal is not None:
        yield {**base, **_nothing(result)}
    for page in result.pages:
        line = {**base, **_page(page), "seconds": round(result.seconds / len(result.pages), 3)}
        if reads:
            began = time.perf_counter()
            line |= _text(page)
            line["reading_seconds"] = round(time.perf_counter() - began, 3)
        yield line


def _nothing(result: Judgement) -> dict[str, Any]:
    """The line of a file that cannot be used, with the same names as that of a page."""
    return {
        "page": 0,
        "width": 0,
        "height": 0,
        "verdict": "refuse",
        "message": result.refusal,
        "checks": {},
        "corners": None,
        "rotation": 0,
        "skew": None,
        "seals": [],
        "codes": [],
        "lines": [],
        "seconds": round(result.seconds, 3),
    }


def _page(page: PageJudgement) -> dict[str, Any]:
    """The facts of one page; places are pixels of the page set upright by EXIF."""
    by_name = {m.name: m for m in page.measurements}
    messages = [m.message for m in page.measurements if m.message]
    return {
        "page": page.page,
        "width": page.width,
        "height": page.height,
        "verdict": page.verdict,
        "message": messages[0] if messages else "",
        "checks": {name: _check(by_name.get(name)) for name in CHECKS},
        "corners": [_pixels(page, corner) for corner in page.corners] or None,
        "rotation": page.mending.rotation,
        "skew": by_name["skew"].value if "skew" in by_name else None,
        "seals": [{"box": _box(page, seal["box"]), "score": seal["score"]} for seal in page.seals],
        "codes": [
            {"text": code["text"], "box": [_pixels(page, corner) for corner in code["box"]]}
            for code in page.codes
        ],
        "lines": [],
    }


def _check(measured: Measurement | None) -> dict[str, Any]:
    """One check; what was not measured (on a blank sheet) has no value and is not found fault with."""
    if measured is None:
        return {"value": None, "unit": "", "threshold": None, "verdict": "pass", "message": ""}
    return {name: value for name, value in asdict(measured).items() if name != "name"}


def _pixels(page: PageJudgement, place: tuple[float, float]) -> list[float]:
    return [round(place[0] * page.width, 1), round(place[1] * page.height, 1)]


def _box(page: PageJudgement, box: tuple[float, float, float, float]) -> list[float]:
    x, y, width, height = box
    return [*_pixels(page, (x, y)), *_pixels(page, (width, height))]


def _text(page: PageJudgement) -> dict[str, Any]:
    """The lines of text on the view, each with its place on the page. Loads what draws only here."""
    from storage.placing import on_page
    from storage.reading import available, read

    if not available():
        return {"lines": [], "reading": NO_READER}
    found = read(page.view_jpeg)
    return {
        "lines": [
            {
                "text": line.text,
                "box": [_pixels(page, corner) for corner in on_page(page, line.box)],
                "confidence": round(line.confidence, 3),
            }
            for line in found.lines
        ],
        "reading": found.engine,
    }
