"""What pages show of a case, as plain values for the macros: changes, steps, timeline, slots. Used by every desk.

What never belongs here: a query about who may see it (the case has been loaded through access), a change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import url_for

from portal.blueprints.capture_view import Phone, phones
from portal.blueprints.marks_view import MarkedPicture, marked_picture
from portal.blueprints.mended_view import MendedPage, mended_pages
from portal.cases import clock, evidence, remarks
from portal.cases.actions import EVENT_TEXT
from portal.cases.facts import read_facts
from portal.models import Case, CaseEvent, EvidenceFile, Status
from portal.policies import Article
from portal.standards import id_number, school_numbers
from portal.standards.columns import BY_KEY
from portal.workflows import workflow
from portal.workflows.vocabulary import Evidence, Facts, Refusal

TONES = {"approved": "ok", "returned": "soon", "rejected": "late", "withdrawn": "paused", "submitted": "info"}


@dataclass(frozen=True)
class Change:
    """One register column: old value beside the new one, as people read them."""

    column: str
    title: str
    old: str
    new: str


def changes(facts: Facts) -> list[Change]:
    """What the case would change, or has changed."""
    new = workflow(facts.workflow).changes(facts)
    return [
        Change(key, BY_KEY[key].title, BY_KEY[key].shown(facts.pupil[key]), BY_KEY[key].shown(text))
        for key, text in new.items()
    ]


def old_value(facts: Facts, column: str) -> str:
    """The register's present value as a person reads it, masked where it is private."""
    return _hidden(column, BY_KEY[column].shown(facts.pupil[column]))


def masked(changes: Iterable[Change], *, keep_new: bool = False) -> list[Change]:
    """The changes as pages show them by default: private values masked, the new ones too unless `keep_new` (where the
    person who typed them checks them once more)."""
    return [
        replace(
            one,
            old=_hidden(one.column, one.old),
            new=one.new if keep_new else _hidden(one.column, one.new),
        )
        for one in changes
    ]


def _hidden(column: str, text: str) -> str:
    return id_number.masked(text) if BY_KEY[column].private else text


def recorded_changes(case: Case, rows: Iterable[Any]) -> list[Change]:
    """The same from RegisterChange rows, once the register has moved on."""
    return [
        Change(
            row.column,
            BY_KEY[row.column].title,
            BY_KEY[row.column].shown(row.before),
            BY_KEY[row.column].shown(row.after),
        )
        for row in rows
    ]


@dataclass(frozen=True)
class StepItem:
    title: str
    state: str
    text: str = ""
    lacking: tuple[str, ...] = ()  # of the state "lacking": what is wrong or missing, a sentence each


def steps(case: Case, facts: Facts) -> list[StepItem]:
    """The chain of this case for macros/steps.html: the school's part first, then each deciding step."""
    law = workflow(case.workflow)
    submitted = "done" if case.round and case.status != Status.RETURNED else "current"
    items = [StepItem("学校提交", submitted, case.owner.name)]
    decided = {opinion.step: opinion for opinion in facts.opinions if opinion.verb == "approved"}
    running = law.steps(facts)
    reached = (
        [step.id for step in running].index(case.step) if case.step in [step.id for step in running] else None
    )
    for position, step in enumerate(running):
        if case.status == Status.APPROVED or (reached is not None and position < reached):
            opinion = decided.get(step.id)
            text = f"{opinion.office} {opinion.person} {opinion.day:%m月%d日}" if opinion else ""
            items.append(StepItem(step.title, "done", text))
        elif case.status == Status.IN_REVIEW and position == reached:
            items.append(StepItem(step.title, "current", case.holder.name if case.holder else ""))
        else:
            items.append(StepItem(step.title, "todo"))
    return items


@dataclass(frozen=True)
class Confirmation:
    """What is read and typed before an effect that cannot be taken back, for macros/confirm.html."""

    follows: tuple[str, ...]
    article: Article
    asks: str
    typed: str = ""
    fault: str = ""


def confirmation(facts: Facts, typed: str = "", fault: str = "") -> Confirmation | None:
    """None where the procedure has no such effect."""
    one = workflow(facts.workflow).terminal
    if one is None:
        return None
    return Confirmation(one.follows(facts), facts.policy.article(one.article), one.asks, typed, fault)


@dataclass(frozen=True)
class TimelineItem:
    at: str
    who: str
    office: str
    title: str
    note: str
    tone: str


def timeline(case: Case) -> list[TimelineItem]:
    """Everything that happened, newest first."""
    titles = remarks.reason_titles(case)
    return [_timeline_item(case, event, titles) for event in reversed(case.events)]


