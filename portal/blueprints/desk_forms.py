"""What is typed at the desk: one note for all verbs, and rows of reasons for a return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.cases import marks, remarks
from portal.cases.remarks import Reason
from portal.cases.whose_papers import WORDS
from portal.models import Case
from portal.workflows import workflow
from portal.workflows.facts import Facts

ROWS, MOST_ROWS = 3, 20
NOTE_MOST = 2000
PARTS = ("code", "about", "note", "mark")


@dataclass(frozen=True)
class ReasonRow:
    """One row as it was typed: code of the policy's list, "target:key" of what it is about, words, and the place that
    was marked as "file/page/x,y,width,height"."""

    code: str = ""
    about: str = ""
    note: str = ""
    mark: str = ""

    @property
    def blank(self) -> bool:
        return not (self.code or self.about or self.note.strip() or self.mark)


@dataclass(frozen=True)
class Typed:
    """Everything of the decision form."""

    note: str = ""
    to: str = ""
    confirmation: str = ""  # the word of a terminal procedure
    papers_words: str = ""  # why it is right although a paper names somebody else
    rows: tuple[ReasonRow, ...] = (ReasonRow(),) * ROWS

    @property
    def reasoned(self) -> bool:
        """Whether any row of reasons says something."""
        return any(not row.blank for row in self.rows)

    def reasons(self, targets: Mapping[str, str]) -> tuple[Reason, ...]:
        """The rows that say something, as the engine takes them. `targets` says of each code what kind of thing it is
        about, so that a row which names none can be told what is missing."""
        return tuple(_reason(row, targets) for row in self.rows if not row.blank)


def _reason(row: ReasonRow, targets: Mapping[str, str]) -> Reason:
    target, _, key = row.about.partition(":")
    place = _place(row.mark) if row.mark else {}
    return Reason(row.code, target or targets.get(row.code, remarks.CASE), key, row.note, **place)


def _place(mark: str) -> dict[str, Any]:
    """File, page and box of a mark as it was posted. What cannot be read stays a mark that the engine refuses, so that
    nobody loses one unawares."""
    file_id, _, rest = mark.partition("/")
    page, _, box = rest.partition("/")
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 5 else 0
    return {"file_id": file_id or "?", "page": number, "box": marks.read_box(box)}


def typed_in(form: Mapping[str, str], more: int = 0) -> Typed:
    """The form as posted, with at least ROWS rows and `more` empty ones behind what was posted."""
    posted = sum(1 for n in range(MOST_ROWS) if f"reason-{n}-code" in form)
    rows = min(MOST_ROWS, max(ROWS, posted) + more)
    return Typed(
        note=form.get("note", "")[:NOTE_MOST],
        to=form.get("to", ""),
        confirmation=form.get("confirmation", "")[:NOTE_MOST],
        papers_words=form.get(WORDS, "")[:NOTE_MOST],
        rows=tuple(
            ReasonRow(*(form.get(f"reason-{n}-{part}", "")[:NOTE_MOST] for part in PARTS))
            for n in range(rows)
        ),
    )


def subjects(case: Case, facts: Facts) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a reason can be about, in groups: [(group, [("target:key", title)])]."""
    law = workflow(case.workflow)
    form = law.form()
    asked = [name for page in law.pages for name in page.fields if name in law.asked(facts)]
    return [
        ("证明材料", [(f"{remarks.EVIDENCE}:{slot.id}", slot.title) for slot in law.slots(facts)]),
        ("填写内容", [(f"{remarks.FIELD}:{name}", str(form[name].label.text)) for name in asked]),
        *([("学生名单", [(f"{remarks.ROSTER}:", "学生名单")])] if law.roster else []),
        ("整件业务", [(f"{remarks.CASE}:", "整件业务")]),
    ]
