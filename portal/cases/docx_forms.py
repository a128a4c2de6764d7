"""Text into the «names» of a DOCX. Names are replaced, never evaluated, and what was put in is never looked at again.

What never belongs here: a case, a value's meaning.
"""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from docx import Document
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from portal.printouts.packing import repacked

NAME = re.compile(r"«([a-z0-9_.]+)(?::([a-z0-9_]+))?»")
STRUCK = "—"  # in a row that nothing fills
# A value of so many characters or more is set in so many points, so that a long text does not push a form off its page.
SMALLER = ((120, 8.0), (60, 9.0))


@dataclass(frozen=True)
class Filling:
    """What goes into a blank: name -> text, group -> rows of name -> text, name -> (PNG, width in mm)."""

    texts: Mapping[str, str]
    rows: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    pictures: Mapping[str, tuple[bytes, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class About:
    """The document's own properties."""

    title: str
    subject: str
    moment: datetime  # naive, as the properties hold no zone


def names_in(blank: Path) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
    """The plain «names» of a blank and its «group:name» pairs."""
    document: Any = Document(str(blank))
    found = [match for paragraph in _paragraphs(document) for match in NAME.finditer(_text(paragraph))]
    plain = frozenset(match[1] for match in found if match[2] is None)
    return plain, frozenset((match[1], match[2]) for match in found if match[2] is not None)


def fill(blank: Path, filling: Filling, about: About) -> bytes:
    """The blank as a finished DOCX; the same bytes for the same arguments. Raises KeyError for an unknown «name»."""
    document: Any = Document(str(blank))
    rows = _expand_rows(document, filling)
    for paragraph in list(_paragraphs(document)):
        row = next((rows[one] for one in paragraph._p.iterancestors(qn("w:tr")) if one in rows), {})
        _fill_paragraph(paragraph, filling, row)
    properties = document.core_properties
    properties.title, properties.subject = clean(about.title), clean(about.subject)
    properties.created = properties.modified = about.moment
    out = io.BytesIO()
    document.save(out)
    return repacked(out.getvalue())


def clean(text: str) -> str:
    """The text without what XML cannot hold. Input refuses such characters; a form must not fail over one that got in."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(character for character in text if character in "\n\t" or _allowed(ord(character)))


def _allowed(point: int) -> bool:
    return point >= 0x20 and not 0xD800 <= point <= 0xDFFF and point not in (0xFFFE, 0xFFFF)


def _paragraphs(document: Any) -> Iterator[Paragraph]:
    """Every paragraph of body, tables, headers and footers, each with the part that it belongs to."""
    holders = [document._body]
    for section in document.sections:
        own = (section.header, section.footer)
        holders += [
            part for part in own if not part.is_linked_to_previous
        ]  # looking into a linked one would make it
    for holder in holders:
        for element in holder._element.iter(qn("w:p")):
            yield Paragraph(element, holder)


def _text(paragraph: Paragraph) -> str:
    return "".join(run.text for run in paragraph.runs)


def _expand_rows(document: Any, filling: Filling) -> dict[Any, dict[str, str]]:
    """Give each table row that names a group its values: {row element: {"group:name": text}}.

    The rows that the blank has are used first; the last one is copied as XML where they are too few (table.cell is
    quadratic), and rows left over are struck through.
    """
    given: dict[Any, dict[str, str]] = {}
    drawn: dict[str, list[Any]] = {}
    for element in document._body._element.iter(qn("w:tr")):
        pairs = NAME.findall(
            "".join(_text(Paragraph(one, document._body)) for one in element.iter(qn("w:p")))
        )
        for group in {first for first, second in pairs if second}:
            drawn.setdefault(group, []).append(element)
    for group, elements in drawn.items():
        items = filling.rows[group]
        while len(elements) < len(items):
            another = copy.deepcopy(elements[-1])
            elements[-1].addnext(another)
            elements.append(another)
        for position, element in enumerate(elements):
            values = items[position] if position < len(items) else _Struck()
            given[element] = _Row(group, values)
    return given


class _Struck(dict[str, str]):
    """Values of a row that nothing fills."""

    def __missing__(self, _name: str) -> str:
        return STRUCK


class _Row(dict[str, str]):
    """The values of one row under their full names."""

    def __init__(self, group: str, values: Mapping[str, str]) -> None:
        super().__init__()
        self._group, self._values = group, values

    def __missing__(self, name: str) -> str:
        group, _, key = name.partition(":")
        if group != self._group:
            raise KeyError(name)
        return self._values[key]


def _fill_paragraph(paragraph: Paragraph, filling: Filling, row: Mapping[str, str]) -> None:
    """Put values in the place of names, the last one first, so that the positions of the others stay true."""
    for match in reversed(list(NAME.finditer(_text(paragraph)))):
        name = match[0][1:-1]
        if name in filling.pictures:
            png, width = filling.pictures[name]
            run = _replace(paragraph, match.start(), match.end(), "")
            run.add_picture(io.BytesIO(png), width=Mm(width))
            continue
        value = clean(row[name] if match[2] is not None else filling.texts[name])
        run = _replace(paragraph, match.start(), match.end(), value)
        size = next((points for length, points in SMALLER if len(value) >= length), None)
        if size is not None and (run.font.size is None or run.font.size > Pt(size)):
            run.font.size = Pt(size)


def _replace(paragraph: Paragraph, start: int, end: int, value: str) -> Run:
    """Put `value` in the place of characters start to end, in the format of the run where they begin; returns it."""
    first: Run | None = None
    position = 0
    for run in paragraph.runs:
        text = run.text
        low, high = max(start - position, 0), min(end - position, len(text))
        if low < high:
            run.text = text[:low] + (value if first is None else "") + text[high:]
            first = first or run
        position += len(text)
    if first is None:
        raise ValueError("there are no such characters")
    return first
