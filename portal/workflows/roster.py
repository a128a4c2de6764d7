"""The words of a procedure about many people at once: columns, what can be wrong with a row, what a row tells the register.

What never belongs here: a procedure's own names, Flask, SQL, who is signed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from portal.policies import source
from portal.workflows.facts import Facts, Finding, RosterRow


@dataclass(frozen=True)
class RosterColumn:
    """A column of a roster. `key` is the register's column where it has one; `aliases` are other headings it comes under."""

    key: str
    title: str
    required: bool = True
    aliases: tuple[str, ...] = ()
    compared: bool = False  # held against the list of the admitted
    is_number: bool = False  # its digits are what a value says: none may be lost


@dataclass(frozen=True)
class RowRule:
    """What can be wrong with one row of a roster. `finds(facts, row)` is the sentence for the person, "" for nothing.

    `level` "stop" keeps the roster from being submitted; "ask" is a question that the people along the chain see.
    `settled_by` is the evidence with a piece for the row that settles what was found, "" for none.
    """

    id: str
    article: str
    finds: Callable[[Facts, RosterRow], str]
    remedy: str
    column: str
    level: Literal["stop", "ask"] = "stop"
    settled_by: str = ""

    def __post_init__(self) -> None:
        if not (self.id and self.article):
            raise ValueError(f"row rule {self.id!r} needs an id and an article")


@dataclass(frozen=True)
class Roster:
    """The word for a case about many people at once, under a quota and with a range of numbers.

    `person` is the column by which somebody is found on the list of the admitted. `enters(facts, row)` is what the
    register is told of a row when the case is approved, {column: text}; it may only name columns of Workflow.may_change.
    """

    columns: tuple[RosterColumn, ...]
    rules: tuple[RowRule, ...]
    person: str
    stage: str  # of schools that may send one
    enters: Callable[[Facts, RosterRow], Mapping[str, str]]

    @property
    def titles(self) -> dict[str, str]:
        return {column.key: column.title for column in self.columns}

    def findings(self, facts: Facts, rows: Iterable[RosterRow] | None = None) -> list[Finding]:
        """Everything found about the standing rows (or these), in their order; what the facts have found already is not
        looked for again."""
        if rows is None and facts.findings is not None:
            return list(facts.findings)
        articles = {rule.id: source(facts.policy, rule.article) for rule in self.rules}
        found = []
        for row in facts.standing_rows if rows is None else rows:
            found += [
                Finding("", row, column, reason, remedy, "stop")
                for column, (reason, remedy) in row.faults.items()
            ]
            for rule in self.rules:
                if text := rule.finds(facts, row):
                    found.append(
                        Finding(
                            rule.id,
                            row,
                            rule.column,
                            text,
                            rule.remedy,
                            rule.level,
                            articles[rule.id],
                            rule.settled_by,
                        )
                    )
        return found
