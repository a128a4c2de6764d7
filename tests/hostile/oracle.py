"""What must hold of the verdict on a hostile file, whatever the file is."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from storage.judge import Judgement
from storage.sandbox import WALL_SECONDS
from tests.hostile.specimen import TRACES, Specimen

# Of a bare baseline JPEG: JFIF, quantisation, frame, Huffman tables, scan
_PLAIN = {0xE0: b"JFIF\x00", 0xDB: b"", 0xC0: b"", 0xC4: b"", 0xDA: b""}
_ENTROPY_ENDS = re.compile(rb"\xff[^\x00\xd0-\xd7]")


def faults(one: Specimen, result: Judgement) -> list[str]:
    """What is wrong with the judge's answer, each with the file's name."""
    found = list(_of_the_refusal(one, result) if result.refusal is not None else _of_the_pages(one, result))
    if result.seconds > WALL_SECONDS + 5:
        found.append(f"took {result.seconds:.1f} s")
    return [f"{one.kind}/{one.name[:60]}: {fault}" for fault in found]


def _of_the_refusal(one: Specimen, result: Judgement) -> Iterator[str]:
    if one.fate == "accept":
        yield f"honest, but refused: {result.refusal}"
    if result.pages or result.verdict != "refuse":
        yield "refused, but not quite"
    if len(re.findall("[\u4e00-\u9fff]", result.refusal or "")) < 6:
        yield f"no sentence: {result.refusal!r}"


def _of_the_pages(one: Specimen, result: Judgement) -> Iterator[str]:
    if one.fate == "refuse":
        yield "taken"
    if result.media_type is None or result.media_type != one.media_type:
        yield f"taken for {result.media_type}"
    if not 1 <= len(result.pages) <= 20:
        yield f"{len(result.pages)} pages"
    for page in result.pages:
        if not (page.view_jpeg and page.thumb_jpeg):
            yield f"page {page.page} without a picture"
        for picture in filter(None, (page.view_jpeg, page.thumb_jpeg, page.plain_jpeg)):
            for fault in leftovers(picture):
                yield f"page {page.page}: {fault}"


def leftovers(picture: bytes) -> Iterator[str]:
    """What a JPEG holds beyond pixels: foreign segments, something behind its end, words of the corpus."""
    yield from (f"holds {trace!r}" for trace in TRACES if trace.lower() in picture.lower())
    if picture[:2] != b"\xff\xd8":
        yield "is no JPEG"
        return
    at = 2
    while picture[at : at + 2] != b"\xff\xd9":
        if at + 4 > len(picture):
            yield "has no end"
            return
        marker, (length,) = picture[at + 1], struct.unpack_from("!H", picture, at + 2)
        content = picture[at + 4 : at + 2 + length]
        if picture[at] != 0xFF or marker not in _PLAIN or not content.startswith(_PLAIN[marker]):
            yield f"segment {marker:02X} of {length} bytes"
            return
        if marker == 0xE0 and length != 16:  # longer is a thumbnail of somebody else's
            yield "a thumbnail within"
        at += 2 + length
        if marker == 0xDA:
            found = _ENTROPY_ENDS.search(picture, at)
            at = found.start() if found else len(picture)
    if at + 2 != len(picture):
        yield f"{len(picture) - at - 2} bytes behind its end"
