"""Whether a printed paper still says what its case says, and what has changed where it does not.

The 12 digits of the QR code seal number, kind of form, version and all that was printed, and every printing has its
record: a code of which any of these was changed stands in no record. A case that only moved on has the opinions of more
offices on its form and nothing else; so the paper is held against the form as it stands now and as it stood at each step
on the way here. When none fits, the record of the printing tells which parts differ: it keeps a keyed fingerprint of every
part of the form, by which a value that can still be found is recognised, and nothing can be read. Of a list it keeps those
of its rows (see row_marks).

What never belongs here: HTTP, who may see a case.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from sqlalchemy import or_, select

from portal import audit
from portal.cases import printing, pupil_numbers, row_marks
from portal.cases.docx_forms import names_in
from portal.cases.row_marks import RowsDifference
from portal.extensions import db
from portal.models import AuditRecord, Case, EvidenceFile
from portal.models.numbers import NATIONAL, TEMPORARY
from portal.printouts import FOLDER
from portal.standards import id_number
from portal.standards.columns import BY_KEY, EVERY, Column
from portal.workflows import workflow
from portal.workflows.facts import EvidenceFact, Facts
from portal.workflows.vocabulary import Printout

DIGITS = 8  # of a part's fingerprint: to tell a change from none, not to prove anything
LONGEST = 40  # characters of a value in a sentence
CODE = re.compile(r"([A-Z]{2}[0-9]{10,14})\|([a-z0-9-]{1,60})\|([0-9]{1,9})\|([0-9a-f]{12})")
TITLES = {
    "case_number": "业务编号",
    "title": "表名",
    "school": "学校",
    "county": "县级主管部门",
    "state": "州级主管部门",
    "class": "年级班级",
    "applicant": "经办人",
    "submitted_on": "提交日期",
    "basis": "政策依据",
    "school_opinion": "学校意见",
    "county_opinion": "县级意见",
    "state_opinion": "州级意见",
}
NOT_KEPT = "（打印时的内容没有留存）"


@dataclass(frozen=True)
class Code:
    """What the QR code of a printed form says."""

    number: str
    printout: str
    version: int
    digits: str

    @classmethod
    def read(cls, text: str) -> Code | None:
        """The code, or None when the text is none of ours."""
        found = CODE.fullmatch(text)
        return cls(found[1], found[2], int(found[3]), found[4]) if found else None


@dataclass(frozen=True)
class Difference:
    """One part of the form: what was printed (None where it cannot be found any more) and what it says now."""

    title: str
    before: str | None
    after: str

    @property
    def sentence(self) -> str:
        before = NOT_KEPT if self.before is None else self.before
        return f"{self.title}：打印时为“{before}”，现为“{self.after}”"


@dataclass(frozen=True)
class Finding:
    """`same`: the paper says what the case says, and `shows` is the case as it stood when the form looked like this.
    Otherwise `known` tells whether this portal printed it, and `differences` what has changed since."""

    same: bool
    known: bool
    differences: tuple[Difference | RowsDifference, ...] = ()
    shows: Facts | None = None


def examine(case: Case, printout: Printout, code: Code, facts: Facts, key: str) -> Finding:
    """Hold a paper against its case. `facts` are those of the case on paper, `key` the installation's secret."""
    record = _printing(case, printout, code)
    if record is None:
        return Finding(same=False, known=False)
    digits = DIGITS_BY[record.body.get("digits_by", CONTENTS)]
    moments = list(moments_of(case, facts))
    for one in moments:
        if hmac.compare_digest(code.digits, digits(printout, one, code.version, key)):
            return Finding(same=True, known=True, shows=one)
    printed: Mapping[str, str] = record.body["parts"]
    found = [(_changed(printed, fingerprints(printout, one, key)), one) for one in moments]
    changed, nearest = min(found, key=lambda one: len(one[0]))
    if not changed:
        return Finding(same=True, known=True, shows=nearest)
    return Finding(False, True, tuple(_differences(case, printout, facts, record, changed, key)))


