"""Fictional official papers, drawn for the tests: certificates, household pages, and what goes wrong with them.

Everything is deterministic: the same arguments and seed give the same pixels. All people, places and numbers
are invented. Degradations have known parameters, so that a check can be held against the truth.
"""

from __future__ import annotations

import functools
import io
import math
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

A4_RATIO = 297 / 210
INK = (28, 28, 34)
SEAL = (206, 32, 40)
PEN = (30, 50, 150)
_FONT_FILES = (
    "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
)


@functools.cache
def font_file() -> str:
    """A Chinese font of this machine; the test that needs it is skipped, visibly, where there is none."""
    for name in _FONT_FILES:
        if Path(name).exists():
            return name
    if shutil.which("fc-match"):
        answer = subprocess.run(
            ["fc-match", "-f", "%{file}|%{lang}", ":lang=zh-cn"], capture_output=True, text=True, check=False
        )
        name, _, languages = answer.stdout.partition("|")
        if "zh" in languages and Path(name).exists():
            return name
    pytest.skip("no Chinese font here: install fonts-noto-cjk")


@functools.cache
def _font(size: int, file: str = "", face: int = 0) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(file or font_file(), size, index=face)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of print: where its box lies on the sheet (mm), and how many characters it has."""

    left: float
    top: float
    right: float
    bottom: float
    characters: int


class Sheet:
    """A sheet measured in millimetres, which remembers where its lines of print are.

    ``font`` names a font file and the face in it; without it the first Chinese font of the machine is taken.
    """

    def __init__(
        self,
        width_mm: float,
        height_mm: float,
        width: int,
        paper: tuple[int, int, int],
        font: tuple[str, int] = ("", 0),
    ) -> None:
        self.mm = width / width_mm
        self.size_mm = (width_mm, height_mm)
        self.image = Image.new("RGB", (width, round(height_mm * self.mm)), paper)
        self.lines: list[Line] = []
        self._font = font
        self._draw = ImageDraw.Draw(self.image)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float,
        *,
        centred: bool = False,
        ink: tuple[int, int, int] = INK,
    ) -> None:
        """Words with characters of ``size`` mm, their top left (or top middle) at x, y."""
        at = (x * self.mm, y * self.mm)
        font = _font(max(4, round(size * self.mm)), *self._font)
        anchor = "ma" if centred else "la"
        self._draw.text(at, words, ink, font, anchor=anchor)
        self._remember(self._draw.textbbox(at, words, font, anchor=anchor), words)

    def _remember(self, box: Iterable[float], words: str) -> None:
        characters = len("".join(words.split()))
        if characters:
            left, top, right, bottom = (v / self.mm for v in box)
            self.lines.append(Line(left, top, right, bottom, characters))

    def handwriting(
        self, x: float, y: float, words: str, size: float, rng: np.random.Generator, ink: tuple[int, int, int]
    ) -> None:
        """Words as if written by hand: each character turned, leaned, stretched and shifted a little."""
        pixels = max(8, round(size * self.mm))
        font, at, middle = _font(pixels, *self._font), x * self.mm, y * self.mm + pixels / 2
        begun, slant = at, float(rng.normal(0.1, 0.05))
        for character in words:
            wide = float(rng.uniform(0.8, 1.02))
            if not character.isspace():
                tile = Image.new("L", (2 * pixels, 2 * pixels), 0)
                ImageDraw.Draw(tile).text((pixels, pixels), character, 255, font, anchor="mm")
                lean, tall = slant + float(rng.normal(0, 0.06)), float(rng.uniform(0.88, 1.08))
                turn = float(rng.normal(0, 0.05))
                # where each pixel of the tile comes from: unstretch, unlean, unturn, around the middle
                a, b, d, e = 1 / wide, lean / wide, turn, 1 / tall
                way = (a, b, pixels * (1 - a - b), d, e, pixels * (1 - d - e))
                tile = tile.transform(tile.size, Image.Transform.AFFINE, way, Image.Resampling.BILINEAR)
                drop = float(rng.normal(0, 0.05)) * pixels
                self.image.paste(ink, (round(at - pixels / 2), round(middle - pixels + drop)), tile)
            at += pixels * wide * float(rng.uniform(0.95, 1.08))
        self._remember((begun, middle - 0.45 * pixels, at, middle + 0.45 * pixels), words)

    def line(self, *points: float, ink: tuple[int, int, int] = INK, thick: float = 0.3) -> None:
        """A rule ``thick`` mm wide through x, y, x, y ... in mm."""
        self._draw.line([p * self.mm for p in points], ink, max(1, round(thick * self.mm)))

    def seal(
        self,
        x: float,
        y: float,
        name: str,
        diameter: float = 40.0,
        *,
        strength: float = 0.8,
        flat: float = 1.0,
        tilt: float = 0.0,
    ) -> None:
        """A round red seal with a star, around x, y, letting the print under it show through.

        ``strength`` is how much of the ink took (0.8 a good stamp, 0.3 a faint one), ``flat`` the height of an
        ellipse as a share of its width, ``tilt`` how many degrees it was stamped askew, clockwise.
        """
        side = round(diameter * self.mm)
        mask = Image.new("L", (side, side), 0)
        draw = ImageDraw.Draw(mask)
        draw.ellipse((1, 1, side - 2, side - 2), outline=255, width=max(2, round(1.2 * self.mm)))
        draw.polygon([_at(side / 2, side * r, a) for r, a in _star()], fill=255)
        letter = round(side * 0.11)
        for i, character in enumerate(name):
            tile = Image.new("L", (letter, letter), 0)
            ImageDraw.Draw(tile).text((letter / 2, letter / 2), character, 255, _font(letter), anchor="mm")
            angle = -120 + 240 * (i + 0.5) / len(name)
            cx, cy = _at(side / 2, side * 0.39, angle - 90)
            turned = tile.rotate(-angle, expand=True)
            mask.paste(turned, (round(cx - turned.width / 2), round(cy - turned.height / 2)), turned)
        if flat != 1.0:
            mask = mask.resize((side, round(side * flat)), Image.Resampling.BILINEAR)
        if tilt:
            mask = mask.rotate(-tilt, Image.Resampling.BILINEAR, expand=True)
        mask = mask.point(lambda v: v * round(100 * strength) // 100)
        corner = (round(x * self.mm - mask.width / 2), round(y * self.mm - mask.height / 2))
        self.image.paste(SEAL, corner, mask)


def _at(middle: float, radius: float, degrees: float) -> tuple[float, float]:
    return (
        middle + radius * math.cos(math.radians(degrees)),
        middle + radius * math.sin(math.radians(degrees)),
    )


def _star() -> Iterable[tuple[float, float]]:
    return ((0.15 if i % 2 == 0 else 0.06, -90 + 36 * i) for i in range(10))


def police_certificate(
    name: str, id_number: str, old: str, new: str, seed: int = 0, *, width: int = 2480
) -> Image.Image:
    """户籍登记项目变更证明 on A4, ``width`` pixels wide (2480 is 300 dpi), with a red seal."""
    rng = np.random.default_rng(seed)
    item = old.split()[0] if " " in old else "姓名"
    sheet = Sheet(210, 297, width, (253, 253, 251))
    sheet.text(105, 28, "户籍登记项目变更证明", 9, centred=True)
    sheet.text(150, 44, f"康警户字〔2026〕第{int(rng.integers(100, 999))}号", 3.8)
    lines = (
        "兹证明我辖区居民户籍登记项目变更情况如下：",
        f"姓名：{name}　　　公民身份号码：{id_number}",
        "户籍地址：云岭省云岭州青禾县河湾镇杏花村三组十二号",
        f"变更登记项目：{item}　　　　变更日期：2026年9月3日",
        f"变更前：{old}",
        f"变更后：{new}",
        "变更原因：依据本人监护人申请，经审核符合户口登记项目变更的有关规定，",
        "准予变更，原登记内容自变更之日起不再使用。",
        "本证明用于办理学籍信息变更，复印无效，有效期三个月。",
        "特此证明。",
    )
    for i, line in enumerate(lines):
        sheet.text(28, 62 + 11 * i, line, 4.4)
    top = 180
    for row, words in enumerate(("登记项目", "变更前内容", "变更后内容", "经办人")):
        sheet.text(32, top + 2.5 + 10 * row, words, 4.2)
        value = (item, old, new, "陈一鸣")[row]
        sheet.text(78, top + 2.5 + 10 * row, value, 4.2)
        sheet.line(28, top + 10 * row, 182, top + 10 * row)
    sheet.line(28, top + 40, 182, top + 40, 182, top, 28, top, 28, top + 40)
    sheet.line(72, top, 72, top + 40)
    sheet.text(128, 240, "青禾县公安局河湾派出所", 4.4)
    sheet.text(140, 249, "2026年9月5日", 4.4)
    sheet.text(28, 272, "经办民警：李远山　联系电话：0000-8880000　第一联　交申请人存用", 3.6)
    sheet.seal(148 + float(rng.uniform(-3, 3)), 243 + float(rng.uniform(-3, 3)), "青禾县公安局户口专用章")
    return sheet.image


def household_page(name: str, id_number: str, seed: int = 0, *, width: int = 1700) -> Image.Image:
    """常住人口登记卡, a page of the household book (143 x 105 mm) on slightly toned paper."""
    rng = np.random.default_rng(seed)
    boy = int(id_number[16]) % 2 == 1
    born = f"{id_number[6:10]}年{int(id_number[10:12])}月{int(id_number[12:14])}日"
    sheet = Sheet(143, 105, width, (246, 244, 236))
    sheet.text(71, 6, "常住人口登记卡", 5.5, centred=True)
    rows = (
        ("姓　　名", name, "户主或与户主关系", "长子" if boy else "长女"),
        ("曾 用 名", "", "性　　别", "男" if boy else "女"),
        ("出 生 地", "云岭省青禾县", "民　　族", "汉族"),
        ("籍　　贯", "云岭省青禾县", "出生日期", born),
        ("本市（县）其他住址", "", "宗教信仰", ""),
        ("公民身份号码", id_number, "身　　高", "146厘米"),
        ("文化程度", "在学", "婚姻状况", "未婚"),
        ("服务处所", "", "职　　业", "学生"),
        ("何时由何地迁来本址", f"{id_number[6:10]}年 出生登记", "", ""),
    )
    for i, (left, value, right, other) in enumerate(rows):
        y = 16 + 8.6 * i
        sheet.line(6, y, 137, y)
        for x, words in ((8, left), (40, value), (84, right), (114, other)):
            sheet.text(x, y + 2.4, words, 3.1)
    bottom = 16 + 8.6 * len(rows)
    sheet.line(6, bottom, 137, bottom)
    for x in (6, 38, 82, 112, 137):
        sheet.line(x, 16, x, bottom)
    sheet.text(8, bottom + 2.5, "承办人签章：王静　　登记日期：2026年9月3日", 3.1)
    sheet.seal(118 + float(rng.uniform(-2, 2)), bottom - 4, "青禾县公安局河湾派出所", diameter=28)
    return sheet.image


def letter(
    title: str, lines: Sequence[str], signed: str, *, seal: str = "", width: int = 2480
) -> Image.Image:
    """A letter on A4: an application as people write one, or with a seal a school's report."""
    sheet = Sheet(210, 297, width, (253, 253, 251))
    ink = INK if seal else PEN
    sheet.text(105, 32, title, 8, centred=True, ink=ink)
    for i, line in enumerate(lines):
        sheet.text(28, 60 + 11 * i, line, 4.6, ink=ink)
    bottom = 76 + 11 * len(lines)
    sheet.text(112, bottom, signed, 4.6, ink=ink)
    sheet.text(124, bottom + 11, "2026年11月9日", 4.6, ink=ink)
    if seal:
        sheet.seal(140, bottom + 5, seal)
    return sheet.image


