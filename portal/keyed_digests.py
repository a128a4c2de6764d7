"""Keyed digests: by them a change of the database is found that was made without the audit key.

A digest tells nothing of what it covers, so it may stand in the audit chain. It is named by the key that made it, so that
a key can be changed and older digests still be verified.

What never belongs here: what is covered (models.keyed_rows and audit say that), a database.
"""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from flask import Flask, current_app


class Keys:
    """The audit key in use and the earlier ones. `current` is the name of the one in use."""

    def __init__(self, keys: Sequence[str]) -> None:
        named = [(key_id(key), key.encode()) for key in keys]
        self.current = named[0][0]
        self._by_id = dict(reversed(named))

    def of(self, name: str) -> bytes | None:
        """The key of this name, None where this installation was not given it."""
        return self._by_id.get(name)


def key_id(key: str) -> str:
    """The name of a key: it tells one from another and nothing of either."""
    return hmac.digest(key.encode(), b"key id", "sha256").hex()[:12]


def init_app(app: Flask, given: Sequence[str]) -> None:
    app.extensions["audit_keys"] = Keys(given)


def keys() -> Keys:
    """The keys of the running application."""
    found: Keys = current_app.extensions["audit_keys"]
    return found


def canonical(value: Any) -> bytes:
    """One text for one value on every database: sorted keys, UTC moments, ids without dashes."""
    return _ENCODER.encode(value).encode()


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return value.hex
    raise TypeError(f"no canonical form for {type(value).__name__}")


_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain)


def mac(text: bytes, key: bytes, alg: str = "sha256") -> str:
    return hmac.digest(key, text, alg).hex()


def digest(label: str, value: Any, name: str = "") -> str:
    """The keyed digest of a value as a thing of this kind, by the key in use or by the one named; "" without that key."""
    ring = keys()
    key = ring.of(name or ring.current)
    return mac(label.encode() + b"\0" + canonical(value), key) if key is not None else ""


def is_of(made: str, label: str, value: Any, name: str) -> bool:
    """Whether a digest is the one of this value by the key of this name; never without that key."""
    found = digest(label, value, name) if name else ""
    return bool(found) and hmac.compare_digest(found.encode(), made.encode())


def row_digest(table: str, columns: Sequence[str], values: Mapping[str, Any]) -> str:
    """KEY.DIGEST over these columns of a row."""
    return f"{keys().current}.{digest(table, [values[name] for name in columns])}"


def fits(made: str, table: str, columns: Sequence[str], values: Mapping[str, Any]) -> bool:
    """Whether a row is as it was when this was made of it."""
    name, _, own = made.partition(".")
    return is_of(own, table, [values[column] for column in columns], name)