def moments_of(case: Case, facts: Facts) -> Iterator[Facts]:
    """The case as it stands, then with fewer and fewer of the standing opinions, then as not yet submitted; then the same
    under each 学籍号 that the pupil had before."""
    for one in _under_each_number(case, facts):
        said = printing.standing(one)
        for count in range(len(said), -1, -1):
            yield replace(one, opinions=said[:count])
        yield replace(one, opinions=(), submitted_on=None, applicant=case.created_by.name)


def _under_each_number(case: Case, facts: Facts) -> Iterator[Facts]:
    yield facts
    had = pupil_numbers.history(case.pupil_id) if case.pupil_id else ()
    for one in had:
        if one.until is not None and one.kind in (NATIONAL, TEMPORARY):
            values = {**facts.pupil.values, "student_number": one.number}
            yield replace(facts, pupil=replace(facts.pupil, values=values))


def digits_of(printout: Printout, facts: Facts, version: int, key: str) -> str:
    """The digits that the QR code of this form holds."""
    return printing.qr_text(printout, facts, version=version, key=key).rpartition("|")[2]


def _digits_of_contents(printout: Printout, facts: Facts, _version: int, key: str) -> str:
    """The digits on forms whose record does not say how they were made: of what is printed alone. Kind and version of such
    a code are those of its record."""
    return printing.keyed_digits([printing.said(printout, facts), printing.rows(printout, facts)], key)


# How the digits of a printing were made, by the word in its record.
WHOLE, CONTENTS = "whole", ""
DIGITS_BY: Mapping[str, Callable[[Printout, Facts, int, str], str]] = {
    WHOLE: digits_of,
    CONTENTS: _digits_of_contents,
}


def fingerprints(printout: Printout, facts: Facts, key: str) -> dict[str, str]:
    """{part: digits} of everything that the form shows; they differ from case to case for equal values."""
    found = {name: _mark(facts.number, name, text, key) for name, text in parts(printout, facts).items()}
    for group, rows in _lists(printout, facts).items():
        found |= row_marks.marks(group, rows, facts.number, key)
    return found


def parts(printout: Printout, facts: Facts) -> dict[str, str]:
    """{part: text} of what stands on this form but its lists: its plain names, and its few rows with a title as
    `group:first words of the row`."""
    plain, groups = _on_blank(printout.blank)
    found = {
        name: text
        for name, text in printing.values(printout, facts).items()
        if name in plain and printing.counts(printout, name, text)
    }
    for group, rows in printing.generic_rows(facts).items():
        for row in rows if group in groups else ():
            texts = [text for name, text in row.items() if name not in ("position", "title")]
            found[f"{group}:{row.get('title', row.get('position', ''))}"] = " → ".join(texts)
    return found


def _mark(case: str, name: str, text: str, key: str) -> str:
    return audit.keyed_hash(key, json.dumps([case, name, text]))[:DIGITS]


def _lists(printout: Printout, facts: Facts) -> printing.Rows:
    """The rows that this form has of its own, {group: rows}."""
    return printout.rows(facts) if printout.rows else {}


@cache
def _on_blank(blank: str) -> tuple[frozenset[str], frozenset[str]]:
    plain, pairs = names_in(FOLDER / blank)
    return frozenset(name for name in plain if not name.endswith("_sign")), frozenset(
        group for group, _name in pairs
    )


def _printing(case: Case, printout: Printout, code: Code) -> AuditRecord | None:
    """The newest record of a printing of this kind and version with these digits."""
    query = select(AuditRecord).where(
        AuditRecord.object_kind == "case",
        AuditRecord.object_id == str(case.id),
        AuditRecord.action == "case.printed",
    )
    for record in db.session.scalars(query.order_by(AuditRecord.at.desc())):
        body = record.body
        known = body.get("printout") == printout.id and body.get("version") == code.version
        if known and "parts" in body and hmac.compare_digest(code.digits, body.get("digits", "")):
            return record
    return None