def blank_sheet(*, width: int = 2480) -> Image.Image:
    """An empty A4 sheet."""
    return Image.new("RGB", (width, round(width * A4_RATIO)), (252, 252, 250))


def blurred(image: Image.Image, sigma: float) -> Image.Image:
    """Out of focus by a Gaussian of ``sigma`` pixels."""
    return image.filter(ImageFilter.GaussianBlur(sigma))


def shaken(image: Image.Image, pixels: int, degrees: float = 0.0) -> Image.Image:
    """Moved by ``pixels`` while the shutter was open: sideways, or that many degrees clockwise of it."""
    if not degrees:
        return Image.fromarray(cv2.blur(np.asarray(image), (pixels, 1)))
    way = np.zeros((pixels | 1, pixels | 1), np.float32)
    middle, reach = (pixels - 1) / 2, pixels / 2
    for step in np.linspace(-reach, reach, 8 * pixels):
        x, y = _at(middle, step, degrees)
        way[round(np.clip(y, 0, len(way) - 1)), round(np.clip(x, 0, len(way) - 1))] += 1
    return Image.fromarray(cv2.filter2D(np.asarray(image), -1, way / way.sum()))


def rotated(image: Image.Image, degrees: float) -> Image.Image:
    """Laid on the scanner askew: positive degrees lean clockwise; the ground is white."""
    return image.rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=(253, 253, 251))


