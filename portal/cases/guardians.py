"""Whose a guardian's paper is: a guardian of the register's, or who asks in the case. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from portal.cases.readings import plain_name
from portal.cases.whose import DECISIVE, Named
from portal.standards import id_number
from portal.workflows import workflow
from portal.workflows.facts import Facts


@dataclass(frozen=True)
class Guardian:
    """A guardian as register or case name them, "" for what they leave open."""

    name: str
    id_number: str = ""

    def agrees(self, paper: Named) -> bool:
        """Whether a paper is theirs by its number, or by its name where one side gives no number."""
        name, number = (paper.cells[column].value for column in DECISIVE)
        if number and self.id_number:
            return number == self.id_number
        return bool(name) and name == self.name

    def namesake_of(self, paper: Named) -> bool:
        """Whether only the name is theirs."""
        return paper.cells["name"].value == self.name != "" and not self.agrees(paper)


@dataclass(frozen=True)
class Guardians:
    """Those of the register, and who asks in the case, None where nobody is named."""

    registered: tuple[Guardian, ...]
    asking: Guardian | None


def of(facts: Facts) -> Guardians:
    """Whose a guardian's paper may be."""
    registered = [
        Guardian(
            plain_name(facts.pupil[f"guardian{n}_name"]),
            id_number.tidy(facts.pupil[f"guardian{n}_id_number"]),
        )
        for n in (1, 2)
    ]
    asking = plain_name(workflow(facts.workflow).asked_by(facts))
    return Guardians(
        tuple(one for one in registered if one.name or one.id_number), Guardian(asking) if asking else None
    )
