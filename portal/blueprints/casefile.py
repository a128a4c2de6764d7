"""What pages show of a case, as plain values for the macros: changes, steps, timeline, remarks. Used by every desk.

What never belongs here: a query about who may see it (the case has been loaded through access), a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import url_for

from portal.blueprints.marks_view import MarkedPicture, marked_picture
from portal.cases import clock, register, remarks
from portal.cases.history import EVENT_TEXT
from portal.models import Case, CaseEvent, Status
from portal.policies import Article
from portal.standards import id_number, school_numbers
from portal.standards.columns import BY_KEY
from portal.workflows import workflow
from portal.workflows.facts import Facts
from portal.workflows.vocabulary import Refusal

TONES = {"approved": "ok", "returned": "soon", "rejected": "late", "withdrawn": "paused", "submitted": "info"}


@dataclass(frozen=True)
class Change:
    """One register column: old value beside the new one, as people read them."""

    column: str
    title: str
    old: str
    new: str

    @property
    def private(self) -> bool:
        """Whether pages mask it until somebody asks."""
        return BY_KEY[self.column].private


def changes(facts: Facts) -> list[Change]:
    """What the case would change, or has changed."""
    new = workflow(facts.workflow).changes(facts)
    return [
        Change(key, BY_KEY[key].title, BY_KEY[key].shown(facts.pupil[key]), BY_KEY[key].shown(text))
        for key, text in new.items()
    ]


def old_value(facts: Facts, column: str, *, revealed: bool = False) -> str:
    """The register's present value as a person reads it, masked where it is private and not revealed."""
    text = BY_KEY[column].shown(facts.pupil[column])
    return text if revealed else _hidden(column, text)


def is_hidden(facts: Facts, column: str | None) -> bool:
    """Whether a column holds something that is masked until it is asked for."""
    return bool(column and BY_KEY[column].private and facts.pupil[column])


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


def decided_changes(case: Case, facts: Facts) -> list[Change]:
    """The same; once approved from the register's own record, since the register then holds the new values itself."""
    if case.status != Status.APPROVED:
        return changes(facts)
    return [
        Change(
            row.column,
            BY_KEY[row.column].title,
            BY_KEY[row.column].shown(row.before),
            BY_KEY[row.column].shown(row.after),
        )
        for row in register.changes_of(case)
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
        school_numbers.shown(pupil["student_number"]),
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
