"""PNG, PDF, JPEG, TIFF and HEIC put together by hand, so that any part of them can be wrong."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping

PNG_START = b"\x89PNG\r\n\x1a\n"
A4 = b"0 0 595 842"
CATALOGUE = b"<</Type/Catalog/Pages 2 0 R>>"
ONE_KID = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"


# --- PNG


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))


def png_header(width: int, height: int, depth: int = 8, colour: int = 0, interlaced: int = 0) -> bytes:
    return png_chunk(b"IHDR", struct.pack("!IIBBBBB", width, height, depth, colour, 0, 0, interlaced))


def png(width: int, height: int, rows: bytes, depth: int = 8, colour: int = 0) -> bytes:
    """``rows`` is the compressed content."""
    return (
        PNG_START
        + png_header(width, height, depth, colour)
        + png_chunk(b"IDAT", rows)
        + png_chunk(b"IEND", b"")
    )


def png_with(whole: bytes, *chunks: bytes) -> bytes:
    """A PNG with chunks put in behind its header."""
    return whole[:33] + b"".join(chunks) + whole[33:]


# --- JPEG


def segment(marker: int, content: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack("!H", len(content) + 2) + content


def jpeg_with(whole: bytes, *segments: bytes) -> bytes:
    """A JPEG with segments put in behind its first marker."""
    return whole[:2] + b"".join(segments) + whole[2:]


def exif(entries: Iterable[tuple[int, int, int, bytes]], tail: bytes = b"", following: int = 0) -> bytes:
    """An EXIF payload, little-endian; each entry is tag, type, count and four bytes of value. ``tail`` lies behind."""
    return b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + directory(entries, following) + tail


# --- TIFF


def directory(entries: Iterable[tuple[int, int, int, bytes]], following: int = 0) -> bytes:
    """An image file directory; ``following`` is where the next one lies."""
    lines = sorted(entries)
    body = b"".join(struct.pack("<HHI", *line[:3]) + line[3].ljust(4, b"\x00")[:4] for line in lines)
    return struct.pack("<H", len(lines)) + body + struct.pack("<I", following)


def number(value: int) -> tuple[int, int, bytes]:
    """Type, count and value of a directory's entry with one number."""
    return 4, 1, struct.pack("<I", value)


def grey_tiff(
    width: int,
    height: int,
    rows: bytes,
    changes: Mapping[int, tuple[int, int, bytes] | None] | None = None,
    following: int = 0,
) -> bytes:
    """One grey page with eight bits in a single strip behind its directory; ``changes`` replaces or (None) drops tags."""
    tags: dict[int, tuple[int, int, bytes] | None] = {
        256: number(width),
        257: number(height),
        258: number(8),
        259: number(1),
        262: number(1),
        273: number(0),
        277: number(1),
        278: number(height),
        279: number(len(rows)),
    }
    given = dict(changes or {})
    tags |= given
    kept = {tag: value for tag, value in tags.items() if value is not None}
    if 273 in kept and 273 not in given:
        kept[273] = number(8 + 2 + 12 * len(kept) + 4)
    return (
        b"II*\x00\x08\x00\x00\x00"
        + directory([(tag, *value) for tag, value in kept.items()], following)
        + rows
    )


# --- PDF


def pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue. ``trailer`` is added to its dictionary."""
    out, offsets = b"%PDF-1.7\n", []
    for name, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (name, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size, start = len(objects) + 1, len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return out + b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF" % (size, trailer, start)


def stream(content: bytes, extra: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (extra, len(content), content)


def flate(content: bytes, extra: bytes = b"") -> bytes:
    """A compressed stream."""
    return stream(zlib.compress(content, 9), b"/Filter/FlateDecode" + extra)


def pdf_page(
    content: bytes,
    *more: bytes,
    box: bytes = A4,
    page: bytes = b"",
    catalogue: bytes = b"",
    trailer: bytes = b"",
) -> bytes:
    """A PDF of one page. ``content`` is object 4, a Helvetica called F1 object 5, ``more`` are objects 6 and on;
    ``page``, ``catalogue`` and ``trailer`` are added to those dictionaries."""
    sheet = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>/XObject<</X 6 0 R>>"
        b"/Pattern<</P 6 0 R>>/ExtGState<</G 6 0 R>>>>%s>>" % (box, page)
    )
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    root = CATALOGUE[:-2] + catalogue + b">>"
    return pdf(root, ONE_KID, sheet, content, font, *more, trailer=trailer)


# --- HEIC


def box(kind: bytes, content: bytes, size: int | None = None) -> bytes:
    """A box of the ISO base media format; ``size`` may lie about it."""
    return struct.pack("!I", len(content) + 8 if size is None else size) + kind + content


FTYP = box(b"ftyp", b"heic\x00\x00\x00\x00mif1heic")
