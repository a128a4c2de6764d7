"""Files that are two things at once: a picture to one program, a page, an archive or a script to another."""

from __future__ import annotations

from collections.abc import Iterator

from storage.intake import JPEG, PDF, PNG
from tests.hostile import honest
from tests.hostile.forging import jpeg_with, pdf_page, png_chunk, png_with, segment
from tests.hostile.specimen import EICAR, MARK, SCRIPT, Specimen
from tests.hostile.strangers import EPS, HTML, SVG, archive

PHP = b"<?php system('" + MARK + b"'); ?>"


def polyglots() -> Iterator[Specimen]:
    """All are honest pictures with something more, which is sealed with the original and shown to nobody."""
    whole, zipped = honest.jpeg(), archive({"a.html": HTML})
    tails = {
        "html": HTML,
        "svg": SVG,
        "php": PHP,
        "pdf": honest.pdf(),
        "zip": zipped,
        "eps": EPS,
        "eicar": EICAR,
    }
    for name, tail in tails.items():
        yield Specimen("polyglot", f"jpeg-and-{name}.jpg", whole + tail, "accept", JPEG)
        comment = segment(0xFE, tail[:60_000])
        yield Specimen("polyglot", f"jpeg-around-{name}.jpg", jpeg_with(whole, comment), "accept", JPEG)
        yield Specimen("polyglot", f"png-and-{name}.png", honest.png() + tail, "accept", PNG)
        inside = png_chunk(b"prVt", tail)
        yield Specimen("polyglot", f"png-around-{name}.png", png_with(honest.png(), inside), "accept", PNG)
    yield Specimen("polyglot", "jpeg-and-script.jpg", _script(whole), "either", JPEG)
    behind = honest.pdf() + b"\n%" + SCRIPT
    yield Specimen("polyglot", "pdf-and-html.pdf", behind, "accept", PDF)
    yield Specimen("polyglot", "pdf-and-zip.pdf", honest.pdf() + zipped, "either", PDF)
    yield Specimen(
        "polyglot", "pdf-around-html.pdf", pdf_page(honest.words(), b"(" + MARK + b")"), "accept", PDF
    )
    yield Specimen("polyglot", "blanks-before-pdf.pdf", b" \r\n\t" + honest.pdf(), "accept", PDF)
    yield Specimen("polyglot", "zip-and-jpeg.jpg", zipped + whole, "refuse", None)
    yield Specimen("polyglot", "program-and-jpeg.jpg", b"MZ" + bytes(58) + whole, "refuse", None)


def _script(whole: bytes) -> bytes:
    """JavaScript whose first statement hides the picture in a comment: the first segment's length reads as ``/*``."""
    content = b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00".ljust(0x2F2A - 2, b"\x00")
    closing = segment(0xFE, b"*/=1;fetch('//trap.example');/*")
    rest = whole[2 + 18 :]  # without its own first segment
    return b"\xff\xd8\xff\xe0\x2f\x2a" + content + closing + rest + b"*///" + MARK