def cut_bottom(image: Image.Image, share: float) -> Image.Image:
    """With the lowest ``share`` of the picture missing."""
    return image.crop((0, 0, image.width, round(image.height * (1 - share))))


def narrow(image: Image.Image, width: int) -> Image.Image:
    """Made small: ``width`` pixels wide."""
    return image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)


def dark(image: Image.Image, share: float) -> Image.Image:
    """With only ``share`` of the light."""
    return image.point(lambda v: v * share)


def noisy(image: Image.Image, sigma: float, seed: int = 0) -> Image.Image:
    """With the noise of a phone in poor light, ``sigma`` levels."""
    values = np.asarray(image, dtype=np.float32)
    grain = np.random.default_rng(seed).normal(0, sigma, values.shape).astype(np.float32)
    return Image.fromarray(np.clip(values + grain, 0, 255).astype(np.uint8))


def glare(image: Image.Image, diameter: float) -> Image.Image:
    """A lamp mirrored on the sheet: a saturated spot, its ``diameter`` a share of the width."""
    light = Image.new("L", image.size, 0)
    x, y, r = image.width * 0.45, image.height * 0.3, image.width * diameter / 2
    ImageDraw.Draw(light).ellipse((x - r, y - r, x + r, y + r), fill=255)
    light = light.filter(ImageFilter.GaussianBlur(r / 6))
    return Image.composite(Image.new("RGB", image.size, "white"), image, light)


