"""The thresholds of the picture checks: settings with a version, read from quality/thresholds.toml.

Every stored verdict names the version it was judged by, so that figures can be compared after a change.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "quality" / "thresholds.toml"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """One number per decision; the meaning and unit of each stands beside it in the TOML file."""

    version: str
    text_refuse_px: float
    text_advise_px: float
    page_refuse_px: float
    page_advise_px: float
    blur_advise: float
    blur_refuse: float
    dark_mend: float
    dark_refuse: float
    contrast_advise: float
    glare_advise_percent: float
    skew_mend_degrees: float
    skew_advise_degrees: float
    blank_ink_percent: float
    blank_marks: float
    cut_marks: float


@cache
def standard() -> Thresholds:
    """The thresholds that ship with this version."""
    return Thresholds(**tomllib.loads(_FILE.read_text(encoding="utf-8")))
