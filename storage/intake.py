"""What a file is, by its content, and whether it may be opened at all.

Looks at bytes only; nothing is decoded here. The name and the declared type of an upload are never asked.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from storage import jpeg

JPEG = "image/jpeg"
PNG = "image/png"
TIFF = "image/tiff"
HEIC = "image/heic"
PDF = "application/pdf"

MAX_PIXELS = 60_000_000
MAX_JPEG_PIXELS = 220_000_000  # phones make 50 and 108 MP; libjpeg decodes them reduced
MAX_SIDE_RATIO = 20
MIN_SIDE = 32

NOT_ACCEPTED = "这种文件不能作为证明材料，请改传 JPG、PNG、HEIC、TIFF 图片或 PDF"
INCOMPLETE = "文件不完整或已损坏，请重新拍照、扫描，或找一份完好的文件再传"
TOO_MANY_PIXELS = "图片像素过大，请降低扫描分辨率或改拍照片后再传"
ODD_SHAPE = "图片的长宽不正常，请重新拍照或扫描"
TOO_MANY_SCANS = "图片编码异常，请另存为普通 JPG 或重新拍照后再传"
TOO_MANY_PAGES = "页数超过 {limit} 页，请分开上传"


class Refused(Exception):
    """A file that will not be used, with the Chinese sentence for the person and what the file is."""

    def __init__(self, sentence: str, media_type: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.media_type = media_type


_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1"}

_MOVIE = "这是视频，不能作为证明材料，请改传照片或 PDF"
_EXPORT = "不支持{what}，请用{reader}打开后打印或导出为 PDF，或导出为图片后再传"
_OFD = _EXPORT.format(what=" OFD 版式文件（GB/T 33190）", reader=" OFD 阅读器")
_XPS = _EXPORT.format(what=" XPS 文件", reader=" XPS 查看器")
_WORDS = _EXPORT.format(what=" Word、WPS 文字文档", reader=" Word 或 WPS ")
_TABLE = _EXPORT.format(what=" Excel、WPS 表格", reader=" Excel 或 WPS ")
_SLIDES = _EXPORT.format(what="演示文稿", reader=" PowerPoint 或 WPS ")


def _zipped(name: bytes) -> bytes:
    """A ZIP that holds a file of this name, by the file's own header or by its line in the directory at the end."""
    return rb"PK\x03\x04(?:.*?PK\x01\x02.{42}|(?:.*?PK\x03\x04)?.{26})" + name


def _compound(name: str) -> bytes:
    """A compound file of older office programs that holds a stream of this name."""
    return rb"\xd0\xcf\x11\xe0.*?" + re.escape(name.encode("utf-16-le"))


# Formats people do try; naming them helps more than "unknown". The first that fits is told.
_OTHERS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), sentence)
    for pattern, sentence in (
        (rb"GIF8", "GIF 动图不能作为证明材料，请改传 JPG 或 PNG"),
        (rb"RIFF....WEBP", "不支持 WebP，请另存为 JPG 或 PNG 后再传"),
        (rb"....ftypavi[fs]", "不支持 AVIF，请另存为 JPG 或 PNG 后再传"),
        (rb"....ftyp(?:hev|msf1)", "这是连拍或动态照片，不能作为证明材料，请改拍一张普通照片"),
        (rb"....(?:ftyp|moov|mdat)|RIFF....AVI |\x1aE\xdf\xa3", _MOVIE),
        (rb"\xff\x0a|\x00\x00\x00\x0cJXL ", "不支持 JPEG XL，请另存为 JPG 或 PNG 后再传"),
        (rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51", "不支持 JPEG 2000，请另存为 JPG 或 PNG 后再传"),
        (_zipped(rb"OFD\.xml"), _OFD),
        (_zipped(rb"(?:[^/]{0,40}\.fdseq|Documents/\d+/)"), _XPS),
        (_zipped(rb"word/"), _WORDS),
        (_zipped(rb"xl/"), _TABLE),
        (_zipped(rb"ppt/"), _SLIDES),
        (_compound("WordDocument"), _WORDS),
        (_compound("Workbook"), _TABLE),
        (_compound("PowerPoint Document"), _SLIDES),
        (rb"\{\\rtf", _WORDS),
        (rb"PK\x03\x04|\xd0\xcf\x11\xe0", "不支持 Word、Excel 和压缩包，请导出为 PDF 或 JPG 后再传"),
        (rb"7z\xbc\xaf|Rar!|\x1f\x8b", "不支持压缩包，请解压后上传里面的图片或 PDF"),
        (rb"BM", "不支持 BMP，请另存为 JPG 或 PNG 后再传"),
        (rb"8BPS", "不支持 Photoshop 文件，请另存为 JPG 或 PNG 后再传"),
    )
)
_NAMED_BY = 1 << 17  # bytes at either end by which a format is told
# The header of a PDF lies within the first 1,024 bytes (ISO 32000-1, annex H, note 13): printers, mail and download
# programs leave lines before it. Nothing that makes the file a page, a script or a program to others may stand there.
_PDF_WITHIN = 1024
_NO_PDF = re.compile(
    rb"(?:MZ|#!|\x7fELF|\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe|\x00asm|L\x00\x00\x00)|.*<[!?a-z]", re.DOTALL | re.I
)


