"""JSON for the columns and files that hold much of it: orjson where it can, the standard library where it cannot."""

from __future__ import annotations

import json
from typing import Any

import orjson

loads = orjson.loads  # of str or bytes
_AS_STANDARD = (
    orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
)  # what json refuses is refused


def dumps(value: Any) -> str:
    """The text of a value that consists of what JSON knows. Raises TypeError for anything else."""
    try:
        return orjson.dumps(value, option=_AS_STANDARD).decode()
    except TypeError:  # keys that are numbers, lone surrogates: json writes them
        return json.dumps(value)
