"""What somebody with every right over the database and the store can do to a copy of an installation, one act a function.

What never belongs here: the audit key.
"""

from __future__ import annotations

import hashlib
import io
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import select, text, update

from portal import audit
from portal.extensions import db, reading_only
from portal.models import (
    Account,
    AuditHead,
    AuditRecord,
    Case,
    CaseEvent,
    Decision,
    EvidenceFile,
    EvidencePage,
    PageReading,
    Pupil,
    ReadingCorrection,
    RegisterChange,
    RosterRow,
    StoredFile,
    ThresholdSet,
)
from storage.filesystem import FolderStore
from storage.objects import ObjectStore, new_key

RECORDS, HEAD = AuditRecord.__table__, AuditHead.__table__


def as_administrator(*statements: Any) -> None:
    """Past the program: the guards go first."""
    db.session.rollback()
    with reading_only(False), db.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            for act in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS audit_records_no_{act}"))
        else:
            connection.execute(text("ALTER TABLE audit_records DISABLE TRIGGER ALL"))
        for statement in statements:
            connection.execute(statement)
    db.session.remove()


def one(query: Any) -> Any:
    """The first row of a query."""
    with reading_only(), db.engine.connect() as connection:
        return connection.execute(query).first()


def store() -> ObjectStore:
    found: ObjectStore = current_app.extensions["store"]
    return found


def path_of(key: str) -> Path:
    found = store()
    assert isinstance(found, FolderStore)
    return found._place(key)


