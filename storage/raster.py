"""JPEG, PNG, HEIC and TIFF to upright RGB pictures, decoded no larger than needed. Runs in the child."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pi_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from storage import intake, jpeg, wholeness
from storage.intake import HEIC, JPEG, PNG, TIFF, Refused

RGB = npt.NDArray[np.uint8]  # height x width x 3

pi_heif.register_heif_opener()
pi_heif.options.DECODE_THREADS = 1

# Always named: by default Pillow would open 43 formats, one of which runs Ghostscript.
_FORMATS = {JPEG: ("JPEG", "MPO"), PNG: ("PNG",), TIFF: ("TIFF",), HEIC: ("HEIF",)}
_ORIENTATION = 0x0112
_SUBFILE_TYPE = 254
# What Pillow raises for damaged files, depending on where the damage is
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, struct.error, zlib.error)


@dataclass(frozen=True)
class Page:
    """One page, upright. ``image`` is RGB and may be reduced; ``width`` and ``height`` are the original's pixels."""

    number: int
    image: Image.Image
    width: int
    height: int

    @cached_property
    def rgb(self) -> RGB:
        """All pixels as an array. Made on demand: to pack them costs more than all that a check asks of them."""
        return np.asarray(self.image)


def pages(data: bytes, media_type: str, *, long_side: int, max_pages: int) -> Iterator[Page]:
    """The pages of a raster file, each decoded to at least ``long_side`` pixels where it has them.

    A page comes out less than twice as large as that. Raises ``Refused``.
    """
    with _opened(data, media_type) as picture:
        if media_type == TIFF:
            yield from _tiff_pages(picture, data, long_side, max_pages)
        else:
            yield _page(picture, 1, media_type, long_side, data)


def one_tiff_page(data: bytes, number: int, *, long_side: int, max_pages: int) -> tuple[Page | None, int]:
    """One page of a TIFF (None where there is no such page), and how many it has; the others are not decoded.

    Raises ``Refused``.
    """
    page, count = None, 0
    with _opened(data, TIFF) as picture:
        for count in _tiff_frames(picture, max_pages):
            if count == number:
                wholeness.check_tiff_page(picture, data)
                page = _page(picture, number, TIFF, long_side, data)
    return page, count


@contextmanager
def _opened(data: bytes, media_type: str) -> Iterator[Image.Image]:
    """The picture, with whatever a decoder may raise turned into ``Refused``."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        Image.MAX_IMAGE_PIXELS = intake.MAX_JPEG_PIXELS if media_type == JPEG else intake.MAX_PIXELS
        try:
            file = io.BytesIO(jpeg.with_end(data) if media_type == JPEG else data)
            yield Image.open(file, formats=_FORMATS[media_type])
        except Refused:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise Refused(intake.TOO_MANY_PIXELS, media_type) from error
        except UnidentifiedImageError as error:
            raise Refused(intake.INCOMPLETE, media_type) from error
        except _BROKEN as error:
            raise Refused(intake.INCOMPLETE, media_type) from error


def _tiff_pages(picture: Image.Image, data: bytes, long_side: int, max_pages: int) -> Iterator[Page]:
    for number in _tiff_frames(picture, max_pages):
        wholeness.check_tiff_page(picture, data)
        yield _page(picture, number, TIFF, long_side, data)


def _tiff_frames(picture: Image.Image, max_pages: int) -> Iterator[int]:
    """Turn to each page in order; yields its number from 1. A damaged directory ends the file with ``Refused``."""
    number, frame = 0, 0
    while True:
        try:
            picture.seek(frame)
        except EOFError:
            break
        frame += 1
        if frame > 4 * max_pages or number >= max_pages:
            raise Refused(intake.TOO_MANY_PAGES.format(limit=max_pages), TIFF)
        tags = getattr(picture, "tag_v2", {})
        if int(tags.get(_SUBFILE_TYPE, 0)) & 1:  # a reduced copy of another page
            continue
        number += 1
        yield number
    if number == 0:
        raise Refused(intake.INCOMPLETE, TIFF)


def _page(picture: Image.Image, number: int, media_type: str, long_side: int, data: bytes) -> Page:
    width, height = picture.size
    intake.check_size(width, height, media_type)
    # HEIC and TIFF come out upright already, and their EXIF orientation must not be applied a second time
    if media_type == JPEG:
        orientation = _orientation(picture)
        picture = _jpeg(picture, long_side, data)
    else:
        # Before anything else is asked of it: a PNG asked for its EXIF decodes by itself, and forgets that it failed
        picture.load()
        orientation = _orientation(picture) if media_type == PNG else 1
        if media_type == PNG:
            wholeness.check_png(picture, data)
    factor = max(picture.size) // long_side
    rgb = _to_rgb(picture, factor)
    if orientation != 1:
        rgb.getexif()[_ORIENTATION] = orientation
        rgb = ImageOps.exif_transpose(rgb)
    if orientation >= 5:
        width, height = height, width
    if rgb is picture and media_type == TIFF:
        rgb = rgb.copy()  # the next page is decoded into the same memory
    return Page(number, rgb, width, height)


def _jpeg(picture: Image.Image, long_side: int, data: bytes) -> Image.Image:
    """The picture reduced by libjpeg. Refuses one of which a part is missing, which Pillow does not tell: it is decoded by
    what does, and by Pillow only where that knows not enough of colours or warns of nothing that matters."""
    width, height = picture.size
    share = min(1.0, long_side / max(width, height))
    asked = max(1, int(width * share)), max(1, int(height * share))
    most = min(width // asked[0], height // asked[1])
    reduction = next(step for step in (8, 4, 2, 1) if most >= step)
    if picture.mode in ("RGB", "L") and (made := wholeness.jpeg_decoded(data, reduction)) is not None:
        return Image.fromarray(made)
    if not wholeness.jpeg_whole(data):
        raise Refused(intake.INCOMPLETE, JPEG)
    picture.draft(None, asked)
    picture.load()
    return picture


def _orientation(picture: Image.Image) -> int:
    """EXIF orientation 1 to 8; damaged metadata counts as upright."""
    try:
        value = int(picture.getexif().get(_ORIENTATION, 1))
    except _BROKEN:
        return 1
    return value if 1 <= value <= 8 else 1


def _to_rgb(picture: Image.Image, factor: int) -> Image.Image:
    """RGB without alpha, reduced by ``factor``; black text on a clear ground comes to lie on white."""
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = _to_eight_bits(picture)
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    elif picture.mode == "1":
        picture = picture.convert("L")
    elif picture.mode in ("PA", "La"):
        picture = picture.convert("RGBA")
    if "transparency" in picture.info and picture.mode in ("L", "RGB"):
        picture = picture.convert("RGBA")
    if factor > 1:
        picture = picture.reduce(factor)
    if picture.mode in ("RGBA", "LA", "RGBa"):
        clear = picture.convert("RGBA")
        white = Image.new("RGB", clear.size, "white")
        white.paste(clear, mask=clear.getchannel("A"))
        return white
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    """Grey with 16 or 32 bits or floats, scaled by its depth: Pillow itself would clip it to white."""
    values = np.nan_to_num(np.asarray(picture, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    top = float(values.max(initial=0.0))
    if top <= 1.0 and picture.mode == "F":
        full = 1.0
    else:
        full = next((depth for depth in (255.0, 1023.0, 4095.0, 65535.0) if top <= depth), top)
    return Image.fromarray(np.clip(values * (255.0 / full), 0, 255).astype(np.uint8))