def _changed(printed: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [name for name in {**now, **printed} if printed.get(name) != now.get(name)]


def _differences(
    case: Case, printout: Printout, facts: Facts, record: AuditRecord, changed: list[str], key: str
) -> Iterator[Difference | RowsDifference]:
    printed: Mapping[str, str] = record.body["parts"]
    lists = {group: {group, group + row_marks.NUMBERS} & set(changed) for group in _lists(printout, facts)}
    now = parts(printout, facts)
    singly = [name for name in changed if not any(name in names for names in lists.values())]
    pasts = [parts(printout, one) for one in _pasts(case, facts, record.at)] if singly else []
    for name in singly:
        before: str | None = ""
        if mark := printed.get(name):
            texts = (past[name] for past in pasts if name in past)
            before = next((one for one in texts if _mark(facts.number, name, one, key) == mark), None)
        yield Difference(
            title_of(printout, facts, name),
            None if before is None else _shown(name, before),
            _shown(name, now.get(name, "")),
        )
    for group in (group for group, names in lists.items() if names):
        present = row_marks.marks(group, _lists(printout, facts)[group], facts.number, key)
        yield row_marks.difference(printout.labels.get(group, "名单"), group, printed, present)


def _pasts(case: Case, facts: Facts, at: datetime) -> Iterator[Facts]:
    """What the case may have been: the files that stood in it then, and each answer that a return has noted."""
    earlier = replace(facts, evidence=_evidence_at(case, at))
    yield earlier
    law = workflow(case.workflow)
    for remark in case.remarks:
        if remark.target == "field":
            raw = {**case.answers, remark.key: json.loads(remark.before or "null") or ""}
            yield replace(earlier, answers=law.form.from_raw(raw, facts).typed())


def _evidence_at(case: Case, at: datetime) -> tuple[EvidenceFact, ...]:
    query = select(EvidenceFile).where(
        EvidenceFile.case_id == case.id,
        EvidenceFile.status == "committed",
        EvidenceFile.uploaded_at <= at,
        or_(EvidenceFile.removed_at.is_(None), EvidenceFile.removed_at > at),
    )
    return tuple(
        EvidenceFact(
            file.slot, file.name, file.sha256, file.written_pages, file.verdict, file.override_reason
        )
        for file in db.session.scalars(query.order_by(EvidenceFile.uploaded_at, EvidenceFile.id))
    )


def _column(name: str) -> Column | None:
    if name.startswith("pupil."):
        return BY_KEY.get(name.removeprefix("pupil."))
    title = name.removeprefix("changes:") if name.startswith("changes:") else ""
    return next((column for column in EVERY if column.title == title), None)


def title_of(printout: Printout, facts: Facts, name: str) -> str:
    """What people call a part of the form."""
    if name in printout.labels:
        return printout.labels[name]
    if name.startswith("evidence:"):
        return f"证明材料“{name.removeprefix('evidence:')}”"
    if name.startswith("changes:"):
        return f"变更事项“{name.removeprefix('changes:')}”"
    if column := _column(name):
        return column.title
    form = workflow(facts.workflow).form()
    return str(form[name].label.text) if name in form else TITLES.get(name, "表内其他内容")


def _shown(name: str, text: str) -> str:
    """A value in a sentence: private ones masked, long ones cut, fingerprints of files left out."""
    column = _column(name)
    if column and column.private:
        hidden = [
            id_number.masked(one) if column.kind == "id_number" else "（不显示）" for one in text.split(" → ")
        ]
        return " → ".join(hidden) if text else "（空）"
    if name.startswith("evidence:"):
        return text.partition(" → ")[0] + (f"（指纹 {text.rpartition(' → ')[2][:12]}）" if text else "没有")
    return (text[:LONGEST] + "…" if len(text) > LONGEST else text).replace("\n", "，") or "（空）"


def told(differences: tuple[Difference | RowsDifference, ...]) -> str:
    """The differences in one sentence."""
    return "；".join(one.sentence for one in differences)
