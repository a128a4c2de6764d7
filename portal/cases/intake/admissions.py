"""录取名单: a list of the admitted is loaded, previewed beside plan and former list, and then replaces that as a whole.

A loaded file waits in the store until it is confirmed or put aside; what was found in it waits as a preference of the
state's office. Nothing of it is a list before that.
"""

from __future__ import annotations

import io
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from portal import audit, tasks
from portal.cases import digests
from portal.cases import stored_files as files
from portal.cases.intake import admitted_rows, plans
from portal.cases.intake.admitted_rows import Judged, Schools
from portal.cases.intake.planning import DOCUMENT_MOST, REASON_LEAST, REASON_MOST
from portal.cases.intake.scope import Scope, schools
from portal.cases.loads.reading import NotThisSheet, Sheet, Unreadable
from portal.cases.refusing import Refused
from portal.cases.rosters.reading import chunks
from portal.cases.rosters.sheet import read_sheet
from portal.extensions import db
from portal.models import Admitted, AdmittedList, Case, Preference, RosterRow
from portal.models.types import new_id, utcnow
from portal.standards.words import letters_in
from portal.workflows.roster import Roster
from storage.objects import ObjectStore, Sealed

MAX_BYTES = 25 * 1024 * 1024
MOST_PEOPLE = 50_000
KEPT_FAULTS = 2_000
CHUNK = 1_000  # rows in one INSERT
LIST = Admitted.__table__
CHANGES = {
    "added": "新增", "removed": "减少", "changed": "信息有变", "moved_in": "改录进来", "moved_out": "改录出去",
}  # fmt: skip
COMPARED = (
    "school_id", "exam_county", "name", "sex", "ethnicity", "birth_date", "id_number", "exam_score",
)  # fmt: skip


@dataclass(frozen=True)
class Received:
    """A file that was read, judged and stored: the database knows nothing of it but its key."""

    filename: str
    sealed: Sealed
    judged: Judged
    ignored: tuple[str, ...]
    sheet: Sheet = field(default_factory=Sheet)
    told: str = ""


People = Mapping[str, tuple[Any, ...]]  # exam number -> the values of COMPARED


@dataclass(frozen=True)
class Staged:
    """What waits to be confirmed. `by_school` counts people, `base` is the number of the list it was compared with,
    `changes` what would change, as AdmittedList.changes keeps it."""

    sealed: Sealed
    filename: str
    people: int
    faults: list[dict[str, Any]]
    faulty: int
    ignored: list[str]
    by_school: dict[str, int]
    removed_on_rosters: int
    base: int
    by: str
    at: str
    changes: dict[str, dict[str, int]] = field(default_factory=dict)
    sheet: dict[str, Any] = field(default_factory=dict)  # as Sheet.as_json() gives it
    told: str = ""  # which sheet was read, and which of its rows were not

    @property
    def seen(self) -> str:
        """What a page shows of which file and sheet it is about."""
        name = self.sheet.get("sheet", "")
        return f"{self.sealed.sha256}:{name}" if name else self.sealed.sha256

    @property
    def loaded_at(self) -> datetime:
        return datetime.fromisoformat(self.at)


@dataclass(frozen=True)
class Examined:
    """A file that was read and judged, with the columns that were of no use."""

    judged: Judged
    ignored: tuple[str, ...]
    sheet: Sheet
    told: str


def examine(roster: Roster, schools: Schools, data: bytes, name: str = "") -> Examined:
    """Read and judge a file. Slow and without the database: call it outside a transaction.

    Raises Unreadable with a sentence for a file that is no list.
    """
    sheet = read_sheet(io.BytesIO(data), admitted_rows.columns(roster), name)
    if sheet.missing:
        missing = f"名单缺少“{'”“'.join(sheet.missing)}”列，请补上后再导入"
        raise NotThisSheet(sheet.sheet.told() + missing, sheet.sheet)
    if not sheet.rows:
        raise NotThisSheet(f"{sheet.told()}标题行下面没有学生", sheet.sheet)
    if len(sheet.rows) > MOST_PEOPLE:
        raise Unreadable(f"名单超过 {MOST_PEOPLE:,} 人，请核对文件")
    judged = admitted_rows.judge(roster, sheet, schools)
    return Examined(judged, sheet.ignored, sheet.sheet, sheet.told())


def keep(store: ObjectStore, key: str, filename: str, data: bytes, examined: Examined) -> Received:
    """Put the file into the store under the key of files.expect(). No database. Raises StoreError."""
    sealed = store.put(key, io.BytesIO(data), size_limit=MAX_BYTES, media_type="application/octet-stream")
    return Received(filename[-200:], sealed, examined.judged, examined.ignored, examined.sheet, examined.told)


