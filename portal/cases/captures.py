"""One evidence slot of one case handed to one phone: a ticket that is taken once, ten minutes, that slot only.

The phone never signs in. What it may do is asked anew with every picture: whether the time runs, whether nobody has ended
it, and whether the account that handed the slot over may still change that case. Whether that account's sign-in session
still lives is for the room that knows sessions.

What never belongs here: HTTP, a cookie, how a file is judged and kept (evidence).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select, update

from portal import audit
from portal.cases import evidence
from portal.cases.access import Actor, find_case
from portal.cases.actions import available
from portal.cases.facts import read_facts
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Case, EvidenceFile, PhoneCapture
from portal.models.types import new_id, utcnow
from portal.workflows import workflow
from portal.workflows.vocabulary import Evidence

LIFE = timedelta(minutes=10)
ENDED = "这次拍照已结束"
OUT_OF_TIME = "已超过 10 分钟，这次拍照已结束"
SUBMITTED = "业务已提交，证明材料不能再改动"
USED = "这个二维码已经用过，或已失效"


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def wanted(case: Case, actor: Actor, slot: str) -> Evidence | None:
    """The slot if the case asks for it and the actor may fill it now; None otherwise."""
    if "edit" not in available(case, actor):
        return None
    return next((one for one in workflow(case.workflow).slots(read_facts(case)) if one.id == slot), None)


def hand_over(case: Case, actor: Actor, session_id: uuid.UUID, slot: str, key: str) -> PhoneCapture:
    """Begin a handover; an earlier one of the same slot by the same session ends. Raises Refused."""
    if wanted(case, actor, slot) is None:
        raise Refused("业务已提交或不需要这份材料，不能再拍照上传", conflict=True)
    _end(PhoneCapture.case_id == case.id, PhoneCapture.slot == slot, PhoneCapture.session_id == session_id)
    capture = PhoneCapture(
        id=new_id(),
        case_id=case.id,
        slot=slot,
        account_id=actor.id,
        session_id=session_id,
        created_at=utcnow(),
        expires_at=utcnow() + LIFE,
    )
    capture.ticket_hash = hashed(ticket_of(capture, key))
    db.session.add(capture)
    db.session.flush()
    audit.append("capture.opened", "capture", capture.id, case=case.id.hex)
    return capture


def ticket_of(capture: PhoneCapture, key: str) -> str:
    """The ticket's text, 256 bits; made of the installation's secret, so that the page that shows it can be drawn again."""
    return audit.keyed_hash(key, f"phone capture {capture.id.hex}")


def by_ticket(ticket: str) -> PhoneCapture | None:
    return db.session.scalars(
        select(PhoneCapture).where(PhoneCapture.ticket_hash == hashed(ticket))
    ).one_or_none()


def take(capture: PhoneCapture) -> str:
    """Give the slot to the phone that asks first; returns the phone's secret. Raises Refused when the ticket is spent."""
    secret = secrets.token_urlsafe(32)
    free = (
        PhoneCapture.id == capture.id,
        PhoneCapture.taken_at.is_(None),
        PhoneCapture.ended_at.is_(None),
        PhoneCapture.expires_at > utcnow(),
    )
    done = db.session.execute(
        update(PhoneCapture).where(*free).values(taken_at=utcnow(), phone_hash=hashed(secret)),
        execution_options={"synchronize_session": False},
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused(USED)
    audit.append("capture.taken", "capture", capture.id, case=capture.case_id.hex)
    return secret


def holds(capture: PhoneCapture, secret: str) -> bool:
    """Whether this is the phone that took the ticket."""
    return bool(capture.phone_hash) and hmac.compare_digest(capture.phone_hash, hashed(secret))


def over(capture: PhoneCapture) -> str:
    """Why nothing more can be taken, "" while it can; asked with every request of the phone."""
    if capture.ended_at is not None:
        return ENDED
    if utcnow() >= capture.expires_at:
        return OUT_OF_TIME
    if not (capture.account.active and capture.account.office.active):
        return ENDED
    actor = Actor.of(capture.account)
    case = find_case(actor, capture.case_id)
    return "" if case and wanted(case, actor, capture.slot) else SUBMITTED


def open_of(case: Case, session_id: uuid.UUID) -> dict[str, PhoneCapture]:
    """{slot: handover} of this session that still run."""
    query = select(PhoneCapture).where(
        PhoneCapture.case_id == case.id,
        PhoneCapture.session_id == session_id,
        PhoneCapture.ended_at.is_(None),
        PhoneCapture.expires_at > utcnow(),
    )
    return {one.slot: one for one in db.session.scalars(query.order_by(PhoneCapture.created_at))}


def end(capture: PhoneCapture) -> None:
    """结束. Ending twice is once."""
    if _end(PhoneCapture.id == capture.id):
        audit.append("capture.ended", "capture", capture.id, case=capture.case_id.hex)


def _end(*which: object) -> int:
    done = db.session.execute(
        update(PhoneCapture).where(*which, PhoneCapture.ended_at.is_(None)).values(ended_at=utcnow()),  # type: ignore[arg-type]
        execution_options={"synchronize_session": False},
    )
    db.session.expire_all()
    return int(done.rowcount)  # type: ignore[attr-defined]


def replace(
    case: Case, actor: Actor, slot: str, file_id: uuid.UUID | None, taken: PhoneCapture | None
) -> None:
    """重拍: take out the poor picture in whose place a better one has come. A phone can do this to its own pictures only;
    a file that is good, or explained, stays."""
    file = db.session.get(EvidenceFile, file_id) if file_id else None
    if file is None or (file.case_id, file.slot, file.status) != (case.id, slot, "committed"):
        return
    own = taken is None or (
        file.uploaded_by_id == actor.id and file.uploaded_at >= (taken.taken_at or utcnow())
    )
    if own and file.verdict not in evidence.SETTLED and not file.override_reason:
        evidence.remove(case, actor, file)


def standing_of(files: Iterable[EvidenceFile]) -> str:
    """A mark of the files of a slot, so that an open page can tell that something has changed."""
    text = " ".join(f"{file.id.hex}{file.verdict}{bool(file.override_reason)}" for file in files)
    return hashed(text)[:12]
