"""Run as a script, in a process of its own: an export on standard input becomes JSON lines on standard output.

A workbook of 100,000 rows takes 400 MB while it is open; a child gives all of it back, and a hostile file ends the
child and nothing else. Each line is [row number in the sheet, [texts]]; empty rows are left out. A failure is one line
of Chinese on standard error and exit code 3. It imports nothing of the portal, so that it starts small.

Argument: JSON with `limit`, how many rows to write (0 is all); `sheet`, the name of the sheet ("" for the first visible one
that has the headings); `titles`, known headings without what `noise` (a pattern) takes away. The first line that is written
is an object: the sheet that is read, the other visible ones, and how many rows of it are hidden.
"""

from __future__ import annotations

import csv
import io
import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

MAX_MEMORY = 2 << 30  # address space; a workbook of 25 MB needs about half
MAX_SECONDS = 120
MAX_UNPACKED = 900 << 20  # bytes of XML inside a workbook
MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_CELL = 10_000  # characters
PIECE = (
    32 << 10
)  # bytes of XML looked at together: one without any tag is the inside of a cell of more than MAX_CELL
HEAD_ROWS = 30  # the headings stand within these
HEAD_LINES = 3  # of headings that stand one over the other
DATA = re.compile(r"\s*[A-Za-z]{0,2}[0-9][0-9Xx./年月日: -]{3,}\s*")  # a number of somebody, or a day
LEAST_TITLES = 2  # of them that are known
FEW_COLUMNS = 3  # what has fewer texts in a row is a note, not a list
EXACT = 10**15  # beyond this a number kept by Excel has lost digits
REFUSED = 3
HEADS = ((b"%PDF-", " PDF 文件"), (b"\xff\xd8\xff", "图片"), (b"\x89PNG", "图片"))
UNCOMPUTED = "#公式没有结果"  # what stands for a formula without a stored value
WEB = "这是网页或 XML 格式的 .xls，不是真正的工作簿，请在 WPS 或 Excel 中打开后另存为 .xlsx 再传"
MARKUP = re.compile(
    rb"\s*(?:<\?xml|<!doctype html|<html|<table|<head|<meta|<body|mime-version:)", re.IGNORECASE
)
GB18030_MARK = b"\x84\x31\x95\x33"
OFFICE = (("word/", " Word 文档"), ("ppt/", "演示文稿"))


class Unreadable(Exception):
    """Why a file cannot be taken, in Chinese, for the person who chose it."""


def sheet_of(data: bytes, wanted: dict[str, Any]) -> tuple[dict[str, Any], Iterator[tuple[int, list[str]]]]:
    """What is read of the file, and (row number, texts) of each row with something in it. Raises Unreadable."""
    if kind := _known_by(data):
        raise Unreadable(f"这是{kind}，不是 XLSX 或 CSV 工作表，请核对选择的文件")
    if data[:4] == b"PK\x03\x04":
        about, found = _workbook(data, wanted)
    elif data[:4] == b"\xd0\xcf\x11\xe0":
        raise Unreadable(
            "这是旧格式（.xls）或加了密码的工作簿，请在 WPS 或 Excel 中打开后另存为不带密码的 .xlsx"
        )
    else:
        text = _decoded(data)
        if MARKUP.match(text[:200].encode()):
            raise Unreadable(WEB)
        about, found = {"sheet": "", "others": [], "hidden": 0}, _csv_rows(text)
    return about, _within_limits(found)


