"""Names that mislead a person, a disk, a header or a page. The content is honest, or is not what the name says."""

from __future__ import annotations

from collections.abc import Iterator

from storage.intake import JPEG
from tests.hostile import honest
from tests.hostile.forging import jpeg_with, segment
from tests.hostile.specimen import MARK, Specimen
from tests.hostile.strangers import EPS, HTML, SVG

DOUBLE = (
    "证明.jpg.exe",
    "证明.php.jpg",
    "证明.jpg.html",
    "证明.pdf.js",
    "证明.jpg;.asp",
    "证明.jpg.",
    "证明.jpg::$DATA",
    ".jpg",
)
HARD = (
    "证明\x00.jpg",
    "\u202egpj.证明.exe",
    "证明\u200b\u2066.jpg",
    "\ufeff证明.jpg",
    "好" * 200 + ".jpg",
    "a" * 200 + ".jpg",
    "a" * 4000,
    "CON",
    "nul.jpg",
    "COM1.jpg",
    ".",
    "..",
    ".htaccess",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/cron.d/x",
    "C:\\autoexec.bat",
    "\\\\trap.example\\share\\x.jpg",
    'a"; filename="b.html',
    "a%0D%0ASet-Cookie: x=1%0D%0A.jpg",
    "<img src=x onerror=alert(1)>.jpg",
    "{{7*7}}{%raise%}.jpg",
    "$(id)`id`;|&.jpg",
    "' OR 1=1 --.jpg",
    "=cmd|' /C calc'!A0.jpg",
    "%2e%2e%2f%00.jpg",
    "%s%n%x.jpg",
    "证明\U00020bb7\U0002a6d6😀.jpg",
    "e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301.jpg",
    "\ue000\ufffe.jpg",
    "   .jpg",
)


def double_extensions() -> Iterator[Specimen]:
    for number, name in enumerate(DOUBLE):
        yield Specimen("double-extension", name, _different(f"d{number}"), "accept", JPEG)
    for number, (name, data) in enumerate(
        (("证明.jpg.html", HTML), ("证明.svg.jpg", SVG), ("证明.jpg.eps", EPS))
    ):
        yield Specimen("double-extension", name, data + b"\n" * number, "refuse", None)


def hard_names() -> Iterator[Specimen]:
    for number, name in enumerate(HARD):
        yield Specimen("hard-name", name, _different(f"h{number}"), "accept", JPEG)


def _different(word: str) -> bytes:
    """The same page in bytes of its own: a slot takes no file twice."""
    return jpeg_with(honest.jpeg(), segment(0xFE, word.encode() + MARK))
