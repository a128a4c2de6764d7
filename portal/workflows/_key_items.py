"""关键信息变更: which items a case changes, to what, and which papers the policy asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from portal.standards import id_number, names
from portal.standards.alike import alike
from portal.standards.columns import BY_KEY
from portal.workflows.facts import Facts

CHANGEABLE = ("name", "id_number", "birth_date", "sex")


def picked(facts: Facts, ticked: Iterable[str]) -> tuple[str, ...]:
    """The columns among those ticked that the policy calls key, in the order of the register."""
    ticked = tuple(ticked)
    return tuple(key for key in CHANGEABLE if key in ticked and key in facts.setting("key_fields"))


def chosen(facts: Facts) -> tuple[str, ...]:
    """The columns to be changed."""
    return picked(facts, facts.answer("fields") or ())


def new_values(facts: Facts) -> dict[str, str]:
    """column -> new stored text, of the chosen columns that have been answered."""
    new: dict[str, str] = {}
    for key in chosen(facts):
        value = facts.answer(f"new_{key}")
        if value:
            text = value if isinstance(value, str) else value.isoformat()
            tidy = {"id_number": id_number.tidy, "name": names.tidy}.get(key, str)
            new[key] = tidy(text)
    return new


def after(facts: Facts, column: str) -> str:
    """The value that the column will hold: the new one, or the register's."""
    return new_values(facts).get(column, facts.pupil[column])


def unchanged(facts: Facts) -> list[str]:
    return [
        BY_KEY[key].title for key, new in new_values(facts).items() if alike(key, new, facts.pupil[key], {})
    ]


def titles(keys: Iterable[str]) -> str:
    """The columns as a person reads them."""
    return "、".join(BY_KEY[key].title for key in keys)


def proofs(facts: Facts) -> Mapping[str, bool]:
    """slot -> required, by what is changed and why, from the policy's table of proofs."""
    found: dict[str, bool] = {}
    for row in _proof_rows(facts):
        found[row["slot"]] = found.get(row["slot"], False) or row["required"]
    return found


def one_of(facts: Facts, slot_id: str) -> tuple[str, ...]:
    """The slots of which one is enough, this one among them; () where it stands in no such group, or where another change
    needs a paper of the group anyway."""
    rows = _proof_rows(facts)
    group = next((row["one_of"] for row in rows if row["slot"] == slot_id and row.get("one_of")), "")
    members = dict.fromkeys(row["slot"] for row in rows if group and row.get("one_of") == group)
    needed = proofs(facts)
    return () if any(needed[slot] for slot in members) else tuple(members)


def _proof_rows(facts: Facts) -> list[Mapping[str, Any]]:
    cause = facts.answer("cause")
    return [
        row
        for row in facts.setting("proofs")
        if row["field"] in chosen(facts) and row["cause"] in ("*", cause)
    ]
