"""The thresholds of the picture checks: settings with a version, read from quality/thresholds.toml.

Every stored verdict names the version it was judged by, so that figures can be compared after a change.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent / "quality" / "thresholds.toml"

Changes = Mapping[str, Mapping[str, float]]  # kind of paper ("" for all) -> threshold -> value


@dataclass(frozen=True, slots=True)
class Thresholds:
    """One number per decision; the meaning and unit of each stands beside it in the TOML file."""

    version: str
    blank_ink_percent: float
    blank_marks: float
    text_refuse_px: float
    text_advise_px: float
    page_refuse_px: float
    page_advise_px: float
    blur_advise: float
    blur_refuse: float
    blur_part_advise: float
    skew_mend_degrees: float
    skew_advise_degrees: float
    orientation_sure: float
    perspective_mend_percent: float
    perspective_advise_percent: float
    crop_mend_share: float
    cut_marks: float
    edges_advise: float
    dark_mend: float
    dark_refuse: float
    contrast_advise: float
    glare_advise_percent: float
    shadow_mend: float
    seal_needed: float
    seal_score: float
    colour_needed: float
    chroma_advise: float
    screenshot_ratio: float
    screen_advise_peak: float


NAMES: tuple[str, ...] = tuple(one.name for one in fields(Thresholds) if one.name != "version")


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def papers() -> dict[str, dict[str, float]]:
    """The kinds of paper that have thresholds of their own, and which."""
    return {kind: dict(values) for kind, values in _file()["papers"].items()}


def standard(paper: str = "") -> Thresholds:
    """The thresholds that ship with this version, for a kind of paper; those for any paper where it has none."""
    base = {name: value for name, value in _file().items() if name != "papers"}
    return Thresholds(**{**base, **_file()["papers"].get(paper, {})})


def changed(paper: str, changes: Changes, version: str) -> Thresholds:
    """The standard for a kind of paper with an office's own values over it: first those for all papers, then the
    standard's and the office's for this kind. Raises ``TypeError`` for a name that is none."""
    own = dict(changes.get("", {}))
    return replace(
        standard(paper),
        **{**own, **_file()["papers"].get(paper, {}), **changes.get(paper, {})},
        version=version,
    )
