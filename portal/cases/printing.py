"""Facts + blank DOCX (or Sheet) -> bytes: the official form of any procedure, with what every form may say.

A blank uses the generic names below, those of its printout, and the rows `changes:` and `evidence:`.

What never belongs here: the name of a procedure, the database, HTTP.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import segno

from portal import audit
from portal.cases import sheets
from portal.cases.docx_forms import About, Filling, fill
from portal.policies import all_policies, source
from portal.printouts import FOLDER
from portal.standards import school_numbers
from portal.standards.columns import COLUMNS, EVERY
from portal.workflows import workflow
from portal.workflows.facts import EvidenceFact, Facts, Office, Opinion, SchoolFacts
from portal.workflows.vocabulary import NOT_NEEDED, Printout, Sheet, Workflow, base_id

QR_WIDTH = 21.0  # mm
QR = "qr"
PRESENTED = "现提交本表所列事项，请予审核。"
SIGN = "负责人（签名）：\t（盖章）\t年　　月　　日"
VERBS = {"approved": "同意。", "rejected": "不同意。"}
UNSUBMITTED = "草稿，未提交"
EMPTY = "（空）"
FILES_ONE_BY_ONE = 6  # above that the list names each kind of paper once, with all its fingerprints

Rows = Mapping[str, Sequence[Mapping[str, str]]]


def render(
    printout: Printout,
    facts: Facts,
    *,
    version: int,
    anchor: str,
    qr_text: str,
    status: str = "",
    printed_at: datetime | None = None,
) -> bytes:
    """The filled DOCX; the same bytes for the same arguments.

    `facts` are those of the case as it stands on paper (see printed.facts_on_paper). `anchor` names a record of the audit chain,
    `status` is the status in words, `printed_at` the time of printing in China.
    """
    texts = _texts(printout, facts, version, anchor, status, printed_at)
    about = About(printout.title, facts.number, _moment(facts, printed_at))
    pictures = {QR: (qr_png(qr_text), QR_WIDTH)}
    return fill(FOLDER / printout.blank, Filling(texts, rows(printout, facts), pictures), about)


def render_sheet(
    printout: Printout,
    sheet: Sheet,
    facts: Facts,
    *,
    version: int,
    anchor: str,
    qr_text: str,
    status: str = "",
    printed_at: datetime | None = None,
) -> bytes:
    """The same form as XLSX, with the QR code on every page and its text in the last line. Arguments as those of render()."""
    texts = {**_texts(printout, facts, version, anchor, status, printed_at), QR: qr_text}
    group = rows(printout, facts)[sheet.group] if sheet.group else ()
    words = sheets.Words(texts, qr_png(qr_text), group)
    return sheets.write(sheet, words, printout.title, _moment(facts, printed_at))


def _texts(
    printout: Printout, facts: Facts, version: int, anchor: str, status: str, printed_at: datetime | None
) -> dict[str, str]:
    """{name: text} of everything, with the circumstances of printing."""
    return {
        **values(printout, facts),
        "version": str(version),
        "anchor": anchor,
        "status": UNSUBMITTED if facts.submitted_on is None else status,
        "printed_at": _moment(facts, printed_at).strftime("%Y-%m-%d %H:%M" if printed_at else "%Y-%m-%d"),
    }


def _moment(facts: Facts, printed_at: datetime | None) -> datetime:
    """The time of printing, naive; without one the day of the facts."""
    moment = printed_at or datetime.combine(facts.today, datetime.min.time())
    return moment.replace(tzinfo=None, microsecond=0)


def qr_text(printout: Printout, facts: Facts, *, version: int, key: str) -> str:
    """What the QR code holds: number|printout|version|12 digits. No personal data; the digits are a keyed hash of the first
    three and of all that is printed, so that none of it can be changed and nobody can try values against it."""
    contents = [facts.number, printout.id, version, said(printout, facts), rows(printout, facts)]
    return f"{facts.number}|{printout.id}|{version}|{keyed_digits(contents, key)}"


def said(printout: Printout, facts: Facts) -> dict[str, str]:
    """The names of a form that count under its digits, with their texts."""
    return {name: text for name, text in values(printout, facts).items() if counts(printout, name, text)}


def keyed_digits(contents: list[Any], key: str) -> str:
    """12 digits of a keyed hash."""
    return audit.keyed_hash(key, json.dumps(contents, sort_keys=True, ensure_ascii=True))[:12]


def counts(printout: Printout, name: str, text: str) -> bool:
    """Whether a name is a part of what the form says; one that came onto the blank later is none while empty."""
    return bool(text) or name not in printout.later


def qr_png(text: str) -> bytes:
    """A QR code of level M as PNG, 8 pixels a module; the paper around it is its quiet zone."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="png", scale=8, border=1)
    return out.getvalue()


def known_names(law: Workflow, printout: Printout) -> tuple[frozenset[str], frozenset[str]]:
    """The plain names and the row groups that a blank of this printout may use."""
    facts = facts_of_nobody(law)
    generic = frozenset(values(printout, facts)) | {"version", "anchor", "status", "printed_at", QR}
    return generic, frozenset(rows(printout, facts))


