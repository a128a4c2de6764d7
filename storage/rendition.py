"""Pictures made of a sealed original for another system, and two of our own compared. Views come with ``judge``."""

from __future__ import annotations

from dataclasses import asdict

from storage.measurement import Mending
from storage.sandbox import run

NATIONAL_LIMIT = 2 * 1024 * 1024  # bytes that the national system takes


class NoRendition(Exception):
    """No picture could be made of the file; ``str()`` is the Chinese sentence to show."""


def for_national_system(
    data: bytes, *, page: int = 1, mending: Mending | None = None, limit: int = NATIONAL_LIMIT
) -> bytes:
    """A JPEG of one page, at most ``limit`` bytes, at the best quality that fits; no metadata.

    ``mending`` makes of it what the view shows (``PageJudgement.mending``). Raises ``NoRendition``, and
    ``storage.sandbox.Unavailable`` as every task does.
    """
    wanted = asdict(mending or Mending())
    reply = run("national", data, {"page": page, "mending": wanted, "limit": limit, "max_pages": 20})
    if reply.refusal is not None:
        raise NoRendition(reply.refusal)
    return reply.blobs[0]


def difference(one: bytes, other: bytes) -> float | None:
    """How far apart two of our own JPEG renditions are (``storage.sameness.apart``); None where they cannot be compared."""
    reply = run("compare", one + other, {"first": len(one)})
    return None if reply.refusal is not None else float(reply.facts["apart"])
