"""What pages show of a case's papers, as plain values for the macros: slots, their files, what was found on them.

What never belongs here: a query about who may see it (the case has been loaded through access), a change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from flask import url_for

from portal.blueprints.capture_view import Phone, phones
from portal.blueprints.casefile import target_title
from portal.blueprints.mended_view import MendedPage, mended_pages
from portal.cases import clock, evidence, remarks
from portal.cases.facts import read_facts
from portal.models import Case, EvidenceFile, Status
from portal.workflows import workflow
from portal.workflows.facts import Facts
from portal.workflows.vocabulary import Evidence


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
    written: int
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
    one_of: int = 0  # of how many slots one is enough, while none of them has a file


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
        one_of=len(item.still_one_of(facts)),
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
    count = sum(file.written for file in files)
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
        written=file.written_pages,
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
