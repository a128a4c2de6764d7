"""JPEGs that lie about themselves, carry more than a picture, or were made to keep a decoder busy."""

from __future__ import annotations

import functools
import io
import struct
from collections.abc import Iterator, Mapping

from PIL import Image

from storage.intake import JPEG
from tests.hostile import honest
from tests.hostile.forging import exif, jpeg_with, segment
from tests.hostile.specimen import EICAR, MARK, SCRIPT, Fate, Specimen

ORIENTATION, GPS = 0x0112, 0x8825


def _some(kind: str, fate: Fate, files: Mapping[str, bytes]) -> Iterator[Specimen]:
    for name, data in files.items():
        yield Specimen(kind, f"{name}.jpg", data, fate, JPEG)


def orientations() -> Iterator[Specimen]:
    """EXIF orientation 1 to 8 and what is none, each with junk behind it."""
    junk = MARK + bytes(range(256))
    turned = {f"way-{way}": _turned(3, 1, struct.pack("<H", way), junk) for way in range(1, 9)}
    yield from _some("exif-orientation", "accept", turned)
    odd = {
        "way-0": _turned(3, 1, b"\x00\x00", junk),
        "way-9": _turned(3, 1, b"\x09\x00", junk),
        "way-65535": _turned(3, 1, b"\xff\xff", junk),
        "as-text": _turned(2, 4, b"6\x00\x00\x00", junk),
        "as-fraction": _turned(5, 1, struct.pack("<I", 26), junk),
        "negative": _turned(9, 1, struct.pack("<i", -6), junk),
        "far-away": _turned(3, 1 << 30, struct.pack("<I", 0xFFFFFFF0), junk),
        "many": _turned(3, 2, struct.pack("<HH", 6, 3), junk),
    }
    yield from _some("exif-orientation", "accept", odd)


def _turned(kind: int, count: int, value: bytes, junk: bytes) -> bytes:
    return jpeg_with(honest.jpeg(), segment(0xE1, exif([(ORIENTATION, kind, count, value)], junk)))