def media_type_of(data: bytes) -> str:
    """The type of the content, one of the five accepted. Raises ``Refused`` for everything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data.startswith((b"II*\x00", b"MM\x00*")):
        return TIFF
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return HEIC
    if data[:64].lstrip(b"\xef\xbb\xbf \t\r\n\x00").startswith(b"%PDF-"):
        return PDF
    ends = data if len(data) <= 2 * _NAMED_BY else data[:_NAMED_BY] + data[-_NAMED_BY:]
    for pattern, sentence in _OTHERS:
        if pattern.match(ends):
            raise Refused(sentence)
    before, header, _ = data[: _PDF_WITHIN + 5].partition(b"%PDF-")
    if header and not _NO_PDF.match(before):
        return PDF
    raise Refused(NOT_ACCEPTED)


def needs_thread(data: bytes) -> bool:
    """Whether the decoder of this file cannot work without a thread of its own: that of HEIC."""
    return data[4:8] == b"ftyp"


def check_header(data: bytes, media_type: str) -> None:
    """Refuse what is known to be hostile before a decoder sees it, and damage that the decoder would not see."""
    if media_type == JPEG:
        check_jpeg(jpeg.outline(data))
    if media_type == PNG and not pixels_whole_in_png(data):
        raise Refused(INCOMPLETE, media_type)


def check_jpeg(found: jpeg.Outline, media_type: str = JPEG) -> None:
    """Refuse a JPEG with more scans than anybody needs, or without all that its picture consists of."""
    if len(found.scans) > jpeg.MAX_SCANS:
        raise Refused(TOO_MANY_SCANS, media_type)
    if not found.scans or not jpeg.all_sent(found):
        raise Refused(INCOMPLETE, media_type)


def check_size(width: int, height: int, media_type: str) -> None:
    """Refuse a picture of ``width`` x ``height`` pixels that is too large or of no sensible shape."""
    if width * height > (MAX_JPEG_PIXELS if media_type == JPEG else MAX_PIXELS):
        raise Refused(TOO_MANY_PIXELS, media_type)
    if min(width, height) < MIN_SIDE or max(width, height) > MAX_SIDE_RATIO * min(width, height):
        raise Refused(ODD_SHAPE, media_type)


def pixels_whole_in_png(data: bytes) -> bool:
    """Whether every IDAT chunk of a PNG is there and fits its checksum.

    The decoder does not look: once all rows are filled it is content, though they be garbage from a damaged byte on.
    """
    view = memoryview(data)
    return all(
        zlib.crc32(view[start - 4 : end]).to_bytes(4, "big") == data[end : end + 4]
        for kind, start, end in png_chunks(data)
        if kind == b"IDAT"
    )


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The chunks of a PNG before its last: kind, and where the content begins and ends."""
    at = 8
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind == b"IEND":
            break
        yield kind, at + 8, at + 8 + length
        at += 12 + length
