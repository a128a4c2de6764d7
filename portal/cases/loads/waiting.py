"""Which findings of a load are written when it is applied, and which wait for the bureau above the school.

A school keeps the other columns itself; key columns, pupils who appear or disappear and landings are proposed by its load
and confirmed by a bureau (教基一〔2014〕8号 应用指南). What a bureau loads, and what already stands in the register because a
case or roster was approved, waits for nobody. What waits is a policy value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.cases.loads.comparing import ADDED, CHANGED, LANDED, MISSING, WAITING
from portal.cases.offices import policy_of
from portal.models import Level, Office
from portal.standards import enrolment

KEY_COLUMNS = frozenset(
    {"name", "sex", "birth_date", "id_type", "id_number", "student_number", "school_code", "gone_since"}
)
KINDS = frozenset({ADDED, CHANGED, MISSING, LANDED})
POLICY = "register_load.waits"


@dataclass(frozen=True)
class Gate:
    """The kinds of findings of one load that wait."""

    kinds: frozenset[str] = frozenset()

    @classmethod
    def of(cls, office: Office) -> Gate:
        """What waits of a load of this office: nothing of a bureau's."""
        if office.level in (Level.COUNTY, Level.STATE):
            return cls()
        return cls(KINDS & frozenset(policy_of(office).value(POLICY)))

    def part(self, findings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The findings as they are written down: what waits apart from what is written at once."""
        parted: list[dict[str, Any]] = []
        for finding in findings:
            if finding["kind"] not in self.kinds:
                parted.append(dict(finding, waits_as=""))
            elif finding["kind"] == CHANGED:
                parted += _parted(finding)
            else:
                parted.append(dict(finding, kind=WAITING, waits_as=finding["kind"]))
        return parted


def _parted(finding: Mapping[str, Any]) -> list[dict[str, Any]]:
    before, after = finding["before"], finding["after"]
    keys = [key for key in after if _is_key(key, before.get(key), after[key])]
    others = [key for key in after if key not in keys]
    parts = [(CHANGED, "", others), (WAITING, CHANGED, keys)]
    return [
        dict(
            finding,
            kind=kind,
            waits_as=waits_as,
            before={key: before.get(key) for key in columns},
            after={key: after[key] for key in columns},
        )
        for kind, waits_as, columns in parts
        if columns
    ]


def _is_key(key: str, before: str | None, after: str | None) -> bool:
    """Whether a column says who the pupil is, where, or whether the record is open."""
    if key == enrolment.STATUS:
        return (before in enrolment.LEFT) != (after in enrolment.LEFT)
    return key in KEY_COLUMNS
