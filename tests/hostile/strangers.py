"""What is no paper at all: other formats, programs, archives and scripts under a picture's name."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from tests.hostile import honest
from tests.hostile.forging import box
from tests.hostile.specimen import EICAR, MARK, SCRIPT, Specimen

HTML = b"<!DOCTYPE html><title>x</title>" + SCRIPT
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">' + SCRIPT + b"</svg>"
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n(/etc/passwd) (r) file\nshowpage\n"
XXE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(10))
    + b"]><a>&k;</a>"
)


def _refused(kind: str, files: Mapping[str, bytes]) -> Iterator[Specimen]:
    for name, data in files.items():
        yield Specimen(kind, name, data, "refuse", None)


def markup() -> Iterator[Specimen]:
    yield from _refused(
        "html",
        {
            "page.jpg": HTML,
            "with-bom.png": b"\xef\xbb\xbf" + HTML,
            "utf16.jpg": HTML.decode().encode("utf-16"),
            "leading-space.pdf": b" \r\n\t" + HTML,
            "html-before-pdf.pdf": HTML + honest.pdf(),
            "html-before-jpeg.jpg": HTML + honest.jpeg(),
            "email.jpg": b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n" + HTML,
        },
    )
    yield from _refused(
        "svg-and-xml",
        {
            "drawing.jpg": SVG,
            "drawing-with-header.png": b'<?xml version="1.0"?>' + SVG,
            "compressed.jpg": _gzip(SVG),
            "entity.pdf": XXE,
            "laughs.jpg": LAUGHS,
        },
    )


def other_pictures() -> Iterator[Specimen]:
    page = honest.page().resize((64, 90))
    gif = honest.saved(page, "GIF", comment=SCRIPT)
    yield from _refused("eps", {"print.jpg": EPS, "print.pdf": EPS, "dos.jpg": b"\xc5\xd0\xd3\xc6" + EPS})
    yield from _refused("gif", {"moving.jpg": gif, "script.png": b"GIF89a=1;alert(1)//" + gif[6:]})
    yield from _refused(
        "webp", {"picture.jpg": honest.saved(page, "WEBP"), "head.jpg": b"RIFF\xff\xff\xff\x7fWEBPVP8 "}
    )
    yield from _refused("bmp", {"picture.jpg": honest.saved(page, "BMP")})
    fits = b"".join(
        card.ljust(80) for card in (b"SIMPLE  =                    T", b"BITPIX  = 8", b"NAXIS   = 0", b"END")
    )
    gd = b"\xff\xff" + struct.pack("!HHB", 10, 10, 1) + bytes(404)
    yield from _refused(
        "fits-and-gd", {"star.jpg": fits.ljust(2880), "old.png": gd, "gd2.jpg": b"gd2\x00" + gd}
    )
    yield from _refused(
        "rare-pictures",
        {
            "icon.jpg": honest.saved(page.resize((32, 32)), "ICO"),
            "photoshop.jpg": b"8BPS\x00\x01" + bytes(6) + struct.pack("!HIIHH", 3, 90, 64, 8, 3) + bytes(64),
            "avif.heic": box(b"ftyp", b"avif\x00\x00\x00\x00mif1avif") + bytes(64),
            "sequence.heic": box(b"ftyp", b"avis\x00\x00\x00\x00msf1avis") + bytes(64),
            "movie.jpg": box(b"ftyp", b"isom\x00\x00\x02\x00isommp41") + box(b"mdat", bytes(64)),
            "jpeg2000.jpg": honest.saved(page, "JPEG2000"),
            "jxl.jpg": b"\xff\x0a" + bytes(64),
            "targa.jpg": honest.saved(page, "TGA"),
            "netpbm.jpg": honest.saved(page, "PPM"),
            "pcx.jpg": honest.saved(page, "PCX"),
            "metafile.jpg": b"\xd7\xcd\xc6\x9a" + bytes(18) + b"\x01\x00\x09\x00" + bytes(40),
            "bigtiff.tif": b"II+\x00\x08\x00\x00\x00" + struct.pack("<Q", 16) + bytes(64),
        },
    )


def programs() -> Iterator[Specimen]:
    yield from _refused(
        "programs",
        {
            "windows.jpg": b"MZ\x90\x00" + bytes(400),
            "linux.jpg": b"\x7fELF\x02\x01\x01" + bytes(400),
            "mac.png": b"\xcf\xfa\xed\xfe" + bytes(400),
            "java.jpg": b"\xca\xfe\xba\xbe\x00\x00\x004" + bytes(400),
            "wasm.pdf": b"\x00asm\x01\x00\x00\x00",
            "shell.jpg": b"#!/bin/sh\nrm -rf /tmp/nothing\n",
            "php.jpg": b"<?php system($_GET[0]); ?>",
            "script.jpg": b"fetch('//trap.example')",
            "link.jpg": b"L\x00\x00\x00\x01\x14\x02\x00" + bytes(60),
            "pickle.jpg": b"\x80\x04\x95cos\nsystem\n(S'id'\ntR.",
            "sqlite.jpg": b"SQLite format 3\x00" + bytes(84),
        },
    )
    yield from _refused(
        "eicar",
        {"eicar.jpg": EICAR, "eicar.pdf": EICAR + b"\r\n", "zipped.jpg": archive({"eicar.com": EICAR})},
    )


def archives() -> Iterator[Specimen]:
    zeros = bytes(1 << 24)
    inner = archive({f"{n}.bin": zeros for n in range(2)})
    yield from _refused(
        "zip-bombs",
        {
            "flat.jpg": inner,
            "nested.pdf": archive({f"{n}.zip": inner for n in range(20)}),
            "lying-size.jpg": archive({"a": zeros}).replace(
                struct.pack("<I", len(zeros)), struct.pack("<I", 10)
            ),
            "up-and-out.jpg": archive({"../../../etc/cron.d/x": MARK}),
            "gzip.jpg": _gzip(zeros),
            "tar.jpg": _tar({"../x": MARK}),
            "seven.jpg": b"7z\xbc\xaf\x27\x1c" + bytes(90),
            "rar.jpg": b"Rar!\x1a\x07\x01\x00" + bytes(90),
            "xz.jpg": b"\xfd7zXZ\x00" + bytes(90),
        },
    )
    external = (
        b'<Relationships><Relationship TargetMode="External" Target="//trap.example/x"/></Relationships>'
    )
    yield from _refused(
        "office-files",
        {
            "bomb.docx": archive({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<a>" + zeros}),
            "bomb.xlsx": archive(
                {"[Content_Types].xml": b"<Types/>", "xl/worksheets/sheet1.xml": b"<a>" + zeros}
            ),
            "entity.jpg": archive({"word/document.xml": XXE}),
            "laughs.jpg": archive({"word/document.xml": LAUGHS}),
            "external.pdf": archive({"word/document.xml": b"<a/>", "word/_rels/document.xml.rels": external}),
            "macro.jpg": archive(
                {"word/document.xml": b"<a/>", "word/vbaProject.bin": b"\xd0\xcf\x11\xe0" + MARK}
            ),
            "old-word.jpg": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
            "rich-text.jpg": rb"{\rtf1{\object\objdata 0105}}",
        },
    )


def archive(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of these files, the same at every hour."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in files.items():
            package.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _tar(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as package:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            package.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def _gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()
