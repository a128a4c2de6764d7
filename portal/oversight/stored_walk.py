"""Stored files of every kind: each row is named by what it is of, each thing that names a file has its row, and nothing lies in
the store that no row names. Whether the bytes are the ones that were sealed: evidence_walk."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from portal.cases import stored_files
from portal.cases.evidence_rows import sealed_picture
from portal.cases.stored_files import EVIDENCE, INTAKE, LOAD, STAMPED
from portal.extensions import db, reading_only
from portal.models import EvidenceFile, Preference, RegisterLoad, StampedBatch, StoredFile
from portal.oversight.findings import Findings
from storage.objects import ObjectStore, Sealed

BATCH = 200
KINDS = {EVIDENCE: "证明材料", STAMPED: "盖章表扫描", INTAKE: "待确认的录取名单", LOAD: "导入的名册"}
READ_HERE = (INTAKE, LOAD)  # kinds of which the row of the file alone tells what lies in the store
BASE = re.compile(
    rf"(?:{'|'.join(kind.folder for kind in stored_files.KINDS.values())})/[0-9a-f]{{2}}/[0-9a-f]{{32}}"
)
SORTED = ("sorting", "sorted")


def batches(query: Any, model: Any) -> Iterator[Sequence[Any]]:
    """Rows in the order of their ids, each batch in a short transaction of its own."""
    last = None
    while True:
        page = query if last is None else query.where(model.id > last)
        with reading_only(), Session(db.engine, expire_on_commit=False) as session:
            rows = session.scalars(page.order_by(model.id).limit(BATCH)).all()
        if not rows:
            return
        yield rows
        last = rows[-1].id


def sealed(file: StoredFile) -> Sealed:
    return Sealed(file.key, file.version_id, file.sha256, file.size)


def ownership(findings: Findings) -> None:
    """Row for row, both ways."""
    kept = select(StoredFile).where(StoredFile.status == "kept")
    for files in batches(kept, StoredFile):
        with reading_only(), Session(db.engine) as session:
            named = _naming(session, files)
        for file in files:
            if (other := named.get(file.key)) is None:
                findings.fault(
                    f"{KINDS[file.kind]} {file.id}：有文件登记，没有用到它的业务登记，被删除或改动"
                )
            elif other != sealed(file):
                findings.fault(f"{KINDS[file.kind]} {file.id}：文件登记与业务登记不符，被改动")
        findings.went_on(len(files), "文件登记")
    with reading_only(), Session(db.engine) as session:
        for title, one in _unowned(session):
            findings.fault(f"{title} {one}：没有文件登记，被删除或改动")


def _naming(session: Session, files: Sequence[StoredFile]) -> dict[str, Sealed]:
    """{key: what the thing that it is of says lies there}."""
    keys: dict[str, list[str]] = defaultdict(list)
    for file in files:
        keys[file.kind].append(file.key)
    found: dict[str, Sealed] = {}
    for kind, model, standing in ((EVIDENCE, EvidenceFile, ("committed",)), (STAMPED, StampedBatch, SORTED)):
        columns: Any = (model.store_key, model.version_id, model.sha256, model.size)
        query = select(*columns).where(model.status.in_(standing), model.store_key.in_(keys[kind]))
        found |= {row[0]: Sealed(*row) for row in session.execute(query)} if keys[kind] else {}
    load, held = RegisterLoad.stored["key"].as_string(), Preference.value[("sealed", "key")].as_string()
    if keys[LOAD]:
        for stored in session.scalars(select(RegisterLoad.stored).where(load.in_(keys[LOAD]))):
            found[stored["key"]] = sealed_picture(stored)
    if keys[INTAKE]:
        for value in session.scalars(select(Preference.value).where(held.in_(keys[INTAKE]))):
            waiting: Any = value["sealed"]
            found[waiting["key"]] = sealed_picture(waiting)
    return found


def _unowned(session: Session) -> Iterator[tuple[str, Any]]:
    """Things that name a file which has no row that keeps it."""
    load = RegisterLoad.stored["key"].as_string()
    for kind, owner, key, standing in (
        (EVIDENCE, EvidenceFile.id, EvidenceFile.store_key, EvidenceFile.status == "committed"),
        (STAMPED, StampedBatch.id, StampedBatch.store_key, StampedBatch.status.in_(SORTED)),
        (LOAD, RegisterLoad.id, load, load.is_not(None)),
    ):
        kept = select(StoredFile.id).where(StoredFile.key == key, StoredFile.status == "kept")
        for one in session.scalars(select(owner).where(standing, ~kept.exists()).order_by(owner)):
            yield KINDS[kind], one


def orphans(store: ObjectStore, findings: Findings) -> None:
    """Objects that no row names, and further versions under a key that one does."""
    batch: list[tuple[str, str]] = []
    for kind in stored_files.KINDS.values():
        for one in store.keys(f"{kind.folder}/"):
            batch.append(one)
            if len(batch) == BATCH:
                _strays(batch, findings)
                batch = []
    _strays(batch, findings)


def _strays(objects: Sequence[tuple[str, str]], findings: Findings) -> None:
    bases: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for key, version in objects:
        found = BASE.match(key)
        bases[found[0] if found else key].append((key, version))
    with reading_only(), Session(db.engine) as session:
        named, spared = _named(session, list(bases))
    keys = {key for key, _ in named}
    for base, several in bases.items():
        for key, version in several:
            if base in spared and (key not in keys or (key, version) in named):
                continue
            if (key, version) not in named:
                findings.fault(
                    f"存储中的 {key}（版本 {version[:16]}）不属于任何登记：多出，或替换了原来的内容"
                )
    findings.went_on(len(objects), "存储中的名称")


def _named(session: Session, bases: list[str]) -> tuple[set[tuple[str, str]], set[str]]:
    """(key and version of everything that rows under these keys name, keys under which more may lie)."""
    named: set[tuple[str, str]] = set()
    spared: set[str] = set()
    for stored in session.scalars(select(StoredFile).where(StoredFile.key.in_(bases))):
        if stored.status != "kept":  # the sweep looks after what may lie there
            spared.add(stored.key)
        elif stored.kind in READ_HERE:
            named.add((stored.key, stored.version_id))
    committed = select(EvidenceFile).where(
        EvidenceFile.store_key.in_(bases), EvidenceFile.status == "committed"
    )
    for file in session.scalars(committed.options(selectinload(EvidenceFile.pages))):
        named.add((file.store_key, file.version_id))
        pictures = (one for page in file.pages for one in (page.view, page.thumb, page.plain))
        named |= {_place(one) for one in pictures if one}
    for batch in session.scalars(
        select(StampedBatch)
        .where(StampedBatch.store_key.in_(bases))
        .options(selectinload(StampedBatch.pages))
    ):
        # Under its key lie also pictures of attempts at a page that another worker was quicker to file.
        spared.add(batch.store_key)
        if batch.status not in ("sorting", "sorted"):
            continue
        named.add((batch.store_key, batch.version_id))
        named |= {_place(stored) for page in batch.pages for stored in (page.view, page.thumb) if stored}
    return named, spared


def _place(stored: Mapping[str, Any]) -> tuple[str, str]:
    return stored["key"], stored["version_id"]
