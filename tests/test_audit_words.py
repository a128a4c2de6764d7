"""Every word that the code writes into the audit trail has a Chinese name for who reads it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import portal
from portal.cases.actions import ACTIONS as VERBS
from portal.oversight import audit_reading

FOLDER = Path(portal.__file__).parent


def records() -> Iterator[tuple[str, ast.expr, ast.expr | None]]:
    """(place, action, kind of object) of every call in the portal that adds a record."""
    for path in sorted(FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("audit.append", "audit.append_now"):
                kind = node.args[1] if len(node.args) > 1 else None
                yield f"{path.relative_to(FOLDER)}:{node.lineno}", node.args[0], kind


def test_every_kind_of_object_has_a_name() -> None:
    """A kind is written out where it is recorded, so that this list of them is whole."""
    found = {place: kind for place, _action, kind in records() if kind is not None}
    written = {place: kind.value for place, kind in found.items() if isinstance(kind, ast.Constant)}
    assert len(found) > 80 and found.keys() == written.keys()
    assert set(written.values()) == audit_reading.KINDS.keys()


def test_every_action_has_a_name() -> None:
    """Those written out, either one of two as well, and those of the engine's verbs."""
    found = {f"case.{one.event}" for one in VERBS.values()}
    for _place, action, _kind in records():
        several = (action.body, action.orelse) if isinstance(action, ast.IfExp) else (action,)
        found |= {str(one.value) for one in several if isinstance(one, ast.Constant)}
    assert len(found) > 80 and found <= audit_reading.ACTIONS.keys()
