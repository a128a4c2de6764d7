"""Text into the «names» of a DOCX. Names are replaced, never evaluated, and what was put in is never looked at again.

What never belongs here: a case, a value's meaning.
"""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
TEXT = qn("w:t")
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
    groups = _rows_of_groups(document)
    repeated = {element for elements in groups.values() for element in elements}
    for paragraph in list(_paragraphs(document)):
        if repeated.isdisjoint(paragraph._p.iterancestors(qn("w:tr"))):
            _fill_paragraph(paragraph, filling, {})
    for group, elements in groups.items():
        _fill_rows(document._body, group, elements, filling)
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


def _rows_of_groups(document: Any) -> dict[str, list[Any]]:
    """The table rows of the blank that name a group: {group: rows in their order}."""
    drawn: dict[str, list[Any]] = {}
    for element in document._body._element.iter(qn("w:tr")):
        texts = (_text(Paragraph(one, document._body)) for one in element.iter(qn("w:p")))
        for group in {first for first, second in NAME.findall("".join(texts)) if second}:
            drawn.setdefault(group, []).append(element)
    return drawn


def _fill_rows(body: Any, group: str, elements: list[Any], filling: Filling) -> None:
    """Put a group's rows into the table. Those of the blank are used first, copies of the last one where they are too few,
    and rows left over are struck through."""
    items = filling.rows[group]
    pattern = copy.deepcopy(elements[-1])
    places = _places(pattern, group)
    last = elements[-1]
    for position in range(max(len(elements), len(items))):
        if position < len(elements):
            row, values = elements[position], items[position] if position < len(items) else _Struck()
        else:
            row, values = copy.deepcopy(pattern), items[position]
            last.addnext(row)
            last = row
            if places and _plain(values[key] for _at, key in places):
                texts = list(row.iter(TEXT))
                for at, key in places:
                    texts[at].text = values[key]
                continue
        for element in row.iter(qn("w:p")):
            _fill_paragraph(Paragraph(element, body), filling, _Row(group, values))


def _places(row: Any, group: str) -> list[tuple[int, str]]:
    """Where the names of a row stand, as (place among its texts, key), when each of them is a text by itself: then a copy
    is filled without being searched, which keeps a list of thousands linear and quick. Empty when one is not."""
    found = []
    texts = list(row.iter(TEXT))
    for at, element in enumerate(texts):
        match = NAME.fullmatch(element.text or "")
        if match and match[1] == group and match[2]:
            found.append((at, match[2]))
    return found if len(found) == len(NAME.findall("".join(one.text or "" for one in texts))) else []


def _plain(values: Iterable[str]) -> bool:
    """Whether texts can be put in as they are: short, in one line, nothing that XML cannot hold or would strip."""
    return all(
        len(text) < SMALLER[-1][0] and text.isprintable() and text == text.strip(" ") for text in values
    )


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
