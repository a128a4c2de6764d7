"""The head of the audit chain, noted outside the database: a line in the log and a locked object in the store.

Written once an hour while there is activity, by every `flask sweep` and when keys begin. A verification takes the newest
note by itself. An object is named by its own hash and size, so that it can be read without the database.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from portal import keyed_digests, tasks
from portal.audit import ANCHOR_DUE, Anchor
from portal.extensions import db, reading_only
from portal.models import AuditHead
from portal.models.types import utcnow
from storage.objects import Missing, ObjectStore, Sealed, StoreError, Tampered

PREFIX = "anchors/"
KEY = re.compile(r"anchors/(\d{12})-([0-9a-f]{64})-(\d{1,6})")
PRINTED = re.compile(r"([0-9]{1,12})[-:]([0-9a-f]{12}|[0-9a-f]{64})")
KEEP = timedelta(days=3650)  # a store cannot lock for ever; a newer anchor covers what an older one did
TASK = "audit.anchor"
log = logging.getLogger("portal.audit")


class NoAnchor(ValueError):
    """A text that is no anchor."""


def read_printed(text: str) -> Anchor:
    """An anchor as `flask audit anchor` prints it (SEQ:DIGEST) or as it stands on a form (SEQ-12 digits), in either case.
    Raises NoAnchor."""
    found = PRINTED.fullmatch(text.strip().lower())
    if not found:
        raise NoAnchor(text)
    return Anchor(int(found[1]), found[2])


def note(store: ObjectStore) -> Anchor | None:
    """Write down the head as it stands, unless it is noted already. Commits. Raises StoreError."""
    with reading_only():
        head = db.session.execute(select(AuditHead.__table__)).one_or_none()
        db.session.rollback()
    if head is None or head.seq <= head.anchored_seq:
        return None
    anchor = Anchor(head.seq, head.digest, head.keyed_since)
    content = _content(anchor)
    key = f"{PREFIX}{head.seq:012d}-{hashlib.sha256(content).hexdigest()}-{len(content)}"
    sealed = store.put(key, io.BytesIO(content), size_limit=len(content), media_type="application/json")
    store.lock(sealed, utcnow() + KEEP, "COMPLIANCE")
    log.warning("audit anchor %s:%s, keyed since %s", anchor.seq, anchor.digest, anchor.keyed_since)
    noted = update(AuditHead).where(AuditHead.anchored_seq < anchor.seq).values(anchored_seq=anchor.seq)
    db.session.execute(noted, execution_options={"synchronize_session": False})
    db.session.commit()
    return anchor


def _content(anchor: Anchor) -> bytes:
    said = {
        "seq": anchor.seq,
        "digest": anchor.digest,
        "keyed_since": anchor.keyed_since,
        "at": utcnow(),
        "key": keyed_digests.keys().current,
    }
    return keyed_digests.canonical(
        {"said": json.loads(keyed_digests.canonical(said)), "seal": keyed_digests.digest("anchor", said)}
    )


@tasks.task(TASK)
def note_now() -> None:
    """What runs behind a commit: a store that is away is noted in the log and asked again by the next anchor."""
    try:
        note(tasks.store())
    except StoreError as error:
        log.error("the audit anchor could not be written to the store: %s", error)
        db.session.rollback()


@event.listens_for(Session, "after_commit")
def _when_due(session: Session) -> None:
    if session.info.pop(ANCHOR_DUE, False):
        tasks.start(current_app._get_current_object(), TASK, {})  # type: ignore[attr-defined]


@event.listens_for(Session, "after_rollback")
def _not_due(session: Session) -> None:
    session.info.pop(ANCHOR_DUE, None)


@dataclass
class Noted:
    """The newest sound anchor of the store, None where there is none; what is wrong with newer ones."""

    anchor: Anchor | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        return (self.anchor,) if self.anchor else ()


def newest(store: ObjectStore) -> Noted:
    """The newest anchor that the store has. Raises StoreUnavailable."""
    noted = Noted()
    for key, version_id in sorted(store.keys(PREFIX), reverse=True):
        name = KEY.fullmatch(key)
        anchor = _read(store, Sealed(key, version_id, name[2], int(name[3]))) if name else None
        if anchor is not None:
            noted.anchor = anchor
            break
        noted.faults.append(f"存储中的锚点 {key} 不是本系统写的，或已被改动")
    return noted


def _read(store: ObjectStore, sealed: Sealed) -> Anchor | None:
    try:
        content: dict[str, Any] = json.loads(store.read(sealed))
        said = content["said"]
        if not keyed_digests.is_of(content["seal"], "anchor", said, said["key"]):
            return None
        return Anchor(said["seq"], said["digest"], said["keyed_since"])
    except (Missing, Tampered, ValueError, KeyError, TypeError):
        return None