def stage(scope: Scope, received: Received) -> Sealed | None:
    """Keep what was read as what waits to be confirmed. Returns the file that waited before, to be thrown away after the
    commit. Raises Refused."""
    _only_who_may(scope)
    held = _held(scope, lock=True)
    if held is None:
        held = Preference(owner_id=scope.state.id, key=_key(scope))
        db.session.add(held)
    old = Sealed(**held.value["sealed"]) if held.value else None  # type: ignore[arg-type]
    held.value = asdict(_described(scope, received))
    files.settle(received.sealed)
    if old is not None:
        files.drop(old.key)
    db.session.flush()
    audit.append(
        "intake.list_loaded", "office", scope.state.id, year=scope.year, sha256=received.sealed.sha256
    )
    return old


def _described(scope: Scope, received: Received) -> Staged:
    rows, faults = received.judged.rows, received.judged.faults
    former = plans.list_of(scope.state.id, scope.year)
    new = _people_in(rows) if not faults else {}
    old = _people_of(former) if not faults else {}
    return Staged(
        received.sealed,
        received.filename,
        len(rows),
        [asdict(one) for one in faults[:KEPT_FAULTS]],
        len(faults),
        list(received.ignored),
        {str(key): count for key, count in Counter(row["school_id"] for row in rows).items()},
        _on_rosters(scope, old.keys() - new.keys()),
        former.number if former else 0,
        scope.actor.name,
        utcnow().isoformat(),
        _changes(old, new) if former else {},
        received.sheet.as_json(),
        received.told,
    )


def _people_in(rows: Iterable[Mapping[str, Any]]) -> People:
    return {row["exam_number"]: tuple(row[key] for key in COMPARED) for row in rows}


def _people_of(admitted: AdmittedList | None) -> People:
    if admitted is None:
        return {}
    wanted = [LIST.c.exam_number, *(LIST.c[key] for key in COMPARED)]
    found = db.session.execute(select(*wanted).where(LIST.c.list_id == admitted.id))
    return {one[0]: tuple(one[1:]) for one in found}


def _on_rosters(scope: Scope, exam_numbers: Any) -> int:
    """Of people who would leave the list, how many stand on rosters that are with a bureau or approved."""
    found = 0
    for chunk in chunks(sorted(exam_numbers)):
        query = select(RosterRow.exam_number).join(Case, Case.id == RosterRow.case_id)
        query = query.where(
            RosterRow.exam_number.in_(chunk),
            RosterRow.struck_at.is_(None),
            Case.intake_year == scope.year,
            Case.status.in_(plans.SPOKEN_FOR),
        )
        found += len(set(db.session.scalars(query)))
    return found


def staged(scope: Scope) -> Staged | None:
    """What waits; only for who may confirm it."""
    held = _held(scope) if scope.may_set else None
    if held is None:
        return None
    known = {
        one.name for one in fields(Staged)
    }  # what another version of the portal kept besides is of no use
    value: dict[str, Any] = {key: kept for key, kept in held.value.items() if key in known}
    return Staged(**{**value, "sealed": Sealed(**value["sealed"])})


def read_again(roster: Roster, schools: Schools, waiting: Staged) -> Judged:
    """The rows of the file that waits. Slow and without the database. Raises Unreadable, StoreError."""
    return examine_sheet(roster, schools, waiting, waiting.sheet.get("sheet", "")).judged


def examine_sheet(roster: Roster, schools: Schools, waiting: Staged, name: str) -> Examined:
    """Read and judge a sheet of the file that waits, as examine() does. Raises Unreadable, StoreError."""
    return examine(roster, schools, tasks.store().read(waiting.sealed), name)


def choose_sheet(scope: Scope, waiting: Staged, examined: Examined) -> None:
    """Let another sheet of the file that waits be what waits. Raises Refused, with `conflict` when the file has changed."""
    _only_who_may(scope)
    held, now = _held(scope, lock=True), staged(scope)
    if held is None or now is None or now.sealed != waiting.sealed:
        raise Refused("等待确认的名单已经换过，请核对现在的预览", conflict=True)
    file = (waiting.filename, waiting.sealed)
    found = Received(*file, examined.judged, examined.ignored, examined.sheet, examined.told)
    held.value = asdict(_described(scope, found))
    db.session.flush()
    audit.append(
        "intake.list_loaded", "office", scope.state.id, year=scope.year, sha256=waiting.sealed.sha256
    )


