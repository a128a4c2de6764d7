"""Named places at which a process may be killed by a test, to prove that nothing acknowledged is lost.

`XUEJI_FAULT=decide.after_update` ends the process there as hard as kill -9 does. Unset, as always outside tests, each
place costs one comparison.
"""

from __future__ import annotations

import os

POINTS = (
    "upload.after_stage",
    "upload.after_put",
    "upload.after_views",
    "upload.before_commit",
    "upload.after_commit",
    "decide.after_update",
    "decide.after_decision",
    "decide.after_register",
    "decide.before_commit",
    "decide.after_commit",
    "export.after_stage",
    "export.after_put",
    "export.before_commit",
    "export.after_commit",
    "check.after_rows",
    "load.before_commit",
    "discard.after_commit",
    "batch.after_stage",
    "batch.after_put",
    "batch.before_commit",
    "batch.after_commit",
    "list.after_stage",
    "list.after_put",
    "list.before_commit",
    "list.after_commit",
    "items.before_commit",
)
_ARMED = os.environ.get("XUEJI_FAULT", "")


def reach(point: str) -> None:
    """Die here if the tests asked for it."""
    if point == _ARMED:
        os._exit(137)
