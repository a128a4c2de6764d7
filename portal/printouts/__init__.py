"""The official blanks, as DOCX files with «names» where values go, and how they are drawn.

A blank is a plain document: cases.printing puts text in the place of its «names» and nothing in it is ever run.

What never belongs here: a case, a value of a pupil, a rule.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