def on_desk(
    image: Image.Image, seed: int = 0, *, size: tuple[int, int] = (3000, 4000), lean: float = 1.0
) -> Image.Image:
    """Photographed by a phone on a wooden desk: 12 megapixels, uneven light, some perspective and grain.

    The sheet leans clockwise by ``lean`` degrees, and by up to half a degree more from the perspective.
    """
    rng = np.random.default_rng(seed)
    wide, high = size
    share = min(wide * 0.86 / image.width, high * 0.86 / image.height)
    across, down = image.width * share / 2, image.height * share / 2
    turn = math.radians(lean)
    corners = [
        (
            x * math.cos(turn) - y * math.sin(turn) + wide / 2,
            x * math.sin(turn) + y * math.cos(turn) + high / 2,
        )
        for x, y in ((-across, -down), (across * 0.985, -down), (across, down), (-across, down * 0.985))
    ]
    sheet = [(0, 0), (image.width, 0), (image.width, image.height), (0, image.height)]
    to_desk = cv2.getPerspectiveTransform(np.array(sheet, np.float32), np.array(corners, np.float32))
    photo = wood(wide, high, rng)
    paper = image if share > 0.8 else image.resize((round(2 * across), round(2 * down)), Image.Resampling.BOX)
    if paper is not image:
        to_desk = to_desk @ np.diag([image.width / paper.width, image.height / paper.height, 1.0])
    cv2.warpPerspective(np.asarray(paper), to_desk, size, photo, cv2.INTER_CUBIC, cv2.BORDER_TRANSPARENT)
    light = np.linspace(1.0, 0.92, high, dtype=np.float32)[:, None]
    light = light * np.linspace(0.9, 0.74, wide, dtype=np.float32)[None, :]
    grain = rng.standard_normal((high, wide), dtype=np.float32) * 2.5
    lit = [np.clip(photo[:, :, c] * light + grain, 0, 255).astype(np.uint8) for c in range(3)]
    return Image.fromarray(np.stack(lit, axis=2))


def wood(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """A wooden desk top: height x width x RGB, the grain running across."""
    along = np.clip(12 * np.sin(rng.normal(0, 1, height).cumsum() / 6) + rng.normal(0, 3, height), -40, 40)
    bend = (6 * np.sin(np.linspace(0, 5, width))).astype(int)
    grain = along.astype(np.int16)[(np.arange(height)[:, None] + bend[None, :]) % height]
    return np.stack([148 + grain, 104 + grain, 66 + grain], axis=2).astype(np.uint8)


def as_jpeg(image: Image.Image, quality: int = 90, exif_orientation: int | None = None) -> bytes:
    """JPEG bytes, stored the way a phone with this EXIF orientation would store the upright ``image``."""
    out = io.BytesIO()
    if exif_orientation is None:
        image.save(out, "JPEG", quality=quality)
        return out.getvalue()
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[exif_orientation]
    stored = image if undo is None else image.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = exif_orientation
    exif[0x010F] = "Fictional Phones"
    exif.get_ifd(0x8825)[1] = "N"  # a GPS block, which no rendition may keep
    stored.save(out, "JPEG", quality=quality, exif=exif)
    return out.getvalue()


def as_png(image: Image.Image) -> bytes:
    """PNG bytes."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def as_tiff(*images: Image.Image) -> bytes:
    """A TIFF of one or more pages."""
    out = io.BytesIO()
    images[0].save(out, "TIFF", save_all=True, append_images=images[1:], compression="tiff_adobe_deflate")
    return out.getvalue()


def as_pdf(*images: Image.Image, dpi: float = 300) -> bytes:
    """A PDF of scanned pages."""
    out = io.BytesIO()
    images[0].save(out, "PDF", save_all=True, append_images=images[1:], resolution=dpi)
    return out.getvalue()
