"""What one check of an installation is."""

from __future__ import annotations

from dataclasses import dataclass

from portal.settings import Settings
from storage.objects import ObjectStore

OK, SOON, LATE = "ok", "soon", "late"


@dataclass(frozen=True)
class Check:
    """One finding. `word` is for machines (ok or what fails), `text` says what to do; tones: ok, soon, late."""

    id: str
    title: str
    tone: str
    text: str

    @property
    def word(self) -> str:
        return "failing" if self.tone == LATE else "ok"


@dataclass(frozen=True)
class Installation:
    """What is examined."""

    settings: Settings
    store: ObjectStore
    migrations: str  # folder of the Alembic scripts
