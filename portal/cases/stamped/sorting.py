"""The pages of a batch, one after the other: opened in a confined child, filed, each committed by itself."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from portal import audit, tasks
from portal.cases import page_readings, stored_files
from portal.cases.offices import policy_of
from portal.cases.stamped import placing, wording
from portal.cases.stamped.receiving import MAX_BYTES, SORT_TASK, refuse, sealed_original
from portal.extensions import db
from portal.models import StampedBatch, StampedPage
from portal.models.types import utcnow
from storage import reading, sandbox

MAX_PAGES = 200


@tasks.task(SORT_TASK)
def sort(batch_id: str) -> None:
    """Open every page that has not been filed yet, and file it. Safe to repeat."""
    batch = db.session.get_one(StampedBatch, uuid.UUID(batch_id), populate_existing=True)
    if batch.status != "sorting":
        return
    filed = set(db.session.scalars(select(StampedPage.page).where(StampedPage.batch_id == batch.id)))
    db.session.commit()  # nothing is held open while pages are being opened
    data = tasks.store().read(sealed_original(batch))
    number, count = 1, max(batch.page_count, 1)
    while number <= count:
        if number not in filed:
            options = {"page": number, "max_pages": MAX_PAGES, "strips": page_readings.installed()}
            found = sandbox.run("codes", data, options)
            if not batch.page_count:
                if found.refusal is not None:
                    refuse(batch, found.refusal)
                    db.session.commit()
                    stored_files.clear(tasks.store(), batch.store_key)
                    return
                count = _note_count(batch, int(found.facts["pages"]))
            _file(batch, number, found)
        number += 1
    _finish(batch)


def _note_count(batch: StampedBatch, count: int) -> int:
    batch.page_count = count
    db.session.commit()
    return count


def _file(batch: StampedBatch, number: int, found: sandbox.Reply) -> None:
    """Keep the pictures of a page, tell where it belongs, write it down."""
    pictures = _put_pictures(batch.store_key, number, found.blobs)
    texts = [str(one["text"]) for one in found.facts.get("codes", ())]
    lines = _read(placing.form_of(batch, texts), found.blobs[2:])
    scan = placing.Scan(texts, float(found.facts.get("seal", 0.0)), lines, found.refusal)
    try:
        page = placing.page_of(batch, number, scan)
        page.view, page.thumb = pictures
        db.session.add(page)
        batch.done_pages = number
        db.session.flush()
        case = page.case_id.hex if page.case_id else ""
        audit.append(f"stamped.{page.outcome}", "stamped_page", page.id, case=case, page=number)
        db.session.commit()
    except IntegrityError:  # another worker has filed this page
        db.session.rollback()
        db.session.refresh(batch)
        db.session.commit()


def _read(form: wording.Wanted | None, strips: tuple[bytes, ...]) -> list[str] | None:
    """The lines of a page from the top down, as far as it takes to know the form; None where they were not read or decide nothing. No transaction is open
    meanwhile."""
    db.session.rollback()
    if form is None or not strips:
        return None
    lines: list[str] = []
    try:
        for strip in strips:
            lines += [line.text for line in reading.read(strip).lines]
            if wording.enough(form, lines):
                break
    except reading.ReadingError:
        return None
    return lines


def _put_pictures(key: str, number: int, blobs: tuple[bytes, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """View and thumbnail under the original's key; a name of their own for each attempt, since keys are used once."""
    if len(blobs) < 2:
        return {}, {}
    attempt = uuid.uuid4().hex[:8]
    store = stored_files.Guarded(tasks.store())
    view, thumb = (
        store.put(
            f"{key}-{number}-{attempt}-{name}",
            io.BytesIO(blob),
            size_limit=MAX_BYTES,
            media_type="image/jpeg",
        )
        for name, blob in zip(("view", "thumb"), blobs[:2], strict=True)
    )
    return asdict(view), asdict(thumb)


def _finish(batch: StampedBatch) -> None:
    """Every page is filed: the original is held as the policy says for what was decided."""
    db.session.refresh(batch)
    years = policy_of(batch.office).value("evidence.keep_years_decided")
    sealed = sealed_original(batch)
    db.session.commit()
    until = utcnow() + timedelta(days=365 * years)
    tasks.store().lock(sealed, until, "GOVERNANCE")
    stored_files.note_lock([sealed.key], "GOVERNANCE", until)
    placing.settle_copies(batch)
    done = update(StampedBatch).where(StampedBatch.id == batch.id, StampedBatch.status == "sorting")
    db.session.execute(
        done.values(status="sorted", done_pages=StampedBatch.page_count),
        execution_options={"synchronize_session": False},
    )
    audit.append("stamped.sorted", "stamped_batch", batch.id, pages=batch.page_count)
    db.session.commit()


@tasks.unfinished
def unsorted() -> Iterable[tuple[str, dict[str, str]]]:
    """Batches that a dead process left in the middle."""
    query = select(StampedBatch.id).where(StampedBatch.status == "sorting")
    return [(SORT_TASK, {"batch_id": str(one)}) for one in db.session.scalars(query)]
