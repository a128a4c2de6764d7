"""An act that cannot be done now, as every desk tells it."""

from __future__ import annotations

from portal.workflows.vocabulary import Refusal


class Refused(Exception):
    """An act that cannot be done now. `refusals` are rules that stop it; `conflict` says that somebody was quicker;
    `field` names what the act carried and is at fault, "" for none."""

    def __init__(
        self, message: str, refusals: tuple[Refusal, ...] = (), *, conflict: bool = False, field: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.refusals = refusals
        self.conflict = conflict
        self.field = field
