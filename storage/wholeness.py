"""Whether all of a picture is there: a JPEG, a strip of a TIFF, a picture in a PDF. Runs in the child.

libjpeg does not fail where data are missing: it warns, fills what is left with grey and goes on, and what it was asked by
never hears of it. Here a warning is an answer. Other decoders do likewise.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from storage import intake, jpeg
from storage.intake import PNG, TIFF, Refused

RGB = npt.NDArray[np.uint8]

MUCH_PADDING = 16  # zeros between a JPEG's picture and its end marker
READ_AHEAD = 8  # bytes that the decoder has in hand when the picture is full
ATTEMPTS = 3
MOST_WORDS = 4096

_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_BEYOND = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
_USUAL = frozenset({0xC0, 0xC1, 0xC2})
_REDUCED = {1: 0, 2: 16, 4: 32, 8: 64}  # cv2.IMREAD_REDUCED_GRAYSCALE_2 and so on

_STRIPS, _TILES = (273, 279), (324, 325)  # where they lie, how long they are
_COMPRESSION, _JPEG_TABLES = 259, 347
_JPEG, _DEFLATE = 7, (8, 32946)


def jpeg_decoded(data: bytes, reduction: int) -> RGB | None:
    """The picture at 1, 1/2, 1/4 or 1/8 of its size; None where the decoder as much as warns, cannot open it, or finds no end:
    of what is too much before the end it warns only at the end."""
    if not data.endswith(jpeg.END) and jpeg.outline(data).end is None:
        return None
    made, warning = _heard(data, _REDUCED[reduction] | cv2.IMREAD_COLOR_RGB)
    return None if warning else made


def jpeg_whole(data: bytes) -> bool:
    """Whether everything that the picture consists of is there and undamaged. Decodes at an eighth of the size.

    What is wrong with the notes around it does not count, nor a missing end marker, nor padding before it. True also for
    kinds that this decoder does not know: another one has to say so.
    """
    found = jpeg.outline(data)
    if not found.scans or not jpeg.all_sent(found):
        return False
    if found.end is None and data.endswith(bytes(MUCH_PADDING)):
        return False  # a copy that was interrupted, in the room that had been made for it
    picture = jpeg.bare(data, found)
    for _ in range(ATTEMPTS):
        made, warning = _heard(picture, _REDUCED[8])
        if not warning:
            return made is not None or found.kind not in _USUAL
        shorter = _without_padding(picture, warning)
        if shorter is None:
            return False
        picture = shorter
    return False


def check_tiff_page(picture: Image.Image, data: bytes) -> None:
    """Refuse the current page of a TIFF of which a strip ends early or is damaged."""
    tags: Any = getattr(picture, "tag_v2", {})
    compression = tags.get(_COMPRESSION, 1)
    for strip in _strips(tags, data):
        if compression == _JPEG and not jpeg_whole(_with_tables(strip, tags.get(_JPEG_TABLES, b""))):
            raise Refused(intake.INCOMPLETE, TIFF)
        if compression in _DEFLATE and not inflated(strip)[0]:
            raise Refused(intake.INCOMPLETE, TIFF)


def check_png(picture: Image.Image, data: bytes) -> None:
    """Refuse a decoded PNG whose rows end early: those that did not come are zero, and only then it is looked for them."""
    width, height = picture.size
    rows = (picture.crop((0, y, width, y + 1)) for y in range(max(0, height - 2), height))
    if all(row.getbbox(alpha_only=False) for row in rows):
        return
    packed = b"".join(data[start:end] for kind, start, end in intake.png_chunks(data) if kind == b"IDAT")
    if inflated(packed)[1] < _png_size(data):
        raise Refused(intake.INCOMPLETE, PNG)


def _png_size(data: bytes) -> int:
    """The bytes of all rows, each with its filter's, of each pass where it is interlaced (ISO/IEC 15948, 8.2)."""
    width, height, depth, colour, _, _, interlaced = struct.unpack_from("!IIBBBBB", data, 16)
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 1)
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    sizes = (
        (max(0, -(-(width - x) // across)), max(0, -(-(height - y) // down))) for x, y, across, down in passes
    )
    return sum(high * (1 + (wide * bits + 7) // 8) for wide, high in sizes if wide)


def _strips(tags: Any, data: bytes) -> Iterator[bytes]:
    """The compressed parts of the page. Only whole lists: what is wrong with them is for the decoder to say."""
    for places, sizes in (_STRIPS, _TILES):
        starts, lengths = tags.get(places, ()), tags.get(sizes, ())
        if not isinstance(starts, tuple) or not isinstance(lengths, tuple) or len(starts) != len(lengths):
            continue
        for start, length in zip(starts, lengths, strict=True):
            yield data[int(start) : int(start) + int(length)]


def _with_tables(strip: bytes, tables: Any) -> bytes:
    """A JPEG of its own: the tables that all strips share stand once in the directory."""
    if not isinstance(tables, bytes) or not tables.startswith(jpeg.START):
        return strip
    return tables.removesuffix(jpeg.END) + strip.removeprefix(jpeg.START)


def inflated(packed: bytes, *, step: int = 1 << 20) -> tuple[bool, int]:
    """Whether a zlib stream comes to its end and fits its checksum, and how many bytes it holds. Nothing of it is kept."""
    stream, left, size = zlib.decompressobj(), packed, 0
    try:
        while not stream.eof and left:
            size += len(stream.decompress(left, step))
            left = stream.unconsumed_tail
    except zlib.error:
        return False, size
    return stream.eof, size


def _heard(data: bytes, flags: int) -> tuple[RGB | None, str]:
    """What the decoder makes of it, and what it says meanwhile: libjpeg tells its first warning to the error stream and to
    nobody else."""
    words = os.memfd_create("words")
    stream = os.dup(2)
    os.dup2(words, 2)
    try:
        made = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        made = None
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from error
    finally:
        os.dup2(stream, 2)
        os.close(stream)
        said = os.pread(words, MOST_WORDS, 0).decode("ascii", "replace")
        os.close(words)
    if "nsufficient memory" in said:
        raise MemoryError
    # Lines in brackets are OpenCV's own
    warning = "\n".join(line for line in said.splitlines() if line.strip() and not line.startswith("["))
    return (None if made is None else np.asarray(made, dtype=np.uint8)), warning


def _without_padding(picture: bytes, warning: str) -> bytes | None:
    """The picture without the bytes before its end that the decoder found to be too many, where they only fill up.

    A hole in the data shows in the same warning, often of a single byte: the decoder falls into step again behind it. The
    last byte of a picture is filled up with ones (ITU-T T.81, F.1.2.3), so zeros behind a zero may have been picture: what
    an interrupted copy leaves behind is filled with zeros, and these decode as flat blocks until the picture is full.
    """
    told = _BEYOND.search(warning)
    count = int(told.group(1)) if told else 0
    if not told or count + len(jpeg.END) >= len(picture):
        return None
    before, extra = picture[-count - 3], picture[-count - 2 : -2]
    body = picture[: -len(jpeg.END)]
    taken = len(body) - len(body.rstrip(b"\0")) - count  # zeros that the decoder took for picture
    if any(extra) or not (before & 1 or (taken <= READ_AHEAD and count >= MUCH_PADDING)):
        return None
    return picture[: -count - 2] + jpeg.END
