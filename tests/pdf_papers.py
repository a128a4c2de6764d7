"""PDFs of drawn papers, put together by hand: with form fields, electronic seals and stamps, and from damaged pictures."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from tests import papers
from tests.hostile.forging import pdf, stream

WIDTH, HEIGHT = 595, 842
HIDDEN, PRINT, NO_VIEW = 2, 4, 32


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as a PDF holds it."""

    data: bytes
    size: tuple[int, int]
    filters: bytes = b"/Filter/DCTDecode"
    colours: bytes = b"/DeviceRGB"

    @property
    def object(self) -> bytes:
        shape = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8" % self.size
        return stream(self.data, shape + b"/ColorSpace" + self.colours + self.filters)


def jpeg(image: Image.Image, quality: int = 85) -> Picture:
    return Picture(papers.as_jpeg(image, quality), image.size)


def flate(image: Image.Image) -> Picture:
    return Picture(zlib.compress(image.tobytes(), 1), image.size, b"/Filter/FlateDecode")


def jpeg_2000(image: Image.Image, **how: object) -> Picture:
    out = io.BytesIO()
    image.save(out, "JPEG2000", quality_mode="rates", quality_layers=[30], **how)
    return Picture(out.getvalue(), image.size, b"/Filter/JPXDecode")


def seal(side: int = 480) -> Picture:
    """A red round seal on white, as an electronic one is kept."""
    sheet = papers.Sheet(42, 42, side, (255, 255, 255))
    sheet.seal(21, 21, "青禾县公安局户口专用章")
    return flate(sheet.image)


@dataclass(frozen=True, slots=True)
class Field:
    """A form field with an appearance, or a stamp. ``box`` is in points from the lower left of an A4 page."""

    box: tuple[int, int, int, int]
    text: bytes = b""
    picture: Picture | None = None
    kind: bytes = b"/Subtype/Widget/FT/Tx"
    flags: int = PRINT
    more: bytes = b""
    bare: bool = False  # without an appearance


SIGNATURE = b"/Subtype/Widget/FT/Sig"
STAMP = b"/Subtype/Stamp"


def paper(background: Picture, fields: Sequence[Field] = (), catalogue: bytes = b"") -> bytes:
    """One A4 page of a picture, with fields upon it."""
    return pages([background], fields, catalogue)


def pages(backgrounds: Sequence[Picture], fields: Sequence[Field] = (), catalogue: bytes = b"") -> bytes:
    """A page for each picture; the fields stand on the first."""
    objects: list[bytes] = [b"", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]

    def add(body: bytes) -> bytes:
        objects.append(body)
        return b"%d 0 R" % len(objects)

    names = [_field(add, number, one) for number, one in enumerate(fields)]
    kids = []
    for number, one in enumerate(backgrounds):
        image, content = add(one.object), add(stream(b"q %d 0 0 %d 0 0 cm /I Do Q" % (WIDTH, HEIGHT)))
        notes = b"/Annots[%s]" % b" ".join(names) if names and number == 0 else b""
        kids.append(
            add(
                b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents %s/Resources<</XObject<</I %s>>>>%s>>"
                % (WIDTH, HEIGHT, content, image, notes)
            )
        )
    widgets = [name for name, one in zip(names, fields, strict=True) if b"Widget" in one.kind]
    form = b"/AcroForm<</SigFlags 3/Fields[%s]/DA(/F1 12 Tf 0 g)/DR<</Font<</F1 3 0 R>>>>>>" % b" ".join(
        widgets
    )
    objects[0] = b"<</Type/Catalog/Pages 2 0 R%s%s>>" % (form if widgets else b"", catalogue)
    objects[1] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (b" ".join(kids), len(kids))
    return pdf(*objects)


def _field(add, number: int, one: Field) -> bytes:  # type: ignore[no-untyped-def]
    left, bottom, right, top = one.box
    wide, high = right - left, top - bottom
    content = b"BT /F1 14 Tf 2 6 Td (%s) Tj ET" % one.text
    resources = b"/Resources<</Font<</F1 3 0 R>>>>"
    if one.picture:
        content = b"q %d 0 0 %d 0 0 cm /I Do Q" % (wide, high)
        resources = b"/Resources<</XObject<</I %s>>>>" % add(one.picture.object)
    look = add(stream(content, b"/Type/XObject/Subtype/Form/BBox[0 0 %d %d]%s" % (wide, high, resources)))
    return add(
        b"<</Type/Annot%s/T(f%d)/Rect[%d %d %d %d]/F %d%s%s>>"
        % (one.kind, number, *one.box, one.flags, b"" if one.bare else b"/AP<</N %s>>" % look, one.more)
    )