def confirm(scope: Scope, seen: str, judged: Judged, note: str, document: str = "") -> AdmittedList:
    """Make the waiting file the list of the year. `seen` is Staged.seen as the page showed it, `judged` what read_again() gave,
    `document` the authority's number or letter. Raises Refused, with `conflict` when another file or list came meanwhile."""
    _only_who_may(scope)
    plans.hold_all(one.id for one in schools(scope))
    held, waiting = _held(scope, lock=True), staged(scope)
    if waiting is None or held is None or waiting.seen != seen:
        raise Refused("等待确认的名单已经换过，请核对现在的预览", conflict=True)
    if waiting.faulty or judged.faults:
        raise Refused("名单还有错误，改正后重新导入")
    former = plans.list_of(scope.state.id, scope.year)
    if (former.number if former else 0) != waiting.base:
        raise Refused("录取名单刚被更新过，请重新导入文件，核对与新名单的差别", conflict=True)
    note = " ".join(note.split())
    if former and (letters_in(note) < REASON_LEAST or len(note) > REASON_MOST):
        raise Refused(f"请写明为什么更换名单（{REASON_LEAST} 到 {REASON_MOST} 个字）")
    document = " ".join(document.split())
    if len(document) > DOCUMENT_MOST or not document.isprintable():
        raise Refused(f"文号或来函最多 {DOCUMENT_MOST} 个字")
    made = _made(scope, waiting, len(judged.rows), note[:REASON_MOST])
    made.document = document
    made.changes = _changes(_people_of(former), _people_in(judged.rows)) if former else {}
    for several in _in_chunks(judged.rows):
        db.session.execute(insert(LIST), [{**row, "id": new_id(), "list_id": made.id} for row in several])
    db.session.delete(held)
    files.drop(waiting.sealed.key)
    made.made_at = utcnow()  # last: a roster decided before goes by the list before
    db.session.flush()
    audit.append(
        "intake.list_set",
        "admitted_list",
        made.id,
        year=made.year,
        number=made.number,
        people=made.people,
        content=digests.of_version(made),
    )
    return made


def _changes(old: People, new: People) -> dict[str, dict[str, int]]:
    """What a new list changes, as AdmittedList.changes keeps it: counted by school, so that each office is told of its own
    schools only. Every school of either list is there, so that no change and nothing known are two things."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for number in new.keys() | old.keys():
        before, after = old.get(number), new.get(number)
        was = found[str(before[0])] if before else Counter()
        now = found[str(after[0])] if after else Counter()
        if after is None:
            was["removed"] += 1
        elif before is None:
            now["added"] += 1
        elif before[0] != after[0]:
            was["moved_out"] += 1
            now["moved_in"] += 1
        elif before != after:
            now["changed"] += 1
    return {school: dict(counts) for school, counts in found.items()}


def in_words(changes: Mapping[str, Mapping[str, int]], school_ids: Iterable[uuid.UUID]) -> str:
    """What a list changes for these schools, of AdmittedList.changes or Staged.changes; "" where nothing was compared: for
    the first list and for one that was kept without."""
    if not changes:
        return ""
    total: Counter[str] = Counter()
    for school_id in school_ids:
        total.update(changes.get(str(school_id), {}))
    return "，".join(f"{words} {total[key]} 人" for key, words in CHANGES.items() if total[key]) or "没有变化"


def _made(scope: Scope, waiting: Staged, people: int, note: str) -> AdmittedList:
    made = AdmittedList(
        id=new_id(),
        office_id=scope.state.id,
        year=scope.year,
        number=waiting.base + 1,
        filename=waiting.filename,
        sha256=waiting.sealed.sha256,
        note=note,
        people=people,
        account_id=scope.actor.id,
    )
    db.session.add(made)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Refused("录取名单刚被更新过，请重新导入文件", conflict=True) from error
    return made


def discard(scope: Scope) -> Sealed | None:
    """Put the waiting file aside; returns it, to be thrown away after the commit. Raises Refused."""
    _only_who_may(scope)
    held, waiting = _held(scope, lock=True), staged(scope)
    if waiting is None or held is None:
        return None
    db.session.delete(held)
    files.drop(waiting.sealed.key)
    db.session.flush()
    audit.append("intake.list_discarded", "office", scope.state.id, year=scope.year)
    return waiting.sealed


@files.ends(files.INTAKE)
def _end_keeping(key: str) -> None:
    """Put a file aside that nobody confirmed in time: it holds many pupils' data for no purpose."""
    files.drop(key)
    held = db.session.scalars(
        select(Preference).where(Preference.value[("sealed", "key")].as_string() == key)
    ).one_or_none()
    if held is not None:
        db.session.delete(held)
        audit.append("intake.list_discarded", "office", held.owner_id, year=int(held.key.rpartition(":")[2]))


def history(scope: Scope) -> list[AdmittedList]:
    """Every list of the year, the newest first."""
    query = select(AdmittedList).where(
        AdmittedList.office_id == scope.state.id, AdmittedList.year == scope.year
    )
    return list(db.session.scalars(query.order_by(AdmittedList.number.desc())))


def _in_chunks(rows: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


def _only_who_may(scope: Scope) -> None:
    if not scope.may_set:
        raise Refused("只有州级审批人员可以导入录取名单")


def _held(scope: Scope, *, lock: bool = False) -> Preference | None:
    """The row of what waits; with a `lock` as it stands now, and nobody else's until the transaction ends."""
    query = select(Preference).where(Preference.owner_id == scope.state.id, Preference.key == _key(scope))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return db.session.scalars(query).one_or_none()


def _key(scope: Scope) -> str:
    return f"intake.list:{scope.year}"


def school_ids(waiting: Staged) -> dict[uuid.UUID, int]:
    return {uuid.UUID(key): count for key, count in waiting.by_school.items()}
