"""What a person needs to enter an approved case into the national system: values in its order, and pictures that it takes.

What never belongs here: the name of a procedure, who may have the pack.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import xlsxwriter  # type: ignore[import-untyped]
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.cases import clock
from portal.cases.evidence_rows import sealed_original
from portal.cases.printed import facts_on_paper, safe_file_name
from portal.cases.shown import is_plain
from portal.cases.sights import must_be_whole
from portal.extensions import db
from portal.models import Case, EvidenceFile, EvidencePage, RegisterChange, Status
from portal.printouts.packing import packed
from portal.standards import school_numbers
from portal.standards.columns import EVERY
from portal.workflows import workflow
from portal.workflows.facts import Facts
from storage.measurement import Mending
from storage.objects import ObjectStore, Sealed
from storage.rendition import NoRendition, for_national_system

HEADINGS = ("学籍号", "姓名", "变更项目", "原值", "新值", "变更原因")
WIDTHS = (24, 16, 14, 24, 24, 48)
ENCODING = "utf-8-sig"  # so that the Windows editor opens it as UTF-8


@dataclass(frozen=True)
class PagePlan:
    """One picture to be made: of which original, which page, mended how, under which name."""

    name: str
    title: str
    original: Sealed
    page: int
    mending: Mending


@dataclass(frozen=True)
class Plan:
    """All of a pack but its pictures, read in one transaction; build() touches the database no more.

    `lines` are the cells of HEADINGS, one line a changed column, in the order of the national system's columns.
    """

    number: str
    title: str
    school: str
    approved_on: str
    lines: tuple[tuple[str, ...], ...]
    pages: tuple[PagePlan, ...]

    @property
    def file_name(self) -> str:
        name = self.lines[0][1] if self.lines else ""
        return safe_file_name(f"{self.number}_国网录入包_{name}") + ".zip"


def plan(case: Case) -> Plan:
    """What goes into the pack of an approved case. Raises ValueError before approval."""
    if case.status != Status.APPROVED or case.ended_at is None:
        raise ValueError(f"case {case.number} is not approved")
    law, facts = workflow(case.workflow), facts_on_paper(case)
    return Plan(
        number=case.number,
        title=law.title,
        school=facts.school.name,
        approved_on=f"{clock.local(case.ended_at):%Y-%m-%d}",
        lines=tuple(_lines(case, facts)),
        pages=tuple(_pages(case, facts)),
    )


def _lines(case: Case, facts: Facts) -> Iterable[tuple[str, ...]]:
    """The old name stands in every line: under it the pupil is found there until the change has been made."""
    query = select(RegisterChange).where(RegisterChange.case_id == case.id)
    changes = {change.column: change for change in db.session.scalars(query)}
    pupil, cause = facts.pupil, _cause(facts)
    for column in EVERY:
        if change := changes.get(column.key):
            old, new = column.shown(change.before), column.shown(change.after)
            yield (
                pupil["student_number"] or school_numbers.NONE_YET,
                pupil["name"],
                column.title,
                old,
                new,
                cause,
            )


def _cause(facts: Facts) -> str:
    """What the procedure itself has to say about the case, as its first form says it."""
    said: Mapping[str, str] = next((one.names(facts) for one in workflow(facts.workflow).printouts), {})
    return "；".join(text.strip() for text in said.values() if text.strip())


def _pages(case: Case, facts: Facts) -> Iterable[PagePlan]:
    query = (
        select(EvidenceFile)
        .where(
            EvidenceFile.case_id == case.id,
            EvidenceFile.status == "committed",
            EvidenceFile.removed_at.is_(None),
        )
        .options(selectinload(EvidenceFile.pages))
        .order_by(EvidenceFile.uploaded_at, EvidenceFile.id)
    )
    files = list(db.session.scalars(query))
    for position, slot in enumerate(workflow(case.workflow).slots(facts), start=1):
        number = 0
        for file in (one for one in files if one.slot == slot.id):
            must_be_whole(file, *file.pages)
            for page in (one for one in file.pages if not one.blank):
                number += 1
                name = f"{position:02d}_{safe_file_name(slot.title)}_{number}.jpg"
                yield PagePlan(name, slot.title, sealed_original(file), page.page, _mending(page))


def _mending(page: EvidencePage) -> Mending:
    """What makes the picture that the person chose to show."""
    return Mending() if is_plain(page) else Mending.of(page.mending)


def build(pack: Plan, store: ObjectStore) -> bytes:
    """The ZIP. Reads the originals by version and checks their hash; raises storage.objects.StoreError where one is gone,
    changed or out of reach. A page of which no picture can be made is named in the text sheet with the reason."""
    pictures, notes = [], []
    originals: dict[Sealed, bytes] = {}
    for page in pack.pages:
        if page.original not in originals:
            originals = {page.original: store.read(page.original)}  # pages of one file follow each other
        try:
            pictures.append(
                (
                    page.name,
                    for_national_system(originals[page.original], page=page.page, mending=page.mending),
                )
            )
        except NoRendition as reason:
            notes.append(f"{page.name}：没有生成（{reason}）")
    names = [name for name, _data in pictures]
    files = [("录入单.xlsx", sheet(pack)), ("录入单.txt", _text(pack, names, notes).encode(ENCODING))]
    return packed(files + pictures)


def sheet(pack: Plan) -> bytes:
    """The lines as XLSX. Every cell is written as text: nothing in it can become a formula, no number loses a digit."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"title": f"{pack.number} {pack.title}", "author": ""})
        page = book.add_worksheet("录入单")
        head = book.add_format({"bold": True, "border": 1, "bg_color": "#EEF2F6", "font_name": "SimSun"})
        body = book.add_format(
            {"border": 1, "text_wrap": True, "valign": "top", "num_format": "@", "font_name": "SimSun"}
        )
        for column, (heading, width) in enumerate(zip(HEADINGS, WIDTHS, strict=True)):
            page.set_column(column, column, width)
            page.write_string(0, column, heading, head)
        for row, line in enumerate(pack.lines, start=1):
            for column, text in enumerate(line):
                page.write_string(row, column, text, body)
        page.freeze_panes(1, 0)
    return out.getvalue()


def _text(pack: Plan, names: list[str], notes: list[str]) -> str:
    """The same to copy from: one value a line, nothing beside it."""
    lines = [f"{pack.number}　{pack.title}　{pack.school}　{pack.approved_on} 批准", ""]
    for student_number, name, item, old, new, cause in pack.lines:
        for label, value in (
            ("学籍号", student_number),
            ("姓名", name),
            (f"{item}（原值）", old),
            (f"{item}（新值）", new),
            ("变更原因", cause),
        ):
            lines += [f"【{label}】", *value.splitlines()]
        lines.append("")
    lines += ["【上传图片】", *(names or ["（没有）"]), *notes]
    return "\r\n".join(lines) + "\r\n"