def write_over(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


def originals() -> list[Any]:
    query = select(EvidenceFile.__table__).order_by(EvidenceFile.uploaded_at)
    with reading_only(), db.engine.connect() as connection:
        return list(connection.execute(query.where(EvidenceFile.status == "committed")))


def decided() -> Any:
    return one(select(Case.__table__).where(Case.status == "approved", Case.pupil_id.is_not(None)))


# --- the store ------------------------------------------------------------------------------------------------------


def flip_a_byte() -> None:
    path = path_of(originals()[0].store_key)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    write_over(path, bytes(content))


def delete_a_file() -> None:
    path_of(originals()[0].store_key).unlink()


def swap_two_files() -> None:
    first, second = (path_of(file.store_key) for file in originals()[:2])
    contents = first.read_bytes(), second.read_bytes()
    write_over(first, contents[1])
    write_over(second, contents[0])


def overwrite_an_object() -> None:
    """A new version under the key of a locked one, as any holder of the store's keys can write."""
    key = originals()[0].store_key
    found: Any = store()
    found._client.put_object(found._bucket, key, io.BytesIO(b"another paper"), 13)


def delete_a_version() -> None:
    """Of a paper of a draft, which no lock holds yet."""
    held = set(db.session.scalars(select(StoredFile.key).where(StoredFile.lock_mode != "")))
    loose = next(file for file in originals() if file.store_key not in held)
    found: Any = store()
    found._client.remove_object(found._bucket, loose.store_key, version_id=loose.version_id)


def put_a_foreign_file() -> None:
    store().put(new_key("evidence"), io.BytesIO(b"a foreign file"), size_limit=100, media_type="image/jpeg")


def replace_a_view_with_its_row() -> None:
    """Another picture, and the row that names it: by itself each fits the other."""
    page = one(select(EvidencePage.__table__).where(EvidencePage.file_id == originals()[0].id))
    other = uuid.uuid4().bytes
    sealed = store().put(f"{page.view['key']}-x", io.BytesIO(other), size_limit=100, media_type="image/jpeg")
    view = {name: getattr(sealed, name) for name in ("key", "version_id", "sha256", "size")}
    as_administrator(update(EvidencePage.__table__).where(EvidencePage.id == page.id).values(view=view))


def _on_a_file(**values: Any) -> None:
    table = EvidenceFile.__table__
    as_administrator(update(table).where(table.c.id == originals()[0].id).values(**values))


def hide_a_paper() -> None:
    _on_a_file(removed_at=datetime.now(UTC), removed_round=1)


def bring_a_paper_back() -> None:
    table = EvidenceFile.__table__
    chosen = table.c.removed_at.is_not(None)
    as_administrator(update(table).where(chosen).values(removed_at=None, removed_round=None))


def better_a_verdict() -> None:
    _on_a_file(verdict="unsure" if originals()[0].verdict == "pass" else "pass")


def give_a_reason() -> None:
    _on_a_file(override_reason="家长只带来这一份")


def delete_an_evidence_row() -> None:
    file = originals()[0]
    pages = EvidencePage.__table__
    as_administrator(
        pages.delete().where(pages.c.file_id == file.id),
        EvidenceFile.__table__.delete().where(EvidenceFile.id == file.id),
    )


# --- what was done --------------------------------------------------------------------------------------------------


def _on_a_decision(**values: Any) -> None:
    as_administrator(update(Decision.__table__).where(Decision.case_id == decided().id).values(**values))


def edit_a_decision() -> None:
    _on_a_decision(note="意见是别人写的")


def move_a_decision() -> None:
    found = one(select(Account.__table__).where(Account.role == "auditor"))
    _on_a_decision(actor_id=found.id)


def delete_a_decision() -> None:
    as_administrator(Decision.__table__.delete().where(Decision.case_id == decided().id))


def blank_what_was_seen() -> None:
    _on_a_decision(seen=[])


def delete_an_event() -> None:
    table = CaseEvent.__table__
    as_administrator(table.delete().where(table.c.case_id == decided().id, table.c.verb == "submitted"))


def edit_an_event() -> None:
    table = CaseEvent.__table__
    chosen = (table.c.case_id == decided().id) & (table.c.verb == "submitted")
    as_administrator(update(table).where(chosen).values(note="补记"))


def delete_a_case() -> None:
    case = one(select(Case.__table__).where(Case.status == "draft", Case.round == 0, Case.version == 1))
    as_administrator(
        CaseEvent.__table__.delete().where(CaseEvent.case_id == case.id),
        Case.__table__.delete().where(Case.id == case.id),
    )


def force_a_status() -> None:
    as_administrator(
        update(Case.__table__).where(Case.status == "in_review").values(status="approved", step="")
    )


def _on_an_open_case(**values: Any) -> None:
    table = Case.__table__
    case = one(select(table).where(Case.status == "in_review"))
    as_administrator(update(table).where(table.c.id == case.id).values(**values))


def give_a_case_another_pupil() -> None:
    _on_an_open_case(pupil_id=decided().pupil_id)


def put_a_case_under_another_policy() -> None:
    _on_an_open_case(policy="cn-2025")


def hand_a_case_to_the_last_step() -> None:
    case = decided()
    found = one(select(Decision.__table__).where(Decision.case_id == case.id).order_by(Decision.at.desc()))
    _on_an_open_case(step=found.step, holder_office_id=found.office_id)


def edit_a_reading() -> None:
    """What the machine read becomes what the form says."""
    table = PageReading.__table__
    row = one(select(table).where(table.c.status == "done"))
    lines = [{**line, "text": "林小雨"} for line in row.lines]
    as_administrator(update(table).where(table.c.page_id == row.page_id).values(lines=lines))


def insert_a_reading() -> None:
    table = PageReading.__table__
    row = dict(one(select(table).where(table.c.status == "done"))._mapping)
    pages = EvidencePage.__table__
    page = one(select(pages).where(pages.c.id.not_in(select(table.c.page_id))))
    as_administrator(table.insert().values(**{**row, "page_id": page.id}))


def edit_a_correction() -> None:
    as_administrator(update(ReadingCorrection.__table__).values(value="另一人"))


def insert_a_correction() -> None:
    table = ReadingCorrection.__table__
    row = dict(one(select(table))._mapping) | {"id": uuid.uuid4(), "case_id": decided().id}
    as_administrator(table.insert().values(**row))


def edit_answers() -> None:
    case = decided()
    answers = {**case.answers, "explanation": "另一个说明"}
    as_administrator(update(Case.__table__).where(Case.id == case.id).values(answers=answers))


# --- the register and who there is -----------------------------------------------------------------------------------


def edit_a_pupil() -> None:
    table = Pupil.__table__
    as_administrator(update(table).where(table.c.id == decided().pupil_id).values(name="另一人"))


def put_a_pupil_back() -> None:
    """To what stood before the change, digest and all: a row that was once right."""
    change = one(select(RegisterChange.__table__).where(RegisterChange.case_id == decided().id))
    assert change.pupil_version == 1
    table = Pupil.__table__
    before = json.loads((Path(current_app.extensions["settings"].data_dir) / "pupil").read_text())
    values = {"name": before["name"], "version": before["version"], "row_digest": before["row_digest"]}
    keys = {"name_key": before["name_key"], "initials": before["initials"]}
    as_administrator(update(table).where(table.c.id == change.pupil_id).values(**values, **keys))


def insert_a_pupil() -> None:
    table = Pupil.__table__
    row = dict(one(select(table))._mapping) | {"id": uuid.uuid4(), "student_number": "L62299920100506X001"}
    as_administrator(table.insert().values(**row))


def edit_a_register_change() -> None:
    as_administrator(update(RegisterChange.__table__).values(after="第三个名字"))


def delete_a_register_change() -> None:
    as_administrator(RegisterChange.__table__.delete())


def change_a_role() -> None:
    table = Account.__table__
    chosen = one(select(table).where(table.c.role == "registrar"))
    as_administrator(update(table).where(table.c.id == chosen.id).values(role="approver"))


def give_another_password() -> None:
    table = Account.__table__
    chosen = one(select(table).where(table.c.role == "approver"))
    as_administrator(update(table).where(table.c.id == chosen.id).values(password_hash="known to me"))


def lower_a_threshold() -> None:
    as_administrator(update(ThresholdSet.__table__).values(changes={}))


def delete_a_threshold() -> None:
    as_administrator(ThresholdSet.__table__.delete())


def edit_a_roster_row() -> None:
    table = RosterRow.__table__
    row = one(select(table))
    as_administrator(
        update(table).where(table.c.id == row.id).values(values={**row.values, "name": "另一人"})
    )


# --- the chain itself -----------------------------------------------------------------------------------------------


def edit_a_record() -> None:
    as_administrator(update(RECORDS).where(RECORDS.c.seq == 5).values(address="10.0.0.9"))


def delete_a_record() -> None:
    as_administrator(RECORDS.delete().where(RECORDS.c.seq == 5))


def cut_the_tail() -> None:
    last = one(select(HEAD)).seq - 3
    kept = one(select(RECORDS).where(RECORDS.c.seq == last))
    as_administrator(
        RECORDS.delete().where(RECORDS.c.seq > last), update(HEAD).values(seq=last, digest=kept.digest)
    )


def recompute_the_chain() -> None:
    """Edit a record and close the chain again over it, by every means but the key."""
    _rewrite(5, lambda row: row | {"address": "10.0.0.9"})


def rewrite_as_unkeyed() -> None:
    """The whole chain as if it were of the time before keys, with a head that says so."""
    _rewrite(1, lambda row: row | {"key_id": ""})
    as_administrator(update(HEAD).values(keyed_since=0, rows_sealed=False))


def rewrite_the_end_as_unkeyed() -> None:
    _rewrite(one(select(HEAD)).seq - 2, lambda row: row | {"key_id": ""})


def _rewrite(first: int, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    with reading_only(), db.engine.connect() as connection:
        rows = [dict(row._mapping) for row in connection.execute(select(RECORDS).order_by(RECORDS.c.seq))]
    statements: list[Any] = []
    previous = rows[first - 2]["digest"] if first > 1 else audit.START
    for row in rows[first - 1 :]:
        new = change(row) | {"previous": previous}
        new["digest"] = previous = _plain_digest(new)
        statements.append(update(RECORDS).where(RECORDS.c.seq == row["seq"]).values(**new))
    as_administrator(*statements, update(HEAD).values(digest=previous))


def _plain_digest(row: dict[str, Any]) -> str:
    """As records of the time before keys were sealed."""
    fields = {
        "seq": row["seq"],
        "at": row["at"].astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": row["actor_id"] and row["actor_id"].hex,
        "office": row["office_id"] and row["office_id"].hex,
        "action": row["action"],
        "kind": row["object_kind"],
        "object": row["object_id"],
        "result": row["result"],
        "address": row["address"],
        "session": row["session_id"] and row["session_id"].hex,
        "request": row["request_id"],
        "body": row["body"],
    }
    said = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256((row["previous"] + said).encode()).hexdigest()