def _within_limits(found: Iterable[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    count = 0
    for number, texts in found:
        if any(texts):
            count += 1
            if count > MAX_ROWS:
                raise Unreadable(f"行数超过 {MAX_ROWS:,}，请按学校或年级分几个文件导出")
            if len(texts) > MAX_COLUMNS:
                raise Unreadable(f"列数超过 {MAX_COLUMNS}，请核对是不是学生名单")
            if any(len(text) > MAX_CELL for text in texts):
                raise Unreadable(f"第 {number} 行有超过 {MAX_CELL:,} 个字的单元格，请核对是不是学生名单")
            yield number, texts


def _known_by(data: bytes) -> str:
    """The kind of a file that is often chosen by mistake, by its first bytes; "" for any other."""
    if data[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as parts:
                names = parts.namelist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            return ""
        if "xl/workbook.xml" in names or "[Content_Types].xml" not in names:
            return ""
        return next((kind for folder, kind in OFFICE if any(one.startswith(folder) for one in names)), "")
    return next((kind for head, kind in HEADS if data.startswith(head)), "")


def _workbook(data: bytes, wanted: dict[str, Any]) -> tuple[dict[str, Any], Iterator[tuple[int, list[str]]]]:
    from python_calamine import CalamineWorkbook

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            _stay_small(parts)
            places = _places_of_sheets(parts)
            book = CalamineWorkbook.from_filelike(io.BytesIO(data))
            names = [
                one.name
                for one in book.sheets_metadata
                if str(one.typ).endswith("WorkSheet") and str(one.visible).endswith(".Visible")
            ]
            name = wanted["sheet"] if wanted["sheet"] in names else _chosen(book, names, wanted)
            marks, hidden = _marks(parts, places[name]) if name in places else ({}, 0)
            sheet = book.get_sheet_by_name(name)
    except Unreadable:
        raise
    except Exception as error:  # the library's errors have no common class that leaves out bugs of its own
        raise Unreadable(
            "这个工作簿打不开，可能没有下载完整；请在 WPS 或 Excel 中打开，另存为 .xlsx 再传"
        ) from error
    about = {"sheet": name, "others": [one for one in names if one != name], "hidden": hidden}
    return about, _marked(sheet.iter_rows(), marks, sheet.start[1] if sheet.start else 0)


def _stay_small(parts: zipfile.ZipFile) -> None:
    """Look through the XML a piece at a time before the library takes all of it. Raises Unreadable for more than a list of
    pupils can hold."""
    total = 0
    for part in parts.infolist():
        if not part.filename.endswith((".xml", ".rels")):
            continue
        with parts.open(part) as stream:
            while piece := stream.read(PIECE):
                total += len(piece)
                if len(piece) == PIECE and b"<" not in piece:
                    raise Unreadable(f"有超过 {MAX_CELL:,} 个字的单元格，请核对是不是学生名单")
                if total > MAX_UNPACKED:
                    raise Unreadable("工作簿展开后过大，请按学校或年级分几个文件导出")


def _places_of_sheets(parts: zipfile.ZipFile) -> dict[str, str]:
    """{name of a sheet: its part in the workbook}."""
    import xml.etree.ElementTree as ElementTree

    related = {}
    for one in ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels")):  # noqa: S314 - entities are off, sizes known
        related[one.get("Id")] = one.get("Target", "")
    places = {}
    for one in ElementTree.fromstring(parts.read("xl/workbook.xml")).iter():  # noqa: S314 - as above
        if one.tag.endswith("}sheet"):
            link = next((value for key, value in one.attrib.items() if key.endswith("}id")), "")
            target = related.get(link, "")
            places[one.get("name", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return {name: place for name, place in places.items() if place in parts.namelist()}


def _chosen(book: Any, names: list[str], wanted: dict[str, Any]) -> str:
    """The first visible sheet that has most of the headings of any, and rows below them if one has; else the first that looks
    like a list, else the first."""
    if not names:
        raise Unreadable("工作簿里没有可见的工作表，请在 WPS 或 Excel 中取消隐藏后再传")
    if len(names) == 1:
        return names[0]
    noise, titles = re.compile(wanted["noise"] or "(?!)"), set(wanted["titles"])
    known, filled, listed = {}, set(), ""
    for name in names:
        rows = [
            row for _, row in zip(range(HEAD_ROWS), book.get_sheet_by_name(name).iter_rows(), strict=False)
        ]
        known[name], data = _headings_in(rows, titles, noise)
        filled |= {name} if data else set()
        widest = max(
            (sum(isinstance(value, str) and bool(value.strip()) for value in row) for row in rows), default=0
        )
        listed = listed or (name if widest >= FEW_COLUMNS else "")
    lists = [name for name in names if known[name] and (name in filled or not filled)]
    most = max((known[name] for name in lists), default=0)
    return next((name for name in lists if 2 * known[name] > most), listed or names[0])


def _headings_in(rows: list[list[Any]], titles: set[str], noise: re.Pattern[str]) -> tuple[int, bool]:
    """How many of the titles stand in a row, or in two or three that are joined, and whether a number or a day stands below
    one of them; 0 where no row has enough of them to be headings."""
    found = [
        {
            place: text
            for place, value in enumerate(row)
            if (text := noise.sub("", value) if isinstance(value, str) else "") in titles
        }
        for row in rows
    ]
    if not titles or max((len(set(one.values())) for one in found), default=0) < min(
        LEAST_TITLES, len(titles)
    ):
        return 0, False
    groups = [set().union(*(one.values() for one in found[at : at + HEAD_LINES])) for at in range(len(found))]
    at = max(range(len(groups)), key=lambda one: len(groups[one]))
    places = set().union(*found[at : at + HEAD_LINES])
    below = (row[place] for row in rows[at + 1 :] for place in places if place < len(row))
    return len(groups[at]), any(
        DATA.fullmatch(value) is not None
        if isinstance(value, str)
        else isinstance(value, (int, float, date)) and not isinstance(value, bool)
        for value in below
    )


_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_AT = re.compile(rb"\br=\"([A-Z]+)([0-9]+)\"")
_VALUE = re.compile(rb"<(?:\w+:)?v[^>]*>([^<]+)</")


def _marks(parts: zipfile.ZipFile, place: str) -> tuple[dict[tuple[int, int], str], int]:
    """What the library leaves empty: cells with an error, formulas without a stored value, as {(row, column): text}; and
    how many rows are hidden."""
    marks: dict[tuple[int, int], str] = {}
    hidden, kept = 0, b""
    with parts.open(place) as stream:
        while piece := stream.read(1 << 20):
            kept += piece
            end = kept.rfind(b"</row>") if b"</row>" in kept else kept.rfind(b":row>")
            if end < 0:
                continue
            rows, kept = kept[:end], kept[end:]
            hidden += _hidden_in(rows)
            if b't="e"' in rows or b"<f" in rows or b":f>" in rows:
                marks |= _marks_in(rows)
    hidden += _hidden_in(kept)
    return marks | _marks_in(kept), hidden


def _hidden_in(rows: bytes) -> int:
    if b"hidden=" not in rows:
        return 0
    return sum(b'hidden="1"' in row or b'hidden="true"' in row for row in _ROW.findall(rows))


def _marks_in(rows: bytes) -> dict[tuple[int, int], str]:
    found = {}
    for attributes, inside in _CELL.findall(rows):
        error = b't="e"' in attributes
        if not error and not re.search(rb"<(?:\w+:)?f\b", inside):
            continue
        at, value = _AT.search(attributes), _VALUE.search(inside)
        empty = b't="str"' in attributes  # a formula whose result is an empty text
        if at and (error or (value is None and not empty)):
            text = value[1].decode("utf-8", "replace") if error and value else UNCOMPUTED
            found[(int(at[2]), _column(at[1]))] = text
    return found


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _marked(
    rows: Iterable[list[Any]], marks: dict[tuple[int, int], str], indent: int
) -> Iterator[tuple[int, list[str]]]:
    """The rows as texts with their marks; `indent` empty columns stand to the left of what the library gives."""
    by_row: dict[int, dict[int, str]] = {}
    for (row, column), text in marks.items():
        by_row.setdefault(row, {})[column] = text
    for number, line in enumerate(rows, start=1):
        texts = [""] * indent + [_text(value) for value in line]
        for column, text in by_row.get(number, {}).items():
            texts += [""] * (column + 1 - len(texts))
            texts[column] = text
        yield number, texts


def _text(value: Any) -> str:
    """A cell as it would be read aloud: numbers without ".0", dates as 2012-09-01."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    if isinstance(value, (int, float)) and abs(value) >= EXACT:
        return f"{float(value):.14e}"  # a number of so many places is no longer what was typed
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)


def _csv_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    first = [line for line in text.splitlines()[:HEAD_ROWS] if line.strip()]
    counts = {mark: [line.count(mark) for line in first] for mark in ",\t;"}
    delimiter = max(counts, key=lambda mark: (max(counts[mark], default=0), sum(counts[mark])))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for number, line in enumerate(reader, start=1):
            yield number, [_csv_text(cell) for cell in line]
    except csv.Error as error:
        raise Unreadable(f"第 {reader.line_num} 行读不下去，请另存为 .xlsx 再传") from error


def _decoded(data: bytes) -> str:
    """UTF-8 or UTF-16 by its mark, UTF-8 without, else GB18030, which holds every character of the others that China uses."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise Unreadable("文字编码认不出来，请在 WPS 或 Excel 中另存为 .xlsx 再传") from error
    data = data.removeprefix(GB18030_MARK)
    if b"\0" in data:
        raise Unreadable("这不是 XLSX 或 CSV 工作表，请核对选择的文件")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("文字编码认不出来，请在 WPS 或 Excel 中另存为 .xlsx 再传")


def _csv_text(cell: str) -> str:
    """Without what exports put around digits so that Excel keeps them: a tab, or ="…"."""
    cell = cell.strip("\t")
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') else cell


def write(about: dict[str, Any], rows: Iterable[tuple[int, list[str]]], limit: int) -> None:
    out = sys.stdout
    out.write(json.dumps(about) + "\n")
    for written, row in enumerate(rows, start=1):
        out.write(json.dumps(row) + "\n")
        if written == limit:
            break
    out.flush()


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    try:
        wanted = json.loads(sys.argv[1])
        write(*sheet_of(sys.stdin.buffer.read(), wanted), wanted["limit"])
    except (Unreadable, MemoryError) as error:
        text = str(error) if isinstance(error, Unreadable) else "文件过大，请按学校或年级分几个文件导出"
        sys.stderr.buffer.write(text.encode())
        return REFUSED
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