def _timeline_item(case: Case, event: CaseEvent, titles: Mapping[str, str]) -> TimelineItem:
    law = workflow(case.workflow)
    where = f"{law.step(event.step).title}：" if event.step else ""
    lines = [event.note] if event.note else []
    for reason in event.data.get("reasons", []):
        what = target_title(case, reason["target"], reason["key"])
        note = f"：{reason['note']}" if reason["note"] else ""
        lines.append(f"{what}——{titles.get(reason['code'], reason['code'])}{note}")
    return TimelineItem(
        at=clock.local(event.at).strftime("%Y-%m-%d %H:%M"),
        who=event.actor.name,
        office=event.office.name,
        title=where + EVENT_TEXT[event.verb],
        note="\n".join(lines),
        tone=TONES.get(event.verb, "info"),
    )


def target_title(case: Case, target: str, key: str) -> str:
    """What a remark is about, in words."""
    law = workflow(case.workflow)
    if target == remarks.FIELD:
        form = law.form()
        return str(form[key].label.text) if key in form else key
    if target == remarks.EVIDENCE:
        slot = law.slot(key)
        return slot.title if slot else key
    return "学生名单" if target == remarks.ROSTER else "整件业务"


@dataclass(frozen=True)
class RemarkItem:
    """One line of the 补正 list: where it leads, and whether it is settled."""

    id: str
    position: int
    title: str
    reason: str
    note: str
    settled: bool
    explanation: str
    target: str
    key: str
    url: str
    marked: MarkedPicture | None = None


def remark_items(case: Case) -> list[RemarkItem]:
    """The 补正 list of the latest return, empty when there was none."""
    titles = remarks.reason_titles(case)
    return [
        RemarkItem(
            str(remark.id),
            remark.position,
            target_title(case, remark.target, remark.key),
            titles.get(remark.code, remark.code),
            remark.note,
            remarks.settled(case, remark),
            remark.explanation,
            remark.target,
            remark.key,
            mending_url(case, remark.target, remark.key),
            marked_picture(case, remark, titles),
        )
        for remark in remarks.open_remarks(case)
    ]


def mending_url(case: Case, target: str, key: str) -> str:
    """The page and place on which the owner can change what a remark or a refusal is about."""
    law = workflow(case.workflow)
    if law.roster and (target == remarks.ROSTER or key == remarks.ROSTER):
        return url_for("rosters.show", case_id=case.id, show="all" if target == remarks.ROSTER else "stop")
    if target == remarks.EVIDENCE or law.slot(key):
        return url_for("cases.papers", case_id=case.id, _anchor=f"slot-{key}")
    page = next((page.id for page in law.pages if key in page.fields), law.pages[0].id)
    return url_for("cases.fill", case_id=case.id, page=page, _anchor=key or None)


def refusal_url(case: Case, refusal: Refusal) -> str:
    return mending_url(case, remarks.FIELD, refusal.field)


# --- evidence -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Message:
    level: str
    text: str


@dataclass(frozen=True)
class FileView:
    """A file for macros/evidence.html and macros/desk.html."""

    id: str
    name: str
    slot: str
    slot_title: str
    size_text: str
    status: str
    verdict: str
    messages: tuple[Message, ...]
    notice: str
    override_reason: str
    may_override: bool
    pages: int
    page_urls: tuple[str, ...]
    thumb_url: str
    view_url: str
    original_url: str
    remove_url: str
    override_url: str
    uploaded_at: str
    sha256: str
    mended: tuple[MendedPage, ...] = ()


@dataclass(frozen=True)
class SlotView:
    id: str
    title: str
    help: str
    issuer: str
    required: bool
    satisfied: bool
    upload_url: str
    readonly: bool
    camera_url: str = ""
    phone_url: str = ""
    phone: Phone | None = None
    files: list[FileView] = field(default_factory=list)
    error: str = ""
    missing_pages: str = ""  # that it may not be whole; a person decides


def slots(
    case: Case, facts: Facts | None = None, *, readonly: bool = False, error: tuple[str, str] = ("", "")
) -> list[SlotView]:
    """The slots that the answers call for, with their files. `error` is (slot id, message)."""
    facts = facts or read_facts(case)
    law = workflow(case.workflow)
    handed = {} if readonly else phones(case)
    returned = [] if case.status != Status.RETURNED else remarks.unsettled(case)
    asked = {remark.key for remark in returned if remark.target == remarks.EVIDENCE}
    files: dict[str, list[EvidenceFile]] = defaultdict(list)
    for file in evidence.files_of(case):
        files[file.slot].append(file)
    views = []
    for item in law.slots(facts):
        message = error[1] if error[0] == item.id else ""
        view = _slot_view(case, facts, item, files[item.id], readonly=readonly, error=message)
        whole = (
            view.satisfied and item.id not in asked
        )  # what a return names is not settled before it changes
        views.append(replace(view, phone=handed.get(item.id), satisfied=whole))
    return views