def metadata() -> Iterator[Specimen]:
    """GPS, maker's notes, XMP, comments, thumbnails: honest, and none of it anybody's business."""
    place = Image.Exif()
    place[0x010E] = place[0x013B] = MARK.decode()
    place.get_ifd(GPS).update(
        {1: "N", 2: (35.0, 35.0, 58.0), 3: "E", 4: (103.0, 12.0, 39.0), 29: MARK.decode()}
    )
    whole = honest.jpeg()
    xmp = b"http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta><dc:creator>" + SCRIPT + b"</dc:creator></x:xmpmeta>"
    thumb = honest.saved(honest.page().resize((80, 113)), "JPEG", comment=MARK)
    jfif = b"JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x08\x08" + MARK.ljust(192, b"\x00")
    parts = {
        "gps": honest.saved(honest.page(), "JPEG", exif=place),
        "xmp": jpeg_with(whole, segment(0xE1, xmp)),
        "comment": jpeg_with(whole, segment(0xFE, SCRIPT)),
        "photoshop": jpeg_with(whole, segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x20" + MARK)),
        "jfif-thumbnail": jpeg_with(whole, segment(0xE0, jfif)),
        "exif-thumbnail": jpeg_with(whole, segment(0xE1, exif([(270, 2, 4, b"abc\x00")], thumb))),
        "eicar-comment": jpeg_with(whole, segment(0xFE, EICAR)),
        "two-hundred-comments": jpeg_with(whole, *[segment(0xFE, MARK)] * 200),
    }
    yield from _some("metadata", "accept", parts)
    yield from _some(
        "broken-metadata", "accept", {"loop": jpeg_with(whole, segment(0xE1, exif([], following=8)))}
    )
    broken = {
        "cut": exif([(ORIENTATION, 3, 1, b"\x06")])[:20],
        "nothing": b"Exif\x00\x00",
        "far": b"Exif\x00\x00II*\x00\xff\xff\xff\xff",
        "a-lot": b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff" + MARK * 500,
        "gps-into-itself": exif(
            [(GPS, 4, 1, struct.pack("<I", 8)), (0x8769, 4, 1, struct.pack("<I", 8))], MARK
        ),
        "huge-count": exif([(270, 2, 0xFFFFFFFF, struct.pack("<I", 8))], MARK),
        "unknown-kind": exif([(270, 99, 1, b"")], MARK),
    }
    for name, payload in broken.items():
        yield Specimen(
            "broken-metadata", f"{name}.jpg", jpeg_with(whole, segment(0xE1, payload)), "either", JPEG
        )


def profiles() -> Iterator[Specimen]:
    """Colour profiles that are none."""
    whole, start = honest.jpeg(), b"ICC_PROFILE\x00"
    yield from _some(
        "icc-junk",
        "either",
        {
            "junk": jpeg_with(whole, segment(0xE2, start + b"\x01\x01" + MARK * 40)),
            "part-9-of-2": jpeg_with(whole, segment(0xE2, start + b"\x09\x02" + MARK)),
            "part-0-of-0": jpeg_with(whole, segment(0xE2, start + b"\x00\x00" + MARK)),
            "no-number": jpeg_with(whole, segment(0xE2, start)),
            "255-parts": jpeg_with(
                whole, *[segment(0xE2, start + bytes([n, 255]) + MARK * 100) for n in range(1, 256)]
            ),
        },
    )


def colours() -> Iterator[Specimen]:
    """Modes that printers and fax machines make, and inks that nobody makes."""
    page = honest.page()
    yield from _some(
        "odd-colours",
        "accept",
        {
            "cmyk": honest.saved(page.convert("CMYK"), "JPEG"),
            "ycck": _ycck(honest.saved(page.convert("CMYK"), "JPEG")),
            "grey": honest.saved(page.convert("L"), "JPEG"),
            "rgb": honest.saved(page, "JPEG", keep_rgb=True),
            "restarts": honest.saved(page, "JPEG", restart_marker_rows=1),
            "progressive": honest.saved(page, "JPEG", progressive=True),
        },
    )
    ink = jpeg_with(honest.jpeg(), segment(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x02"))
    yield from _some("odd-colours", "either", {"three-inks-said-to-be-four": ink})


def _ycck(cmyk: bytes) -> bytes:
    """The same numbers said to be YCCK, by the transform in Adobe's segment."""
    at = cmyk.index(b"Adobe\x00") + 11
    return cmyk[:at] + b"\x02" + cmyk[at + 1 :]


def several_pictures() -> Iterator[Specimen]:
    """MPO: a second picture behind the first, as telephones make for depth; and false tables of such."""
    page = honest.page()
    whole = honest.saved(page, "MPO", save_all=True, append_images=[page.rotate(90)])
    yield Specimen("mpo", "two.jpg", whole, "accept", JPEG)
    at = whole.index(b"MPF\x00")
    for name, data in {
        "second-cut-off": whole[: len(whole) * 2 // 3],
        "table-of-ones": whole[: at + 12] + b"\xff" * 60 + whole[at + 72 :],
        "table-of-zeros": whole[: at + 12] + bytes(60) + whole[at + 72 :],
        "no-table": jpeg_with(honest.jpeg(), segment(0xE2, b"MPF\x00")),
        "itself": whole.replace(b"\x02\xb0\x07\x00", b"\x02\xb0\x07\xff"),
    }.items():
        yield Specimen("mpo", f"{name}.jpg", data, "either", JPEG)


def scans() -> Iterator[Specimen]:
    """Progressive JPEGs with more scans than anybody needs; each pass goes over the whole picture again."""
    whole = _progressive()
    start = whole.rindex(b"\xff\xda")
    for count in (60, 400):
        data = whole[:start] + whole[start:-2] * count + b"\xff\xd9"
        yield Specimen("many-scans", f"{count}-more.jpg", data, "refuse", JPEG)
    film = whole + b"\xff\xda\x00\x04" * 500
    yield Specimen("many-scans", "only-behind-the-picture.jpg", film, "accept", JPEG)


@functools.cache
def _progressive() -> bytes:
    out = io.BytesIO()
    honest.page().save(out, "JPEG", progressive=True)
    return out.getvalue()


def broken_structure() -> Iterator[Specimen]:
    whole = honest.jpeg()
    frame, tables = whole.index(b"\xff\xc0"), whole.index(b"\xff\xc4")
    quantise, scan = whole.index(b"\xff\xdb"), whole.index(b"\xff\xda")
    sides = frame + 5

    def sized(height: int, width: int) -> bytes:
        return whole[:sides] + struct.pack("!HH", height, width) + whole[sides + 4 :]

    refused = {
        "65500-squared": sized(65500, 65500),
        "20000-squared": sized(20000, 20000),
        "no-width": sized(594, 0),
        "one-pixel-high": sized(1, 60000),
        "no-frame": whole[:frame] + whole[tables:],
        "no-scan": whole[:scan] + b"\xff\xd9",
        "only-start-and-end": b"\xff\xd8\xff\xd9",
        "end-first": whole[:2] + b"\xff\xd9" + whole[2:],
    }
    yield from _some("broken-jpeg", "refuse", refused)
    yield from _some(
        "broken-jpeg",
        "either",
        {
            "no-height": sized(0, 420),
            "taller-than-its-data": sized(1200, 420),
            "no-quantisation": whole[:quantise] + whole[frame:],
            "no-huffman": whole[:tables] + whole[scan:],
            "no-components": whole[: frame + 9] + b"\x00" + whole[frame + 10 :],
            "255-components": whole[: frame + 9] + b"\xff" + whole[frame + 10 :],
            "12-bits": whole[: frame + 4] + b"\x0c" + whole[frame + 5 :],
            "lossless": whole[:frame] + b"\xff\xc3" + whole[frame + 2 :],
            "arithmetic": whole[:frame] + b"\xff\xc9" + whole[frame + 2 :],
            "sampling-0": whole[: frame + 11] + b"\x00" + whole[frame + 12 :],
            "sampling-15": whole[: frame + 11] + b"\xff" + whole[frame + 12 :],
            "segment-of-length-0": whole[:2] + b"\xff\xfe\x00\x00" + whole[2:],
            "segment-of-length-1": whole[:2] + b"\xff\xfe\x00\x01" + whole[2:],
            "segment-past-the-end": whole[:2] + b"\xff\xfe\xff\xff" + whole[2:300],
            "two-frames": whole[:scan] + whole[frame:tables] + whole[scan:],
            "two-starts": whole[:2] + whole,
            "a-thousand-starts": b"\xff\xd8" * 1000 + whole,
            "megabytes-of-fill": whole[:2] + b"\xff" * 2_000_000 + whole[2:],
            "height-given-late": sized(0, 420)[:-2] + b"\xff\xdc\x00\x04\x02\x52\xff\xd9",
        },
    )
