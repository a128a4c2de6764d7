"""A procedure that a test adds to the portal's own, with a policy pack of its own, and takes away again."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from portal import policies
from portal.workflows import WORKFLOWS
from portal.workflows.vocabulary import Workflow


@contextmanager
def added(law: Workflow, code: str, pack: str, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Its pack in a copy of the packs, its line in WORKFLOWS."""
    packs = folder / "packs"
    shutil.copytree(policies.FOLDER, packs, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (packs / f"{code}.toml").write_text(pack, "utf-8")
    patch.setattr(policies, "FOLDER", packs)
    for name, module in list(sys.modules.items()):
        if name.startswith("portal") and getattr(module, "WORKFLOWS", None) is WORKFLOWS:
            patch.setattr(module, "WORKFLOWS", (*WORKFLOWS, law))
    policies.policy.cache_clear()
    policies.all_policies.cache_clear()
    yield
    policies.policy.cache_clear()
    policies.all_policies.cache_clear()
