"""What pages show of a handover to a phone, and what a phone is told of the picture it has just taken.

What never belongs here: a query about who may see it, a change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_login import current_user

from portal.cases import captures, evidence
from portal.models import Case, EvidenceFile, PhoneCapture
from portal.models.types import utcnow

LEVELS = {"pass": "ok", "mend": "ok", "advise": "soon", "refuse": "late"}
TITLES = {
    "pass": "已收下，合格",
    "mend": "已收下，系统已自动处理",
    "advise": "已收下，建议重拍",
    "refuse": "需要重拍",
}


@dataclass(frozen=True)
class Phone:
    """A running handover at its slot: the code until a phone has taken it, then the time left."""

    taken: bool
    left: str
    code_url: str
    watch_url: str
    end_url: str


def phones(case: Case) -> dict[str, Phone]:
    """{slot: handover} of the session that looks. Nobody else sees its code."""
    return {
        slot: _phone(case, slot, one) for slot, one in captures.open_of(case, current_user.session_id).items()
    }


def _phone(case: Case, slot: str, capture: PhoneCapture) -> Phone:
    seen = captures.standing_of(evidence.files_of(case, slot))
    return Phone(
        taken=capture.taken_at is not None,
        left=minutes_left(capture),
        # each handover has an address of its own: browsers draw a picture again that they have under the same one
        code_url=url_for("captures.code", case_id=case.id, slot=slot, of=capture.id.hex[-8:]),
        watch_url=url_for("captures.watch", case_id=case.id, slot=slot, seen=seen),
        end_url=url_for("captures.end", case_id=case.id, slot=slot),
    )


def seconds_left(capture: PhoneCapture) -> int:
    return max(0, int((capture.expires_at - utcnow()).total_seconds()))


def minutes_left(capture: PhoneCapture) -> str:
    """E.g. 9 分 12 秒."""
    minutes, seconds = divmod(seconds_left(capture), 60)
    return f"{minutes} 分 {seconds:02d} 秒"


@dataclass(frozen=True)
class Verdict:
    """What a person with the camera still in hand needs: whether it is good, what is wrong, what to do."""

    file_id: str
    title: str
    tone: str
    again: bool
    messages: tuple[str, ...]


def verdict(file: EvidenceFile) -> Verdict:
    messages = [
        measured["message"] for page in file.pages for measured in page.measurements if measured["message"]
    ]
    if file.notice:
        messages.append(file.notice)
    again = file.verdict not in evidence.SETTLED
    return Verdict(
        str(file.id), TITLES[file.verdict], LEVELS[file.verdict], again, tuple(dict.fromkeys(messages))
    )


def as_json(told: Verdict | None, message: str) -> dict[str, Any]:
    """For capture.js."""
    if told is None:
        return {"message": message}
    return {
        "file": told.file_id,
        "title": told.title,
        "tone": told.tone,
        "again": told.again,
        "messages": list(told.messages),
    }
