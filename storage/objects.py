"""The port to the place where evidence lies: what every store must do, and how it may fail.

A stored object is named by ``Sealed``: key, version, SHA-256 and size together. A key alone is never
enough, because an S3 store with a working lock still lets a plain key be overwritten; the version that was
sealed stays readable. So keys are never used twice, reads go by version, and every read is checked
against the hash before one byte is handed out.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Literal, Protocol

LockMode = Literal["GOVERNANCE", "COMPLIANCE"]
LockState = Literal["ok", "ok-embedded", "not-locked", "unavailable"]

CHUNK = 1 << 16  # bytes moved at a time


class StoreError(Exception):
    """Something between the portal and its store went wrong. ``str()`` is an English sentence for the log."""


class Missing(StoreError):
    """The sealed version is not in the store."""


class Tampered(StoreError):
    """What lies in the store is not what was sealed: another hash or another size."""


class StoreUnavailable(StoreError):
    """The store does not answer, is full or refuses us; the same call may succeed later."""


class TooLarge(StoreError):
    """The stream held more bytes than allowed; nothing was kept."""


class KeyTaken(StoreError):
    """This key was used before. Keys are never reused."""


class Locked(StoreError):
    """The version is under a lock and may not be deleted yet."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the database keeps of a stored object; all four are needed to read it back.

    ``sha256`` is 64 lower-case hex digits; ``size`` is in bytes.
    """

    key: str
    version_id: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class LockProof:
    """What a store showed when its lock was tried.

    ``locks`` says whether the store itself refuses deletion, even to someone who holds our credentials.
    ``state`` is ``ok`` (it does), ``ok-embedded`` (a folder: only this program and the file permissions
    refuse), ``not-locked`` (it let a locked version go: evidence is at risk) or ``unavailable``.
    ``detail`` is a Chinese sentence for the readiness page.
    """

    locks: bool
    state: LockState
    detail: str
    checked_at: datetime


class ObjectStore(Protocol):
    """A place that keeps sealed bytes. Every method may raise ``StoreUnavailable``."""

    def put(self, key: str, stream: BinaryIO, *, size_limit: int, media_type: str) -> Sealed:
        """Store ``stream`` to its end under a key never used before, hashing on the way.

        On return the bytes are durable. Raises ``TooLarge`` beyond ``size_limit`` bytes and ``KeyTaken``
        when the key exists; ``ValueError`` when the key is badly formed.
        """
        ...

    def open(self, sealed: Sealed) -> AbstractContextManager[BinaryIO]:
        """The verified bytes as a seekable file. Raises ``Missing`` or ``Tampered`` before any byte."""
        ...

    def read(self, sealed: Sealed) -> bytes:
        """The verified bytes at once. Raises ``Missing`` or ``Tampered``."""
        ...

    def exists(self, sealed: Sealed) -> bool:
        """Whether this version is there with this size (no hash check)."""
        ...

    def delete(self, key: str, version_id: str) -> None:
        """Remove one version of an upload never claimed. Raises ``Locked``; absent is not an error."""
        ...

    def lock(self, sealed: Sealed, until: datetime, mode: LockMode) -> None:
        """Keep this version until ``until`` (aware, in the future).

        A lock only grows: an earlier date or a weaker mode than the present one changes nothing.
        """
        ...

    def locked_until(self, sealed: Sealed) -> datetime | None:
        """The moment the lock ends (aware UTC), or None when this version was never locked."""
        ...

    def prove_lock(self) -> LockProof:
        """Put, lock, try to delete that very version: it must be refused. Never raises."""
        ...

    def keys(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Every (key, version_id) whose key starts with ``prefix``, in key order, for sweeping up garbage."""
        ...


_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


def checked_key(key: str) -> str:
    """The key itself, or ``ValueError``: plain names between slashes, no leading dot, 200 at most."""
    if len(key) > 200 or not _KEY.fullmatch(key):
        raise ValueError(f"not a storage key: {key!r}")
    return key


def new_key(prefix: str) -> str:
    """A key that was never used: ``prefix``, two characters that spread the files, and a random UUID."""
    name = uuid.uuid4().hex
    return checked_key(f"{prefix}/{name[:2]}/{name}")


def checked_moment(until: datetime) -> datetime:
    """``until`` itself when it carries a time zone, otherwise ``ValueError``: locks never guess a zone."""
    if until.tzinfo is None:
        raise ValueError("a lock needs a moment with a time zone")
    return until


def open_store(url: str) -> ObjectStore:
    """The store that ``url`` names.

    ``folder:/var/lib/xueji/evidence`` is a folder on this machine; ``s3+https://KEY:SECRET@host:port/bucket``
    is an S3 store over TLS and ``s3+http://`` one without (only for a network nobody else is on). Key and
    secret are percent-encoded. Nothing is contacted yet. Raises ``ValueError`` for any other form, without
    repeating the secret.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "folder" and rest:
        from storage.filesystem import FolderStore

        return FolderStore(rest)
    if scheme in ("s3+http", "s3+https"):
        from storage.s3 import S3Store

        return S3Store.from_url(url)
    raise ValueError(f"not a store: {scheme!r}; expected folder:/path, s3+http://... or s3+https://...")
