"""Draw the known page of storage/samples in each format: `python -m tests.draw_known_page`. HEIC needs Debian's libheif-examples."""

from __future__ import annotations

import io
import subprocess
import tempfile
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

from storage.known_page import CODE, FOLDER, SIZE

WIDE, HIGH = SIZE
LINES = 11


def drawn() -> Image.Image:
    """A sheet with a heading, print and a code, in colour, as grainless as possible: it is to be small."""
    sheet = Image.new("RGB", SIZE, (250, 249, 246))
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(15)
    pen.text((96, 28), "A KNOWN PAGE", (30, 30, 34), font)
    for line in range(LINES):
        pen.text((34, 64 + 22 * line), f"{line}. an entry of 622999{line:05d}", (30, 30, 34), font)
    code = io.BytesIO()
    segno.make(CODE, error="m", micro=False).save(code, kind="png", scale=3, border=4)
    sheet.paste(Image.open(code).convert("RGB"), (34, 316))
    pen.ellipse((180, 322, 250, 392), outline=(200, 40, 40), width=4)
    return sheet


def main() -> None:
    page = drawn()
    FOLDER.mkdir(exist_ok=True)
    page.save(FOLDER / "page.jpg", quality=70)
    page.quantize(16).save(FOLDER / "page.png", optimize=True)
    page.convert("L").save(FOLDER / "page.tif", compression="tiff_lzw")
    page.save(FOLDER / "page.pdf", resolution=72, quality=70)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.png"
        page.save(source)
        subprocess.run(["heif-enc", "-q", "40", str(source), "-o", str(FOLDER / "page.heic")], check=True)


if __name__ == "__main__":
    main()
