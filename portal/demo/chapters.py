"""The demonstration's stories as chapters: each is made in one transaction together with the note that it is made.

So a demonstration that was killed at any moment goes on with the chapter after the last whole one. Pictures are judged before
the transaction begins: people who use the portal meanwhile wait for a story's rows only.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from portal import audit, tasks
from portal.cases.stored_files import KINDS
from portal.demo.acts import prepare
from portal.extensions import db
from portal.models import Preference, StoredFile

OWNER = uuid.UUID("7eeb0d3e-0000-4000-8000-000000000001")  # nobody's: the demonstration itself
KEY = "demo.chapters"


@dataclass(frozen=True)
class Chapter:
    """One story. `key` stays the same for ever, `title` is for the console, `papers` are what it uploads."""

    key: str
    title: str
    play: Callable[[], None]
    papers: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Progress:
    """How many chapters are made, and of how many; (0, 0) before the offices stand."""

    made: int
    of: int

    @property
    def whole(self) -> bool:
        return self.made >= self.of


def note(titles: int) -> None:
    """Say, in the running transaction, that chapters are to come."""
    db.session.add(Preference(owner_id=OWNER, key=KEY, value={"of": titles, "made": []}))


def progress() -> Progress | None:
    """How far the demonstration has come; None where nothing is noted (it has not begun, or an older version made it)."""
    row = _row()
    return None if row is None else Progress(len(_made(row)), int(str(row.value["of"])))


def play(chapters: Sequence[Chapter]) -> Iterator[Chapter]:
    """Make what is not made yet, one after the other; yields each before it begins."""
    row = _row()
    made = _made(row) if row is not None else []
    db.session.rollback()
    for chapter in chapters:
        if chapter.key in made:
            continue
        yield chapter
        prepare(chapter.papers)
        try:
            audit.set_origin(address="demo")
            chapter.play()
            made = [*made, chapter.key]
            _save(made, len(chapters))
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise
        db.session.remove()


def clear_left_over() -> int:
    """Delete what a killed chapter had put into the store: its rows were rolled back, so nothing names it. Only while nobody
    uploads, before the portal is served. Returns the number of objects."""
    named = set(db.session.scalars(select(StoredFile.key)))
    db.session.remove()
    store, deleted = tasks.store(), 0
    for kind in KINDS.values():
        for key, version in list(store.keys(f"{kind.folder}/")):
            if key.partition("-")[0] not in named:  # a rendition's key is the original's with a suffix
                store.delete(key, version)
                deleted += 1
    return deleted


def _save(made: list[str], of: int) -> None:
    row = _row()
    if row is None:
        raise LookupError("the demonstration's offices are not made yet")
    row.value = {"of": of, "made": made}


def _row() -> Preference | None:
    return db.session.scalars(
        select(Preference).where(Preference.owner_id == OWNER, Preference.key == KEY)
    ).one_or_none()


def _made(row: Preference) -> list[str]:
    made = row.value["made"]
    return [str(one) for one in made] if isinstance(made, list) else []