def _slot_view(
    case: Case,
    facts: Facts,
    item: Evidence,
    standing: Sequence[EvidenceFile],
    *,
    readonly: bool,
    error: str,
) -> SlotView:
    files = [file_view(case, file, item.title) for file in standing]
    settled = [file.verdict in evidence.SETTLED or bool(file.override_reason) for file in files]
    return SlotView(
        id=item.id,
        title=item.title,
        help=item.help,
        issuer=item.issuer,
        required=item.required(facts),
        satisfied=bool(files) and all(settled),
        upload_url=url_for("evidence.upload", case_id=case.id, slot=item.id),
        readonly=readonly,
        camera_url=url_for("captures.camera", case_id=case.id, slot=item.id),
        phone_url=url_for("captures.hand_over", case_id=case.id, slot=item.id),
        files=files,
        error=error,
        missing_pages=_missing_pages(item, files),
    )


def _missing_pages(item: Evidence, files: list[FileView]) -> str:
    """What to say when fewer pages came than such a paper has. Two pages may lie side by side in one picture."""
    count = sum(file.pages for file in files)
    if not files or count >= len(item.pages):
        return ""
    return f"应有{'、'.join(item.pages)}共 {len(item.pages)} 页，现在只有 {count} 页；缺的请补传，拍在同一张照片里的不用再传"


def file_view(case: Case, file: EvidenceFile, slot_title: str = "") -> FileView:
    urls = tuple(url_for("evidence.view", file_id=file.id, page=page.page) for page in file.pages)
    return FileView(
        id=str(file.id),
        name=file.name,
        slot=file.slot,
        slot_title=slot_title or target_title(case, remarks.EVIDENCE, file.slot),
        size_text=size_text(file.size),
        status="",
        verdict=file.verdict,
        messages=tuple(_messages(file)),
        notice=file.notice,
        override_reason=file.override_reason,
        may_override=evidence.may_override(case, file),
        pages=len(file.pages),
        page_urls=urls,
        thumb_url=url_for("evidence.thumb", file_id=file.id, page=file.pages[0].page) if file.pages else "",
        view_url=urls[0] if urls else "",
        original_url=url_for("evidence.original", file_id=file.id),
        remove_url=url_for("evidence.remove", file_id=file.id),
        override_url=url_for("evidence.override", file_id=file.id),
        uploaded_at=clock.local(file.uploaded_at).strftime("%m-%d %H:%M"),
        sha256=file.sha256,
        mended=mended_pages(case, file),
    )


WORST_FIRST = ("refuse", "advise", "mend", "pass")


def _messages(file: EvidenceFile) -> Iterable[Message]:
    """What to do comes first. Of a page to be taken anew nothing is said of how it was mended."""
    several = len(file.pages) > 1
    for page in file.pages:
        told = [found for found in page.measurements if found["message"]]
        if any(found["verdict"] == "refuse" for found in told):
            told = [found for found in told if found["verdict"] != "mend"]
        for found in sorted(told, key=lambda one: WORST_FIRST.index(one["verdict"])):
            yield Message(found["verdict"], (f"第 {page.page} 页：" if several else "") + found["message"])


def size_text(size: int) -> str:
    return f"{size / 1048576:.1f} MB" if size >= 1048576 else f"{max(1, round(size / 1024))} KB"


# --- the head of a page ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PupilLine:
    """A pupil in one line: numbers masked, since birth date and sex may stand beside them."""

    name: str
    school: str
    klass: str
    student_number: str
    id_number: str
    sex: str


def subject_line(facts: Facts) -> PupilLine:
    """Whom the case is about in one line: the pupil, or how many stand on the roster."""
    if workflow(facts.workflow).roster is None:
        return pupil_line(facts)
    return PupilLine(f"名单 {len(facts.standing_rows)} 人", facts.school.name, "", "", "", "")


def pupil_line(facts: Facts) -> PupilLine:
    pupil = facts.pupil
    return PupilLine(
        pupil["name"],
        facts.school.name,
        f"{pupil['grade']} {pupil['class_name']}".strip(),
        school_numbers.masked(pupil["student_number"]),
        id_number.masked(pupil["id_number"]),
        BY_KEY["sex"].shown(pupil["sex"]),
    )


def answers(facts: Facts, case: Case) -> list[tuple[str, str]]:
    """(label, value) of the answers that are not register columns, e.g. cause and explanation."""
    law = workflow(case.workflow)
    form = law.form.from_raw(case.answers, facts)
    found = []
    for name in (name for page in law.pages for name in page.fields):
        if name in law.asked(facts) and name not in law.compare:
            found.append((str(form[name].label.text), shown(form[name])))
    return found


def shown(form_field: Any) -> str:
    """What was answered as a person reads it: labels instead of codes."""
    chosen = form_field.data if isinstance(form_field.data, list) else [form_field.data]
    if getattr(form_field, "choices", None):
        labels = {str(value): str(label) for value, label, *_ in form_field.iter_choices()}
        return "、".join(labels.get(str(value), str(value)) for value in chosen if value)
    return "、".join(str(value) for value in chosen if value)