def facts_of_nobody(law: Workflow) -> Facts:
    """The facts of an empty case, to ask a procedure for the names that it knows."""
    policy = next(one for one in all_policies().values() if law.offered(one))
    return Facts(law.id, "", date(2026, 1, 1), policy, SchoolFacts(""))


def values(printout: Printout, facts: Facts) -> dict[str, str]:
    """{name: text} of everything but the circumstances of printing."""
    law, pupil = workflow(facts.workflow), facts.pupil
    known = {f"pupil.{column.key}": column.shown(pupil[column.key]) for column in COLUMNS}
    known["pupil.student_number"] = known["pupil.student_number"] or school_numbers.NONE_YET
    for level in (Office.SCHOOL, Office.COUNTY, Office.STATE):
        text = opinion(law, facts, level)
        known |= {f"{level}_opinion": text, f"{level}_sign": "" if text == NOT_NEEDED else SIGN}
    known |= {
        "case_number": facts.number,
        "title": printout.title,
        "school": facts.school.name,
        "county": facts.school.supervisors.get("county", ""),
        "state": facts.school.supervisors.get("state", ""),
        "class": " ".join(part for part in (pupil["grade"], pupil["class_name"]) if part),
        "applicant": facts.applicant,
        "submitted_on": on_paper(facts.submitted_on) if facts.submitted_on else "",
        "basis": basis(law, facts),
    }
    return {**known, **printout.names(facts)}


def rows(printout: Printout, facts: Facts) -> Rows:
    """{group: rows of {name: text}}."""
    own = printout.rows(facts) if printout.rows else {}
    return {**generic_rows(facts), **own}


def generic_rows(facts: Facts) -> Rows:
    """The groups of rows that every blank may use."""
    return {"changes": change_rows(facts), "evidence": evidence_rows(facts)}


def change_rows(facts: Facts) -> list[dict[str, str]]:
    """Old and new value of each column that the case changes, in the order of the register."""
    new = workflow(facts.workflow).changes(facts)
    return [
        {
            "title": column.title,
            "before": column.shown(facts.pupil[column.key]) or EMPTY,
            "after": column.shown(new[column.key]) or EMPTY,
        }
        for column in EVERY
        if column.key in new
    ]


def evidence_rows(facts: Facts) -> list[dict[str, str]]:
    """A row a file, in order of the slots; a row a slot where there are many files."""
    order = {item.id: position for position, item in enumerate(workflow(facts.workflow).evidence)}
    files = sorted(facts.evidence, key=lambda file: order.get(base_id(file.slot), len(order)))
    if len(files) <= FILES_ONE_BY_ONE:
        groups = [[file] for file in files]
    else:
        groups = [
            [file for file in files if file.slot == slot]
            for slot in dict.fromkeys(file.slot for file in files)
        ]
    return [_evidence_row(position, group, facts) for position, group in enumerate(groups, start=1)]


def _evidence_row(position: int, files: list[EvidenceFact], facts: Facts) -> dict[str, str]:
    slot = workflow(facts.workflow).slot(files[0].slot, facts)
    copies = f"（{len(files)} 份）" if len(files) > 1 else ""
    return {
        "position": str(position),
        "title": (slot.title if slot else files[0].slot) + copies,
        "count": f"{sum(file.pages for file in files)} 页",
        "fingerprints": " ".join(file.sha256[:12] for file in files),
    }


def opinion(law: Workflow, facts: Facts, level: Office) -> str:
    """What an office of this level has said, "" where it has not yet; the school's own begins with its submission."""
    steps = {step.id for step in law.chain if step.office == level}
    said = [_said(one) for one in standing(facts) if one.step in steps]
    if level is Office.SCHOOL:
        return "\n".join([*_presented(facts), *said])
    if not said and not any(step.office == level for step in law.steps(facts)):
        return NOT_NEEDED
    return "\n".join(said)


def standing(facts: Facts) -> tuple[Opinion, ...]:
    """The opinions that still hold: a return makes void what was said before it."""
    returns = [position for position, one in enumerate(facts.opinions) if one.verb == "returned"]
    return facts.opinions[returns[-1] + 1 :] if returns else facts.opinions


def _presented(facts: Facts) -> list[str]:
    if facts.submitted_on is None:
        return []
    return [PRESENTED, f"经办人：{facts.applicant}　{on_paper(facts.submitted_on)}提交"]


def _said(one: Opinion) -> str:
    lines = [VERBS.get(one.verb, "") + one.note.strip(), f"经办人：{one.person}　{on_paper(one.day)}办理"]
    return "\n".join(lines)


def basis(law: Workflow, facts: Facts) -> str:
    """The clauses on which the papers that this case needs rest."""
    articles = [slot.article for slot in law.slots(facts) or law.evidence]
    cited = (source(facts.policy, one) for one in articles)
    return "；".join(dict.fromkeys(article.cited for article in cited))


def on_paper(day: date) -> str:
    """A date as forms write it, e.g. 2026年9月1日."""
    return f"{day.year}年{day.month}月{day.day}日"
