"""An act that cannot be done now, as every desk tells it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from portal.workflows.vocabulary import Refusal


@dataclass(frozen=True)
class Busy:
    """A column that another open case holds, as a sentence; `case_id` is None where the reader may not see that case."""

    text: str
    case_id: uuid.UUID | None


class Refused(Exception):
    """An act that cannot be done now. `refusals` are rules that stop it; `conflict` says that somebody was quicker;
    `field` names what the act carried and is at fault, "" for none; `busy` is what other open cases hold of it."""

    def __init__(
        self,
        message: str,
        refusals: tuple[Refusal, ...] = (),
        *,
        conflict: bool = False,
        field: str = "",
        busy: tuple[Busy, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.refusals = refusals
        self.conflict = conflict
        self.field = field
        self.busy = busy
