"""What a file is told to be: a PDF with lines before its header, and formats that are named with the way out."""

from __future__ import annotations

import pytest

from storage import intake
from storage.judge import judge
from tests import papers
from tests.hostile import honest
from tests.hostile.forging import box
from tests.hostile.strangers import HTML, archive

PRINTER = b"\x1b%-12345X@PJL JOB\r\n@PJL ENTER LANGUAGE=PDF\r\n"
WIDE = "WordDocument".encode("utf-16-le"), "Workbook".encode("utf-16-le")


@pytest.mark.parametrize("before", [PRINTER, b"HTTP/1.1 200 OK\r\n\r\n", b"\x00" * 90, b"x" * 1019])
def test_lines_before_the_header_of_a_pdf(before: bytes) -> None:
    assert intake.media_type_of(before + honest.pdf()) == intake.PDF


def test_such_a_pdf_is_drawn() -> None:
    data = PRINTER * 8 + papers.as_pdf(
        papers.household_page("林小雨", "622999201305060023", width=900), dpi=160
    )
    result = judge(data)
    assert result.refusal is None and result.media_type == intake.PDF and result.pages[0].view_jpeg


@pytest.mark.parametrize(
    "before", [HTML, b"MZ" + bytes(60), b"#!/bin/sh\n", b"GIF89a", b"x" * 1025, b"\n<script>"]
)
def test_what_is_something_else_before_it_is_no_pdf(before: bytes) -> None:
    with pytest.raises(intake.Refused):
        intake.media_type_of(before + honest.pdf())


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (archive({"OFD.xml": b"<ofd:OFD/>", "Doc_0/Document.xml": b"<a/>"}), "OFD"),
        (archive({"Doc_0/Document.xml": bytes(9000), "OFD.xml": b"<ofd:OFD/>"}), "GB/T 33190"),
        (archive({"OFD.xml": b"<ofd:OFD/>", "Doc_0/Document.xml": bytes(9000)})[:120], "OFD"),
        (archive({"[Content_Types].xml": b"", "FixedDocSeq.fdseq": b"<a/>"}), "XPS"),
        (archive({"[Content_Types].xml": b"", "word/document.xml": b"<a/>"}), "Word"),
        (archive({"[Content_Types].xml": b"", "xl/workbook.xml": b"<a/>"}), "Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1500) + WIDE[0], "WPS"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1500) + WIDE[1], "表格"),
        (box(b"ftyp", b"qt  \x00\x00\x00\x00qt  ") + box(b"mdat", bytes(64)), "视频"),
        (box(b"ftyp", b"hevc\x00\x00\x00\x00hevc") + bytes(64), "动态照片"),
        (archive({"a.jpg": honest.jpeg()}), "压缩包"),
    ],
)
def test_formats_that_people_try_are_named_with_the_way_out(data: bytes, named: str) -> None:
    with pytest.raises(intake.Refused, match="请") as told:
        intake.media_type_of(data)
    assert named in told.value.sentence and told.value.media_type is None


def test_ofd_says_how_it_becomes_a_paper() -> None:
    told = judge(archive({"OFD.xml": b"<ofd:OFD/>"})).refusal or ""
    assert all(word in told for word in ("OFD", "GB/T 33190", "阅读器", "打印", "PDF", "图片"))
